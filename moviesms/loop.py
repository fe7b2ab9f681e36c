"""The base of commands that run for ever: one unit of work, a wait, and a clean end on SIGTERM."""

import signal
import threading
from abc import ABC, abstractmethod
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections, connections

from moviesms.checks import CONFIGURATION

log = structlog.get_logger(__name__)


class LoopCommand(BaseCommand, ABC):
    """Calls `run_once()` again and again until SIGTERM or Ctrl-C; `--once` calls it one time.

    A subclass gives `run_once`, and may give `wait` (returns early when there is reason to).
    An exception in a pass is logged and the loop goes on: one bad pass must not end the process.
    """

    default_interval = 30.0
    # What concerns pages is of no concern here, and would load them all.
    requires_system_checks = (CONFIGURATION,)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="do one pass and exit")
        parser.add_argument(
            "--interval",
            type=float,
            default=self.default_interval,
            metavar="SECONDS",
            help="seconds between passes (default: %(default)g)",
        )

    def __init__(self) -> None:
        super().__init__()
        self.stopping = threading.Event()

    def handle(self, *args: Any, **options: Any) -> None:
        self.interval: float = options["interval"]
        if options["once"]:
            self.run_once()
            return
        # In a thread of another program, that program's end calls `stop`.
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: self.stop())
        self.started()
        try:
            while not self.stopping.is_set():
                self._pass()
                self.wait(self.interval)
        finally:
            self.stopped()
            connections.close_all()

    def _pass(self) -> None:
        close_old_connections()
        try:
            self.run_once()
        except Exception:
            log.exception("pass failed", command=type(self).__module__.rpartition(".")[2])

    @abstractmethod
    def run_once(self) -> None:
        """Do one unit of work; the one thing that every loop must give."""

    def wait(self, seconds: float) -> None:
        """Wait for the next pass, at most `seconds`."""
        self.stopping.wait(seconds)

    def stop(self) -> None:
        """Ask the loop to end after the current pass."""
        self.stopping.set()

    def started(self) -> None:
        """Called once before the first pass."""

    def stopped(self) -> None:
        """Called once after the last pass, also after a failure."""

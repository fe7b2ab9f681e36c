"""A process that begins as a fork of this one, and runs a command of Python there.

What this program has loaded is loaded already, and is in memory once for all its forks. The program
that forks has one thread and no connection: it is the supervisor, whose loop is all it does.
"""

import ctypes
import logging
import multiprocessing
import os
import runpy
import signal
import sys
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import IO

from setproctitle import getproctitle, setproctitle

getproctitle()  # finds the room for titles, while the environment is still where it was
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1
CAN_FORK = sys.platform == "linux"
"""macOS ends a fork of a program that has loaded its frameworks."""
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


def die_with_parent() -> Callable[[], None]:
    """Return what a new process runs before exec, so that it gets SIGTERM when we are gone."""
    parent = os.getpid()

    def prepare() -> None:
        if _LIBC is None:
            return
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # the parent died before prctl: no signal will come
            os._exit(1)

    return prepare


class Fork:
    """Runs `command` in a fork, with pipes for what it prints; to its owner it is as a Popen.

    `command` is what Python would be given: [python, "-m", module, …] or [python, file, …].
    `prepare` is called there first, when `environment` holds. Of our open files the fork keeps
    `keep_open`. Raises OSError when the system has no room for it.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        prepare: Callable[[], None],
        keep_open: Collection[int] = (),
    ) -> None:
        if threading.active_count() > 1:
            raise RuntimeError("a program of several threads cannot be forked")
        self.stdout, out = _pipe()
        self.stderr, error = _pipe()

        die = die_with_parent()

        def work() -> None:
            die()
            _become_a_child(out, error, keep_open)
            os.environ.clear()
            os.environ.update(environment)
            setproctitle(" ".join(command))
            prepare()
            _run(command)

        self._process = multiprocessing.get_context("fork").Process(target=work)
        # A signal that comes before the fork has its own handlers would be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            self._process.start()
        except OSError:
            self.stdout.close()
            self.stderr.close()
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            os.close(out)
            os.close(error)
        self.pid: int = self._process.pid or 0
        with suppress(PermissionError, ProcessLookupError):
            os.setpgid(self.pid, self.pid)  # as it does itself: whoever comes first

    @property
    def returncode(self) -> int | None:
        """The exit code, or the number of the signal that ended it, negative; None: it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float) -> None:
        """Wait for its end, at most `timeout` seconds."""
        self._process.join(timeout)

    def terminate(self) -> None:
        self._process.terminate()


def _pipe() -> tuple[IO[bytes], int]:
    reader, writer = os.pipe()
    return os.fdopen(reader, "rb", buffering=0), writer


def _become_a_child(out: int, error: int, keep_open: Collection[int]) -> None:
    """Let go of everything that is the supervisor's: its group, its signals, its files."""
    with suppress(PermissionError):
        os.setpgid(0, 0)
    signal.set_wakeup_fd(-1)
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup: stay
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    os.dup2(out, 1)
    os.dup2(error, 2)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    logging.shutdown()  # who logs opens the file anew
    # Objects of the supervisor's may still close their files: no other may get such a number.
    nothing = os.open(os.devnull, os.O_RDWR)
    for file in map(int, os.listdir("/dev/fd")):
        if file > 2 and file not in (nothing, *keep_open):
            try:
                os.dup2(nothing, file, inheritable=False)
            except OSError:  # a number beyond our limit, which nobody else will get
                os.close(file)


def _run(command: Sequence[str]) -> None:
    if command[1] == "-m":
        sys.argv = list(command[2:])
        runpy.run_module(command[2], run_name="__main__", alter_sys=True)
    else:
        sys.argv = list(command[1:])
        runpy.run_path(command[1], run_name="__main__")

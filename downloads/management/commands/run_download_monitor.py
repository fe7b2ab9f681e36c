"""`manage.py run_download_monitor`: follow the downloads in Radarr, and do the periodic work."""

import os
import socket
import threading
import time
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import CommandParser
from django.db import close_old_connections, connections
from django.utils import timezone
from django.utils.module_loading import import_string

from downloads import control
from downloads.models import MonitorState
from downloads.monitor import TickResult, tick
from moviesms import claims, live
from moviesms.incidents import close_incident
from moviesms.loop import LoopCommand

log = structlog.get_logger(__name__)


class Command(LoopCommand):
    help = (
        "Follow every download in Radarr: a tick every 30 seconds, and at once when woken. "
        "Several may run; one of them ticks. Ends cleanly on SIGTERM."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        self.default_interval = settings.MONITOR_INTERVAL
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        self.identity = claims.token()
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self.last_tick: datetime | None = None
        self.tick_seconds: float | None = None
        self.woken = threading.Event()
        self.made_events = threading.Event()
        self.threads: list[threading.Thread] = []
        self.last_error = ""
        super().handle(*args, **options)

    def run_once(self) -> None:
        """Tick if that is wanted and ours to do, and say so in the heartbeat."""
        now = timezone.now()
        state = MonitorState.load()
        if not control.take_lease(self.identity):
            return
        result = None
        if state.wanted == MonitorState.Wanted.RUNNING:
            began = time.monotonic()
            result = tick(now, last_tick=self.last_tick)
            self.last_tick, self.tick_seconds = now, round(time.monotonic() - began, 3)
            self._log_outage(result)
        self._beat(state, result)
        if result is not None and result.made_events:
            self.made_events.set()
        close_incident("monitor:silent", now=now)

    def _beat(self, state: MonitorState, result: TickResult | None) -> None:
        now = timezone.now()
        interval = getattr(self, "interval", settings.MONITOR_INTERVAL)
        control.beat(
            {
                "at": now.isoformat(),
                "leader": self.name,
                "wanted": state.wanted,
                "wanted_version": state.wanted_version,
                "last_tick": self.last_tick.isoformat() if self.last_tick else None,
                "tick_seconds": self.tick_seconds,
                "next_tick": (now + timedelta(seconds=interval)).isoformat()
                if state.wanted == MonitorState.Wanted.RUNNING
                else None,
                "result": result.as_dict() if result else None,
            }
        )

    def _log_outage(self, result: TickResult) -> None:
        if result.error and not self.last_error:
            log.warning("ticks fail", error=result.error)
        elif self.last_error and not result.error:
            log.info("ticks work again")
        self.last_error = result.error

    def wait(self, seconds: float) -> None:
        self.woken.wait(seconds)
        self.woken.clear()

    def stop(self) -> None:
        super().stop()
        self.woken.set()
        self.made_events.set()

    def started(self) -> None:
        for work in (self._listen, self._tell_events, self._do_periodic_work):
            thread = threading.Thread(target=work, name=work.__name__, daemon=True)
            thread.start()
            self.threads.append(thread)
        log.info("monitor started", name=self.name, interval=self.interval)

    def stopped(self) -> None:
        for thread in self.threads:
            thread.join(timeout=5)
        control.give_up_lease(self.identity)
        log.info("monitor stopped", name=self.name)

    def _listen(self) -> None:
        """Turn wake-ups on the Redis channel into `woken`; reconnect when Redis was away."""
        while not self.stopping.is_set():
            try:
                live.call(self._listen_once)
            except live.LiveStateDown:
                self.stopping.wait(1)

    def _listen_once(self, redis: Any) -> None:
        with redis.pubsub(ignore_subscribe_messages=True) as channel:
            channel.subscribe(control.CHANNEL)
            while not self.stopping.is_set():
                if channel.get_message(timeout=1.0) is not None:
                    self.woken.set()

    def _tell_events(self) -> None:
        """Have what ticks bring told at once, while the next tick goes on."""
        tell = import_string(settings.MONITOR_ON_EVENTS)
        while self.made_events.wait() and not self.stopping.is_set():
            self.made_events.clear()
            close_old_connections()
            try:
                tell(timezone.now())
            except Exception:
                log.exception("telling failed")
        connections.close_all()

    def _do_periodic_work(self) -> None:
        """Run the bot's sweep and the like, with no lease and whatever the wanted state."""
        work = import_string(settings.MONITOR_PERIODIC_WORK)
        while not self.stopping.is_set():
            close_old_connections()
            try:
                work(timezone.now(), self.stopping)
            except Exception:
                log.exception("periodic work failed")
            self.stopping.wait(settings.SWEEP_INTERVAL)
        connections.close_all()

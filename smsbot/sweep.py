"""The safety net: every few seconds, do what no task came for, with a few threads of our own."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime

import structlog
from django.db import connections

from downloads import services
from moviesms import alerts, claims, watch
from smsbot import backfill, handover, notifications, processing, sending, unknown

log = structlog.get_logger(__name__)

_THREADS = 4
_LONGEST = 10.0
"""Seconds after which a round leaves the rest to the next: no kind of work holds up the others."""
_OURS = 20
"""How many texts that wait are ours alone; with more of them the workers are asked to help."""
_MOST = 100


def tell(now: datetime) -> None:
    """Tell what has just happened, at once; a tick calls this by MONITOR_ON_EVENTS."""
    _spread(sending.deliver_line, notifications.hand_out(now), threading.Event())


def work(now: datetime, stopping: threading.Event) -> None:
    """Do one round: answer what waits, tell what happened, send what is queued.

    The claims make it safe beside any number of workers. Ends early when `stopping` is set.
    """
    _take_over_from_the_dead(now)
    unknown.settle_expired(now)
    backfill.run_if_due(now)
    waiting = processing.overdue(now, _MOST)
    for inbound_id in waiting[_OURS:]:  # a Redis that was lost took many tasks with it
        handover.inbound(inbound_id)
    _spread(processing.process_line, waiting, stopping)
    if stopping.is_set():
        return
    unknown.resolve_due(now)
    notifications.hand_out(now)
    watch.look(now)
    alerts.send_due(now)
    outbound = sending.due(now).filter(created_at__lte=now - processing.LEFT_TO_TASKS)
    contacts = outbound.values_list("contact_id", flat=True).distinct().order_by("contact_id")
    _spread(sending.deliver_line, contacts[:_MOST], stopping)


def _take_over_from_the_dead(now: datetime) -> None:
    dead = claims.dead_processes()
    if not dead:
        return
    processing.release(dead, now)
    unknown.release(dead, now)
    services.take_over(dead, now)
    claims.forget(dead)


def _spread(work: Callable[[int], object], ids: Iterable[int], stopping: threading.Event) -> None:
    """Do `work` for each of `ids` with our threads; what is not begun in time is left."""
    left = deque(ids)
    if not left:
        return
    ends = time.monotonic() + _LONGEST

    def do(one: int) -> None:
        try:
            work(one)
        except Exception:
            log.exception("sweep failed", work=getattr(work, "__name__", ""), id=one)

    def run(_: int) -> None:
        with suppress(IndexError):  # nothing is left
            while not stopping.is_set() and time.monotonic() < ends:
                do(left.popleft())
        connections.close_all()

    with ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="sweep") as pool:
        list(pool.map(run, range(_THREADS)))

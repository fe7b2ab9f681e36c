"""Redis for live state: leases, heartbeats, live views, wake-ups. Losing it costs time, never data.

Every call has the short socket time-outs of the settings. After a failure the breaker of this
process stays open for REDIS_RETRY_AFTER seconds, so that a Redis that hangs costs one time-out and
not one per call.
"""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from django.conf import settings
from django_redis import get_redis_connection
from redis import Redis
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

T = TypeVar("T")


class LiveStateDown(Exception):
    """Redis did not answer, or failed a moment ago and is left alone for now."""


class Breaker:
    """Remembers that a dependency failed, so that the next calls do not wait for it in vain."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._open_until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether calls should be left out. Read without the lock: a late look costs one call."""
        return time.monotonic() < self._open_until

    def failed(self, error: BaseException, *, retry_after: float) -> None:
        """Open for `retry_after` seconds; the first failure of an outage is logged, not each."""
        with self._lock:
            was_closed, self._open_until = self._open_until == 0, time.monotonic() + retry_after
        if was_closed:
            log.warning(
                "dependency down", name=self._name, error=str(error) or type(error).__name__
            )

    def succeeded(self) -> None:
        """Close again; the end of an outage is logged once."""
        if self._open_until == 0:
            return
        with self._lock:
            was_open, self._open_until = self._open_until != 0, 0.0
        if was_open:
            log.info("dependency back", name=self._name)


breaker = Breaker("redis")


def call(work: Callable[[Redis], T]) -> T:
    """Run `work` with the Redis client. Raises LiveStateDown, at once while the breaker is open."""
    if breaker.is_open:
        raise LiveStateDown("left alone after a recent failure")
    try:
        result = work(get_redis_connection("live"))
    except (RedisError, OSError) as error:
        breaker.failed(error, retry_after=settings.REDIS_RETRY_AFTER)
        raise LiveStateDown(str(error)) from error
    breaker.succeeded()
    return result


def try_call(work: Callable[[Redis], T]) -> T | None:
    """Like `call`, for state that may be missing: None when Redis is down."""
    try:
        return call(work)
    except LiveStateDown:
        return None

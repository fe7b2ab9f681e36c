"""Redis for live state: leases, heartbeats, live views, wake-ups. Losing it costs time, never data.

Every call has the short socket time-outs of the settings. After a failure the breaker of this
process stays open for REDIS_RETRY_AFTER seconds, so that a Redis that hangs costs one time-out and
not one per call.
"""

from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django_redis import get_redis_connection
from redis import Redis
from redis.exceptions import RedisError

from moviesms.breaker import Breaker

T = TypeVar("T")


class LiveStateDown(Exception):
    """Redis did not answer, or failed a moment ago and is left alone for now."""


breaker = Breaker("redis")


def call(work: Callable[[Redis], T]) -> T:
    """Run `work` with the Redis client. Raises LiveStateDown, at once while the breaker is open."""
    if breaker.is_open:
        raise LiveStateDown("left alone after a recent failure")
    try:
        result = work(get_redis_connection("live"))
    except (RedisError, OSError) as error:
        breaker.failed(type(error).__name__, retry_after=settings.REDIS_RETRY_AFTER)
        raise LiveStateDown(str(error)) from error
    breaker.succeeded()
    return result


def try_call(work: Callable[[Redis], T]) -> T | None:
    """Like `call`, for state that may be missing: None when Redis is down."""
    try:
        return call(work)
    except LiveStateDown:
        return None

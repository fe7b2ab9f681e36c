"""Redis for live state: leases, heartbeats, live views, wake-ups. Losing it costs time, never data.

Every call has the short socket time-outs of the settings. After a failure the breaker of this
process stays open for REDIS_RETRY_AFTER seconds, so that a Redis that hangs costs one time-out and
not one per call.
"""

from collections.abc import Callable, Sequence
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


# --- Which dependencies are left alone, for who looks from outside -------------------------------

_LEFT_ALONE = "breaker:"


def note_open(name: str, seconds: float) -> None:
    """Note that this process leaves a dependency alone for so long. Best effort."""
    try_call(lambda redis: redis.set(f"{_LEFT_ALONE}{name}", 1, px=max(1, int(1000 * seconds))))


def left_alone(names: Sequence[str]) -> dict[str, bool] | None:
    """Return which dependencies some process leaves alone now; None when Redis is down."""
    found = try_call(lambda redis: redis.mget([f"{_LEFT_ALONE}{name}" for name in names]))
    return None if found is None else dict(zip(names, map(bool, found), strict=True))

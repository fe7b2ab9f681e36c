"""How often one caller of the HTTP interface may call: counted in Redis, by the minute.

A throttle that cannot count lets through: while Redis is away the interface is as quick as with it
(the breaker of `moviesms.live` allows one time-out in REDIS_RETRY_AFTER seconds).
"""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from redis import Redis
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from moviesms import live
from moviesms.models import ApiToken

_WINDOW = 60


class CallerThrottle(BaseThrottle):
    """API_READS_PER_MINUTE and API_WRITES_PER_MINUTE for each token and person; 0: no limit."""

    def allow_request(self, request: Request, view: Any) -> bool:
        reads = request.method in SAFE_METHODS
        limit = settings.API_READS_PER_MINUTE if reads else settings.API_WRITES_PER_MINUTE
        if not limit:
            return True
        minute = int(time.time()) // _WINDOW
        key = f"throttle:{'read' if reads else 'write'}:{_caller(request)}:{minute}"
        count = live.try_call(_count(key))
        return count is None or count <= limit

    def wait(self) -> float:
        """Return the seconds until the next minute begins: Retry-After."""
        return _WINDOW - time.time() % _WINDOW


def _caller(request: Request) -> str:
    if isinstance(request.auth, ApiToken):
        return f"token-{request.auth.pk}"
    return f"user-{request.user.pk}"


def _count(key: str) -> Callable[[Redis], int]:
    def count(redis: Redis) -> int:
        with redis.pipeline(transaction=False) as pipeline:
            pipeline.incr(key)
            pipeline.expire(key, 2 * _WINDOW)
            return int(pipeline.execute()[0])

    return count

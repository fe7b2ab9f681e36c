"""The caches of trials: this process's memory, and one whose Redis is down."""

from typing import Any

from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache


class MemoryCache(LocMemCache):
    """Redis takes any key; Django's own memory cache warns of those that memcached would not."""

    def validate_key(self, key: str) -> None:
        """Take every key."""


class SilentCache(DummyCache):
    """A Redis that is down, as `IGNORE_EXCEPTIONS` lets it look: nothing, and no error.

    Every write answers None, which a careless reader takes for "it was there already".
    """

    def validate_key(self, key: str) -> None:
        """Take every key."""

    def add(self, *_: Any, **__: Any) -> Any:
        """Store nothing, and say nothing of it."""
        return None

    def incr(self, *_: Any, **__: Any) -> Any:
        """Count nothing."""
        return None

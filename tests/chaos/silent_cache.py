"""A cache whose Redis is down, as `IGNORE_EXCEPTIONS` lets it look: nothing, and no error."""

from typing import Any

from django.core.cache.backends.dummy import DummyCache


class SilentCache(DummyCache):
    """Every write answers None, which a careless reader takes for "it was there already"."""

    def add(self, *_: Any, **__: Any) -> Any:
        """Store nothing, and say nothing of it."""
        return None

    def incr(self, *_: Any, **__: Any) -> Any:
        """Count nothing."""
        return None

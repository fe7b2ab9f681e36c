"""A circuit breaker: a dependency that has just failed is left alone for a while.

One per dependency and process, so that a service that hangs costs one time-out and not one per
call. What is left out meanwhile is the caller's to say: rules instead of the model, "saved" instead
of "added", the sweep instead of a task.
"""

import threading
import time
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)


class Breaker:
    """Remembers that a dependency failed, so that the next calls do not wait for it in vain."""

    def __init__(self, name: str, *, on_open: Callable[[str, float], None] | None = None) -> None:
        """Take the dependency's name, and who hears that it is left alone, and for how long."""
        self._name = name
        self._on_open = on_open
        self._lock = threading.Lock()
        self._open_until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether calls should be left out. Read without the lock: a late look costs one call."""
        return time.monotonic() < self._open_until

    def failed(self, why: str, *, retry_after: float) -> None:
        """Open for `retry_after` seconds; the first failure of an outage is logged, not each.

        `why` goes into the log: a name of the fault, nothing that a service has said.
        """
        with self._lock:
            was_closed, self._open_until = self._open_until == 0, time.monotonic() + retry_after
        if was_closed:
            log.warning("dependency down", name=self._name, why=why)
        if self._on_open is not None:
            self._on_open(self._name, retry_after)

    def succeeded(self) -> None:
        """Close again; the end of an outage is logged once."""
        if self._open_until == 0:
            return
        with self._lock:
            was_open, self._open_until = self._open_until != 0, 0.0
        if was_open:
            log.info("dependency back", name=self._name)

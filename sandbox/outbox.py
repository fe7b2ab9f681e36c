"""HTTP posts that the stand-ins owe to the product, kept until they are due, sent elsewhere."""

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


def _ignore(_delivered: bool) -> None:
    """What happens when nobody waits for the answer."""


@dataclass(frozen=True)
class Post:
    """One request to the product: `form` or `json` is its body, `done` hears how it went."""

    url: str
    headers: Mapping[str, str]
    form: Mapping[str, str] | None = None
    json: Mapping[str, Any] | None = None
    attempts: int = 1
    done: Callable[[bool], None] = _ignore


@dataclass
class Outbox:
    """Posts in the order of their time, and how many went well or not."""

    delivered: int = 0
    failed: int = 0
    _waiting: list[tuple[datetime, int, Post]] = field(default_factory=list)
    _count: int = 0

    def put(self, post: Post, at: datetime) -> None:
        """Keep `post` until `at`."""
        self._count += 1
        heapq.heappush(self._waiting, (at, self._count, post))

    def take_due(self, now: datetime) -> list[Post]:
        """The posts whose time has come, which are no longer kept here."""
        due = []
        while self._waiting and self._waiting[0][0] <= now:
            due.append(heapq.heappop(self._waiting)[2])
        return due

    def count(self, delivered: bool) -> None:
        """Note how a post went."""
        self.delivered += delivered
        self.failed += not delivered

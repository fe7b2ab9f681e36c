"""The killer: SIGKILL to one process of the stack after the other, at random.

Where the database is a server, now and then a connection to it is cut instead.
"""

import os
import random
import signal
import threading
from collections import Counter
from contextlib import suppress

from tests.chaos.databases import database
from tests.chaos.stack import Stack, age

_WEIGHTS = {"web": 4, "worker": 3, "monitor": 3, "redis": 1, "connection": 2}
_GROWN_UP = 2.5
"""Seconds that a process must have lived: who dies while it starts has done nothing yet."""


class Killer:
    """Kills at a pace while it is entered; `counts` says how often what was killed."""

    trouble = "a process killed"

    def __init__(
        self, stack: Stack, chance: random.Random, *, every: float, times: int = 1
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._times = times
        self._stack = stack
        self._every = every
        self._chance = chance
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    @property
    def enough(self) -> bool:
        """Whether there were as many kills as were wanted."""
        return self.counts["kills of processes"] >= self._times

    def __enter__(self) -> "Killer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._ended.wait(self._every * self._chance.uniform(0.5, 1.5)):
            self._strike()

    def _strike(self) -> None:
        grown = {
            kind: [pid for pid in pids if age(pid) > _GROWN_UP]
            for kind, pids in self._stack.victims().items()
        }
        grown["connection"] = database.connections(self._stack.data)
        there = {kind: pids for kind, pids in grown.items() if pids}
        if not there:
            return
        kinds = sorted(there)
        [kind] = self._chance.choices(kinds, [_WEIGHTS[kind] for kind in kinds])
        # The last of a family is its youngest: a web worker rather than its master.
        pid = there[kind][-1] if self._chance.random() < 0.8 else self._chance.choice(there[kind])
        if kind == "connection":
            database.cut(self._stack.data, pid)
            self.counts["connections cut"] += 1
            return
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.counts[f"{kind} killed"] += 1
            self.counts["kills of processes"] += 1

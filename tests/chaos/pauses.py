"""The leading monitor is stopped wherever it is, another one takes over, and then it wakes up."""

import json
import os
import random
import signal
import threading
import time
from collections import Counter
from contextlib import suppress

from tests.chaos.stack import Stack

_TAKES_OVER_WITHIN = 5.0
_LEASE, _HEARTBEAT = "monitor:lease", "monitor:heartbeat"


class Pauses:
    """Pauses the leader `times` times while it is entered; one that nobody replaced counts not.

    The leader's lease in Redis is taken away when it stops, as if its time had run out: so its
    place is taken within a tick, and a hundred pauses fit into a few minutes.
    """

    trouble = ""

    def __init__(self, stack: Stack, chance: random.Random, *, times: int) -> None:
        self.counts: Counter[str] = Counter()
        self._stack = stack
        self._chance = chance
        self._times = times
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    @property
    def enough(self) -> bool:
        """Whether there were as many as were wanted."""
        return self.counts["leader pauses"] >= self._times

    def __enter__(self) -> "Pauses":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _work(self) -> None:
        while not self.enough and not self._ended.wait(self._chance.uniform(0.05, 0.6)):
            with suppress(Exception):  # a leader that is just ending
                self._pause()

    def _pause(self) -> None:
        leader = self._leader()
        os.kill(leader, signal.SIGSTOP)
        try:
            self._stack.redis("DEL", _LEASE)
            taken_over = self._wait_for_another(leader)
            time.sleep(self._chance.uniform(0, 0.5))
        finally:
            os.kill(leader, signal.SIGCONT)
        self.counts["leader pauses"] += taken_over

    def _wait_for_another(self, leader: int) -> bool:
        deadline = time.monotonic() + _TAKES_OVER_WITHIN
        while time.monotonic() < deadline:
            if self._leader() != leader:
                return True
            time.sleep(0.05)
        return False

    def _leader(self) -> int:
        """Return the pid of who ticked last, as its heartbeat says."""
        heartbeat = json.loads(self._stack.redis("GET", _HEARTBEAT))
        return int(heartbeat["leader"].rpartition(":")[2])

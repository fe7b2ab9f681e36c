"""What troubles services, Redis, the disk and the database while the stack works, without a kill.

Each nuisance lasts a second and has a name; a webhook's time is noted under the name of the
one that was on when it was posted.
"""

import os
import random
import resource
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress

from tests.chaos.databases import database
from tests.chaos.servers import FAULTS, SERVICES, Servers
from tests.chaos.stack import Stack

PAUSE = 1.0
_GAP = 0.3
_AFTER_TROUBLE = 0.5
_LAST_OF_ALL = 3  # rounds for what could not be dealt when its turn came

Nuisance = tuple[str, Callable[[], None]]


class Nuisances:
    """Deals one nuisance after the other while it is entered; `counts` says how often each.

    `times` of each of Redis's and the database's, and every fault of every service once.
    """

    def __init__(
        self, stack: Stack, servers: Servers, chance: random.Random, *, times: int = 10
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.trouble = ""
        self.enough = False
        self._stack = stack
        self._servers = servers
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._todo: list[Nuisance] = [*self._of_ours() * times, *self._of_services()]
        chance.shuffle(self._todo)

    def _of_ours(self) -> list[Nuisance]:
        return [
            ("redis flushed", lambda: self._stack.redis("FLUSHALL")),
            ("redis read-only", self._read_only),
            ("redis full", self._full),
            ("redis hung", self._hang_redis),
            ("redis restarted", self._restart_redis),
            ("database locked", self._lock_database),
            ("disk full", self._fill_disk),
        ]

    def _of_services(self) -> list[Nuisance]:
        faults = [(service, fault) for service in SERVICES for fault in FAULTS]
        faults += [("twilio", "hidden")] * 3
        return [
            (f"sick {service} {fault}", lambda s=service, f=fault: self._make_sick(s, f))  # type: ignore[misc]
            for service, fault in faults
        ]

    def __enter__(self) -> "Nuisances":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _work(self) -> None:
        for _ in range(_LAST_OF_ALL):
            # A Redis that is just coming up takes no orders: what failed comes again at the end.
            self._todo = [one for one in self._todo if not self._deal(one)]
        self.enough = True

    def _deal(self, nuisance: Nuisance) -> bool:
        name, play = nuisance
        if self._ended.wait(_GAP):
            return False
        self.trouble = name
        try:
            play()
        except Exception:
            return False
        else:
            self.counts["services sick live" if name.startswith("sick") else name] += 1
            return True
        finally:
            self.trouble = ""

    # --- The services ------------------------------------------------------------------------

    def _make_sick(self, service: str, fault: str) -> None:
        self._servers.break_(service, fault)
        try:
            time.sleep(PAUSE)
        finally:
            self._servers.mend(service)

    # --- Redis -------------------------------------------------------------------------------

    def _read_only(self) -> None:
        self._stack.redis("REPLICAOF", "127.0.0.1", "1")
        time.sleep(PAUSE)
        self._stack.redis("REPLICAOF", "NO", "ONE")

    def _full(self) -> None:
        self._stack.redis("CONFIG", "SET", "maxmemory", "1")
        time.sleep(PAUSE)
        self._stack.redis("CONFIG", "SET", "maxmemory", "0")

    def _restart_redis(self) -> None:
        pids = self._stack.victims()["redis"]
        if not pids:
            raise ProcessLookupError
        for pid in pids:
            os.kill(pid, signal.SIGTERM)
        time.sleep(PAUSE)

    def _hang_redis(self) -> None:
        pids = self._stack.victims()["redis"]
        if not pids:
            raise ProcessLookupError
        stop(pids, PAUSE)

    # --- The database and its disk -----------------------------------------------------------

    def _lock_database(self) -> None:
        with database.locked(self._stack.data):
            time.sleep(PAUSE)
        time.sleep(_AFTER_TROUBLE)  # who waited for it has its answer by now

    def _fill_disk(self) -> None:
        """Let no file grow any more: what the kernel then answers, SQLite takes for a bad disk."""
        try:
            self._limit_files(0)
            time.sleep(PAUSE)
        finally:
            self._limit_files(None)
        time.sleep(_AFTER_TROUBLE)

    def _limit_files(self, size: int | None) -> None:
        found = self._stack.victims()
        for pid in [*found["web"], *found["worker"], *found["monitor"]]:
            with suppress(ProcessLookupError):
                _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
                limit = hard if size is None else size
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, hard))


def stop(pids: Sequence[int], seconds: float) -> None:
    """Stop processes as a busy machine does, and let them go on later."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

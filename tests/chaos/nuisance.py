"""What happens to Redis, the database and the monitor while the stack works, short of a kill."""

import os
import random
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

from tests.chaos.stack import Stack

PAUSE = 2.0


class Nuisances:
    """Plays one nuisance after the other while it is entered; `counts` says how often each."""

    def __init__(self, stack: Stack, chance: random.Random, *, gap: float = 0.7) -> None:
        self.counts: Counter[str] = Counter()
        self.database_locked = False
        self._stack = stack
        self._chance = chance
        self._gap = gap
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._all: dict[str, Callable[[], None]] = {
            "redis flushed": lambda: self._redis("FLUSHALL"),
            "redis read-only": self._read_only,
            "redis full": self._full,
            "redis hung": lambda: self._stop("redis"),
            "redis restarted": self._restart_redis,
            "database locked": self._lock_database,
            "leader paused": lambda: self._stop("monitor"),
        }

    def __enter__(self) -> "Nuisances":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._ended.is_set():
            names = sorted(self._all)
            self._chance.shuffle(names)
            for name in names:
                if self._ended.wait(self._gap):
                    return
                with suppress(Exception):  # a Redis that is just down takes no orders
                    self._all[name]()
                    self.counts[name] += 1

    def _redis(self, *command: str) -> Any:
        from redis import Redis

        with closing(
            Redis(
                unix_socket_path=str(self._stack.redis_socket),
                password=self._stack.redis_password,
                socket_timeout=2,
            )
        ) as redis:
            return redis.execute_command(*command)  # type: ignore[no-untyped-call]

    def _read_only(self) -> None:
        self._redis("REPLICAOF", "127.0.0.1", "1")
        time.sleep(PAUSE)
        self._redis("REPLICAOF", "NO", "ONE")

    def _full(self) -> None:
        self._redis("CONFIG", "SET", "maxmemory", "1")
        time.sleep(PAUSE)
        self._redis("CONFIG", "SET", "maxmemory", "0")

    def _restart_redis(self) -> None:
        for pid in self._stack.victims()["redis"]:
            os.kill(pid, signal.SIGTERM)

    def _stop(self, kind: str) -> None:
        """Stop a process as a busy machine does, and let it go on later."""
        pids = self._stack.victims()[kind]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(PAUSE)
        finally:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def _lock_database(self) -> None:
        path = self._stack.data / "db.sqlite3"
        with closing(sqlite3.connect(path, timeout=5, isolation_level=None)) as database:
            self.database_locked = True
            database.execute("BEGIN IMMEDIATE")
            time.sleep(PAUSE)
            database.execute("ROLLBACK")
        # Who waited for it has its answer by now.
        time.sleep(0.5)
        self.database_locked = False

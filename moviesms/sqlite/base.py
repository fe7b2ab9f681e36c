"""Django's SQLite backend, which looks often whether a lock that it waits for is free.

SQLite's own waiting grows to a tenth of a second between looks. Beside processes that write often,
such a waiter finds the lock taken time after time, and a webhook waits for seconds where the lock
was free for most of them. A look costs some microseconds. Of the threads of one process only the
first in line looks, and it is told when another thread of the process is done.
"""

import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any

from django.db.backends.sqlite3 import base

_Cursor = base.SQLiteCursorWrapper

_FIRST_PAUSE = 0.000_5
_LONGEST_PAUSE = 0.005


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection whose OPTIONS["timeout"] is how many seconds it waits for the lock."""

    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        self._patience = float(params.get("timeout", 5))
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> sqlite3.Connection:
        connection: sqlite3.Connection = super().get_new_connection(conn_params)
        connection.execute("PRAGMA busy_timeout = 0")
        return connection

    def create_cursor(self, name: str | None = None) -> "PatientCursor":
        cursor: PatientCursor = self.connection.cursor(factory=PatientCursor)
        cursor.patience = self._patience
        return cursor

    def commit(self) -> None:
        super().commit()
        _line.freed.set()

    def rollback(self) -> None:
        super().rollback()
        _line.freed.set()


class PatientCursor(_Cursor):
    """Tries again what found the database locked, until `patience` seconds have been waited."""

    patience = 0.0

    def execute(self, query: str, params: Any = None) -> Any:
        return self._patiently(super().execute, query, params)

    def executemany(self, query: str, param_list: Any) -> Any:
        return self._patiently(super().executemany, query, param_list)

    def _patiently(self, work: Callable[..., _Cursor], *args: Any) -> _Cursor:
        try:
            return work(*args)
        except sqlite3.OperationalError as error:
            if not self._is_worth_waiting(error):
                raise
            began = time.monotonic()
            if not _line.first.acquire(timeout=self.patience):
                raise
        try:
            return self._look_often(began + self.patience, work, *args)
        finally:
            _line.first.release()

    def _look_often(self, ends: float, work: Callable[..., _Cursor], *args: Any) -> _Cursor:
        wait = _FIRST_PAUSE
        while True:
            _line.freed.clear()
            try:
                return work(*args)
            except sqlite3.OperationalError as error:
                if not self._is_worth_waiting(error) or time.monotonic() >= ends:
                    raise
            pause(wait * random.uniform(0.5, 1.5))  # noqa: S311
            wait = min(_LONGEST_PAUSE, wait * 1.5)

    def _is_worth_waiting(self, error: sqlite3.OperationalError) -> bool:
        # What has begun a transaction holds the lock; there waiting would help nobody.
        return _is_locked(error) and not self.connection.in_transaction


def pause(seconds: float) -> None:
    """Wait for the lock, less when a thread of this process is done. Tests replace this name."""
    _line.freed.wait(seconds)


class _Line:
    """The threads of this process that wait: the first one looks, and is told when one is done."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        self.first = threading.Lock()
        self.freed = threading.Event()


_line = _Line()
# A fork has none of the threads that stood in line.
os.register_at_fork(after_in_child=_line.renew)


def _is_locked(error: sqlite3.OperationalError) -> bool:
    code = getattr(error, "sqlite_errorcode", 0)
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_RECOVERY)

"""The SQLite backend: how a lock is waited for."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.db import OperationalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from moviesms.sqlite import base
from moviesms.sqlite.base import DatabaseWrapper

PATIENCE = 0.2

pytestmark = pytest.mark.django_db


def connected(folder: Path, patience: float = PATIENCE) -> BaseDatabaseWrapper:
    """Return a connection as the settings make it."""
    wanted = {"transaction_mode": "IMMEDIATE", "timeout": patience}
    wanted["init_command"] = "PRAGMA journal_mode=WAL"
    return DatabaseWrapper(
        {
            "NAME": str(folder / "db.sqlite3"),
            "OPTIONS": wanted,
            "AUTOCOMMIT": True,
            "ATOMIC_REQUESTS": False,
            "CONN_HEALTH_CHECKS": False,
            "CONN_MAX_AGE": None,
            "TIME_ZONE": None,
        }
    )


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[BaseDatabaseWrapper]:
    """A connection to a database with one table."""
    connection = connected(tmp_path)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE film (name TEXT)")
    yield connection
    connection.close()


@pytest.fixture
def other(ours: BaseDatabaseWrapper) -> Iterator[sqlite3.Connection]:
    """Somebody else, who holds the lock."""
    name = str(ours.settings_dict["NAME"])
    with closing(sqlite3.connect(name, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between looks, none of which is slept; the clock moves by them alone."""
    slept: list[float] = []
    monkeypatch.setattr(base, "pause", slept.append)
    monkeypatch.setattr(time, "monotonic", lambda: sum(slept))
    return slept


def test_the_lock_is_looked_for_often_and_given_up_in_time(
    ours: BaseDatabaseWrapper, other: sqlite3.Connection, pauses: list[float]
) -> None:
    with ours.cursor() as cursor, pytest.raises(OperationalError, match="locked"):
        cursor.execute("INSERT INTO film VALUES ('Dune')")
    assert max(pauses) < 0.01
    assert PATIENCE * 0.5 < sum(pauses) < PATIENCE * 1.6


@pytest.mark.parametrize("in_transaction", [False, True])
def test_who_waits_has_the_lock_as_soon_as_it_is_free(
    ours: BaseDatabaseWrapper,
    other: sqlite3.Connection,
    monkeypatch: pytest.MonkeyPatch,
    in_transaction: bool,
) -> None:
    looks: list[float] = []

    def pause(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 5:
            other.execute("COMMIT")

    monkeypatch.setattr(base, "pause", pause)
    with ours.cursor() as cursor:
        if in_transaction:
            cursor.execute("BEGIN IMMEDIATE")
        cursor.executemany("INSERT INTO film VALUES (%s)", [("Dune",), ("Heat",)])
        if in_transaction:
            cursor.execute("COMMIT")
        cursor.execute("SELECT count(*) FROM film")
        assert cursor.fetchone() == (2,)
    assert len(looks) == 5


def test_what_is_no_lock_is_not_waited_for(ours: BaseDatabaseWrapper, pauses: list[float]) -> None:
    with ours.cursor() as cursor, pytest.raises(OperationalError, match="no such table"):
        cursor.execute("INSERT INTO films VALUES ('Dune')")
    assert pauses == []


def test_reading_waits_for_no_writer(
    ours: BaseDatabaseWrapper, other: sqlite3.Connection, pauses: list[float]
) -> None:
    with ours.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM film")
        assert cursor.fetchone() == (0,)
    assert pauses == []


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_who_waits_for_a_thread_of_this_process_is_told_when_it_is_done(
    tmp_path: Path, ours: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """Without being told, those who wait would look again after minutes."""
    monkeypatch.setattr(base, "_FIRST_PAUSE", 600.0)
    monkeypatch.setattr(base, "_LONGEST_PAUSE", 600.0)
    really, waits = base.pause, threading.Event()

    def pause(seconds: float) -> None:
        waits.set()
        really(seconds)

    def insert(name: str) -> None:
        with closing(connected(tmp_path, patience=1200)) as connection:
            connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO film VALUES (%s)", [name])
            connection.commit()

    monkeypatch.setattr(base, "pause", pause)
    ours.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    threads = [threading.Thread(target=insert, args=[name], daemon=True) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    assert waits.wait(timeout=10)
    getattr(ours, end)()
    for thread in threads:
        thread.join(timeout=10)
        assert not thread.is_alive()


def test_the_project_uses_it() -> None:
    connection = transaction.get_connection()
    if connection.vendor == "sqlite":
        assert isinstance(connection, DatabaseWrapper)

"""The SQLite backend: how a lock is waited for."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.db import OperationalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from moviesms.sqlite.base import DatabaseWrapper

PATIENCE = 0.2

pytestmark = pytest.mark.django_db


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[BaseDatabaseWrapper]:
    """A connection as the settings make it, to a database with one table."""
    wanted = {"transaction_mode": "IMMEDIATE", "timeout": PATIENCE}
    wanted["init_command"] = "PRAGMA journal_mode=WAL"
    connection = DatabaseWrapper(
        {
            "NAME": str(tmp_path / "db.sqlite3"),
            "OPTIONS": wanted,
            "AUTOCOMMIT": True,
            "ATOMIC_REQUESTS": False,
            "CONN_HEALTH_CHECKS": False,
            "CONN_MAX_AGE": None,
            "TIME_ZONE": None,
        }
    )
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
    """The pauses between looks, none of which is slept."""
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
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

    monkeypatch.setattr(time, "sleep", pause)
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


def test_the_project_uses_it() -> None:
    connection = transaction.get_connection()
    if connection.vendor == "sqlite":
        assert isinstance(connection, DatabaseWrapper)

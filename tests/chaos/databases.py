"""Where the rows of trials and of live runs are: SQLite's files, or databases of a PostgreSQL.

A trial's folder holds its rows as files, which can be copied. SQLite works on such a file. A
PostgreSQL holds a database for each worker: a folder's file is put into it when a trial begins, and
a picture is a dump of what is committed.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, LiteralString, Protocol
from urllib.parse import urlsplit

import psycopg
from psycopg.sql import SQL, Composed, Identifier

Rows = list[tuple[Any, ...]]


class Database(Protocol):
    """What the harness does with a database, of whichever kind."""

    url: str  # what DATABASE_URL must be when Django is set up
    files: tuple[str, ...]  # what holds the rows in a trial's folder
    empty: Path  # the folder of a trial without rows

    @contextmanager
    def made_ready(self, folder: Path) -> Iterator[None]:
        """Make `empty`, for a run in `folder`; take everything away in the end."""

    def provide(self, worker: int) -> None:
        """Make what a worker's trials need."""

    def open(self, folder: Path, worker: int) -> None:
        """Point Django at the rows of a trial's folder."""

    def save(self, folder: Path) -> None:
        """Let the files of the trial that is open in `folder` hold what is committed."""

    def close(self, folder: Path) -> None:
        """Save, and let go of it."""

    def changes(self) -> int | None:
        """Return what differs when other rows are committed; None within a transaction."""

    def for_stack(self, data: Path) -> dict[str, str]:
        """Make a live stack's database; return what its environment must say."""

    def rows(self, data: Path, query: str) -> Rows:
        """Return the rows of a query to a live stack's database."""

    @contextmanager
    def locked(self, data: Path) -> Iterator[None]:
        """Let nobody write to a live stack's database."""

    def connections(self, data: Path) -> list[int]:
        """Return what can be cut of a live stack's connections."""

    def cut(self, data: Path, connection: int) -> None:
        """Cut one of them, as a server that restarts does."""


class Sqlite:
    """One file for each trial."""

    url = ""
    files: tuple[str, ...] = ("db.sqlite3", "db.sqlite3-wal")

    @contextmanager
    def made_ready(self, folder: Path) -> Iterator[None]:
        self.empty = folder / "empty"
        self.empty.mkdir()
        _in_a_fork(self._make_empty)
        yield

    def _make_empty(self) -> None:
        self.open(self.empty, 0)
        _migrate()
        self.close(self.empty)

    def provide(self, worker: int) -> None:
        pass  # each trial has a file of its own

    def open(self, folder: Path, worker: int) -> None:
        from django.db import connection

        connection.close()
        connection.settings_dict["NAME"] = str(folder / "db.sqlite3")

    def save(self, folder: Path) -> None:
        pass  # what is committed is in the files

    def close(self, folder: Path) -> None:
        """Close it so that all of it is in one file."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()

    def changes(self) -> int | None:
        from django.db import connection

        raw = connection.connection
        if raw is None:
            return 0
        return None if raw.in_transaction else int(raw.total_changes)

    def for_stack(self, data: Path) -> dict[str, str]:
        return {}  # it makes a file of its own

    def rows(self, data: Path, query: str) -> Rows:
        with closing(sqlite3.connect(data / "db.sqlite3", timeout=10)) as database:
            return database.execute(query).fetchall()

    @contextmanager
    def locked(self, data: Path) -> Iterator[None]:
        path = data / "db.sqlite3"
        with closing(sqlite3.connect(path, timeout=5, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            yield
            database.execute("ROLLBACK")

    def connections(self, data: Path) -> list[int]:
        return []

    def cut(self, data: Path, connection: int) -> None:
        """Do nothing: there are none."""


class Postgres:
    """One database for each worker, whose rows come from a file and go to a file."""

    files: tuple[str, ...] = ("rows",)

    def __init__(self, url: str) -> None:
        self.url = url
        self._changes = 0

    @contextmanager
    def made_ready(self, folder: Path) -> Iterator[None]:
        self._run = folder.name
        self.empty = folder / "empty"
        self.empty.mkdir()
        self._create("empty")
        try:
            _in_a_fork(self._make_empty)
            yield
        finally:
            self._drop_all()

    def _make_empty(self) -> None:
        self._point_at("empty")
        _migrate()
        self.close(self.empty)

    def provide(self, worker: int) -> None:
        self._create(str(worker), template="empty")

    def open(self, folder: Path, worker: int) -> None:
        from django.db import connection

        self._point_at(str(worker))
        connection.execute_wrappers[:] = [self._count]
        if (folder / "rows").exists():  # and not after a kill
            self._load(folder / "rows")
            (folder / "rows").unlink()

    def save(self, folder: Path) -> None:
        with psycopg.connect(self._url(self._opened)) as server:
            dump = {
                "tables": {name: _copy_out(server, name) for name in _tables(server)},
                "sequences": dict(server.execute(_SEQUENCES).fetchall()),
            }
        (folder / "rows").write_text(json.dumps(dump))

    def close(self, folder: Path) -> None:
        from django.db import connection

        self.save(folder)
        connection.close()

    def changes(self) -> int | None:
        from django.db import connection

        raw = connection.connection
        idle = psycopg.pq.TransactionStatus.IDLE
        return self._changes if raw is None or raw.info.transaction_status == idle else None

    def for_stack(self, data: Path) -> dict[str, str]:
        self._create(data.parent.name)
        return {"DATABASE_URL": self._url(data.parent.name)}

    def rows(self, data: Path, query: str) -> Rows:
        with psycopg.connect(self._url(data.parent.name)) as server:
            return server.execute(query.encode()).fetchall()

    @contextmanager
    def locked(self, data: Path) -> Iterator[None]:
        with psycopg.connect(self._url(data.parent.name)) as server:
            server.execute("SET lock_timeout = '5s'")
            server.execute("LOCK TABLE smsbot_inboundmessage, smsbot_outboundmessage")
            yield
            server.rollback()

    def connections(self, data: Path) -> list[int]:
        return [pid for (pid,) in self.rows(data, f"SELECT pid {_OTHERS}")]

    def cut(self, data: Path, connection: int) -> None:
        self.rows(data, f"SELECT pg_terminate_backend({connection})")

    # --- One trial -------------------------------------------------------------------------------

    def _point_at(self, name: str) -> None:
        from django.db import connection

        connection.close()
        connection.settings_dict["NAME"] = self._name(name)
        self._opened = name

    def _count(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        """Count the rows that a statement of ours changes."""
        result = execute(sql, *rest)
        if not sql.startswith("SELECT"):
            self._changes += max(0, rest[-1]["cursor"].rowcount)
        return result

    def _load(self, path: Path) -> None:
        dump = json.loads(path.read_text())
        with psycopg.connect(self._url(self._opened)) as server:
            # Who was killed may still hold locks.
            server.execute(f"SELECT pg_terminate_backend(pid, 5000) {_OTHERS}")
            server.execute(SQL(";").join(_of("DELETE FROM {}", name) for name in _tables(server)))
            for name, rows in dump["tables"].items():
                _copy_in(server, name, rows)
            for name, last in dump["sequences"].items():
                called = last is not None
                server.execute("SELECT setval(%s::regclass, %s, %s)", (name, last or 1, called))

    # --- The server ------------------------------------------------------------------------------

    def _name(self, name: str) -> str:
        return f"{self._run}-{name}"

    def _url(self, name: str) -> str:
        return urlsplit(self.url)._replace(path=f"/{self._name(name)}").geturl()

    def _create(self, name: str, *, template: str = "") -> None:
        source = self._name(template) if template else "template1"
        with psycopg.connect(self.url, autocommit=True) as server:
            if self._name(name) not in self._names(server):
                server.execute(_of("CREATE DATABASE {} TEMPLATE {}", self._name(name), source))

    def _drop_all(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as server:
            for name in self._names(server):
                server.execute(_of("DROP DATABASE {} WITH (FORCE)", name))

    def _names(self, server: psycopg.Connection) -> list[str]:
        """Return the names of the databases of this run."""
        query = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
        return [name for (name,) in server.execute(query, (self._name(""),))]


_SEQUENCES = "SELECT quote_ident(sequencename), last_value FROM pg_sequences"
_OTHERS = """
    FROM pg_stat_activity WHERE datname = current_database()
    AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


def _of(statement: LiteralString, *names: str) -> Composed:
    return SQL(statement).format(*map(Identifier, names))


def _tables(server: psycopg.Connection) -> list[str]:
    query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    return [name for (name,) in server.execute(query)]


def _copy_out(server: psycopg.Connection, table: str) -> str:
    with server.cursor().copy(_of("COPY {} TO STDOUT", table)) as rows:
        return b"".join(map(bytes, rows)).decode()


def _copy_in(server: psycopg.Connection, table: str, rows: str) -> None:
    if rows:
        with server.cursor().copy(_of("COPY {} FROM STDIN", table)) as copy:
            copy.write(rows)


def _migrate() -> None:
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)


def _in_a_fork(play: Callable[[], None]) -> None:
    """Play where no connection and no import is left to us."""
    from tests.chaos.forks import forked

    forked(play)


def _chosen() -> Database:
    url = os.environ.get("TEST_DATABASE_URL", "")
    return Postgres(url) if url else Sqlite()


database = _chosen()

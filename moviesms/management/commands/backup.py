"""`manage.py backup FILE`: a consistent copy of the database, while texts keep coming in."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection


class Command(BaseCommand):
    help = (
        "Write a consistent copy of the database to FILE, while everything runs. SQLite: a "
        "database file; PostgreSQL: a pg_dump archive. docs/operations.md says how to restore it."
    )

    requires_system_checks: list[str] = []  # a copy can be made however things are set

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--force", action="store_true", help="replace FILE if it exists")

    def handle(self, *args: Any, **options: Any) -> None:
        target: Path = options["file"].absolute()
        if target.exists() and not options["force"]:
            raise CommandError(f"{target} exists; give --force to replace it.")
        if not target.parent.is_dir():
            raise CommandError(f"{target.parent} is not a folder.")
        draft = target.with_name(target.name + ".part")
        draft.unlink(missing_ok=True)
        # The copy holds a household's texts and numbers.
        os.close(os.open(draft, os.O_CREAT | os.O_WRONLY, 0o600))
        copy = _copy_sqlite if connection.vendor == "sqlite" else _dump_postgresql
        try:
            copy(draft)
            os.replace(draft, target)
        finally:
            draft.unlink(missing_ok=True)
        size = target.stat().st_size / 1024**2
        self.stdout.write(f"{target}: {size:.1f} MB. Keep {settings.DATA_DIR}/secret_key with it.")


def _copy_sqlite(target: Path) -> None:
    """Copy with SQLite's online backup, which writers do not disturb, and check the copy."""
    connection.ensure_connection()
    with closing(sqlite3.connect(target)) as copy:
        connection.connection.backup(copy)
        [verdict] = copy.execute("PRAGMA integrity_check").fetchone()
        copy.execute("PRAGMA journal_mode=DELETE")
    if verdict != "ok":
        raise CommandError(f"the copy is damaged: {verdict}")


def _dump_postgresql(target: Path) -> None:
    if shutil.which("pg_dump") is None:
        raise CommandError("pg_dump is missing; install it with: apt install postgresql-client")
    database = settings.DATABASES["default"]
    # By environment: an argument with the password would show in the list of processes.
    names = {"HOST": "PGHOST", "PORT": "PGPORT", "USER": "PGUSER", "PASSWORD": "PGPASSWORD"}
    login = {names[key]: str(database[key]) for key in names if database.get(key)}
    done = subprocess.run(
        ["pg_dump", "--format=custom", f"--file={target}", database["NAME"]],
        env=os.environ | login,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CommandError(f"pg_dump failed: {done.stderr.strip().splitlines()[-1][:200]}")

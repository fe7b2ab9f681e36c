"""`manage.py backup`: a whole copy that a restore can start from."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from smsbot.models import Contact


def rows(file: Path) -> int:
    with closing(sqlite3.connect(file)) as copy:
        return int(copy.execute("SELECT count(*) FROM smsbot_contact").fetchone()[0])


@pytest.mark.django_db(transaction=True)
# The other half of the command is pg_dump's own work.
@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL has pg_dump")
def test_a_copy_is_whole_private_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    Contact.objects.bulk_create(Contact(address=f"+1202555{n:04d}") for n in range(500))
    call_command("backup", str(tmp_path / "copy.sqlite3"))
    Contact.objects.create(address="+12025559999")
    assert rows(tmp_path / "copy.sqlite3") == 500
    assert (tmp_path / "copy.sqlite3").stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == [tmp_path / "copy.sqlite3"]


def test_it_replaces_nothing_unasked(db: None, tmp_path: Path) -> None:
    (tmp_path / "copy").write_text("precious")
    with pytest.raises(CommandError, match="exists"):
        call_command("backup", str(tmp_path / "copy"))
    assert (tmp_path / "copy").read_text() == "precious"
    with pytest.raises(CommandError, match="not a folder"):
        call_command("backup", str(tmp_path / "nowhere" / "copy"))
    assert connection.is_usable()

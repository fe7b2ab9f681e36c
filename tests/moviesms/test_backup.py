"""`manage.py backup`: a whole copy that a restore can start from."""

import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from smsbot.models import Contact


def contacts(file: Path) -> int:
    """Return how many contacts a restore of the copy would bring."""
    if connection.vendor == "postgresql":
        restore = ["pg_restore", "--data-only", "--table=smsbot_contact", "--file=-", str(file)]
        done = subprocess.run(restore, capture_output=True, text=True, check=True)
        return done.stdout.count("\t+1202555")
    with closing(sqlite3.connect(file)) as copy:
        return int(copy.execute("SELECT count(*) FROM smsbot_contact").fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_a_copy_is_whole_private_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    Contact.objects.bulk_create(Contact(address=f"+1202555{n:04d}") for n in range(500))
    call_command("backup", str(tmp_path / "copy"))
    Contact.objects.create(address="+12025559999")
    assert contacts(tmp_path / "copy") == 500
    assert (tmp_path / "copy").stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == [tmp_path / "copy"]


def test_it_replaces_nothing_unasked(db: None, tmp_path: Path) -> None:
    (tmp_path / "copy").write_text("precious")
    with pytest.raises(CommandError, match="exists"):
        call_command("backup", str(tmp_path / "copy"))
    assert (tmp_path / "copy").read_text() == "precious"
    with pytest.raises(CommandError, match="not a folder"):
        call_command("backup", str(tmp_path / "nowhere" / "copy"))
    assert connection.is_usable()

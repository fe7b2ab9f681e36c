"""The documented configuration is the real one: names, defaults, checks, the production block."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from moviesms.checks import DURATIONS

ROOT: Path = settings.BASE_DIR
DOC = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
SETTINGS = (ROOT / "moviesms" / "settings.py").read_text(encoding="utf-8")
CHECKS = [ROOT / app / "checks.py" for app in ("moviesms", "downloads", "smsbot")]

_ID = r"(?:moviesms|downloads|smsbot)\.[EWI]\d{3}"


def reads() -> Iterator[tuple[str, str, ast.expr]]:
    """Yield (name, type, default) of each `env.<type>("NAME", default=…)` in settings.py."""
    for node in ast.walk(ast.parse(SETTINGS)):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="env"), attr=kind),
                args=[ast.Constant(value=str(name))],
                keywords=[ast.keyword(arg="default", value=default)],
            ):
                yield name, kind, default


def value(default: ast.expr) -> object:
    """Return a default that is written out, also as a product; None for a computed one."""
    if isinstance(default, ast.BinOp) and isinstance(default.op, ast.Mult):
        left, right = value(default.left), value(default.right)
        assert isinstance(left, int)
        assert isinstance(right, int)
        return left * right
    try:
        return ast.literal_eval(default)
    except ValueError:
        return None


def rows() -> dict[str, str]:
    """Return the documented default of each name in the tables of docs/configuration.md."""
    found = re.findall(r"^\| `([A-Z_]+)` \| (.+?) \| .+? \| `.+` \|$", DOC, re.MULTILINE)
    assert len(found) == len(dict(found)), "a name stands twice"
    return dict(found)


def shown(default: object) -> str:
    """Return a default as the document writes it."""
    return str(default).lower() if isinstance(default, bool) else str(default)


def block() -> dict[str, str]:
    """Return the settings of the document's production block."""
    (text,) = re.findall(r"```sh\n(.*?)```", DOC, re.DOTALL)
    return dict(line.split("=", 1) for line in text.strip().splitlines())


NAMES = {name for name, _, _ in reads()}


def test_settings_are_read_in_the_form_that_these_tests_understand() -> None:
    assert len(NAMES) > 60
    assert len(re.findall(r"\benv\.(?!read_env|db_url_config)\w+\(", SETTINGS)) == len(NAMES)


def test_the_document_has_every_name_and_no_other() -> None:
    assert set(rows()) == NAMES


def test_the_example_has_every_name_and_no_other() -> None:
    found = re.findall(r"^# ([A-Z_]+)=.+$", EXAMPLE, re.MULTILINE)
    assert len(found) == len(set(found)), "a name stands twice"
    assert set(found) == NAMES


def test_the_example_sets_nothing_as_it_stands() -> None:
    assert [line for line in EXAMPLE.splitlines() if line and not line.startswith("#")] == []


@pytest.mark.parametrize(("name", "default"), [(name, default) for name, _, default in reads()])
def test_the_document_tells_the_default(name: str, default: ast.expr) -> None:
    written = value(default)
    if written in ("", [], None):
        assert not re.fullmatch(r"`[\d.]+`", rows()[name]), "it has no such default"
    else:
        assert rows()[name] == f"`{shown(written)}`"


def test_every_duration_is_checked() -> None:
    kinds = {name: kind for name, kind, _ in reads()}
    seconds = {name for name, kind in kinds.items() if kind == "float" or name.endswith("_TTL")}
    assert set(DURATIONS) == seconds


def test_the_document_has_the_id_of_every_check_and_no_other() -> None:
    documented = re.findall(rf"^\| `({_ID})` \|", DOC, re.MULTILINE)
    used = {found for path in CHECKS for found in re.findall(rf'"({_ID})"', path.read_text())}
    assert len(documented) == len(set(documented)), "an id stands twice"
    assert set(documented) == used


def manage(data_dir: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run manage.py with nothing but `environment` configured."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env={**kept, "ENV_FILE": os.devnull, "DATA_DIR": str(data_dir), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.processes
def test_the_production_block_is_clean_under_check_deploy(tmp_path: Path) -> None:
    done = manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", **block())
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


@pytest.mark.processes
def test_with_nothing_configured_the_checks_warn_and_do_not_fail(tmp_path: Path) -> None:
    done = manage(tmp_path, "check", "--database", "default")
    assert done.returncode == 0, done.stderr
    assert set(re.findall(_ID, done.stderr)) == {
        "downloads.W001",
        "downloads.W002",
        "smsbot.W001",
        "smsbot.W006",
        "smsbot.I001",
    }


@pytest.mark.parametrize(("role", "seconds"), [("web", 2), ("worker", 5)])
@pytest.mark.processes
def test_nobody_waits_long_for_postgresql_and_a_webhook_least(
    tmp_path: Path, role: str, seconds: int
) -> None:
    url = "postgres://moviesms@127.0.0.1/moviesms"
    done = manage(tmp_path, "diffsettings", MOVIESMS_ROLE=role, DATABASE_URL=url)
    assert f"'connect_timeout': {seconds}, 'options': '-c lock_timeout={seconds}s'" in done.stdout


@pytest.mark.processes
def test_postgresql_is_opened_as_its_url_says(tmp_path: Path) -> None:
    url = "postgres://moviesms@127.0.0.1/moviesms?connect_timeout=30&sslmode=require"
    shown = manage(tmp_path, "diffsettings", DATABASE_URL=url).stdout
    assert "'connect_timeout': 30, 'options': '-c lock_timeout=5s', 'sslmode': 'require'" in shown


@pytest.mark.django_db
# `script/with_postgres script/test` runs it. SQLite has no such waits in its server.
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite's settings are E008's")
def test_postgresql_takes_how_long_we_wait_for_a_lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("5s",)


@pytest.mark.processes
def test_what_a_command_makes_is_for_nobody_else_to_read(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        done = manage(tmp_path / "data", "migrate")
    finally:
        os.umask(before)
    assert done.returncode == 0, done.stderr
    made = [tmp_path / "data", *(tmp_path / "data").rglob("*")]
    readable = [path.name for path in made if path.stat().st_mode & 0o077]
    assert (tmp_path / "data" / "db.sqlite3").exists()
    assert not [name for name in readable if not name.endswith(".lock")]

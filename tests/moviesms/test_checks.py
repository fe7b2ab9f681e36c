"""What the system checks say about settings."""

import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.checks import run_checks
from django.db import DEFAULT_DB_ALIAS
from django.db.utils import ConnectionHandler
from pytest_django import Settings

from moviesms import checks
from moviesms.checks import CONFIGURATION, is_public

PRODUCTION: dict[str, Any] = {
    "PUBLIC_URL": "https://films.example.org",
    "PUBLIC_HOST": "films.example.org",
    "PUBLIC_IS_HTTPS": True,
    "RADARR_URL": "http://192.168.1.20:7878/radarr",
    "RADARR_API_KEY": "0123456789abcdef0123456789abcdef",
    "RADARR_WEBHOOK_SECRET": "a-secret-of-many-characters",
    "TMDB_URL": "https://api.themoviedb.org",
    "TMDB_API_KEY": "0123456789abcdef0123456789abcdef",
    "TWILIO_API_URL": "",
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "0123456789abcdef0123456789abcdef",
    "TWILIO_PHONE_NUMBER": "+12025550100",
    "TWILIO_HELP": "twilio",
    "OPENAI_API_KEY": "sk-example",
    "OPENAI_BASE_URL": "",
    "OWNER_PHONE_NUMBERS": ["+12025550101"],
    "ALLOWED_PHONE_NUMBERS": [],
    "REQUEST_POLICY": "ask-owner",
    "SMS_STYLE": "rich",
}


@pytest.fixture(autouse=True)
def _production(settings: Settings) -> None:
    configure(settings, **PRODUCTION)


def configure(settings: Settings, **changes: Any) -> None:
    """Set `changes`."""
    for name, value in changes.items():
        setattr(settings, name, value)


def ids() -> list[str]:
    """Return the ids of what our checks say, without those of the database."""
    found = [message.id or "" for message in run_checks(tags=[CONFIGURATION])]
    return sorted(found)


def test_a_household_in_order_hears_nothing() -> None:
    assert ids() == []


def host(url: str) -> dict[str, Any]:
    """Return what settings.py makes of a PUBLIC_URL."""
    name = url.partition("://")[2].partition("/")[0].partition(":")[0]
    return {
        "PUBLIC_URL": url,
        "PUBLIC_HOST": name,
        "PUBLIC_IS_HTTPS": url.startswith("https://"),
    }


NO_TWILIO: dict[str, Any] = {
    "TWILIO_ACCOUNT_SID": "",
    "TWILIO_AUTH_TOKEN": "",
    "TWILIO_PHONE_NUMBER": "",
}
NOBODY: dict[str, Any] = {"OWNER_PHONE_NUMBERS": [], "ALLOWED_PHONE_NUMBERS": []}

CASES: list[tuple[dict[str, Any], list[str]]] = [
    # The public address
    ({"PUBLIC_URL": "films.example.org"}, ["moviesms.E001"]),
    ({"PUBLIC_URL": "ftp://films.example.org"}, ["moviesms.E001"]),
    ({"PUBLIC_URL": "https://"}, ["moviesms.E001"]),
    ({"PUBLIC_URL": "https://[films"}, ["moviesms.E001"]),
    ({"PUBLIC_URL": "https://films.example.org:port"}, ["moviesms.E001"]),
    ({"PUBLIC_URL": "https://films example.org"}, ["moviesms.E001"]),
    ({"PUBLIC_URL": "https://films.example.org/moviesms"}, ["moviesms.E002"]),
    ({"PUBLIC_URL": "https://films.example.org?a=b"}, ["moviesms.E002"]),
    ({"PUBLIC_URL": "https://me:pw@films.example.org"}, ["moviesms.E002"]),
    (host("https://films.example.org:8443"), []),
    (host("http://films.example.org"), ["smsbot.W002"]),
    (host("http://films.example.org") | NO_TWILIO, ["smsbot.W001"]),
    (host("http://films.example.org") | {"TWILIO_API_URL": "http://127.0.0.1:8900"}, []),
    (host("http://127.0.0.1:8000"), ["smsbot.W003"]),
    (host("https://films.local"), ["smsbot.W003"]),
    (host("http://127.0.0.1:8000") | {"TWILIO_API_URL": "http://127.0.0.1:8900"}, []),
    (host("https://my_films.example.org"), ["smsbot.E008"]),
    (host("https://my_films.example.org") | NO_TWILIO, ["smsbot.W001"]),
    # Radarr and TMDB
    ({"RADARR_URL": "", "RADARR_API_KEY": ""}, ["downloads.W001"]),
    ({"RADARR_URL": ""}, ["downloads.E001"]),
    ({"RADARR_API_KEY": ""}, ["downloads.E001"]),
    ({"RADARR_URL": "192.168.1.20:7878"}, ["downloads.E002"]),
    ({"RADARR_URL": "http://192.168.1.20:7878/api/v3"}, ["downloads.E002"]),
    ({"RADARR_API_KEY": "a key"}, ["downloads.E003"]),
    ({"RADARR_API_KEY": "schlüssel"}, ["downloads.E003"]),
    ({"RADARR_WEBHOOK_SECRET": ""}, ["downloads.W003"]),
    ({"RADARR_WEBHOOK_SECRET": "secret"}, ["downloads.W004"]),
    ({"TMDB_API_KEY": ""}, ["downloads.W002"]),
    ({"TMDB_API_KEY": "key\n"}, ["downloads.E004"]),
    ({"TMDB_URL": "api.themoviedb.org"}, ["downloads.E005"]),
    ({"TMDB_URL": "https://api.themoviedb.org/3"}, ["downloads.E005"]),
    # Twilio
    (NO_TWILIO, ["smsbot.W001"]),
    ({"TWILIO_AUTH_TOKEN": ""}, ["smsbot.E001"]),
    ({"TWILIO_ACCOUNT_SID": ""}, ["smsbot.E001"]),
    ({"TWILIO_ACCOUNT_SID": "SK" + "0" * 32}, ["smsbot.E002"]),
    ({"TWILIO_AUTH_TOKEN": '"token'}, []),
    ({"TWILIO_AUTH_TOKEN": "a token"}, ["smsbot.E003"]),
    ({"TWILIO_PHONE_NUMBER": "202 555 0100"}, ["smsbot.E004"]),
    ({"TWILIO_PHONE_NUMBER": "+1 202 555 0100"}, ["smsbot.E004"]),
    ({"TWILIO_PHONE_NUMBER": "+1202"}, ["smsbot.E004"]),
    ({"TWILIO_API_URL": "127.0.0.1:8900"}, ["smsbot.E005"]),
    ({"TWILIO_API_URL": "http://127.0.0.1:8900/2010-04-01"}, ["smsbot.E005"]),
    # OpenAI
    ({"OPENAI_API_KEY": ""}, ["smsbot.I001"]),
    ({"OPENAI_API_KEY": "", "OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}, ["smsbot.W004"]),
    ({"OPENAI_API_KEY": "sk example"}, ["smsbot.E016"]),
    ({"OPENAI_BASE_URL": "127.0.0.1:11434/v1"}, ["smsbot.E009"]),
    ({"OPENAI_BASE_URL": "http://127.0.0.1:11434"}, ["smsbot.W005"]),
    ({"OPENAI_BASE_URL": "http://127.0.0.1:11434/v1/"}, []),
    # Who may ask
    ({"OWNER_PHONE_NUMBERS": ["12025550101"]}, ["smsbot.E006"]),
    ({"ALLOWED_PHONE_NUMBERS": ["+12025550142", "+12 025"]}, ["smsbot.E006"]),
    ({"ALLOWED_PHONE_NUMBERS": ["+12025550100"]}, ["smsbot.E007"]),
    ({"REQUEST_POLICY": "everybody"}, ["smsbot.E010"]),
    ({"REQUEST_POLICY": "ask-owner"} | NOBODY, ["smsbot.E011"]),
    ({"REQUEST_POLICY": "open"}, ["smsbot.W006"]),
    ({"REQUEST_POLICY": "open", "TWILIO_API_URL": "http://127.0.0.1:8900"}, []),
    ({"REQUEST_POLICY": "allowlist"} | NOBODY, ["smsbot.W007"]),
    ({"REQUEST_POLICY": "allowlist", "ALLOWED_PHONE_NUMBERS": ["+12025550142"]}, []),
    ({"SMS_STYLE": "loud"}, ["smsbot.E012"]),
    ({"TWILIO_HELP": "nobody"}, ["smsbot.E013"]),
    ({"SMS_LANGUAGE": "klingon"}, ["smsbot.E020"]),
    ({"SMS_LANGUAGE": "es"}, []),
    ({"SMS_SEGMENT_COST": Decimal("-0.01")}, ["smsbot.E019"]),
    ({"SMS_SEGMENT_COST": Decimal("nan")}, ["smsbot.E019"]),
    ({"SMS_SEGMENT_COST": Decimal("0.0108")}, []),
    # Durations
    ({"MONITOR_INTERVAL": 0}, ["moviesms.E004"]),
    ({"TMDB_CACHE_TTL": -1}, ["moviesms.E004"]),
    ({"QUESTION_TTL": float("inf")}, ["moviesms.E004"]),
    ({"STUCK_GRACE": float("nan")}, ["moviesms.E004"]),
    ({"UNKNOWN_FIRST_CHECK": 80.0}, []),
    ({"UNKNOWN_FIRST_CHECK": 79.9}, ["smsbot.E014"]),
    ({"UNKNOWN_FIRST_CHECK": 180.0}, ["smsbot.E015"]),
    ({"SEND_LEASE": 20.0}, ["smsbot.E017"]),
    ({"SEND_LEASE": 20.1}, []),
    ({"INBOUND_LEASE": 50.0}, ["smsbot.E018"]),
    ({"ADD_LEASE": 40.0}, ["downloads.E006"]),
    ({"TWILIO_DEADLINE": 20.1}, ["smsbot.E014", "smsbot.E017"]),
]


@pytest.mark.parametrize(("changes", "expected"), CASES, ids=str)
def test_settings_are_told(
    settings: Settings, changes: dict[str, Any], expected: list[str]
) -> None:
    configure(settings, **changes)
    assert ids() == expected


def test_what_is_missing_is_no_error(settings: Settings) -> None:
    configure(settings, **NO_TWILIO, **NOBODY)
    configure(settings, RADARR_URL="", RADARR_API_KEY="", TMDB_API_KEY="", OPENAI_API_KEY="")
    settings.REQUEST_POLICY = "open"
    assert not [message for message in run_checks() if message.is_serious()]


@pytest.mark.parametrize(("changes", "expected"), CASES, ids=str)
def test_no_message_holds_a_key_or_a_whole_number(
    settings: Settings, changes: dict[str, Any], expected: list[str]
) -> None:
    configure(settings, **changes)
    said = " ".join(f"{message.msg} {message.hint}" for message in run_checks(tags=[CONFIGURATION]))
    for name in ("RADARR_API_KEY", "TMDB_API_KEY", "TWILIO_AUTH_TOKEN", "OPENAI_API_KEY"):
        assert not getattr(settings, name) or getattr(settings, name) not in said
    assert "12025550101" not in said


def test_every_message_says_what_to_do(settings: Settings) -> None:
    configure(settings, **NO_TWILIO, SMS_STYLE="loud", SEND_LEASE=1, RADARR_URL="radarr")
    assert all(message.hint for message in run_checks(tags=[CONFIGURATION]))


def test_a_log_folder_that_is_a_file_is_told(settings: Settings, tmp_path: Path) -> None:
    settings.LOG_DIR = tmp_path / "file"
    settings.LOG_DIR.write_text("")
    assert ids() == ["moviesms.E003"]


# --- Caches and database ------------------------------------------------------------------------

JSON = "django_redis.serializers.json.JSONSerializer"
REDIS = "django_redis.cache.RedisCache"


@pytest.mark.parametrize(
    ("alias", "backend", "options", "expected"),
    [
        ("default", REDIS, {"SERIALIZER": JSON, "IGNORE_EXCEPTIONS": True}, []),
        ("live", REDIS, {"SERIALIZER": JSON, "IGNORE_EXCEPTIONS": True}, ["moviesms.E007"]),
        ("live", REDIS, {}, ["moviesms.E006"]),
        ("live", REDIS, {"SERIALIZER": "a.PickleSerializer"}, ["moviesms.E006"]),
        ("live", "django.core.cache.backends.redis.RedisCache", {}, ["moviesms.E006"]),
        ("default", "django.core.cache.backends.locmem.LocMemCache", {}, []),
    ],
)
def test_caches_are_told(
    monkeypatch: pytest.MonkeyPatch,
    alias: str,
    backend: str,
    options: dict[str, Any],
    expected: list[str],
) -> None:
    # Not by the fixture: that would make Django close and rebuild its caches.
    caches = {alias: {"BACKEND": backend, "OPTIONS": options}}
    monkeypatch.setattr(django_settings, "CACHES", caches)
    found = [*checks.cache_serializers(), *checks.cache_exceptions()]
    assert [message.id for message in found] == expected


def test_ignoring_errors_of_every_cache_is_told(settings: Settings) -> None:
    settings.DJANGO_REDIS_IGNORE_EXCEPTIONS = True
    assert ids() == ["moviesms.E007"]


def test_a_transaction_around_each_request_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(django_settings.DATABASES["default"], "ATOMIC_REQUESTS", True)
    assert ids() == ["moviesms.E005"]


OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
}


@pytest.fixture
def opened(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, db: None
) -> Iterator[list[ConnectionHandler]]:
    """Databases that a test opened in place of the real one; they are closed afterwards."""
    handlers: list[ConnectionHandler] = []
    yield handlers
    for handler in handlers:
        handler.close_all()


def look_at(
    handlers: list[ConnectionHandler],
    monkeypatch: pytest.MonkeyPatch,
    name: Path,
    options: dict[str, str],
) -> list[str]:
    """Return what the database check says of the SQLite file `name`, opened with `options`."""
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": name, "OPTIONS": options}
    handlers.append(ConnectionHandler({DEFAULT_DB_ALIAS: database}))
    monkeypatch.setattr(checks, "connections", handlers[-1])
    return [message.id or "" for message in checks.database(databases=[DEFAULT_DB_ALIAS])]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (OPTIONS, []),
        ({}, ["moviesms.E008"] * 2),
        (OPTIONS | {"transaction_mode": "DEFERRED"}, ["moviesms.E008"]),
        (OPTIONS | {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL"}, 1),
        (OPTIONS | {"init_command": f"{OPTIONS['init_command']} PRAGMA foreign_keys=OFF"}, 1),
    ],
    ids=str,
)
def test_sqlite_is_read_back(
    opened: list[ConnectionHandler],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    options: dict[str, str],
    expected: list[str] | int,
) -> None:
    if isinstance(expected, int):
        expected = ["moviesms.E008"] * expected
    assert look_at(opened, monkeypatch, tmp_path / "db.sqlite3", options) == expected


def test_a_database_that_cannot_be_opened_is_told(
    opened: list[ConnectionHandler], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nowhere = tmp_path / "no such folder" / "db.sqlite3"
    assert look_at(opened, monkeypatch, nowhere, OPTIONS) == ["moviesms.E009"]


def test_a_file_that_is_no_database_is_told(
    opened: list[ConnectionHandler], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "db.sqlite3"
    path.write_text("not a database, however long it is read " * 20)
    assert look_at(opened, monkeypatch, path, OPTIONS) == ["moviesms.E009"]
    with pytest.raises(sqlite3.DatabaseError), sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode")
    connection.close()


def test_the_database_is_left_alone_unless_it_is_named() -> None:
    assert checks.database() == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("films.example.org", True),
        ("8.8.8.8", True),
        ("2001:4860:4860::8888", True),
        ("localhost", False),
        ("box", False),
        ("box.local", False),
        ("127.0.0.1", False),
        ("192.168.1.10", False),
        ("::1", False),
    ],
)
def test_a_host_is_public_or_not(name: str, expected: bool) -> None:
    assert is_public(name) is expected

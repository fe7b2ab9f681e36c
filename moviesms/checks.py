"""System checks of the whole: addresses, durations, logs, caches and the database.

What is missing is a warning, what contradicts itself an error; docs/configuration.md lists the ids.
The two other apps register theirs, and take the small functions at the end from here.
"""

import ipaddress
import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

CONFIGURATION = "configuration"
"""The tag of our checks: `manage.py check --tag configuration` runs them alone."""

DURATIONS = (
    "RADARR_DEADLINE",
    "TMDB_DEADLINE",
    "TWILIO_DEADLINE",
    "OPENAI_DEADLINE",
    "RADARR_RETRY_AFTER",
    "OPENAI_RETRY_AFTER",
    "TMDB_RETRY_AFTER",
    "UNKNOWN_TAIL",
    "MONITOR_INTERVAL",
    "SWEEP_INTERVAL",
    "BACKFILL_INTERVAL",
    "SEARCH_GRACE",
    "STUCK_GRACE",
    "FAILED_GRACE",
    "MISSING_GRACE",
    "NOTHING_FOUND_AFTER",
    "FAILED_WATCH",
    "STALE_NOTICE_AFTER",
    "QUESTION_TTL",
    "REQUEST_WINDOW",
    "CODE_TTL",
    "LOOP_WINDOW",
    "LOOP_PAUSE",
    "SEND_START_LIMIT",
    "UNKNOWN_FIRST_CHECK",
    "UNKNOWN_RESEND_AFTER",
    "ADD_LEASE",
    "INBOUND_LEASE",
    "SEND_LEASE",
    "REDIS_TIMEOUT",
    "REDIS_RETRY_AFTER",
    "LIVE_ACTIVE_TTL",
    "LIVE_FINISHED_TTL",
    "TMDB_CACHE_TTL",
    "RADARR_CACHE_TTL",
)

# What the promises rest on, as SQLite itself answers; synchronous 2 is FULL.
_SQLITE: dict[str, object] = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}

Messages = list[CheckMessage]


LOG_FORMATS = ("text", "json")


@register(CONFIGURATION)
def log_format(**_: Any) -> Messages:
    """E010: LOG_FORMAT is a word that we know."""
    if settings.LOG_FORMAT in LOG_FORMATS:
        return []
    message = f"LOG_FORMAT is {settings.LOG_FORMAT!r}; it can be {' or '.join(LOG_FORMATS)}."
    return [Error(message, hint="Remove LOG_FORMAT to get text.", id="moviesms.E010")]


# --- Addresses and durations --------------------------------------------------------------------


@register(CONFIGURATION)
def public_url(**_: Any) -> Messages:
    """E001, E002: PUBLIC_URL is scheme and host, and nothing more: signatures are made over it."""
    if problem := address_problem(settings.PUBLIC_URL):
        hint = "Set it to the address Twilio reaches, such as https://films.example.org."
        return [Error(f"PUBLIC_URL {problem}.", hint=hint, id="moviesms.E001")]
    if has_more_than_a_host(settings.PUBLIC_URL):
        hint = "Keep scheme, host and port alone; moviesms must have a host name to itself."
        message = "PUBLIC_URL has a path, a query or a login after or before its host."
        return [Error(message, hint=hint, id="moviesms.E002")]
    return []


@register(CONFIGURATION)
def durations(**_: Any) -> Messages:
    """E004: every duration is a positive number of seconds."""
    return [
        Error(
            f"{name} is {getattr(settings, name):g}; it must be a positive number of seconds.",
            hint=f"Remove {name} to get its default.",
            id="moviesms.E004",
        )
        for name in DURATIONS
        if not 0 < getattr(settings, name) < math.inf
    ]


@register(CONFIGURATION)
def log_folder(**_: Any) -> Messages:
    """E003: a file can be written in LOG_DIR."""
    try:
        tempfile.TemporaryFile(dir=settings.LOG_DIR).close()
    except OSError as error:
        hint = "Set LOG_DIR to a folder that moviesms may write to, or change who owns it."
        message = f"LOG_DIR, {settings.LOG_DIR}, cannot be written to ({error.strerror})."
        return [Error(message, hint=hint, id="moviesms.E003")]
    return []


# --- Caches and database ------------------------------------------------------------------------


@register(CONFIGURATION)
def cache_serializers(**_: Any) -> Messages:
    """E006: nothing from Redis is unpickled: who can write there could run code here."""
    return [
        Error(
            f"The cache {alias!r} keeps pickles in Redis.",
            hint="Give it OPTIONS SERIALIZER django_redis.serializers.json.JSONSerializer.",
            id="moviesms.E006",
        )
        for alias, cache in settings.CACHES.items()
        if _unpickles(cache)
    ]


def _unpickles(cache: Mapping[str, Any]) -> bool:
    if not cache["BACKEND"].endswith("RedisCache"):
        return False
    serializer = str(cache.get("OPTIONS", {}).get("SERIALIZER", "pickle, by default"))
    return "pickle" in serializer.lower()


@register(CONFIGURATION)
def cache_exceptions(**_: Any) -> Messages:
    """E007: only the pure cache hides that Redis is down; a lease must not."""
    caches: dict[str, Any] = settings.CACHES
    aliases = [
        alias
        for alias, cache in caches.items()
        if alias != "default" and cache.get("OPTIONS", {}).get("IGNORE_EXCEPTIONS")
    ]
    if getattr(settings, "DJANGO_REDIS_IGNORE_EXCEPTIONS", False):
        aliases.append("DJANGO_REDIS_IGNORE_EXCEPTIONS, for all of them")
    return [
        Error(
            f"Errors of Redis are ignored beyond the default cache ({alias}).",
            hint="Set IGNORE_EXCEPTIONS on the default cache alone.",
            id="moviesms.E007",
        )
        for alias in aliases
    ]


@register(CONFIGURATION)
def transactions(**_: Any) -> Messages:
    """E005: no transaction around a whole request: it would span calls to other services."""
    return [
        Error(
            f"ATOMIC_REQUESTS is on for the database {alias!r}.",
            hint="Leave ATOMIC_REQUESTS out of DATABASE_URL and of the settings.",
            id="moviesms.E005",
        )
        for alias, database in settings.DATABASES.items()
        if database.get("ATOMIC_REQUESTS")
    ]


@register(CONFIGURATION, Tags.database)
def database(*, databases: Sequence[str] | None = None, **_: Any) -> Messages:
    """E008, E009: the database opens and, for SQLite, works as durably as the settings ask.

    Runs only where Django is told which `databases`: `check --database default`, and `up`.
    """
    return [message for alias in databases or () for message in _opened(connections[alias])]


def _opened(connection: BaseDatabaseWrapper) -> Messages:
    try:
        return list(_sqlite_problems(connection)) if connection.vendor == "sqlite" else []
    except DatabaseError as error:
        hint = "Check DATABASE_URL, and that DATA_DIR exists and may be written to."
        message = f"The database {connection.alias!r} cannot be opened ({type(error).__name__})."
        return [Error(message, hint=hint, id="moviesms.E009")]


def _sqlite_problems(connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    found = {name: _pragma(connection, name) for name in _SQLITE}
    mode = getattr(connection, "transaction_mode", None)
    wanted = _SQLITE | {"transaction_mode": "IMMEDIATE"}
    for name, value in (found | {"transaction_mode": mode}).items():
        if value != wanted[name]:
            yield Error(
                f"SQLite's {name} is {value}, and must be {wanted[name]}.",
                hint="Keep the database on a local disk, and its OPTIONS as settings.py has them.",
                id="moviesms.E008",
            )


def _pragma(connection: BaseDatabaseWrapper, name: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {name}")
        row = cursor.fetchone()
    return row[0] if row else None


# --- What the checks of the other apps use too --------------------------------------------------


def address_problem(url: str) -> str | None:
    """Say why `url` cannot be the address of a server (completes "RADARR_URL …"), or None."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not an address"
    if parts.scheme not in ("http", "https"):
        return "must begin with http:// or https://"
    if not host or any(character.isspace() for character in url):
        return "has no host name" if not host else "has a space in it"
    return None


def has_more_than_a_host(url: str) -> bool:
    """Whether an address holds more than scheme, host and port."""
    parts = urlsplit(url)
    return bool(parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc)


def is_public(host: str) -> bool:
    """Whether a host may be reachable from the internet, as far as its name or number tells."""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        private = (".local", ".localhost", ".lan", ".home", ".internal", ".home.arpa")
        return "." in host and not host.endswith(private)


def is_key(text: str) -> bool:
    """Whether `text` can be a key: letters, digits and signs alone, so that a header takes it."""
    return text.isascii() and text.isprintable() and " " not in text


def too_short(name: str, needed: float, why: str, check_id: str) -> Messages:
    """Return an error when the duration `name` is not longer than `needed`, which is `why`."""
    value = getattr(settings, name)
    if value > needed:
        return []
    message = f"{name} is {value:g} s, and must be longer than {needed:g} s: {why}."
    return [Error(message, hint=f"Raise {name}, or lower the others.", id=check_id)]

"""Checks of every service moviesms needs, each with what to do when it fails.

`examine()` runs them one by one. Each is a small function that returns its result or raises; each
ends within its time; none leaves a trace, and no result holds a key or a whole phone number.
"""

import logging
import re
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import run_checks
from django.db import DatabaseError, transaction
from django.urls import reverse
from django.utils import timezone

from downloads import connections, services
from downloads.http import ServiceError
from downloads.models import DownloadRequest, MonitorState
from downloads.radarr import HealthItem
from moviesms import live
from moviesms.checks import is_public
from moviesms.logs import mask_phone
from smsbot import gateway, understanding

State = Literal["ok", "failed", "warning", "skipped"]

QUESTION = "can you get The Dark Knight for me?"
PATIENCE = 5.0
"""Seconds that a check may take beyond the deadline of the service it asks."""

_SECRETS = (
    "RADARR_API_KEY",
    "RADARR_WEBHOOK_SECRET",
    "TMDB_API_KEY",
    "TWILIO_AUTH_TOKEN",
    "TWILIO_ACCOUNT_SID",
    "OPENAI_API_KEY",
    "REDIS_PASSWORD",
    "SECRET_KEY",
)
_SHORTEST_SECRET = 6  # hiding every "key" would hide words
# What Radarr complains of may name an address with a login or a key in its query.
_IN_URL = re.compile(r"(\w+://)(?:[^\s/@]*@)?([^\s?#'\"]*)(?:[?#][^\s'\"]*)?")
# No film has this id at TMDB, so no download of anybody's is touched.
_NO_FILM = services.Match(tmdb_id=2_000_000_001, title="A film for test_download_system")


@dataclass(frozen=True)
class Result:
    """What one check found: one line of `detail`, and what to do (`fix`) unless it is ok."""

    state: State
    detail: str
    fix: str = ""
    group: str = ""
    name: str = ""


@dataclass(frozen=True)
class Check:
    """A check by `name`, one of its `group`. When a `gate` fails, the rest of it is skipped.

    `seconds` names the setting with the deadline of the service it asks. Without it the check asks
    the database alone, which has time-outs of its own, and runs in the caller's thread.
    """

    group: str
    name: str
    run: Callable[[], Result]
    seconds: str = ""
    gate: bool = False


def examine(only: Sequence[str] = ()) -> Iterator[Result]:
    """Run the checks of the groups in `only` (all when empty), and yield each result as it comes.

    Our own log is silent meanwhile: the results say it better.
    """
    shut: dict[str, str] = {}
    for check in CHECKS:
        if only and check.group not in only:
            continue
        if check.group in shut:
            result = Result("skipped", f"not tried, since “{shut[check.group]}” failed")
        else:
            with _silent_log():
                result = _bounded(check)
        if check.gate and result.state == "failed":
            shut.setdefault(check.group, check.name)
        yield _plain(replace(result, group=check.group, name=check.name))


# --- Running one check --------------------------------------------------------------------------


def _bounded(check: Check) -> Result:
    """Run a check; one that asks a service does so in a thread, left behind when it hangs."""
    if not check.seconds:
        return _caught(check)
    results: list[Result] = []
    thread = threading.Thread(
        target=lambda: results.append(_caught(check)), name=check.name, daemon=True
    )
    thread.start()
    limit = getattr(settings, check.seconds) + PATIENCE
    thread.join(limit)
    if results:
        return results[0]
    return Result("failed", f"no answer within {limit:g} s", "Find out why it hangs; try again.")


def _caught(check: Check) -> Result:
    """Run a check; an exception is a failed check, told without the values that it may hold."""
    try:
        return check.run()
    except ServiceError as error:
        return Result("failed", _without_name(error), _fix_for(error))
    except live.LiveStateDown as error:
        return Result("failed", f"Redis does not answer ({error})", _redis_fix())
    except DatabaseError as error:
        fix = "Run manage.py migrate, and check DATABASE_URL and DATA_DIR."
        return Result("failed", f"the database failed ({type(error).__name__})", fix)
    except Exception as error:
        fix = "That is not expected: movie_api.log may say more."
        return Result("failed", f"stopped by {type(error).__name__}", fix)


@contextmanager
def _silent_log() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def _plain(result: Result) -> Result:
    """Take keys and phone numbers out of a result, whoever put them there."""
    return replace(result, detail=_without_secrets(result.detail), fix=_without_secrets(result.fix))


def _without_secrets(text: str) -> str:
    for name in _SECRETS:
        secret = str(getattr(settings, name))
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "***")
    return mask_phone(_IN_URL.sub(r"\1\2", " ".join(text.split())))


def _without_name(error: ServiceError) -> str:
    return str(error).removeprefix(f"{error.service} ")


def _fix_for(error: ServiceError) -> str:
    """Return what to do about an error of Radarr or TMDB."""
    name = error.service.upper()
    if error.code == "not_configured":
        names = "RADARR_URL and RADARR_API_KEY" if name == "RADARR" else "TMDB_API_KEY"
        return f"Set {names}; docs/configuration.md says more."
    if error.code in ("unauthorized", "forbidden"):
        return _KEY_FIXES[name]
    if error.code in ("unavailable", "rate_limited"):
        return f"Wait a minute and try again; if it stays so, look at {error.service} itself."
    return f"Check {name}_URL, that {error.service} runs there, and that no firewall is between."


_KEY_FIXES = {
    "RADARR": "Copy the key from Radarr, Settings › General › API Key, into RADARR_API_KEY.",
    "TMDB": "Copy a key from https://www.themoviedb.org/settings/api into TMDB_API_KEY.",
}


# --- Settings -----------------------------------------------------------------------------------


def settings_agree() -> Result:
    """Nothing in the settings contradicts itself: the errors of `manage.py check`."""
    errors = [message for message in run_checks(databases=["default"]) if message.is_serious()]
    if not errors:
        return Result("ok", "nothing contradicts itself")
    said = " ".join(f"{error.msg} ({error.id})" for error in errors)
    return Result("failed", said, " ".join(error.hint or "" for error in errors))


# --- Radarr -------------------------------------------------------------------------------------


def radarr_answers() -> Result:
    """A Radarr answers at RADARR_URL, whatever it thinks of our key."""
    radarr = connections.radarr()
    try:
        radarr.status()
    except ServiceError as error:
        if error.code not in ("unauthorized", "forbidden"):
            raise
    return Result("ok", f"at {_origin(settings.RADARR_URL)}")


def radarr_key() -> Result:
    """Radarr takes RADARR_API_KEY."""
    return Result("ok", f"accepted by Radarr {connections.radarr().status().version}")


def radarr_root_folder() -> Result:
    """The folder that films go to is one of Radarr's, and Radarr can use it."""
    folders = connections.radarr().root_folders()
    wanted = settings.RADARR_ROOT_FOLDER.rstrip("/\\")
    for folder in folders:
        if not wanted or wanted in (str(folder.id), folder.path.rstrip("/\\")):
            return _folder_result(folder.path, folder.accessible, folder.free_space)
    if not folders:
        fix = "Add one in Radarr, Settings › Media Management › Root Folders."
        return Result("failed", "Radarr has no root folder", fix)
    paths = ", ".join(folder.path for folder in folders)
    fix = f"Set RADARR_ROOT_FOLDER to one of: {paths}."
    return Result("failed", f"Radarr has no root folder {wanted!r}", fix)


def _folder_result(path: str, accessible: bool, free: int | None) -> Result:
    if not accessible:
        fix = "Mount the folder, and let Radarr's user write to it."
        return Result("failed", f"Radarr cannot use {path}", fix)
    space = "" if free is None else f", {free / 1e9:,.0f} GB free"
    if free is not None and free < 10e9:
        return Result("warning", f"{path}{space}", "Make room: a film needs up to 10 GB and more.")
    return Result("ok", f"{path}{space}")


def radarr_profile() -> Result:
    """The quality profile that films get is one of Radarr's."""
    profiles = connections.radarr().quality_profiles()
    wanted = settings.RADARR_QUALITY_PROFILE
    for profile in profiles:
        if not wanted or wanted.casefold() in (str(profile.id), profile.name.casefold()):
            return Result("ok", profile.name)
    if not profiles:
        fix = "Add one in Radarr, Settings › Profiles."
        return Result("failed", "Radarr has no quality profile", fix)
    names = ", ".join(profile.name for profile in profiles)
    fix = f"Set RADARR_QUALITY_PROFILE to one of: {names}."
    return Result("failed", f"Radarr has no quality profile {wanted!r}", fix)


def radarr_indexers() -> Result:
    """Radarr has somewhere to search by itself, and does not complain of it."""
    radarr = connections.radarr()
    searched = [indexer.name for indexer in radarr.indexers() if indexer.enable_automatic_search]
    if not searched:
        fix = "Add one in Radarr, Settings › Indexers, with Automatic Search on."
        return Result("failed", "Radarr has no indexer that it searches by itself", fix)
    about = [item for item in radarr.health() if item.source.startswith("Indexer")]
    return _complaints(about) or Result("ok", f"{len(searched)}: {', '.join(searched)}")


def radarr_health() -> Result:
    """Radarr complains of nothing else: download clients, folders, disks."""
    other = [
        item
        for item in connections.radarr().health()
        if not item.source.startswith(("Indexer", "Update"))
    ]
    return _complaints(other) or Result("ok", "no complaints")


def _complaints(items: Sequence[HealthItem]) -> Result | None:
    """Return what Radarr complains of: errors fail, warnings warn, notices pass."""
    serious = [item for item in items if item.type in ("error", "warning")]
    if not serious:
        return None
    state: State = "failed" if any(item.type == "error" for item in serious) else "warning"
    said = " ".join(item.message for item in serious)
    return Result(state, f"Radarr says: {said[:300]}", "See Radarr, System › Status › Health.")


# --- TMDB ---------------------------------------------------------------------------------------


def tmdb_key() -> Result:
    """TMDB answers and takes TMDB_API_KEY."""
    connections.tmdb().check()
    return Result("ok", f"accepted at {_origin(settings.TMDB_URL)}")


def tmdb_search() -> Result:
    """TMDB finds a film that everybody knows."""
    films = connections.tmdb().search("The Dark Knight")
    if not films:
        return Result("failed", "TMDB finds no “The Dark Knight”", "Check TMDB_URL.")
    return Result("ok", f"found {films[0].title} ({films[0].year})")


# --- Twilio -------------------------------------------------------------------------------------


def twilio_account() -> Result:
    """Twilio takes our SID and token, and the account is in use."""
    if not gateway.is_configured():
        fix = "Set TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_PHONE_NUMBER."
        return Result("failed", "Twilio is not configured", fix)
    try:
        status = gateway.account_status()
    except gateway.Unanswered as error:
        return _twilio_failure(error)
    if status != "active":
        fix = "Open Twilio's console: the account must be paid for and in order."
        return Result("failed", f"the account is {status}", fix)
    return Result("ok", "the account is active")


def twilio_number() -> Result:
    """The account owns TWILIO_PHONE_NUMBER."""
    try:
        number = gateway.number_settings()
    except gateway.Unanswered as error:
        return _twilio_failure(error)
    if number is None:
        fix = "Set TWILIO_PHONE_NUMBER to a number of this account (Twilio, Phone Numbers, Active)."
        return Result("failed", "the account does not own TWILIO_PHONE_NUMBER", fix)
    return Result("ok", f"{settings.TWILIO_PHONE_NUMBER} is the account's")


def twilio_webhook() -> Result:
    """Twilio hands the number's texts to us: to PUBLIC_URL, by POST."""
    try:
        number = gateway.number_settings() or {}
    except gateway.Unanswered as error:
        return _twilio_failure(error)
    ours = settings.PUBLIC_URL + reverse("sms-webhook")
    fix = f"In Twilio, at the number, “A message comes in”: Webhook, {ours}, HTTP POST."
    url, method = number.get("sms_url", ""), number.get("sms_method", "")
    if not settings.TWILIO_API_URL and not is_public(settings.PUBLIC_HOST):
        fix = "Set PUBLIC_URL to an https address that the internet reaches; a tunnel gives one."
        return Result("warning", f"Twilio cannot reach {settings.PUBLIC_URL}", fix)
    if _address(url) != ours:
        return Result("failed", f"Twilio posts texts to {_address(url) or 'nowhere'}", fix)
    if method.upper() != "POST":
        return Result("failed", f"Twilio uses {method or 'no method'}, not POST", fix)
    return Result("ok", f"POST {ours}")


def _twilio_failure(error: gateway.Unanswered) -> Result:
    said = f"code {error.code}" if error.code else str(error)
    if error.status in (401, 403, 404):
        fix = "Copy Account SID and Auth Token from Twilio's console; a test account cannot text."
        return Result("failed", f"Twilio does not accept the SID and the token ({said})", fix)
    if error.status is None or error.status < 400:
        fix = "Check this machine's network (and TWILIO_API_URL, if you set it)."
        return Result("failed", f"Twilio cannot be asked: {said}", fix)
    fix = "Wait a minute and try again; https://status.twilio.com tells of outages."
    return Result("failed", f"Twilio has a problem (HTTP {error.status}, {said})", fix)


# --- Redis --------------------------------------------------------------------------------------


def redis_answers() -> Result:
    """Redis answers a ping."""
    live.call(lambda redis: redis.ping())
    where = f"{settings.REDIS_HOST}:{settings.REDIS_PORT}" if settings.REDIS_HOST else "embedded"
    return Result("ok", where)


def redis_keeps() -> Result:
    """Redis keeps a value, and will forget it in time."""
    key, value = f"diagnosis:{secrets.token_hex(8)}", secrets.token_hex(8)

    def write_and_read(redis: Any) -> tuple[bytes | None, int]:
        redis.set(key, value, ex=30)
        try:
            return redis.get(key), redis.ttl(key)
        finally:
            redis.delete(key)

    kept, ttl = live.call(write_and_read)
    if kept != value.encode() or not 0 < ttl <= 30:
        fix = "Look at Redis's memory limit and its maxmemory-policy (noeviction is right)."
        return Result("failed", "Redis does not keep what it is given", fix)
    return Result("ok", "a value written, read and given a time to live")


def _redis_fix() -> str:
    if settings.REDIS_HOST:
        return (
            "Check REDIS_HOST, REDIS_PORT, REDIS_DB, REDIS_USERNAME and REDIS_PASSWORD, and that "
            "Redis runs there and takes writes."
        )
    return (
        "Start moviesms with the same DATA_DIR (script/server), which brings a Redis along; or set "
        "REDIS_HOST."
    )


# --- OpenAI -------------------------------------------------------------------------------------


def openai_reads() -> Result:
    """The model reads a text as the film it asks for."""
    if not understanding.is_configured():
        fix = "Set OPENAI_API_KEY to have texts read by a model."
        return Result("warning", "OpenAI is not configured: rules are used", fix)
    try:
        turn = understanding.Turn(speaker="person", text=QUESTION)
        reading, _ = understanding.ask_model([turn])
    except understanding.NoAnswer as error:
        return _openai_failure(str(error))
    named = any("dark knight" in title.title.lower() for title in reading.titles)
    if reading.intent != "request" or not named:
        fix = "Set OPENAI_MODEL to a larger model: this one misreads plain requests."
        return Result("warning", f"{settings.OPENAI_MODEL} misread “{QUESTION}”", fix)
    return Result("ok", f"{settings.OPENAI_MODEL} read “{QUESTION}” rightly")


def _openai_failure(kind: str) -> Result:
    fix = _OPENAI_FIXES.get(kind, "Check OPENAI_BASE_URL and OPENAI_MODEL.")
    return Result("failed", f"{settings.OPENAI_MODEL} gives no answer ({kind})", fix)


_OPENAI_FIXES = {
    "AuthenticationError": "Copy a key from https://platform.openai.com into OPENAI_API_KEY.",
    "PermissionDeniedError": "Let the key use this model, or set another OPENAI_MODEL.",
    "NotFoundError": "Set OPENAI_MODEL to a model that the server has; see OPENAI_BASE_URL too.",
    "RateLimitError": "The account has no credit or asks too often: see its billing page.",
    "APITimeoutError": "The model is too slow: set a smaller one, or raise OPENAI_DEADLINE.",
    "TimeoutError": "The model is too slow: set a smaller one, or raise OPENAI_DEADLINE.",
    "APIConnectionError": "Check OPENAI_BASE_URL, that a server runs there, and the network.",
    "ValidationError": "The model does not keep to the JSON asked for: set another OPENAI_MODEL.",
}


# --- Requests and the monitor -------------------------------------------------------------------


def request_is_taken() -> Result:
    """A download request can be written. It is rolled back: no row stays, and Radarr is not asked.

    A request that waits for an approval is the one that nobody adds to Radarr.
    """
    origin = f"diagnosis:{secrets.token_hex(16)}"
    with transaction.atomic():
        request = services.write_pending(_NO_FILM, "diagnosis", origin=origin, now=timezone.now())
        written = DownloadRequest.objects.filter(pk=request.pk, origin=origin).exists()
        transaction.set_rollback(True)
    stayed = DownloadRequest.objects.filter(origin=origin).exists()
    if not written or stayed:
        fix = "Look at the database: manage.py check --database default, and manage.py migrate."
        return Result("failed", "a request was not written, or not taken back", fix)
    return Result("ok", "a request was written, and taken back")


def monitor_works() -> Result:
    """A monitor process is alive, wanted, and its last tick went well."""
    now = timezone.now()
    status = services.monitor_status(now)
    if not status["alive"] and live.try_call(lambda redis: redis.ping()) is None:
        fix = "Mend Redis first; the monitor's signs of life come through it."
        return Result("failed", "cannot be told while Redis does not answer", fix)
    if not status["alive"]:
        since = f"no monitor process is alive (last sign: {_ago(status['last_heartbeat'], now)})"
        fix = "Start moviesms (script/server), or manage.py run_download_monitor alone."
        return Result("failed", since, fix)
    if status["wanted"] != MonitorState.Wanted.RUNNING:
        fix = "Start it with POST /api/sms/download-monitor/start, or in the admin."
        return Result("warning", "alive, but it was told to stop", fix)
    if status["error"]:
        fix = "See the checks of Radarr above, and movie_api.log."
        return Result("failed", f"alive, but its last tick failed: {status['error']}", fix)
    return Result("ok", f"{status['leader']}, last tick {_ago(status['last_tick'], now)}")


def _ago(moment: str | None, now: datetime) -> str:
    """Say how long ago an ISO moment was."""
    if not moment:
        return "never"
    seconds = (now - datetime.fromisoformat(moment)).total_seconds()
    return f"{seconds:.0f} s ago" if seconds < 600 else f"{seconds / 60:.0f} min ago"


# --- Addresses, as they may be shown ------------------------------------------------------------


def _origin(url: str) -> str:
    """Return scheme, host and port of an address: no path, no login."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _address(url: str) -> str:
    """Return an address without login, query and fragment (Twilio keeps its time-outs there)."""
    parts = urlsplit(url)
    return f"{_origin(url)}{parts.path}" if parts.netloc else ""


CHECKS = (
    Check("settings", "settings", settings_agree),
    Check("radarr", "Radarr answers", radarr_answers, "RADARR_DEADLINE", gate=True),
    Check("radarr", "Radarr's key", radarr_key, "RADARR_DEADLINE", gate=True),
    Check("radarr", "Radarr's root folder", radarr_root_folder, "RADARR_DEADLINE"),
    Check("radarr", "Radarr's quality profile", radarr_profile, "RADARR_DEADLINE"),
    Check("radarr", "Radarr's indexers", radarr_indexers, "RADARR_DEADLINE"),
    Check("radarr", "Radarr's health", radarr_health, "RADARR_DEADLINE"),
    Check("tmdb", "TMDB's key", tmdb_key, "TMDB_DEADLINE", gate=True),
    Check("tmdb", "TMDB's search", tmdb_search, "TMDB_DEADLINE"),
    Check("twilio", "Twilio's account", twilio_account, "TWILIO_DEADLINE", gate=True),
    Check("twilio", "Twilio's number", twilio_number, "TWILIO_DEADLINE", gate=True),
    Check("twilio", "Twilio's webhook", twilio_webhook, "TWILIO_DEADLINE"),
    Check("openai", "OpenAI", openai_reads, "OPENAI_DEADLINE"),
    Check("redis", "Redis answers", redis_answers, "REDIS_TIMEOUT", gate=True),
    Check("redis", "Redis keeps", redis_keeps, "REDIS_TIMEOUT"),
    Check("request", "a download request", request_is_taken),
    Check("monitor", "the monitor", monitor_works),
)

GROUPS = tuple(dict.fromkeys(check.group for check in CHECKS))

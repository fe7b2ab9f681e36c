"""What is ours: the settings, Redis, the creation of a request, and the monitor."""

import secrets
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.checks import run_checks
from django.db import transaction
from django.utils import timezone

from downloads import services
from downloads.models import DownloadRequest, MonitorState
from moviesms import live
from moviesms.diagnosis.result import Check, Result

# No film has this id at TMDB, so no download of anybody's is touched.
_NO_FILM = services.Match(tmdb_id=2_000_000_001, title="A film for test_download_system")


def settings_agree() -> Result:
    """Nothing in the settings contradicts itself: the errors of `manage.py check`."""
    errors = [message for message in run_checks(databases=["default"]) if message.is_serious()]
    if not errors:
        return Result("ok", "nothing contradicts itself")
    said = " ".join(f"{error.msg} ({error.id})" for error in errors)
    return Result("failed", said, " ".join(error.hint or "" for error in errors))


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


def redis_fix() -> str:
    if settings.REDIS_HOST:
        return (
            "Check REDIS_HOST, REDIS_PORT, REDIS_DB, REDIS_USERNAME and REDIS_PASSWORD, and that "
            "Redis runs there and takes writes."
        )
    return (
        "Start moviesms with the same DATA_DIR (script/server), which brings a Redis along; or set "
        "REDIS_HOST."
    )


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


SETTINGS_CHECKS = (Check("settings", "settings", settings_agree),)
REDIS_CHECKS = (
    Check("redis", "Redis answers", redis_answers, "REDIS_TIMEOUT", gate=True),
    Check("redis", "Redis keeps", redis_keeps, "REDIS_TIMEOUT"),
)
WORK_CHECKS = (
    Check("request", "a download request", request_is_taken),
    Check("monitor", "the monitor", monitor_works),
)

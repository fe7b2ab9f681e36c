"""How the monitor's processes and the rest speak to one another: wanted state, heartbeat, wake-up.

The wanted state is SQL's; Redis carries the lease, the heartbeat and the wake-up, and may vanish at
any time: then the heartbeat goes to SQL, everybody ticks, and a wake-up is just not heard.
"""

import json
import time
import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from downloads.models import MonitorState
from moviesms import claims, live
from moviesms.incidents import open_incident

CHANNEL = "monitor:wake"
_PATIENCE_IN_BEATS = 3.0
_LEASE = "monitor:lease"
_HEARTBEAT = "monitor:heartbeat"
_WANTED = "monitor:wanted"

# Only who holds the lease may prolong it.
_PROLONG = """
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end
return redis.call('set', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 0
"""
_GIVE_UP = "if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end"


def wake() -> None:
    """Ask the monitor to tick now. Best effort: the next tick comes anyway."""
    live.try_call(lambda redis: redis.publish(CHANNEL, "wake"))


def want(wanted: str) -> int:
    """Set the wanted state (`running` or `stopped`), wake the monitor, return the new version."""
    MonitorState.load()
    MonitorState.objects.filter(pk=1).update(wanted=wanted, wanted_version=F("wanted_version") + 1)
    state = MonitorState.load()
    copy = json.dumps({"wanted": state.wanted, "version": state.wanted_version})
    live.try_call(lambda redis: redis.set(_WANTED, copy, ex=settings.LIVE_ACTIVE_TTL))
    wake()
    return state.wanted_version


def take_lease(holder: uuid.UUID) -> bool:
    """Say whether this process is the one to tick. Without Redis everybody is."""
    milliseconds = int(1000 * (settings.MONITOR_INTERVAL + 10))

    def run(redis: Any) -> bool:
        return bool(redis.eval(_PROLONG, 1, _LEASE, str(holder), milliseconds))

    held = live.try_call(run)
    if held is False and give_up_lease_of(claims.dead_processes()):
        held = live.try_call(run)
    return True if held is None else held


def give_up_lease(holder: uuid.UUID) -> None:
    """Let another process tick at once, instead of after the lease."""
    live.try_call(lambda redis: redis.eval(_GIVE_UP, 1, _LEASE, str(holder)))


def give_up_lease_of(processes: Collection[str]) -> bool:
    """Free the lease if one of these processes held it; say whether it may be free now.

    The names are those of `moviesms.claims`.
    """
    if not processes:
        return False
    raw: Any = live.try_call(lambda redis: redis.get(_LEASE))
    if raw is None:
        return True
    holder = uuid.UUID(raw.decode())
    if not claims.is_of(holder, processes):
        return False
    give_up_lease(holder)
    return True


def beat(heartbeat: dict[str, Any]) -> None:
    """Publish the heartbeat of the process that ticks; into SQL when Redis does not take it.

    And into SQL now and then: where Redis goes away, that the heartbeat went with it is no silence.
    """
    text = json.dumps(heartbeat)
    ttl = int(max(60, 4 * settings.MONITOR_INTERVAL))
    published = live.try_call(lambda redis: redis.set(_HEARTBEAT, text, ex=ttl)) is not None
    state = MonitorState.load()
    if not published or not _is_younger(state.heartbeat, timezone.now(), _PATIENCE_IN_BEATS / 2):
        MonitorState.objects.filter(pk=state.pk).update(heartbeat=heartbeat)


def last_heartbeat() -> dict[str, Any]:
    """Return the newest heartbeat, from Redis or SQL; empty when there is none."""
    kept: dict[str, Any] = MonitorState.load().heartbeat
    return max(_live_heartbeat(), kept, key=lambda heartbeat: str(heartbeat.get("at", "")))


def _live_heartbeat() -> dict[str, Any]:
    raw = live.try_call(lambda redis: redis.get(_HEARTBEAT))
    heartbeat: dict[str, Any] = json.loads(raw) if raw else {}
    return heartbeat


def watch(now: datetime) -> None:
    """Tell the owner when no monitor process is at work; its next heartbeat ends it."""
    if not (is_alive(_live_heartbeat(), now) or is_alive(last_heartbeat(), now)):
        summary = (
            "The monitor is silent: downloads are not followed. Start it: manage.py "
            "run_download_monitor (manage.py up does)."
        )
        open_incident("monitor:silent", summary, now=now)


def is_alive(heartbeat: dict[str, Any], now: datetime) -> bool:
    """Whether a monitor process is at work, by the age of its heartbeat."""
    return _is_younger(heartbeat, now, _PATIENCE_IN_BEATS)


def _is_younger(heartbeat: dict[str, Any], now: datetime, beats: float) -> bool:
    if not heartbeat:
        return False
    age = now - datetime.fromisoformat(heartbeat["at"])
    return age <= timedelta(seconds=beats * max(5.0, settings.MONITOR_INTERVAL))


def wait_for_acknowledgement(version: int, *, seconds: float) -> bool:
    """Wait until a monitor process has seen the wanted state of `version`."""
    ends = time.monotonic() + seconds
    while True:
        if last_heartbeat().get("wanted_version", 0) >= version:
            return True
        if time.monotonic() >= ends:
            return False
        time.sleep(0.05)

"""What the downloads offer to the rest: the bot, the API, the admin. Everything goes through here.

A requester is an opaque address. Times are aware and in UTC. Calls that reach TMDB or Radarr are
made outside any transaction; they raise ServiceError where their own docstring does not say better.
"""

from collections.abc import Set
from datetime import datetime
from typing import Any

from django.db.models import F, OrderBy, QuerySet
from django.db.models.functions import Lower

from downloads import control, live
from downloads.adding import release as release_adds
from downloads.another import get_another_release
from downloads.approving import (
    approve,
    asked_since,
    decline,
    pending_requests,
    request,
)
from downloads.asking import (
    AlreadyCompleted,
    NotAllowed,
    Outcome,
    Rule,
    Taken,
    cancel_download,
    request_movie,
    retry_download,
    withdraw,
    write_pending,
)
from downloads.connecting import connect_radarr, disconnect_radarr, radarr_webhook
from downloads.feed import Happening, happenings
from downloads.finding import Match, Resolution, UnknownFilm, film, resolve
from downloads.history import CANCELLED, DECLINED, FAILED, LEFT, OPEN, READY, Ask, asks
from downloads.http import ServiceError
from downloads.leaving import Left, leave
from downloads.models import (
    ACTIVE,
    Download,
    DownloadEvent,
    DownloadRequest,
    MediaType,
    MonitorState,
)
from downloads.overview import (
    Going,
    events_of,
    going,
    need_attention,
    on_their_way,
    requests_for,
)
from downloads.reporting import Report, reports_named, reports_of
from downloads.telling import (
    EventNews,
    annotate_event,
    claim_announcement,
    claim_event,
    finish_requests,
    is_still_wanted,
    is_superseded,
    mark_announced,
    news_of_release,
    note_told,
    unannounced,
    unannounced_of,
    unprocessed_events,
)
from downloads.wording import in_words, kind_in_words, mend, tone, why

__all__ = [
    "API_ORIGIN",
    "CANCELLED",
    "DECLINED",
    "FAILED",
    "LEFT",
    "OPEN",
    "READY",
    "AlreadyCompleted",
    "Ask",
    "EventNews",
    "Going",
    "Happening",
    "Left",
    "Match",
    "MonitorNotRunning",
    "NotAllowed",
    "Outcome",
    "Report",
    "Resolution",
    "Rule",
    "ServiceError",
    "Taken",
    "UnknownFilm",
    "annotate_event",
    "approve",
    "asked_since",
    "asks",
    "cancel_download",
    "claim_announcement",
    "claim_event",
    "connect_radarr",
    "decline",
    "disconnect_radarr",
    "download",
    "events_of",
    "film",
    "find_downloads",
    "finish_requests",
    "get_another_release",
    "going",
    "happenings",
    "in_words",
    "is_still_wanted",
    "is_superseded",
    "kind_in_words",
    "leave",
    "mark_announced",
    "mend",
    "monitor_status",
    "need_attention",
    "news_of_release",
    "note_told",
    "on_their_way",
    "pending_requests",
    "progress",
    "radarr_webhook",
    "reports_named",
    "reports_of",
    "request",
    "request_movie",
    "requesters",
    "requests_for",
    "requests_of",
    "resolve",
    "retry_download",
    "set_monitor",
    "take_over",
    "tone",
    "unannounced",
    "unannounced_of",
    "unprocessed_events",
    "wake_monitor",
    "watch_monitor",
    "why",
    "withdraw",
    "write_pending",
]

API_ORIGIN = "api:"
"""How the origin of a request begins that was made through the API."""


# --- Looking ------------------------------------------------------------------------------------


def find_downloads(
    *, status: str = "", requester: str = "", title: str = "", ordering: str = ""
) -> QuerySet[Download]:
    """Return the downloads that fit all the filters given, the latest change first by default."""
    found = Download.objects.all()
    if status:
        found = found.filter(status=status)
    if requester:
        asked = DownloadRequest.objects.filter(requester=requester)
        found = found.filter(pk__in=asked.values("download_id"))
    if title:
        found = found.filter(title__icontains=title)
    return found.order_by(_order(ordering or "-status_changed_at"), "-id")


def _order(ordering: str) -> OrderBy:
    """Return the same order on every database: titles in any case, films without a year last."""
    name = ordering.removeprefix("-")
    key = Lower(name) if name == "title" else F(name)
    return key.desc(nulls_last=True) if ordering.startswith("-") else key.asc(nulls_last=True)


def requesters(download: Download) -> list[str]:
    """Return the addresses of those who wait for a download, or waited when it ended."""
    left = [DownloadRequest.State.WITHDRAWN, DownloadRequest.State.DECLINED]
    asked = DownloadRequest.objects.filter(download=download, generation=download.generation)
    waiting = asked.exclude(state__in=left).values_list("requester", flat=True)
    return list(dict.fromkeys(waiting))


def download(tmdb_id: int, media_type: str = MediaType.MOVIE) -> Download:
    """Return the download of a title. Raises UnknownFilm when nobody has asked for it."""
    found = Download.objects.filter(media_type=media_type, tmdb_id=tmdb_id).first()
    if found is None:
        raise UnknownFilm(str(tmdb_id))
    return found


def progress(download: Download) -> live.Progress:
    """Return how far a download is, as the last tick saw it."""
    return live.load(download)


def requests_of(requester: str, *, limit: int = 10) -> list[Download]:
    """Return what a person waits for, and what ended for them not long ago, newest first."""
    asked = DownloadRequest.objects.filter(requester=requester, announced_at__isnull=False).exclude(
        state__in=[DownloadRequest.State.WITHDRAWN, DownloadRequest.State.DECLINED]
    )
    ids = asked.filter(generation=F("download__generation")).values("download_id")
    return list(Download.objects.filter(pk__in=ids)[:limit])


# --- The monitor --------------------------------------------------------------------------------


class MonitorNotRunning(Exception):
    """No monitor process is alive; the wanted state is kept for when one starts."""


def monitor_status(now: datetime) -> dict[str, Any]:
    """Return what is known of the monitor: wanted state, leader, ticks, counts, the last error."""
    state = MonitorState.load()
    heartbeat = control.last_heartbeat()
    counts = Download.objects.values_list("status")
    return {
        "wanted": state.wanted,
        "alive": control.is_alive(heartbeat, now),
        "leader": heartbeat.get("leader"),
        "last_heartbeat": heartbeat.get("at"),
        "last_tick": heartbeat.get("last_tick"),
        "tick_seconds": heartbeat.get("tick_seconds"),
        "next_tick": heartbeat.get("next_tick"),
        "last_result": heartbeat.get("result"),
        "error": (heartbeat.get("result") or {}).get("error") or None,
        "active": counts.filter(status__in=ACTIVE).count(),
        "unprocessed_events": DownloadEvent.objects.filter(processed_at=None).count(),
    }


def set_monitor(wanted: str, *, now: datetime, patience: float = 3.0) -> dict[str, Any]:
    """Start or stop the ticks (`running`, `stopped`) and wait for the process to acknowledge.

    Raises MonitorNotRunning when none is alive; the wanted state is kept all the same.
    """
    version = control.want(wanted)
    if not control.is_alive(control.last_heartbeat(), now):
        raise MonitorNotRunning
    acknowledged = control.wait_for_acknowledgement(version, seconds=patience)
    return {**monitor_status(now), "acknowledged": acknowledged}


def watch_monitor(now: datetime) -> None:
    """Have the owner told when no monitor process is at work; a worker looks now and then."""
    control.watch(now)


def take_over(dead: Set[str], now: datetime) -> None:
    """Have a living monitor go on at once with what dead processes were at: ticks, and adds.

    The names are those of `moviesms.claims`.
    """
    ticked, added = control.give_up_lease_of(dead), release_adds(dead, now)
    if ticked or added:
        control.wake()


def wake_monitor() -> None:
    """Ask the monitor to tick now; a Radarr webhook does."""
    control.wake()

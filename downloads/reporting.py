"""What is known of a film, for who asks how it is getting on: measured facts, and no more."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q

from downloads import connections, control, live
from downloads.finding import Match
from downloads.lifecycle import stuck_key
from downloads.models import ACTIVE, Download, DownloadRequest, Status
from downloads.status import NOTHING_FOUND
from moviesms.models import Incident

_MOST_NAMED = 50
_STALE_AFTER_TICKS = 4

State = DownloadRequest.State


@dataclass(frozen=True)
class Report:
    """One film as the last ticks saw it; `request_state` is empty for a film of somebody else's.

    `since` is when its status began; `eta` and `percent` are None unless seen a moment ago.
    """

    download_id: int
    match: Match
    status: str
    reason: str
    since: datetime
    request_state: str = ""
    completed_at: datetime | None = None
    nothing_found: bool = False
    stuck_since: datetime | None = None
    owner_knows: bool = False
    server_is_away: bool = False
    gets_another: bool = False
    percent: float | None = None
    eta: datetime | None = None

    @property
    def name(self) -> str:
        """The title with its year: `Dune (2021)`."""
        return self.match.name

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE

    @property
    def is_pending(self) -> bool:
        """Whether the request waits for the owner's word."""
        return self.request_state == State.PENDING_APPROVAL

    @property
    def is_waited_for(self) -> bool:
        """Whether this person waits for the film still."""
        return self.is_pending or (self.request_state == State.ACTIVE and self.is_active)


def reports_of(requester: str, *, now: datetime, limit: int = 40) -> list[Report]:
    """Return what a person waits for, and what has ended for them; the newest request first."""
    asked = (
        DownloadRequest.objects.select_related("download")
        .filter(requester=requester, generation=F("download__generation"))
        .filter(Q(announced_at__isnull=False) | Q(state=State.PENDING_APPROVAL))
        .exclude(state__in=[State.WITHDRAWN, State.DECLINED])
        .order_by("-id")[:limit]
    )
    newest: dict[int, DownloadRequest] = {}
    for request in asked:
        newest.setdefault(request.download_id, request)
    return _reports(((one.download, one.state) for one in newest.values()), now)


def reports_named(title: str, *, now: datetime) -> list[Report]:
    """Return the films anybody asked for whose titles hold the longest word of `title`."""
    words = sorted(re.findall(r"\w+", title), key=len)
    if not words:
        return []
    found = Download.objects.filter(title__icontains=words[-1])[:_MOST_NAMED]
    return _reports(((download, "") for download in found), now)


def _reports(rows: Iterable[tuple[Download, str]], now: datetime) -> list[Report]:
    known = list(rows)
    told = _owner_was_told([download for download, _ in known])
    return [_report(download, state, download.pk in told, now) for download, state in known]


def _report(download: Download, state: str, owner_knows: bool, now: datetime) -> Report:
    stale = timedelta(seconds=_STALE_AFTER_TICKS * settings.MONITOR_INTERVAL)
    progress = live.load(download, not_before=now - stale)
    is_stuck = download.problem not in ("", NOTHING_FOUND)
    return Report(
        download_id=download.pk,
        match=_match(download),
        status=download.status,
        reason=download.reason,
        since=download.status_changed_at,
        request_state=state,
        completed_at=download.completed_at,
        nothing_found=download.problem == NOTHING_FOUND,
        stuck_since=(download.stuck_since or download.status_changed_at) if is_stuck else None,
        owner_knows=is_stuck and owner_knows,
        server_is_away=download.status == Status.REQUESTED and _radarr_is_away(),
        gets_another=download.another_due,
        percent=progress.percent,
        eta=datetime.fromisoformat(progress.eta) if progress.eta else None,
    )


def _match(download: Download) -> Match:
    return Match(
        tmdb_id=download.tmdb_id,
        title=download.title,
        year=download.year,
        poster_path=download.poster_path,
        release_date=download.release_date.isoformat() if download.release_date else "",
    )


def _owner_was_told(downloads: list[Download]) -> set[int]:
    """Return the ids of those for which the owner has been told that they need a hand."""
    keys = {stuck_key(download): download.pk for download in downloads if download.problem}
    if not keys:
        return set()
    told = Q(opening_told_at__isnull=False) | Q(opening_alerted_at__isnull=False)
    open_now = Incident.objects.filter(told, key__in=keys, closed_at=None)
    return {keys[key] for key in open_now.values_list("key", flat=True)}


def _radarr_is_away() -> bool:
    if connections.radarr_breaker.is_open:
        return True
    result = control.last_heartbeat().get("result") or {}
    return bool(result.get("error"))

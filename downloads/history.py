"""Every ask of a time, with what became of it and when: what the owner's statistics count."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from downloads.models import DownloadEvent, DownloadRequest

READY, FAILED, CANCELLED, LEFT, DECLINED, OPEN = (
    "ready",
    "failed",
    "cancelled",
    "left",
    "declined",
    "open",
)
"""What can have become of an ask."""

_COMPLETED = "completed"
_STEPS = ("started", "importing", _COMPLETED, FAILED, CANCELLED)
_LEFT = {
    DownloadRequest.State.WITHDRAWN: LEFT,
    DownloadRequest.State.DECLINED: DECLINED,
}


@dataclass(frozen=True)
class Ask:
    """One person's ask for a film and its course; times are None for what has not happened."""

    request_id: int
    requester: str
    origin: str
    tmdb_id: int
    name: str
    asked_at: datetime
    found_at: datetime | None  # Radarr found a release
    downloaded_at: datetime | None  # the import began
    ended_at: datetime | None  # ready, failed or cancelled
    outcome: str
    reason: str = ""

    @property
    def was_there(self) -> bool:
        """Whether the film was ready before it was asked for."""
        return bool(self.outcome == READY and self.ended_at and self.ended_at <= self.asked_at)


def asks(since: datetime, until: datetime) -> list[Ask]:
    """Return the asks made in [since, until), oldest first. Two queries, however many there are."""
    requests = (
        DownloadRequest.objects.select_related("download")
        .filter(created_at__gte=since, created_at__lt=until)
        .order_by("created_at", "id")
    )
    rows = list(requests)
    concerned = requests.order_by().values("download_id")
    events = DownloadEvent.objects.filter(download__in=concerned, kind__in=_STEPS).order_by("id")
    courses: dict[tuple[int, int], list[DownloadEvent]] = defaultdict(list)
    for event in events:
        courses[event.download_id, event.generation].append(event)
    return [_ask(row, courses[row.download_id, row.generation]) for row in rows]


def _ask(request: DownloadRequest, course: Iterable[DownloadEvent]) -> Ask:
    at: dict[str, datetime] = {}
    end: DownloadEvent | None = None
    for event in course:
        if event.old_status != event.new_status:
            at.setdefault(event.kind, event.created_at)
            if event.kind in (_COMPLETED, FAILED, CANCELLED):
                end = event
    outcome = _LEFT.get(DownloadRequest.State(request.state)) or _outcome(end)
    return Ask(
        request_id=request.pk,
        requester=request.requester,
        origin=request.origin,
        tmdb_id=request.download.tmdb_id,
        name=request.download.name,
        asked_at=request.created_at,
        found_at=at.get("started"),
        downloaded_at=at.get("importing"),
        ended_at=end.created_at if end else None,
        outcome=outcome,
        reason=end.reason if end and outcome in (FAILED, CANCELLED) else "",
    )


def _outcome(end: DownloadEvent | None) -> str:
    if end is None:
        return OPEN
    return READY if end.kind == _COMPLETED else end.kind

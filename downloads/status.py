"""What a download's status should be, from what Radarr says: a pure function and its table.

First match wins (docs/architecture.md holds the table). An error never gets here: a snapshot that
could not be read in full ends the tick before anything is decided.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from downloads.models import Status
from downloads.radarr import HistoryItem, Movie, QueueItem
from downloads.watching import Row

NOTHING_FOUND = "nothing_found"
RELEASED = "released"

# What a release in the queue clears, and one that gets on.
_IN_QUEUE: Mapping[str, Any] = {
    "failed_seen_at": None,
    "failed_history_id": 0,
    "failed_seen_reason": "",
    "undecided_since": None,
    "absent_since": None,
    "absent_count": 0,
}
_GETS_ON: Mapping[str, Any] = {**_IN_QUEUE, "stuck_since": None, "problem": ""}

_MOVES_TOLD_EVERY = timedelta(days=1)
"""A release date that goes back and forth is told once in this time."""


@dataclass(frozen=True)
class Facts:
    """What one snapshot says of one download. Times are Radarr's, in UTC."""

    movie: Movie | None = None  # as read in this tick; None when it was not read
    absent: bool = False  # Radarr answered that it does not have the film
    queue: Sequence[QueueItem] = ()
    history: Sequence[HistoryItem] = ()  # of this generation, oldest first


@dataclass(frozen=True)
class Graces:
    """How long something must be seen before it counts."""

    search: timedelta
    stuck: timedelta
    failed: timedelta
    missing: timedelta
    nothing_found: timedelta


@dataclass(frozen=True)
class Decision:
    """What to do with one download: its status (perhaps unchanged), a notice, facts to keep."""

    status: Status
    reason: str = ""
    kind: str = ""
    dedupe: str | None = None
    # An event without a change of status: (kind, dedupe, reason).
    notice: tuple[str, str, str] | None = None
    remember: Mapping[str, Any] = field(default_factory=dict)

    def changes(self, download: Row) -> bool:
        """Whether it says anything that the row does not hold yet."""
        return (
            self.status != download.status
            or self.notice is not None
            or any(getattr(download, name) != value for name, value in self.remember.items())
        )


def next_status(download: Row, facts: Facts, now: datetime, graces: Graces) -> Decision:
    """Return what `facts` make of `download` at `now`. Touches neither the database nor Radarr."""
    if _has_arrived(facts):
        return Decision(Status.COMPLETED)
    if facts.queue:
        return _from_queue(download, facts.queue, now, graces)
    if download.status == Status.FAILED:
        return Decision(Status.FAILED)  # still watched, but only a find is news
    return _without_queue(download, facts, now, graces)


def is_stuck(item: QueueItem) -> bool:
    """Whether a person must act, or the download client makes no way (FACTS: Radarr, queue)."""
    return _import_is_blocked(item) or item.status == "warning"


def _has_arrived(facts: Facts) -> bool:
    if facts.movie is not None and facts.movie.has_file:
        return True
    return any(item.event_type == "downloadFolderImported" for item in facts.history)


def _import_is_blocked(item: QueueItem) -> bool:
    return item.tracked_download_state == "importBlocked" or (
        item.tracked_download_state == "importPending"
        and item.tracked_download_status in {"warning", "error"}
    )


def _is_importing(item: QueueItem) -> bool:
    return item.tracked_download_state in {"importing", "importPending"} or _import_is_blocked(item)


def _from_queue(
    download: Row, queue: Sequence[QueueItem], now: datetime, graces: Graces
) -> Decision:
    # Of several releases in the queue the one that gets on is the one that matters.
    item = min(queue, key=lambda i: (is_stuck(i), not _is_importing(i), i.id))
    status = Status.IMPORTING if _is_importing(item) else Status.DOWNLOADING
    if not is_stuck(item):
        return Decision(status, remember=_GETS_ON)
    since = download.stuck_since or now
    facts = {**_IN_QUEUE, "stuck_since": since}
    if now - since < graces.stuck or download.status != status:
        return Decision(status, remember=facts)
    reason = "import" if _import_is_blocked(item) else "stalled"
    if download.problem == reason:
        return Decision(status, remember=facts)
    notice = ("stuck", f"stuck:{item.download_id or item.id}", reason)
    return Decision(status, notice=notice, remember=facts | {"problem": reason})


def _without_queue(download: Row, facts: Facts, now: datetime, graces: Graces) -> Decision:
    present = Status(download.status)
    keep = _failure_seen(download, facts.history, now)
    keep["stuck_since"] = None
    keep["problem"] = NOTHING_FOUND if download.problem == NOTHING_FOUND else ""
    keep["undecided_since"] = download.undecided_since or now
    seen_at = keep["failed_seen_at"]
    if seen_at is not None and now - seen_at >= graces.failed:
        return Decision(Status.FAILED, reason=keep["failed_seen_reason"])
    if facts.absent:
        return _absent(download, now, graces, keep)
    if facts.movie is None:
        return Decision(present, remember=keep)
    keep |= {"absent_since": None, "absent_count": 0}
    if facts.movie.monitored and not facts.movie.is_available:
        return waiting(download, facts.movie, now, keep)
    if not facts.movie.monitored:
        return Decision(present, remember=keep)
    return _searching(download, now, graces, keep)


def _failure_seen(download: Row, history: Sequence[HistoryItem], now: datetime) -> dict[str, Any]:
    """Return the facts of a failed download that nothing was grabbed after."""
    seen = (download.failed_seen_at, download.failed_history_id, download.failed_seen_reason)
    for item in history:
        if item.event_type == "grabbed":
            seen = (None, 0, "")
        elif item.event_type == "downloadFailed":
            # The same row is read again and again; another failure has a grace of its own.
            known = download.failed_seen_at if item.id == download.failed_history_id else None
            seen = (known or now, item.id, (item.message or "")[:300])
    return dict(
        zip(("failed_seen_at", "failed_history_id", "failed_seen_reason"), seen, strict=True)
    )


def _absent(download: Row, now: datetime, graces: Graces, keep: dict[str, Any]) -> Decision:
    since = download.absent_since or now
    keep |= {"absent_since": since, "absent_count": download.absent_count + 1}
    if now - since >= graces.missing and download.absent_count >= 1:
        return Decision(Status.CANCELLED, reason="removed")
    return Decision(Status(download.status), remember=keep)


def waiting(
    download: Row, movie: Movie, now: datetime, keep: Mapping[str, Any] | None = None
) -> Decision:
    """Wait for a release: its date is told at once, and one that moved at most once a day."""
    release = movie.release_date.date() if movie.release_date else None
    reason = release.isoformat() if release else ""
    facts = dict(keep or {})
    kind, key = _news_of_date(download, reason, now)
    if kind:
        facts |= {"release_told": reason, "release_told_at": now}
    if download.status != Status.WAITING:
        return Decision(Status.WAITING, reason=reason, kind=kind, dedupe=key, remember=facts)
    facts["reason"] = reason
    notice = (kind, key, reason) if kind and key else None
    return Decision(Status.WAITING, notice=notice, remember=facts)


def _news_of_date(download: Row, iso: str, now: datetime) -> tuple[str, str | None]:
    """Return what a release date tells (kind and key), or nothing."""
    told_at = download.release_told_at
    if told_at is None:
        return "waiting", f"waiting:{iso or 'unknown'}"
    if download.release_told == iso or now - told_at < _MOVES_TOLD_EVERY:
        return "", None
    return "moved", f"moved:{iso or 'unknown'}:{now.date().isoformat()}"


def _searching(download: Row, now: datetime, graces: Graces, keep: dict[str, Any]) -> Decision:
    present = Status(download.status)
    if present == Status.WAITING:
        key = f"{RELEASED}:{download.reason or 'unknown'}"
        return Decision(Status.SEARCHING, kind=RELEASED, dedupe=key, remember=keep)
    if present != Status.SEARCHING:
        waited = now - keep["undecided_since"]
        return Decision(Status.SEARCHING if waited >= graces.search else present, remember=keep)
    is_new = download.problem != NOTHING_FOUND
    if is_new and now - download.status_changed_at >= graces.nothing_found:
        notice = (NOTHING_FOUND, NOTHING_FOUND, "")
        return Decision(present, notice=notice, remember=keep | {"problem": NOTHING_FOUND})
    return Decision(present, remember=keep)

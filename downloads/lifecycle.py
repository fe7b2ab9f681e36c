"""The only code that sets a download's status: compare-and-set plus event, in one transaction."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from downloads.models import Download, DownloadEvent, DownloadRequest, MonitorState, Status
from downloads.watching import Row
from moviesms.incidents import close_incident

# Which status may follow which; an end is left by a later find or by a new generation alone.
_ON_THE_WAY = frozenset(
    {
        Status.SEARCHING,
        Status.WAITING,
        Status.DOWNLOADING,
        Status.IMPORTING,
        Status.COMPLETED,
        Status.FAILED,
        Status.CANCELLED,
    }
)
EDGES: dict[str, frozenset[Status]] = {
    Status.REQUESTED: _ON_THE_WAY,
    Status.SEARCHING: _ON_THE_WAY - {Status.SEARCHING},
    Status.WAITING: _ON_THE_WAY - {Status.WAITING},
    Status.DOWNLOADING: _ON_THE_WAY - {Status.DOWNLOADING},
    Status.IMPORTING: _ON_THE_WAY - {Status.IMPORTING},
    Status.FAILED: frozenset(
        {Status.REQUESTED, Status.DOWNLOADING, Status.IMPORTING, Status.COMPLETED}
    ),
    Status.COMPLETED: frozenset({Status.REQUESTED}),
    Status.CANCELLED: frozenset({Status.REQUESTED}),
}

# What a person may be told of a status, once per generation. `waiting` adds its date.
_TOLD = {
    Status.DOWNLOADING: "started",
    Status.COMPLETED: "completed",
    Status.FAILED: "failed",
    Status.CANCELLED: "cancelled",
}

# A grace starts anew when the status changes.
_FORGOTTEN: dict[str, Any] = {
    "problem": "",
    "failed_seen_at": None,
    "failed_history_id": 0,
    "failed_seen_reason": "",
    "absent_since": None,
    "absent_count": 0,
    "stuck_since": None,
    "undecided_since": None,
}


def transition_to(
    download: Download,
    status: Status,
    *,
    now: datetime,
    reason: str = "",
    kind: str = "",
    dedupe: str | None = None,
    **changes: Any,
) -> bool:
    """Move `download` to `status` if nobody moved it since it was read; say whether it moved.

    `kind` and `dedupe` name what may be told once per generation; by default what the status
    itself tells.
    `changes` are further fields of the row, written in the same statement. On success `download`
    holds the new values. Raises ValueError for an edge that the table above does not have.
    """
    if status not in EDGES[download.status]:
        raise ValueError(f"no way from {download.status} to {status}")
    fields = {
        **_FORGOTTEN,
        "status": status,
        "reason": reason[:300],
        "status_changed_at": now,
        "add_lease": None,
        **changes,
    }
    if status == Status.COMPLETED:
        fields["completed_at"] = now
    had_problem = bool(download.problem)
    with transaction.atomic():
        moved = _write(
            download,
            fields,
            kind=kind or _TOLD.get(status, status.value),
            dedupe=dedupe or _TOLD.get(status),
            reason=reason,
            now=now,
        )
        if moved and status == Status.COMPLETED:
            # The film is there for everybody: nothing is left to approve, they hear of it too.
            _pending(download, download.generation).update(state=DownloadRequest.State.ACTIVE)
    if moved and had_problem:
        close_incident(stuck_key(download), now=now)
    return moved


def note(
    download: Download,
    kind: str,
    *,
    now: datetime,
    dedupe: str | None,
    reason: str = "",
    changes: Mapping[str, Any] | None = None,
) -> bool:
    """Record an event that leaves the status as it is; same rules as `transition_to`.

    `reason` is the event's, `changes` are fields of the row.
    """
    return _write(download, dict(changes or {}), kind=kind, dedupe=dedupe, reason=reason, now=now)


def remember(download: Download, **facts: Any) -> bool:
    """Keep facts that a grace needs; no event, and only if nobody moved the row meanwhile."""
    seen = Download.objects.filter(pk=download.pk, version=download.version)
    if not seen.update(**facts):
        return False
    _apply(download, facts)
    return True


def begin_generation(download: Download, *, now: datetime, **changes: Any) -> bool:
    """Ask again for a download that has ended: what happened before no longer counts.

    Who waits for an approval waits for it in the new generation.
    """
    before = download.generation
    floor = MonitorState.load().history_last_id
    with transaction.atomic():
        begun = transition_to(
            download,
            Status.REQUESTED,
            now=now,
            generation=before + 1,
            generation_started_at=now,
            history_floor=floor,
            removal_due=False,
            completed_at=None,
            release_told="",
            release_told_at=None,
            **{"another_due": False, "bad_file_id": None, **changes},
        )
        if begun:
            _pending(download, before).update(generation=download.generation)
    return begun


def cancel_unwanted(download_id: int, *, now: datetime) -> bool:
    """Cancel a download that is not in Radarr yet and that nobody asks for any more.

    Those who asked have left or were declined: nobody is told.
    """
    State = DownloadRequest.State
    with transaction.atomic():
        # Locked: who asks for it at this moment waits, and then finds it cancelled.
        download = Download.objects.select_for_update().get(pk=download_id)
        waiting = DownloadRequest.objects.filter(
            download=download,
            generation=download.generation,
            state__in=[State.ACTIVE, State.PENDING_APPROVAL],
        )
        being_added = download.add_lease is not None and download.add_lease > now
        if download.status != Status.REQUESTED or being_added or waiting.exists():
            return False
        return transition_to(download, Status.CANCELLED, now=now, reason="unwanted")


def _pending(download: Download, generation: int) -> QuerySet[DownloadRequest]:
    return DownloadRequest.objects.filter(
        download=download,
        generation=generation,
        state=DownloadRequest.State.PENDING_APPROVAL,
    )


def stuck_key(download: Download) -> str:
    """Return the key of the incident that this download needs a hand."""
    return f"stuck:{download.pk}"


def settle_requests(download: Download, generation: int, *, found: bool) -> None:
    """Move the requests of an ended generation to their own end: `fulfilled`, or `ended`.

    A request that was not announced yet is left to the reply that announces it.
    """
    State = DownloadRequest.State
    # A film that failed and was found later fulfils what the failure had ended.
    DownloadRequest.objects.filter(
        download=download,
        generation=generation,
        state__in=[State.ACTIVE, State.ENDED] if found else [State.ACTIVE],
        announced_at__isnull=False,
    ).update(state=State.FULFILLED if found else State.ENDED)


def _write(
    download: Download,
    fields: dict[str, Any],
    *,
    kind: str,
    dedupe: str | None,
    reason: str,
    now: datetime,
) -> bool:
    old_status = download.status
    with transaction.atomic():
        seen = Download.objects.filter(pk=download.pk, version=download.version)
        if not seen.update(**fields, version=download.version + 1):
            return False
        generation = fields.get("generation", download.generation)
        # The row is ours until the commit, so this look cannot be overtaken.
        told = (
            dedupe is not None
            and DownloadEvent.objects.filter(
                download=download, generation=generation, dedupe=dedupe
            ).exists()
        )
        DownloadEvent.objects.create(
            download=download,
            generation=generation,
            kind=kind,
            old_status=old_status,
            new_status=fields.get("status", old_status),
            reason=reason[:300],
            dedupe=None if told else dedupe,
            created_at=now,
            # What nobody is told has nothing left to process.
            processed_at=now if told or dedupe is None else None,
        )
    _apply(download, {**fields, "version": download.version + 1})
    return True


def _apply(download: Download, fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        setattr(download, name, value)


def counts_for(download: Row, item_id: int, at: datetime, *, skew: timedelta) -> bool:
    """Whether a row of Radarr's history belongs to the download's present generation."""
    if item_id and item_id <= download.history_floor:
        return False
    return at >= download.generation_started_at - skew

"""One tick of the monitor: read the rows, read Radarr, compare, and record what changed.

Several monitors may tick at once: a lease in Redis saves the work, and the compare-and-set on each
row's version keeps the result right without it.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db.models import F

from downloads import another, connections, lifecycle, live
from downloads.adding import remove, try_add
from downloads.http import ServiceError
from downloads.models import ACTIVE, Download, DownloadRequest, MonitorState, Status
from downloads.radarr import HistoryItem, Movie, Radarr
from downloads.snapshot import (
    OVERLAP,
    FilmsRead,
    Snapshot,
    is_same_film,
    read_by_id,
    read_films,
    read_snapshot,
)
from downloads.status import RELEASED, Decision, Facts, Graces, next_status
from downloads.watching import Row, Watched, watched
from moviesms.incidents import close_incident, open_incident
from moviesms.logs import mask_phone

log = structlog.get_logger(__name__)

WHOLE_LIST_EVERY = timedelta(minutes=5)
MOST_ADDS = 20
"""How many saved requests a tick puts into Radarr, so that one tick stays one tick."""


@dataclass
class TickResult:
    """What a tick did: counts, and the error that ended it early (empty when none did)."""

    active: int = 0
    changed: int = 0
    added: int = 0
    removed: int = 0
    error: str = ""

    @property
    def made_events(self) -> bool:
        return bool(self.changed or self.added)

    def as_dict(self) -> dict[str, int | str]:
        """Return the counts by name, for the heartbeat."""
        return asdict(self)


def tick(now: datetime, *, last_tick: datetime | None = None) -> TickResult:
    """Bring every download on its way up to date with Radarr, and add or remove what is due.

    `now` in UTC; `last_tick` is when the tick before this one was, if that is known. Raises nothing
    for a Radarr that is down: the result carries the error, and nothing is concluded from it.
    """
    rows = watched(now)
    result = TickResult(active=sum(row.is_active for row in rows))
    if not rows:
        return result
    try:
        _observe([row for row in rows if _is_followed(row)], now, last_tick, result)
        others = [row.as_download() for row in rows if not _is_followed(row)]
        _get_others(others, now, result)
        _add_saved(others, now, result)
        _remove_due(others, now, result)
    except ServiceError as error:
        result.error = str(error)
        connections.radarr_breaker.failed(error.code, retry_after=settings.RADARR_RETRY_AFTER)
        _tell_owner(error, now)
    if not result.error:
        connections.radarr_breaker.succeeded()
        close_incident("radarr:unusable", now=now)
    return result


def _is_followed(row: Watched) -> bool:
    """Whether Radarr says what becomes of it: it was put there, and not given up."""
    return row.status not in (Status.REQUESTED, Status.CANCELLED)


def _observe(
    followed: Sequence[Watched], now: datetime, last_tick: datetime | None, result: TickResult
) -> None:
    """Read Radarr once and bring every followed row up to date. Raises ServiceError."""
    if not followed:
        return
    radarr = connections.radarr()
    state = MonitorState.load()
    snapshot = read_snapshot(radarr, cursor=state.history_cursor, now=now)
    films = _read_films(radarr, _undecided(followed, snapshot), now, last_tick)
    followed = [_follow_new_id(row, films.movies.get(row.pk)) for row in followed]
    changes = _changes(followed, snapshot, films, now)
    changed = {download.pk: download for download, _ in changes}
    changes = _without_other_films(radarr, changes, films)
    for download, decision in _without_false_absences(radarr, changes, now):
        # Radarr does not look by itself for what has come out; asked twice it looks once.
        if decision.kind == RELEASED and download.radarr_id:
            radarr.search(download.radarr_id)
        result.changed += _apply(download, decision, now)
    _move_cursor(state, snapshot)
    _store_views([changed.get(row.pk, row) for row in followed], snapshot, now)


def _undecided(followed: Sequence[Watched], snapshot: Snapshot) -> list[Watched]:
    """The rows that queue and history say nothing of: their films must be looked at."""
    return [
        row
        for row in followed
        if row.is_active
        and not snapshot.queue.get(row.radarr_id or 0)
        and not any(
            item.event_type == "downloadFolderImported" for item in _history_of(row, snapshot)
        )
    ]


def _read_films(
    radarr: Radarr, undecided: Sequence[Watched], now: datetime, last_tick: datetime | None
) -> FilmsRead:
    period = WHOLE_LIST_EVERY.total_seconds()
    is_due = last_tick is None or now.timestamp() // period != last_tick.timestamp() // period
    turn = int(now.timestamp() // settings.MONITOR_INTERVAL)
    films = read_films(radarr, undecided, turn=turn, whole_list=is_due)
    looked_at = len(films.movies) + len(films.absent)
    if len(films.absent) > 3 and 2 * len(films.absent) > looked_at:
        open_incident(
            "radarr:films_missing",
            f"{len(films.absent)} films on their way are gone from Radarr at once. Is RADARR_URL "
            "the right Radarr? Nothing was cancelled.",
            now=now,
        )
        return FilmsRead(films.movies)
    if not films.absent:
        close_incident("radarr:films_missing", now=now)
    return films


def _follow_new_id(row: Watched, movie: Movie | None) -> Watched:
    """Keep to a film that the owner took out of Radarr and put in again: it has another id."""
    if movie is None or movie.id == row.radarr_id:
        return row
    if not lifecycle.remember(row.as_download(), radarr_id=movie.id, added_by_us=False):
        return row
    return row._replace(radarr_id=movie.id, added_by_us=False)


def _changes(
    followed: Sequence[Watched], snapshot: Snapshot, films: FilmsRead, now: datetime
) -> list[tuple[Download, Decision]]:
    """Decide on every row; return those that this changes, which are few in most ticks."""
    graces = _graces()
    changes = []
    for row in followed:
        decision = next_status(row, _facts_for(row, snapshot, films), now, graces)
        if decision.changes(row):
            changes.append((row.as_download(), decision))
    return changes


def _without_other_films(
    radarr: Radarr, decided: list[tuple[Download, Decision]], films: FilmsRead
) -> list[tuple[Download, Decision]]:
    """Leave out what queue and history say of another film that has got our film's id in Radarr.

    That happens where Radarr's database was made anew. Looked at only when a status is about to
    change, so it costs a call for each change, and one list where there are many.
    """
    unseen = [
        d
        for d, decision in decided
        if decision.status != d.status
        and d.radarr_id
        and d.pk not in films.movies
        and d.pk not in films.absent
    ]
    seen = read_by_id(radarr, unseen)
    others = {d.pk for d in unseen if not (d.pk in seen and is_same_film(d, seen[d.pk]))}
    for download, _ in decided:
        if download.pk in others:
            log.warning("another film has this id in Radarr", download=download.pk)
            lifecycle.remember(download, radarr_id=None, added_by_us=False)
    return [pair for pair in decided if pair[0].pk not in others]


def _without_false_absences(
    radarr: Radarr, decided: list[tuple[Download, Decision]], now: datetime
) -> list[tuple[Download, Decision]]:
    """Leave out cancellations when this seems to be another Radarr, or an emptied one.

    Looked at only when a film is about to be cancelled, so one whole list costs nothing else.
    """
    gone = [d for d, decision in decided if decision.status == Status.CANCELLED != d.status]
    if not gone or _is_our_radarr(radarr):
        return decided
    open_incident(
        "radarr:films_missing",
        "Radarr has none of the films it had. Is RADARR_URL the right Radarr? Nothing was "
        "cancelled.",
        now=now,
    )
    return [pair for pair in decided if pair[0] not in gone]


def _is_our_radarr(radarr: Radarr) -> bool:
    """Whether Radarr has films at all and, where we know of some, one that it had before."""
    present = {movie.tmdb_id for movie in radarr.movies()}
    ended = Download.objects.filter(status=Status.COMPLETED, radarr_id__isnull=False)
    known = set(ended.order_by("-completed_at").values_list("tmdb_id", flat=True)[:50])
    return bool(present) and (not known or bool(known & present))


def _history_of(row: Watched, snapshot: Snapshot) -> list[HistoryItem]:
    return [
        item
        for item in snapshot.history.get(row.radarr_id or 0, ())
        if lifecycle.counts_for(row, item.id, item.date, skew=OVERLAP)
    ]


def _facts_for(row: Watched, snapshot: Snapshot, films: FilmsRead) -> Facts:
    return Facts(
        movie=films.movies.get(row.pk),
        absent=row.pk in films.absent,
        queue=snapshot.queue.get(row.radarr_id or 0, ()),
        history=_history_of(row, snapshot),
    )


def _graces() -> Graces:
    return Graces(
        search=timedelta(seconds=settings.SEARCH_GRACE),
        stuck=timedelta(seconds=settings.STUCK_GRACE),
        failed=timedelta(seconds=settings.FAILED_GRACE),
        missing=timedelta(seconds=settings.MISSING_GRACE),
        nothing_found=timedelta(seconds=settings.NOTHING_FOUND_AFTER),
    )


def _apply(download: Download, decision: Decision, now: datetime) -> bool:
    """Write what was decided, if nobody moved the row meanwhile; True when it made an event."""
    facts = {k: v for k, v in decision.remember.items() if getattr(download, k) != v}
    if download.problem and facts.get("problem") == "":
        close_incident(lifecycle.stuck_key(download), now=now)
    if decision.status != download.status:
        before = download.status
        moved = lifecycle.transition_to(
            download,
            decision.status,
            now=now,
            reason=decision.reason,
            kind=decision.kind,
            dedupe=decision.dedupe,
            **decision.remember,
        )
        if moved:
            log.info("status", download=download.pk, old=before, new=download.status)
        return moved
    if decision.notice:
        kind, dedupe, reason = decision.notice
        if kind == "stuck":
            _tell_owner_of_stuck(download, reason, now)
        return lifecycle.note(
            download, kind, now=now, dedupe=dedupe, reason=reason, changes=decision.remember
        )
    if facts:
        lifecycle.remember(download, **facts)
    return False


def _tell_owner_of_stuck(download: Download, reason: str, now: datetime) -> None:
    what = (
        "was downloaded but Radarr cannot import it: look at Radarr's queue (manual import)"
        if reason == "import"
        else "makes no progress in the download client"
    )
    open_incident(lifecycle.stuck_key(download), f"{download.name} {what}.", now=now)


def _move_cursor(state: MonitorState, snapshot: Snapshot) -> None:
    """Move behind what was read; every transition from it has been committed by now."""
    last_id = max(state.history_last_id, snapshot.last_history_id)
    if (snapshot.cursor, last_id) == (state.history_cursor, state.history_last_id):
        return
    MonitorState.objects.filter(pk=state.pk).update(
        history_cursor=snapshot.cursor, history_last_id=last_id
    )


def _store_views(followed: Sequence[Row], snapshot: Snapshot, now: datetime) -> None:
    requesters: dict[int, list[str]] = {}
    waiting = DownloadRequest.objects.filter(
        download__status__in=ACTIVE,
        generation=F("download__generation"),
        state=DownloadRequest.State.ACTIVE,
    )
    for download_id, requester in waiting.values_list("download_id", "requester"):
        requesters.setdefault(download_id, []).append(mask_phone(requester))
    live.store(
        (
            (
                d,
                live.progress_of(snapshot.queue.get(d.radarr_id or 0, ())),
                requesters.get(d.pk, []),
            )
            for d in followed
        ),
        now=now,
    )


def _get_others(downloads: Sequence[Download], now: datetime, result: TickResult) -> None:
    """Have another release looked for where the owner said that the file is bad."""
    for download in downloads:
        if download.another_due and download.status == Status.REQUESTED:
            result.added += another.replace(download, now=now)


def _add_saved(downloads: Sequence[Download], now: datetime, result: TickResult) -> None:
    """Put saved requests into Radarr, oldest first, until Radarr proves to be away."""
    saved = [d for d in downloads if d.status == Status.REQUESTED and not d.another_due]
    if not saved:
        return
    asked_for = set(
        DownloadRequest.objects.filter(
            download__in=saved,
            generation=F("download__generation"),
            state=DownloadRequest.State.ACTIVE,
        ).values_list("download_id", flat=True)
    )
    for download in saved:
        if download.pk not in asked_for:
            result.changed += lifecycle.cancel_unwanted(download.pk, now=now)
    for download in [d for d in saved if d.pk in asked_for][:MOST_ADDS]:
        if try_add(download, now=now, patient=True):
            result.added += download.status != Status.REQUESTED
            continue
        result.error = result.error or "Radarr did not take a saved request; see the log."
        if connections.radarr_breaker.is_open:
            return


def _remove_due(downloads: Sequence[Download], now: datetime, result: TickResult) -> None:
    for download in downloads:
        if download.removal_due and download.status == Status.CANCELLED:
            remove(download, now=now)
            result.removed += 1


def _tell_owner(error: ServiceError, now: datetime) -> None:
    log.warning("tick ended early", code=error.code, error=str(error))
    if error.permanent:
        open_incident("radarr:unusable", f"Radarr cannot be used: {error}", now=now)

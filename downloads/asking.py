"""Asking for a film, and changing one's mind: the rows first, then Radarr.

A replay of the same ask after a crash finds its own rows and gives the same answer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Max
from django.utils.module_loading import import_string

from downloads import connections, control
from downloads.adding import try_add
from downloads.finding import Match
from downloads.http import ServiceError
from downloads.lifecycle import begin_generation, transition_to
from downloads.models import Download, DownloadEvent, DownloadRequest, MediaType, Status

_TRIES = 5
"""How often a compare-and-set is tried again when somebody else moved the row first."""


class AlreadyCompleted(Exception):
    """The download has its film: there is nothing to cancel or to retry."""


class NotAllowed(Exception):
    """The owner's terms refuse this ask. `code` is stable; `free_at` is when one may ask again."""

    def __init__(self, code: str, *, free_at: datetime | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.free_at = free_at


Rule = Callable[[], bool]
"""The owner's terms for one ask: whether it needs an approval. Raises NotAllowed.

Called in the transaction that writes the request, so that what it counts cannot be overtaken; not
called for a film that is ready or on its way for others, since joining is free.
"""


class Outcome:
    """What became of an ask; the closed set of `Taken.outcome`."""

    ADDED = "added"  # on its way now
    SAVED = "saved"  # kept; Radarr could not be reached, the monitor will add it
    JOINED = "joined"  # on its way already, for this person or another
    AVAILABLE = "available"  # ready to watch
    REFUSED = "refused"  # Radarr will not take it; `reason` says why
    PENDING = "pending"  # waits for an approval


@dataclass(frozen=True)
class Taken:
    """The answer to an ask: what became of it, and the rows behind it."""

    outcome: str
    request_id: int
    created: bool
    download: Download


def request_movie(
    match: Match,
    requester: str,
    *,
    origin: str,
    now: datetime,
    rule: Rule | None = None,
) -> Taken:
    """Take a person's ask for a film: write the rows, then try to add it to Radarr.

    `rule` is what the owner says of asks like this one; without it nothing binds. Repeating the
    call with the same `origin` repeats its outcome and has no second effect. Raises what `rule`
    raises, and nothing for a Radarr that is down: the outcome is then `saved`.
    """
    is_there = _is_there(match, bound=rule is not None)
    request, created = _write_request(match, requester, origin, now, rule, is_there)
    download = request.download
    if request.state == DownloadRequest.State.PENDING_APPROVAL:
        return Taken(Outcome.PENDING, request.pk, created, download)
    reached = True
    if download.status == Status.REQUESTED:
        reached = try_add(download, now=now)
        control.wake()
    outcome = _outcome(download, reached, is_first=_is_first(request, origin))
    return Taken(outcome, request.pk, created, download)


def write_pending(match: Match, requester: str, *, origin: str, now: datetime) -> DownloadRequest:
    """Write a request that waits for an approval and return it; nobody outside is asked."""
    return _write_request(match, requester, origin, now, lambda: True, is_there=False)[0]


def _outcome(download: Download, reached: bool, *, is_first: bool) -> str:
    if download.status == Status.COMPLETED:
        return Outcome.AVAILABLE
    if not download.is_active:
        return Outcome.REFUSED
    if not reached:
        return Outcome.SAVED
    return Outcome.ADDED if is_first else Outcome.JOINED


def _is_first(request: DownloadRequest, origin: str) -> bool:
    """Whether it was this ask that started the download; the same answer in every replay."""
    State = DownloadRequest.State
    earlier = DownloadRequest.objects.filter(
        download=request.download_id, generation=request.generation, id__lt=request.pk
    ).exclude(state__in=[State.PENDING_APPROVAL, State.DECLINED])
    return request.origin == origin and not earlier.exists()


def _write_request(
    match: Match,
    requester: str,
    origin: str,
    now: datetime,
    rule: Rule | None,
    is_there: bool,
) -> tuple[DownloadRequest, bool]:
    """Return the request of this origin or, for this person and film, the open one."""
    for _ in range(_TRIES):
        try:
            with transaction.atomic():
                earlier = _of_origin(origin)
                if earlier is not None:
                    return earlier, False
                download = _wanted(match, now, is_there)
                return _join(download, requester, origin, rule, is_there)
        except (IntegrityError, _MovedMeanwhile):
            continue
    raise RuntimeError(f"no request could be written for {match.tmdb_id}")


class _MovedMeanwhile(Exception):
    """Somebody moved the row between our read and our write: look again."""


def _of_origin(origin: str) -> DownloadRequest | None:
    return DownloadRequest.objects.filter(origin=origin).first()


def _is_there(match: Match, *, bound: bool) -> bool:
    """Whether the film's file is in the library; a Radarr that is away changes nothing.

    Looked at for what was ready and, where terms bind the ask, for what we never had to do with:
    what the library holds needs nobody's leave.
    """
    download = Download.objects.filter(tmdb_id=match.tmdb_id).first()
    was_ready = download is not None and download.status == Status.COMPLETED
    is_followed = download is not None and download.is_active
    if not was_ready and (is_followed or not bound):
        return False
    if connections.radarr_breaker.is_open:
        return was_ready
    try:
        movie = connections.radarr().movie_by_tmdb_id(match.tmdb_id)
    except ServiceError:
        return was_ready
    return movie is not None and movie.has_file


def _wanted(match: Match, now: datetime, is_there: bool) -> Download:
    """Return the download of this film, asked for again if it has ended without its file."""
    # Locked, so that it is not cancelled as unwanted while somebody joins it.
    download, _ = Download.objects.select_for_update().get_or_create(
        media_type=MediaType.MOVIE,
        tmdb_id=match.tmdb_id,
        defaults={
            "title": match.title[:500],
            "year": match.year,
            "poster_path": match.poster_path,
            "release_date": match.release_date or None,
            "created_at": now,
            "generation_started_at": now,
            "status_changed_at": now,
        },
    )
    is_ready = download.status == Status.COMPLETED and is_there
    if not download.is_active and not is_ready and not begin_generation(download, now=now):
        raise _MovedMeanwhile
    return download


def _join(
    download: Download, requester: str, origin: str, rule: Rule | None, is_there: bool
) -> tuple[DownloadRequest, bool]:
    State = DownloadRequest.State
    mine = DownloadRequest.objects.filter(
        download=download,
        generation=download.generation,
        requester=requester,
        state__in=[State.ACTIVE, State.PENDING_APPROVAL],
    ).first()
    free = is_there or _is_on_its_way(download)
    if mine is not None:
        if free and mine.state == State.PENDING_APPROVAL:
            # Somebody else's ask made it go: now there is nothing left to approve.
            mine.state, mine.since_event = State.ACTIVE, newest_event(download)
            mine.save(update_fields=["state", "since_event"])
        mine.download = download
        return mine, False
    pending = rule is not None and not free and rule()
    request = DownloadRequest.objects.create(
        download=download,
        generation=download.generation,
        requester=requester,
        state=State.PENDING_APPROVAL if pending else State.ACTIVE,
        origin=origin,
        since_event=newest_event(download),
        free=free,
    )
    return request, True


def _is_on_its_way(download: Download) -> bool:
    """Whether the film is being got, or about to be, for somebody who may have it."""
    if download.status != Status.REQUESTED:
        return True
    wanted = DownloadRequest.objects.filter(
        download=download, generation=download.generation, state=DownloadRequest.State.ACTIVE
    )
    return wanted.exists()


def newest_event(download: Download) -> int:
    """Return the id of the newest event: only later ones are news to who joins now; 0 if none."""
    newest = DownloadEvent.objects.filter(download=download).aggregate(newest=Max("id"))["newest"]
    return int(newest or 0)


def cancel_download(download: Download, *, now: datetime) -> Download:
    """Cancel a download for all who asked. Raises AlreadyCompleted when the film is there.

    Cancelling what is cancelled or has failed changes nothing. It is taken out of Radarr when we
    put it there, by the next tick.
    """
    for _ in range(_TRIES):
        download.refresh_from_db()
        if download.status == Status.COMPLETED:
            raise AlreadyCompleted(download.name)
        if not download.is_active:
            return download
        due = download.added_by_us and download.radarr_id is not None
        if transition_to(download, Status.CANCELLED, now=now, reason="cancelled", removal_due=due):
            _tell_and_wake()
            return download
    raise RuntimeError("the download changes too fast to be cancelled")


def withdraw(download_id: int, requester: str) -> bool:
    """Let one person leave a download; it goes on. False when they were not waiting for it."""
    left = DownloadRequest.objects.filter(
        download=download_id,
        generation=F("download__generation"),
        requester=requester,
        state__in=[DownloadRequest.State.ACTIVE, DownloadRequest.State.PENDING_APPROVAL],
    )
    return bool(left.update(state=DownloadRequest.State.WITHDRAWN))


def retry_download(download: Download, *, now: datetime) -> Download:
    """Ask again for a download that failed or was cancelled, for all who waited for it.

    One that is still on its way is searched for anew. Raises AlreadyCompleted.
    """
    download.refresh_from_db()
    if download.status == Status.COMPLETED:
        raise AlreadyCompleted(download.name)
    if download.is_active:
        _search_again(download)
        return download
    with transaction.atomic():
        generation = download.generation
        if begin_generation(download, now=now):
            _carry_over(download, generation, now)
    try_add(download, now=now)
    _tell_and_wake()
    return download


def _search_again(download: Download) -> None:
    if download.status == Status.REQUESTED or download.radarr_id is None:
        control.wake()
        return
    connections.radarr().search(download.radarr_id)


def _carry_over(download: Download, generation: int, now: datetime) -> None:
    """Let who waited for the last generation wait for this one; they need no new announcement."""
    State = DownloadRequest.State
    newest = newest_event(download)
    before = DownloadRequest.objects.filter(
        download=download, generation=generation, state__in=[State.ACTIVE, State.ENDED]
    )
    waited = {request.requester: request for request in before}
    DownloadRequest.objects.bulk_create(
        DownloadRequest(
            download=download,
            generation=download.generation,
            requester=request.requester,
            since_event=newest,
            announced_at=now,
            free=True,  # it is not the person who asks again
            origin=f"retry:{download.generation}:{request.pk}",
        )
        for request in waited.values()
    )


def _tell_and_wake() -> None:
    import_string(settings.DOWNLOADS_ON_EVENTS)()
    control.wake()

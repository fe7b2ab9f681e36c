"""What the downloads offer to the rest: the bot, the API, the admin. Everything goes through here.

A requester is an opaque address. Times are aware and in UTC. Calls that reach TMDB or Radarr are
made outside any transaction.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.models import F, Max, QuerySet
from django.utils.module_loading import import_string

from downloads import connections, control, live
from downloads.adding import try_add
from downloads.http import ServiceError
from downloads.lifecycle import begin_generation, settle_requests, transition_to
from downloads.matching import Query, decide
from downloads.models import (
    ACTIVE,
    Download,
    DownloadEvent,
    DownloadRequest,
    MediaType,
    MonitorState,
    Status,
)
from downloads.tmdb import Film

log = structlog.get_logger(__name__)

__all__ = [
    "AlreadyCompleted",
    "EventNews",
    "Match",
    "Outcome",
    "Resolution",
    "ServiceError",
    "Taken",
    "UnknownFilm",
]

API_ORIGIN = "api:"
"""How the origin of a request begins that was made through the API."""

_TRIES = 5
"""How often a compare-and-set is tried again when somebody else moved the row first."""


class UnknownFilm(Exception):
    """TMDB has no film of this id, or we have no download of it."""


class AlreadyCompleted(Exception):
    """The download has its film: there is nothing to cancel or to retry."""


@dataclass(frozen=True)
class Match:
    """A TMDB film offered to a person."""

    tmdb_id: int
    title: str
    year: int | None = None
    poster_path: str = ""
    release_date: str = ""  # ISO, empty when TMDB has none

    @property
    def name(self) -> str:
        """The title with its year: `Dune (2021)`."""
        return f"{self.title} ({self.year})" if self.year else self.title

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for a JSON column; `Match(**fields)` reads them again."""
        return asdict(self)


@dataclass(frozen=True)
class Resolution:
    """Which films a title may mean, best first. `sure`: exactly one, and nothing to ask."""

    matches: list[Match]
    sure: bool


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


@dataclass(frozen=True)
class EventNews:
    """An event to be told: the facts to say, and the open requests that are to hear of it."""

    event_id: int
    kind: str
    reason: str
    name: str
    tmdb_id: int
    created_at: datetime
    superseded: bool
    requests: list[tuple[int, str]]  # (request id, requester)


# --- Finding ------------------------------------------------------------------------------------


def resolve(title: str, year: int | None = None) -> Resolution:
    """Look `title` up on TMDB. Raises ServiceError when TMDB does not answer."""
    films = _search(title, year)
    if not films and year:
        films = _search(title, None)
    verdict = decide(Query(title, year), films)
    return Resolution([_match(film) for film in verdict.films], verdict.sure)


def film(tmdb_id: int) -> Match:
    """Return the film of a TMDB id. Raises UnknownFilm, or ServiceError when TMDB fails."""
    found = connections.tmdb().movie(tmdb_id)
    if found is None:
        raise UnknownFilm(str(tmdb_id))
    return _match(found)


def _search(title: str, year: int | None) -> list[Film]:
    key = f"tmdb:search:{title.casefold()[:150]}:{year or ''}"
    kept = cache.get(key)
    if kept is not None:
        return [Film.model_validate(fields) for fields in kept]
    films = connections.tmdb().search(title, year)
    cache.set(key, [film.model_dump(mode="json") for film in films], settings.TMDB_CACHE_TTL)
    return films


def _match(film: Film) -> Match:
    return Match(
        tmdb_id=film.tmdb_id,
        title=film.title,
        year=film.year,
        poster_path=film.poster_path or "",
        release_date=film.release_date.isoformat() if film.release_date else "",
    )


# --- Asking -------------------------------------------------------------------------------------


def request_movie(
    match: Match,
    requester: str,
    *,
    origin: str,
    now: datetime,
    needs_approval: bool = False,
) -> Taken:
    """Take a person's ask for a film: write the rows, then try to add it to Radarr.

    Repeating the call with the same `origin` repeats its outcome and has no second effect.
    Raises nothing for a Radarr that is down: the outcome is then `saved`.
    """
    request, created = _write_request(match, requester, origin, now, needs_approval)
    download = request.download
    if needs_approval or request.state == DownloadRequest.State.PENDING_APPROVAL:
        return Taken(Outcome.PENDING, request.pk, created, download)
    reached = True
    if download.status == Status.REQUESTED:
        reached = try_add(download, now=now)
        control.wake()
    outcome = _outcome(download, reached, is_first=_is_first(request, origin))
    return Taken(outcome, request.pk, created, download)


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
    earlier = DownloadRequest.objects.filter(
        download=request.download_id, generation=request.generation, id__lt=request.pk
    )
    return request.origin == origin and not earlier.exists()


def _write_request(
    match: Match, requester: str, origin: str, now: datetime, needs_approval: bool
) -> tuple[DownloadRequest, bool]:
    """Return the request of this origin or, for this person and film, the open one."""
    for _ in range(_TRIES):
        try:
            with transaction.atomic():
                earlier = _of_origin(origin)
                if earlier is not None:
                    return earlier, False
                download = _wanted(match, now)
                return _join(download, requester, origin, needs_approval)
        except (IntegrityError, _MovedMeanwhile):
            continue
    raise RuntimeError(f"no request could be written for {match.tmdb_id}")


class _MovedMeanwhile(Exception):
    """Somebody moved the row between our read and our write: look again."""


def _of_origin(origin: str) -> DownloadRequest | None:
    return DownloadRequest.objects.select_related("download").filter(origin=origin).first()


def _wanted(match: Match, now: datetime) -> Download:
    """Return the download of this film, asked for again if it had failed or was cancelled."""
    download, _ = Download.objects.get_or_create(
        media_type=MediaType.MOVIE,
        tmdb_id=match.tmdb_id,
        defaults={
            "title": match.title[:500],
            "year": match.year,
            "poster_path": match.poster_path,
            "release_date": match.release_date or None,
            "generation_started_at": now,
            "status_changed_at": now,
        },
    )
    # A finished film is asked about in Radarr again: its file may be gone since.
    if not download.is_active and not begin_generation(download, now=now):
        raise _MovedMeanwhile
    return download


def _join(
    download: Download, requester: str, origin: str, needs_approval: bool
) -> tuple[DownloadRequest, bool]:
    State = DownloadRequest.State
    newest = DownloadEvent.objects.filter(download=download).aggregate(newest=Max("id"))["newest"]
    request, created = DownloadRequest.objects.get_or_create(
        download=download,
        generation=download.generation,
        requester=requester,
        state__in=[State.ACTIVE, State.PENDING_APPROVAL],
        defaults={
            "state": State.PENDING_APPROVAL if needs_approval else State.ACTIVE,
            "origin": origin,
            "since_event": newest or 0,
        },
    )
    request.download = download
    return request, created


def mark_announced(request_id: int, *, now: datetime, told_end: bool = False) -> None:
    """Note that this requester was told; from now on they hear of what happens.

    Call it in the transaction that writes the text. With `told_end` the text has said how it ended
    (ready, or refused), and the request ends with it.
    """
    request = DownloadRequest.objects.select_related("download").get(pk=request_id)
    if request.announced_at is None:
        DownloadRequest.objects.filter(pk=request_id).update(announced_at=now)
    if told_end:
        settle_requests(request.download, only=request_id)


def claim_announcement(request_id: int, *, now: datetime, told_end: bool) -> bool:
    """Like `mark_announced`, for whoever is first: False when it was announced already."""
    mine = DownloadRequest.objects.filter(pk=request_id, announced_at=None)
    if not mine.update(announced_at=now):
        return False
    mark_announced(request_id, now=now, told_end=told_end)
    return True


def unannounced_of(origin: str) -> list[int]:
    """Return the ids of the requests of a message (origin `<sid>:<n>`) never announced."""
    requests = DownloadRequest.objects.filter(origin__startswith=f"{origin}:", announced_at=None)
    return list(requests.values_list("id", flat=True))


# --- Telling ------------------------------------------------------------------------------------


def unprocessed_events(limit: int = 100) -> list[int]:
    """Return the ids of events that somebody may still have to be told of, oldest first."""
    events = DownloadEvent.objects.filter(processed_at=None).order_by("id")
    return list(events.values_list("id", flat=True)[:limit])


def claim_event(event_id: int, *, now: datetime) -> EventNews | None:
    """Take an event for telling; None when it has been processed. Call it inside a transaction.

    The event is finished in that transaction, unless a request of it has not been announced yet:
    then the others are told now and the event stays for that one.
    """
    event = (
        DownloadEvent.objects.select_for_update(of=("self",))
        .select_related("download")
        .filter(pk=event_id, processed_at=None)
        .first()
    )
    if event is None:
        return None
    concerned = _concerned(event)
    waiting = concerned.filter(announced_at=None).exists()
    news = EventNews(
        event_id=event.pk,
        kind=event.kind,
        reason=event.reason,
        name=event.download.name,
        tmdb_id=event.download.tmdb_id,
        created_at=event.created_at,
        superseded=_is_superseded(event),
        requests=list(concerned.exclude(announced_at=None).values_list("id", "requester")),
    )
    if not waiting:
        DownloadEvent.objects.filter(pk=event.pk).update(
            processed_at=now, note="superseded" if news.superseded else ""
        )
    return news


def finish_requests(event_id: int) -> None:
    """End the requests of an ended download, after its event was told. Same transaction."""
    event = DownloadEvent.objects.select_related("download").get(pk=event_id)
    is_end = event.kind in ("completed", "failed", "cancelled")
    if is_end and event.generation == event.download.generation and not event.download.is_active:
        settle_requests(event.download)


def _concerned(event: DownloadEvent) -> QuerySet[DownloadRequest]:
    """The requests that an event is news to: of its generation, older than it, and still open.

    A film that failed is watched on: who was told of the failure is told of the find.
    """
    State = DownloadRequest.State
    states = [State.ACTIVE]
    if event.kind == "completed":
        states.append(State.ENDED)
    return DownloadRequest.objects.filter(
        download=event.download,
        generation=event.generation,
        since_event__lt=event.pk,
        state__in=states,
    )


def _is_superseded(event: DownloadEvent) -> bool:
    """Whether something newer is there to be told, which makes this one old news."""
    newer = DownloadEvent.objects.filter(
        download=event.download, generation=event.generation, id__gt=event.pk
    )
    return newer.exclude(dedupe=None).exists()


def is_still_wanted(request_id: int) -> bool:
    """Whether the person still waits for news of this request (it was not withdrawn)."""
    withdrawn = [DownloadRequest.State.WITHDRAWN, DownloadRequest.State.DECLINED]
    return not DownloadRequest.objects.filter(pk=request_id, state__in=withdrawn).exists()


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
    return found.order_by(ordering or "-status_changed_at", "-id")


def requesters(download: Download) -> list[str]:
    """Return the addresses of those who wait for a download, or waited when it ended."""
    left = [DownloadRequest.State.WITHDRAWN, DownloadRequest.State.DECLINED]
    asked = DownloadRequest.objects.filter(download=download, generation=download.generation)
    return list(asked.exclude(state__in=left).values_list("requester", flat=True))


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


def unannounced(origin_prefix: str) -> Sequence[DownloadRequest]:
    """Return requests of an origin that nobody was told of yet (made by the API), oldest first."""
    return list(
        DownloadRequest.objects.select_related("download")
        .filter(announced_at=None, origin__startswith=origin_prefix)
        .order_by("id")[:100]
    )


# --- Changing one's mind ------------------------------------------------------------------------


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


def withdraw(download: Download, requester: str) -> bool:
    """Let one person leave a download; it goes on. False when they were not waiting for it."""
    left = DownloadRequest.objects.filter(
        download=download,
        generation=download.generation,
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
    newest = DownloadEvent.objects.filter(download=download).aggregate(newest=Max("id"))["newest"]
    before = DownloadRequest.objects.filter(
        download=download, generation=generation, state__in=[State.ACTIVE, State.ENDED]
    )
    waited = {request.requester: request for request in before}
    DownloadRequest.objects.bulk_create(
        DownloadRequest(
            download=download,
            generation=download.generation,
            requester=request.requester,
            since_event=newest or 0,
            announced_at=now,
            origin=f"retry:{download.generation}:{request.pk}",
        )
        for request in waited.values()
    )


def _tell_and_wake() -> None:
    import_string(settings.DOWNLOADS_ON_EVENTS)()
    control.wake()


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


def wake_monitor() -> None:
    """Ask the monitor to tick now; a Radarr webhook does."""
    control.wake()

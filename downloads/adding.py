"""Putting a film into Radarr, and taking one out again: claimed, idempotent, never twice.

`try_add` is the only way in, for a request just made and for the monitor that catches up. The claim
is a lease on the row; who loses it does not POST and answers from the row.
"""

from collections.abc import Callable, Set
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from downloads import connections
from downloads.http import ServiceError
from downloads.lifecycle import transition_to
from downloads.models import Download, DownloadRequest, Status
from downloads.radarr import (
    AlreadyAdded,
    FolderInUse,
    Misconfigured,
    Movie,
    Radarr,
    RadarrRejected,
    UnknownMovie,
)
from downloads.status import waiting
from moviesms import claims
from moviesms.incidents import close_incident, open_incident

log = structlog.get_logger(__name__)


class Excluded(Exception):
    """The film is on Radarr's exclusion list: the owner does not want it."""


# Why Radarr will not take a film until somebody changes something.
_REFUSALS: dict[type[Exception], str] = {
    Excluded: "excluded",
    UnknownMovie: "unknown_film",
    FolderInUse: "folder_in_use",
}


def try_add(download: Download, *, now: datetime, patient: bool = False) -> bool:
    """Add a requested film to Radarr if nobody else is at it; False when Radarr could not.

    A Radarr that failed a moment ago is not asked, unless the caller is `patient` (the monitor).

    Afterwards `download` holds the row as it stands: `searching` (added, or it was there already),
    `waiting` (there, and not out yet), `completed` (there with its file), `failed` (Radarr refuses
    it), or still `requested`.
    """
    if not patient and connections.radarr_breaker.is_open:
        return False
    if not _claim(download, now):
        download.refresh_from_db()
        return True
    try:
        movie, added_by_us = _put_in(connections.radarr(), download)
    except tuple(_REFUSALS) as refusal:
        transition_to(download, Status.FAILED, now=now, reason=_REFUSALS[type(refusal)])
        return True
    except ServiceError as error:
        _give_back(download, error, now)
        return False
    connections.radarr_breaker.succeeded()
    close_incident("radarr:refused", "radarr:unusable", now=now)
    _record(download, movie, added_by_us, now)
    return True


def remove(download: Download, *, now: datetime) -> None:
    """Take a cancelled film out of Radarr, after reading again that it is ours to take.

    Never deletes files, never a film that the owner added, never one that is wanted again.
    Raises ServiceError when Radarr does not answer; the row then stays due.
    """
    due = Download.objects.filter(
        pk=download.pk,
        generation=download.generation,
        status=Status.CANCELLED,
        removal_due=True,
    )
    radarr = connections.radarr()
    movie = radarr.movie(download.radarr_id) if download.radarr_id else None
    if movie is not None and movie.tmdb_id == download.tmdb_id and not movie.has_file:
        _take_out(radarr, movie, due.filter(added_by_us=True, radarr_id=movie.id))
    if due.update(removal_due=False, radarr_id=None, added_by_us=False):
        log.info("removed from Radarr", download=download.pk)


def _take_out(radarr: Radarr, movie: Movie, still_due: QuerySet[Download]) -> None:
    items = [item for item in radarr.queue() if item.movie_id == movie.id]
    for item in items:
        if still_due.exists():
            radarr.remove_from_queue(item.id)
    if still_due.exists():
        radarr.delete(movie.id)


def _claim(download: Download, now: datetime) -> bool:
    wanted = DownloadRequest.objects.filter(
        download=OuterRef("pk"),
        generation=OuterRef("generation"),
        state=DownloadRequest.State.ACTIVE,
    )
    free = Q(add_lease=None) | Q(add_lease__lt=now)
    lease = now + timedelta(seconds=settings.ADD_LEASE)
    claimable = Download.objects.filter(
        free, Exists(wanted), pk=download.pk, status=Status.REQUESTED, another_due=False
    )
    if not claimable.update(add_lease=lease, add_token=claims.token()):
        return False
    download.refresh_from_db()
    return True


def release(dead: Set[str], now: datetime) -> bool:
    """Let films be added at once that processes which are dead were adding; say if there were any.

    Whether they got through is read from Radarr, as after every lease.
    """
    taken = Download.objects.filter(add_lease__gte=now)
    tokens = taken.values_list("add_token", flat=True)
    theirs = [token for token in tokens if claims.is_of(token, dead)]
    return bool(taken.filter(add_token__in=theirs).update(add_lease=None))


def _renew(download: Download) -> None:
    lease = timezone.now() + timedelta(seconds=settings.ADD_LEASE)
    Download.objects.filter(pk=download.pk, status=Status.REQUESTED).update(add_lease=lease)


def _put_in(radarr: Radarr, download: Download) -> tuple[Movie, bool]:
    """Return the film as Radarr has it now, and whether it was us who put it there."""
    present = radarr.movie_by_tmdb_id(download.tmdb_id)
    _renew(download)
    if present is not None:
        want(radarr, present)
        return present, download.added_by_us and present.id == download.radarr_id
    found = radarr.lookup(download.tmdb_id)
    if found is not None and found.is_excluded:
        raise Excluded
    _renew(download)
    return _post(radarr, download)


def want(radarr: Radarr, movie: Movie) -> None:
    """Make Radarr look for a film that it has on its list but not on its disk."""
    if movie.has_file:
        return
    if not movie.monitored:
        radarr.monitor_movie(movie.id)
    # A posted search ignores availability and may fetch a cinema recording.
    if movie.is_available:
        radarr.search(movie.id)


def _post(radarr: Radarr, download: Download) -> tuple[Movie, bool]:
    profile, folder = quality_profile_id(radarr), root_folder_path(radarr)
    _renew(download)
    try:
        movie = radarr.add(
            tmdb_id=download.tmdb_id,
            title=download.title,
            year=download.year or 0,
            quality_profile_id=profile,
            root_folder_path=folder,
        )
    except AlreadyAdded as error:
        outcome: ServiceError = error
        ours = False
    except ServiceError as error:
        if not error.outcome_unknown:
            raise
        outcome, ours = error, True  # it was not there a moment ago
    else:
        return movie, True
    _renew(download)
    present = radarr.movie_by_tmdb_id(download.tmdb_id)
    if present is None:
        raise outcome
    return present, ours


def quality_profile_id(radarr: Radarr) -> int:
    """Return the profile that RADARR_QUALITY_PROFILE names, by name or id; else Radarr's first."""
    wanted = settings.RADARR_QUALITY_PROFILE
    profiles = _cached("profiles", lambda: [[p.id, p.name] for p in radarr.quality_profiles()])
    for number, name in profiles:
        if not wanted or wanted == str(number) or wanted.casefold() == name.casefold():
            return int(number)
    raise _misconfigured(f"has no quality profile {wanted!r}" if wanted else "has no profile")


def root_folder_path(radarr: Radarr) -> str:
    """Return the folder that RADARR_ROOT_FOLDER names, by path or id; else Radarr's first."""
    wanted = settings.RADARR_ROOT_FOLDER.rstrip("/\\")
    folders = _cached("folders", lambda: [[f.id, f.path] for f in radarr.root_folders()])
    for number, path in folders:
        if not wanted or wanted == str(number) or wanted == path.rstrip("/\\"):
            return str(path)
    raise _misconfigured(f"has no root folder {wanted!r}" if wanted else "has no root folder")


def _misconfigured(why: str) -> Misconfigured:
    return Misconfigured(why, service="Radarr", code="rejected", permanent=True)


def _cached(what: str, read: Callable[[], list[list[Any]]]) -> list[list[Any]]:
    key = f"radarr:{what}:{settings.RADARR_URL}"
    rows = cache.get(key)
    if rows is None:
        rows = read()
        cache.set(key, rows, settings.RADARR_CACHE_TTL)
    return list(rows)


def _record(download: Download, movie: Movie, added_by_us: bool, now: datetime) -> None:
    known: dict[str, Any] = {
        "radarr_id": movie.id,
        "added_by_us": added_by_us,
        "imdb_id": movie.imdb_id or download.imdb_id,
    }
    if _moved(download, movie, known, now):
        log.info("in Radarr", download=download.pk, radarr_id=movie.id, added_by_us=added_by_us)
        return
    # It was cancelled while we added it: then it is to go again, if it is ours.
    cancelled = Download.objects.filter(
        pk=download.pk, generation=download.generation, status=Status.CANCELLED
    )
    cancelled.update(**known, removal_due=added_by_us)
    download.refresh_from_db()


def _moved(download: Download, movie: Movie, known: dict[str, Any], now: datetime) -> bool:
    """Move a film that is in Radarr now to where it stands; one that is not out yet waits."""
    if movie.has_file:
        return transition_to(download, Status.COMPLETED, now=now, **known)
    if movie.is_available or not movie.monitored or movie.release_date is None:
        return transition_to(download, Status.SEARCHING, now=now, **known)
    decision = waiting(download, movie, now)
    return transition_to(
        download,
        decision.status,
        now=now,
        reason=decision.reason,
        kind=decision.kind,
        dedupe=decision.dedupe,
        **known,
        **decision.remember,
    )


def _give_back(download: Download, error: ServiceError, now: datetime) -> None:
    """Leave the row `requested` for the monitor, and tell the owner of what only they can mend."""
    log.warning("add failed", download=download.pk, code=error.code, error=str(error))
    # A refusal is Radarr at work: it says nothing about the next film.
    if not isinstance(error, RadarrRejected):
        connections.radarr_breaker.failed(error.code, retry_after=settings.RADARR_RETRY_AFTER)
    Download.objects.filter(pk=download.pk, status=Status.REQUESTED).update(add_lease=None)
    download.refresh_from_db()
    if isinstance(error, Misconfigured):
        cache.delete_many(
            [f"radarr:{what}:{settings.RADARR_URL}" for what in ("profiles", "folders")]
        )
        open_incident("radarr:refused", f"Radarr refuses new films: {error}", now=now)
    elif isinstance(error, RadarrRejected):
        open_incident("radarr:refused", f"Radarr refuses {download.name}: {error}", now=now)
    elif error.permanent:
        open_incident("radarr:unusable", f"Radarr cannot be used: {error}", now=now)

"""Another release of a film whose file is bad: blocked, deleted and looked for anew.

The wish is a row first (`another_due`, a new generation); the monitor works it off. Each step looks
before it acts, so that a tick that died half-way is taken up where it ended.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q

from downloads import connections, control
from downloads.adding import want
from downloads.lifecycle import begin_generation, transition_to
from downloads.models import Download, DownloadEvent, DownloadRequest, Status
from downloads.radarr import HistoryItem, Movie, Radarr
from downloads.snapshot import is_same_film
from moviesms import claims

log = structlog.get_logger(__name__)

_IMPORTED, _GRABBED, _FAILED = "downloadFolderImported", "grabbed", "downloadFailed"


def get_another_release(download_id: int, requesters: Iterable[str], *, now: datetime) -> bool:
    """Have another release of a film looked for; `requesters` are told how that goes.

    Rows alone, so it may be part of a transaction. False when the film is on its way already:
    somebody was faster.
    """
    with transaction.atomic():
        download = Download.objects.select_for_update().get(pk=download_id)
        if download.is_active:
            return False
        if not begin_generation(download, now=now, another_due=True):
            return False
        _wait_for_it(download, requesters, now)
        transaction.on_commit(control.wake)
    return True


def _wait_for_it(download: Download, requesters: Iterable[str], now: datetime) -> None:
    events = DownloadEvent.objects.filter(download=download)
    newest = events.aggregate(newest=Max("id"))["newest"] or 0
    for requester in sorted(set(requesters)):
        DownloadRequest.objects.create(
            download=download,
            generation=download.generation,
            requester=requester,
            since_event=newest,
            announced_at=now,
            origin=f"another:{download.pk}:{download.generation}:{requester}",
        )


def replace(download: Download, *, now: datetime) -> bool:
    """Block the bad release, delete its file, and search; True when that is done.

    Raises ServiceError when Radarr does not answer; the row then stays due.
    """
    if not _claim(download, now):
        return False
    radarr = connections.radarr()
    movie = _find(radarr, download)
    if movie is None:
        # The owner took the film out of Radarr: it is added again like any other.
        Download.objects.filter(pk=download.pk, version=download.version).update(
            another_due=False, radarr_id=None, added_by_us=False, add_lease=None
        )
        return False
    floor = _block_and_delete(radarr, movie, download)
    movie = radarr.movie(movie.id) or movie
    want(radarr, movie)
    log.info("another release", download=download.pk, radarr_id=movie.id)
    return transition_to(
        download,
        Status.SEARCHING,
        now=now,
        radarr_id=movie.id,
        another_due=False,
        bad_file_id=None,
        history_floor=max(floor, download.history_floor),
    )


def _claim(download: Download, now: datetime) -> bool:
    """Take the row for as long as an add may take, and remember nothing that is out of date."""
    free = Q(add_lease=None) | Q(add_lease__lt=now)
    mine = Download.objects.filter(
        free, pk=download.pk, status=Status.REQUESTED, another_due=True
    ).update(add_lease=now + timedelta(seconds=settings.ADD_LEASE), add_token=claims.token())
    download.refresh_from_db()
    return bool(mine)


def _find(radarr: Radarr, download: Download) -> Movie | None:
    movie = radarr.movie(download.radarr_id) if download.radarr_id else None
    if movie is not None and is_same_film(download, movie):
        return movie
    return radarr.movie_by_tmdb_id(download.tmdb_id)


def _block_and_delete(radarr: Radarr, movie: Movie, download: Download) -> int:
    """Block the bad release and delete its file, each once; return the newest history id.

    What is remembered first is which file is bad: one that came since is neither blocked nor
    deleted.
    """
    is_first = download.bad_file_id is None
    if is_first and movie.has_file:
        Download.objects.filter(pk=download.pk).update(bad_file_id=movie.movie_file_id)
        download.bad_file_id = movie.movie_file_id
    is_there = movie.has_file and movie.movie_file_id == download.bad_file_id
    if is_there or is_first:
        grabbed = _grab_of_file(radarr.history_of(movie.id))
        if grabbed is not None:
            radarr.mark_failed(grabbed)
    if is_there and movie.movie_file_id is not None:
        radarr.delete_file(movie.movie_file_id)
    return max((item.id for item in radarr.history_of(movie.id)), default=0)


def _grab_of_file(history: Sequence[HistoryItem]) -> int | None:
    """Return the id of the row that grabbed what was imported last, unless it has failed since."""
    imported = [i.download_id for i in history if i.event_type == _IMPORTED and i.download_id]
    of_file = [item for item in history if imported and item.download_id == imported[-1]]
    if any(item.event_type == _FAILED for item in of_file):
        return None
    return next((item.id for item in of_file if item.event_type == _GRABBED), None)

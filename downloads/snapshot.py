"""What Radarr says at one time: the whole queue, the history since the cursor, some films.

A bounded number of calls however many downloads there are. Either all of it could be read, or the
ServiceError ends the tick: an error is never read as an absence.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from downloads.radarr import HistoryItem, Movie, QueueItem, Radarr
from downloads.watching import Row

OVERLAP = timedelta(minutes=5)
"""How far each read of the history reaches back behind the cursor (Radarr's clock)."""

FIRST_LOOK = timedelta(days=1)
"""How far the first read reaches back, when there is no cursor yet."""

MOST_FILMS = 20
"""How many films a tick reads one by one."""


@dataclass(frozen=True)
class Snapshot:
    """Radarr's queue and history by Radarr's film id, and where the history ends."""

    queue: Mapping[int, Sequence[QueueItem]]
    history: Mapping[int, Sequence[HistoryItem]]
    cursor: datetime | None  # of the newest row of the history, Radarr's clock
    last_history_id: int


@dataclass(frozen=True)
class FilmsRead:
    """Films by our download's id, as Radarr has them, and the downloads that Radarr denies."""

    movies: Mapping[int, Movie] = field(default_factory=dict)
    absent: frozenset[int] = frozenset()


def read_snapshot(radarr: Radarr, *, cursor: datetime | None, now: datetime) -> Snapshot:
    """Read the queue and the history. Raises ServiceError when either is not to be had whole."""
    queue: dict[int, list[QueueItem]] = defaultdict(list)
    for queued in radarr.queue():
        if queued.movie_id is not None:
            queue[queued.movie_id].append(queued)
    history: dict[int, list[HistoryItem]] = defaultdict(list)
    items = radarr.history_since((cursor - OVERLAP) if cursor else (now - FIRST_LOOK))
    for item in sorted(items, key=lambda item: (item.date, item.id)):
        history[item.movie_id].append(item)
    return Snapshot(
        queue=queue,
        history=history,
        cursor=max((item.date for item in items), default=cursor),
        last_history_id=max((item.id for item in items), default=0),
    )


def read_films(
    radarr: Radarr, undecided: Sequence[Row], *, turn: int, whole_list: bool
) -> FilmsRead:
    """Read the films of the undecided downloads: each where they are few, else a slice by `turn`.

    With `whole_list` all of Radarr's films are read in one call instead. Raises ServiceError.
    """
    if len(undecided) > MOST_FILMS and whole_list:
        return _from_list(radarr, undecided)
    if len(undecided) > MOST_FILMS:
        start = turn * MOST_FILMS % len(undecided)
        undecided = [*undecided, *undecided][start : start + MOST_FILMS]
    movies, absent = {}, set()
    for download in undecided:
        movie = _find(radarr, download)
        if movie is None:
            absent.add(download.pk)
        else:
            movies[download.pk] = movie
    return FilmsRead(movies, frozenset(absent))


def read_by_id(radarr: Radarr, downloads: Sequence[Row]) -> dict[int, Movie]:
    """Return, by our download's id, what Radarr has under the id that we remember. ServiceError."""
    if len(downloads) > MOST_FILMS:
        by_id = {movie.id: movie for movie in radarr.movies()}
        found = {d.pk: by_id.get(d.radarr_id or 0) for d in downloads}
    else:
        found = {d.pk: radarr.movie(d.radarr_id) if d.radarr_id else None for d in downloads}
    return {pk: movie for pk, movie in found.items() if movie is not None}


def _find(radarr: Radarr, download: Row) -> Movie | None:
    """Return the film by Radarr's id if it is the same film, else by TMDB's id, else None."""
    movie = radarr.movie(download.radarr_id) if download.radarr_id else None
    if movie is not None and is_same_film(download, movie):
        return movie
    return radarr.movie_by_tmdb_id(download.tmdb_id)


def _from_list(radarr: Radarr, undecided: Sequence[Row]) -> FilmsRead:
    movies = radarr.movies()
    by_tmdb_id = {movie.tmdb_id: movie for movie in movies}
    by_id = {movie.id: movie for movie in movies}
    found, absent = {}, set()
    for download in undecided:
        movie = by_tmdb_id.get(download.tmdb_id) or by_id.get(download.radarr_id or 0)
        if movie is not None and is_same_film(download, movie):
            found[download.pk] = movie
        else:
            absent.add(download.pk)
    return FilmsRead(found, frozenset(absent))


def is_same_film(download: Row, movie: Movie) -> bool:
    """Whether Radarr's film is the wanted one, also after TMDB merged two ids into one."""
    if movie.tmdb_id == download.tmdb_id:
        return True
    if download.imdb_id and movie.imdb_id:
        return movie.imdb_id == download.imdb_id
    return (movie.title, movie.year) == (download.title, download.year)

"""Finding the film that a title means, on TMDB."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from django.conf import settings
from django.core.cache import cache

from downloads import connections
from downloads.http import ServiceError
from downloads.matching import How, Query, look_up, reference
from downloads.tmdb import Film, Tmdb

T = TypeVar("T")


class UnknownFilm(Exception):
    """TMDB has no film of this id, or we have no download of it."""


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
    """Which films a title may mean, best first. `sure`: exactly one, and nothing to ask.

    `namesake` is then the film of the same title that somebody may mean all the same.
    """

    matches: list[Match]
    sure: bool
    namesake: Match | None = None


def resolve(title: str, year: int | None = None, how: How = "like") -> Resolution:
    """Look `title` up on TMDB, `how` closely. Raises ServiceError when TMDB does not answer.

    `imdb:tt0468569` and `tmdb:155` name a film by its id.
    """
    named = reference(title)
    if named is not None:
        found = _by_id(*named)
        return Resolution([_match(found)] if found else [], sure=found is not None)
    verdict = look_up(Query(title, year, how), _search)
    namesake = _match(verdict.namesake) if verdict.namesake else None
    return Resolution([_match(film) for film in verdict.films], verdict.sure, namesake)


def _by_id(kind: str, number: str) -> Film | None:
    if kind == "imdb":
        return _ask(lambda tmdb: tmdb.find_imdb(number))
    return _ask(lambda tmdb: tmdb.movie(int(number)))


def film(tmdb_id: int) -> Match:
    """Return the film of a TMDB id. Raises UnknownFilm, or ServiceError when TMDB fails."""
    found = _ask(lambda tmdb: tmdb.movie(tmdb_id))
    if found is None:
        raise UnknownFilm(str(tmdb_id))
    return _match(found)


def _search(title: str, year: int | None) -> list[Film]:
    key = f"tmdb:search:{title.casefold()[:150]}:{year or ''}"
    kept = cache.get(key)
    if kept is not None:
        return [Film.model_validate(fields) for fields in kept]
    films = _ask(lambda tmdb: tmdb.search(title, year))
    cache.set(key, [film.model_dump(mode="json") for film in films], settings.TMDB_CACHE_TTL)
    return films


def _ask(question: Callable[[Tmdb], T]) -> T:
    """Ask TMDB, unless it failed a moment ago. Raises ServiceError."""
    if connections.tmdb_breaker.is_open:
        raise ServiceError(
            "failed a moment ago and is left alone", service="TMDB", code="unavailable"
        )
    try:
        answer = question(connections.tmdb())
    except ServiceError as error:
        connections.tmdb_breaker.failed(error.code, retry_after=settings.TMDB_RETRY_AFTER)
        raise
    connections.tmdb_breaker.succeeded()
    return answer


def _match(film: Film) -> Match:
    return Match(
        tmdb_id=film.tmdb_id,
        title=film.title,
        year=film.year,
        poster_path=film.poster_path or "",
        release_date=film.release_date.isoformat() if film.release_date else "",
    )

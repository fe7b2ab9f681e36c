"""TMDB, version 3: what a household's words can mean, as films and shows.

Knows HTTP alone; the key, the address and the deadline are passed in. Every method raises
`downloads.http.ServiceError` with service "TMDB": `unauthorized` (permanent: a bad key), `rejected`
(parameters it does not take), `rate_limited` (with `retry_after` when told), `unavailable`,
`unreadable`, and the rest of what `JsonSession` raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Generic, Literal, TypeVar
from urllib.parse import quote

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
)

from downloads.http import Answer, JsonSession, ServiceError

QUERY_LIMIT = 500
"""Characters of a search that are sent; an SMS can hold three times as many."""

_NOT_FOUND = frozenset({34, 6})  # TMDB: 34 is an unknown id, 6 one that cannot be an id

T = TypeVar("T")


def _date_or_none(value: object) -> object:
    """Read TMDB's date: it is "" when unknown, and a day that is no day is unknown too."""
    if not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


_Day = Annotated[date | None, BeforeValidator(_date_or_none)]


def _year_of(fields: dict[str, Any]) -> int | None:
    day = fields.get("release_date")
    return day.year if isinstance(day, date) else None


class _Record(BaseModel):
    """A record of TMDB: immutable, unknown fields dropped."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Film(_Record):
    """A film. `release_date` is a plain date and None when TMDB has none; `year` follows from it.

    `poster_path` begins with a slash and belongs after https://image.tmdb.org/t/p/w342.
    `imdb_id` and `runtime` (minutes) come with `movie`, and the former with `find_imdb`; a search
    has neither. `original_language` is an ISO 639-1 code.
    """

    tmdb_id: int = Field(validation_alias=AliasChoices("id", "tmdb_id"))
    title: str
    original_title: str = ""
    original_language: str = ""
    release_date: _Day = None
    year: int | None = Field(default_factory=_year_of)
    overview: str = ""
    poster_path: str | None = None
    popularity: float = 0.0
    vote_count: int = 0
    imdb_id: str | None = None
    runtime: int | None = None


class Show(_Record):
    """A television show; `year` is that of its first broadcast, None when TMDB has none."""

    tmdb_id: int = Field(validation_alias=AliasChoices("id", "tmdb_id"))
    name: str
    release_date: _Day = Field(default=None, validation_alias="first_air_date", exclude=True)
    year: int | None = Field(default_factory=_year_of)


class _Page(_Record, Generic[T]):
    results: list[T]


class _Found(_Record):
    movie_results: list[Film]


class _Accepted(_Record):
    success: Literal[True]


class _Status(_Record):
    status_code: int = 0
    status_message: str = ""


_FILM = TypeAdapter(Film)
_FILMS = TypeAdapter(_Page[Film])
_SHOWS = TypeAdapter(_Page[Show])
_FOUND = TypeAdapter(_Found)
_ACCEPTED = TypeAdapter(_Accepted)
_STATUS = TypeAdapter(_Status)


class Tmdb:
    """TMDB's API. Share one between threads."""

    def __init__(self, url: str, api_key: str, deadline: float) -> None:
        """Take the URL that ends before /3, the key, and the seconds each call may take in all.

        A key of three dot-separated parts is a v4 token and goes as a Bearer header; a v3 key can
        only go in the query, and is masked in errors and in urllib3's log.
        """
        key = api_key.strip()
        is_token = key.count(".") == 2
        self._http = JsonSession(
            "TMDB",
            url,
            deadline=deadline,
            headers={"Authorization": f"Bearer {key}"} if is_token else None,
            params=None if is_token else {"api_key": key},
            secrets=(key,),
        )

    def search(self, query: str, year: int | None = None, page: int = 1) -> list[Film]:
        """Return one page (20) of films for a query, TMDB's best first; [] when there is none.

        `year` also matches re-releases. Nothing adult. A blank query finds nothing, without a call.
        """
        return self._search("movie", query, _FILMS, page=page, **({"year": year} if year else {}))

    def search_tv(self, query: str) -> list[Show]:
        """Return the first page of shows for a query, as `search` does for films."""
        return self._search("tv", query, _SHOWS)

    def movie(self, tmdb_id: int) -> Film | None:
        """Return a film with its details, None when TMDB has none of that id (404 with 34 or 6)."""
        answer = self._http.get(f"/3/movie/{tmdb_id}")
        if self._says_not_found(answer):
            return None
        return self._http.read(self._checked(answer), _FILM)

    def find_imdb(self, imdb_id: str) -> Film | None:
        """Return the film of an IMDb id ("tt0468569"), None when TMDB knows no such film."""
        path = f"/3/find/{quote(imdb_id, safe='')}"
        answer = self._http.get(path, {"external_source": "imdb_id"})
        if self._says_not_found(answer):
            return None
        films = self._http.read(self._checked(answer), _FOUND).movie_results
        return films[0].model_copy(update={"imdb_id": imdb_id}) if films else None

    def check(self) -> None:
        """Return quietly when TMDB takes the key (GET /3/authentication); else raise."""
        self._http.read(self._checked(self._http.get("/3/authentication")), _ACCEPTED)

    def _search(self, kind: str, query: str, shape: TypeAdapter[_Page[T]], **more: int) -> list[T]:
        words = query.strip()[:QUERY_LIMIT]
        if not words:
            return []
        params: Mapping[str, str | int] = {"query": words, "include_adult": "false", **more}
        answer = self._http.get(f"/3/search/{kind}", params)
        return self._http.read(self._checked(answer), shape).results

    def _checked(self, answer: Answer) -> Answer:
        if not answer.ok:
            raise self._http.error(answer, self._said(answer).status_message)
        return answer

    def _says_not_found(self, answer: Answer) -> bool:
        """Tell a film that is not there from a wrong address, whose 404 has no code of TMDB's."""
        return answer.status == 404 and self._said(answer).status_code in _NOT_FOUND

    def _said(self, answer: Answer) -> _Status:
        """Return TMDB's own words about a failure, empty when something else answered."""
        try:
            return self._http.read(answer, _STATUS)
        except ServiceError:
            return _Status()

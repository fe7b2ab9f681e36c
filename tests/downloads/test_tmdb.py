"""The client of TMDB, against answers in the shape that TMDB gives."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import responses
from responses import matchers

from downloads import http
from downloads.http import ServiceError
from downloads.tmdb import Film, Show, Tmdb

FIXTURES = Path(__file__).parents[1] / "fixtures" / "tmdb"
ROOT = "https://tmdb.test"
KEY = "0123456789abcdef"
TOKEN = "eyJhbGciOi.eyJhdWQiOi.c2lnbmF0dXJl"

CALLS: list[Callable[[Tmdb], object]] = [
    lambda tmdb: tmdb.search("knight"),
    lambda tmdb: tmdb.search_tv("knight"),
    lambda tmdb: tmdb.movie(155),
    lambda tmdb: tmdb.find_imdb("tt0468569"),
    lambda tmdb: tmdb.check(),
]


def recorded(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text())


def failure(code: int, message: str = "No.") -> dict[str, object]:
    return {"status_code": code, "status_message": message, "success": False}


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "pause", lambda seconds: None)


@pytest.fixture
def fake() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def tmdb() -> Tmdb:
    return Tmdb(ROOT, KEY, 5)


def everything_answers(fake: responses.RequestsMock, **answer: Any) -> None:
    fake.assert_all_requests_are_fired = False
    for path in ("search/movie", "search/tv", "movie/155", "find/tt0468569", "authentication"):
        fake.get(f"{ROOT}/3/{path}", **answer)


def test_a_search_gives_films(fake: responses.RequestsMock, tmdb: Tmdb) -> None:
    fake.get(f"{ROOT}/3/search/movie", json=recorded("search"))
    knight, undated, odd = tmdb.search("the dark knight")
    assert knight == Film(
        tmdb_id=155,
        title="The Dark Knight",
        original_title="The Dark Knight",
        original_language="en",
        release_date=date(2008, 7, 16),
        overview="A masked man and a clown.",
        poster_path="/knight.jpg",
        popularity=91.5,
        vote_count=31000,
    )
    assert knight.year == 2008
    assert (undated.release_date, undated.year, undated.poster_path) == (None, None, None)
    assert (odd.release_date, odd.year) == (None, None)


def test_a_film_survives_a_cache(fake: responses.RequestsMock, tmdb: Tmdb) -> None:
    fake.get(f"{ROOT}/3/movie/155", json=recorded("movie"))
    film = tmdb.movie(155)
    assert film is not None
    assert Film.model_validate_json(film.model_dump_json()) == film


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ({"query": " knight "}, {"query": "knight"}),
        ({"query": "knight", "year": 2008}, {"query": "knight", "year": "2008"}),
        ({"query": "knight", "page": 2}, {"query": "knight", "page": "2"}),
        ({"query": "k" * 600}, {"query": "k" * 500}),
        ({"query": "où & quoi?"}, {"query": "où & quoi?"}),
    ],
)
def test_a_search_sends_its_words_and_nothing_adult(
    fake: responses.RequestsMock, tmdb: Tmdb, arguments: Any, sent: dict[str, str]
) -> None:
    expected = {"api_key": KEY, "include_adult": "false", "page": "1", **sent}
    exactly = matchers.query_param_matcher(expected)
    fake.get(f"{ROOT}/3/search/movie", json={"results": []}, match=[exactly])
    assert tmdb.search(**arguments) == []


@pytest.mark.parametrize("query", ["", "  \n"])
def test_a_blank_query_makes_no_call(fake: responses.RequestsMock, tmdb: Tmdb, query: str) -> None:
    assert tmdb.search(query) == []
    assert tmdb.search_tv(query) == []


def test_a_search_for_shows(fake: responses.RequestsMock, tmdb: Tmdb) -> None:
    fake.get(f"{ROOT}/3/search/tv", json=recorded("search_tv"))
    assert [(show.tmdb_id, show.name, show.year) for show in tmdb.search_tv("bad")] == [
        (1396, "Breaking Bad", 2008),
        (5, "Someday", None),
    ]
    assert Show(tmdb_id=1, name="x", year=1999).year == 1999


def test_a_film_has_its_details(fake: responses.RequestsMock, tmdb: Tmdb) -> None:
    fake.get(f"{ROOT}/3/movie/155", json=recorded("movie"))
    film = tmdb.movie(155)
    assert film is not None
    assert (film.tmdb_id, film.imdb_id, film.runtime) == (155, "tt0468569", 152)


@pytest.mark.parametrize("code", [34, 6])
def test_a_film_that_tmdb_does_not_know_is_none(
    fake: responses.RequestsMock, tmdb: Tmdb, code: int
) -> None:
    everything_answers(fake, status=404, json=failure(code))
    assert tmdb.movie(155) is None
    assert tmdb.find_imdb("tt0468569") is None


@pytest.mark.parametrize("body", ["<html>404</html>", "{}", "[]", '{"status_code": null}'])
def test_a_404_that_is_not_tmdbs_is_an_error(
    fake: responses.RequestsMock, tmdb: Tmdb, body: str
) -> None:
    everything_answers(fake, status=404, body=body)
    for call in (tmdb.movie, lambda id_: tmdb.find_imdb("tt0468569")):
        with pytest.raises(ServiceError) as caught:
            call(155)
        assert caught.value.code == "not_found"


def test_a_film_by_its_imdb_id(fake: responses.RequestsMock, tmdb: Tmdb) -> None:
    by_imdb = matchers.query_param_matcher({"api_key": KEY, "external_source": "imdb_id"})
    found = {"movie_results": recorded("search")["results"][:1], "tv_results": []}
    fake.get(f"{ROOT}/3/find/tt0468569", json=found, match=[by_imdb])
    film = tmdb.find_imdb("tt0468569")
    assert film is not None
    assert (film.tmdb_id, film.imdb_id) == (155, "tt0468569")


def test_an_imdb_id_without_a_film_is_none(fake: responses.RequestsMock, tmdb: Tmdb) -> None:
    fake.get(f"{ROOT}/3/find/tt1", json={"movie_results": []})
    assert tmdb.find_imdb("tt1") is None


def test_an_imdb_id_cannot_leave_its_place(fake: responses.RequestsMock, tmdb: Tmdb) -> None:
    fake.get(f"{ROOT}/3/find/..%2Fmovie%3Fx", json={"movie_results": []})
    assert tmdb.find_imdb("../movie?x") is None


def test_a_good_key_passes_the_check(fake: responses.RequestsMock, tmdb: Tmdb) -> None:
    fake.get(f"{ROOT}/3/authentication", json={"success": True, "status_code": 1})
    tmdb.check()


def test_a_v3_key_goes_in_the_query(fake: responses.RequestsMock, tmdb: Tmdb) -> None:
    everything_answers(fake, json={"results": []})
    tmdb.search("x")
    request = fake.calls[0].request
    assert f"api_key={KEY}" in str(request.url)
    assert "Authorization" not in request.headers


def test_a_v4_token_goes_in_the_header(fake: responses.RequestsMock) -> None:
    everything_answers(fake, json={"results": []})
    Tmdb(ROOT, f" {TOKEN}\n", 5).search("x")
    request = fake.calls[0].request
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert "api_key" not in str(request.url)


@pytest.mark.parametrize(
    ("status", "tmdbs", "code", "permanent"),
    [
        (401, 7, "unauthorized", True),
        (422, 5, "rejected", True),
        (400, 22, "rejected", True),
        (429, 25, "rate_limited", False),
        (500, 11, "unavailable", False),
        (502, 43, "unavailable", False),
        (503, 9, "unavailable", False),
        (503, 46, "unavailable", False),
        (504, 24, "unavailable", False),
    ],
)
@pytest.mark.parametrize("call", CALLS)
def test_every_failure_has_its_code(
    fake: responses.RequestsMock,
    tmdb: Tmdb,
    call: Callable[[Tmdb], object],
    status: int,
    tmdbs: int,
    code: str,
    permanent: bool,
) -> None:
    everything_answers(fake, status=status, json=failure(tmdbs, f"Because of {KEY}."))
    with pytest.raises(ServiceError) as caught:
        call(tmdb)
    error = caught.value
    assert (error.service, error.code, error.permanent) == ("TMDB", code, permanent)
    assert error.outcome_unknown is False
    assert "Because of ***." in str(error)


def test_a_limit_says_how_long_to_wait(fake: responses.RequestsMock, tmdb: Tmdb) -> None:
    everything_answers(fake, status=429, json=failure(25), headers={"Retry-After": "7"})
    with pytest.raises(ServiceError) as caught:
        tmdb.search("x")
    assert caught.value.retry_after == 7


@pytest.mark.parametrize("body", ["<html>login</html>", "", "[]", '{"results": [{"id": "x"}]}'])
@pytest.mark.parametrize("call", CALLS)
def test_a_2xx_that_is_not_tmdbs_is_unreadable(
    fake: responses.RequestsMock, tmdb: Tmdb, call: Callable[[Tmdb], object], body: str
) -> None:
    everything_answers(fake, body=body)
    with pytest.raises(ServiceError) as caught:
        call(tmdb)
    assert caught.value.code == "unreadable"


@pytest.mark.parametrize("key", [KEY, TOKEN])
@pytest.mark.parametrize("call", CALLS)
def test_no_key_gets_into_an_error(
    fake: responses.RequestsMock, call: Callable[[Tmdb], object], key: str
) -> None:
    everything_answers(fake, status=401, json=failure(7, f"Bad {key} in ?api_key={key}"))
    client = Tmdb(ROOT, key, 5)
    with pytest.raises(ServiceError) as caught:
        call(client)
    error = caught.value
    assert key not in f"{error} {error!r} {error.args} {vars(error)} {client!r}"
    assert "api_key=0" not in str(error)

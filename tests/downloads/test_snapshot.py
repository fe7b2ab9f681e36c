"""Reading Radarr: whole or not at all, in a bounded number of calls, and the right film."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from downloads import connections
from downloads.http import ServiceError
from downloads.models import Download
from downloads.radarr import Movie
from downloads.snapshot import MOST_FILMS, is_same_film, read_films, read_snapshot
from tests.fakes import Answer, FakeRadarr

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def intercept(
    monkeypatch: pytest.MonkeyPatch,
    radarr: FakeRadarr,
    call: str,
    answer: Callable[[], Answer | None],
) -> None:
    """Run `answer` before Radarr answers a call like `GET /api/v3/movie?tmdbId`.

    It may answer instead of Radarr, or return None.
    """
    route = radarr._route

    def first(request: Any, path: str, query: dict[str, Any]) -> Answer:
        seen = f"{request.method} {path}?{'&'.join(query)}"
        given = answer() if re.search(call, seen) else None
        return route(request, path, query) if given is None else given

    monkeypatch.setattr(radarr, "_route", first)


def rows(count: int) -> list[Download]:
    """Downloads that are in no database, with Radarr's ids 1 to `count`."""
    return [
        Download(pk=n, tmdb_id=1000 + n, radarr_id=n, title=f"Film {n}", year=2000)
        for n in range(1, count + 1)
    ]


def fill(radarr: FakeRadarr, downloads: list[Download]) -> None:
    for row in downloads:
        radarr.put(row.tmdb_id, row.title, row.year or 0)


def asked_since(mock: responses.RequestsMock) -> datetime:
    """The date of the last question for the history."""
    urls = [urlsplit(call.request.url or "") for call in mock.calls]
    [date] = parse_qs([url for url in urls if "history" in url.path][-1].query)["date"]
    return datetime.fromisoformat(date)


def read_everything() -> None:
    """Read as a tick does that has one undecided film."""
    read_snapshot(connections.radarr(), cursor=None, now=NOON)
    read_films(connections.radarr(), rows(1), turn=0, whole_list=False)


# --- queue and history ----------------------------------------------------------------------------


def test_queue_and_history_are_sorted_by_film(radarr: FakeRadarr) -> None:
    fill(radarr, rows(2))
    radarr.grab(1001, NOON)
    radarr.grab(1001, NOON + timedelta(minutes=1))
    radarr.grab(1002, NOON + timedelta(minutes=2))
    radarr.queue.append({"id": 999, "title": "of no film at all"})
    found = read_snapshot(connections.radarr(), cursor=None, now=NOON)
    assert {film: len(items) for film, items in found.queue.items()} == {1: 2, 2: 1}
    assert [item.id for item in found.history[1]] == [1, 2]
    assert found.cursor == NOON + timedelta(minutes=2)
    assert found.last_history_id == 3


def test_the_history_is_told_in_order_whatever_order_it_comes_in(radarr: FakeRadarr) -> None:
    fill(radarr, rows(1))
    radarr.record(1, "downloadFailed", NOON, "D1")
    radarr.record(1, "grabbed", NOON - timedelta(minutes=1), "D1")
    found = read_snapshot(connections.radarr(), cursor=None, now=NOON)
    assert [item.event_type for item in found.history[1]] == ["grabbed", "downloadFailed"]


@pytest.mark.parametrize("length", [0, 1, 11, 1000, 1001, 2500])
def test_the_queue_is_read_whole(radarr: FakeRadarr, length: int) -> None:
    radarr.queue = [{"id": n, "movieId": 1, "status": "downloading"} for n in range(length)]
    found = read_snapshot(connections.radarr(), cursor=None, now=NOON)
    assert sum(map(len, found.queue.values())) == length
    assert radarr.count("GET", "queue") == max(1, -(-length // 1000))


@pytest.mark.parametrize(
    ("cursor", "since"),
    [
        (NOON - timedelta(hours=3), NOON - timedelta(hours=3, minutes=5)),
        (None, NOON - timedelta(days=1)),
    ],
)
def test_the_history_is_read_from_five_minutes_before_the_cursor(
    radarr: FakeRadarr, mock: responses.RequestsMock, cursor: datetime | None, since: datetime
) -> None:
    read_snapshot(connections.radarr(), cursor=cursor, now=NOON)
    assert asked_since(mock) == since


def test_a_history_without_news_leaves_the_cursor_where_it_is(radarr: FakeRadarr) -> None:
    found = read_snapshot(connections.radarr(), cursor=NOON, now=NOON + timedelta(days=9))
    assert (found.cursor, found.last_history_id) == (NOON, 0)


# --- films ----------------------------------------------------------------------------------------


def test_a_few_films_are_read_one_by_one(radarr: FakeRadarr) -> None:
    wanted = rows(MOST_FILMS)
    fill(radarr, wanted)
    found = read_films(connections.radarr(), wanted, turn=0, whole_list=True)
    assert set(found.movies) == {row.pk for row in wanted}
    assert len(radarr.calls) == MOST_FILMS


def test_many_films_are_read_in_turns_that_reach_all(radarr: FakeRadarr) -> None:
    wanted = rows(50)
    fill(radarr, wanted)
    seen: set[int] = set()
    for turn in range(7, 10):
        radarr.calls.clear()
        found = read_films(connections.radarr(), wanted, turn=turn, whole_list=False)
        assert len(radarr.calls) == len(found.movies) == MOST_FILMS
        assert not found.absent
        seen |= set(found.movies)
    assert seen == {row.pk for row in wanted}


def test_the_whole_list_is_one_call_and_knows_who_is_missing(radarr: FakeRadarr) -> None:
    wanted = rows(50)
    fill(radarr, wanted[:40])
    found = read_films(connections.radarr(), wanted, turn=0, whole_list=True)
    assert set(found.movies) == set(range(1, 41))
    assert found.absent == frozenset(range(41, 51))
    assert len(radarr.calls) == 1


@pytest.mark.parametrize("whole_list", [False, True])
def test_a_film_is_found_by_its_tmdb_id_when_radarr_gave_it_a_new_one(
    radarr: FakeRadarr, whole_list: bool
) -> None:
    wanted = rows(MOST_FILMS + 1) if whole_list else rows(1)
    for row in wanted:
        row.radarr_id = row.pk + 500
    fill(radarr, wanted)
    found = read_films(connections.radarr(), wanted, turn=0, whole_list=whole_list)
    assert found.movies[1].id == 1
    assert not found.absent


@pytest.mark.parametrize("whole_list", [False, True])
def test_anothers_film_under_our_number_is_not_ours(radarr: FakeRadarr, whole_list: bool) -> None:
    wanted = rows(MOST_FILMS + 1) if whole_list else rows(1)
    for number in range(len(wanted)):
        radarr.put(9000 + number, "Somebody else's", 1990)
    found = read_films(connections.radarr(), wanted, turn=0, whole_list=whole_list)
    assert found.movies == {}
    assert len(found.absent) == len(wanted)


@pytest.mark.parametrize("whole_list", [False, True])
def test_a_film_whose_tmdb_id_was_merged_is_found_by_radarrs_number(
    radarr: FakeRadarr, whole_list: bool
) -> None:
    wanted = rows(MOST_FILMS + 1) if whole_list else rows(1)
    fill(radarr, wanted)
    radarr.movies[1]["tmdbId"] = 424242
    found = read_films(connections.radarr(), wanted, turn=0, whole_list=whole_list)
    assert found.movies[1].tmdb_id == 424242


SAME = [
    ("the same TMDB id", {"tmdb_id": 155, "title": "?"}, "", True),
    ("merged, the same IMDb id", {"imdb_id": "tt1", "title": "?"}, "tt1", True),
    ("another IMDb id beats title and year", {"imdb_id": "tt2"}, "tt1", False),
    ("merged, the same title and year", {}, "", True),
    ("we know no IMDb id: title and year", {"imdb_id": "tt2"}, "", True),
    ("Radarr knows no IMDb id: title and year", {}, "tt1", True),
    ("another year", {"year": 1999}, "", False),
    ("another title", {"title": "Batman"}, "", False),
]


@pytest.mark.parametrize(
    ("fields", "imdb_id", "same"), [s[1:] for s in SAME], ids=[s[0] for s in SAME]
)
def test_which_film_is_the_wanted_one(fields: dict[str, Any], imdb_id: str, same: bool) -> None:
    wanted = Download(tmdb_id=155, title="The Dark Knight", year=2008, imdb_id=imdb_id)
    known: dict[str, Any] = {"id": 1, "tmdb_id": 9, "title": "The Dark Knight", "year": 2008}
    assert is_same_film(wanted, Movie(**{**known, **fields})) is same


# --- an error is never an absence -----------------------------------------------------------------


@pytest.mark.parametrize(
    "call", [r"GET .*/queue", r"GET .*/history/since", r"GET .*/movie/1\b", r"movie\?tmdbId"]
)
def test_what_cannot_be_read_is_an_error_and_no_absence(
    radarr: FakeRadarr, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    intercept(monkeypatch, radarr, call, lambda: (404, {}, "<html>nginx</html>"))
    with pytest.raises(ServiceError, match="not Radarr's"):
        read_everything()


def test_a_queue_that_shrinks_while_it_is_read_is_an_error(
    radarr: FakeRadarr, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = radarr.ok({"page": 1, "totalRecords": 3, "records": [{"id": 1, "movieId": 1}]})
    intercept(monkeypatch, radarr, "queue", lambda: short)
    with pytest.raises(ServiceError, match="1 of the 3 items"):
        read_snapshot(connections.radarr(), cursor=None, now=NOON)

"""The tick: few calls, nothing concluded from an error, every change once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import responses
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from downloads import lifecycle, services
from downloads.models import (
    Download,
    DownloadEvent,
    DownloadRequest,
    MediaType,
    MonitorState,
    Status,
)
from downloads.monitor import MOST_ADDS, TickResult, tick
from moviesms.models import Incident
from tests.downloads.test_snapshot import intercept
from tests.fakes import Answer, FakeRadarr

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HALF_MINUTE = timedelta(seconds=30)
OURS = {"X-Application-Version": "6.1.0.0", "Content-Type": "application/json"}

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "radarr")]


def follow(
    radarr: FakeRadarr,
    tmdb_id: int = 155,
    status: str = Status.SEARCHING,
    *,
    is_there: bool = True,
    **fields: Any,
) -> Download:
    """A film on its way that Radarr has (or once had)."""
    title = f"Film {tmdb_id}"
    movie = radarr.put(tmdb_id, title, 2008)
    if not is_there:
        del radarr.movies[movie["id"]]
        movie["id"] += 900  # the next film must not get its number
    defaults = {"generation_started_at": NOON, "status_changed_at": NOON, "radarr_id": movie["id"]}
    row = Download.objects.create(
        tmdb_id=tmdb_id, title=title, year=2008, status=status, **{**defaults, **fields}
    )
    ask(row, "sam")
    return row


def ask(row: Download, name: str, **fields: Any) -> None:
    DownloadRequest.objects.create(
        download=row,
        generation=row.generation,
        requester=name,
        origin=f"{name}:{row.tmdb_id}:{row.generation}",
        announced_at=NOON,
        **fields,
    )


def saved(count: int, **fields: Any) -> list[Download]:
    """Requests that are not in Radarr yet."""
    rows = []
    for number in range(count):
        row = Download.objects.create(
            tmdb_id=5000 + number,
            title=f"Saved {number}",
            year=2000,
            generation_started_at=NOON,
            status_changed_at=NOON,
        )
        ask(row, "sam", **fields)
        rows.append(row)
    return rows


def status_of(row: Download) -> str:
    return Download.objects.get(pk=row.pk).status


def told() -> list[str | None]:
    return list(DownloadEvent.objects.exclude(dedupe=None).values_list("dedupe", flat=True))


def writes(queries: CaptureQueriesContext) -> list[str]:
    verbs = ("INSERT", "UPDATE", "DELETE", "REPLACE")
    return [q["sql"] for q in queries.captured_queries if q["sql"].startswith(verbs)]


# --- how much it asks Radarr ----------------------------------------------------------------------

A_MINUTE_PAST, HALF_PAST = NOON + timedelta(minutes=1), NOON + HALF_MINUTE


@pytest.mark.parametrize(
    ("active", "calls"), [(0, 0), (1, 3), (5, 7), (20, 22), (25, 22), (200, 22)]
)
def test_a_tick_makes_a_bounded_number_of_calls(
    radarr: FakeRadarr, active: int, calls: int
) -> None:
    for number in range(active):
        follow(radarr, 1000 + number)
    result = tick(A_MINUTE_PAST, last_tick=HALF_PAST)
    assert (result.active, result.error) == (active, "")
    assert len(radarr.calls) == calls


@pytest.mark.parametrize("active", [25, 200])
def test_now_and_then_the_whole_list_is_read_instead(radarr: FakeRadarr, active: int) -> None:
    for number in range(active):
        follow(radarr, 1000 + number)
    now, lists = NOON, []
    for _ in range(30):  # a quarter of an hour
        tick(now + HALF_MINUTE, last_tick=now)
        now += HALF_MINUTE
        lists.append(radarr.count("GET", r"/movie$"))
        radarr.calls.clear()
    assert sum(lists) == 3


def test_films_in_the_queue_need_no_call_of_their_own(radarr: FakeRadarr) -> None:
    for number in range(50):
        follow(radarr, 1000 + number)
        radarr.grab(1000 + number, NOON)
    assert tick(NOON).changed == 50
    # Before a status changes, whose film it is is looked at: one list where there are many.
    each_tick = ["/api/v3/queue", "/api/v3/history/since"]
    assert [path for _, path in radarr.calls] == [*each_tick, "/api/v3/movie"]
    radarr.calls.clear()
    tick(NOON + HALF_MINUTE)
    assert [path for _, path in radarr.calls] == each_tick


def test_films_that_are_gone_cost_two_calls_each_and_no_more(radarr: FakeRadarr) -> None:
    for number in range(200):
        follow(radarr, 1000 + number, is_there=False)
    tick(A_MINUTE_PAST, last_tick=HALF_PAST)
    assert len(radarr.calls) == 42


def test_the_database_is_asked_no_more_for_many_than_for_few(radarr: FakeRadarr) -> None:
    asked = []
    for number in range(120):
        follow(radarr, 1000 + number)
        if number + 1 not in (30, 120):
            continue
        tick(A_MINUTE_PAST)
        tick(A_MINUTE_PAST, last_tick=HALF_PAST)
        with CaptureQueriesContext(connection) as queries:
            tick(A_MINUTE_PAST, last_tick=HALF_PAST)
        asked.append(len(queries))
    assert asked[0] == asked[1] <= 10


@pytest.mark.parametrize(
    ("status", "age", "is_watched"),
    [
        ("completed", 0, False),
        ("cancelled", 0, False),
        ("failed", 13, True),
        ("failed", 15, False),
    ],
)
def test_what_ended_is_left_alone_but_a_failure_is_watched_for_two_weeks(
    radarr: FakeRadarr, status: str, age: int, is_watched: bool
) -> None:
    follow(radarr, status=status, status_changed_at=NOON - timedelta(days=age))
    assert tick(NOON).active == 0
    assert bool(radarr.calls) is is_watched


@pytest.mark.parametrize("state", ["pending_approval", "withdrawn"])
def test_what_nobody_may_have_yet_is_not_asked_about(radarr: FakeRadarr, state: str) -> None:
    saved(1, state=state)
    tick(NOON)
    assert radarr.calls == []


# --- a quiet tick writes nothing ------------------------------------------------------------------


def a_bit_of_everything(radarr: FakeRadarr) -> None:
    follow(radarr, 1)
    follow(radarr, 2, Status.DOWNLOADING)
    radarr.grab(2, NOON)
    follow(radarr, 3, Status.IMPORTING)
    radarr.grab(3, NOON, status="completed", trackedDownloadState="importBlocked")
    radarr.release[4] = "2026-12-12T00:00:00Z"
    follow(radarr, 4, Status.WAITING, reason="2026-12-12")
    follow(radarr, 5, Status.FAILED)
    follow(radarr, 6, Status.DOWNLOADING)
    radarr.grab(6, NOON)
    radarr.fail(6, NOON)
    follow(radarr, 7, Status.DOWNLOADING)
    radarr.movie(7)["monitored"] = False


def test_a_quiet_tick_writes_nothing(radarr: FakeRadarr) -> None:
    a_bit_of_everything(radarr)
    tick(NOON)
    tick(NOON + HALF_MINUTE)
    with CaptureQueriesContext(connection) as queries:
        result = tick(NOON + 2 * HALF_MINUTE)
    assert len(queries) > 0
    assert writes(queries) == []
    assert (result.changed, result.made_events, result.error) == (0, False, "")


def test_the_command_writes_nothing_either_while_redis_takes_the_heartbeat(
    radarr: FakeRadarr,
) -> None:
    a_bit_of_everything(radarr)
    for _ in range(2):
        call_command("run_download_monitor", "--once")
    with CaptureQueriesContext(connection) as queries:
        call_command("run_download_monitor", "--once")
    assert len(queries) > 0
    assert writes(queries) == []


# --- an error is never read as an absence ---------------------------------------------------------

FAULTS: list[tuple[str, Answer | Exception]] = [
    ("401", (401, {}, "")),
    ("403", (403, {}, "")),
    ("404 of a proxy", (404, {}, '{"message": "NotFound"}')),
    ("500", (500, OURS, '{"message": "database is locked"}')),
    ("502", (502, {}, "<html>Bad Gateway</html>")),
    ("503", (503, OURS, '{"errorMessage": "starting up"}')),
    ("html", (200, {"Content-Type": "text/html"}, "<html>Sign in</html>")),
    ("html with our header", (200, OURS, "<html>Sign in</html>")),
    ("empty", (200, OURS, "")),
    ("truncated", (200, OURS, '[{"id": 1, "tmd')),
    ("null", (200, OURS, "null")),
    ("another shape", (200, OURS, "{}")),
    ("one bad record", (200, OURS, '[{"surprise": 1}]')),
    ("a word", (200, OURS, '"ok"')),
    ("redirect", (307, {"Location": "http://169.254.169.254/"}, "")),
    ("refused", requests.exceptions.ConnectionError("refused")),
    ("timeout", requests.exceptions.ReadTimeout("read timed out")),
    ("cut off", requests.exceptions.ChunkedEncodingError("cut off")),
]
CALLS = {
    "queue": "GET .*/queue",
    "history": "GET .*/history",
    "film by its number": r"GET .*/movie/\d+",
    "film by its TMDB id": r"GET .*/movie\?tmdbId",
    "whole list": r"GET .*/movie\?excludeLocalCovers",
    "whole list before a cancel": r"GET .*/movie\?excludeLocalCovers",
}


def on_the_brink(radarr: FakeRadarr, more: int) -> None:
    """One film each that the next good tick completes, starts, fails, and cancels."""
    long_ago = NOON - timedelta(hours=1)
    follow(radarr, 1, Status.DOWNLOADING)
    radarr.grab(1, NOON)
    radarr.finish(1, NOON)
    follow(radarr, 2)
    radarr.grab(2, NOON)
    follow(radarr, 3, Status.DOWNLOADING, failed_seen_at=long_ago)
    follow(radarr, 4, is_there=False, absent_since=long_ago, absent_count=5)
    for number in range(more):
        follow(radarr, 1000 + number)


def test_the_brink_is_one(radarr: FakeRadarr) -> None:
    on_the_brink(radarr, 0)
    assert tick(NOON).changed == 4
    found = Download.objects.order_by("tmdb_id").values_list("status", flat=True)
    assert list(found) == ["completed", "downloading", "failed", "cancelled"]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("fault", [fault[1] for fault in FAULTS], ids=[f[0] for f in FAULTS])
def test_nothing_is_concluded_from_an_error(
    radarr: FakeRadarr, monkeypatch: pytest.MonkeyPatch, call: str, fault: Answer | Exception
) -> None:
    on_the_brink(radarr, 20 if call == "whole list" else 0)
    before = list(Download.objects.order_by("id").values())
    MonitorState.load()
    state = MonitorState.objects.values().get()
    seen: list[bool] = []

    def answer() -> Answer:
        seen.append(True)
        if isinstance(fault, Exception):
            raise fault
        return fault

    intercept(monkeypatch, radarr, CALLS[call], answer)
    result = tick(NOON)
    assert seen
    assert result.error
    assert result.changed == 0
    assert list(Download.objects.order_by("id").values()) == before
    assert MonitorState.objects.values().get() == state
    assert not DownloadEvent.objects.exists()


def test_an_outage_of_hours_ends_where_it_began(radarr: FakeRadarr) -> None:
    on_the_brink(radarr, 0)
    radarr.fail_with(requests.exceptions.ConnectionError("refused"))
    for hours in range(48):
        assert tick(NOON + timedelta(hours=hours)).error
    assert not DownloadEvent.objects.exists()
    assert not Incident.objects.exists()  # it may come back by itself
    radarr.fail_with(None)
    assert tick(NOON + timedelta(hours=49)).changed == 4


def test_what_the_owner_must_mend_is_told_once_and_closed_once(radarr: FakeRadarr) -> None:
    follow(radarr)
    radarr.fail_with((401, {}, ""))
    for minutes in range(5):
        tick(NOON + timedelta(minutes=minutes))
    assert Incident.objects.get().key == "radarr:unusable"
    radarr.fail_with(None)
    tick(NOON + timedelta(minutes=9))
    assert Incident.objects.get().closed_at == NOON + timedelta(minutes=9)


# --- the cursor -----------------------------------------------------------------------------------


def test_the_cursor_moves_behind_the_newest_row(radarr: FakeRadarr) -> None:
    follow(radarr)
    radarr.grab(155, NOON - timedelta(minutes=2))
    radarr.grab(155, NOON - timedelta(minutes=1))
    tick(NOON)
    state = MonitorState.load()
    assert (state.history_cursor, state.history_last_id) == (NOON - timedelta(minutes=1), 2)


def test_the_cursor_stays_when_a_transition_could_not_be_written(
    radarr: FakeRadarr, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [follow(radarr, number, Status.DOWNLOADING) for number in (1, 2)]
    for row in rows:
        radarr.grab(row.tmdb_id, NOON)
        radarr.finish(row.tmdb_id, NOON)
        radarr.movie(row.tmdb_id)["hasFile"] = False  # the history alone tells
    write = lifecycle.transition_to

    def disk_full(download: Download, *args: Any, **kwargs: Any) -> bool:
        if download.tmdb_id == 2:
            raise DatabaseError("disk full")
        return write(download, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(lifecycle, "transition_to", disk_full)
        with pytest.raises(DatabaseError):
            tick(NOON)
    assert MonitorState.load().history_cursor is None
    assert [status_of(row) for row in rows] == ["completed", "downloading"]

    tick(NOON + timedelta(days=30))
    # A first look reaches back a day only; with a cursor the import would have been lost.
    tick(NOON + HALF_MINUTE)
    assert [status_of(row) for row in rows] == ["completed", "completed"]
    assert told() == ["completed", "completed"]


def test_a_row_that_radarr_writes_late_is_seen_all_the_same(radarr: FakeRadarr) -> None:
    row = follow(radarr, 1, Status.DOWNLOADING)
    follow(radarr, 2, Status.DOWNLOADING)
    radarr.grab(2, NOON)
    tick(NOON)
    assert MonitorState.load().history_cursor == NOON
    radarr.record(row.radarr_id or 0, "downloadFolderImported", NOON - timedelta(minutes=4), "D9")
    tick(NOON + HALF_MINUTE)
    assert status_of(row) == Status.COMPLETED


def test_rows_read_twice_are_told_once(radarr: FakeRadarr) -> None:
    row = follow(radarr, status=Status.DOWNLOADING)
    radarr.grab(155, NOON)
    radarr.fail(155, NOON)
    for minutes in range(0, 60, 5):
        tick(NOON + timedelta(minutes=minutes))
    assert status_of(row) == Status.FAILED
    assert told() == ["failed"]


def test_what_happened_before_it_was_asked_for_again_does_not_count(radarr: FakeRadarr) -> None:
    row = follow(radarr, status=Status.DOWNLOADING)
    radarr.grab(155, NOON)
    radarr.finish(155, NOON)
    tick(NOON)
    assert status_of(row) == Status.COMPLETED
    radarr.movie(155)["hasFile"] = False  # the owner deleted the file
    match = services.Match(155, row.title, row.year)
    services.request_movie(match, "sam", origin="again", now=NOON + HALF_MINUTE)
    tick(NOON + 2 * HALF_MINUTE)
    row.refresh_from_db()
    assert (row.status, row.generation) == (Status.SEARCHING, 2)


# --- two at once ----------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["queue", "history", r"movie/"])
def test_two_monitors_with_the_same_stale_row_make_one_event(
    radarr: FakeRadarr, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    row = follow(radarr)
    radarr.movie(155)["hasFile"] = True
    others: list[TickResult] = []

    def other_monitor() -> None:
        if not others:
            others.append(TickResult())
            others.append(tick(NOON))

    intercept(monkeypatch, radarr, call, other_monitor)
    result = tick(NOON)
    assert [others[1].changed, result.changed] == [1, 0]
    row.refresh_from_db()
    assert (row.status, row.version, row.events.count()) == (Status.COMPLETED, 2, 1)


def test_a_cancel_during_a_tick_is_not_undone(
    radarr: FakeRadarr, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = follow(radarr)
    radarr.grab(155, NOON)

    def cancel() -> None:
        services.cancel_download(Download.objects.get(), now=NOON)

    intercept(monkeypatch, radarr, "history", cancel)
    tick(NOON)
    assert status_of(row) == Status.CANCELLED
    assert told() == ["cancelled"]


# --- gone from Radarr -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gone", "there", "cancels"),
    [(3, 1, 3), (3, 0, 0), (4, 4, 4), (4, 3, 0), (4, 0, 0), (12, 3, 0)],
)
def test_many_films_gone_at_once_are_an_incident_and_no_cancellation(
    radarr: FakeRadarr, gone: int, there: int, cancels: int
) -> None:
    for number in range(gone):
        follow(radarr, 2000 + number, is_there=False)
    for number in range(there):
        follow(radarr, 3000 + number)
    for minutes in range(0, 30, 3):
        tick(NOON + timedelta(minutes=minutes))
    assert Download.objects.filter(status=Status.CANCELLED).count() == cancels
    opened = list(Incident.objects.filter(closed_at=None).values_list("key", flat=True))
    assert opened == ([] if cancels else ["radarr:films_missing"])
    assert Incident.objects.count() == len(opened)


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_radarr_without_the_films_it_had_is_not_ours(radarr: FakeRadarr, is_ours: bool) -> None:
    row = follow(radarr, is_there=False)
    follow(radarr, 603, Status.COMPLETED, is_there=is_ours)
    radarr.put(9000, "Another", 2000)
    tick(NOON)
    tick(NOON + timedelta(minutes=6))
    assert (status_of(row) == Status.CANCELLED) is is_ours
    assert Incident.objects.filter(key="radarr:films_missing").exists() is not is_ours


def test_the_incident_is_over_when_the_films_are_back(radarr: FakeRadarr) -> None:
    for number in range(5):
        follow(radarr, 2000 + number)
    library, radarr.movies = radarr.movies, {}
    tick(NOON)
    radarr.movies = library
    tick(NOON + HALF_MINUTE)
    assert Incident.objects.get().closed_at == NOON + HALF_MINUTE
    assert not Download.objects.filter(absent_count__gt=0).exists()


def test_a_film_whose_tmdb_id_was_merged_is_completed(radarr: FakeRadarr) -> None:
    row = follow(radarr, imdb_id="tt0468569")
    radarr.movies[1] |= {"tmdbId": 4242, "imdbId": "tt0468569", "hasFile": True, "title": "?"}
    tick(NOON)
    assert status_of(row) == Status.COMPLETED


def test_anothers_film_under_our_number_completes_nothing(radarr: FakeRadarr) -> None:
    row = follow(radarr)
    radarr.movies[1] |= {"tmdbId": 4242, "title": "Batman", "hasFile": True}
    tick(NOON)
    tick(NOON + timedelta(minutes=6))
    assert status_of(row) == Status.CANCELLED


# --- saved requests -------------------------------------------------------------------------------


def test_saved_requests_are_added_oldest_first_and_some_at_a_time(radarr: FakeRadarr) -> None:
    saved(MOST_ADDS + 5)
    first = tick(NOON)
    assert (first.added, first.made_events) == (MOST_ADDS, True)
    assert [movie["tmdbId"] for movie in radarr.movies.values()][:3] == [5000, 5001, 5002]
    assert tick(NOON + HALF_MINUTE).added == 5
    assert radarr.adds == MOST_ADDS + 5


def test_the_first_that_radarr_cannot_take_ends_the_adding(radarr: FakeRadarr) -> None:
    saved(3)
    radarr.on_add = (503, OURS, "{}")
    result = tick(NOON)
    assert (radarr.adds, result.added, bool(result.error)) == (1, 0, True)
    radarr.on_add = None
    assert tick(NOON + HALF_MINUTE).added == 3


def test_a_refused_film_does_not_keep_the_others_waiting(radarr: FakeRadarr) -> None:
    rows = saved(3)
    radarr.excluded.add(rows[0].tmdb_id)
    assert tick(NOON).added == 3
    assert [status_of(row) for row in rows] == ["failed", "searching", "searching"]


# --- removals -------------------------------------------------------------------------------------


def cancel(row: Download) -> None:
    services.cancel_download(row, now=NOON)


def test_what_we_added_is_removed_without_its_files(
    radarr: FakeRadarr, mock: responses.RequestsMock
) -> None:
    cancel(follow(radarr, added_by_us=True))
    assert tick(NOON).removed == 1
    assert radarr.movies == {}
    assert not any("deleteFiles=true" in str(call.request.url) for call in mock.calls)
    assert tick(NOON + HALF_MINUTE).removed == 0


def test_what_the_owner_added_is_never_removed(radarr: FakeRadarr) -> None:
    cancel(follow(radarr))
    tick(NOON)
    assert len(radarr.movies) == 1
    assert radarr.count("DELETE", "") == 0


def test_what_has_its_file_is_never_removed(radarr: FakeRadarr) -> None:
    cancel(follow(radarr, added_by_us=True))
    radarr.movie(155)["hasFile"] = True
    tick(NOON)
    assert len(radarr.movies) == 1


def test_what_is_wanted_again_is_never_removed(radarr: FakeRadarr) -> None:
    row = follow(radarr, added_by_us=True)
    cancel(row)
    match = services.Match(155, row.title, row.year)
    services.request_movie(match, "alex", origin="again", now=NOON)
    tick(NOON)
    assert len(radarr.movies) == 1
    assert radarr.count("DELETE", "") == 0
    assert status_of(row) == Status.SEARCHING


def test_a_removal_waits_for_radarr(radarr: FakeRadarr) -> None:
    cancel(follow(radarr, added_by_us=True))
    radarr.fail_with((503, OURS, "{}"))
    assert tick(NOON).error
    radarr.fail_with(None)
    assert tick(NOON + HALF_MINUTE).removed == 1


# --- odds -----------------------------------------------------------------------------------------


def test_films_of_other_people_in_radarr_concern_nobody(radarr: FakeRadarr) -> None:
    row = follow(radarr)
    radarr.put(9000, "The owner's own", 1999)
    radarr.grab(9000, NOON)
    tick(NOON)
    assert status_of(row) == Status.SEARCHING
    assert Download.objects.count() == 1
    assert row.media_type == MediaType.MOVIE


def test_a_tick_says_what_it_did(radarr: FakeRadarr) -> None:
    follow(radarr)
    radarr.grab(155, NOON)
    saved(1)
    assert tick(NOON).as_dict() == {
        "active": 2,
        "changed": 1,
        "added": 1,
        "removed": 0,
        "error": "",
    }

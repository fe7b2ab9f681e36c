"""Into Radarr and out again: once, whoever is first, whatever Radarr answers."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
import time_machine
from django.db import connection, connections
from django.utils import timezone

from downloads import adding, services
from downloads import connections as clients
from downloads.adding import remove, try_add
from downloads.http import ServiceError
from downloads.models import Download, DownloadRequest, Status
from moviesms import claims
from moviesms.models import Incident
from tests.downloads.test_snapshot import intercept
from tests.fakes import Answer, FakeRadarr, rejected
from tests.processes import token_of_the_dead

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
OURS = {"X-Application-Version": "6.1.0.0", "Content-Type": "application/json"}
State = DownloadRequest.State

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "radarr")]


def wanted(state: str = State.ACTIVE, **fields: Any) -> Download:
    """A film that somebody has asked for and that is not in Radarr yet."""
    defaults: dict[str, Any] = {"generation_started_at": NOON, "status_changed_at": NOON}
    row = Download.objects.create(
        tmdb_id=155, title="The Dark Knight", year=2008, **{**defaults, **fields}
    )
    DownloadRequest.objects.create(
        download=row, generation=row.generation, requester="sam", origin="o1", state=state
    )
    return row


def incidents() -> list[str]:
    return list(Incident.objects.filter(closed_at=None).values_list("key", flat=True))


def posted(mock: responses.RequestsMock) -> dict[str, Any]:
    [body] = [
        call.request.body
        for call in mock.calls
        if (call.request.method, call.request.path_url) == ("POST", "/api/v3/movie")
    ]
    assert body is not None
    return dict(json.loads(body))


# --- adding ---------------------------------------------------------------------------------------


def test_a_wanted_film_is_added_as_the_owner_wants_it(
    radarr: FakeRadarr, mock: responses.RequestsMock
) -> None:
    row = wanted(imdb_id="tt0468569")
    assert try_add(row, now=NOON)
    assert posted(mock) == {
        "tmdbId": 155,
        "title": "The Dark Knight",
        "year": 2008,
        "qualityProfileId": 4,
        "rootFolderPath": "/films",
        "monitored": True,
        "minimumAvailability": "released",
        "tags": [],
        "addOptions": {"monitor": "movieOnly", "searchForMovie": True, "addMethod": "manual"},
    }
    assert (row.status, row.radarr_id, row.added_by_us) == (Status.SEARCHING, 1, True)
    stored = Download.objects.get()
    assert (stored.add_lease, stored.imdb_id) == (None, "tt0468569")


@pytest.mark.parametrize(
    ("movie", "status", "monitors", "searches"),
    [
        ({"hasFile": True}, Status.COMPLETED, 0, 0),
        ({"hasFile": True, "monitored": False}, Status.COMPLETED, 0, 0),
        ({}, Status.SEARCHING, 0, 1),
        ({"monitored": False}, Status.SEARCHING, 1, 1),
        # A posted search ignores availability: it would fetch a cinema recording.
        ({"isAvailable": False}, Status.SEARCHING, 0, 0),
        ({"isAvailable": False, "monitored": False}, Status.SEARCHING, 1, 0),
    ],
)
def test_a_film_that_is_in_radarr_is_not_added_again(
    radarr: FakeRadarr, movie: dict[str, Any], status: Status, monitors: int, searches: int
) -> None:
    radarr.put(155, "The Dark Knight", 2008, **movie)
    row = wanted()
    assert try_add(row, now=NOON)
    assert (row.status, row.added_by_us, radarr.adds) == (status, False, 0)
    assert radarr.count("PUT", "movie/editor") == monitors
    assert len(radarr.commands) == searches


@pytest.mark.parametrize(("name", "number"), [("", 4), ("hd-1080P", 4), ("Ultra-HD", 5), ("5", 5)])
def test_the_profile_is_chosen_by_name_or_number(
    mock: responses.RequestsMock, settings: Any, name: str, number: int
) -> None:
    settings.RADARR_QUALITY_PROFILE = name
    try_add(wanted(), now=NOON)
    assert posted(mock)["qualityProfileId"] == number


@pytest.mark.parametrize("name", ["", "/films", "/films/", "1"])
def test_the_folder_is_chosen_by_path_or_number(
    mock: responses.RequestsMock, settings: Any, name: str
) -> None:
    settings.RADARR_ROOT_FOLDER = name
    try_add(wanted(), now=NOON)
    assert posted(mock)["rootFolderPath"] == "/films"


@pytest.mark.parametrize("name", ["RADARR_QUALITY_PROFILE", "RADARR_ROOT_FOLDER"])
def test_a_setting_that_names_nothing_is_the_owners_and_waits(
    radarr: FakeRadarr, settings: Any, name: str
) -> None:
    setattr(settings, name, "/nowhere")
    row = wanted()
    assert not try_add(row, now=NOON)
    assert (row.status, radarr.adds) == (Status.REQUESTED, 0)
    assert incidents() == ["radarr:refused"]
    assert "/nowhere" in Incident.objects.get().summary

    setattr(settings, name, "")
    assert try_add(row, now=NOON)
    assert (row.status, incidents()) == (Status.SEARCHING, [])


def test_profiles_and_folders_are_asked_for_once_in_a_while(radarr: FakeRadarr) -> None:
    for _ in range(3):
        adding.quality_profile_id(clients.radarr())
        adding.root_folder_path(clients.radarr())
    assert len(radarr.calls) == 2


def test_profiles_and_folders_are_asked_for_again_after_a_refusal(radarr: FakeRadarr) -> None:
    radarr.on_add = rejected("QualityProfileId", "QualityProfileExistsValidator")
    row = wanted()
    try_add(row, now=NOON)
    try_add(row, now=NOON)
    assert radarr.count("GET", "qualityprofile") == radarr.count("GET", "rootfolder") == 2


# --- what Radarr may answer -----------------------------------------------------------------------

EXISTS = rejected("TmdbId", "MovieExistsValidator")
PROBLEM = (400, OURS, '{"title": "One or more validation errors occurred.", "status": 400}')
TIMED_OUT = requests.exceptions.ReadTimeout("read timed out")
REFUSED = requests.exceptions.ConnectTimeout("connect timed out")
HTML = (200, {"Content-Type": "text/html"}, "<html>Sign in</html>")
RACE = (409, OURS, '{"message": "UNIQUE constraint failed", "description": "at System.Data"}')
CRASH = (500, OURS, '{"message": "database is locked", "description": "at NzbDrone"}')


@pytest.mark.parametrize(
    ("answer", "ours"),
    [(EXISTS, False), (RACE, False), (CRASH, True), (TIMED_OUT, True), (HTML, True)],
    ids=["exists", "race", "500", "timeout", "html"],
)
def test_an_add_that_took_effect_counts_however_it_was_answered(
    radarr: FakeRadarr, answer: Answer | Exception, ours: bool
) -> None:
    radarr.on_add, radarr.add_lands_first = answer, True
    row = wanted()
    assert try_add(row, now=NOON)
    assert (row.status, row.radarr_id, row.added_by_us) == (Status.SEARCHING, 1, ours)
    assert (radarr.adds, len(radarr.movies), incidents()) == (1, 1, [])


SAVED = [
    ("401", (401, {}, ""), ["radarr:unusable"]),
    ("403", (403, {}, ""), ["radarr:unusable"]),
    ("500", CRASH, []),
    ("503", (503, OURS, '{"errorMessage": "starting up"}'), []),
    ("timeout", TIMED_OUT, []),
    ("never connected", REFUSED, []),
    ("html", HTML, []),
    ("truncated", (201, OURS, '{"id": 1, "tmd'), []),
    ("exists, and is not there", EXISTS, ["radarr:refused"]),
    ("redirect", (307, {"Location": "http://169.254.169.254/"}, ""), ["radarr:unusable"]),
    ("root folder", rejected("RootFolderPath", "RootFolderExistsValidator"), ["radarr:refused"]),
    ("blank root", rejected("RootFolderPath", "NotEmptyValidator"), ["radarr:refused"]),
    ("profile", rejected("QualityProfileId", "GreaterThanValidator"), ["radarr:refused"]),
    ("another field", rejected("Title", "NotEmptyValidator"), ["radarr:refused"]),
    ("problem details", PROBLEM, ["radarr:refused"]),
]


@pytest.mark.parametrize(("answer", "told"), [s[1:] for s in SAVED], ids=[s[0] for s in SAVED])
def test_what_radarr_could_not_do_now_is_kept_and_done_later(
    radarr: FakeRadarr, answer: Answer | Exception, told: list[str]
) -> None:
    radarr.on_add = answer
    row = wanted()
    assert try_add(row, now=NOON) is False
    stored = Download.objects.get()
    assert (stored.status, stored.add_lease, stored.reason) == (Status.REQUESTED, None, "")
    assert not stored.events.exists()
    assert (radarr.adds, incidents()) == (1, told)

    radarr.on_add = None
    assert try_add(row, now=NOON, patient=True)
    assert (Download.objects.get().status, incidents()) == (Status.SEARCHING, [])


def test_a_radarr_that_has_just_failed_is_left_to_the_monitor(radarr: FakeRadarr) -> None:
    """The next person is not kept waiting for a time-out that the last one has had."""
    radarr.fail_with(TIMED_OUT)
    row = wanted()
    try_add(row, now=NOON)
    radarr.fail_with(None)
    radarr.calls.clear()
    assert try_add(row, now=NOON) is False
    assert (radarr.calls, Download.objects.get().add_lease) == ([], None)
    assert try_add(row, now=NOON, patient=True)
    assert row.status == Status.SEARCHING


def test_a_refused_folder_is_no_outage(radarr: FakeRadarr) -> None:
    radarr.on_add = rejected("RootFolderPath", "RootFolderExistsValidator")
    row = wanted()
    try_add(row, now=NOON)
    radarr.on_add = None
    assert try_add(row, now=NOON)
    assert row.status == Status.SEARCHING


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (rejected("TmdbId", None), "unknown_film"),
        (rejected("Path", "MoviePathValidator"), "folder_in_use"),
        (rejected("Path", "RecycleBinValidator"), "folder_in_use"),
    ],
)
def test_what_radarr_will_never_take_has_failed(
    radarr: FakeRadarr, answer: Answer, reason: str
) -> None:
    radarr.on_add = answer
    row = wanted()
    assert try_add(row, now=NOON)
    assert (row.status, row.reason) == (Status.FAILED, reason)
    assert row.events.get().dedupe == "failed"
    assert incidents() == []


def test_an_excluded_film_is_never_posted(radarr: FakeRadarr) -> None:
    radarr.excluded.add(155)
    row = wanted()
    try_add(row, now=NOON)
    assert (row.status, row.reason, radarr.adds) == (Status.FAILED, "excluded", 0)


def test_an_add_of_unknown_outcome_is_read_again_before_it_is_repeated(
    radarr: FakeRadarr, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Radarr is gone right after it took the film: nobody may post it a second time."""
    radarr.on_add, radarr.add_lands_first = TIMED_OUT, True
    gone: list[bool] = []
    intercept(monkeypatch, radarr, "POST .*/movie", lambda: gone.append(True))
    down = (503, OURS, "{}")
    intercept(monkeypatch, radarr, r"movie\?tmdbId", lambda: down if gone else None)
    row = wanted()
    assert try_add(row, now=NOON) is False
    assert row.status == Status.REQUESTED

    gone.clear()
    assert try_add(row, now=NOON, patient=True)
    assert (row.status, radarr.adds) == (Status.SEARCHING, 1)


@pytest.mark.parametrize("call", ["GET .*/movie", "lookup", "qualityprofile", "rootfolder"])
def test_without_the_look_before_there_is_no_post(
    radarr: FakeRadarr, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    intercept(monkeypatch, radarr, call, lambda: (503, OURS, "{}"))
    row = wanted()
    assert try_add(row, now=NOON) is False
    assert (row.status, radarr.adds) == (Status.REQUESTED, 0)
    assert Download.objects.get().add_lease is None


# --- the claim ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lease", "posts"),
    [
        (None, 1),
        (timedelta(seconds=-1), 1),
        (timedelta(), 0),
        (timedelta(seconds=1), 0),
    ],
)
def test_only_a_free_or_expired_claim_can_be_taken(
    radarr: FakeRadarr, lease: timedelta | None, posts: int
) -> None:
    row = wanted(add_lease=None if lease is None else NOON + lease)
    assert try_add(row, now=NOON)
    assert radarr.adds == posts
    if not posts:
        assert radarr.calls == []
        assert row.status == Status.REQUESTED


def test_what_a_dead_process_was_adding_is_added_at_once(radarr: FakeRadarr) -> None:
    """Its lease does not run out first, whether its call had got through or not."""
    row = wanted(add_lease=NOON + timedelta(seconds=40), add_token=token_of_the_dead())
    dead = claims.dead_processes()
    services.take_over(dead, NOON)
    try_add(row, now=NOON)
    assert (radarr.adds, row.status) == (1, Status.SEARCHING)


def test_what_a_living_process_is_adding_is_left_to_it(radarr: FakeRadarr) -> None:
    row = wanted(add_lease=NOON + timedelta(seconds=40), add_token=claims.token())
    token_of_the_dead()
    services.take_over(claims.dead_processes(), NOON)
    try_add(row, now=NOON)
    assert radarr.calls == []


@pytest.mark.parametrize("state", [s for s in State if s != State.ACTIVE])
def test_what_nobody_waits_for_is_not_added(radarr: FakeRadarr, state: str) -> None:
    try_add(wanted(state), now=NOON)
    assert radarr.calls == []


def test_an_ask_of_an_earlier_generation_does_not_count(radarr: FakeRadarr) -> None:
    row = wanted()
    Download.objects.update(generation=2)
    try_add(row, now=NOON)
    assert radarr.calls == []


@pytest.mark.parametrize("status", [s for s in Status if s != Status.REQUESTED])
def test_who_comes_late_answers_from_the_row(radarr: FakeRadarr, status: str) -> None:
    row = wanted()
    Download.objects.update(status=status)
    assert try_add(row, now=NOON)
    assert (row.status, radarr.calls) == (status, [])


def test_the_claim_is_held_while_radarr_works(
    radarr: FakeRadarr, monkeypatch: pytest.MonkeyPatch, clock: time_machine.Traveller
) -> None:
    """A second worker that comes in the middle of the add does not post, however long it takes."""
    row = wanted()

    def second_worker() -> None:
        lease = Download.objects.get().add_lease
        assert lease is not None
        assert lease > timezone.now() + timedelta(seconds=40)  # two of Radarr's deadlines
        before = len(radarr.calls)
        assert try_add(Download.objects.get(), now=timezone.now())
        assert len(radarr.calls) == before

    # The looks before the post took longer than the claim would have lasted from its start.
    intercept(monkeypatch, radarr, "lookup", lambda: clock.shift(timedelta(seconds=119)))
    intercept(monkeypatch, radarr, "POST .*/movie", second_worker)
    assert try_add(row, now=NOON)
    assert (row.status, radarr.adds) == (Status.SEARCHING, 1)


@pytest.fixture
def in_threads(
    transactional_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Callable[[], None]], None]]:
    """Run a function in eight threads at once, each with its own connection.

    SQLite's test database lives in memory, where other connections are refused instead of kept
    waiting: the threads get a copy of it in a file, as in production.
    """

    def run(work: Callable[[], None]) -> None:
        start, errors = threading.Barrier(8), []
        if connection.vendor == "sqlite":
            import sqlite3

            path = tmp_path / "threads.sqlite3"
            with sqlite3.connect(path) as copy:
                connection.connection.backup(copy)
            copy.close()
            monkeypatch.setitem(connections.databases["default"], "NAME", str(path))

        def body() -> None:
            try:
                start.wait(timeout=10)
                work()
            except Exception as error:
                errors.append(error)
            finally:
                connections.close_all()

        threads = [threading.Thread(target=body) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
        assert errors == []

    yield run
    monkeypatch.undo()


def test_eight_workers_at_once_post_one_film(
    radarr: FakeRadarr, in_threads: Callable[[Callable[[], None]], None]
) -> None:
    number = wanted().pk
    found: list[str] = []

    def work() -> None:
        row = Download.objects.get(pk=number)
        assert try_add(row, now=NOON)
        found.append(Download.objects.get(pk=number).status)

    in_threads(work)
    assert (radarr.adds, len(radarr.movies), len(found)) == (1, 1, 8)
    assert Status.SEARCHING in found


# --- out again ------------------------------------------------------------------------------------


def cancelled(radarr: FakeRadarr, **fields: Any) -> Download:
    """A film that we added and that was cancelled."""
    movie = radarr.put(155, "The Dark Knight", 2008)
    defaults = {
        "status": Status.CANCELLED,
        "removal_due": True,
        "added_by_us": True,
        "radarr_id": movie["id"],
    }
    return wanted(State.ENDED, **{**defaults, **fields})


def test_a_film_is_taken_out_with_what_is_queued_for_it_and_never_with_files(
    radarr: FakeRadarr, mock: responses.RequestsMock
) -> None:
    row = cancelled(radarr)
    radarr.grab(155, NOON)
    other = radarr.put(603, "The Matrix", 1999)
    radarr.grab(603, NOON)
    remove(row, now=NOON)
    assert list(radarr.movies) == [other["id"]]
    assert [item["movieId"] for item in radarr.queue] == [other["id"]]
    [url] = [
        call.request.url
        for call in mock.calls
        if call.request.method == "DELETE" and "movie/" in str(call.request.url)
    ]
    assert "deleteFiles=false" in str(url)
    assert "addImportExclusion=false" in str(url)
    stored = Download.objects.get()
    assert (stored.removal_due, stored.radarr_id, stored.added_by_us) == (False, None, False)


def test_a_film_that_has_its_file_by_now_stays(radarr: FakeRadarr) -> None:
    row = cancelled(radarr)
    radarr.movie(155)["hasFile"] = True
    remove(row, now=NOON)
    assert len(radarr.movies) == 1
    assert not Download.objects.get().removal_due


def test_another_film_under_that_number_stays(radarr: FakeRadarr) -> None:
    row = cancelled(radarr)
    radarr.movies[1]["tmdbId"] = 603
    remove(row, now=NOON)
    assert len(radarr.movies) == 1


def test_a_film_that_is_gone_already_is_done(radarr: FakeRadarr) -> None:
    row = cancelled(radarr)
    radarr.movies.clear()
    remove(row, now=NOON)
    assert not Download.objects.get().removal_due


@pytest.mark.parametrize(
    "call", ["GET .*/movie/1", "GET .*/queue", "DELETE .*/queue", "DELETE .*movie"]
)
def test_what_could_not_be_removed_stays_due(
    radarr: FakeRadarr, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    row = cancelled(radarr)
    radarr.grab(155, NOON)
    intercept(monkeypatch, radarr, call, lambda: (503, OURS, "{}"))
    with pytest.raises(ServiceError):
        remove(row, now=NOON)
    assert Download.objects.get().removal_due
    assert len(radarr.movies) == 1

"""Faults that were there once, each with the test that found it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from downloads import services
from downloads.adding import try_add
from downloads.lifecycle import begin_generation
from downloads.models import Download, DownloadRequest, Status
from downloads.monitor import MOST_ADDS, tick
from moviesms.models import Incident
from tests.conftest import ALEX, SAM, Household
from tests.downloads.test_adding import wanted
from tests.downloads.test_live import stored
from tests.downloads.test_monitor import (
    HALF_MINUTE,
    NOON,
    ask,
    cancel,
    follow,
    saved,
    status_of,
)
from tests.downloads.test_snapshot import intercept
from tests.fakes import FakeRadarr, rejected

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "radarr")]


def _cancelled_meanwhile() -> None:
    services.cancel_download(Download.objects.get(), now=NOON)


KNIGHT = services.Match(155, "Film 155", 2008)


def test_a_moved_release_date_does_not_break_the_tick(radarr: FakeRadarr) -> None:
    radarr.release[155] = "2026-12-12T00:00:00Z"
    row = follow(radarr)
    tick(NOON)
    radarr.movie(155)["releaseDate"] = "2027-01-30T00:00:00Z"
    tick(NOON + HALF_MINUTE)
    row.refresh_from_db()
    assert row.reason == "2027-01-30"


def test_a_key_that_radarr_refuses_is_one_incident_while_only_saved_requests_wait(
    radarr: FakeRadarr,
) -> None:
    saved(1)
    radarr.fail_with((401, {}, ""))
    for minutes in range(5):
        tick(NOON + timedelta(minutes=minutes))
    assert Incident.objects.count() == 1
    assert Incident.objects.get().closed_at is None


def test_wanted_again_during_the_tick_is_not_removed(
    radarr: FakeRadarr, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = follow(radarr, added_by_us=True)
    cancel(row)
    follow(radarr, 603)  # something to observe, so that the tick takes its time
    once: list[bool] = []

    def again() -> None:
        if not once:
            once.append(True)
            services.request_movie(KNIGHT, "alex", origin="again", now=NOON)

    intercept(monkeypatch, radarr, "history", again)
    tick(NOON)
    assert status_of(row) == Status.SEARCHING
    assert [m for m in radarr.movies.values() if m["tmdbId"] == 155]


def test_the_owners_readded_film_is_not_taken_for_ours(radarr: FakeRadarr) -> None:
    row = follow(radarr, added_by_us=True)
    radarr.movies.clear()  # the owner removed it
    radarr.put(9000, "Another", 2000)
    tick(NOON)
    tick(NOON + timedelta(minutes=6))
    assert status_of(row) == Status.CANCELLED
    radarr.movies[50] = {
        "id": 50,
        "tmdbId": 155,
        "title": "Film 155",
        "year": 2008,
        "monitored": True,
        "isAvailable": True,
        "hasFile": False,
    }
    services.request_movie(KNIGHT, "alex", origin="again", now=NOON)
    cancel(Download.objects.get())
    tick(NOON + timedelta(minutes=7))
    assert 50 in radarr.movies


def test_pending_or_withdrawn_requests_do_not_starve_the_others(radarr: FakeRadarr) -> None:
    saved(MOST_ADDS, state="pending_approval")
    row = Download.objects.create(
        tmdb_id=155, title="Film 155", year=2008, generation_started_at=NOON, status_changed_at=NOON
    )
    ask(row, "sam")
    tick(NOON)
    assert status_of(row) == Status.SEARCHING


def test_a_film_cancelled_while_it_is_added_does_not_stay_in_radarr(
    radarr: FakeRadarr, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = wanted()
    intercept(
        monkeypatch,
        radarr,
        "POST .*/movie",
        _cancelled_meanwhile,
    )
    try_add(row, now=NOON)
    tick(NOON + HALF_MINUTE)
    assert status_of(row) == Status.CANCELLED
    assert radarr.movies == {}


def test_and_the_row_in_hand_is_the_row_as_it_stands(
    radarr: FakeRadarr, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = wanted()
    intercept(
        monkeypatch,
        radarr,
        "POST .*/movie",
        _cancelled_meanwhile,
    )
    try_add(row, now=NOON)
    assert row.status == Status.CANCELLED


def test_a_film_readded_under_a_new_number_is_followed(radarr: FakeRadarr) -> None:
    row = follow(radarr)
    del radarr.movies[1]
    radarr.movies[50] = {
        "id": 50,
        "tmdbId": 155,
        "title": "Film 155",
        "year": 2008,
        "monitored": True,
        "isAvailable": True,
        "hasFile": False,
    }
    tick(NOON)
    radarr.grab(155, NOON + HALF_MINUTE)
    tick(NOON + HALF_MINUTE)
    assert status_of(row) == Status.DOWNLOADING


@pytest.mark.parametrize("end", ["finish", "cancel"])
def test_a_stuck_incident_ends_with_the_download(
    household: Household, radarr: FakeRadarr, end: str
) -> None:
    household.text(SAM, "get the dark knight")
    item = radarr.grab(155, timezone.now())
    household.tick()
    item |= {"status": "completed", "trackedDownloadState": "importBlocked"}
    household.tick()
    household.tick(minutes=11)
    assert Incident.objects.filter(key__startswith="stuck:", closed_at=None).count() == 1
    if end == "finish":
        radarr.finish(155, timezone.now())
    else:
        services.cancel_download(Download.objects.get(), now=timezone.now())
    household.tick()
    household.tick()
    assert not Incident.objects.filter(key__startswith="stuck:", closed_at=None).exists()


def test_who_left_is_not_in_the_live_view(radarr: FakeRadarr) -> None:
    row = follow(radarr)
    ask(row, ALEX)
    services.withdraw(row.pk, "sam")
    tick(NOON)
    assert stored()["requesters"] == ["+…0175"]


def test_one_film_that_radarr_refuses_does_not_starve_the_others(
    radarr: FakeRadarr, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = saved(2)
    answers = iter([rejected("Title", "NotEmptyValidator")])
    intercept(monkeypatch, radarr, "POST .*/movie", lambda: next(answers, None))
    tick(NOON)
    assert status_of(rows[1]) == Status.SEARCHING


def test_a_second_failure_has_its_own_grace(household: Household, radarr: FakeRadarr) -> None:
    household.text(SAM, "get the dark knight")
    radarr.grab(155, timezone.now())
    household.tick()
    radarr.fail(155, timezone.now())
    household.tick()
    household.clock.shift(timedelta(minutes=14))
    radarr.grab(155, timezone.now())
    radarr.fail(155, timezone.now())  # between two ticks
    household.tick()
    household.tick(minutes=2)
    assert Download.objects.get().status != Status.FAILED


def test_an_unknown_path_under_api_answers_json(client: Any) -> None:
    r = client.get("/api/sms/downloads/abc")
    assert r.status_code == 404
    assert r.headers["Content-Type"].startswith("application/json")


def test_stuck_is_told_to_the_owner_again_for_a_new_generation(
    household: Household, radarr: FakeRadarr
) -> None:
    household.text(SAM, "get the dark knight")
    for _ in range(2):
        item = radarr.grab(155, timezone.now())
        item |= {"status": "completed", "trackedDownloadState": "importBlocked"}
        household.tick()
        household.tick(minutes=11)
        household.tick()
        services.cancel_download(Download.objects.get(), now=timezone.now())
        household.work()
        radarr.queue.clear()
        household.tick()
        household.text(SAM, "get the dark knight")
    assert Incident.objects.filter(key__startswith="stuck:").count() == 2


def test_another_film_under_our_films_old_id_is_not_ours(
    household: Household, radarr: FakeRadarr
) -> None:
    """Radarr's database was made anew, and its first id went to somebody else's film."""
    household.text(SAM, "get the dark knight")
    household.tick()
    radarr.movies.clear()
    radarr.put(603, "The Matrix", 1999)
    radarr.grab(603, timezone.now())
    household.tick()
    radarr.finish(603, timezone.now())
    household.tick()
    assert Download.objects.get(tmdb_id=155).status == Status.SEARCHING
    assert len(household.texts_to(SAM)) == 1


def test_who_is_told_that_a_film_is_there_is_told_once(
    household: Household, radarr: FakeRadarr
) -> None:
    """Somebody else asked, and began another generation, before the first was announced."""
    radarr.put(155, "The Dark Knight", 2008, hasFile=True)
    now = timezone.now()
    taken = services.request_movie(KNIGHT, SAM, origin="one", now=now)
    begun = Download.objects.get()
    assert begin_generation(begun, now=now)
    services.mark_announced(taken.request_id, now=now, told_end=True)
    household.work()
    assert household.texts_to(SAM) == []
    assert DownloadRequest.objects.get(pk=taken.request_id).state == "fulfilled"

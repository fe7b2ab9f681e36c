"""The feed of events: everything once, in order, for who goes on from the last cursor."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from downloads.models import Download, DownloadEvent
from tests.conftest import ALEX, SAM, Household
from tests.downloads.test_api import Api, make, problem
from tests.fakes import FakeRadarr

pytestmark = pytest.mark.django_db

EVENTS = "/api/sms/events"


def event(pk: int, *, seconds: float) -> None:
    """An event that was made so many seconds ago."""
    download = Download.objects.first() or make()
    made = timezone.now() - timedelta(seconds=seconds)
    DownloadEvent.objects.create(
        pk=pk, download=download, generation=1, kind="started", created_at=made
    )


def ids(api: Api, **query: str) -> list[int]:
    return [one["id"] for one in api.get(EVENTS, **query).json()["events"]]


@pytest.fixture
def api() -> Api:
    return Api("read")


def test_a_films_way_from_text_to_ready(api: Api, household: Household, radarr: FakeRadarr) -> None:
    household.text(SAM, "get the dark knight")
    household.text(ALEX, "get the dark knight")
    household.tick()
    radarr.grab(155, timezone.now())
    household.tick()
    radarr.finish(155, timezone.now())
    household.tick()
    feed = api.get(EVENTS).json()
    assert [one["new_status"] for one in feed["events"]][-2:] == ["downloading", "completed"]
    last = feed["events"][-1]
    assert (last["tmdb_id"], last["title"], last["year"]) == (155, "The Dark Knight", 2008)
    assert last["requesters"] == ["+…0142", "+…0175"]
    assert "2025550" not in api.get(EVENTS).content.decode()
    assert api.get(EVENTS, after=str(feed["next_after"])).json() == {
        "events": [],
        "next_after": feed["next_after"],
    }


def test_a_reader_who_goes_on_sees_each_once(api: Api) -> None:
    for number in range(1, 8):
        event(number, seconds=90)
    seen: list[int] = []
    cursor = 0
    while page := api.get(EVENTS, after=str(cursor), limit="3").json():
        if not page["events"]:
            break
        seen += [one["id"] for one in page["events"]]
        cursor = page["next_after"]
    assert seen == [1, 2, 3, 4, 5, 6, 7]


def test_what_stands_behind_a_gap_waits_for_what_may_still_come(api: Api) -> None:
    event(1, seconds=5)
    event(3, seconds=4)  # 2 is being written, and not committed yet
    assert ids(api) == [1]
    event(2, seconds=4)
    assert ids(api) == [1, 2, 3]


def test_a_gap_that_stays_is_passed(api: Api) -> None:
    event(1, seconds=200)
    event(3, seconds=100)
    event(4, seconds=1)
    assert ids(api) == [1, 3, 4]


def test_the_feed_takes_a_bounded_number_of_queries(
    api: Api, django_assert_max_num_queries: Any
) -> None:
    for number in range(1, 40):
        event(number, seconds=90)
    with django_assert_max_num_queries(4):
        assert len(ids(api)) == 39


@pytest.mark.parametrize(
    ("name", "value"),
    [("after", "-1"), ("after", "x"), ("limit", "0"), ("limit", "501"), ("after", "9" * 30)],
)
def test_a_cursor_that_is_none_is_refused(api: Api, name: str, value: str) -> None:
    assert problem(api.get(EVENTS, **{name: value})) == (400, "invalid")

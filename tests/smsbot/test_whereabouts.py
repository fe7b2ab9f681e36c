"""Where a film is: only what was measured, in the household's time, and never whose it is."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from moviesms.models import Incident
from smsbot.moments import left, since
from smsbot.replies import segments
from tests.conftest import ALEX, NOON, SAM, Household
from tests.fakes import FakeRadarr, FakeTmdb
from tests.smsbot.test_understanding import FakeModel

ASK = "get Inception"


def status(household: Household, body: str = "status", person: str = SAM) -> str:
    [answer] = household.text(person, body)
    return answer


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(hours=1), "since 11 am"),
        (timedelta(minutes=20), "since 11:40 am"),
        (timedelta(hours=13), "since yesterday"),
        (timedelta(days=5), "since Tuesday"),
        (timedelta(days=30), "since 30 January"),
        (timedelta(days=300), "since 5 May 2025"),
    ],
)
def test_times_are_said_as_people_say_them(ago: timedelta, words: str) -> None:
    assert since(NOON - ago, NOON) == words


def test_times_are_those_of_the_household() -> None:
    with timezone.override("America/New_York"):
        assert since(datetime(2026, 3, 1, 20, tzinfo=UTC), NOON.replace(hour=22)) == "since 3 pm"
        assert since(datetime(2026, 3, 1, 4, tzinfo=UTC), NOON) == "since yesterday"


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=20), "about 1 minute left"),
        (timedelta(minutes=8), "about 8 minutes left"),
        (timedelta(minutes=43), "about 45 minutes left"),
        (timedelta(hours=5), "about 5 hours left"),
        (timedelta(days=3), "about 3 days left"),
    ],
)
def test_what_is_left_is_rounded(span: timedelta, words: str) -> None:
    assert left(span) == words


def test_what_nobody_has_seen_for_minutes_is_not_told(
    household: Household, radarr: FakeRadarr
) -> None:
    household.text(SAM, ASK)
    radarr.grab(27205, timezone.now())
    household.tick()
    assert "25% here, about 20 minutes left" in status(household)
    household.clock.shift(timedelta(minutes=10))
    assert status(household).endswith("Inception (2010): on its way since noon")


@pytest.mark.parametrize(("owners", "words"), [(["+12025550101"], "; the owner knows"), ([], "")])
def test_the_owner_knows_only_where_they_were_told(
    household: Household, radarr: FakeRadarr, settings: Settings, owners: list[str], words: str
) -> None:
    settings.OWNER_PHONE_NUMBERS = owners
    household.text(SAM, ASK)
    radarr.grab(27205, timezone.now(), status="warning")
    household.tick()
    household.tick(minutes=11)
    assert Incident.objects.filter(closed_at=None).exists()
    assert status(household).endswith(f"stuck since noon{words}")


def test_a_model_names_the_film(
    household: Household, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    household.text(SAM, ASK)
    household.text(SAM, "get The Matrix")
    model = FakeModel().install(monkeypatch, settings)
    named = [{"title": "Inception", "year": None, "media": "movie"}]
    model.answers = [{"intent": "status", "titles": named, "choice": None, "language": "en"}]
    answer = status(household, "so what has become of the one with the spinning top")
    assert "Inception" in answer
    assert "Matrix" not in answer


def test_a_film_that_the_model_made_up_is_not_quoted(
    household: Household, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    model = FakeModel().install(monkeypatch, settings)
    named = [{"title": "Zorbatron", "year": None, "media": "movie"}]
    model.answers = [{"intent": "status", "titles": named, "choice": None, "language": "en"}]
    assert "Zorbatron" not in status(household, "so what has become of the one with the top")


@pytest.mark.parametrize(("style", "most"), [("rich", 3), ("plain", 2)])
def test_a_long_list_says_how_many_more_there_are(
    household: Household, tmdb: FakeTmdb, settings: Settings, style: str, most: int
) -> None:
    settings.SMS_STYLE = style
    for number in range(8):
        tmdb.add(7000 + number, f"Quince Harvest {'abcdefgh'[number] * 4}", "2001-01-01")
        household.text(SAM, f'get "Quince Harvest {"abcdefgh"[number] * 4}"')
    household.clock.shift(timedelta(hours=1))
    answer = status(household)
    assert segments(answer) <= most
    assert "hhhh" in answer.splitlines()[1]
    assert answer.splitlines()[-1].endswith(" more")


def test_nobody_learns_who_asked(household: Household) -> None:
    household.text(SAM, ASK)
    answer = status(household, "where is Inception?", ALEX)
    assert answer.startswith("👍 Inception (2010) is on its way already.")
    assert "0142" not in answer

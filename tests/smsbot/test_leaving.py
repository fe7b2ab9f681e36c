"""Leaving a film: who is last, who comes at that moment, and what is not ours to stop."""

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from downloads import services
from downloads.models import Download
from downloads.services import Left
from tests.conftest import ALEX, SAM, Household
from tests.fakes import FakeRadarr

ASK = "get The Dark Knight"


def leave(person: str) -> Left:
    return services.leave(Download.objects.get().pk, person, now=timezone.now())


def test_who_joins_before_the_last_one_left_keeps_the_film(
    household: Household, radarr: FakeRadarr
) -> None:
    household.text(SAM, ASK)
    household.text(ALEX, ASK)
    assert leave(SAM) == Left.GOES_ON
    household.tick()
    assert radarr.movie(155)
    assert leave(SAM) == Left.NOT_WAITING


def test_who_joins_after_the_last_one_left_has_it_got_anew(
    household: Household, radarr: FakeRadarr
) -> None:
    """Also before the monitor had taken it out of Radarr."""
    household.text(SAM, ASK)
    assert leave(SAM) == Left.CANCELLED
    household.text(ALEX, ASK)
    household.tick()
    household.tick()
    assert radarr.movie(155)
    assert Download.objects.get().is_active
    assert leave(ALEX) == Left.CANCELLED
    household.tick()
    assert radarr.movies == {}


def test_what_the_owner_had_on_the_list_is_not_taken_off(
    household: Household, radarr: FakeRadarr
) -> None:
    radarr.put(155, "The Dark Knight", 2008)
    household.text(SAM, ASK)
    [answer] = household.text(SAM, "never mind")
    assert answer.startswith("👌 Okay, I won't text you")
    household.tick()
    assert radarr.movie(155)


def test_nothing_is_stopped_that_is_being_downloaded(
    household: Household, radarr: FakeRadarr
) -> None:
    household.text(SAM, ASK)
    radarr.grab(155, timezone.now())
    household.tick()
    assert leave(SAM) == Left.GOES_ON


def test_leaving_what_is_only_saved_needs_no_radarr(
    household: Household, radarr: FakeRadarr
) -> None:
    radarr.fail_with((503, {"X-Application-Version": "6"}, "{}"))
    household.text(SAM, ASK)
    [answer] = household.text(SAM, "forget it")
    assert "stopped looking" in answer
    radarr.fail_with(None)
    household.tick()
    assert radarr.adds == 0


@pytest.mark.parametrize("allowed", [True, False])
def test_the_owner_says_whether_films_are_let_go(
    household: Household, settings: Settings, allowed: bool
) -> None:
    settings.CANCEL_WHEN_NOBODY_WAITS = allowed
    household.text(SAM, ASK)
    assert leave(SAM) == (Left.CANCELLED if allowed else Left.GOES_ON)

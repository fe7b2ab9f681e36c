"""A film that is not out yet: its date is told once, when it moves, and when it comes."""

from django.utils import timezone

from downloads.models import DownloadEvent
from tests.conftest import ALEX, SAM, Household
from tests.fakes import FakeRadarr

ASK = "get The Dark Knight"
DATE = "isn't out yet: it should be available from"


def wait_until(radarr: FakeRadarr, day: str) -> None:
    radarr.release[155] = f"{day}T00:00:00Z"
    for movie in radarr.movies.values():
        movie |= {"releaseDate": f"{day}T00:00:00Z", "isAvailable": False}


def told(household: Household, person: str, words: str) -> int:
    return sum(words in text for text in household.texts_to(person))


def test_the_answer_tells_the_date_and_nothing_tells_it_again(
    household: Household, radarr: FakeRadarr
) -> None:
    wait_until(radarr, "2026-12-12")
    [answer] = household.text(SAM, ASK)
    assert DATE in answer
    for _ in range(3):
        household.tick(hours=9)
    assert household.texts_to(SAM) == [answer]


def test_who_was_told_that_it_is_saved_hears_the_date_when_it_is_known(
    household: Household, radarr: FakeRadarr
) -> None:
    wait_until(radarr, "2026-12-12")
    radarr.fail_with((503, {"X-Application-Version": "6"}, "{}"))
    household.text(SAM, ASK)
    radarr.fail_with(None)
    household.tick()
    household.tick()
    assert told(household, SAM, "available from 12 December 2026") == 1
    assert len(household.texts_to(SAM)) == 2


def test_one_of_several_has_its_date_told_by_its_own_text(
    household: Household, radarr: FakeRadarr
) -> None:
    wait_until(radarr, "2026-12-12")
    household.text(SAM, "get The Dark Knight, Inception and The Matrix")
    household.tick()
    assert told(household, SAM, "The Dark Knight (2008) isn't out yet") == 1


def test_who_joins_is_told_the_date_too(household: Household, radarr: FakeRadarr) -> None:
    wait_until(radarr, "2026-12-12")
    household.text(SAM, ASK)
    [answer] = household.text(ALEX, ASK)
    assert DATE in answer
    household.tick()
    assert len(household.texts_to(ALEX)) == 1


def test_a_date_that_flickers_is_told_once_a_day_and_ends_true(
    household: Household, radarr: FakeRadarr
) -> None:
    wait_until(radarr, "2026-12-12")
    household.text(SAM, ASK)
    for hour in range(50):
        wait_until(radarr, "2026-12-20" if hour % 2 else "2026-12-12")
        household.tick(hours=1)
    wait_until(radarr, "2026-12-24")
    household.tick(days=1, minutes=1)
    household.tick(days=1, minutes=1)
    assert told(household, SAM, "has moved") <= 4
    assert "24 December 2026" in household.texts_to(SAM)[-1]


def test_its_day_is_told_once_and_radarr_is_asked_to_look(
    household: Household, radarr: FakeRadarr
) -> None:
    wait_until(radarr, "2026-12-12")
    household.text(SAM, ASK)
    household.tick()
    radarr.movie(155)["isAvailable"] = True
    for _ in range(3):
        household.tick()
    assert told(household, SAM, "📅 The Dark Knight (2008) is out now, I'm looking for it!") == 1
    assert [command["name"] for command in radarr.commands] == ["MoviesSearch"]
    radarr.grab(155, timezone.now())
    household.tick()
    assert household.texts_to(SAM)[-1].startswith("🎬 Great! I'm getting The Dark Knight")
    assert DownloadEvent.objects.filter(kind="released").count() == 1


def test_a_film_found_on_its_day_is_told_as_started_alone(
    household: Household, radarr: FakeRadarr
) -> None:
    wait_until(radarr, "2026-12-12")
    household.text(SAM, ASK)
    household.tick()
    radarr.movie(155)["isAvailable"] = True
    radarr.grab(155, timezone.now())
    household.tick()
    assert told(household, SAM, "is out now") == 0
    assert len(household.texts_to(SAM)) == 2

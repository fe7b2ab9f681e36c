"""A clear favourite with a namesake: taken at once, and one number away from the other."""

from datetime import timedelta

import pytest

from downloads import services
from downloads.models import DownloadRequest
from smsbot.replies import segments
from tests.conftest import SAM, Household
from tests.fakes import FakeRadarr, FakeTmdb
from tests.smsbot.test_processing import LEASE, Killed, failing, process, received

LINE = "Not that one? Reply 2 for Heat (1972)."


@pytest.fixture(autouse=True)
def _heat(tmdb: FakeTmdb) -> None:
    tmdb.add(949, "Heat", "1995-12-15", vote_count=7000)
    tmdb.add(91000, "Heat", "1972-10-01", vote_count=9)


def states() -> dict[str, str]:
    rows = DownloadRequest.objects.select_related("download")
    return {str(row.download): row.state for row in rows}


def test_the_answer_says_how_to_correct_it(household: Household, radarr: FakeRadarr) -> None:
    [answer] = household.text(SAM, "get Heat")
    assert answer.startswith("🎬 Great! I found 'Heat (1995)' and added it")
    assert answer.splitlines()[-1] == LINE
    assert segments(answer) <= 3
    [answer] = household.text(SAM, "2")
    assert answer.startswith("🎬 Great! I found 'Heat (1972)'")
    household.tick()
    assert [movie["tmdbId"] for movie in radarr.movies.values()] == [91000]


def test_one_is_the_film_that_was_taken(household: Household, radarr: FakeRadarr) -> None:
    household.text(SAM, "get Heat")
    [answer] = household.text(SAM, "1")
    assert answer.startswith("👍 Heat (1995) is already on its way.")


@pytest.mark.parametrize("body", ["ok", "great", "no", "status", "thanks!"])
def test_nothing_else_is_a_correction(household: Household, body: str) -> None:
    household.text(SAM, "get Heat")
    household.text(SAM, body)
    assert states() == {"Heat (1995)": "active"}


def test_a_correction_lives_as_long_as_a_question(household: Household) -> None:
    household.text(SAM, "get Heat")
    household.clock.shift(timedelta(minutes=16))
    household.text(SAM, "2")
    assert states() == {"Heat (1995)": "active"}


def test_a_new_request_replaces_the_correction(household: Household) -> None:
    household.text(SAM, "get Heat")
    household.text(SAM, "get Inception")
    household.text(SAM, "2")
    assert set(states()) == {"Heat (1995)", "Inception (2010)"}


def test_who_names_the_year_needs_no_correction(household: Household) -> None:
    [answer] = household.text(SAM, "get Heat (1995)")
    assert "Not that one" not in answer


def test_a_namesake_that_nobody_knows_is_not_mentioned(
    household: Household, tmdb: FakeTmdb
) -> None:
    tmdb.films = [film for film in tmdb.films if film["id"] != 91000]
    tmdb.add(91001, "Heat", "1963-01-01", vote_count=1)
    [answer] = household.text(SAM, "get Heat")
    assert "Not that one" not in answer


def test_a_correction_answered_twice_is_made_once(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    household.text(SAM, "get Heat")
    message = received(household, "2")
    with monkeypatch.context() as dying:
        dying.setattr(services, "leave", failing(Killed()))
        with pytest.raises(Killed):
            process(message)
    assert states()["Heat (1995)"] == "active"
    household.clock.shift(LEASE + timedelta(seconds=1))
    household.work()
    assert states() == {"Heat (1995)": "withdrawn", "Heat (1972)": "active"}
    assert DownloadRequest.objects.count() == 2
    assert len(household.texts_to(SAM)) == 2

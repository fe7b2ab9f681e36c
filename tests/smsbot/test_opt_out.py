"""The words that carriers take for themselves: opting out and in, and what waits meanwhile."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from downloads.models import DownloadRequest
from smsbot.models import Contact, OutboundMessage
from tests.conftest import ALEX, SAM, Household
from tests.fakes import FakeRadarr, FakeTmdb
from tests.test_main_job import ADDED, ASK, COMPLETED, STARTED

BACK = "👋 Welcome back! I'll text you again from now on."


def has_opted_out(address: str = SAM) -> bool:
    return Contact.objects.get(address=address).opted_out_at is not None


STOPS = ["STOP", "stop", "Stop.", " stop! ", "STOPALL", "unsubscribe", "Cancel", "END", "quit"]


@pytest.mark.parametrize("word", [*STOPS, "REVOKE", "OptOut", "stop\n"])
def test_a_bare_word_opts_out_and_is_not_answered(
    household: Household, tmdb: FakeTmdb, word: str
) -> None:
    assert household.text(SAM, word) == []
    assert has_opted_out()
    assert tmdb.calls == []


@pytest.mark.parametrize(
    "text",
    [
        "stop it you",
        "don't stop",
        "please stop texting me at night, and get Dune",
        "get Stop",
        "Stop the film Dune",
        "the end",
        "cancel that",
        "End Game",
        "stopp",
        "s t o p",
        "STOP STOP",
    ],
)
def test_a_word_among_others_opts_nobody_out(household: Household, text: str) -> None:
    assert len(household.text(SAM, text)) == 1
    assert not has_opted_out()


def test_a_film_called_stop_can_be_had(
    household: Household, tmdb: FakeTmdb, radarr: FakeRadarr
) -> None:
    tmdb.add(4242, "Stop", "1970-01-01")
    [answer] = household.text(SAM, "can you get the movie Stop (1970) for me?")
    assert answer.startswith("🎬 Great! I found 'Stop (1970)'")
    assert not has_opted_out()


def test_opting_out_is_each_ones_own(household: Household) -> None:
    household.text(SAM, "STOP")
    assert household.text(ALEX, ASK) == [ADDED]


def test_the_first_opt_out_counts(household: Household) -> None:
    household.text(SAM, "STOP")
    first = Contact.objects.get().opted_out_at
    household.clock.shift(timedelta(hours=1))
    household.text(SAM, "STOP")
    assert Contact.objects.get().opted_out_at == first


def ready(household: Household, radarr: FakeRadarr, tmdb_id: int = 155) -> None:
    """Let a film start and arrive."""
    radarr.grab(tmdb_id, timezone.now())
    household.tick()
    radarr.finish(tmdb_id, timezone.now())
    household.tick()


def test_texts_are_suppressed_and_requests_stay(household: Household, radarr: FakeRadarr) -> None:
    household.text(SAM, ASK)
    household.text(ALEX, ASK)
    household.text(SAM, "STOP")
    ready(household, radarr)
    assert household.texts_to(SAM) == [ADDED]
    assert household.texts_to(ALEX)[1:] == [STARTED, COMPLETED]
    assert set(DownloadRequest.objects.values_list("state", flat=True)) == {"fulfilled"}
    kept = OutboundMessage.objects.filter(contact__address=SAM).exclude(text=ADDED)
    assert {message.status for message in kept} == {OutboundMessage.Status.SUPPRESSED}


@pytest.mark.parametrize("word", ["START", "start", "Unstop", "YES", "yes."])
def test_opting_in_sends_one_summary_of_what_became_ready(
    household: Household, radarr: FakeRadarr, word: str
) -> None:
    household.text(SAM, ASK)
    household.text(SAM, "get Inception")
    household.text(SAM, "STOP")
    ready(household, radarr)
    assert household.text(SAM, word) == [f"{BACK} Ready to watch since: The Dark Knight (2008)."]
    assert not has_opted_out()
    ready(household, radarr, 27205)
    assert household.texts_to(SAM)[-1] == "🎉 Inception (2010) is ready to watch! Enjoy your movie!"


def test_the_summary_lists_nothing_old(household: Household, radarr: FakeRadarr) -> None:
    household.text(SAM, ASK)
    ready(household, radarr)
    household.clock.shift(timedelta(hours=1))
    household.text(SAM, "STOP")
    assert household.text(SAM, "START") == [BACK]


def test_the_summary_comes_once(household: Household, radarr: FakeRadarr) -> None:
    household.text(SAM, ASK)
    household.text(SAM, "STOP")
    ready(household, radarr)
    household.text(SAM, "START")
    household.clock.shift(timedelta(hours=1))
    household.text(SAM, "STOP")
    assert household.text(SAM, "START") == [BACK]


def test_what_was_held_back_is_not_sent_afterwards(
    household: Household, radarr: FakeRadarr
) -> None:
    household.text(SAM, ASK)
    household.text(SAM, "STOP")
    ready(household, radarr)
    household.text(SAM, "START")
    household.tick(hours=1)
    assert STARTED not in household.texts_to(SAM)
    assert COMPLETED not in household.texts_to(SAM)


def test_who_opted_out_and_asks_is_not_written_to(household: Household, radarr: FakeRadarr) -> None:
    household.text(SAM, "STOP")
    assert household.text(SAM, ASK) == []
    assert has_opted_out()


def test_start_of_somebody_new_is_greeted_with_help(household: Household) -> None:
    [answer] = household.text(SAM, "START")
    assert answer.startswith("🎬 Text me the name of a movie")


@pytest.mark.parametrize("word", ["HELP", "help", "Info", "HELP!"])
@pytest.mark.parametrize(("whose", "texts"), [("twilio", 0), ("ours", 1)])
def test_help_is_twilios_unless_it_is_ours(
    household: Household, settings: Settings, tmdb: FakeTmdb, word: str, whose: str, texts: int
) -> None:
    settings.TWILIO_HELP = whose
    assert len(household.text(SAM, word)) == texts
    assert tmdb.calls == []


def test_yes_answers_an_open_question_of_one_film(household: Household, radarr: FakeRadarr) -> None:
    [question] = household.text(SAM, "get Inception (1999)")
    assert "1. Inception (2010)" in question
    household.text(SAM, "YES")
    assert [movie["tmdbId"] for movie in radarr.movies.values()] == [27205]


def test_yes_of_several_films_adds_none(household: Household, radarr: FakeRadarr) -> None:
    household.text(SAM, "get Dune")
    household.text(SAM, "YES")
    assert radarr.movies == {}
    assert not has_opted_out()


def test_yes_to_no_question_adds_nothing(household: Household, radarr: FakeRadarr) -> None:
    household.text(SAM, "YES")
    assert radarr.movies == {}

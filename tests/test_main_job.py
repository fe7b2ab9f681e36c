"""The main job, end to end: a signed webhook in, Radarr asked, texts out, each once."""

from datetime import timedelta

import pytest
import requests
from django.utils import timezone

from downloads.models import Download, Status
from tests.conftest import ALEX, KIM, SAM, Household
from tests.fakes import FakeRadarr, FakeTmdb, FakeTwilio, rejected, twilio_error

ADDED = (
    "🎬 Great! I found 'The Dark Knight (2008)' and added it to your download queue. "
    "I'll send you updates as the download progresses!"
)
STARTED = (
    "🎬 Great! I'm getting The Dark Knight (2008) ready for you. "
    "I'll text you when it's ready to watch!"
)
COMPLETED = "🎉 The Dark Knight (2008) is ready to watch! Enjoy your movie!"
ASK = "Can you get The Dark Knight for me?"


def test_found_added_started_ready_in_order_and_each_once(
    household: Household, radarr: FakeRadarr
) -> None:
    assert household.text(SAM, ASK) == [ADDED]
    household.tick()
    radarr.grab(155, timezone.now())
    household.tick()
    household.tick()
    radarr.finish(155, timezone.now())
    household.tick()
    household.tick(hours=1)

    assert household.texts_to(SAM) == [ADDED, STARTED, COMPLETED]
    assert radarr.adds == 1
    added = radarr.movie(155)
    assert (added["title"], added["year"], added["monitored"]) == ("The Dark Knight", 2008, True)


def test_failed_says_why_in_plain_words(household: Household, radarr: FakeRadarr) -> None:
    household.text(SAM, ASK)
    radarr.grab(155, timezone.now())
    household.tick()
    radarr.fail(155, timezone.now(), "Aborted, cannot be completed - missing articles")
    household.tick()
    assert household.texts_to(SAM) == [ADDED, STARTED]  # Radarr may grab another one yet

    household.tick(minutes=16)
    household.tick()
    assert household.texts_to(SAM)[2:] == [
        "😔 Sorry, I couldn't get The Dark Knight (2008) ready for you. "
        "The copy that was found is incomplete."
    ]


def test_a_regrab_within_the_grace_is_no_failure(household: Household, radarr: FakeRadarr) -> None:
    household.text(SAM, ASK)
    radarr.grab(155, timezone.now())
    household.tick()
    radarr.fail(155, timezone.now())
    household.tick(minutes=10)
    radarr.grab(155, timezone.now())
    household.tick(minutes=10)
    radarr.finish(155, timezone.now())
    household.tick()
    assert household.texts_to(SAM) == [ADDED, STARTED, COMPLETED]


def test_a_find_after_the_failure_is_told(household: Household, radarr: FakeRadarr) -> None:
    household.text(SAM, ASK)
    radarr.grab(155, timezone.now())
    household.tick()
    radarr.fail(155, timezone.now())
    household.tick()
    household.tick(minutes=16)
    radarr.grab(155, timezone.now())
    household.tick(days=3)
    radarr.finish(155, timezone.now())
    household.tick()
    assert household.texts_to(SAM)[3:] == [COMPLETED]


def test_start_and_finish_between_two_ticks_tells_the_end_only(
    household: Household, radarr: FakeRadarr
) -> None:
    household.text(SAM, ASK)
    radarr.grab(155, timezone.now())
    radarr.finish(155, timezone.now())
    household.tick()
    assert household.texts_to(SAM) == [ADDED, COMPLETED]


def test_two_people_one_film_one_download_both_told(
    household: Household, radarr: FakeRadarr
) -> None:
    household.text(SAM, ASK)
    assert household.text(ALEX, "get the dark knight") == [
        "👍 The Dark Knight (2008) is already on its way. I'll text you when it's ready to watch!"
    ]
    radarr.grab(155, timezone.now())
    household.tick()
    radarr.finish(155, timezone.now())
    household.tick()
    assert radarr.adds == 1
    for person in (SAM, ALEX):
        assert household.texts_to(person)[1:] == [STARTED, COMPLETED]


def test_already_in_the_library_is_told_at_once(household: Household, radarr: FakeRadarr) -> None:
    radarr.put(155, "The Dark Knight", 2008, hasFile=True)
    assert household.text(SAM, ASK) == [
        "🍿 The Dark Knight (2008) is already in the library, ready to watch. Enjoy your movie!"
    ]
    household.tick()
    assert len(household.texts_to(SAM)) == 1
    assert radarr.adds == 0


def test_namesakes_are_asked_about_and_the_year_answers(
    household: Household, radarr: FakeRadarr
) -> None:
    [question] = household.text(SAM, "get Dune")
    assert "Dune (2021)" in question
    assert "Dune (1984)" in question
    assert radarr.adds == 0
    [answer] = household.text(SAM, "the 1984 one")
    assert "'Dune (1984)'" in answer
    assert [movie["tmdbId"] for movie in radarr.movies.values()] == [841]


@pytest.mark.parametrize(
    ("answer", "tmdb_id"),
    [
        ("1", 438631),
        ("2", 841),
        ("2.", 841),
        ("the old one", 841),
        ("the second", 841),
        ("newest", 438631),
        ("number 2 please", 841),
        ("first", 438631),
    ],
)
def test_a_question_is_answered_in_many_ways(
    household: Household, radarr: FakeRadarr, answer: str, tmdb_id: int
) -> None:
    household.text(SAM, "get Dune")
    household.text(SAM, answer)
    assert [movie["tmdbId"] for movie in radarr.movies.values()] == [tmdb_id]


def test_neither_of_them_adds_nothing(household: Household, radarr: FakeRadarr) -> None:
    household.text(SAM, "get Dune")
    household.text(SAM, "neither")
    assert radarr.movies == {}
    assert household.text(SAM, "2") != []
    assert radarr.movies == {}


def test_a_question_lives_minutes(household: Household, radarr: FakeRadarr) -> None:
    household.text(SAM, "get Dune")
    household.clock.shift(timedelta(minutes=16))
    household.text(SAM, "2")
    assert radarr.movies == {}


def test_a_named_year_decides(household: Household, radarr: FakeRadarr) -> None:
    household.text(SAM, "can you find Dune (1984)?")
    assert [movie["tmdbId"] for movie in radarr.movies.values()] == [841]


def test_not_on_tmdb_says_so_and_quotes_the_persons_words(household: Household) -> None:
    [answer] = household.text(SAM, "get me Zorbatron Nine please")
    assert answer.startswith('🤔 I couldn\'t find a movie called "Zorbatron Nine".')


def test_radarr_down_saves_and_adds_within_a_tick_of_its_return(
    household: Household, radarr: FakeRadarr
) -> None:
    radarr.fail_with(requests.exceptions.ConnectionError("refused"))
    [answer] = household.text(SAM, ASK)
    assert answer.startswith("🎬 I found 'The Dark Knight (2008)' and saved your request.")
    household.tick()
    radarr.fail_with(None)
    household.tick()
    assert radarr.adds == 1
    radarr.grab(155, timezone.now())
    household.tick()
    assert household.texts_to(SAM)[1:] == [STARTED]


@pytest.mark.parametrize(
    "broken",
    [
        (401, {}, ""),
        (500, {"X-Application-Version": "6"}, '{"message": "database is locked"}'),
        (503, {"X-Application-Version": "6"}, '{"errorMessage": "starting up"}'),
        (200, {"Content-Type": "text/html"}, "<html>Sign in</html>"),
        (200, {"X-Application-Version": "6"}, '{"truncat'),
        (307, {"Location": "http://169.254.169.254/"}, ""),
    ],
    ids=["401", "500", "503", "html", "truncated", "redirect"],
)
def test_a_sick_radarr_saves_the_request_and_is_no_failure(
    household: Household, radarr: FakeRadarr, broken: tuple[int, dict[str, str], str]
) -> None:
    radarr.fail_with(broken)
    [answer] = household.text(SAM, ASK)
    assert "saved your request" in answer
    household.tick(hours=2)
    assert household.texts_to(SAM) == [answer]
    radarr.fail_with(None)
    household.tick()
    assert Download.objects.get().status == Status.SEARCHING


@pytest.mark.parametrize(
    "answer",
    [
        rejected("TmdbId", "MovieExistsValidator"),
        (409, {"X-Application-Version": "6"}, "{}"),
        (500, {"X-Application-Version": "6"}, '{"message": "constraint"}'),
        requests.exceptions.ReadTimeout("read timed out"),
    ],
    ids=["exists", "race", "500", "timeout"],
)
def test_an_add_that_took_effect_after_all_is_an_add(
    household: Household, radarr: FakeRadarr, answer: tuple[int, dict[str, str], str] | Exception
) -> None:
    radarr.on_add, radarr.add_lands_first = answer, True
    assert household.text(SAM, ASK) == [ADDED]
    assert radarr.adds == 1


def test_an_add_that_timed_out_without_effect_is_tried_again(
    household: Household, radarr: FakeRadarr
) -> None:
    radarr.on_add = requests.exceptions.ReadTimeout("read timed out")
    [answer] = household.text(SAM, ASK)
    assert "saved your request" in answer
    radarr.on_add = None
    household.tick()
    assert len(radarr.movies) == 1


def test_a_refused_root_folder_waits_for_the_owner(
    household: Household, radarr: FakeRadarr
) -> None:
    radarr.on_add = rejected("RootFolderPath", "RootFolderExistsValidator")
    [answer] = household.text(SAM, ASK)
    assert "saved your request" in answer
    household.tick()
    assert len(household.texts_to(SAM)) == 1
    radarr.on_add = None
    household.tick()
    assert Download.objects.get().status == Status.SEARCHING


def test_a_film_on_the_exclusion_list_is_refused_and_not_added(
    household: Household, radarr: FakeRadarr
) -> None:
    radarr.excluded.add(155)
    [answer] = household.text(SAM, ASK)
    assert answer.startswith("😔 Sorry, I couldn't get The Dark Knight (2008) ready for you.")
    household.tick()
    assert household.texts_to(SAM) == [answer]
    assert radarr.adds == 0


def test_a_full_queue_and_unknown_words_are_read_right(
    household: Household, radarr: FakeRadarr
) -> None:
    household.text(SAM, ASK)
    for number in range(30):
        other = radarr.put(9000 + number, f"Other {number}", 2000)
        radarr.grab(other["tmdbId"], timezone.now())
    radarr.grab(155, timezone.now(), status="hyperspace", trackedDownloadState="beaming")
    household.tick()
    assert household.texts_to(SAM) == [ADDED, STARTED]


def test_an_item_that_leaves_the_queue_and_comes_back_tells_nothing_new(
    household: Household, radarr: FakeRadarr
) -> None:
    household.text(SAM, ASK)
    item = radarr.grab(155, timezone.now())
    household.tick()
    radarr.queue.clear()
    household.tick()
    household.tick(minutes=5)
    radarr.queue.append(item)
    household.tick()
    assert household.texts_to(SAM) == [ADDED, STARTED]
    assert Download.objects.get().status == Status.DOWNLOADING


def test_a_stuck_import_tells_owner_and_person_once(
    household: Household, radarr: FakeRadarr, settings: object
) -> None:
    settings.OWNER_PHONE_NUMBERS = [KIM]  # type: ignore[attr-defined]
    household.text(SAM, ASK)
    item = radarr.grab(155, timezone.now())
    household.tick()
    item |= {"status": "completed", "trackedDownloadState": "importBlocked"}
    household.tick()
    household.tick(minutes=11)
    household.tick()
    household.tick(minutes=11)
    told = household.texts_to(SAM)[2:]
    assert [text[:40] for text in told] == ["⏳ The Dark Knight (2008) is taking longer"[:40]]
    assert len(household.texts_to(KIM)) == 1
    assert Download.objects.get().status == Status.IMPORTING


def test_an_unreleased_film_waits_and_says_when(household: Household, radarr: FakeRadarr) -> None:
    radarr.release[155] = "2026-12-12T00:00:00Z"
    household.text(SAM, ASK)
    household.tick()
    household.tick()
    [answer] = household.texts_to(SAM)
    assert answer.startswith(ADDED)
    assert answer.endswith("isn't out yet: it should be available from 12 December.")
    assert radarr.commands == []


def test_a_film_removed_in_radarr_is_cancelled_after_the_grace(
    household: Household, radarr: FakeRadarr
) -> None:
    household.text(SAM, ASK)
    radarr.put(9000, "Another", 2000)
    household.tick()
    del radarr.movies[radarr.movie(155)["id"]]
    household.tick()
    assert Download.objects.get().status == Status.SEARCHING
    household.tick(minutes=6)
    assert Download.objects.get().status == Status.CANCELLED
    assert len(household.texts_to(SAM)) == 2


@pytest.mark.parametrize("others", [[], [(9000, "Another", 2000)]], ids=["empty", "another"])
def test_one_film_in_a_radarr_that_is_not_ours_is_not_cancelled(
    household: Household, radarr: FakeRadarr, others: list[tuple[int, str, int]]
) -> None:
    household.text(KIM, "get The Matrix")
    radarr.grab(603, timezone.now())
    radarr.finish(603, timezone.now())
    household.tick()
    household.text(SAM, ASK)
    household.tick()
    radarr.movies.clear()
    for film in others:
        radarr.put(*film)
    for _ in range(4):
        household.tick(minutes=6)
    assert Download.objects.get(tmdb_id=155).status == Status.SEARCHING


def test_an_emptied_radarr_cancels_nobodys_films(
    household: Household, radarr: FakeRadarr, tmdb: FakeTmdb
) -> None:
    for number in range(6):
        tmdb.add(7000 + number, f"Quince Harvest {number}", "2001-01-01")
        household.text(SAM, f"get Quince Harvest {number}")
    household.tick()
    radarr.movies.clear()
    household.tick(minutes=10)
    household.tick(minutes=10)
    assert not Download.objects.filter(status=Status.CANCELLED).exists()


def test_tmdb_down_holds_and_answers_later(
    household: Household, radarr: FakeRadarr, tmdb: FakeTmdb
) -> None:
    tmdb.fail_with((503, {}, ""))
    [holding] = household.text(SAM, ASK)
    assert "I'll try again" in holding
    household.clock.shift(timedelta(minutes=6))
    household.work()
    tmdb.fail_with(None)
    household.clock.shift(timedelta(minutes=6))
    household.work()
    assert household.texts_to(SAM) == [holding, ADDED]


def test_twilio_refusing_us_keeps_every_text(household: Household, twilio: FakeTwilio) -> None:
    twilio.fail_with(twilio_error(401, 20003))
    assert household.text(SAM, ASK) == []
    twilio.fail_with(None)
    household.clock.shift(timedelta(minutes=2))
    household.work()
    assert household.texts_to(SAM) == [ADDED]

"""Whole short conversations: who texts what, and how the answers begin."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.utils import timezone
from django_redis import get_redis_connection
from pytest_django.fixtures import Settings

from downloads.models import Download
from smsbot.replies import segments
from tests.conftest import ALEX, SAM, Household
from tests.fakes import FakeRadarr, FakeTmdb
from tests.smsbot.test_understanding import FakeModel, request_for

FOUND = "🎬 Great! I found '{}' and added it"
WHICH = "🎬 Which one do you mean?\n1. Dune (2021)\n2. Dune (1984)"
NOT_SURE = "🎬 I'm not sure I found it. Did you mean:\n1. Inception (2010)"
CHAT = "🙂 I'm here for movies"
HELP = "🎬 Text me the name of a movie and I'll get it"
NEVER_MIND = "👌 Okay, never mind!"
NOTHING = "🍿 Nothing of yours is on its way."
JOINED = "👍 {} is already on its way"
NO_STOP = "👌 There's nothing of yours on its way that I could stop."
LEFT = "👌 Okay, {} is off the list."
THANKS = "👍 You're welcome!"
STATUS = "📋 Here's where things are:\n"
NO_TV = "📺 I can only get movies for now"

INCEPTION, KNIGHT, MATRIX = "Inception (2010)", "The Dark Knight (2008)", "The Matrix (1999)"
WHICH_TO_STOP = "🤔 Which one should I let go?\n1. The Matrix (1999)\n2. Inception (2010)\n"


@dataclass(frozen=True)
class Talk:
    """One person's texts with the beginning of each answer, and the films got in the end."""

    lines: Sequence[tuple[str, str]]
    films: Sequence[int] = ()


TALKS = {
    "ask and choose": Talk([("get Dune", WHICH), ("2", FOUND.format("Dune (1984)"))], [841]),
    "choose by name of the year": Talk(
        [("get Dune", WHICH), ("the 2021 one", FOUND.format("Dune (2021)"))], [438631]
    ),
    "a question is answered once": Talk(
        [("get Dune", WHICH), ("1", FOUND.format("Dune (2021)")), ("get Dune (1984)", "🎬 Great!")],
        [438631, 841],
    ),
    "a new request replaces the question": Talk(
        [
            ("get Dune", WHICH),
            ("get Inception", FOUND.format(INCEPTION)),
            ("get The Matrix", FOUND.format(MATRIX)),
        ],
        [27205, 603],
    ),
    "a new question replaces the question": Talk(
        [
            ("get Dune", WHICH),
            ("get Inception (1999)", NOT_SURE),
            ("1", FOUND.format(INCEPTION)),
        ],
        [27205],
    ),
    "a question survives a look at the status": Talk(
        [("get Dune", WHICH), ("status", NOTHING), ("2", FOUND.format("Dune (1984)"))], [841]
    ),
    "a question survives help": Talk(
        [("get Dune", WHICH), ("?", HELP), ("2", FOUND.format("Dune (1984)"))], [841]
    ),
    "never mind the question": Talk([("get Dune", WHICH), ("never mind", NEVER_MIND)]),
    "a dropped question is gone": Talk(
        [("get Dune", WHICH), ("never mind", NEVER_MIND), ("never mind", NO_STOP)]
    ),
    "never mind a film of several": Talk(
        [
            ("get Inception", FOUND.format(INCEPTION)),
            ("get The Matrix", FOUND.format(MATRIX)),
            ("never mind The Matrix", LEFT.format(MATRIX)),
            ("status", f"{STATUS}{INCEPTION}: looking for it"),
            ("never mind the matrix", NO_STOP),
        ],
        [27205, 603],
    ),
    "never mind the only one": Talk(
        [
            ("get Inception", FOUND.format(INCEPTION)),
            ("never mind", LEFT.format(INCEPTION)),
            ("status", NOTHING),
        ],
        [27205],
    ),
    "never mind which": Talk(
        [
            ("get Inception", FOUND.format(INCEPTION)),
            ("get The Matrix", FOUND.format(MATRIX)),
            ("never mind", WHICH_TO_STOP),
        ],
        [27205, 603],
    ),
    "never mind what nobody asked for": Talk([("never mind Inception", NO_STOP)]),
    "asking twice": Talk(
        [("get Inception", FOUND.format(INCEPTION)), ("get Inception", JOINED.format(INCEPTION))],
        [27205],
    ),
    "changing one's mind back": Talk(
        [
            ("get Inception", FOUND.format(INCEPTION)),
            ("never mind", LEFT.format(INCEPTION)),
            ("get Inception", FOUND.format(INCEPTION)),
            ("status", f"{STATUS}{INCEPTION}: looking for it"),
        ],
        [27205],
    ),
    "talk": Talk([("hi", CHAT), ("thanks!", THANKS), ("good night", CHAT)]),
    "help": Talk([("?", HELP), ("commands", HELP)]),
    "status of nothing": Talk([("status", NOTHING)]),
    "television": Talk([("can you get season 2 of The Wire?", NO_TV)]),
    "no such film": Talk(
        [("get Zorbatron Nine", '🤔 I couldn\'t find a movie called "Zorbatron Nine".')]
    ),
    "a nought among the numbers": Talk([("get Dune", WHICH), ("99", "")]),
}


@pytest.mark.parametrize("talk", TALKS.values(), ids=TALKS)
def test_a_conversation(household: Household, radarr: FakeRadarr, talk: Talk) -> None:
    for said, expected in talk.lines:
        [answer] = household.text(SAM, said)
        assert answer.startswith(expected), f"{said!r} was answered {answer!r}"
    assert [movie["tmdbId"] for movie in radarr.movies.values()] == list(talk.films)


def test_two_people_have_two_conversations(household: Household, radarr: FakeRadarr) -> None:
    household.text(SAM, "get Dune")
    household.text(ALEX, "get Dune")
    household.text(ALEX, "2")
    household.text(SAM, "1")
    assert [movie["tmdbId"] for movie in radarr.movies.values()] == [841, 438631]


def test_nobody_answers_anothers_question(household: Household, radarr: FakeRadarr) -> None:
    household.text(SAM, "get Dune")
    household.text(ALEX, "2")
    assert radarr.movies == {}


def test_nobody_stops_anothers_film(household: Household) -> None:
    household.text(SAM, "get Inception")
    assert household.text(ALEX, "never mind Inception") == [NO_STOP]
    assert household.text(ALEX, "status")[0].startswith(NOTHING)
    assert Download.objects.get().is_active


@pytest.mark.parametrize(("minutes", "films"), [(14, [841]), (16, [])])
def test_a_question_lives_a_quarter_of_an_hour(
    household: Household, radarr: FakeRadarr, minutes: int, films: list[int]
) -> None:
    household.text(SAM, "get Dune")
    household.clock.shift(timedelta(minutes=minutes))
    household.text(SAM, "2")
    assert [movie["tmdbId"] for movie in radarr.movies.values()] == films


# --- Status ---------------------------------------------------------------------------------------


def status_of(household: Household, person: str = SAM) -> str:
    [answer] = household.text(person, "status")
    return answer


def test_the_status_tells_how_far_a_film_is(household: Household, radarr: FakeRadarr) -> None:
    household.text(SAM, "get Inception")
    assert status_of(household) == f"{STATUS}{INCEPTION}: looking for it"
    item = radarr.grab(27205, timezone.now())
    household.tick()
    assert status_of(household) == f"{STATUS}{INCEPTION}: 25% here, about 20 minutes left"
    item["sizeleft"] = 400_000_000
    household.tick()
    assert status_of(household) == f"{STATUS}{INCEPTION}: 95% here, about 20 minutes left"
    item |= {"status": "completed", "trackedDownloadState": "importing"}
    household.tick()
    assert status_of(household) == f"{STATUS}{INCEPTION}: almost ready"
    radarr.finish(27205, timezone.now())
    household.tick()
    assert status_of(household) == f"{STATUS}{INCEPTION}: ready since 12:02 pm"


def test_the_status_of_what_is_not_out_has_its_date(
    household: Household, radarr: FakeRadarr
) -> None:
    radarr.release[27205] = "2026-12-12T00:00:00Z"
    household.text(SAM, "get Inception")
    household.tick()
    assert status_of(household).endswith(f"{INCEPTION}: waiting for its release on 12 December")


def test_the_status_of_what_is_saved(household: Household, radarr: FakeRadarr) -> None:
    radarr.fail_with((503, {"X-Application-Version": "6"}, "{}"))
    household.text(SAM, "get Inception")
    assert status_of(household) == f"{STATUS}{INCEPTION}: saved, will be added soon"


def test_the_status_lists_each_of_ones_films_and_no_other(household: Household) -> None:
    household.text(SAM, "get Inception")
    household.text(SAM, "get The Matrix")
    household.text(ALEX, "get The Dark Knight")
    lines = status_of(household).splitlines()[1:]
    assert sorted(lines) == [f"{INCEPTION}: looking for it", f"{MATRIX}: looking for it"]


def test_the_status_needs_no_redis_to_know_what_is_asked(
    household: Household, radarr: FakeRadarr
) -> None:
    household.text(SAM, "get Inception")
    radarr.grab(27205, timezone.now())
    household.tick()
    get_redis_connection("live").flushall()
    assert status_of(household) == f"{STATUS}{INCEPTION}: on its way since noon"


def test_joining_tells_how_far_it_is(household: Household, radarr: FakeRadarr) -> None:
    household.text(SAM, "get Inception")
    radarr.grab(27205, timezone.now())
    household.tick()
    [answer] = household.text(ALEX, "get Inception")
    assert answer.startswith(f"👍 {INCEPTION} is already on its way (25% done).")


# --- Pictures and nothing -------------------------------------------------------------------------


def test_a_picture_alone_is_answered(household: Household) -> None:
    [answer] = household.text(SAM, "", NumMedia="1", MediaUrl0="https://api.twilio.com/m")
    assert answer.startswith("🖼️ I can't read pictures yet.")


def test_a_picture_with_a_text_is_a_text(household: Household) -> None:
    [answer] = household.text(SAM, "get Inception", NumMedia="1")
    assert answer.startswith(FOUND.format(INCEPTION))


@pytest.mark.parametrize("body", ["", "   ", "\n"])
def test_nothing_at_all_is_not_answered(household: Household, body: str) -> None:
    assert household.text(SAM, body) == []


# --- With a model ---------------------------------------------------------------------------------


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> FakeModel:
    return FakeModel().install(monkeypatch, settings)


def test_several_films_are_got_in_one_answer(
    household: Household, radarr: FakeRadarr, model: FakeModel
) -> None:
    model.answers = [request_for("Inception", "The Matrix")]
    [answer] = household.text(SAM, "could we have both Inception and The Matrix")
    assert "Inception (2010)" in answer
    assert "The Matrix (1999)" in answer
    assert sorted(movie["tmdbId"] for movie in radarr.movies.values()) == [603, 27205]


def test_of_several_films_one_may_be_asked_about(
    household: Household, radarr: FakeRadarr, model: FakeModel
) -> None:
    model.answers = [request_for("Inception", "Dune")]
    [answer] = household.text(SAM, "could we have both Inception and Dune")
    assert answer.startswith("🎬 Found and added: Inception (2010).")
    assert WHICH.removeprefix("🎬 ") in answer
    household.text(SAM, "2")
    assert [movie["tmdbId"] for movie in radarr.movies.values()] == [27205, 841]


def test_several_films_are_each_told_of(
    household: Household, radarr: FakeRadarr, model: FakeModel
) -> None:
    model.answers = [request_for("Inception", "The Matrix")]
    household.text(SAM, "could we have both Inception and The Matrix")
    for tmdb_id in (27205, 603):
        radarr.grab(tmdb_id, timezone.now())
        radarr.finish(tmdb_id, timezone.now())
    household.tick()
    assert len(household.texts_to(SAM)) == 3


@pytest.mark.parametrize(("style", "most"), [("rich", 3), ("plain", 2)])
def test_an_answer_about_many_films_is_no_novel(
    household: Household,
    tmdb: FakeTmdb,
    model: FakeModel,
    settings: Settings,
    style: str,
    most: int,
) -> None:
    settings.SMS_STYLE = style
    names = [f"Quince Harvest {word}" for word in ("One", "Two", "Three", "Four", "Five")]
    for number, name in enumerate(names):
        tmdb.add(7000 + number, name, "2001-01-01")
    model.answers = [request_for(*names)]
    [answer] = household.text(SAM, "all the Quince Harvest films we do not have yet, all five")
    assert segments(answer) <= most


def test_the_models_choice_is_a_choice(
    household: Household, radarr: FakeRadarr, model: FakeModel
) -> None:
    chosen = {**request_for(), "intent": "choose", "choice": 2}
    model.answers = [request_for("Dune"), chosen]
    household.text(SAM, "could you get hold of Dune")
    household.text(SAM, "the one with Sting in it I think")
    assert [movie["tmdbId"] for movie in radarr.movies.values()] == [841]


@pytest.mark.parametrize("choice", [None, 3, -1, 10**12])
def test_a_choice_of_nothing_on_offer_is_asked_again(
    household: Household, radarr: FakeRadarr, model: FakeModel, choice: int | None
) -> None:
    chosen = {**request_for(), "intent": "choose", "choice": choice}
    model.answers = [request_for("Dune"), chosen]
    household.text(SAM, "could you get hold of Dune")
    [again] = household.text(SAM, "the one with the turtles in it I think")
    assert again.startswith("🤔 I didn't get that.")
    assert "2. Dune (1984)" in again
    assert radarr.movies == {}
    household.text(SAM, "2")
    assert [movie["tmdbId"] for movie in radarr.movies.values()] == [841]


@pytest.mark.parametrize("intent", ["chat", "help", "status", "cancel", "choose"])
def test_only_a_request_gets_a_film(
    household: Household, radarr: FakeRadarr, model: FakeModel, intent: str
) -> None:
    model.answers = [{**request_for(), "intent": intent}]
    assert len(household.text(SAM, "well well well what have we got here then")) == 1
    assert radarr.movies == {}


def test_television_is_told_apart(
    household: Household, radarr: FakeRadarr, tmdb: FakeTmdb, model: FakeModel
) -> None:
    model.answers = [
        {**request_for(), "titles": [{"title": "The Matrix", "year": None, "media": "tv"}]}
    ]
    assert household.text(SAM, "the one on the telly every week")[0].startswith(NO_TV)
    assert tmdb.calls == []
    assert radarr.movies == {}

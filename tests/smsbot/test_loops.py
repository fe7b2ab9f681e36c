"""Two machines that answer each other fall silent; people who ask a lot do not."""

from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from smsbot.models import Contact
from tests.conftest import ALEX, SAM, Household

DRIVING = "I'm driving right now. I'll get back to you when I can."
TITLES = ["Inception", "The Matrix", "The Dark Knight", "Dune 1984", "Dune 2021"]


def answers(household: Household, *bodies: str, every: float = 5) -> int:
    """Let Sam's phone send these texts, seconds apart; return how many answers came."""
    before = len(household.texts_to(SAM))
    for body in bodies:
        household.text(SAM, body)
        household.clock.shift(timedelta(seconds=every))
    return len(household.texts_to(SAM)) - before


@pytest.mark.parametrize(
    "bodies",
    [
        [DRIVING] * 12,
        ["status"] * 12,
        [f"Automatic reply: ticket {number} has been opened." for number in range(12)],
        ["Out of office until Monday.", DRIVING] * 6,
    ],
)
def test_a_machine_gets_five_answers_and_then_silence(
    household: Household, bodies: list[str]
) -> None:
    assert answers(household, *bodies) == 5
    assert Contact.objects.get(address=SAM).silent_until is not None


def test_the_silence_ends(household: Household, settings: Settings) -> None:
    answers(household, *[DRIVING] * 8)
    household.clock.shift(timedelta(seconds=settings.LOOP_PAUSE))
    assert answers(household, "get Inception") == 1


def test_others_are_answered_meanwhile(household: Household) -> None:
    answers(household, *[DRIVING] * 8)
    assert household.text(ALEX, "get Inception") != []


def test_opting_out_counts_in_the_silence_too(household: Household) -> None:
    answers(household, *[DRIVING] * 8)
    household.text(SAM, "STOP")
    assert Contact.objects.get(address=SAM).opted_out_at is not None


def test_who_asks_for_many_films_in_a_row_is_answered(household: Household) -> None:
    texts = [f"get {title}" for title in TITLES] * 2
    assert answers(household, *texts, every=2) == 10


def test_who_asks_for_the_same_film_again_and_again_is_answered(household: Household) -> None:
    assert answers(household, *["get Inception"] * 10, every=2) == 10


def test_who_says_different_things_is_answered(household: Household) -> None:
    texts = ["hi", "status", "?", "what can you do", "status", "thanks", "status", "hello"]
    assert answers(household, *texts, every=2) == 8


def test_what_comes_slowly_is_no_loop(household: Household) -> None:
    assert answers(household, *["status"] * 8, every=60) == 8


def test_the_breaker_can_be_set_and_taken_out(household: Household, settings: Settings) -> None:
    settings.LOOP_LIMIT = 0
    assert answers(household, *[DRIVING] * 8) == 8
    settings.LOOP_LIMIT = 2
    assert answers(household, *["status"] * 8) <= 3

"""The main job against services that `up` has not started: nothing depends on the sandbox."""

from collections.abc import Callable

import pytest

from smsbot import rules
from tests.live.conftest import World
from tests.live.stack import added, completed, started

pytestmark = [
    pytest.mark.processes,
    pytest.mark.enable_socket,
    pytest.mark.xdist_group("live: other stand-ins"),
    pytest.mark.timeout(240),
]

Phones = Callable[[], str]

NEEDS_A_MODEL = "My sister keeps talking about Whiplash"


def test_up_starts_no_sandbox_when_others_are_configured(world: World) -> None:
    running = world.product.children()
    assert sorted(running) == ["monitor", "redis", "web", "worker"]
    assert "Phone page" not in world.product.output(1)
    assert f"Twilio is to POST them to {world.product.public_url}" in world.product.output(1)


def test_the_main_job_with_a_model(world: World, person: Phones) -> None:
    assert [title.title for title in rules.read(NEEDS_A_MODEL).titles] == [NEEDS_A_MODEL]
    phone = person()
    world.stand_ins.text(phone, NEEDS_A_MODEL)
    world.await_whole_job(phone, "Whiplash (2014)")


def test_the_main_job_by_rules_when_the_model_is_down(world: World, person: Phones) -> None:
    world.stand_ins.fault(openai=True)
    phone = person()
    world.ask(phone, "Casablanca (1942)")
    world.await_whole_job(phone, "Casablanca (1942)")


def test_two_people_ask_for_one_film_and_both_are_told_each_once(
    world: World, person: Phones
) -> None:
    film = "Interstellar (2014)"
    phones = [person(), person()]
    for phone in phones:
        world.ask(phone, film)
    for phone in phones:
        world.stand_ins.await_text(phone, completed(film))
    world.product.settle()

    told = [world.stand_ins.texts_to(phone) for phone in phones]
    answers = [texts.pop(0) for texts in told]
    assert told == [[started(film), completed(film)]] * 2
    assert added(film) in answers
    assert all(film in answer for answer in answers)
    assert (
        len(
            world.product.rows(
                "SELECT id FROM downloads_download WHERE year = 2014 AND title = ?", "Interstellar"
            )
        )
        == 1
    )

"""Processes die, or all of it is restarted, in the middle of the main job: each text still once."""

import signal
from collections.abc import Callable

import pytest

from tests.live.conftest import World, new_sid
from tests.live.stack import added, completed, eventually, started

pytestmark = [
    pytest.mark.processes,
    pytest.mark.enable_socket,
    pytest.mark.xdist_group("live: other stand-ins"),
    pytest.mark.timeout(240),
]

Phones = Callable[[], str]


def test_kill_9_of_the_worker_and_then_of_the_monitor(world: World, person: Phones) -> None:
    film, phone = "Spirited Away (2001)", person()
    # With the world outside frozen, the worker is in the middle of the answer when it dies.
    world.stand_ins_process.signal_all(signal.SIGSTOP)
    world.post(phone, "Can you get Spirited Away for me?", new_sid())
    eventually(
        lambda: world.product.rows(
            "SELECT id FROM smsbot_inboundmessage WHERE state = 'processing'"
        ),
        "the text is being answered",
    )
    world.product.kill("worker")
    world.stand_ins_process.signal_all(signal.SIGCONT)

    world.stand_ins.await_text(phone, started(film))
    world.product.kill("monitor")
    world.await_whole_job(phone, film)


def test_a_restart_of_everything_loses_and_repeats_nothing(world: World, person: Phones) -> None:
    on_its_way, at_the_last_moment, while_away = (
        "La La Land (2016)",
        "Zootopia (2016)",
        "Iron Man (2008)",
    )
    early, late, later = person(), person(), person()
    world.stand_ins.text(early, "get la la land")
    world.stand_ins.await_text(early, started(on_its_way))
    world.post(late, "get zootopia", new_sid())
    world.product.end()
    world.stand_ins.text(later, "get iron man")
    world.product.start()

    for phone, film in ((early, on_its_way), (late, at_the_last_moment), (later, while_away)):
        world.stand_ins.await_text(phone, completed(film))
    world.product.settle()
    world.await_whole_job(early, on_its_way)
    world.await_whole_job(later, while_away)
    # It may have started and been finished while we were away: then "started" is old news.
    told = world.stand_ins.texts_to(late)
    film = at_the_last_moment
    assert told in ([added(film), started(film), completed(film)], [added(film), completed(film)])
    assert "admin's account" not in world.product.output()

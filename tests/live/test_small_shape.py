"""`manage.py up --small`: one process beside Redis and the runner, and every promise kept."""

import signal
from collections.abc import Callable

import pytest

from tests.live.conftest import World, new_sid
from tests.live.stack import eventually

pytestmark = [
    pytest.mark.processes,
    pytest.mark.enable_socket,
    pytest.mark.timeout(240),
]


def test_one_process_does_the_whole_job_and_survives_its_death(
    small_world: World, person: Callable[[], str]
) -> None:
    world, phone = small_world, person()
    assert sorted(world.product.children()) == ["redis", "web"]
    world.ask(phone, "Inception (2010)")
    world.await_whole_job(phone, "Inception (2010)")

    other = person()
    # With the world outside frozen, the process is in the middle of the answer when it dies.
    world.stand_ins_process.signal_all(signal.SIGSTOP)
    world.post(other, "Can you get Spirited Away for me?", new_sid())
    eventually(
        lambda: world.product.rows(
            "SELECT id FROM smsbot_inboundmessage WHERE state = 'processing'"
        ),
        "the text is being answered",
    )
    world.product.kill("web")
    world.stand_ins_process.signal_all(signal.SIGCONT)
    world.await_whole_job(other, "Spirited Away (2001)")


def test_it_hands_the_lease_back_when_it_ends(
    small_world: World, person: Callable[[], str]
) -> None:
    small_world.product.end()
    assert "monitor stopped" in small_world.product.output()
    small_world.product.start()
    phone = person()
    small_world.ask(phone, "Inception (2010)")
    small_world.await_whole_job(phone, "Inception (2010)")

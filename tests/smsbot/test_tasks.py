"""Handing work over: a hint that may be lost, and that holds nobody up."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connections
from django.utils.module_loading import import_string
from django_redis import get_redis_connection

from moviesms import live
from moviesms.celery import app
from moviesms.embedded_redis import EmbeddedRedis
from smsbot import handover, processing, tasks, work
from smsbot.models import InboundMessage
from tests.conftest import KIM, SAM, AtOnce, Household, inbound_form
from tests.test_main_job import ADDED, ASK

State = InboundMessage.State


class Later(Executor):
    """Does what it is given when it is told to."""

    def __init__(self) -> None:
        self.given: list[Callable[[], object]] = []

    def submit(self, work: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
        self.given.append(partial(work, *args, **named))
        return Future()

    def work(self) -> None:
        while self.given:
            self.given.pop(0)()


class Published(list[tuple[str, tuple[int, ...]]]):
    """The tasks that would be published: each one's name and arguments."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        monkeypatch.setattr(
            app, "send_task", lambda name, args, **how: self.append((name, tuple(args)))
        )


@pytest.fixture
def threads_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the worker's threads be this one, which holds the test's transaction."""
    monkeypatch.setattr(handover, "_threads", AtOnce)
    monkeypatch.setattr(connections, "close_all", lambda: None)


@pytest.fixture
def stopped(redis_server: EmbeddedRedis) -> Iterator[EmbeddedRedis]:
    """Redis is not there."""
    redis_server.stop()
    yield redis_server
    redis_server.start()


@pytest.fixture
def hung(redis_server: EmbeddedRedis) -> Iterator[EmbeddedRedis]:
    """Redis takes connections and never answers."""
    assert redis_server.process is not None
    os.kill(redis_server.process.pid, signal.SIGSTOP)
    yield redis_server
    os.kill(redis_server.process.pid, signal.SIGCONT)


def seconds_to_hand_over() -> float:
    before = time.perf_counter()
    handover.inbound(1)
    return time.perf_counter() - before


@pytest.fixture
def imported() -> None:
    """What the first publish of a process loads is not what is timed."""
    handover.inbound(0)
    live.breaker.succeeded()


def test_a_task_carries_an_id_and_nothing_else() -> None:
    handover.inbound(4711)
    redis = get_redis_connection("live")
    [queue] = [key for key in redis.keys("celery:*") if redis.type(key) == b"list"]
    [message] = redis.lrange(queue, 0, -1)
    assert b"process_inbound" in message
    assert redis.llen(queue) == 1
    assert SAM.encode() not in message


def test_texts_that_come_meanwhile_are_published_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is handed over while the publisher is busy goes in as few tasks as may be."""
    publisher, tasks_published = Later(), Published(monkeypatch)
    monkeypatch.setattr(handover, "_publisher", lambda: publisher)
    ids = list(range(1, 21))
    for inbound_id in ids:
        handover.inbound(inbound_id)
    handover.events()
    publisher.work()
    texts = [args for name, args in tasks_published if name.endswith("process_inbound")]
    assert [inbound_id for args in texts for inbound_id in args] == ids
    assert len(texts) == 2
    assert [name for name, _ in tasks_published if name.endswith("hand_out")]


def test_a_text_that_comes_alone_is_published_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    published = Published(monkeypatch)
    for inbound_id in (1, 2):
        handover.inbound(inbound_id)
        assert published[-1][1] == (inbound_id,)


def test_a_thread_that_cannot_start_keeps_only_its_own_text_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    published, publisher = Published(monkeypatch), handover._publisher

    def no_room() -> Executor:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(handover, "_publisher", no_room)
    handover.inbound(1)
    assert published == []
    monkeypatch.setattr(handover, "_publisher", publisher)
    handover.inbound(2)
    assert published[0][1] == (1, 2)


def test_a_stream_of_texts_keeps_no_other_task_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    publisher, published = Later(), Published(monkeypatch)
    monkeypatch.setattr(handover, "_publisher", lambda: publisher)
    more = [2, 3, 4]

    def next_text_comes(seconds: float) -> None:
        if more:
            handover.inbound(more.pop(0))

    monkeypatch.setattr(handover, "pause", next_text_comes)
    handover.inbound(1)
    handover.line(7)
    publisher.work()
    texts, told = ("smsbot.tasks.process_inbound", "smsbot.tasks.deliver")
    assert [name for name, _ in published] == [texts, told, texts, texts, texts]


def test_an_error_in_publishing_keeps_no_other_text_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    published, publish = Published(monkeypatch), handover._publish

    def fail_once(name: str, *ids: int) -> None:
        monkeypatch.setattr(handover, "_publish", publish)
        handover.inbound(2)  # meanwhile
        raise ImportError("no such module")

    monkeypatch.setattr(handover, "_publish", fail_once)
    publisher = Later()
    monkeypatch.setattr(handover, "_publisher", lambda: publisher)
    handover.inbound(1)
    with pytest.raises(ImportError):
        publisher.given.pop(0)()
    publisher.work()
    assert published == [("smsbot.tasks.process_inbound", (2,))]


def test_with_the_broker_down_it_returns_at_once(imported: None, stopped: EmbeddedRedis) -> None:
    assert seconds_to_hand_over() < 1


def test_with_the_broker_hung_it_returns_soon(imported: None, hung: EmbeddedRedis) -> None:
    assert seconds_to_hand_over() < 1.5


def test_a_broker_that_failed_is_left_alone(
    imported: None, stopped: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    handover.inbound(1)
    published: list[object] = []
    monkeypatch.setattr(app, "send_task", lambda name, **how: published.append(name))
    handover.inbound(1)
    assert published == []
    live.breaker.succeeded()
    handover.inbound(1)
    assert len(published) == 1


def test_with_the_broker_down_the_row_stays(household: Household, stopped: EmbeddedRedis) -> None:
    household.deliver(inbound_form(SAM, ASK))
    message = InboundMessage.objects.get()
    assert (message.state, message.attempts) == (State.RECEIVED, 0)
    household.work()
    assert household.texts_to(SAM) == [ADDED]


def test_the_task_answers_and_sends(household: Household) -> None:
    household.deliver(inbound_form(SAM, ASK))
    tasks.process_inbound(InboundMessage.objects.get().pk)
    assert household.texts_to(SAM) == [ADDED]


def test_who_has_answered_hands_over_one_that_waits_too_long(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    household.deliver(inbound_form(SAM, ASK))
    household.deliver(inbound_form(KIM, "get Inception"))
    handed: list[int] = []
    monkeypatch.setattr(handover, "inbound", handed.append)
    sams, kims = InboundMessage.objects.order_by("pk").values_list("pk", flat=True)
    household.clock.shift(processing.LEFT_TO_TASKS)
    tasks.process_inbound(999_999)  # who found nothing to do hands nothing over
    assert handed == []
    tasks.process_inbound(sams)
    assert handed == [kims]
    tasks.process_inbound(kims)
    assert handed == [kims]


def test_a_task_of_several_texts_answers_each(household: Household, threads_at_once: None) -> None:
    household.deliver(inbound_form(SAM, ASK))
    household.deliver(inbound_form(KIM, "get Inception"))
    tasks.process_inbound(*InboundMessage.objects.values_list("pk", flat=True))
    assert household.texts_to(SAM) == [ADDED]
    assert len(household.texts_to(KIM)) == 1
    assert not InboundMessage.objects.exclude(state=State.HANDLED).exists()


@pytest.mark.parametrize("broken", [1, 2, 3])
def test_a_text_that_breaks_takes_no_other_with_it(
    monkeypatch: pytest.MonkeyPatch, threads_at_once: None, broken: int
) -> None:
    done = []

    def process(inbound_id: int) -> None:
        if inbound_id == broken:
            raise RuntimeError("broken")
        done.append(inbound_id)

    monkeypatch.setattr(work, "process_inbound", process)
    with suppress(RuntimeError):
        tasks.process_inbound(1, 2, 3)
    assert sorted(done) == [number for number in (1, 2, 3) if number != broken]


def test_the_texts_of_a_task_do_not_wait_for_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(3)
    monkeypatch.setattr(work, "process_inbound", lambda _: together.wait(timeout=10))
    tasks.process_inbound(1, 2, 3)
    assert not together.broken


def test_a_task_that_comes_twice_does_it_once(household: Household) -> None:
    household.deliver(inbound_form(SAM, ASK))
    for _ in range(3):
        tasks.process_inbound(InboundMessage.objects.get().pk)
    assert household.texts_to(SAM) == [ADDED]


def test_a_task_of_a_row_that_is_gone_does_nothing(household: Household) -> None:
    tasks.process_inbound(999_999)
    tasks.hand_out()
    assert household.twilio.sent == []


def test_celery_repeats_nothing_of_its_own() -> None:
    for task in (tasks.process_inbound, tasks.hand_out):
        assert task.ignore_result
        assert task.acks_late
        assert not getattr(task, "autoretry_for", ())
    assert app.conf.task_publish_retry is False
    assert app.conf.broker_transport_options["socket_timeout"] == django_settings.REDIS_TIMEOUT


def test_events_are_handed_over_by_the_setting_that_names_it() -> None:
    assert import_string(django_settings.DOWNLOADS_ON_EVENTS) is handover.events
    handover.events()
    redis = get_redis_connection("live")
    assert any(b"hand_out" in item for item in redis.lrange("celery:celery", 0, -1))

"""Answering: claims, order, backing off, giving up, and a crash at every step."""

import random
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from pytest_django.fixtures import Settings

from downloads import services
from downloads.models import DownloadRequest
from moviesms import claims
from smsbot import conversation, handover, processing, reply, sending, sweep, understanding
from smsbot.models import InboundMessage, OutboundMessage
from tests.conftest import ALEX, SAM, Household, inbound_form
from tests.fakes import Answer, FakeRadarr, FakeTmdb
from tests.processes import token_of_the_dead
from tests.smsbot.test_understanding import FakeModel, request_for
from tests.test_main_job import ADDED, ASK

State = InboundMessage.State

LEASE = timedelta(seconds=django_settings.INBOUND_LEASE)
DOWN: Answer = (503, {}, "")


class Killed(BaseException):
    """The process ends here, as kill -9 would end it: nothing of ours catches this."""


def received(household: Household, body: str = ASK, sender: str = SAM) -> InboundMessage:
    """Let a text arrive that nobody has begun to answer."""
    household.deliver(inbound_form(sender, body))
    return InboundMessage.objects.latest("id")


def process(message: InboundMessage) -> bool:
    return processing.process_one(message.pk, timezone.now())


def state_of(message: InboundMessage) -> str:
    message.refresh_from_db()
    return message.state


def due() -> list[str]:
    return list(processing.due(timezone.now()).values_list("body", flat=True))


def failing(error: BaseException) -> Callable[..., Any]:
    def fail(*args: object, **kwargs: object) -> None:
        raise error

    return fail


@pytest.fixture
def fault(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A fault of ours at every text, until it is undone."""
    monkeypatch.setattr(processing, "answer", failing(ZeroDivisionError("a fault of ours")))
    return monkeypatch


def test_what_a_dead_process_had_taken_is_answered_at_the_next_sweep(household: Household) -> None:
    message = received(household)
    claimed = InboundMessage.objects.filter(pk=message.pk)
    claimed.update(
        state=State.PROCESSING, lease_until=timezone.now() + LEASE, lease_token=token_of_the_dead()
    )
    household.clock.shift(timedelta(seconds=django_settings.SWEEP_INTERVAL))
    sweep.work(timezone.now(), threading.Event())
    household.work()
    assert household.texts_to(SAM) == [ADDED]


def test_an_answer_that_the_database_refuses_is_no_answer(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = received(household)
    nameless: Any = None  # no text is without its template's name
    refused = reply.Reply(text="Hello", template=nameless)
    monkeypatch.setattr(processing, "answer", lambda *_, **__: refused)
    process(message)
    assert state_of(message) == State.RECEIVED
    assert message.failure == "IntegrityError"


def test_with_a_long_queue_the_sweep_asks_the_workers_to_help(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [f"+1202555{number:04d}" for number in range(25)]
    for person in people:
        household.deliver(inbound_form(person, "hello there"))
    asked: list[int] = []
    monkeypatch.setattr(handover, "inbound", asked.append)
    household.clock.shift(timedelta(seconds=django_settings.SWEEP_INTERVAL))
    sweep.work(timezone.now(), threading.Event())
    latest = InboundMessage.objects.order_by("id").values_list("id", flat=True)[20:]
    assert asked == list(latest)


def test_what_a_living_process_has_taken_is_left_to_it(household: Household) -> None:
    message = received(household)
    claimed = InboundMessage.objects.filter(pk=message.pk)
    claimed.update(
        state=State.PROCESSING, lease_until=timezone.now() + LEASE, lease_token=claims.token()
    )
    household.clock.shift(timedelta(seconds=django_settings.SWEEP_INTERVAL))
    sweep.work(timezone.now(), threading.Event())
    household.work()
    assert household.texts_to(SAM) == []


# --- Claims ---------------------------------------------------------------------------------------


def test_a_claimed_message_cannot_be_claimed_again(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = received(household)
    answer: Callable[..., Any] = conversation.answer
    seconds: list[bool] = []

    def answer_while_another_tries(*args: Any, **kwargs: Any) -> Any:
        seconds.append(process(message))
        assert due() == []
        return answer(*args, **kwargs)

    monkeypatch.setattr(processing, "answer", answer_while_another_tries)
    assert process(message)
    assert seconds == [False]
    household.work()
    assert household.texts_to(SAM) == [ADDED]


def test_what_is_answered_cannot_be_claimed(household: Household) -> None:
    message = received(household)
    household.work()
    assert not process(message)
    household.clock.shift(LEASE * 2)
    assert not process(message)
    assert due() == []


def test_a_message_that_does_not_exist_is_nothing_to_do(household: Household) -> None:
    assert not processing.process_one(999_999, timezone.now())
    processing.process_line(999_999)
    assert not OutboundMessage.objects.exists()


STEPS: dict[str, tuple[Any, str]] = {
    "the model": (understanding, "ask_model"),
    "TMDB": (services, "resolve"),
    "the request": (services, "request_movie"),
    "the reply": (reply, "render"),
}


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> FakeModel:
    fake = FakeModel().install(monkeypatch, settings)
    fake.answers = [request_for("The Dark Knight")]
    return fake


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("fails", [False, True])
def test_a_process_that_wakes_late_writes_nothing(
    household: Household,
    radarr: FakeRadarr,
    model: FakeModel,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    fails: bool,
) -> None:
    """It sleeps at a step past its lease; another answers; then it goes on, or fails."""
    message = received(household)
    where, name = STEPS[step]
    real: Callable[..., Any] = getattr(where, name)
    asleep: list[str] = []

    def sleep_past_the_lease(*args: Any, **kwargs: Any) -> Any:
        if not asleep:
            asleep.append(name)
            household.clock.shift(LEASE + timedelta(seconds=1))
            assert process(message)
            asleep.append(str(InboundMessage.objects.values().get()))
            if fails:
                raise ZeroDivisionError
        return real(*args, **kwargs)

    monkeypatch.setattr(where, name, sleep_past_the_lease)
    process(message)
    assert str(InboundMessage.objects.values().get()) == asleep[1]
    household.work()
    assert household.texts_to(SAM) == [ADDED]
    assert DownloadRequest.objects.count() == radarr.adds == 1


def test_a_process_that_wakes_while_another_is_at_it_writes_nothing(
    household: Household, radarr: FakeRadarr, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state alone does not tell them apart: the token does."""
    message = received(household)
    resolve: Callable[..., Any] = services.resolve
    claimed: list[str] = []

    def sleep_past_the_lease(*args: Any, **kwargs: Any) -> Any:
        if not claimed:
            claimed.append("asleep")
            household.clock.shift(LEASE + timedelta(seconds=1))
            with monkeypatch.context() as other:
                other.setattr(processing, "answer", failing(Killed()))
                with pytest.raises(Killed):
                    process(message)
            claimed.append(str(InboundMessage.objects.values().get()))
        return resolve(*args, **kwargs)

    monkeypatch.setattr(services, "resolve", sleep_past_the_lease)
    process(message)
    assert str(InboundMessage.objects.values().get()) == claimed[1]
    assert not OutboundMessage.objects.exists()
    household.clock.shift(LEASE + timedelta(seconds=1))
    household.work()
    assert household.texts_to(SAM) == [ADDED]
    assert DownloadRequest.objects.count() == radarr.adds == 1


# --- Order ----------------------------------------------------------------------------------------


def test_one_persons_texts_are_answered_in_order(household: Household) -> None:
    for title in ("Inception", "The Matrix", "The Dark Knight"):
        received(household, f"get {title}")
    assert due() == ["get Inception"]
    processing.process_line(InboundMessage.objects.earliest("id").pk)
    told = [text.split("'")[1] for text in household.texts_to(SAM)]
    assert told == ["Inception (2010)", "The Matrix (1999)", "The Dark Knight (2008)"]


def test_a_later_text_cannot_be_answered_first(household: Household) -> None:
    first = received(household, "get Inception")
    second = received(household, "get The Matrix")
    assert not process(second)
    assert process(first)
    assert process(second)


def test_a_text_being_answered_holds_up_the_next(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = received(household, "get Inception"), received(household, "get The Matrix")
    monkeypatch.setattr(processing, "answer", failing(Killed()))
    with pytest.raises(Killed):
        process(first)
    assert not process(second)
    assert due() == []


def test_another_person_is_not_held_up(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = received(household)
    with monkeypatch.context() as dying:
        dying.setattr(processing, "answer", failing(Killed()))
        with pytest.raises(Killed):
            process(first)
    assert household.text(ALEX, ASK) != []


@pytest.mark.parametrize(("later", "waits"), [(29, True), (31, False)])
def test_a_text_that_backs_off_holds_up_the_next_for_half_a_minute(
    household: Household, tmdb: FakeTmdb, fault: pytest.MonkeyPatch, later: int, waits: bool
) -> None:
    fault.setattr(random, "uniform", lambda low, high: 300.0)
    process(received(household))
    received(household, "status")
    household.clock.shift(timedelta(seconds=later))
    assert due() == ([] if waits else ["status"])


def test_the_next_text_is_answered_while_one_waits_for_tmdb(
    household: Household, tmdb: FakeTmdb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(random, "uniform", lambda low, high: 300.0)
    tmdb.fail_with(DOWN)
    household.text(SAM, ASK)
    household.clock.shift(timedelta(seconds=31))
    [answer] = household.text(SAM, "status")
    assert answer.startswith("🍿 Nothing of yours")


@pytest.mark.parametrize("word", ["STOP", "start", "Unsubscribe", " quit. "])
def test_opt_out_words_skip_the_line(
    household: Household, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    first = received(household)
    with monkeypatch.context() as dying:
        dying.setattr(processing, "answer", failing(Killed()))
        with pytest.raises(Killed):
            process(first)
    assert process(received(household, word))


# --- Faults ---------------------------------------------------------------------------------------


def fail_until_dead(household: Household, message: InboundMessage) -> int:
    """Try again and again, as the sweep does; return how often it was tried."""
    tries = 0
    while state_of(message) != State.DEAD:
        tries += process(message)
        household.clock.shift(timedelta(minutes=6))
        assert tries < 20
    household.work()
    return tries


def test_five_faults_are_the_end_with_a_reason_and_one_apology(
    household: Household, fault: pytest.MonkeyPatch
) -> None:
    message = received(household)
    assert fail_until_dead(household, message) == 5
    assert message.failure == "ZeroDivisionError"
    holding, apology = household.texts_to(SAM)
    assert holding.startswith("⏳ Something went wrong while looking that up.")
    assert apology.startswith("😔 Sorry, something went wrong")
    household.clock.shift(timedelta(days=2))
    household.work()
    assert len(household.texts_to(SAM)) == 2


def test_five_crashes_are_the_end_too(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A text that kills its process does so five times and no more."""
    message = received(household)
    monkeypatch.setattr(processing, "answer", failing(Killed()))
    for _ in range(5):
        with pytest.raises(Killed):
            process(message)
        household.clock.shift(LEASE + timedelta(seconds=1))
    household.work()
    assert state_of(message) == State.DEAD
    assert [text[:8] for text in household.texts_to(SAM)] == ["😔 Sorry,"]


def test_a_dead_message_holds_nobody_up(household: Household, fault: pytest.MonkeyPatch) -> None:
    fail_until_dead(household, received(household))
    fault.undo()
    assert len(household.text(SAM, "status")) == 1


def test_a_dead_message_can_be_tried_again(household: Household, fault: pytest.MonkeyPatch) -> None:
    message = received(household)
    fail_until_dead(household, message)
    fault.undo()
    assert processing.retry(message.pk)
    household.work()
    assert (state_of(message), message.failure) == (State.HANDLED, "")
    assert household.texts_to(SAM)[-1] == ADDED
    assert not processing.retry(message.pk)


def test_one_that_dies_again_apologises_no_second_time(
    household: Household, fault: pytest.MonkeyPatch
) -> None:
    message = received(household)
    fail_until_dead(household, message)
    assert processing.retry(message.pk)
    assert fail_until_dead(household, message) == 5
    assert len(household.texts_to(SAM)) == 2


def test_a_request_made_before_the_end_goes_on_and_is_told(
    household: Household, radarr: FakeRadarr, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = received(household)
    with monkeypatch.context() as broken:
        broken.setattr(services, "mark_announced", failing(ZeroDivisionError()))
        for _ in range(4):
            process(message)
            household.clock.shift(timedelta(minutes=6))
    InboundMessage.objects.update(attempts=5)
    monkeypatch.setattr(processing, "answer", failing(ZeroDivisionError()))
    process(message)
    assert state_of(message) == State.DEAD
    radarr.grab(155, timezone.now())
    household.tick()
    assert household.texts_to(SAM)[-1].startswith("🎬 Great! I'm getting The Dark Knight (2008)")


# --- Services that are down -----------------------------------------------------------------------


def test_an_outage_of_tmdb_is_no_fault_and_is_waited_for(
    household: Household, tmdb: FakeTmdb
) -> None:
    tmdb.fail_with(DOWN)
    message = received(household)
    for _ in range(40):
        household.work()
        household.clock.shift(timedelta(minutes=6))
    assert (state_of(message), message.attempts) == (State.RECEIVED, 0)
    assert len(household.texts_to(SAM)) == 1
    tmdb.fail_with(None)
    household.work()
    assert household.texts_to(SAM)[1:] == [ADDED]


def test_an_outage_of_a_day_is_too_long(household: Household, tmdb: FakeTmdb) -> None:
    tmdb.fail_with(DOWN)
    message = received(household)
    household.work()
    household.clock.shift(timedelta(hours=25))
    household.work()
    assert state_of(message) == State.DEAD
    assert len(household.texts_to(SAM)) == 2


def test_backing_off_grows_and_is_spread(
    household: Household, tmdb: FakeTmdb, fault: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[float, float]] = []

    def spy(low: float, high: float) -> float:
        asked.append((low, high))
        return high

    fault.setattr(random, "uniform", spy)
    message = received(household)
    fail_until_dead(household, message)
    longest = [high for _, high in asked]
    assert longest == sorted(longest)
    assert len(set(longest)) > 1
    assert max(longest) <= 300


# --- A crash at every step ------------------------------------------------------------------------


def before(real: Callable[..., Any]) -> Callable[..., Any]:
    return failing(Killed())


def after(real: Callable[..., Any]) -> Callable[..., Any]:
    def act_then_die(*args: Any, **kwargs: Any) -> None:
        real(*args, **kwargs)
        raise Killed

    return act_then_die


CRASHES: dict[str, tuple[Any, str]] = {
    **STEPS,
    "Radarr's add": (FakeRadarr, "_add"),
    "Radarr's lookup": (FakeRadarr, "_lookup"),
    "TMDB's search": (FakeTmdb, "_route"),
    "the announcement": (services, "mark_announced"),
    "the end": (processing, "_complete"),
    "the sending": (sending, "deliver_line"),
    "what is kept": (processing, "_write"),
}


@pytest.mark.parametrize("when", [before, after])
@pytest.mark.parametrize("step", CRASHES)
def test_a_crash_at_any_step_repeats_nothing(
    household: Household,
    radarr: FakeRadarr,
    model: FakeModel,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    when: Callable[[Callable[..., Any]], Callable[..., Any]],
) -> None:
    message = received(household)
    where, name = CRASHES[step]
    with monkeypatch.context() as dying:
        dying.setattr(where, name, when(getattr(where, name)))
        with pytest.raises(Killed):
            processing.process_line(message.pk)
    message.refresh_from_db()
    had_understood = message.understanding is not None
    asked = len(model.asked)
    household.clock.shift(LEASE + timedelta(seconds=1))
    household.work()
    assert household.texts_to(SAM) == [ADDED]
    assert DownloadRequest.objects.count() == 1
    assert len(radarr.movies) == 1
    assert radarr.adds == (2 if (step, when) == ("Radarr's add", before) else 1)
    assert len(model.asked) == asked + (not had_understood)


def test_what_was_chosen_on_tmdb_is_not_chosen_again(
    household: Household, radarr: FakeRadarr, tmdb: FakeTmdb, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same text after a crash means the same film, whatever TMDB says by then."""
    message = received(household)
    with monkeypatch.context() as dying:
        dying.setattr(services, "request_movie", failing(Killed()))
        with pytest.raises(Killed):
            process(message)
    searches = tmdb.count("GET", "search")
    tmdb.films.clear()
    household.clock.shift(LEASE + timedelta(seconds=1))
    household.work()
    assert household.texts_to(SAM) == [ADDED]
    assert tmdb.count("GET", "search") == searches


def test_a_crash_after_leaving_a_film_tells_that_it_was_left(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    household.text(SAM, ASK)
    message = received(household, "never mind The Dark Knight")
    with monkeypatch.context() as dying:
        dying.setattr(services, "leave", after(services.leave))
        with pytest.raises(Killed):
            process(message)
    household.clock.shift(LEASE + timedelta(seconds=1))
    household.work()
    assert household.texts_to(SAM)[1:] == [
        "👌 Okay, The Dark Knight (2008) is off the list. Nobody else was waiting for it, so I've "
        "stopped looking."
    ]


def test_an_answer_to_a_question_is_good_however_late_it_is_read(
    household: Household, radarr: FakeRadarr
) -> None:
    """The person answered in time; that we were down is not theirs to mend."""
    household.text(SAM, "get Dune")
    received(household, "2")
    household.clock.shift(timedelta(seconds=django_settings.QUESTION_TTL + 60))
    household.work()
    assert [movie["tmdbId"] for movie in radarr.movies.values()] == [841]

"""Texts that Twilio holds and we missed are picked up, once, and old ones are not answered."""

from datetime import timedelta

import pytest
from django.utils import timezone

from smsbot import backfill
from smsbot.models import BackfillState, InboundMessage
from tests.conftest import SAM, Household, inbound_form
from tests.fakes import Answer, FakeTwilio

ASK = "Can you get The Dark Knight for me?"


def sid(number: int) -> str:
    return f"SM{number:031x}f"


@pytest.fixture
def running(household: Household) -> Household:
    """A household whose backfill has looked before."""
    backfill.run_if_due(timezone.now())
    household.clock.shift(timedelta(minutes=30))
    return household


def test_a_missed_text_is_answered(running: Household, twilio: FakeTwilio) -> None:
    twilio.hold(sid(1), SAM, ASK, timezone.now() - timedelta(minutes=10))
    assert backfill.run_if_due(timezone.now()) == 1
    running.work()
    assert "'The Dark Knight (2008)'" in running.texts_to(SAM)[0]


def test_a_text_that_came_by_webhook_too_is_one(running: Household, twilio: FakeTwilio) -> None:
    running.deliver(inbound_form(SAM, ASK, MessageSid=sid(2)))
    twilio.hold(sid(2), SAM, ASK, timezone.now())
    assert backfill.run_if_due(timezone.now()) == 0
    running.work()
    assert len(running.texts_to(SAM)) == 1
    assert InboundMessage.objects.count() == 1


def test_it_looks_once_a_minute_however_often_it_is_asked(
    running: Household, twilio: FakeTwilio
) -> None:
    twilio.calls.clear()
    for _ in range(5):
        backfill.run_if_due(timezone.now())
    asked = len(twilio.calls)
    running.clock.shift(timedelta(seconds=61))
    backfill.run_if_due(timezone.now())
    assert len(twilio.calls) == 2 * asked > 0


def test_what_came_before_we_were_there_is_not_ours(
    household: Household, twilio: FakeTwilio
) -> None:
    twilio.hold(sid(3), SAM, ASK, timezone.now() - timedelta(hours=2))
    assert backfill.run_if_due(timezone.now()) == 0


def test_too_old_is_stored_and_regretted_once(running: Household, twilio: FakeTwilio) -> None:
    long_ago = timezone.now()
    running.clock.shift(timedelta(hours=60))
    BackfillState.objects.update(cursor=long_ago)
    for number in range(3):
        twilio.hold(sid(10 + number), SAM, ASK, long_ago + timedelta(minutes=number))
    backfill.run_if_due(timezone.now())
    running.work()
    states = InboundMessage.objects.values_list("state", "failure")
    assert list(states) == [("dead", "too old")] * 3
    assert len(running.texts_to(SAM)) == 1


@pytest.mark.parametrize("broken", [(500, {}, ""), (200, {}, "<html>"), (401, {}, "{}")])
def test_a_list_that_cannot_be_read_moves_no_cursor(
    running: Household, twilio: FakeTwilio, broken: Answer
) -> None:
    before = BackfillState.objects.get().cursor
    twilio.hold(sid(4), SAM, ASK, timezone.now())
    twilio.list_broken = broken
    assert backfill.run_if_due(timezone.now()) == 0
    assert BackfillState.objects.get().cursor == before
    twilio.list_broken = None
    running.clock.shift(timedelta(seconds=61))
    assert backfill.run_if_due(timezone.now()) == 1

"""Sending through its crash window: never lost, never simply repeated, never a third time."""

from datetime import timedelta
from typing import Any

import pytest
import requests
from django.conf import settings
from django.test import Client
from django.utils import timezone

from moviesms.models import Incident
from smsbot import gateway, sending, unknown
from smsbot.models import Contact, OutboundAttempt, OutboundMessage
from tests.conftest import ALEX, SAM, Household, post_signed
from tests.fakes import Answer, FakeTwilio, twilio_error

Status = OutboundMessage.Status
RESET = requests.exceptions.ConnectionError("Connection aborted.", ConnectionResetError(104))


def queue(address: str, text: str, **more: Any) -> OutboundMessage:
    contact, _ = Contact.objects.get_or_create(address=address)
    return OutboundMessage.objects.create(
        contact=contact,
        text=text,
        purpose=OutboundMessage.Purpose.NOTIFICATION,
        created_at=timezone.now(),
        **more,
    )


def sweep(household: Household, **later: float) -> None:
    """Let time pass, and let the sweep look after what is unsettled."""
    household.clock.shift(timedelta(**later))
    unknown.settle_expired(timezone.now())
    unknown.resolve_due(timezone.now())
    household.work()


def taken_unseen(household: Household, twilio: FakeTwilio) -> OutboundMessage:
    """A text that Twilio took while its answer was lost; it still answers nobody."""
    twilio.takes_first = True
    twilio.fail_with(requests.exceptions.ReadTimeout("read timed out"))
    message = queue(SAM, "hello")
    household.work()
    return message


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (twilio_error(429, 20429), Status.QUEUED),
        (twilio_error(400, 21611), Status.QUEUED),
        (twilio_error(401, 20003), Status.QUEUED),
        (twilio_error(403, None), Status.QUEUED),
        (twilio_error(400, 21606), Status.QUEUED),
        (twilio_error(400, 30034), Status.QUEUED),
        (twilio_error(400, 21211), Status.FAILED),
        (twilio_error(400, 21614), Status.FAILED),
        (twilio_error(400, 21610), Status.FAILED),
        (twilio_error(500, None), Status.UNKNOWN),
        (twilio_error(503, 20503), Status.UNKNOWN),
        ((201, {}, "<html>"), Status.UNKNOWN),
        (requests.exceptions.ReadTimeout("read timed out"), Status.UNKNOWN),
        (RESET, Status.UNKNOWN),
    ],
)
def test_each_outcome_has_its_status(
    household: Household, twilio: FakeTwilio, answer: Answer | Exception, status: str
) -> None:
    twilio.fail_with(answer)
    message = queue(SAM, "hello")
    sending.deliver_one(message, timezone.now())
    message.refresh_from_db()
    assert message.status == status
    assert message.attempts.count() == 1


def test_the_opt_out_code_opts_the_person_out(household: Household, twilio: FakeTwilio) -> None:
    twilio.fail_with(twilio_error(400, gateway.OPTED_OUT))
    sending.deliver_one(queue(SAM, "hello"), timezone.now())
    assert Contact.objects.get(address=SAM).opted_out_at == timezone.now()


def test_a_refusal_of_ours_opens_one_incident_and_spares_twilio(
    household: Household, twilio: FakeTwilio
) -> None:
    twilio.fail_with(twilio_error(401, 20003))
    for number in range(5):
        queue(SAM, f"text {number}")
    queue(ALEX, "another")
    household.work()
    assert twilio.count("POST", "Messages") == 1
    assert Incident.objects.filter(key="twilio:refused").count() == 1


def test_what_was_taken_unseen_is_found_and_not_sent_again(
    household: Household, twilio: FakeTwilio
) -> None:
    message = taken_unseen(household, twilio)
    twilio.fail_with(None)
    twilio.takes_first = False
    sweep(household, seconds=60)
    assert twilio.count("GET", "Messages") == 0  # too early to ask
    sweep(household, seconds=31)
    message.refresh_from_db()
    assert (message.status, message.twilio_sid) == (Status.SENT, twilio.sent[0].sid)
    sweep(household, minutes=10)
    assert twilio.to(SAM) == ["hello"]


def test_within_a_minute_after_an_outage_twilio_is_asked_what_it_took(
    household: Household, twilio: FakeTwilio
) -> None:
    message = taken_unseen(household, twilio)
    twilio.list_broken = (503, {}, "")
    for _ in range(8):
        sweep(household, minutes=1)
    twilio.fail_with(None)
    twilio.list_broken = None
    sweep(household, seconds=60 - settings.SWEEP_INTERVAL)
    message.refresh_from_db()
    assert (message.status, len(twilio.sent)) == (Status.SENT, 1)


def test_what_was_not_taken_is_sent_once_more_after_two_noes(
    household: Household, twilio: FakeTwilio
) -> None:
    twilio.fail_with(RESET)
    queue(SAM, "hello")
    household.work()
    twilio.fail_with(None)
    sweep(household, seconds=91)
    assert twilio.to(SAM) == []
    sweep(household, seconds=91)
    assert twilio.to(SAM) == ["hello"]
    sweep(household, minutes=30)
    assert twilio.to(SAM) == ["hello"]


def test_a_call_that_was_refused_is_not_one_of_the_two(
    household: Household, twilio: FakeTwilio
) -> None:
    twilio.fail_with(twilio_error(429, 20429))
    queue(SAM, "hello")
    household.work()
    twilio.fail_with(RESET)
    sweep(household, seconds=41)
    twilio.fail_with(None)
    for _ in range(3):
        sweep(household, seconds=91)
    assert twilio.to(SAM) == ["hello"]


@pytest.mark.parametrize("answer", [twilio_error(429, 20429), twilio_error(401, 20003)])
def test_within_a_minute_after_an_outage_the_texts_that_waited_go_out(
    household: Household, twilio: FakeTwilio, answer: Answer
) -> None:
    twilio.fail_with(answer)
    queue(SAM, "hello")
    for _ in range(8):
        sweep(household, minutes=1)
    twilio.fail_with(None)
    sweep(household, seconds=60 - settings.SWEEP_INTERVAL)
    assert twilio.to(SAM) == ["hello"]


def test_never_a_third_create_even_when_twilio_hides_what_it_took(
    household: Household, twilio: FakeTwilio
) -> None:
    twilio.takes_first = twilio.hides = True
    twilio.fail_with(RESET)
    message = queue(SAM, "hello")
    household.work()
    for _ in range(12):
        sweep(household, minutes=3)
    assert twilio.to(SAM) == ["hello", "hello"]
    message.refresh_from_db()
    assert message.status == Status.FAILED
    assert Incident.objects.filter(key=f"outbound:{message.pk}").exists()


@pytest.mark.parametrize("broken", [(500, {}, ""), (200, {}, '{"messages": [{}]}'), (200, {}, "<")])
def test_a_list_that_cannot_be_read_is_not_a_no(
    household: Household, twilio: FakeTwilio, broken: Answer
) -> None:
    twilio.takes_first = True
    twilio.fail_with(RESET)
    message = queue(SAM, "hello")
    household.work()
    twilio.list_broken = broken
    for _ in range(10):
        sweep(household, minutes=2)
    message.refresh_from_db()
    assert (message.status, message.denials) == (Status.UNKNOWN, 0)
    twilio.list_broken = None
    sweep(household, minutes=2)
    message.refresh_from_db()
    assert message.status == Status.SENT
    assert twilio.to(SAM) == ["hello"]


def test_two_texts_alike_find_one_sid_each(household: Household, twilio: FakeTwilio) -> None:
    twilio.takes_first = True
    twilio.fail_with(RESET)
    first, second = queue(SAM, "hello"), queue(SAM, "hello")
    household.work()
    sweep(household, seconds=95)
    first.refresh_from_db()
    second.refresh_from_db()
    assert [first.twilio_sid, second.twilio_sid] == [sent.sid for sent in twilio.sent]


def test_an_unknown_text_does_not_hold_up_the_next(
    household: Household, twilio: FakeTwilio
) -> None:
    twilio.fail_with(RESET)
    queue(SAM, "first")
    household.work()
    twilio.fail_with(None)
    queue(SAM, "second")
    household.work()
    assert twilio.to(SAM) == ["second"]


def test_a_report_settles_an_unknown_text_without_asking(
    household: Household, twilio: FakeTwilio, client: Client
) -> None:
    twilio.takes_first = True
    twilio.fail_with(RESET)
    message = queue(SAM, "hello")
    household.work()
    sent = twilio.sent[0]
    assert sent.callback == f"https://films.example.org/api/sms/status/{message.public_id}"
    form = {"MessageSid": sent.sid, "MessageStatus": "delivered"}
    assert post_signed(client, f"/api/sms/status/{message.public_id}", form).status_code == 200
    sweep(household, minutes=10)
    message.refresh_from_db()
    assert (message.status, message.twilio_sid) == (Status.DELIVERED, sent.sid)
    assert twilio.count("GET", "Messages") == 0


def test_a_process_killed_before_its_call_leaves_a_text_to_be_sent(
    household: Household, twilio: FakeTwilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = queue(SAM, "hello")
    with monkeypatch.context() as patch:
        patch.setattr(OutboundAttempt.objects, "create", _killed)
        with pytest.raises(SystemExit):
            sending.deliver_one(message, timezone.now())
    sweep(household, seconds=31)
    assert twilio.to(SAM) == ["hello"]


def test_a_process_killed_after_its_call_asks_before_it_sends(
    household: Household, twilio: FakeTwilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = queue(SAM, "hello")
    with monkeypatch.context() as patch:
        patch.setattr(sending, "_conclude", _killed)
        with pytest.raises(SystemExit):
            sending.deliver_one(message, timezone.now())
    sweep(household, seconds=31)
    message.refresh_from_db()
    assert message.status == Status.UNKNOWN
    sweep(household, seconds=60)
    message.refresh_from_db()
    assert message.status == Status.SENT
    assert twilio.to(SAM) == ["hello"]


def test_a_process_killed_between_its_notes_does_not_send_again(
    household: Household, twilio: FakeTwilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = queue(SAM, "hello")
    with monkeypatch.context() as patch:
        patch.setattr(sending, "_settle", _killed)
        with pytest.raises(SystemExit):
            sending.deliver_one(message, timezone.now())
    for _ in range(6):
        sweep(household, minutes=1)
    message.refresh_from_db()
    assert message.status == Status.SENT
    assert twilio.to(SAM) == ["hello"]


def test_a_text_waits_for_the_one_that_is_being_sent(
    household: Household, twilio: FakeTwilio
) -> None:
    first = queue(SAM, "first")
    queue(SAM, "second")
    OutboundMessage.objects.filter(pk=first.pk).update(
        status=Status.SENDING, lease_until=timezone.now() + timedelta(seconds=20)
    )
    household.work()
    assert twilio.calls == []
    OutboundMessage.objects.filter(pk=first.pk).update(status=Status.SENT)
    household.work()
    assert twilio.to(SAM) == ["second"]


def test_a_process_that_wakes_late_does_not_send(
    household: Household, twilio: FakeTwilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = queue(SAM, "hello")
    create = OutboundAttempt.objects.create

    def stopped_meanwhile(**fields: Any) -> OutboundAttempt:
        household.clock.shift(timedelta(seconds=11))
        return create(**fields)

    with monkeypatch.context() as patch:
        patch.setattr(OutboundAttempt.objects, "create", stopped_meanwhile)
        assert not sending.deliver_one(message, timezone.now())
    assert twilio.calls == []
    household.work()
    assert twilio.to(SAM) == ["hello"]


def test_a_resend_is_skipped_when_newer_news_is_there(
    household: Household, twilio: FakeTwilio, radarr: Any
) -> None:
    household.text(SAM, "Can you get The Dark Knight for me?")
    radarr.grab(155, timezone.now())
    twilio.fail_with(RESET)
    household.tick()
    twilio.fail_with(None)
    radarr.finish(155, timezone.now())
    household.tick()
    for _ in range(4):
        sweep(household, minutes=2)
    assert len([text for text in twilio.to(SAM) if "ready for you" in text]) == 0
    assert len([text for text in twilio.to(SAM) if "ready to watch! Enjoy" in text]) == 1


def test_texts_of_one_person_go_in_order(household: Household, twilio: FakeTwilio) -> None:
    twilio.fail_with(twilio_error(429, 20429))
    queue(SAM, "first")
    household.work()
    queue(SAM, "second")
    queue(ALEX, "to another")
    household.work()
    twilio.fail_with(None)
    household.clock.shift(timedelta(minutes=5))
    household.work()
    assert twilio.to(SAM) == ["first", "second"]


def test_a_copy_by_hand_is_a_row_of_its_own(household: Household, twilio: FakeTwilio) -> None:
    twilio.fail_with(twilio_error(400, 21614))
    message = queue(SAM, "hello")
    household.work()
    twilio.fail_with(None)
    copy = sending.resend(message.pk, timezone.now())
    assert copy is not None
    household.work()
    assert twilio.to(SAM) == ["hello"]
    assert sending.resend(copy.pk, timezone.now()) is None  # it was sent


def _killed(*args: object, **kwargs: object) -> None:
    raise SystemExit("killed")

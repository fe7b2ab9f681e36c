"""Delivery reports: forward only, in any order, also before our own 201 is stored."""

import itertools
import re
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
import requests
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone

from smsbot.models import Contact, OutboundMessage
from tests.conftest import SAM, Household, post_signed, sign
from tests.fakes import TIMED_OUT, FakeTwilio
from tests.test_main_job import ASK

Status = OutboundMessage.Status

PATH = "/api/sms/status/{}"
SID = "SM" + "a" * 32
FIXTURE = Path(__file__).parents[1] / "fixtures" / "twilio" / "status_undelivered.form.txt"

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent() -> OutboundMessage:
    """A text that Twilio has taken and of which we know no more."""
    return a_text(Status.SENT, twilio_sid=SID, sent_at=timezone.now())


def a_text(status: str, **fields: Any) -> OutboundMessage:
    contact, _ = Contact.objects.get_or_create(address=SAM)
    return OutboundMessage.objects.create(
        contact=contact, text="Hi!", status=status, created_at=timezone.now(), **fields
    )


def form_of(word: str, sid: str = SID, **changes: str) -> dict[str, str]:
    return {
        "MessageSid": sid,
        "MessageStatus": word,
        "SmsSid": sid,
        "SmsStatus": word,
        "To": SAM,
        "From": django_settings.TWILIO_PHONE_NUMBER,
        "AccountSid": django_settings.TWILIO_ACCOUNT_SID,
        "ApiVersion": "2010-04-01",
        **changes,
    }


def report(client: Client, message: OutboundMessage, word: str, **changes: str) -> int:
    """Post a signed report; return the answer's status."""
    path = PATH.format(message.public_id)
    return post_signed(client, path, form_of(word, **changes)).status_code


def reported(client: Client, message: OutboundMessage, *words: str) -> str:
    for word in words:
        assert report(client, message, word) == 200
    message.refresh_from_db()
    return message.status


ENDS = {"delivered": Status.DELIVERED, "undelivered": Status.UNDELIVERED, "failed": Status.FAILED}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("order", list(itertools.permutations(["queued", "sending", "sent"])))
@pytest.mark.parametrize("place", range(4))
def test_an_end_stands_whatever_order_the_reports_come_in(
    client: Client, sent: OutboundMessage, end: str, order: tuple[str, ...], place: int
) -> None:
    words = [*order[:place], end, *order[place:]]
    assert reported(client, sent, *words) == ENDS[end]
    assert sent.finished_at is not None


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(ENDS, 2)))
def test_the_first_end_stands(
    client: Client, sent: OutboundMessage, first: str, second: str
) -> None:
    assert reported(client, sent, first, second) == ENDS[first]


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("accepted", "sent"),
        ("scheduled", "sent"),
        ("queued", "sent"),
        ("sending", "sent"),
        ("sent", "sent"),
        ("partially_delivered", "sent"),
        ("delivered", "delivered"),
        ("read", "delivered"),
        ("undelivered", "undelivered"),
        ("failed", "failed"),
        ("canceled", "failed"),
        ("teleported", "sent"),
        ("", "sent"),
    ],
)
def test_each_word_of_twilios_has_its_meaning(
    client: Client, sent: OutboundMessage, word: str, status: str
) -> None:
    assert reported(client, sent, word) == status


@pytest.mark.parametrize("status", [Status.SENDING, Status.UNKNOWN])
@pytest.mark.parametrize(("word", "becomes"), [("sent", "sent"), ("delivered", "delivered")])
def test_a_report_before_our_own_201_stores_the_sid(
    client: Client, status: str, word: str, becomes: str
) -> None:
    message = a_text(status)
    assert reported(client, message, word) == becomes
    assert message.twilio_sid == SID


def test_a_report_during_our_own_call_is_a_success(
    household: Household, client: Client, twilio: FakeTwilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twilio takes the text and reports its delivery; only then does our call return."""
    take = twilio._take

    def take_and_report(request: Any) -> Any:
        answer = take(request)
        [message] = OutboundMessage.objects.all()
        assert report(client, message, "delivered", sid=twilio.sent[0].sid) == 200
        return answer

    monkeypatch.setattr(twilio, "_take", take_and_report)
    household.text(SAM, ASK)
    [message] = OutboundMessage.objects.all()
    assert (message.status, message.twilio_sid) == (Status.DELIVERED, twilio.sent[0].sid)
    assert len(twilio.sent) == 1


@pytest.mark.parametrize("error", [TIMED_OUT, requests.exceptions.ConnectionError("reset")])
def test_a_report_settles_a_call_whose_answer_was_lost(
    household: Household, client: Client, twilio: FakeTwilio, error: Exception
) -> None:
    twilio.takes_first = True
    twilio.fail_with(error)
    household.text(SAM, ASK)
    [message] = OutboundMessage.objects.all()
    assert message.status == Status.UNKNOWN
    assert reported(client, message, "delivered") == Status.DELIVERED


def test_the_callback_that_we_give_twilio_is_the_one_that_works(
    household: Household, client: Client, twilio: FakeTwilio
) -> None:
    household.text(SAM, ASK)
    [text] = twilio.sent
    assert text.callback is not None
    path = text.callback.removeprefix(django_settings.PUBLIC_URL)
    assert re.fullmatch(r"/api/sms/status/[0-9a-f-]{36}", path)
    assert post_signed(client, path, form_of("delivered", text.sid)).status_code == 200
    assert OutboundMessage.objects.get().status == Status.DELIVERED


def test_the_error_code_is_kept(client: Client, sent: OutboundMessage) -> None:
    assert report(client, sent, "undelivered", ErrorCode="30003") == 200
    assert reported(client, sent, "sent", "undelivered") == Status.UNDELIVERED
    assert sent.error_code == 30003


def test_a_form_of_twilios_shape(client: Client, sent: OutboundMessage) -> None:
    form = {**dict(parse_qsl(FIXTURE.read_text())), "MessageSid": str(sent.twilio_sid)}
    assert post_signed(client, PATH.format(sent.public_id), form).status_code == 200
    sent.refresh_from_db()
    assert (sent.status, sent.error_code) == (Status.UNDELIVERED, 30003)


@pytest.mark.parametrize("code", ["", "many", "-1", "²", "30003x"])
def test_a_code_that_is_none_is_left_out(client: Client, sent: OutboundMessage, code: str) -> None:
    assert report(client, sent, "failed", ErrorCode=code) == 200
    sent.refresh_from_db()
    assert (sent.status, sent.error_code) == (Status.FAILED, None)


@pytest.mark.parametrize("word", ["failed", "undelivered"])
def test_21610_opts_the_person_out(client: Client, sent: OutboundMessage, word: str) -> None:
    assert report(client, sent, word, ErrorCode="21610") == 200
    assert Contact.objects.get().opted_out_at is not None


def test_other_codes_opt_nobody_out(client: Client, sent: OutboundMessage) -> None:
    report(client, sent, "undelivered", ErrorCode="30003")
    assert Contact.objects.get().opted_out_at is None


def test_duplicates_change_nothing(client: Client, sent: OutboundMessage) -> None:
    reported(client, sent, "delivered")
    before = OutboundMessage.objects.values().get()
    reported(client, sent, "delivered", "delivered")
    assert OutboundMessage.objects.values().get() == before


def test_a_report_touches_its_own_message_alone(client: Client, sent: OutboundMessage) -> None:
    other = a_text(Status.SENT, twilio_sid="SM" + "b" * 32)
    reported(client, sent, "delivered")
    other.refresh_from_db()
    assert other.status == Status.SENT


@pytest.mark.parametrize("status", [Status.SUPPRESSED, Status.FAILED, Status.DELIVERED])
def test_what_has_ended_stays_ended(client: Client, status: str) -> None:
    message = a_text(status)
    assert reported(client, message, "sent") == status


def test_an_unknown_message_is_404(client: Client, sent: OutboundMessage) -> None:
    path = PATH.format(uuid.uuid4())
    assert post_signed(client, path, form_of("delivered")).status_code == 404
    assert reported(client, sent) == Status.SENT


def test_an_id_that_is_none_is_404(client: Client) -> None:
    assert post_signed(client, PATH.format("1"), form_of("delivered")).status_code == 404


def test_a_forged_report_is_refused(client: Client, sent: OutboundMessage) -> None:
    form = form_of("failed")
    another = sign(PATH.format(uuid.uuid4()), form)
    for headers in ({}, {"X-Twilio-Signature": "AAAA"}, {"X-Twilio-Signature": another}):
        response = client.post(
            PATH.format(sent.public_id),
            urlencode(form),
            content_type="application/x-www-form-urlencoded",
            headers=headers,
        )
        assert response.status_code == 403
    assert reported(client, sent) == Status.SENT


@pytest.mark.parametrize("name", ["MessageSid", "MessageStatus"])
def test_a_report_without_its_fields_is_refused(
    client: Client, sent: OutboundMessage, name: str
) -> None:
    form = form_of("delivered")
    del form[name]
    assert post_signed(client, PATH.format(sent.public_id), form).status_code == 400
    assert reported(client, sent) == Status.SENT


@pytest.mark.parametrize("code", ["9" * 5000, str(2**70), "-1", "0x10", "²"])
def test_an_odd_error_code_is_no_code(
    household: Household, client: Client, twilio: FakeTwilio, code: str
) -> None:
    household.text(SAM, "?")
    message = OutboundMessage.objects.get()
    form = {"MessageSid": twilio.sent[0].sid, "MessageStatus": "failed", "ErrorCode": code}
    assert post_signed(client, f"/api/sms/status/{message.public_id}", form).status_code == 200
    message.refresh_from_db()
    assert (message.status, message.error_code) == (OutboundMessage.Status.FAILED, None)


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"MessageSid": "SM" + "2" * 32}, 200), ({"AccountSid": "AC" + "9" * 32}, 400)],
)
def test_a_report_on_another_message_changes_nothing(
    household: Household,
    client: Client,
    twilio: FakeTwilio,
    changes: dict[str, str],
    code: int,
) -> None:
    household.text(SAM, "?")
    message = OutboundMessage.objects.get()
    form = {"MessageSid": twilio.sent[0].sid, "MessageStatus": "failed", "ErrorCode": "21610"}
    response = post_signed(client, f"/api/sms/status/{message.public_id}", {**form, **changes})
    assert response.status_code == code
    message.refresh_from_db()
    assert message.status == OutboundMessage.Status.SENT
    assert message.contact.opted_out_at is None

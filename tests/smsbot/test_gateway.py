"""The gateway to Twilio: what a call proves, what a list holds, and whose signature it is."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
import requests
import responses
from django.http import QueryDict
from pytest_django import Settings
from responses import matchers
from urllib3.exceptions import (
    ConnectTimeoutError,
    InvalidHeader,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)

from smsbot import gateway
from smsbot.gateway import Answer, Incomplete, ListedMessage, Outcome, Unanswered
from tests.local_server import HEAD, dripping, hanging_up, resetting, saying, server, silent

ACCOUNT = "AC" + "0" * 32
TOKEN = "t0k3n-of-ours"
OUR_NUMBER = "+12025550100"
PERSON = "+12025550123"
TEXT = "🎬 Dune (2021) & co. – +1?"
SID = "SM" + "a" * 32
BASE = f"/2010-04-01/Accounts/{ACCOUNT}"
API = f"https://api.twilio.com{BASE}"
MESSAGES = f"{API}/Messages.json"
CALLBACK = "https://films.test/api/sms/status/5b2f"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _ours(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TWILIO_ACCOUNT_SID = ACCOUNT
    settings.TWILIO_AUTH_TOKEN = TOKEN
    settings.TWILIO_PHONE_NUMBER = OUR_NUMBER
    settings.TWILIO_API_URL = ""
    settings.TWILIO_DEADLINE = 5.0
    for name in ("TWILIO_REGION", "TWILIO_EDGE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def fake() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def send() -> Answer:
    return gateway.send(PERSON, TEXT, callback_url=CALLBACK)


def refused(code: object = None, status: int = 400) -> dict[str, Any]:
    said = {"message": f"The number {PERSON} …", "more_info": "https://…", "status": status}
    return {"status": status, "json": said if code is None else said | {"code": code}}


def is_silent(told: object) -> bool:
    """Tell whether neither a number, nor a text, nor the key is in there."""
    secrets = (PERSON[1:], OUR_NUMBER[1:], TOKEN, "Dune")
    return not [secret for secret in secrets if secret in str(told)]


# --- sending: the request ------------------------------------------------------------------------


def test_a_text_is_sent_once_as_a_form_with_our_credentials(fake: responses.RequestsMock) -> None:
    fake.post(MESSAGES, status=201, json={"sid": SID, "status": "queued"})
    assert send() == Answer(Outcome.SENT, sid=SID)
    (call,) = fake.calls
    assert parse_qs(str(call.request.body)) == {
        "To": [PERSON],
        "From": [OUR_NUMBER],
        "Body": [TEXT],
        "StatusCallback": [CALLBACK],
    }
    basic = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
    assert call.request.headers["Authorization"] == f"Basic {basic}"
    assert call.request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert call.request.headers["Connection"] == "close"


def test_without_a_callback_none_is_named(fake: responses.RequestsMock) -> None:
    fake.post(MESSAGES, status=201, json={"sid": SID})
    gateway.send(PERSON, TEXT, callback_url=None)
    assert "StatusCallback" not in str(fake.calls[0].request.body)


@pytest.mark.parametrize("name", ["ACCOUNT_SID", "AUTH_TOKEN", "PHONE_NUMBER"])
def test_what_is_not_configured_sends_nothing(
    fake: responses.RequestsMock, settings: Settings, name: str
) -> None:
    setattr(settings, f"TWILIO_{name}", "")
    assert gateway.is_configured() is False
    assert send().outcome == Outcome.OURS
    assert len(fake.calls) == 0


@pytest.mark.parametrize("root", ["http://sandbox.test:8099", "http://sandbox.test:8099/"])
@pytest.mark.parametrize("region", ["", "ie1"])
def test_another_root_replaces_twilios(
    fake: responses.RequestsMock,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    root: str,
    region: str,
) -> None:
    if region:
        monkeypatch.setenv("TWILIO_REGION", region)
    settings.TWILIO_API_URL = root
    # A client reads the environment when it is made: this one is not to be another test's.
    settings.TWILIO_DEADLINE = 4.0 if region else 5.0
    fake.post(f"http://sandbox.test:8099{BASE}/Messages.json", status=201, json={"sid": SID})
    fake.get(f"http://sandbox.test:8099{BASE}.json", json={"status": "active"})
    assert send().sid == SID
    assert gateway.account_status() == "active"


def test_netrc_and_proxies_of_the_environment_are_not_used(
    fake: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine api.twilio.com login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://proxy.test:3128")
    fake.post(MESSAGES, status=201, json={"sid": SID})
    send()
    request: Any = fake.calls[0].request
    assert base64.b64decode(request.headers["Authorization"][6:]).decode().startswith(ACCOUNT)
    assert not request.req_kwargs.get("proxies")
    assert request.req_kwargs["verify"] is True


# --- sending: Twilio's codes ---------------------------------------------------------------------

PERMANENT = (21211, 21614, 21635, 21612, 21610, 30005, 30006, 63003, 63024)
OURS = (
    *(20003, 21212, 21408, 21602, 21603, 21606, 21608, 21617, 21619, 21620, 21703, 21704),
    *(30032, 30034, 30035, 63007, 63015),
    # Not in FACTS.md: our callback's address, our number, and the family of the account.
    *(21609, 21601, 21659, 21660, 21661, 20001, 20005, 20404),
)
WAIT = (20429, 21611, 30001, 30017, 30022, 30023, 30027, 30003, 30008, 63018, 63038, 14107)
NEVER_THE_SAME_TEXT_AGAIN = (30004, 30007, 63016)
UNHEARD_OF = (21999, 39999)

CODES = [
    *((code, Outcome.REJECTED) for code in PERMANENT),
    *((code, Outcome.OURS) for code in OURS),
    *((code, Outcome.NOT_SENT) for code in WAIT),
    *((code, Outcome.REJECTED) for code in NEVER_THE_SAME_TEXT_AGAIN),
    *((code, Outcome.REJECTED) for code in UNHEARD_OF),
    (30410, Outcome.UNKNOWN),
]


@pytest.mark.parametrize(("code", "outcome"), CODES)
def test_a_code_has_one_meaning(fake: responses.RequestsMock, code: int, outcome: Outcome) -> None:
    fake.post(MESSAGES, **refused(code))
    assert send() == Answer(outcome, code=code, detail=f"HTTP 400, code {code}")
    assert len(fake.calls) == 1


@pytest.mark.parametrize("code", [code for code, _ in CODES])
@pytest.mark.parametrize(
    ("status", "outcome"),
    [(429, Outcome.NOT_SENT), (500, Outcome.UNKNOWN), (503, Outcome.UNKNOWN)],
)
def test_these_statuses_say_more_than_any_code(
    fake: responses.RequestsMock, code: int, status: int, outcome: Outcome
) -> None:
    fake.post(MESSAGES, **refused(code, status))
    expected = Outcome.UNKNOWN if code == 30410 else outcome
    assert send().outcome == expected


@pytest.mark.parametrize("status", [401, 403, 404])
@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (None, Outcome.OURS),
        (20003, Outcome.OURS),
        (20404, Outcome.OURS),
        (21999, Outcome.OURS),
        (21610, Outcome.REJECTED),
        (20429, Outcome.NOT_SENT),
    ],
)
def test_statuses_of_our_own_making(
    fake: responses.RequestsMock, status: int, code: int | None, outcome: Outcome
) -> None:
    fake.post(MESSAGES, **refused(code, status))
    assert send().outcome == outcome


@pytest.mark.parametrize("code", [400, 0, 1, "", "bad", [21610], {"a": 1}, 2161, -21610, 1.5, True])
def test_what_is_no_code_of_twilios_is_not_the_numbers_fault(
    fake: responses.RequestsMock, code: object
) -> None:
    fake.post(MESSAGES, **refused(code))
    assert send() == Answer(Outcome.OURS, detail="HTTP 400")


def test_a_code_may_come_as_text_or_in_another_shape(fake: responses.RequestsMock) -> None:
    fake.post(MESSAGES, **refused("21610"))
    problem = {"type": "about:x", "title": "No", "status": 500, "code": 21610}
    fake.post(MESSAGES, status=400, json=problem)  # RFC 9457; its own status is not the answer's
    expected = Answer(Outcome.REJECTED, code=21610, detail="HTTP 400, code 21610")
    assert (send(), send()) == (expected, expected)


# --- sending: other answers ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        # Twilio never redirects: that is a proxy, a login page, or http where https is meant. No
        # message was made, and one wrong setting must not end every text.
        (301, Outcome.OURS),
        (302, Outcome.OURS),
        (307, Outcome.OURS),
        (308, Outcome.OURS),
        # "See other" is the answer to a POST that was carried out.
        (303, Outcome.UNKNOWN),
        (400, Outcome.OURS),
        (401, Outcome.OURS),
        (402, Outcome.OURS),
        (403, Outcome.OURS),
        (404, Outcome.OURS),
        (405, Outcome.OURS),
        (407, Outcome.OURS),
        (413, Outcome.OURS),
        (408, Outcome.UNKNOWN),
        (429, Outcome.NOT_SENT),
        (500, Outcome.UNKNOWN),
        (502, Outcome.UNKNOWN),
        (503, Outcome.UNKNOWN),
        (504, Outcome.UNKNOWN),
        (520, Outcome.UNKNOWN),
    ],
)
@pytest.mark.parametrize("body", ["", "<html>No</html>", "{}", "[]", "null", '{"message": "No"}'])
def test_an_answer_without_a_code_is_not_the_numbers_fault(
    fake: responses.RequestsMock, status: int, outcome: Outcome, body: str
) -> None:
    fake.post(MESSAGES, status=status, body=body, headers={"Location": "https://elsewhere.test/"})
    assert send() == Answer(outcome, detail=f"HTTP {status}")
    assert len(fake.calls) == 1


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>Log in</html>",
        '{"sid": "SM',
        "{}",
        "[]",
        "null",
        "[" * 100_000,
        '{"sid": null}',
        '{"sid": ""}',
        '{"sid": 7}',
        '{"sid": "SM1"}',
        f'{{"sid": "{SID}\\n"}}',
        f'{{"sid": "{SID.upper()}"}}',
        b"\xff\xfe",
    ],
    ids=lambda body: str(body[:20]),
)
@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_success_that_cannot_be_read_may_have_sent_it(
    fake: responses.RequestsMock, status: int, body: str | bytes
) -> None:
    fake.post(MESSAGES, status=status, body=body)
    assert send() == Answer(Outcome.UNKNOWN, detail=f"an unreadable answer (HTTP {status})")


@pytest.mark.parametrize("kind", ["SM", "MM"])
def test_the_sid_is_all_that_counts_in_a_success(fake: responses.RequestsMock, kind: str) -> None:
    odd = {"sid": kind + SID[2:], "date_created": 7, "error_code": "x", "status": "later"}
    fake.post(MESSAGES, status=201, json=odd)
    assert send() == Answer(Outcome.SENT, sid=kind + SID[2:])


def test_a_success_larger_than_the_cap_may_have_sent_it(
    fake: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsbot.twilio_http.MAX_BYTES", 1_000)
    fake.post(MESSAGES, status=201, json={"sid": SID, "body": "x" * 1_000})
    assert send() == Answer(Outcome.UNKNOWN, detail="TooLarge")


# --- sending: no answer --------------------------------------------------------------------------

ANYTHING: Any = None


def lost(cause: Exception) -> requests.ConnectionError:
    return requests.ConnectionError(cause, f"/Messages.json?To={PERSON}")


FAILURES = [
    (lost(NameResolutionError("x", ANYTHING, socket.gaierror(-2, "unknown"))), Outcome.NOT_SENT),
    (lost(NewConnectionError(ANYTHING, "refused")), Outcome.NOT_SENT),
    (lost(ConnectTimeoutError(ANYTHING, "slow")), Outcome.NOT_SENT),
    (requests.ConnectTimeout(PERSON), Outcome.NOT_SENT),
    (requests.exceptions.SSLError(ssl.SSLCertVerificationError(PERSON)), Outcome.NOT_SENT),
    (requests.exceptions.InvalidURL(PERSON), Outcome.OURS),
    (requests.exceptions.InvalidHeader(PERSON), Outcome.OURS),
    (requests.exceptions.InvalidHeader(InvalidHeader(PERSON)), Outcome.UNKNOWN),
    (requests.exceptions.SSLError(ssl.SSLError(PERSON)), Outcome.UNKNOWN),
    (requests.ReadTimeout(PERSON), Outcome.UNKNOWN),
    (lost(ReadTimeoutError(ANYTHING, "/", "slow")), Outcome.UNKNOWN),
    (lost(ProtocolError("broken", ConnectionResetError())), Outcome.UNKNOWN),
    (lost(ProtocolError("broken", BrokenPipeError())), Outcome.UNKNOWN),
    (requests.exceptions.ChunkedEncodingError(PERSON), Outcome.UNKNOWN),
    (requests.exceptions.ContentDecodingError(PERSON), Outcome.UNKNOWN),
    (OSError(PERSON), Outcome.UNKNOWN),
]


@pytest.mark.parametrize(("error", "outcome"), FAILURES, ids=lambda value: type(value).__name__)
def test_a_call_without_an_answer_is_not_sent_only_when_that_is_certain(
    fake: responses.RequestsMock, error: Exception, outcome: Outcome
) -> None:
    fake.post(MESSAGES, body=error)
    assert send() == Answer(outcome, detail=type(error).__name__)
    assert len(fake.calls) == 1


@pytest.mark.parametrize("root", ["sandbox:8099", "nonsense", "ftp://sandbox", "http://[::1"])
def test_an_address_that_is_none_is_our_fault(settings: Settings, root: str) -> None:
    settings.TWILIO_API_URL = root
    assert send().outcome == Outcome.OURS


def test_a_token_that_no_header_can_carry_is_our_fault(settings: Settings) -> None:
    settings.TWILIO_AUTH_TOKEN = "t0k3n…"
    assert send().outcome == Outcome.OURS


def test_a_bundle_of_certificates_that_is_not_there_is_our_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ours.pem")
    assert send() == Answer(Outcome.OURS, detail="NoCertificates")


def test_nothing_that_is_told_names_a_number_a_text_or_the_key(
    fake: responses.RequestsMock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fake.post(MESSAGES, **refused(21211))
    fake.post(MESSAGES, body=lost(NewConnectionError(ANYTHING, PERSON)))
    fake.post(MESSAGES, status=201, json={"body": TEXT, "to": PERSON})
    assert all(is_silent(send()) for _ in range(3))
    assert is_silent(caplog.text)


# --- lists ---------------------------------------------------------------------------------------


def held(number: int = 1, at: datetime = NOON, **changes: Any) -> dict[str, Any]:
    """A message as Twilio shows it."""
    return {
        "account_sid": ACCOUNT,
        "api_version": "2010-04-01",
        "body": TEXT,
        "date_created": format_datetime(at),
        "date_sent": format_datetime(at),
        "date_updated": format_datetime(at),
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": OUR_NUMBER,
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": "USD",
        "sid": f"SM{number:032x}",
        "status": "delivered",
        "subresource_uris": {},
        "to": PERSON,
        "uri": f"{BASE}/Messages/x.json",
    } | changes


def page(*messages: dict[str, Any], more: str | None = None) -> dict[str, Any]:
    return {"messages": messages, "next_page_uri": more, "page": 0, "uri": "/x"}


def only(**query: str) -> Any:
    return matchers.query_param_matcher(query)


def by_day(day: str, to: str = PERSON) -> Any:
    return only(**{"To": to, "DateSent>": day, "PageSize": "500"})


NEWEST = only(To=PERSON, PageSize="500")


def sids(messages: list[ListedMessage]) -> list[int]:
    return [int(message.sid[2:], 16) for message in messages]


def ask() -> list[ListedMessage]:
    return gateway.listed(PERSON, NOON, NOON + timedelta(minutes=1))


READS: list[Callable[[], object]] = [
    ask,
    lambda: gateway.received(NOON),
    gateway.account_status,
    gateway.number_settings,
]
LISTS = READS[:2]


def everything_answers(fake: responses.RequestsMock, **answer: Any) -> None:
    fake.assert_all_requests_are_fired = False
    for path in ("/Messages.json", ".json", "/IncomingPhoneNumbers.json"):
        fake.get(f"{API}{path}", **answer)


def failure_of(call: Callable[[], object]) -> Unanswered:
    with pytest.raises(Unanswered) as caught:
        call()
    return caught.value


def test_a_listed_message_is_read_whole(fake: responses.RequestsMock) -> None:
    fake.get(
        MESSAGES, json=page(held(7, error_code=30005, num_media="2")), match=[by_day("2026-11-22")]
    )
    fake.get(MESSAGES, json=page(held(7, error_code=30005, num_media="2")), match=[NEWEST])
    assert ask() == [
        ListedMessage(
            sid=f"SM{7:032x}",
            to=PERSON,
            from_=OUR_NUMBER,
            body=TEXT,
            created_at=NOON,
            direction="outbound-api",
            status="delivered",
            error_code=30005,
            num_media=2,
        )
    ]
    assert is_silent(repr(ask()))


def test_the_days_that_a_window_touches_are_listed(fake: responses.RequestsMock) -> None:
    since = datetime(2026, 11, 22, 23, 59, 55, tzinfo=UTC)
    until = since + timedelta(seconds=20)
    midnight = datetime(2026, 11, 22, tzinfo=UTC)
    found = page(
        held(1, midnight - timedelta(seconds=1)),
        held(2, midnight),
        held(3, since),
        held(4, until),
        held(5, midnight + 2 * DAY - timedelta(seconds=1)),
        held(6, midnight + 2 * DAY),
        held(7, since, direction="inbound"),
        held(8, since, direction="outbound-reply"),
    )
    fake.get(MESSAGES, json=found, match=[by_day("2026-11-22")])
    fake.get(MESSAGES, json=page(), match=[NEWEST])
    assert sids(gateway.listed(PERSON, since, until)) == [2, 3, 4, 5]


def test_days_are_twilios_whatever_the_zone_of_the_moments(fake: responses.RequestsMock) -> None:
    away = timezone(timedelta(hours=-8))
    since = datetime(2026, 11, 22, 20, tzinfo=away)  # the 23rd in UTC
    fake.get(MESSAGES, json=page(held(1, since)), match=[by_day("2026-11-23")])
    fake.get(MESSAGES, json=page(), match=[NEWEST])
    assert sids(gateway.listed(PERSON, since, since)) == [1]


def test_what_still_waits_at_twilio_is_listed_too(fake: responses.RequestsMock) -> None:
    waiting = held(2, status="queued", date_sent=None, body=None) | {"from": None}
    fake.get(MESSAGES, json=page(held(1)), match=[by_day("2026-11-22")])
    fake.get(MESSAGES, json=page(waiting, held(1), more=f"{BASE}/Messages.json?x"), match=[NEWEST])
    found = ask()
    assert sids(found) == [1, 2]
    assert (found[1].from_, found[1].body, found[1].status) == ("", "", "queued")


def test_a_list_is_read_page_by_page_each_message_once(fake: responses.RequestsMock) -> None:
    second, third = (f"{BASE}/Messages.json?To=x&PageToken={token}" for token in "23")
    later = [NOON + timedelta(seconds=second) for second in range(5)]
    fake.get(MESSAGES, json=page(held(4, later[4]), held(3, later[3]), more=second), match=[
        by_day("2026-11-22", OUR_NUMBER)
    ])  # fmt: skip
    fake.get(
        MESSAGES,
        json=page(held(3, later[3]), held(2, later[2], direction="inbound"), more=third),
        match=[only(To="x", PageToken="2")],
    )
    fake.get(
        MESSAGES,
        json=page(held(1, later[1], direction="inbound")),
        match=[only(To="x", PageToken="3")],
    )
    assert sids(gateway.received(NOON)) == [1, 2]
    assert len(fake.calls) == 3


def test_what_came_in_since_a_moment(fake: responses.RequestsMock) -> None:
    def came(number: int, at: datetime, **changes: Any) -> dict[str, Any]:
        came_in = {"direction": "inbound", "to": OUR_NUMBER, "from": PERSON}
        return held(number, at) | came_in | changes

    second = timedelta(seconds=1)
    answer = page(
        came(4, NOON + second),
        came(3, NOON),
        came(2, NOON - second),
        came(5, NOON + second, direction="outbound-api"),
    )
    fake.get(MESSAGES, json=answer, match=[by_day("2026-11-22", OUR_NUMBER)])
    found = gateway.received(NOON + timedelta(milliseconds=900))  # Twilio tells whole seconds
    assert sids(found) == [3, 4]
    assert {message.from_ for message in found} == {PERSON}


@pytest.mark.parametrize("write", ["-0000", "+0000", "GMT"])
def test_moments_are_aware_and_in_utc(fake: responses.RequestsMock, write: str) -> None:
    everything_answers(fake, json=page(held(date_created=f"Sun, 22 Nov 2026 12:00:00 {write}")))
    (message,) = ask()
    assert (message.created_at, message.created_at.tzinfo) == (NOON, UTC)


@pytest.mark.parametrize("call", LISTS)
def test_a_list_without_end_is_incomplete(
    fake: responses.RequestsMock, call: Callable[[], object]
) -> None:
    everything_answers(fake, json=page(held(), more=f"{BASE}/Messages.json?Page=1"))
    error = failure_of(call)
    assert isinstance(error, Incomplete)
    assert len(fake.calls) == 20


@pytest.mark.parametrize("call", LISTS)
@pytest.mark.parametrize(
    "more",
    [
        "https://evil.test/2010-04-01",
        "//evil.test/x",
        "@evil.test/x",
        "/2010-04-01/Accounts/AC1/Messages.json?x",
        f"{BASE}/Calls.json?x",
        f"{BASE}/Messages.json",
        "x",
    ],
)
def test_a_list_that_leads_elsewhere_is_incomplete(
    fake: responses.RequestsMock, call: Callable[[], object], more: str
) -> None:
    everything_answers(fake, json=page(held(), more=more))
    assert isinstance(failure_of(call), Incomplete)
    assert len(fake.calls) == 1


@pytest.mark.parametrize("call", LISTS)
@pytest.mark.parametrize(
    "change",
    [
        {"sid": None},
        {"sid": "SM1"},
        {"date_created": None},
        {"date_created": "yesterday"},
        {"date_created": 7},
        {"direction": None},
        {"status": None},
        {"error_code": "x"},
        {"body": 7},
        {"num_media": "x"},
    ],
    ids=str,
)
def test_one_message_that_cannot_be_read_makes_the_list_incomplete(
    fake: responses.RequestsMock, call: Callable[[], object], change: dict[str, Any]
) -> None:
    everything_answers(fake, json=page(held(1), held(2, **change)))
    error = failure_of(call)
    assert isinstance(error, Incomplete)
    assert is_silent(f"{error} {error!r} {error.__cause__} {error.__context__}")


@pytest.mark.parametrize("call", LISTS)
def test_a_later_page_that_fails_makes_the_list_incomplete(
    fake: responses.RequestsMock, call: Callable[[], object]
) -> None:
    fake.get(MESSAGES, json=page(held(), more=f"{BASE}/Messages.json?Page=1"))
    fake.get(MESSAGES, **refused(20003, 401))
    error = failure_of(call)
    assert isinstance(error, Incomplete)
    assert (error.status, error.code) == (401, 20003)


def test_the_second_list_that_fails_makes_the_list_incomplete(fake: responses.RequestsMock) -> None:
    fake.get(MESSAGES, json=page(), match=[by_day("2026-11-22")])
    fake.get(MESSAGES, status=503, match=[NEWEST])
    assert isinstance(failure_of(ask), Incomplete)


@pytest.mark.parametrize("call", LISTS)
def test_a_list_has_a_deadline_of_its_own(
    fake: responses.RequestsMock,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    call: Callable[[], object],
) -> None:
    clock = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])

    def slow(request: object) -> tuple[int, dict[str, str], str]:
        clock[0] += 4.0
        return 200, {}, json.dumps(page(held(), more=f"{BASE}/Messages.json?Page=1"))

    settings.TWILIO_DEADLINE = 5.0
    fake.add_callback(responses.GET, MESSAGES, callback=slow)
    assert isinstance(failure_of(call), Incomplete)
    assert len(fake.calls) == 4


@pytest.mark.parametrize("call", READS)
@pytest.mark.parametrize(
    "answer",
    [
        {"body": ""},
        {"body": "<html>"},
        {"json": []},
        {"json": {}},
        {"json": None},
        {"json": {"messages": []}},
        {"json": {"messages": None, "next_page_uri": None}},
        {"json": {"messages": {}, "next_page_uri": None}},
        {"status": 302, "headers": {"Location": "https://elsewhere.test"}},
        {"status": 404, "json": {"code": 20404}},
        {"status": 401, "json": {"code": 20003}},
        {"status": 429},
        {"status": 500},
        *({"body": error} for error, _ in FAILURES),
    ],
    ids=lambda answer: str(answer)[:60],
)
def test_an_error_is_never_an_absence(
    fake: responses.RequestsMock, call: Callable[[], object], answer: dict[str, Any]
) -> None:
    everything_answers(fake, **answer)
    error = failure_of(call)
    assert isinstance(error, Incomplete) is (call in LISTS)
    assert error.status == (
        None if isinstance(answer.get("body"), Exception) else answer.get("status", 200)
    )
    assert is_silent(f"{error} {error!r} {error.__cause__} {error.__context__}")
    assert len(fake.calls) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda: gateway.listed(PERSON, NOON.replace(tzinfo=None), NOON),
        lambda: gateway.listed(PERSON, NOON, NOON.replace(tzinfo=None)),
        lambda: gateway.received(NOON.replace(tzinfo=None)),
    ],
)
def test_a_naive_moment_is_a_mistake(call: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match="aware"):
        call()


# --- the account and the number ------------------------------------------------------------------


def test_the_accounts_status(fake: responses.RequestsMock) -> None:
    fake.get(f"{API}.json", json={"sid": ACCOUNT, "status": "suspended"})
    assert gateway.account_status() == "suspended"


def test_the_numbers_settings(fake: responses.RequestsMock) -> None:
    url = f"{API}/IncomingPhoneNumbers.json"
    number = {
        "sms_url": "https://x.test/",
        "sms_method": "POST",
        "sms_fallback_url": None,
        "sid": "PN",
    }
    ours = only(PhoneNumber=OUR_NUMBER, PageSize="1")
    fake.get(url, json={"incoming_phone_numbers": [number]}, match=[ours])
    fake.get(url, json={"incoming_phone_numbers": []}, match=[ours])
    unset = dict.fromkeys(("sms_fallback_url", "sms_fallback_method", "sms_application_sid"), "")
    expected = {"sid": "PN", "sms_url": "https://x.test/", "sms_method": "POST", **unset}
    assert gateway.number_settings() == expected
    assert gateway.number_settings() is None


# --- real sockets --------------------------------------------------------------------------------

CREATED = json.dumps({"sid": SID}).encode()


def answer_of(status: str, body: bytes) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


class TestRealSockets:
    """Against a server that misbehaves, on the loopback address."""

    pytestmark = [pytest.mark.processes, pytest.mark.enable_socket]

    def outcome(self, settings: Settings, behave: Any, secure: bool = False) -> Outcome:
        settings.TWILIO_DEADLINE = 0.15
        started = time.monotonic()
        with server(behave) as url:
            settings.TWILIO_API_URL = url.replace("http:", "https:") if secure else url
            answer = send()
        assert time.monotonic() - started < 2
        assert is_silent(answer)
        return answer.outcome

    @pytest.mark.parametrize(
        "behave",
        [
            pytest.param(silent, id="stalls"),
            pytest.param(hanging_up, id="hangs up"),
            pytest.param(resetting, id="resets"),
            pytest.param(dripping(HEAD + b"X-Long: ", b"x"), id="a header drips"),
            pytest.param(dripping(HEAD + b"Content-Length: 9999\r\n\r\n", b" "), id="a body drips"),
        ],
    )
    def test_what_ends_after_the_request_is_unknown(self, settings: Settings, behave: Any) -> None:
        assert self.outcome(settings, behave) == Outcome.UNKNOWN

    def test_an_answer_cut_short_is_unknown(self, settings: Settings) -> None:
        def cut(talk: socket.socket, over: threading.Event) -> None:
            talk.sendall(answer_of("201 Created", CREATED)[:-5])

        assert self.outcome(settings, cut) == Outcome.UNKNOWN

    @pytest.mark.parametrize(
        "behave", [silent, hanging_up, resetting], ids=["stalls", "hangs up", "resets"]
    )
    def test_tls_that_fails_has_sent_nothing(self, settings: Settings, behave: Any) -> None:
        assert self.outcome(settings, behave, secure=True) == Outcome.NOT_SENT

    def test_a_refused_connection_has_sent_nothing(self, settings: Settings) -> None:
        with server(silent) as url:
            settings.TWILIO_API_URL = url
        assert send().outcome == Outcome.NOT_SENT

    def test_each_call_has_a_connection_of_its_own_and_logs_no_number(
        self, settings: Settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        connections: list[bytes] = []

        def answer(talk: socket.socket, over: threading.Event) -> None:
            connections.append(b"")
            saying(answer_of("201 Created", CREATED))(talk, over)

        with server(answer) as url:
            settings.TWILIO_API_URL = url
            assert [send().outcome for _ in range(3)] == [Outcome.SENT] * 3
            failure_of(lambda: gateway.listed(PERSON, NOON, NOON))
        assert len(connections) == 4
        assert "/Messages.json?…" in caplog.text
        assert is_silent(caplog.text)
        assert "2025550123" not in caplog.text


# --- signatures ----------------------------------------------------------------------------------

URL = "https://films.test/api/sms/webhook?a=1&b=2"
FORM = {
    "MessageSid": SID,
    "AccountSid": ACCOUNT,
    "From": PERSON,
    "To": OUR_NUMBER,
    "Body": "  get Dune 🎬 “now” ",
    "FromZip": "",
    "NumMedia": "0",
}


def signed(url: str, form: dict[str, str], token: str = TOKEN) -> str:
    """Sign as Twilio documents it: the URL, then each name and value, sorted by name."""
    text = url + "".join(name + form[name] for name in sorted(form))
    digest = hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def form_of(fields: dict[str, str]) -> QueryDict:
    return QueryDict(urlencode(fields))


def is_valid(url: str = URL, form: dict[str, str] = FORM, signature: str | None = None) -> bool:
    return gateway.signature_is_valid(
        url, form_of(form), signed(URL, FORM) if signature is None else signature
    )


def test_the_signature_that_twilio_publishes(settings: Settings) -> None:
    settings.TWILIO_AUTH_TOKEN = "12345"
    caller = "+14158675309"
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": caller,
        "Digits": "1234",
        "From": caller,
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert is_valid(url, form, "RSOYDt4T1cUTdK1PDd93/VVr8B8=")
    assert not is_valid(url, form | {"Digits": "1235"}, "RSOYDt4T1cUTdK1PDd93/VVr8B8=")


def test_a_text_with_emoji_and_empty_fields_is_valid_in_any_order() -> None:
    assert is_valid()
    assert is_valid(form=dict(reversed(FORM.items())))


@pytest.mark.parametrize("signed_url", ["https://films.test/x", "https://films.test:443/x"])
@pytest.mark.parametrize("seen_url", ["https://films.test/x", "https://films.test:443/x"])
def test_the_port_may_be_left_out_or_named(signed_url: str, seen_url: str) -> None:
    assert is_valid(seen_url, FORM, signed(signed_url, FORM))


@pytest.mark.parametrize("signed_url", ["http://films.test/x", "http://films.test:80/x"])
def test_the_port_of_http_too(signed_url: str) -> None:
    assert is_valid("http://films.test/x", FORM, signed(signed_url, FORM))


def test_a_port_of_its_own_is_signed() -> None:
    url = "https://films.test:8443/x"
    assert is_valid(url, FORM, signed(url, FORM))
    assert not is_valid("https://films.test/x", FORM, signed(url, FORM))


@pytest.mark.parametrize(
    "url",
    [
        "http://films.test/api/sms/webhook?a=1&b=2",
        "https://other.test/api/sms/webhook?a=1&b=2",
        "https://films.test/api/sms/webhook/?a=1&b=2",
        "https://films.test/api/sms/webhook?b=2&a=1",
        "https://films.test/api/sms/webhook?a=1",
        "https://films.test/api/sms/webhook",
    ],
)
def test_another_url_is_not_valid(url: str) -> None:
    assert not is_valid(url)


@pytest.mark.parametrize(
    "change",
    [
        {"Body": "get Dune 🎬 “now”"},
        {"Body": ""},
        {"From": OUR_NUMBER},
        {"NumMedia": "1"},
        {"New": "x"},
    ],
    ids=str,
)
def test_another_form_is_not_valid(change: dict[str, str]) -> None:
    assert not is_valid(form=FORM | change)


def test_a_field_that_is_missing_is_not_valid() -> None:
    assert not is_valid(form={name: FORM[name] for name in FORM if name != "NumMedia"})


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "x",
        "é",
        signed(URL, FORM).lower(),
        signed(URL, FORM).rstrip("="),
        signed(URL, FORM) + " ",
        signed(URL, FORM, token="another"),
        signed(URL, FORM, token=""),
    ],
)
def test_another_signature_is_not_valid(signature: str) -> None:
    assert not is_valid(signature=signature)


def test_without_a_token_nothing_is_valid(settings: Settings) -> None:
    settings.TWILIO_AUTH_TOKEN = ""
    assert not is_valid(signature=signed(URL, FORM, token=""))


def test_folded_fields_have_the_same_signature() -> None:
    """Known, and Twilio's: nothing stands between fields. The view reads them strictly."""
    folded = {name: FORM[name] for name in FORM if name not in ("AccountSid", "Body")}
    folded["AccountSid"] = FORM["AccountSid"] + "Body" + FORM["Body"]
    assert is_valid(form=folded)

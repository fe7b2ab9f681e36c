"""Twilio, and nothing but Twilio: the signature of a webhook, sending, and looking up.

With `smsbot.twilio_http` below it, the only module that imports `twilio`. It knows no rows: in come
addresses and texts, out come outcomes and messages. Facts are from FACTS.md, "Twilio: send" and
"Twilio: signature".
"""

import enum
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Annotated, Any, TypeVar

from django.conf import settings
from pydantic import BaseModel, BeforeValidator, Field, ValidationError
from twilio.request_validator import RequestValidator, compare
from twilio.rest import Client

from moviesms.transport import FAILURES, MALFORMED, NoCertificates, causes, never_sent
from smsbot.twilio_http import BoundedHttpClient, Refused

_TWILIO = "https://api.twilio.com"

OPTED_OUT = 21610
# The number cannot be reached, whatever we do.
_PERMANENT = frozenset({21211, 21614, 21635, 21612, OPTED_OUT, 30005, 30006, 63003, 63024})
# Wrong on our side: a key, our number, a setting. One such fault must not end every text.
# 21609 is our callback's address, 21601 and 21659 to 21661 are our own number.
_OURS = frozenset(
    {21212, 21408, 21601, 21602, 21603, 21606, 21608, 21609, 21617, 21619, 21620, 21659}
    | {21660, 21661, 21703, 21704, 30032, 30034, 30035, 63007, 63015}
)
_ACCOUNT = range(20000, 21000)  # about the account and the request, never about one number
_WAIT = frozenset(
    {14107, 20429, 21611, 30001, 30003, 30008, 30017, 30022, 30023, 30027, 63018, 63038}
)
_MAY_HAVE_ARRIVED = frozenset({30410})
_PROCESSED = frozenset({303, 408})  # "see other" answers a POST that was done; 408 proves nothing

RETRIES = "#rc=3&rt=4000&rp=all"
"""What an address at Twilio ends in: try three times more, each within 4 s, whatever went wrong.

Twilio reads it and does not send it; left alone, it would try again on a lost connection only.
"""

_PAGE = 500
_PAGES = 20
_LIST_DEADLINES = 3  # a list may take that many times the deadline of one call

S = TypeVar("S", bound=BaseModel)


class Outcome(enum.StrEnum):
    """What is known after a call to send."""

    SENT = "sent"  # Twilio has it; `sid` is set
    NOT_SENT = "not_sent"  # certainly not; the same call may work later
    OURS = "ours"  # certainly not; our keys or settings are wrong
    REJECTED = "rejected"  # certainly not; it never will be
    UNKNOWN = "unknown"  # it may have been: ask before anything else


@dataclass(frozen=True)
class Answer:
    """The outcome of one call, with Twilio's SID or error code and a sentence for the log."""

    outcome: Outcome
    sid: str = ""
    code: int | None = None
    detail: str = ""


@dataclass(frozen=True)
class ListedMessage:
    """A message that Twilio holds. Its `repr` tells neither the numbers nor the text."""

    sid: str
    to: str = field(repr=False)
    from_: str = field(repr=False)  # "" while Twilio has not chosen a sender
    body: str = field(repr=False)
    created_at: datetime  # aware, UTC, whole seconds
    direction: str  # inbound, outbound-api, outbound-call, outbound-reply
    status: str
    error_code: int | None
    num_media: int


class Unanswered(Exception):  # named for what happened
    """Twilio did not answer a question; the message is fit for a log.

    `status` is the HTTP status, None without an answer; `code` Twilio's error code, when told.
    """

    def __init__(self, message: str, *, status: int | None = None, code: int | None = None) -> None:
        """Take a sentence without numbers, texts or keys."""
        super().__init__(message)
        self.status = status
        self.code = code


class Incomplete(Unanswered):
    """A list could not be read to its end: what it lacks may exist."""


# --- webhooks ------------------------------------------------------------------------------------


def signature_is_valid(url: str, params: Any, signature: str) -> bool:
    """Whether Twilio signed this request. `url` is the public one with its query, `params` the
    form as it came (a QueryDict).

    The signature joins names and values without a delimiter: a form with one field folded into the
    next has the same one. The view must read its fields strictly.
    """
    if not settings.TWILIO_AUTH_TOKEN:
        return False
    validator = RequestValidator(settings.TWILIO_AUTH_TOKEN)
    # As it stands, which is how it mostly is: `validate` always tries two, with and without a port.
    if compare(validator.compute_signature(url, params), signature):
        return True
    # Whether Twilio signs the fragment, which we never see, is told nowhere in a binding way.
    return any(validator.validate(address, params, signature) for address in (url, url + RETRIES))


# --- sending -------------------------------------------------------------------------------------


def is_configured() -> bool:
    """Whether there is an account to send with."""
    return bool(
        settings.TWILIO_ACCOUNT_SID and settings.TWILIO_AUTH_TOKEN and settings.TWILIO_PHONE_NUMBER
    )


def send(to: str, text: str, *, callback_url: str | None) -> Answer:
    """Hand one SMS to Twilio: one HTTP call, within TWILIO_DEADLINE, never repeated here."""
    if not is_configured():
        return Answer(Outcome.OURS, detail="Twilio is not configured")
    form = {"To": to, "From": settings.TWILIO_PHONE_NUMBER, "Body": text}
    if callback_url:
        form["StatusCallback"] = callback_url
    try:
        response = _client().request("POST", _url("/Messages.json"), data=form)
    except Refused as refusal:
        return _refusal(refusal)
    except FAILURES as error:
        return _failure(error)
    created = _read(response.text, _Created)
    if created is None:
        return Answer(Outcome.UNKNOWN, detail=f"an unreadable answer (HTTP {response.status_code})")
    return Answer(Outcome.SENT, sid=created.sid)


def _refusal(refusal: Refused) -> Answer:
    return Answer(_meaning(refusal.status, refusal.code), code=refusal.code, detail=str(refusal))


def _meaning(status: int, code: int | None) -> Outcome:
    """Tell what an answer other than 2xx proves; the code says more than the status, below 500."""
    if status >= 500 or status in _PROCESSED or code in _MAY_HAVE_ARRIVED:
        return Outcome.UNKNOWN
    if status == 429 or code in _WAIT:
        return Outcome.NOT_SENT
    if code in _PERMANENT:
        return Outcome.REJECTED
    # Twilio neither redirects nor refuses without a code: that is a proxy, a login page or a wrong
    # address, it has made no message, and a form must not be posted to wherever it points.
    if code is None or code in _OURS or code in _ACCOUNT or status in (401, 403, 404):
        return Outcome.OURS
    return Outcome.REJECTED


def _failure(error: Exception) -> Answer:
    """Tell what a call without an answer proves. The error's own words quote the URL."""
    if not never_sent(error):
        outcome = Outcome.UNKNOWN
    elif any(isinstance(one, (*MALFORMED, NoCertificates)) for one in causes(error)):
        outcome = Outcome.OURS
    else:
        outcome = Outcome.NOT_SENT
    return Answer(outcome, detail=type(error).__name__)


# --- looking up ----------------------------------------------------------------------------------


def listed(to: str, since: datetime, until: datetime) -> list[ListedMessage]:
    """Return all outbound-api messages to a number made on the days (UTC) that a window touches.

    Oldest first, within three times TWILIO_DEADLINE. Raises Incomplete: such a list is not a no.
    """
    first, last = _utc(since).date(), _utc(until).date()
    ends = _list_ends()
    # By the day they were sent, with no end: what is made at midnight is sent on the next day. And
    # the newest page of all, since what still waits at Twilio has no such day.
    by_day = _messages({"To": to, "DateSent>": first.isoformat()}, ends)
    newest = _messages({"To": to}, ends, first_page_only=True)
    return [
        message
        for message in _in_order([*by_day, *newest])
        if message.direction == "outbound-api" and first <= message.created_at.date() <= last
    ]


def received(since: datetime) -> list[ListedMessage]:
    """Return all messages that came in for our number at or after a moment.

    Oldest first, within three times TWILIO_DEADLINE. Raises Incomplete.
    """
    start = _utc(since)
    query = {"To": settings.TWILIO_PHONE_NUMBER, "DateSent>": start.date().isoformat()}
    return [
        message
        for message in _in_order(_messages(query, _list_ends()))
        if message.direction == "inbound" and message.created_at >= start
    ]


def number_settings() -> Mapping[str, str] | None:
    """Return how Twilio has our number set up: its `sid`, `sms_url`, `sms_method`,
    `sms_fallback_url`, `sms_fallback_method`, `sms_application_sid`; "" for what is not set.

    None when the account does not own the number. Raises Unanswered.
    """
    query = {"PhoneNumber": settings.TWILIO_PHONE_NUMBER, "PageSize": 1}
    numbers = _ask("/IncomingPhoneNumbers.json", query, _Numbers).incoming_phone_numbers
    if not numbers:
        return None
    return dict(numbers[0])


def change_number(sid: str, fields: Mapping[str, str]) -> None:
    """Change settings of a number, named as `number_settings` does. Raises Unanswered."""
    form = {"".join(part.title() for part in name.split("_")): fields[name] for name in fields}
    _ask(f"/IncomingPhoneNumbers/{sid}.json", {}, _Number, form=form)


def account_status() -> str:
    """Return the account's status at Twilio, `active` when all is well. Raises Unanswered."""
    return _ask(".json", {}, _Account).status


def _utc(moment: datetime) -> datetime:
    """Return a moment as Twilio tells it: in UTC, in whole seconds."""
    if moment.tzinfo is None:
        raise ValueError("an aware datetime is needed")
    return moment.astimezone(UTC).replace(microsecond=0)


def _list_ends() -> float:
    return time.monotonic() + float(_LIST_DEADLINES * settings.TWILIO_DEADLINE)


def _in_order(messages: list[ListedMessage]) -> list[ListedMessage]:
    """Return each message once: a page can repeat what a newer message pushed out of the last."""
    once = {message.sid: message for message in messages}
    return sorted(once.values(), key=lambda message: (message.created_at, message.sid))


def _messages(
    query: Mapping[str, object], ends: float, *, first_page_only: bool = False
) -> list[ListedMessage]:
    """Read a list of messages page by page to its end. Raises Incomplete."""
    found: list[ListedMessage] = []
    path, params = "/Messages.json", {**query, "PageSize": _PAGE}
    try:
        for _ in range(_PAGES):
            page = _ask(path, params, _Page, ends=ends)
            found += [_listed(one) for one in page.messages]
            if first_page_only or not page.next_page_uri:
                return found
            path, params = _within_our_account(page.next_page_uri), {}
    except Unanswered as error:
        raise Incomplete(str(error), status=error.status, code=error.code) from None
    raise Incomplete(f"the list is longer than {_PAGES} pages")


def _within_our_account(uri: str) -> str:
    """Return the path of the next page: our key goes nowhere else."""
    base = _url("").removeprefix(_TWILIO)
    if not uri.startswith(f"{base}/Messages.json?"):
        raise Unanswered("the list leads elsewhere")
    return uri.removeprefix(base)


def _ask(
    path: str,
    query: Mapping[str, object],
    shape: type[S],
    *,
    ends: float | None = None,
    form: Mapping[str, str] | None = None,
) -> S:
    """Return Twilio's answer to a GET, or to a POST of `form` that may be made twice.

    The errors raised here carry none that quotes the URL.
    """
    left = settings.TWILIO_DEADLINE if ends is None else ends - time.monotonic()
    if left <= 0:
        raise Unanswered("the list took too long")
    try:
        response = _client().request(
            "GET" if form is None else "POST",
            _url(path),
            params=dict(query),
            data=None if form is None else dict(form),
            timeout=left,
        )
    except Refused as refusal:
        raise Unanswered(str(refusal), status=refusal.status, code=refusal.code) from None
    except FAILURES as error:
        failed = Unanswered(f"no answer ({type(error).__name__})")
    else:
        if answer := _read(response.text, shape):
            return answer
        failed = Unanswered("an unreadable answer", status=response.status_code)
    raise failed


def _url(path: str) -> str:
    return f"{_TWILIO}/2010-04-01/Accounts/{settings.TWILIO_ACCOUNT_SID}{path}"


def _client() -> Client:
    return _client_for(
        settings.TWILIO_ACCOUNT_SID,
        settings.TWILIO_AUTH_TOKEN,
        settings.TWILIO_API_URL,
        settings.TWILIO_DEADLINE,
    )


@lru_cache(maxsize=4)
def _client_for(sid: str, token: str, root: str, deadline: float) -> Client:
    return Client(sid, token, http_client=BoundedHttpClient(root, deadline))


# --- shapes of answers ---------------------------------------------------------------------------


def _moment(value: object) -> object:
    """Read Twilio's date: that of an e-mail (RFC 2822)."""
    if not isinstance(value, str):
        raise ValueError("not a date")
    moment = parsedate_to_datetime(value)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _or_empty(value: object) -> object:
    return "" if value is None else value


_Sid = Annotated[str, Field(pattern=r"^(SM|MM)[0-9a-f]{32}$")]
_Text = Annotated[str, BeforeValidator(_or_empty)]


class _Created(BaseModel):
    sid: _Sid


class _Message(BaseModel):
    sid: _Sid
    to: _Text
    from_: _Text = Field(alias="from")
    body: _Text
    date_created: Annotated[datetime, BeforeValidator(_moment)]
    direction: str
    status: str
    error_code: int | None = None
    num_media: int = 0


class _Page(BaseModel):
    messages: list[_Message]
    next_page_uri: str | None  # without it, nobody could say that this was all


class _Number(BaseModel):
    sid: _Text = ""
    sms_url: _Text = ""
    sms_method: _Text = ""
    sms_fallback_url: _Text = ""
    sms_fallback_method: _Text = ""
    sms_application_sid: _Text = ""


class _Numbers(BaseModel):
    incoming_phone_numbers: list[_Number]


class _Account(BaseModel):
    status: str


def _read(text: str, shape: type[S]) -> S | None:
    """Read an answer; None when it is not of that shape. The error would quote people's texts."""
    try:
        return shape.model_validate_json(text)
    except ValidationError:
        return None


def _listed(message: _Message) -> ListedMessage:
    fields = message.model_dump()
    return ListedMessage(created_at=fields.pop("date_created"), **fields)

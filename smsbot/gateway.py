"""Twilio, and nothing but Twilio: the signature of a webhook, sending, and looking up.

The one module that imports `twilio`. It knows no rows: in come addresses and texts, out come
outcomes. Facts are from FACTS.md, "Twilio: send" and "Twilio: signature".
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import requests
from django.conf import settings
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NameResolutionError
from urllib3.exceptions import NewConnectionError as NeverConnected

_TWILIO = "https://api.twilio.com"

OPTED_OUT = 21610
# The number cannot be reached, whatever we do.
_PERMANENT = frozenset({21211, 21614, 21635, 21612, OPTED_OUT, 30005, 30006, 63003, 63024})
# Wrong on our side: a key, our number, a setting. One such fault must not end every text.
_OURS = frozenset(
    {20003, 21212, 21408, 21602, 21603, 21606, 21608, 21617, 21619, 21620, 21703, 21704}
    | {30032, 30034, 30035, 63007, 63015}
)
_WAIT = frozenset(
    {20429, 21611, 30001, 30017, 30022, 30023, 30027, 30003, 30008, 63018, 63038, 14107}
)


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


def signature_is_valid(url: str, params: Any, signature: str) -> bool:
    """Whether Twilio signed this request. `url` is the public one with its query, `params` the
    form as it came (a QueryDict)."""
    if not settings.TWILIO_AUTH_TOKEN:
        return False
    validator = RequestValidator(settings.TWILIO_AUTH_TOKEN)
    return bool(validator.validate(url, params, signature))


def is_configured() -> bool:
    """Whether there is an account to send with."""
    return bool(
        settings.TWILIO_ACCOUNT_SID and settings.TWILIO_AUTH_TOKEN and settings.TWILIO_PHONE_NUMBER
    )


def send(to: str, text: str, *, callback_url: str | None) -> Answer:
    """Hand one SMS to Twilio: one HTTP call, within TWILIO_DEADLINE, never repeated here."""
    if not is_configured():
        return Answer(Outcome.OURS, detail="Twilio is not configured")
    extra = {"status_callback": callback_url} if callback_url else {}
    try:
        message = _client().messages.create(
            to=to, from_=settings.TWILIO_PHONE_NUMBER, body=text, **extra
        )
    except TwilioRestException as error:
        return _refusal(error.status, error.code)
    except requests.RequestException as error:
        never = _never_connected(error)
        return Answer(Outcome.NOT_SENT if never else Outcome.UNKNOWN, detail=type(error).__name__)
    except (TwilioException, ValueError, KeyError, TypeError) as error:
        return Answer(Outcome.UNKNOWN, detail=f"unreadable answer ({type(error).__name__})")
    if not message.sid:
        return Answer(Outcome.UNKNOWN, detail="answer without a SID")
    return Answer(Outcome.SENT, sid=message.sid)


def is_permanent(code: int | None) -> bool:
    """Whether Twilio's error code says that this number cannot be reached."""
    return code in _PERMANENT


def _refusal(status: int, code: int | None) -> Answer:
    detail = f"HTTP {status}" + (f", code {code}" if code else "")
    if status >= 500:
        return Answer(Outcome.UNKNOWN, code=code, detail=detail)
    if status == 429 or code in _WAIT:
        return Answer(Outcome.NOT_SENT, code=code, detail=detail)
    # Without one of Twilio's codes a refusal is a proxy's, or a wrong address: not the number's.
    if code in _OURS or status in (401, 403, 404) or status < 400 or not code:
        return Answer(Outcome.OURS, code=code, detail=detail)
    return Answer(Outcome.REJECTED, code=code, detail=detail)


def _never_connected(error: requests.RequestException) -> bool:
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    return isinstance(reason, (NeverConnected, ConnectTimeoutError, NameResolutionError))


class _HttpClient(TwilioHttpClient):
    """Twilio's own HTTP client, with a deadline and with the root that the settings name."""

    def __init__(self, root: str, deadline: float) -> None:
        super().__init__(timeout=deadline)
        self._root = root

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        if self._root:
            url = url.replace(_TWILIO, self._root, 1)
        return super().request(method, url, *args, **kwargs)


def _client() -> Client:
    return _client_for(
        settings.TWILIO_ACCOUNT_SID,
        settings.TWILIO_AUTH_TOKEN,
        settings.TWILIO_API_URL,
        settings.TWILIO_DEADLINE,
    )


@lru_cache(maxsize=4)
def _client_for(sid: str, token: str, root: str, deadline: float) -> Client:
    return Client(sid, token, http_client=_HttpClient(root, deadline))


def number_settings() -> Mapping[str, str] | None:
    """Return how Twilio has our number set up: `sms_url`, `sms_method`, `sms_fallback_url`.

    None when the account does not own the number. Raises TwilioRestException or
    requests.RequestException.
    """
    numbers = _client().incoming_phone_numbers.list(
        phone_number=settings.TWILIO_PHONE_NUMBER, limit=1
    )
    if not numbers:
        return None
    found = numbers[0]
    return {
        "sms_url": found.sms_url or "",
        "sms_method": found.sms_method or "",
        "sms_fallback_url": found.sms_fallback_url or "",
    }


def account_status() -> str:
    """Return the account's status at Twilio, `active` when all is well. Raises as above."""
    return str(_client().api.accounts(settings.TWILIO_ACCOUNT_SID).fetch().status)

"""JSON over HTTP for the clients of Radarr and TMDB: bounded in time and size, quiet about keys.

Every outside call of this package goes through `JsonSession`. It turns everything that can go wrong
into one `ServiceError`, whose text is fit for a log and for the owner.
"""

from __future__ import annotations

import math
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal, NamedTuple
from urllib.parse import quote, quote_plus, unquote, urlsplit

import requests
from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json
from requests.exceptions import ContentDecodingError
from typing_extensions import TypeVar  # with default=, which typing has from 3.13
from urllib3.exceptions import (
    ConnectTimeoutError,
    InvalidHeader,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
)

from moviesms.transport import (
    FAILURES,
    MALFORMED,
    BoundedAdapter,
    NoCertificates,
    TooLarge,
    causes,
    never_sent,
)

ErrorCode = Literal[
    "not_configured",
    "unreachable",
    "timeout",
    "unauthorized",
    "forbidden",
    "not_found",
    "rate_limited",
    "unavailable",
    "unreadable",
    "too_large",
    "redirected",
    "rejected",
]

MAX_BYTES = 8 * 1024 * 1024
"""The default cap on a decoded body."""

_BACKOFF = (0.1, 0.3)  # seconds before the second and the third try of a GET
_RETRIED = frozenset({500, 502, 503, 504})
_TEXT_LIMIT = 200

T = TypeVar("T")
E = TypeVar("E", bound="ServiceError", default="ServiceError")


class ServiceError(Exception):
    """An outside service did not do what it was asked.

    `service` is "Radarr" or "TMDB"; `code` one slug of the closed set `ErrorCode`.
    `permanent`: no retry can help until somebody changes something (a key, an address, a folder).
    `outcome_unknown`: this was a write and it may have taken effect: read before writing again.
    `status`: the HTTP status, None when there was no answer. `retry_after`: seconds, when told.
    `str()` may be logged and shown to the owner: it holds no key, no query string, no stack trace
    and at most about 200 characters of what the service said.
    """

    def __init__(
        self,
        message: str,
        *,
        service: str,
        code: ErrorCode,
        permanent: bool = False,
        outcome_unknown: bool = False,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        """Take a message that is redacted already; see the class for the rest."""
        super().__init__(f"{service} {message}")
        self.service = service
        self.code: ErrorCode = code
        self.permanent = permanent
        self.outcome_unknown = outcome_unknown
        self.status = status
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered: any status but 3xx, the whole decoded body, and was it a write."""

    status: int
    headers: Mapping[str, str]  # case-insensitive
    body: bytes = field(repr=False)
    write: bool

    @property
    def ok(self) -> bool:
        """Tell whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait, from either form of Retry-After; None when absent or nonsense."""
        value = self.headers.get("Retry-After", "").strip()
        try:
            seconds = float(value)
        except ValueError:
            return _seconds_until(value)
        return seconds if math.isfinite(seconds) and seconds >= 0 else None


def pause(seconds: float) -> None:
    """Wait between two tries of a GET. Tests replace this name, so that they never sleep."""
    time.sleep(seconds)


class JsonSession:
    """A session with one service, whose every exchange ends by its deadline.

    Name look-up, connecting, TLS, and the whole answer, tries of a GET included, take `deadline`
    seconds together, however slowly the server drips: see `moviesms.transport.BoundedAdapter`, also
    for what is never used (redirects, proxies of the environment, ~/.netrc, cookies).

    A GET is tried up to three times inside its deadline after a broken connection or a 500, 502,
    503 or 504, and waits for Retry-After where that fits. A write is sent once.

    Safe to share between threads.
    """

    def __init__(
        self,
        service: str,
        url: str,
        *,
        deadline: float,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        secrets: tuple[str, ...] = (),
        max_bytes: int = MAX_BYTES,
    ) -> None:
        """Bind a service's name and root URL to what every request carries.

        `deadline` is in seconds, `max_bytes` counts decoded bytes. `secrets` are masked in every
        error; so is a password in `url`, which is sent as Basic authentication.
        """
        self.service = service
        self.deadline = deadline
        self._url = url.strip().rstrip("/")
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": "moviesms",
            **(headers or {}),
        }
        self._params = dict(params or {})
        self._secrets = _all_spellings((*secrets, *_passwords(self._url)))
        self._max_bytes = max_bytes
        self._adapter = BoundedAdapter(pool_connections=2, pool_maxsize=16)

    def get(
        self,
        path: str,
        params: Mapping[str, str | int] | None = None,
        *,
        deadline: float | None = None,
        max_bytes: int | None = None,
    ) -> Answer:
        """Return the answer to a GET of `path` below the root URL, whatever its status but 3xx.

        Raises ServiceError: unreachable, timeout, redirected, too_large, unreadable (a body that
        does not decode), rejected (an address or a key that cannot be sent).
        """
        ends = time.monotonic() + (deadline or self.deadline)
        cap = max_bytes or self._max_bytes
        outcome = self._once("GET", path, ends, cap, params=params)
        for backoff in _BACKOFF:
            wait = _before_next_try(outcome, backoff)
            if wait is None or time.monotonic() + wait >= ends:
                break
            pause(wait)
            outcome = self._once("GET", path, ends, cap, params=params)
        return _answer_or_raise(outcome)

    def write(
        self,
        method: Literal["POST", "PUT", "DELETE"],
        path: str,
        *,
        json: object = None,
        params: Mapping[str, str | int] | None = None,
    ) -> Answer:
        """Send once, and return the answer whatever its status but 3xx.

        Raises as `get` does, with `outcome_unknown` when the request may have arrived.
        """
        ends = time.monotonic() + self.deadline
        return _answer_or_raise(
            self._once(method, path, ends, self._max_bytes, params=params, json=json)
        )

    def read(self, answer: Answer, shape: TypeAdapter[T]) -> T:
        """Return the answer's JSON as `shape`; raise ServiceError `unreadable` if it is not.

        A null counts as an absent field.
        """
        try:
            return shape.validate_json(answer.body)
        except ValidationError:
            pass  # nulls are rare, and to look for them takes longer than to read
        try:
            return shape.validate_python(_without_nulls(from_json(answer.body)))
        except ValidationError as error:
            why = _first_problem(error)
        except ValueError:
            why = "something that is not JSON: a proxy, a login page or a wrong address?"
        raise self.unreadable(answer, why)

    def unreadable(self, answer: Answer, why: str) -> ServiceError:
        """Make the error for an answer that makes no sense. `why` completes "answered with …"."""
        return ServiceError(
            f"answered with {self._plain(why)} (HTTP {answer.status})",
            service=self.service,
            code="unreadable",
            outcome_unknown=answer.write and not 400 <= answer.status < 500,
            status=answer.status,
        )

    def error(self, answer: Answer, detail: str = "", kind: type[E] | None = None) -> E:
        """Make the error for a status of 400 and above.

        `detail` is what the service said; it is redacted and shortened here. `kind` is the class to
        make, ServiceError when not given.
        """
        code, permanent, sentence = _reading(answer.status)
        said = f": {plain}" if (plain := self._plain(detail)) else ""
        make: type[Any] = kind or ServiceError
        error: E = make(
            f"{sentence} (HTTP {answer.status}){said}",
            service=self.service,
            code=code,
            permanent=permanent,
            outcome_unknown=answer.write and (answer.status >= 500 or answer.status == 408),
            status=answer.status,
            retry_after=answer.retry_after,
        )
        return error

    def _once(
        self,
        method: str,
        path: str,
        ends: float,
        cap: int,
        *,
        params: Mapping[str, str | int] | None = None,
        json: object = None,
    ) -> Answer | ServiceError:
        """Exchange once. Errors are returned, so that none carries requests' own (with the URL)."""
        write = method != "GET"
        try:
            request = requests.Request(
                method,
                self._url + path,
                headers=self._headers,
                params={**self._params, **(params or {})},
                json=json,
            ).prepare()
            reply = self._adapter.exchange(request, ends=ends, max_bytes=cap)
        except TooLarge as error:
            return self._too_large(error.status, write, cap)
        except FAILURES as error:
            return self._failure(error, write)
        if 300 <= reply.status < 400:
            return self._redirected(reply.status)
        return Answer(reply.status, reply.headers, reply.body, write)

    def _redirected(self, status: int) -> ServiceError:
        return ServiceError(
            f"redirects elsewhere (HTTP {status}): check its address, and its URL base",
            service=self.service,
            code="redirected",
            permanent=True,
            status=status,
        )

    def _too_large(self, status: int, write: bool, cap: int) -> ServiceError:
        return ServiceError(
            f"answered with more than {cap} bytes (HTTP {status})",
            service=self.service,
            code="too_large",
            permanent=True,
            outcome_unknown=write and not 400 <= status < 500,
            status=status,
        )

    def _failure(self, error: Exception, write: bool) -> ServiceError:
        found = list(causes(error))
        failure = next(f for f in _FAILURES if any(isinstance(e, f.kinds) for e in found))
        return ServiceError(
            f"at {_origin(self._url)} {failure.sentence}",
            service=self.service,
            code=failure.code,
            permanent=failure.permanent,
            outcome_unknown=write and not never_sent(error),
        )

    def _plain(self, text: str) -> str:
        """Make one short line of a service's text: no secrets, no URL beyond its host."""
        line = next((line.strip() for line in text.splitlines() if line.strip()), "")
        for secret in self._secrets:
            line = line.replace(secret, "***")
        line = _URL.sub(r"\1\2/…", line)
        line = _KEY.sub(r"\1***", line)
        return line if len(line) <= _TEXT_LIMIT else line[: _TEXT_LIMIT - 1] + "…"


# --- reading statuses and failures ---------------------------------------------------------------

_URL = re.compile(r"(\w+://)(?:[^/\s@]*@)?([^/\s?#'\"]+)[^\s'\"]*")
_KEY = re.compile(r"(?i)\b((?:\w*key|\w*token|\w*secret|pass\w*|auth\w*)[\"']?\s*[=:]\s*)[^\s&]+")

_STATUSES: dict[int, tuple[ErrorCode, bool, str]] = {
    401: ("unauthorized", True, "does not accept the key"),
    403: ("forbidden", True, "forbids this"),
    404: ("not_found", True, "does not know this"),
    408: ("timeout", False, "gave up waiting"),
    429: ("rate_limited", False, "asks us to slow down"),
}


class _Failure(NamedTuple):
    kinds: tuple[type[BaseException], ...]
    code: ErrorCode
    permanent: bool
    sentence: str


_FAILURES = (  # the first match wins
    _Failure((NoCertificates,), "unreachable", True,
             "cannot be verified: REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names nothing"),
    _Failure((ssl.SSLCertVerificationError,), "unreachable", True,
             "has a certificate that is not trusted"),
    _Failure((ssl.SSLError,), "unreachable", False, "and we do not agree on TLS"),
    # urllib3 makes both of these kinds of ConnectTimeoutError
    _Failure((NameResolutionError,), "unreachable", False, "has a name that is not known"),
    _Failure((NewConnectionError,), "unreachable", False, "accepts no connection"),
    _Failure((requests.ConnectTimeout, ConnectTimeoutError), "timeout", False,
             "did not accept a connection in time"),
    _Failure((requests.Timeout, ReadTimeoutError, TimeoutError), "timeout", False,
             "did not answer in time"),
    _Failure((ContentDecodingError,), "unreadable", False,
             "answered with a body that does not decode"),
    _Failure((InvalidHeader,), "unreadable", False, "answered with headers that make no sense"),
    _Failure(MALFORMED, "rejected", True, "cannot be called: its address or its key is malformed"),
    _Failure((Exception,), "unreachable", False, "broke the connection"),
)  # fmt: skip


def _reading(status: int) -> tuple[ErrorCode, bool, str]:
    """Return the code, whether it is permanent, and a sentence for a status of 400 and above."""
    if status >= 500:
        return "unavailable", False, "has a problem of its own"
    return _STATUSES.get(status, ("rejected", True, "refused this"))


def _answer_or_raise(outcome: Answer | ServiceError) -> Answer:
    if isinstance(outcome, ServiceError):
        raise outcome
    return outcome


def _before_next_try(outcome: Answer | ServiceError, wait: float) -> float | None:
    """Return the seconds to wait before a GET is tried again, or None when that cannot help."""
    if isinstance(outcome, ServiceError):
        return wait if outcome.code == "unreachable" and not outcome.permanent else None
    if outcome.status not in _RETRIED:
        return None
    return max(wait, outcome.retry_after or 0)


def _without_nulls(value: object) -> object:
    """Return JSON's value without the fields that are null; a list keeps its nulls."""
    if isinstance(value, dict):
        return {name: _without_nulls(part) for name, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_without_nulls(part) for part in value]
    return value


def _first_problem(error: ValidationError) -> str:
    """Say where JSON departs from a shape, without its values: they may hold secrets."""
    problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in problem["loc"]) or "the whole"
    return f"an unexpected shape at {place} ({problem['type']})"


def _seconds_until(value: str) -> float | None:
    """Return the seconds until an HTTP date, 0 when it has passed, None when it is no date."""
    try:
        then = parsedate_to_datetime(value)
    except ValueError:
        return None
    aware = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())


def _origin(url: str) -> str:
    """Return scheme, host and port of a URL: what the owner needs, without a password."""
    try:
        parts = urlsplit(url)
        host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
    except ValueError:
        return "an address that is not a URL"
    return f"{parts.scheme}://{host}" if parts.scheme and host else "an address that is not a URL"


def _passwords(url: str) -> tuple[str, ...]:
    try:
        return (urlsplit(url).password or "",)
    except ValueError:
        return ()


def _all_spellings(secrets: tuple[str, ...]) -> tuple[str, ...]:
    """Return every secret as it is and as it looks inside a URL, longest first."""
    ways = {way(s) for s in secrets if s for way in (str, quote, quote_plus, unquote)}
    return tuple(sorted(ways - {""}, key=len, reverse=True))

"""HTTP whose every exchange ends by its deadline: one adapter over requests and urllib3.

It knows nothing of the apps and nothing of Django. Whoever calls an outside service builds on it,
and asks `never_sent` of a failure before doing anything again.
"""

from __future__ import annotations

import io
import logging
import math
import os
import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPResponse
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidHeader, InvalidSchema, InvalidURL, MissingSchema
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationValueError,
    NameResolutionError,
    NewConnectionError,
)
from urllib3.exceptions import InvalidHeader as UnreadableHeader  # an answer's, not a request's
from urllib3.util.connection import create_connection

_CHUNK = 64 * 1024


class NoCertificates(requests.exceptions.SSLError):
    """REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names nothing that is there."""


class TooLarge(requests.RequestException):
    """The decoded body is larger than allowed; `status` is what the answer began with."""

    def __init__(self, status: int) -> None:
        """Note the status."""
        super().__init__(f"too large a body (HTTP {status})")
        self.status = status


FAILURES = (requests.RequestException, HTTPError, OSError, ValueError)
"""What preparing a request and `BoundedAdapter.exchange` raise, all of it."""

MALFORMED = (
    InvalidHeader,
    InvalidSchema,
    InvalidURL,
    LocationValueError,
    MissingSchema,
    UnicodeError,
)
"""The kinds of failure that an address or a key makes which no request can carry."""

_NEVER_SENT = (
    requests.ConnectTimeout,
    ConnectTimeoutError,  # urllib3 makes a refused connection and an unknown name kinds of it
    ssl.SSLCertVerificationError,
    NoCertificates,
    *MALFORMED,
)


@dataclass(frozen=True, slots=True)
class Reply:
    """Any answer: its status, its headers (case-insensitive), its whole decoded body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it wraps: requests and urllib3 nest theirs in `args` and `reason`."""
    seen: set[int] = set()
    todo: list[object] = [error]
    while todo:
        one = todo.pop()
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            todo += [one.__cause__, getattr(one, "reason", None), *one.args]


def never_sent(error: BaseException) -> bool:
    """Tell whether no byte of the request can have left: only then is sending again harmless.

    Looking up the name, connecting and the whole of the TLS handshake come before the first byte.
    """
    found = list(causes(error))
    if any(isinstance(one, UnreadableHeader) for one in found):
        return False  # requests wraps it in its InvalidHeader, the same as for our own headers
    return any(isinstance(one, _NEVER_SENT) for one in found)


class BoundedAdapter(HTTPAdapter):
    """requests' adapter, for use without a `requests.Session`: it sends once and ends in time.

    Guaranteed: looking up the name, connecting (all addresses together), TLS, sending a small
    request, and reading status line, headers and body end by the deadline, plus a fraction of a
    second: every single socket operation gets what remains as its time-out, so a server that drips
    one byte a second, of its headers or of its body, gains nothing. A name server that hangs keeps
    one daemon thread until the resolver gives up, but not the caller.

    Never: a retry, a redirect, a cookie, a proxy of the environment, ~/.netrc. The environment's
    REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE are honoured. Safe to share between threads.
    """

    def exchange(self, request: requests.PreparedRequest, *, ends: float, max_bytes: int) -> Reply:
        """Send once, and return the answer, whatever its status; a redirect's body is not read.

        `ends` is a moment of `time.monotonic()`; `max_bytes` counts decoded bytes. Raises TooLarge
        and the rest of `FAILURES`.
        """
        left = ends - time.monotonic()
        if left <= 0:
            raise requests.ConnectTimeout
        with self.send(
            request,
            stream=True,
            timeout=Timeout(total=left),  # type: ignore[arg-type]  # requests does take one
            verify=os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True,
        ) as response:
            body = _body(response, ends, max_bytes)
        return Reply(response.status_code, response.headers, body)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Have requests' pools make our connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}

    def cert_verify(self, *args: Any, **kwargs: Any) -> None:
        """Look for the certificates; requests says no more than OSError when they are missing."""
        try:
            super().cert_verify(*args, **kwargs)  # type: ignore[no-untyped-call]
        except OSError as error:
            raise NoCertificates(str(error)) from error


def _body(response: requests.Response, ends: float, max_bytes: int) -> bytes:
    if 300 <= response.status_code < 400:
        return b""
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > max_bytes:
            raise TooLarge(response.status_code)
        if time.monotonic() > ends:
            raise requests.ReadTimeout
    return bytes(body)


# --- sockets that keep a deadline ----------------------------------------------------------------


class _DeadlineReader(io.RawIOBase):
    """Reads a socket; each read may take what remains of one time budget, not a fresh one."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw = raw
        self._sock = sock
        seconds = sock.gettimeout()
        self._ends = math.inf if seconds is None else time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        self._sock.settimeout(None if left == math.inf else left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _BoundedResponse(HTTPResponse):
    """http.client's response, where the socket's time-out bounds the whole answer.

    urllib3 sets that time-out, just before this is made, to what remains of `Timeout(total=…)`.
    """

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_DeadlineReader(self.fp.detach(), sock))


class _Bounded(HTTPConnection):
    """A connection whose name look-up and connecting, over all addresses, share one time-out."""

    response_class = _BoundedResponse

    def connect(self) -> None:
        """Connect, TLS included, and say so of every failure: nothing has been sent yet.

        urllib3 lets a handshake that times out or breaks look like an answer that does.
        """
        try:
            super().connect()
        except ConnectTimeoutError:
            raise
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "no TLS handshake in time") from error
        except (OSError, HTTPError) as error:
            raise NewConnectionError(self, "no TLS handshake") from error

    def _new_conn(self) -> socket.socket:
        ends = time.monotonic() + (self.timeout or 0)
        addresses = self._addresses()
        failure: HTTPError = NewConnectionError(self, "no address")
        for position, address in enumerate(addresses):
            share = (ends - time.monotonic()) / (len(addresses) - position)
            try:
                sock = self._connect_to(address, max(share, 0.001))
            except TimeoutError:
                failure = ConnectTimeoutError(self, "timed out")
            except OSError as error:
                failure = NewConnectionError(self, str(error))
            else:
                sock.settimeout(max(ends - time.monotonic(), 0.001))  # for TLS, which follows
                return sock
        raise failure

    def _connect_to(self, address: tuple[str, int], seconds: float) -> socket.socket:
        return create_connection(
            address,
            seconds,
            source_address=self.source_address,
            socket_options=self.socket_options,
        )

    def _addresses(self) -> list[tuple[str, int]]:
        try:
            return _resolve(self._dns_host.strip("[]"), self.port, float(self.timeout or 0))
        except queue.Empty:
            raise ConnectTimeoutError(self, "the name server did not answer") from None
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error


def _resolve(host: str, port: int, seconds: float) -> list[tuple[str, int]]:
    """Look a name up in a thread, since getaddrinfo knows no time-out.

    Raises queue.Empty after `seconds`, else what getaddrinfo raises.
    """
    answers: queue.SimpleQueue[list[Any] | Exception] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM))
        except (OSError, ValueError) as error:
            answers.put(error)

    threading.Thread(target=look_up, daemon=True, name=f"resolve {host}").start()
    found = answers.get(timeout=seconds)
    if isinstance(found, Exception):
        raise found
    return [(entry[4][0], entry[4][1]) for entry in found]


class _BoundedHttps(_Bounded, HTTPSConnection):
    """The same over TLS."""


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Bounded


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _BoundedHttps


# --- silence -------------------------------------------------------------------------------------


class _HideQueries(logging.Filter):
    """Cuts the query out of what urllib3 logs: TMDB's key and Twilio's phone numbers go there."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if "?" in message:
            record.msg, record.args = re.sub(r"\?[^\s\"]*", "?…", message), ()
        return True


for _name in ("urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry"):
    logging.getLogger(_name).addFilter(_HideQueries())

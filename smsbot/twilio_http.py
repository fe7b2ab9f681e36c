"""The HTTP under Twilio's client: every call sent once, ended by its deadline, bounded in size.

It raises for everything but a 2xx, so that what an answer means is read off the answer itself: the
SDK would give a proxy's error the HTTP status for a code, and another class to some of Twilio's.
"""

import logging
import re
import time
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import requests
from pydantic import BaseModel, ValidationError
from twilio.http import HttpClient
from twilio.http.response import Response

from moviesms.transport import BoundedAdapter

MAX_BYTES = 8 * 1024 * 1024

# In place of Twilio's own, which reports every call with its phone numbers.
_log = logging.getLogger(__name__)


class Refused(Exception):  # named for what Twilio did
    """An answer other than 2xx: its HTTP status, and Twilio's error code when it has one."""

    def __init__(self, status: int, code: int | None) -> None:
        """Say both in a sentence for the log, and nothing of what the answer quotes."""
        super().__init__(f"HTTP {status}" + (f", code {code}" if code else ""))
        self.status = status
        self.code = code


class BoundedHttpClient(HttpClient):
    """Twilio's client sends through this: see `moviesms.transport.BoundedAdapter` for its bounds.

    `root` replaces scheme, host and port of every call when it is not empty. Every call makes a
    connection of its own: on a kept one that a router has forgotten, a text would be sent into the
    void, and nobody could say whether it left.
    """

    def __init__(self, root: str, deadline: float) -> None:
        """Take the root that the settings name, and the seconds for a whole call."""
        super().__init__(_log, is_async=False, timeout=deadline)
        self._root = root.rstrip("/")
        self._deadline = deadline

    def request(
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """Exchange once, within the deadline or the shorter `timeout`; redirects are not followed.

        Raises Refused, or one of `moviesms.transport.FAILURES`.
        """
        ends = time.monotonic() + min(self._deadline, timeout or self._deadline)
        request = requests.Request(
            method,
            self._at_root(uri),
            params=params,
            data=data,
            headers={**(headers or {}), "Accept-Encoding": "gzip", "Connection": "close"},
            auth=auth,
        ).prepare()
        with closing(BoundedAdapter()) as adapter:
            reply = adapter.exchange(request, ends=ends, max_bytes=MAX_BYTES)
        if not 200 <= reply.status < 300:
            raise Refused(reply.status, _code(reply.body))
        return Response(reply.status, reply.body.decode("utf-8", "replace"), reply.headers)

    def _at_root(self, uri: str) -> str:
        parts = urlsplit(uri)
        if not self._root:
            return uri
        return self._root + parts.path + (f"?{parts.query}" if parts.query else "")


class _Problem(BaseModel):
    code: Any = None


def _code(body: bytes) -> int | None:
    """Return Twilio's error code, a number of five digits; None for what a proxy says."""
    try:
        code = str(_Problem.model_validate_json(body).code)
    except ValidationError:
        return None
    return int(code) if re.fullmatch(r"[1-9][0-9]{4}", code, re.ASCII) else None

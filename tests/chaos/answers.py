"""A call to a stand-in and its answer, as plain data that every transport can carry."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Call:
    """One HTTP request as a stand-in sees it."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def of(cls, method: str, url: str, body: bytes) -> "Call":
        """Read a call from its URL, whatever the host."""
        parts = urlsplit(url)
        return cls(method, parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)), body)

    @property
    def form(self) -> dict[str, str]:
        """The body as a form."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """What a stand-in answers."""

    status: int
    headers: dict[str, str]
    body: bytes


def as_json(status: int, body: object, **headers: str) -> Answer:
    """Return an answer in JSON; a header's name is written with underscores for its hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"Content-Type": "application/json", **named}, json.dumps(body).encode())

"""Texts for a webhook: signed forms over kept connections, at a rate or as fast as possible."""

import asyncio
import itertools
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

PATH = "/api/sms/webhook"
_PEOPLE = 50


@dataclass(frozen=True)
class Account:
    """What the texts are signed for. `url` is the server's address as it is signed."""

    url: str
    sid: str
    token: str
    number: str


@dataclass
class Result:
    """The seconds that each answer took, the answers that were no 200, and the seconds in all."""

    seconds: list[float] = field(default_factory=list)
    refused: int = 0
    elapsed: float = 0.0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.seconds) / self.elapsed

    def percentile(self, percent: float) -> float:
        """Return the seconds within which so many of the answers came."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def texts(account: Account, body: str) -> Iterator[bytes]:
    """Yield requests without end, each with another SID, of the fifty people of a household."""
    validator = RequestValidator(account.token)
    run = secrets.token_hex(8)
    for number in itertools.count():
        sid = f"SM{run}{number:016x}"
        form = {
            "MessageSid": sid,
            "SmsSid": sid,
            "SmsMessageSid": sid,
            "AccountSid": account.sid,
            "From": f"+1202{5550000 + number % _PEOPLE:07d}",
            "To": account.number,
            "Body": body,
            "NumMedia": "0",
            "NumSegments": "1",
            "SmsStatus": "received",
            "ApiVersion": "2010-04-01",
        }
        signature = validator.compute_signature(account.url + PATH, form)
        payload = urlencode(form).encode()
        head = (
            f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Twilio-Signature: {signature}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(payload)}\r\n\r\n"
        )
        yield head.encode() + payload


def as_fast_as_possible(port: int, requests: list[bytes], *, connections: int) -> Result:
    """Post `requests` over so many connections, each waiting for its answer."""
    return asyncio.run(_closed(port, requests, connections))


def at_rate(port: int, requests: list[bytes], *, per_second: float) -> Result:
    """Post `requests` at a rate that does not wait; what is late counts from when it was due."""
    return asyncio.run(_open(port, requests, per_second))


async def _closed(port: int, requests: list[bytes], connections: int) -> Result:
    result, left = Result(), iter(requests)

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in left:
            start = time.perf_counter()
            await _exchange(reader, writer, request, result, start)
        writer.close()

    start = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(connections)))
    result.elapsed = time.perf_counter() - start
    return result


async def _open(port: int, requests: list[bytes], per_second: float) -> Result:
    result = Result()
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def one(request: bytes, due: float) -> None:
        pair = idle.pop() if idle else await asyncio.open_connection("127.0.0.1", port)
        await _exchange(*pair, request, result, due)
        idle.append(pair)

    start = time.perf_counter()
    under_way = []
    for number, request in enumerate(requests):
        due = start + number / per_second
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        under_way.append(asyncio.create_task(one(request, due)))
    await asyncio.gather(*under_way)
    result.elapsed = time.perf_counter() - start
    for _, writer in idle:
        writer.close()
    return result


async def _exchange(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    request: bytes,
    result: Result,
    since: float,
) -> None:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
    await reader.readexactly(length)
    result.seconds.append(time.perf_counter() - since)
    result.refused += b" 200 " not in lines[0]

"""The stand-ins on real sockets: one port for each service, and every way a server can be sick."""

import socket
import struct
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from tests.chaos.answers import Answer, Call
from tests.chaos.standins import World

SERVICES = ("radarr", "tmdb", "openai", "twilio")
FAULTS = (
    "refuse",
    "reset_before",
    "reset_after",
    "stall",
    "drip",
    "slow_headers",
    "status_500",
    "status_401",
    "retry_after",
    "html",
    "truncated",
    "wrong_shape",
    "huge",
    "redirect",
)
"""The fault scripts. `reset_after` and all that garble an answer take effect before they do.

`hidden`, of Twilio's, is a `reset_after` of a text that it then does not list either.
"""

_STALL = 30.0
_NO_EFFECT = {
    "status_500": Answer(500, {"Content-Type": "application/json"}, b'{"message": "broken"}'),
    "status_401": Answer(401, {}, b""),
    "retry_after": Answer(429, {"Retry-After": "2"}, b""),
    "redirect": Answer(307, {"Location": "http://169.254.169.254/latest/meta-data/"}, b""),
}


class Servers:
    """The four services of one world, each on a port of this machine's loopback address."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.lock = threading.RLock()
        self.faults: dict[str, str] = {}
        self._met: dict[str, str] = {}
        self._servers: dict[str, ThreadingHTTPServer] = {}
        self._ports: dict[str, int] = {}
        self._ended = threading.Event()
        for service in SERVICES:
            self._listen(service)

    def url(self, service: str) -> str:
        """Return the root URL of a service."""
        return f"http://127.0.0.1:{self._ports[service]}"

    def break_(self, service: str, fault: str) -> None:
        """Make a service sick, until it is mended."""
        self.faults[service] = fault
        if fault == "refuse":
            self._close(service)
            self.met(service, fault)  # there is nobody left to notice

    def mend(self, service: str) -> None:
        """Make a service well again."""
        self._met.pop(service, None)
        if self.faults.pop(service, "") == "refuse":
            self._listen(service)

    def met(self, service: str, fault: str) -> None:
        """Write down that somebody met a fault, once for each time it was made."""
        with self.lock:
            if self._met.get(service) != fault:
                self._met[service] = fault
                self.world.record("met", service=service, fault=fault)

    def __enter__(self) -> "Servers":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        for service in SERVICES:
            if service in self._servers:
                self._close(service)

    def _listen(self, service: str) -> None:
        server = _Server(("127.0.0.1", self._ports.get(service, 0)), _Handler)
        server.owner, server.service = self, service
        self._servers[service], self._ports[service] = server, server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def _close(self, service: str) -> None:
        server = self._servers.pop(service)
        server.shutdown()
        server.server_close()

    def nap(self, seconds: float, service: str, fault: str) -> None:
        """Sleep, but not longer than the fault lasts."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends and self.faults.get(service) == fault:
            if self._ended.wait(0.02):
                return


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128
    owner: Servers
    service: str

    def handle_error(self, *_: Any) -> None:
        """A client that went away, or was killed, is what we are here for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: Any) -> None:
        """The ledger is the log."""

    def _any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        call = Call.of(self.command, self.path, self.rfile.read(length))
        owner, service = self.server.owner, self.server.service
        fault = owner.faults.get(service, "")
        if fault:
            owner.met(service, fault)
        if fault in ("refuse", "reset_before"):
            self._reset()
        elif fault == "stall":
            owner.nap(_STALL, service, fault)
            self._reset()
        elif fault in _NO_EFFECT:
            self._send(_NO_EFFECT[fault])
        else:
            with owner.lock:
                owner.world.hides = fault == "hidden"
                answer = owner.world.answer(service, call)
                owner.world.hides = False
            self._garble(fault, answer)

    do_GET = do_POST = do_PUT = do_DELETE = _any  # noqa: N815  (the base class's names)

    def _garble(self, fault: str, answer: Answer) -> None:
        if fault in ("reset_after", "hidden"):
            self._reset()
        elif fault == "html":
            self._send(Answer(200, {"Content-Type": "text/html"}, b"<html>Sign in</html>"))
        elif fault == "truncated":
            self._send(Answer(answer.status, answer.headers, answer.body[: len(answer.body) // 2]))
        elif fault == "wrong_shape":
            self._send(Answer(answer.status, answer.headers, b'{"unexpected": [1, 2, 3]}'))
        elif fault == "huge":
            self._send(Answer(answer.status, answer.headers, b" " * 50_000_000 + answer.body))
        elif fault in ("drip", "slow_headers"):
            self._drip(fault, answer)
        else:
            self._send(answer)

    def _send(self, answer: Answer) -> None:
        with suppress(OSError):
            self.wfile.write(_head(answer))
            self.wfile.write(answer.body)

    def _drip(self, fault: str, answer: Answer) -> None:
        """One byte at a time, of the headers or of the body, for as long as the fault lasts."""
        head = _head(answer)
        sent, slow = (b"", head + answer.body) if fault == "slow_headers" else (head, answer.body)
        with suppress(OSError):
            self.wfile.write(sent)
            for byte in slow:
                self.server.owner.nap(0.2, self.server.service, fault)
                self.wfile.write(bytes([byte]))

    def _reset(self) -> None:
        with suppress(OSError):
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
        self.close_connection = True


def _head(answer: Answer) -> bytes:
    headers = {**answer.headers, "Content-Length": str(len(answer.body))}
    lines = [f"HTTP/1.1 {answer.status} X", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
    return "\r\n".join(lines).encode()

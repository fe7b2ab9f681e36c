"""Which port is free, and whether a server answers on one."""

import socket
from contextlib import suppress


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1)
    except OSError:
        listener.close()
        raise
    return listener


def why_not(host: str, port: int) -> str | None:
    """Return why nothing can listen there, or None when the port is free."""
    try:
        _bound(host, port).close()
    except OSError as error:
        return error.strerror or str(error)
    return None


def free_port(wanted: int) -> int:
    """Return `wanted` when it is free on the loopback address, else another that is."""
    with suppress(OSError):
        _bound("127.0.0.1", wanted).close()
        return wanted
    with _bound("127.0.0.1", 0) as listener:
        return int(listener.getsockname()[1])


def reachable(host: str) -> str:
    """Return how a URL names a server that listens on `host`, seen from this machine."""
    own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"[{own}]" if ":" in own else own


class PortProbe:
    """Says whether an HTTP server answers: one request, whose answer is looked for at each call."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (reachable(host).strip("[]"), port)
        self._connection: socket.socket | None = None

    def __call__(self) -> bool:
        try:
            if self._connection is None:
                self._connection = self._ask()
            answered = bool(self._connection.recv(1))
        except BlockingIOError:
            return False
        except OSError:
            answered = False
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        return answered

    def _ask(self) -> socket.socket:
        connection = socket.create_connection(self._address, timeout=0.25)
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        connection.setblocking(False)
        return connection

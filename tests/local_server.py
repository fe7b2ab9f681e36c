"""A tiny server of raw bytes on the loopback address: for time and resets, which no fake shows."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

Behaviour = Callable[[socket.socket, threading.Event], None]
"""What the server does after it has read a request; the event is set when the test is over."""


def silent(talk: socket.socket, over: threading.Event) -> None:
    """Read the request, and hold the line."""
    over.wait(5)


def hanging_up(talk: socket.socket, over: threading.Event) -> None:
    """Read the request, and answer nothing."""


def resetting(talk: socket.socket, over: threading.Event) -> None:
    """Read the request, and reset the connection."""
    talk.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


def dripping(start: bytes, drop: bytes) -> Behaviour:
    """Answer with `start`, then with one drop after another."""

    def drip(talk: socket.socket, over: threading.Event) -> None:
        talk.sendall(start)
        while not over.wait(0.02):
            talk.sendall(drop)

    return drip


def saying(answer: bytes) -> Behaviour:
    """Answer every request of a connection with these bytes."""

    def say(talk: socket.socket, over: threading.Event) -> None:
        talk.sendall(answer)
        while talk.recv(65536):
            talk.sendall(answer)

    return say


answering = saying(HEAD + b"Content-Length: 2\r\n\r\n{}")


@contextmanager
def server(behave: Behaviour) -> Iterator[str]:
    """Serve on a free port, one thread a connection; yield the root URL."""
    over = threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(5)
    threads: list[threading.Thread] = []

    def talk_to(talk: socket.socket) -> None:
        with talk:
            try:
                talk.settimeout(5)
                talk.recv(65536)
                behave(talk, over)
            except OSError:
                return

    def accept() -> None:
        while True:
            try:
                talk, _ = listening.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=talk_to, args=(talk,)))
            threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        over.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        for thread in (accepting, *threads):
            thread.join(5)

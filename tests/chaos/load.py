"""The load of a live run: people who text over HTTP, and Radarr's and Twilio's own life."""

import http.client
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from tests.chaos.catalogue import Film, made_up
from tests.chaos.ledger import Entry
from tests.chaos.servers import Servers
from tests.chaos.stage import report_form, sign, webhook_form

_REPORTS_AFTER = (0.0, 3.0)  # seconds
_GRABBED_AFTER = 1.5
_IMPORTED_AFTER = 4.0


@dataclass
class Load:
    """Who texted for what, and how long each webhook took while what was going on."""

    asked: list[tuple[str, Film | None]] = field(default_factory=list)  # None: how things are
    answered: set[str] = field(default_factory=set)  # people whose webhook had its 200
    times: list[tuple[str, float]] = field(default_factory=list)

    def add(self, number: int) -> tuple[str, str, Film | None]:
        """Return SID, person and film of the text of this number.

        Of ten people in a row one wants a film, four want another one, and five want to know how
        things are: so thousands of texts are not thousands of films.
        """
        place = number % 10
        film = made_up(number - max(0, place - 1)) if place < 5 else None
        person = f"+1202{5550000 + number:07d}"
        self.asked.append((person, film))
        return f"SM{number + 1:032x}", person, film

    def seconds(self, *beginnings: str) -> list[float]:
        """Return the times of webhooks whose trouble's name begins with one of these."""
        return [took for name, took in self.times if name.startswith(beginnings)]


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the value below which that many percent lie; infinite without values."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, len(ranked) * percent // 100)] if ranked else float("inf")


class Texting:
    """People who text at a steady rate, each from a thread: a slow answer holds up nobody.

    `trouble` names what is going on, "" for nothing: each answer's time is noted under it.
    """

    def __init__(self, url: str, servers: Servers, load: Load, trouble: Callable[[], str]) -> None:
        self._url = url
        self._servers = servers
        self._load = load
        self._trouble = trouble

    def run(self, rate: float, go_on: Callable[[int], bool]) -> None:
        """Text as long as `go_on(number of texts)` says so; return when all were answered."""
        began = time.monotonic()
        threads = []
        number = 0
        while go_on(number):
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
            thread = threading.Thread(target=self._text, args=(number,), daemon=True)
            thread.start()
            threads.append(thread)
            number += 1
        for thread in threads:
            thread.join(20)

    def _text(self, number: int) -> None:
        sid, person, film = self._load.add(number)
        body = f"Can you get {film.title} for me?" if film else "status"
        with self._servers.lock:
            self._servers.world.record("text", sid=sid, sender=person, body=body)
        trouble, began = self._trouble(), time.monotonic()
        if self._post(webhook_form(sid, person, body)):
            # Begun in peace and answered in trouble is neither.
            if trouble or not self._trouble():
                self._load.times.append((trouble or "none", time.monotonic() - began))
            self._load.answered.add(person)
            with self._servers.lock:
                self._servers.world.record("answered", sid=sid)

    def _post(self, form: dict[str, str]) -> bool:
        """Post a webhook as Twilio does: once more after a lost connection, then no more."""
        for _ in range(2):
            with suppress(OSError, http.client.HTTPException):
                return post(self._url, "/api/sms/webhook", form) == 200
        return False


def post(url: str, path: str, form: dict[str, str]) -> int:
    """Post a signed form to the stack; return the status."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=15)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Twilio-Signature": sign(url, path, form),
    }
    try:
        connection.request("POST", path, urlencode(form), headers)
        return connection.getresponse().status
    finally:
        connection.close()


@contextmanager
def radarr_at_work(servers: Servers) -> Iterator[None]:
    """Let what is added be grabbed after a while, and imported after another."""
    seen: dict[int, float] = {}

    def advance() -> None:
        world, now = servers.world, time.monotonic()
        busy = {item["movieId"] for item in world.queue.values()}
        for movie in list(world.movies.values()):
            age = now - seen.setdefault(movie["id"], now)
            if age > _IMPORTED_AFTER and movie["id"] in busy:
                world.finish(movie["tmdbId"])
            elif age > _GRABBED_AFTER and movie["id"] not in busy and not movie["hasFile"]:
                world.grab(movie["tmdbId"])

    def work() -> None:
        while not ended.wait(0.5):
            with servers.lock:
                advance()

    ended = threading.Event()
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def twilio_reporting(url: str, servers: Servers, chance: random.Random) -> Iterator[None]:
    """Post delivery reports of every other text: soon or late, out of order, and some twice."""

    def tell(create: Entry, after: float, words: Sequence[str]) -> None:
        if ended.wait(after):
            return
        for word in words:
            with suppress(OSError, http.client.HTTPException):
                post(url, urlsplit(create["callback"]).path, report_form(create["sid"], word))

    def work() -> None:
        told = 0
        while not ended.wait(0.2):
            with servers.lock:
                new = servers.world.sent[told:]
            told += len(new)
            for create in new:
                if create["callback"] and not create["hidden"] and chance.random() < 0.5:
                    words = chance.choice(_ORDERS)
                    pool.submit(tell, create, chance.uniform(*_REPORTS_AFTER), words)

    ended = threading.Event()
    pool = ThreadPoolExecutor(16)
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        pool.shutdown(cancel_futures=True)


_ORDERS = (("sent", "delivered"), ("delivered",), ("delivered", "sent"), ("delivered",) * 2)

"""Random SIGKILLs on the real stack under load, then a drain, and the judge.

People text over HTTP, each for a film of their own or one shared by two; the stand-in Radarr
fetches what is added within seconds; a killer picks off processes. What must come of it follows
from who asked for what.
"""

import http.client
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from tests.chaos.catalogue import Film, made_up
from tests.chaos.killer import Killer
from tests.chaos.ledger import Ledger
from tests.chaos.model import ANSWERS, Expect, Told, Verdict, judge, told
from tests.chaos.nuisance import Nuisances
from tests.chaos.report import Finding, Report
from tests.chaos.servers import Servers
from tests.chaos.stack import Stack
from tests.chaos.stage import sign, webhook_form
from tests.chaos.standins import World

_ENDED = ("completed", "available")


@dataclass(frozen=True)
class Plan:
    """How long and how hard: texts at a rate, kills at a pace, and patience afterwards."""

    name: str
    promises: tuple[str, ...]
    texts: int
    rate: float  # a second
    kills_every: float = 1.0  # seconds
    nuisances: bool = False  # Redis, database and monitor are troubled, not killed
    patience: float = 60  # for everything to be told after the last blow
    afterwards: float = 5  # and then, for what would be told twice


@dataclass
class Load:
    """Who texted for what, and how long each webhook took."""

    asked: list[tuple[str, Film]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def add(self, number: int) -> tuple[str, str, Film]:
        """Return SID, person and film of the text of this number; every third film is shared."""
        film = made_up(number - 1 if number % 3 == 2 else number)
        person = f"+1202{5550000 + number:07d}"
        self.asked.append((person, film))
        return f"SM{number + 1:032x}", person, film


def play(
    folder: Path, plan: Plan, *, chance: random.Random, report: Report, judge_times: bool
) -> None:
    """Run the stack under load and blows, and judge it."""
    world = World(Ledger(folder / f"{plan.name}-ledger"), lambda: datetime.now(UTC))
    world.listed_after = timedelta(seconds=1)
    load = Load()
    with Servers(world) as servers, Stack(folder, servers) as stack:
        time.sleep(3)  # the monitor has looked at Twilio's list
        blows = (
            Nuisances(stack, chance) if plan.nuisances else Killer(stack, plan.kills_every, chance)
        )
        with _radarr_at_work(servers):
            with blows:
                _text_all(stack, servers, load, plan, lambda: not blows.database_locked)
            recovery = _wait_for_all(servers, load, plan)
            time.sleep(plan.afterwards if recovery is not None else 0)
    with servers.lock:
        world.record("end", unsettled=[], rounds=0, library=[])
        verdict = _judged(list(world.ledger.entries()), load)
    if recovery is None and (pending := stack.pending()):
        # Too slow, and nothing says that it is lost: a matter of time, judged as such.
        report.note(f"{plan.name} still on its way", pending)
        verdict.lost.clear()
    report.add(Finding(plan.name, plan.promises, vars(verdict), len(load.asked)))
    report.note(f"{plan.name} texts", len(load.asked))
    for what, count in blows.counts.items():
        report.note(what, count)
    late = plan.patience if recovery is None else recovery
    report.time(f"{plan.name}: recovery after the last blow", late, 60, judged=judge_times)
    for percent, limit in ((50, 0.3), (99, 1.0)):
        name = f"{plan.name}: webhook p{percent}"
        judged = judge_times and plan.nuisances  # a kill may take any webhook with it
        report.time(name, _percentile(load.seconds, percent), limit, judged=judged)


# --- The load -----------------------------------------------------------------------------------


def _text_all(
    stack: Stack, servers: Servers, load: Load, plan: Plan, counts: Callable[[], bool]
) -> None:
    """Text at a steady rate from threads, so that a slow answer holds up nobody.

    How long an answer took is noted where it `counts`: a locked database answers 503, late.
    """
    began = time.monotonic()
    threads = []
    for number in range(plan.texts):
        time.sleep(max(0.0, began + number / plan.rate - time.monotonic()))
        sid, person, film = load.add(number)
        body = f"Can you get {film.title} for me?"
        with servers.lock:
            servers.world.record("text", sid=sid, sender=person, body=body)
        thread = threading.Thread(
            target=_post, args=(stack, servers, load, sid, person, body, counts), daemon=True
        )
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join(20)


def _post(
    stack: Stack,
    servers: Servers,
    load: Load,
    sid: str,
    person: str,
    body: str,
    counts: Callable[[], bool],
) -> None:
    """Post a webhook as Twilio does: once more after a lost connection, then no more."""
    form = webhook_form(sid, person, body)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Twilio-Signature": sign(stack.url, "/api/sms/webhook", form),
    }
    for _ in range(2):
        began = time.monotonic()
        try:
            connection = http.client.HTTPConnection(urlsplit(stack.url).netloc, timeout=15)
            connection.request("POST", "/api/sms/webhook", urlencode(form), headers)
            status = connection.getresponse().status
            connection.close()
        except (OSError, http.client.HTTPException):
            continue
        if status == 200:
            if counts():
                load.seconds.append(time.monotonic() - began)
            with servers.lock:
                servers.world.record("answered", sid=sid)
        return


class _radarr_at_work:  # noqa: N801  (used as a `with`)
    """Radarr's own life: what is added is grabbed after a while, and imported after another."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()

    def _work(self) -> None:
        seen: dict[int, float] = {}
        while not self._ended.wait(0.5):
            with self._servers.lock:
                self._advance(seen)

    def _advance(self, seen: dict[int, float]) -> None:
        world, now = self._servers.world, time.monotonic()
        busy = {item["movieId"] for item in world.queue.values()}
        for movie in list(world.movies.values()):
            age = now - seen.setdefault(movie["id"], now)
            if age > 4 and movie["id"] in busy:
                world.finish(movie["tmdbId"])
            elif age > 1.5 and movie["id"] not in busy and not movie["hasFile"]:
                world.grab(movie["tmdbId"])


# --- The judge ----------------------------------------------------------------------------------


def _wait_for_all(servers: Servers, load: Load, plan: Plan) -> float | None:
    """Wait until everybody was told the end; return how long it took, None when it did not."""
    began = time.monotonic()
    while time.monotonic() < began + plan.patience:
        with servers.lock:
            ends = {(t.person, t.film) for t in map(told, servers.world.sent) if t.kind in _ENDED}
        if all((person, film.name) in ends for person, film in load.asked):
            return time.monotonic() - began
        time.sleep(0.5)
    return None


def _judged(entries: list[dict[str, object]], load: Load) -> Verdict:
    texts = [told(entry) for entry in entries if entry["kind"] == "create"]
    by_person: dict[str, list[Told]] = {}
    for text in texts:
        by_person.setdefault(text.person, []).append(text)
    expected: list[Expect] = []
    for person, film in load.asked:
        expected += _expected(person, film, by_person.get(person, []))
    adds = {film.tmdb_id: 1 for _, film in load.asked}
    return judge(entries, expected, adds=adds)


def _expected(person: str, film: Film, had: Sequence[Told]) -> list[Expect]:
    """Return what a person must have been told of a film that has arrived."""
    at_once = any(text.kind == "available" for text in had)
    name = film.name
    return [
        Expect(person, ANSWERS, name, answers=True),
        Expect(person, frozenset({"started"}), name, least=0),
        Expect(person, frozenset({"completed"}), name, int(not at_once), int(not at_once)),
        Expect(person, frozenset({"holding"}), least=0),
    ]


def _percentile(values: Sequence[float], percent: int) -> float:
    if not values:
        return float("inf")
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, len(ranked) * percent // 100)]

"""The real stack under load and blows, then a drain, and the judge.

People text over HTTP, each for a film of their own or one shared by two; the stand-in Radarr
fetches what is added within seconds; meanwhile processes are killed or paused, services are sick,
Redis and the database are troubled. What must come of it follows from who asked for what.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from tests.chaos.catalogue import Film
from tests.chaos.ledger import Entry, Ledger
from tests.chaos.load import Load, Texting, percentile, radarr_at_work, twilio_reporting
from tests.chaos.model import ANSWERS, Expect, Told, Verdict, given_up, judge, told
from tests.chaos.report import Finding, Report
from tests.chaos.servers import Servers
from tests.chaos.stack import QUICK_RHYTHM, RHYTHM, Stack
from tests.chaos.standins import World

_ENDED = ("completed", "available", "status", "apology")
RECOVERY = 60
"""Seconds after the last blow within which all that we accepted must be told to its end."""
MISSED = 120
"""And all that we missed, which is fetched from Twilio's list."""
SICK, HUNG = 0.3, 1.0
"""Seconds for a webhook's answer at the 99th percentile, while a service is sick or Redis hangs."""


class Blows(Protocol):
    """What is done to the stack while it is entered."""

    counts: Counter[str]

    @property
    def trouble(self) -> str:
        """Name what is going on now, "" for nothing."""

    @property
    def enough(self) -> bool:
        """Whether everything was dealt that was to be dealt."""

    def __enter__(self) -> object: ...

    def __exit__(self, *_: object) -> None: ...


Deal = Callable[[Stack, Servers, random.Random], Blows]


@dataclass(frozen=True)
class Plan:
    """How long and how hard: texts at a rate, what is dealt, and patience afterwards."""

    name: str
    promises: tuple[str, ...]
    deal: Deal
    texts: int  # at least, and until everything was dealt
    rate: float  # a second
    longest: float = 420  # seconds of texting, whatever was dealt by then
    patience: float = 130  # for everything to be told after the last blow
    afterwards: float = 5  # and then, for what would be told twice
    monitors: int = 1
    scaled: bool = False  # leases and sweeps scaled down too; else they are the product's own
    judge_times: bool = False


def play(folder: Path, plan: Plan, *, chance: random.Random, report: Report) -> None:
    """Run the stack under load and blows, and judge it."""
    world = World(Ledger(folder / f"{plan.name}-ledger"), lambda: datetime.now(UTC))
    world.listed_after = timedelta(seconds=1)
    load = Load()
    rhythm = QUICK_RHYTHM if plan.scaled else RHYTHM
    with (
        Servers(world) as servers,
        Stack(folder, servers, rhythm, monitors=plan.monitors) as stack,
        radarr_at_work(servers),
        twilio_reporting(stack.url, servers, chance),
    ):
        time.sleep(3)  # the monitor has looked at Twilio's list
        ends = time.monotonic() + plan.longest
        blows = plan.deal(stack, servers, chance)
        with blows:
            Texting(stack.url, servers, load, lambda: blows.trouble).run(
                plan.rate,
                lambda n: time.monotonic() < ends and (n < plan.texts or not blows.enough),
            )
        recovery = _wait_for_all(stack, servers, load, plan)
        time.sleep(plan.afterwards if recovery["told"] is not None else 0)
    with servers.lock:
        world.record("end", unsettled=[], rounds=0, library=[], excused=stack.excused())
        entries = list(world.ledger.entries())
    verdict = _judged(entries, load)
    report.note("texts given up", len(given_up(entries)))
    _report(plan, load, blows, recovery, verdict, stack.pending(), report)


def _report(
    plan: Plan,
    load: Load,
    blows: Blows,
    recovery: dict[str, float | None],
    verdict: Verdict,
    pending: int,
    report: Report,
) -> None:
    if recovery["told"] is None and pending:
        # Too slow, and nothing says that it is lost: a matter of time, judged as such.
        report.note(f"{plan.name} still on its way", pending)
        verdict.lost.clear()
    report.add(Finding(plan.name, plan.promises, vars(verdict), len(load.asked)))
    report.note(f"{plan.name} texts", len(load.asked))
    for what, count in blows.counts.items():
        report.note(what, count)
    for what, limit in (("accepted", RECOVERY), ("told", MISSED)):
        took = recovery[what]
        late = plan.patience if took is None else took
        name = f"{plan.name}: all {what} texts told after the last blow"
        report.time(name, late, limit, judged=plan.judge_times)
    _report_webhooks(plan, load, report)


def _report_webhooks(plan: Plan, load: Load, report: Report) -> None:
    """Times at the 99th percentile; those in trouble are judged, beside those in peace."""
    control = percentile(load.seconds("none"), 99)
    for name, beginnings, limit, judged in (
        ("in peace", ("none",), SICK, False),
        ("a service sick", ("sick",), SICK, True),
        ("Redis hangs", ("redis hung",), HUNG, True),
        ("Redis in other trouble", ("redis f", "redis r"), HUNG, True),
        ("disk or database in trouble", ("database", "disk"), HUNG, False),
    ):
        seconds = load.seconds(*beginnings)
        if seconds:
            report.note(f"webhooks with {name}", len(seconds))
            report.webhooks(
                f"{plan.name}: webhook p99, {name}",
                percentile(seconds, 99),
                limit,
                control=control,
                judged=judged and plan.judge_times,
            )


# --- The judge ----------------------------------------------------------------------------------


def _wait_for_all(
    stack: Stack, servers: Servers, load: Load, plan: Plan
) -> dict[str, float | None]:
    """Wait until everybody was told the end; return how long it took, None when it did not.

    `accepted` are those whose webhook we had answered, `told` is everybody.
    """
    began = time.monotonic()
    took: dict[str, float | None] = {"accepted": None, "told": None}
    while time.monotonic() < began + plan.patience and took["told"] is None:
        with servers.lock:
            ends = {(t.person, t.film) for t in map(told, servers.world.sent) if t.kind in _ENDED}
        waiting = {who for who, film in load.asked if (who, film.name if film else "") not in ends}
        waiting -= {person for person, kind in stack.excused() if kind in _ENDED}
        if took["accepted"] is None and not waiting & load.answered:
            took["accepted"] = time.monotonic() - began
        if not waiting:
            took["told"] = time.monotonic() - began
        time.sleep(0.5)
    return took


def _judged(entries: list[Entry], load: Load) -> Verdict:
    texts = [told(entry) for entry in entries if entry["kind"] == "create"]
    by_person: dict[str, list[Told]] = {}
    for text in texts:
        by_person.setdefault(text.person, []).append(text)
    expected: list[Expect] = []
    for person, film in load.asked:
        expected += _expected(person, film, by_person.get(person, []))
    adds = {film.tmdb_id: 1 for _, film in load.asked if film}
    return judge(entries, expected, adds=adds)


def _expected(person: str, film: Film | None, had: Sequence[Told]) -> list[Expect]:
    """Return what a person must have been told: of a film that has arrived, or how things are."""
    holding = Expect(person, frozenset({"holding"}), least=0)
    if film is None:
        return [Expect(person, frozenset({"status"}), answers=True), holding]
    at_once = any(text.kind == "available" for text in had)
    name = film.name
    return [
        Expect(person, ANSWERS, name, answers=True),
        Expect(person, frozenset({"started"}), name, least=0),
        Expect(person, frozenset({"completed"}), name, int(not at_once), int(not at_once)),
        holding,
    ]

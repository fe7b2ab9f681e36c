"""What `--quick` and `--full` do, and how much of each they must have done to count."""

import json
import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType

from tests.chaos import live
from tests.chaos.dependencies import cases
from tests.chaos.enumeration import Effort, enumerate_crashes, try_dependencies
from tests.chaos.killer import Killer
from tests.chaos.nuisance import Nuisances
from tests.chaos.pauses import Pauses
from tests.chaos.report import PROMISES, Report, say
from tests.chaos.scenarios import QUICK, SCENARIOS
from tests.chaos.servers import FAULTS, SERVICES

QUICK_MINIMUM = {"P1": 1500, "P2": 400, "P3": 400, "P4": 500, "P5": 2000, "P6": 400, "P7": 500}
_KILLS, _PAUSES, _TEXTS, _OF_REDIS, _TIMES = 300, 100, 2000, 10, 3
_NO_TRIALS = dict.fromkeys(PROMISES, 0)
_MINIMUM: dict[str, dict[str, int]] = {
    "crashes": {
        "P1": 9000,
        "P2": 2500,
        "P3": 3000,
        "P4": 4000,
        "P5": 6000,
        "P6": 3000,
        "P7": 5000,
        "kills": 300,
        "kills below": 100,
        # All that the scenarios run; far fewer would mean that the harness no longer sees them.
        "lines as crash points": 60_000,
        "lines below as crash points": 4_000_000,
        "kills in the restart too": 100,
        "clock jumps": 60,
    },
    "sick": {f"{service} sick": len(FAULTS) * _TIMES for service in SERVICES},
    "pauses": {"leader pauses": _PAUSES},
    "kills": {"kills of processes": _KILLS, "live texts": _TEXTS},
    "troubles": {
        "services sick live": len(SERVICES) * len(FAULTS),
        "redis flushed": _OF_REDIS,
        "redis restarted": _OF_REDIS,
        "redis read-only": _OF_REDIS,
        "redis full": _OF_REDIS,
        "redis hung": _OF_REDIS,
        "database locked": _OF_REDIS,
        "disk full": _OF_REDIS,
    },
}


def full_minimum(parts: Sequence[str]) -> dict[str, int]:
    """Return what these parts of `--full` must have done to count."""
    return _NO_TRIALS | {what: n for part in parts for what, n in _MINIMUM[part].items()}


HARD_STOP = 20 * 60
_LINES_END = 400
"""Seconds: what the enumeration has not begun by then is left out, and fails the run."""
_ASKED = ("P1", "P2", "P3", "P4", "P5")


def quick(folder: Path, chance: random.Random, report: Report) -> None:
    """Crash points of the main scenarios, some sick services, and a short live run beside them."""
    began, slack = time.monotonic(), _slack()
    plan = live.Plan(
        "live",
        _ASKED,
        lambda stack, _, chance: Killer(stack, chance, every=1.0),
        texts=40,
        rate=4,
        longest=20 * slack,
        patience=40 * slack,
        scaled=True,
    )
    some = chance.sample(cases(_TIMES), 12)
    with Beside(folder, plan.name, chance, _playing(plan)) as beside:
        effort = Effort(QUICK, kills=1, below=1, again=1, clock=1)
        enumerate_crashes(folder, effort, chance=chance, report=report, ends=began + 80 * slack)
        try_dependencies(folder, some, effort, report=report, ends=began + 95 * slack)
        report.merge(beside.wait())


def _slack() -> float:
    """Return how much longer a busy machine may take, so that it does as much as a quiet one."""
    return min(5.0, max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)))


def full(folder: Path, chance: random.Random, report: Report, parts: Sequence[str]) -> None:
    """Everything. Where times are judged nothing else runs; the rest runs side by side."""
    began = time.monotonic()
    matrix = cases(_TIMES)
    chance.shuffle(matrix)

    def try_all(part: Path, _: random.Random, report: Report) -> None:
        effort = Effort((), workers=5, first_worker=4)  # they mostly wait
        try_dependencies(part, matrix, effort, report=report, ends=began + _LINES_END + 60)

    beside = {"sick": try_all, "pauses": _playing(_PAUSED)}
    with ExitStack() as running:
        others = [
            running.enter_context(Beside(folder, name, chance, work))
            for name, work in beside.items()
            if name in parts
        ]
        if "crashes" in parts:
            effort = Effort(tuple(SCENARIOS), below=5, again=5, clock=7, lines=320, workers=4)
            ends = began + _LINES_END
            enumerate_crashes(folder, effort, chance=chance, report=report, ends=ends)
            say(f"{time.monotonic() - began:4.0f} s: the lines were judged as crash points")
        for other in others:
            report.merge(other.wait())
    for name, plan in (("kills", _KILLED), ("troubles", _TROUBLED)):
        if name in parts:
            say(f"{time.monotonic() - began:4.0f} s: live, {plan.name}")
            part = folder / name
            part.mkdir()
            live.play(part, plan, chance=chance, report=report)


_PAUSED = live.Plan(
    "paused",
    ("P4", "P5"),
    lambda stack, _, chance: Pauses(stack, chance, times=_PAUSES),
    texts=200,
    rate=2,
    longest=400,
    monitors=2,
)
_KILLED = live.Plan(
    "live",
    _ASKED,
    lambda stack, _, chance: Killer(stack, chance, every=1.1, times=_KILLS),
    texts=_TEXTS,
    rate=6,
    longest=360,
    judge_times=True,
)
_TROUBLED = live.Plan(
    "troubled",
    ("P6", "P7", "P4"),
    lambda stack, servers, chance: Nuisances(stack, servers, chance, times=_OF_REDIS),
    texts=600,
    rate=4,
    longest=260,
    judge_times=True,
)


def _playing(plan: live.Plan) -> Callable[[Path, random.Random, Report], None]:
    def play(part: Path, chance: random.Random, report: Report) -> None:
        live.play(part, plan, chance=chance, report=report)

    return play


class Beside:
    """A part of a run in a fork of its own, which ends with us at the latest."""

    def __init__(
        self,
        folder: Path,
        name: str,
        chance: random.Random,
        work: Callable[[Path, random.Random, Report], None],
    ) -> None:
        self._part = folder / name
        self._part.mkdir()
        self._path = self._part / "findings.json"
        self._pid = 0
        self._seed = chance.randrange(10**6)
        self._work = work

    def __enter__(self) -> "Beside":
        self._pid = os.fork()
        if self._pid:
            return self
        code = 1
        try:
            report = Report({})
            self._work(self._part, random.Random(self._seed), report)
            self._path.write_text(json.dumps(report.as_data()))
            code = 0
        except Exception:
            report = Report({})
            report.broken(self._part.name)
            self._path.write_text(json.dumps(report.as_data()))
        finally:
            os._exit(code)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pid:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGTERM)
            self.wait()

    def wait(self) -> dict[str, object]:
        """Return what was found, when it has ended; nothing if it was ended."""
        if self._pid:
            os.waitpid(self._pid, 0)
            self._pid = 0
        return json.loads(self._path.read_text()) if self._path.exists() else {}

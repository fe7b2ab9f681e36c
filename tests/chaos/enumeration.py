"""All points of all scenarios: every line by pictures, and a seeded sample of real blows."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.chaos import dependencies
from tests.chaos.crashpoints import Enumerator, Point
from tests.chaos.dependencies import Case
from tests.chaos.report import Finding, Report
from tests.chaos.scenarios import CLOCK, JUMPS, SCENARIOS
from tests.chaos.tracing import Line, Picture, Reel
from tests.chaos.workers import spread

_HARMLESS = "ask"
"""The scenario that warms up the process which forks: it has no fault that a breaker would keep."""
_LINES_OF_A_RESTART = 600
_DEALT = {"kill": "killed", "below": "killed", "again": "killed", "clock": "clock put off"}
_BLOWS = {
    "kill": "kills",
    "below": "kills below",
    "again": "kills in the restart too",
    "clock": "clock jumps",
}

T = TypeVar("T")


@dataclass(frozen=True)
class Effort:
    """How much to do: which scenarios, and how many blows of each kind in each of them."""

    scenarios: Sequence[str]
    kills: int = 0
    below: int = 0
    again: int = 0
    clock: int = 0
    lines: int = 0  # of all source lines that any scenario executes: a kill at each
    workers: int = 2
    first_worker: int = 0  # each has a database of Redis of this number


class _Crew:
    """Workers with an enumerator each, who take jobs until the time is over."""

    def __init__(
        self, folder: Path, effort: Effort, ends: float, mutate: Callable[[], None] | None = None
    ) -> None:
        numbers = range(effort.first_worker, effort.first_worker + effort.workers)
        self.enumerators = [Enumerator(folder, worker=n, mutate=mutate) for n in numbers]
        self._folder = folder
        self._ends = ends
        self.enumerators[0].warm_up(_HARMLESS)

    def each(self, jobs: Sequence[T], work: Callable[[Enumerator, T], Any]) -> list[tuple[T, Any]]:
        """Return every job that was done with its result, as JSON can carry it."""
        return spread(
            jobs,
            lambda worker, job: work(self.enumerators[worker], job),
            workers=len(self.enumerators),
            folder=self._folder,
            ends=self._ends,
        )


def enumerate_crashes(
    folder: Path,
    effort: Effort,
    *,
    chance: random.Random,
    report: Report,
    ends: float,
    mutate: Callable[[], None] | None = None,
) -> None:
    """Play and judge; stop early at `ends` (of `time.monotonic()`), and let the report say so.

    What is dealt seldom comes first, and what is done as far as the time goes comes last.
    """
    crew = _Crew(folder, effort, ends, mutate)
    reels = {name: Reel.of_data(data) for name, data in crew.each(effort.scenarios, _film)}
    blows = [point for name, reel in reels.items() for point in _blows(name, reel, effort, chance)]
    states = [picture for reel in reels.values() for picture in reel.pictures]
    lines = _each_line(reels)
    chance.shuffle(blows)
    chance.shuffle(states)
    last = chance.sample(lines, min(effort.lines, len(lines)))
    queue: list[Point | Picture] = [*blows, *states, *last]
    for job, (struck, verdict) in crew.each(queue, _play):
        _note(job, struck, verdict, report)
    report.note("states of all scenarios", len(states))
    if effort.lines and report.counted("states") < len(states):
        report.add(Finding("states", ("P1",), {"other": ["not every line's state was judged"]}))


def _film(enumerator: Enumerator, name: str) -> list[Any]:
    return enumerator.film(name).as_data()


def _play(enumerator: Enumerator, job: Point | Picture) -> list[Any]:
    trial = enumerator.develop(job) if isinstance(job, Picture) else enumerator.trial(job)
    return [trial.struck, vars(trial.verdict)]


def _note(
    job: Point | Picture, struck: bool, verdict: Mapping[str, list[str]], report: Report
) -> None:
    """Count a trial: that of a picture as many times as there are lines of ours in it."""
    if isinstance(job, Point):
        report.add(Finding(str(job), _promises(job), verdict, int(struck)))
        report.note(_BLOWS[job.blow], int(struck))
        return
    point = Point.of(job)
    report.add(Finding(str(point), _promises(point), verdict, job.lines_of_ours))
    report.note("states", 1)
    report.note("lines as crash points", job.lines_of_ours)
    report.note("lines below as crash points", job.lines - job.lines_of_ours)


def try_dependencies(
    folder: Path, cases: Sequence[Case], effort: Effort, *, report: Report, ends: float
) -> None:
    """Play sick services, and judge; stop early at `ends`. Only a fault that was met counts."""
    crew = _Crew(folder, effort, ends)
    dependencies.warm_up()

    def one(enumerator: Enumerator, case: Case) -> list[object]:
        met, verdict = dependencies.play(enumerator, case)
        return [met, vars(verdict)]

    for case, (met, verdict) in crew.each(cases, one):
        service, fault, number = case
        report.add(Finding(f"sick:{service}:{fault}:{number}", ("P7",), verdict, int(met)))
        report.note(f"{service} sick", int(met))


def _blows(name: str, reel: Reel, effort: Effort, chance: random.Random) -> list[Point]:
    """Choose where to strike in a scenario: at lines of ours, and at lines below."""

    def chosen(count: int) -> list[int]:
        return sampled(reel.lines_of_ours, count, chance)

    points = [Point(name, n) for n in chosen(effort.kills)]
    points += [Point(name, n, "below") for n in sampled(reel.lines, effort.below, chance)]
    points += [
        Point(name, n, "again", chance.randrange(1, _LINES_OF_A_RESTART))
        for n in chosen(effort.again)
    ]
    if name in CLOCK:
        points += [Point(name, n, "clock", chance.choice(JUMPS)) for n in chosen(effort.clock)]
    return points


def _each_line(reels: Mapping[str, Reel]) -> list[Point]:
    """Return a point for every line of ours that any scenario executes, in the first that does."""
    points: dict[Line, Point] = {}
    for name, reel in reels.items():
        for line, n in reel.firsts.items():
            points.setdefault(line, Point(name, n))
    return list(points.values())


def sampled(total: int, count: int, chance: random.Random) -> list[int]:
    """Return `count` of the numbers from 1 to `total`, or all of them."""
    return sorted(chance.sample(range(1, total + 1), min(count, total)))


def _promises(point: Point) -> tuple[str, ...]:
    return tuple(SCENARIOS[point.scenario].promises.split())


def replay(folder: Path, point: Point) -> list[str]:
    """Play one point again with its blow; return what to print."""
    enumerator = Enumerator(folder)
    enumerator.warm_up(_HARMLESS)
    lines = enumerator.lines(point.scenario, below=point.below)
    where = lines[point.n - 1] if 0 < point.n <= len(lines) else ("after the last line", 0)
    began = time.monotonic()
    trial = enumerator.trial(point)
    return [
        f"{point}: {_DEALT[point.blow]} at {where[0]}:{where[1]}; Twilio then: {point.retries}",
        *enumerator.story(),
        f"{'PASS' if trial.verdict.passed else 'FAIL'} {trial.verdict}"
        f" ({time.monotonic() - began:.1f} s)",
    ]

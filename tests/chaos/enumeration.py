"""All points of all scenarios: pictures of every line, and a seeded sample of real kills."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from tests.chaos import dependencies
from tests.chaos.crashpoints import Enumerator, Point
from tests.chaos.dependencies import Case
from tests.chaos.report import Finding, Report
from tests.chaos.scenarios import CLOCK, JUMPS, SCENARIOS
from tests.chaos.tracing import Line, Picture
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
    each_line: bool = False  # a real kill at every source line, once
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
    """Play and judge; stop early at `ends` (of `time.monotonic()`), and let the report say so."""
    crew = _Crew(folder, effort, ends, mutate)
    _look(crew, effort, chance, report)
    _strike(crew, _points(crew, effort, chance), report)


def _look(crew: _Crew, effort: Effort, chance: random.Random, report: Report) -> None:
    """Every line of ours as a crash point, by the states that it leaves."""

    def look(enumerator: Enumerator, name: str) -> list[tuple[int, int, str]]:
        return [(one.first, one.last, str(one.folder)) for one in enumerator.pictures(name)]

    def develop(enumerator: Enumerator, picture: Picture) -> dict[str, list[str]]:
        return vars(enumerator.develop(picture).verdict)

    pictures = [
        Picture(name, first, last, Path(place))
        for name, rows in crew.each(effort.scenarios, look)
        for first, last, place in rows
    ]
    chance.shuffle(pictures)
    for picture, verdict in crew.each(pictures, develop):
        point = Point(picture.scenario, picture.first)
        lines = picture.last - picture.first + 1
        report.add(Finding(str(point), _promises(point), verdict, lines))
        report.note("states", 1)
        report.note("lines as crash points", lines)
    report.note("states of all scenarios", len(pictures))
    if effort.each_line and report.counted("states") < len(pictures):
        report.add(Finding("states", ("P1",), {"other": ["not every line's state was judged"]}))


def _strike(crew: _Crew, points: Sequence[Point], report: Report) -> None:
    """The blows themselves, at a sample of lines."""

    def play(enumerator: Enumerator, point: Point) -> list[object]:
        trial = enumerator.trial(point)
        return [trial.struck, vars(trial.verdict)]

    for point, (struck, verdict) in crew.each(points, play):
        report.add(Finding(str(point), _promises(point), verdict, int(struck)))
        report.note(_BLOWS[point.blow], int(struck))


def try_dependencies(
    folder: Path, cases: Sequence[Case], effort: Effort, *, report: Report, ends: float
) -> None:
    """Play sick services, and judge; stop early at `ends`. Only a fault that was met counts."""
    crew = _Crew(folder, effort, ends)
    import_module("openai")  # which takes a second, in each fork if not here

    def one(enumerator: Enumerator, case: Case) -> list[object]:
        met, verdict = dependencies.play(enumerator, case)
        return [met, vars(verdict)]

    for case, (met, verdict) in crew.each(cases, one):
        service, fault, number = case
        report.add(Finding(f"sick:{service}:{fault}:{number}", ("P7",), verdict, int(met)))
        report.note(f"{service} sick", int(met))


def _points(crew: _Crew, effort: Effort, chance: random.Random) -> list[Point]:
    """Choose where to strike: lines of ours and lines below, of each scenario."""

    def count(enumerator: Enumerator, job: tuple[str, bool]) -> int:
        return enumerator.count(job[0], below=job[1])

    ours = effort.kills or effort.again or effort.clock
    kinds = [False] * bool(ours) + [True] * bool(effort.below)
    points: list[Point] = []
    for (name, below), total in crew.each([(n, k) for n in effort.scenarios for k in kinds], count):
        if below:
            points += [Point(name, n, "below") for n in sampled(total, effort.below, chance)]
        else:
            points += _points_of_ours(name, total, effort, chance)
    chance.shuffle(points)
    if effort.each_line:  # last: they are for when there is time
        lines = _each_line(crew.enumerators[0], effort.scenarios)
        points += chance.sample(lines, len(lines))
    return points


def _points_of_ours(name: str, total: int, effort: Effort, chance: random.Random) -> list[Point]:
    points = [Point(name, n) for n in sampled(total, effort.kills, chance)]
    points += [
        Point(name, n, "again", chance.randrange(1, _LINES_OF_A_RESTART))
        for n in sampled(total, effort.again, chance)
    ]
    if name in CLOCK:
        points += [
            Point(name, n, "clock", chance.choice(JUMPS))
            for n in sampled(total, effort.clock, chance)
        ]
    return points


def _each_line(enumerator: Enumerator, scenarios: Sequence[str]) -> list[Point]:
    """Return a point for every line of ours that any scenario executes."""
    seen: set[Line] = set()
    return [
        Point(name, n) for name in scenarios for n in _first_times(enumerator.lines(name), seen)
    ]


def _first_times(lines: Sequence[Line], seen: set[Line]) -> set[int]:
    """Return where lines are executed that no scenario before has executed; note them as seen."""
    numbers = set()
    for number, line in enumerate(lines, start=1):
        if line not in seen:
            seen.add(line)
            numbers.add(number)
    return numbers


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

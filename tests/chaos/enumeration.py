"""All points of all scenarios: pictures of every line, and a seeded sample of real kills."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos import dependencies
from tests.chaos.crashpoints import Enumerator, Point
from tests.chaos.dependencies import Case
from tests.chaos.report import Finding, Report
from tests.chaos.scenarios import SCENARIOS
from tests.chaos.tracing import Line, Picture
from tests.chaos.workers import spread

_HARMLESS = "ask"
"""The scenario that warms up the process which forks: it has no fault that a breaker would keep."""


@dataclass(frozen=True)
class Effort:
    """How much to do: which scenarios, and how many real kills of each of them."""

    scenarios: Sequence[str]
    kills: int
    kills_below: int
    each_line: bool = False  # a real kill at every source line, once
    workers: int = 2


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
    enumerators = [
        Enumerator(folder, worker=worker, mutate=mutate) for worker in range(effort.workers)
    ]
    enumerators[0].warm_up(_HARMLESS)

    def look(worker: int, name: str) -> list[tuple[int, int, str]]:
        pictures = enumerators[worker].pictures(name)
        return [(one.first, one.last, str(one.folder)) for one in pictures]

    def develop(worker: int, picture: Picture) -> dict[str, list[str]]:
        return vars(enumerators[worker].develop(picture).verdict)

    def kill(worker: int, point: Point) -> list[object]:
        trial = enumerators[worker].trial(point)
        return [trial.killed, vars(trial.verdict)]

    def count(worker: int, job: tuple[str, bool]) -> int:
        return enumerators[worker].count(job[0], below=job[1])

    def play(jobs: Sequence[Any], work: Callable[[int, Any], object]) -> list[tuple[Any, Any]]:
        return spread(jobs, work, workers=effort.workers, folder=folder, ends=ends)

    kinds = [False] * bool(effort.kills) + [True] * bool(effort.kills_below)
    lengths = play([(name, below) for name in effort.scenarios for below in kinds], count)
    points = _kills(lengths, effort, chance)
    if effort.each_line:
        points += _each_line(enumerators[0], effort.scenarios)
    chance.shuffle(points)
    for point, (killed, verdict) in play(points, kill):
        report.add(Finding(str(point), _promises(point), verdict, int(killed)))
        report.note("kills below" if point.below else "kills", int(killed))

    pictures = [
        Picture(name, first, last, Path(place))
        for name, rows in play(effort.scenarios, look)
        for first, last, place in rows
    ]
    chance.shuffle(pictures)
    for picture, verdict in play(pictures, develop):
        point = Point(picture.scenario, picture.first)
        lines = picture.last - picture.first + 1
        report.add(Finding(str(point), _promises(point), verdict, lines))
        report.note("states", 1)
    report.note("states of all scenarios", len(pictures))


def try_dependencies(
    folder: Path, cases: Sequence[Case], *, report: Report, ends: float, workers: int = 2
) -> None:
    """Play sick services, and judge; stop early at `ends`."""
    enumerators = [Enumerator(folder, worker=worker) for worker in range(workers)]

    def one(worker: int, case: Case) -> dict[str, list[str]]:
        return vars(dependencies.play(enumerators[worker], case))

    for case, verdict in spread(cases, one, workers=workers, folder=folder, ends=ends):
        service, fault, number = case
        report.add(Finding(f"sick:{service}:{fault}:{number}", ("P7",), verdict))
        report.note("sick services", 1)


def _kills(
    lengths: Sequence[tuple[tuple[str, bool], int]], effort: Effort, chance: random.Random
) -> list[Point]:
    """Choose the points of real kills: some of ours and some below, of each scenario."""
    return [
        Point(name, n, below)
        for (name, below), total in lengths
        for n in sampled(total, effort.kills_below if below else effort.kills, chance)
    ]


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
    """Play one point again with a real kill; return what to print."""
    enumerator = Enumerator(folder)
    enumerator.warm_up(_HARMLESS)
    lines = enumerator.lines(point.scenario, below=point.below)
    where = lines[point.n - 1] if 0 < point.n <= len(lines) else ("after the last line", 0)
    began = time.monotonic()
    trial = enumerator.trial(point)
    return [
        f"{point}: killed at {where[0]}:{where[1]}, Twilio's webhooks: {point.retries}",
        *enumerator.story(),
        f"{'PASS' if trial.verdict.passed else 'FAIL'} {trial.verdict}"
        f" ({time.monotonic() - began:.1f} s)",
    ]

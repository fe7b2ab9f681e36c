"""`python -m tests.chaos`: run the harness, or replay one of its counter-examples."""

import argparse
import random
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.chaos import stage
from tests.chaos.databases import database
from tests.chaos.report import PARTS, Report, say


def main(arguments: list[str]) -> int:
    """Do what the command line says; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--quick", action="store_true", help="at most 2 minutes; judges no times")
    which.add_argument(
        "--full",
        nargs="*",
        choices=PARTS,
        metavar="PART",
        help=f"at most 20 minutes; on a slow machine by parts: {', '.join(PARTS)}",
    )
    which.add_argument("--mutants", action="store_true", help="plant bugs; each must be caught")
    which.add_argument(
        "--replay", metavar="SCENARIO:N[:BLOW[:DETAIL]]", help="play one crash point again"
    )
    parser.add_argument("--seed", type=int, default=None, help="repeat the choices of a run")
    options = parser.parse_args(arguments)
    seed = random.randrange(10**6) if options.seed is None else options.seed
    signal.signal(signal.SIGALRM, _time_is_over)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # with the scratch folder removed
    with _scratch() as folder:
        stage.set_up(folder)
        with stage.redis_server(), database.made_ready(folder):
            if options.replay:
                return _replay(folder, options.replay)
            say(f"seed {seed}")
            if options.mutants:
                return _mutants(folder, seed)
            return _run(folder, seed, None if options.full is None else options.full or PARTS)


class TimeIsOver(Exception):
    """The hard stop: what was found until then is still told."""


def _time_is_over(*_: object) -> None:
    raise TimeIsOver


@contextmanager
def _scratch() -> Iterator[Path]:
    folder = stage.scratch()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _replay(folder: Path, text: str) -> int:
    from tests.chaos.crashpoints import Point
    from tests.chaos.enumeration import replay

    *story, verdict = replay(folder, Point.parse(text))
    for line in story:
        say(line)
    say(verdict)
    return 0 if verdict.startswith("PASS") else 1


def _mutants(folder: Path, seed: int) -> int:
    from tests.chaos.mutants import catch_all

    return 0 if catch_all(folder, random.Random(seed)) else 1


def _run(folder: Path, seed: int, parts: Sequence[str] | None) -> int:
    """Run these parts of `--full`, or `--quick` for None."""
    from tests.chaos import runs

    began, chance = time.monotonic(), random.Random(seed)
    report = Report(runs.QUICK_MINIMUM if parts is None else runs.full_minimum(parts))
    in_time = True
    try:
        if parts is None:
            runs.quick(folder, chance, report)
        else:
            signal.alarm(runs.HARD_STOP)
            runs.full(folder, chance, report, parts)
    except TimeIsOver:
        in_time = False
        say("not done when the time was over; until then:")
    finally:
        signal.alarm(0)
    passed = report.print() and in_time
    mode = "--quick" if parts is None else " ".join(["--full", *parts])
    say(
        f"{time.monotonic() - began:.0f} s; repeat with: python -m tests.chaos {mode} --seed {seed}"
    )
    if report.failures:
        say("replay one with: python -m tests.chaos --replay NAME")
    say("PASS" if passed else "FAIL")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

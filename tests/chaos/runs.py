"""What `--quick` and `--full` do, and how many trials they must have to count."""

import json
import os
import random
import time
from pathlib import Path

from tests.chaos import live
from tests.chaos.dependencies import cases
from tests.chaos.enumeration import Effort, enumerate_crashes, try_dependencies
from tests.chaos.report import Report
from tests.chaos.scenarios import QUICK, SCENARIOS

QUICK_MINIMUM = {"P1": 1500, "P2": 400, "P3": 400, "P4": 500, "P5": 2000, "P6": 400, "P7": 500}
FULL_MINIMUM = {"P1": 9000, "P2": 2500, "P3": 3000, "P4": 4000, "P5": 6000, "P6": 3000, "P7": 5000}
_HARD_STOP = 20 * 60
_ASKED = ("P1", "P2", "P3", "P4", "P5")


def quick(folder: Path, chance: random.Random, report: Report) -> None:
    """Crash points of the main scenarios, some sick services, and a short live run beside them."""
    began = time.monotonic()
    plan = live.Plan("live", _ASKED, texts=50, rate=4, patience=max(10, 45))
    seed = chance.randrange(10**6)
    pid, path = _beside(folder, plan, seed)
    effort = Effort(QUICK, kills=1, kills_below=1)
    some = chance.sample(cases(3), 12)
    enumerate_crashes(folder, effort, chance=chance, report=report, ends=began + 90)
    try_dependencies(folder, some, report=report, ends=began + 102)
    os.waitpid(pid, 0)
    report.merge(json.loads(path.read_text()) if path.exists() else {})


def full(folder: Path, chance: random.Random, report: Report) -> None:
    """Everything: each part alone, since times are judged."""
    ends = time.monotonic() + _HARD_STOP
    effort = Effort(tuple(SCENARIOS), kills=10, kills_below=70, each_line=True)
    enumerate_crashes(folder, effort, chance=chance, report=report, ends=ends - 600)
    try_dependencies(folder, cases(3), report=report, ends=ends - 420)
    for plan in (
        live.Plan("live", _ASKED, texts=2000, rate=9, kills_every=0.7, patience=180),
        live.Plan("troubled", ("P6", "P4"), texts=600, rate=5, nuisances=True, patience=120),
    ):
        part = folder / plan.name
        part.mkdir()
        live.play(part, plan, chance=chance, report=report, judge_times=True)


def _beside(folder: Path, plan: live.Plan, seed: int) -> tuple[int, Path]:
    """Play a plan in a fork; return its pid, and where its findings will be."""
    part = folder / plan.name
    part.mkdir()
    path = part / "findings.json"
    pid = os.fork()
    if pid:
        return pid, path
    code = 1
    try:
        report = Report({})
        live.play(part, plan, chance=random.Random(seed), report=report, judge_times=False)
        path.write_text(json.dumps(report.as_data()))
        code = 0
    finally:
        os._exit(code)

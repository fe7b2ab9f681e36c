"""The line-crash enumerator: what a kill at the n-th line leaves behind, for every n.

Two ways. A *kill*: a fork does its deed under a tracer that counts lines and sends itself SIGKILL
at the n-th, of our code or of all code (`below`), and perhaps once more in the restart (`again`);
or, instead of a kill, our clock jumps there (`clock`). A *picture*: what SIGKILL leaves is what
stands in the files at that moment, so one run of the deed takes a copy of database and ledger at
every line of all code where they differ from the line before, and half a million lines become a few
dozen states.
Then a second fork, a fresh process as after a restart, drains what is left, and we judge.
"""

import gc
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.chaos import ledger
from tests.chaos.databases import database
from tests.chaos.drain import RETRIES, drain
from tests.chaos.forks import fork, forked, note_errors_in
from tests.chaos.model import Verdict, judge
from tests.chaos.scenarios import SCENARIOS, Scenario
from tests.chaos.stage import Stage, copy_trial, flush_redis
from tests.chaos.tracing import (
    Camera,
    Line,
    Picture,
    Reel,
    Tracer,
    die,
    recording,
    striking,
)


@dataclass(frozen=True)
class Point:
    """Where a trial is struck, and how: at the n-th line of the deed; n = 0 is no blow at all.

    `kill`: SIGKILL at a line of ours. `below`: at a line of anybody's. `again`: and once more at
    the line `detail` of the restart. `clock`: our clock jumps by `detail` seconds there; nobody
    dies, and the clock is put right before the restart.
    """

    scenario: str
    n: int
    blow: str = "kill"
    detail: int = 0

    def __str__(self) -> str:
        words = [self.scenario, self.n]
        if self.blow != "kill":
            words.append(self.blow)
        if self.blow in ("again", "clock"):
            words.append(self.detail)
        return ":".join(map(str, words))

    @classmethod
    def parse(cls, text: str) -> "Point":
        """Read what `__str__` wrote."""
        name, number, *rest = text.split(":")
        blow, detail = (*rest, "kill", "0")[:2] if not rest else (*rest, "0")[:2]
        return cls(name, int(number), blow, int(detail))

    @classmethod
    def of(cls, picture: Picture) -> "Point":
        """Return the first point that a picture stands for, of ours if there is one."""
        if picture.lines_of_ours:
            return cls(picture.scenario, picture.before + 1)
        return cls(picture.scenario, picture.first, "below")

    @property
    def below(self) -> bool:
        """Whether all code's lines are counted, and not ours alone."""
        return self.blow == "below"

    @property
    def retries(self) -> str:
        """What Twilio posts after this trial: each way for a part of the points.

        Without reports where each point stands for itself: they would make up for our mistakes.
        With them where our clock was off: then Twilio's list cannot be searched by time.
        """
        if self.blow == "clock":
            return "reports"
        return RETRIES[self.n % (3 if self.blow == "kill" else 4)]


@dataclass(frozen=True)
class Trial:
    """What became of one trial: was the blow dealt, and the verdict."""

    point: Point
    struck: bool
    verdict: Verdict


class Enumerator:
    """Prepares scenarios in `folder` and plays their trials, one after the other."""

    def __init__(
        self, folder: Path, *, worker: int = 0, mutate: Callable[[], None] | None = None
    ) -> None:
        self.folder = folder
        self.worker = worker
        self._mutate = mutate
        database.provide(worker)

    # --- Preparing ---------------------------------------------------------------------------

    def prepare(self, name: str) -> None:
        """Make the database and the ledger from which each trial of a scenario starts."""
        source = self.source(name)
        if source.exists():
            return
        draft = source.with_name(f"{source.name}.{os.getpid()}")
        draft.mkdir()
        copy_trial(database.empty, draft)
        (draft / "ledger").write_bytes(b"")
        forked(lambda: self._play_preparation(SCENARIOS[name], draft))
        with suppress(OSError):  # another worker was faster
            draft.rename(source)

    def _play_preparation(self, scenario: Scenario, source: Path) -> None:
        stage = Stage(source, worker=self.worker)
        stage.open()
        scenario.prepare(stage)
        database.close(source)

    def warm_up(self, name: str) -> None:
        """Play a scenario in this very process, so that forks find all imported and cached."""
        self.prepare(name)
        folder = self.folder / f"warm-{os.getpid()}"
        copy_trial(self.source(name), folder)
        stage = self._stage(SCENARIOS[name], folder, plain=True)
        SCENARIOS[name].act(stage)
        drain(stage, "backfill")
        database.close(folder)
        stage.world.ledger.close()
        gc.collect()
        gc.freeze()
        gc.disable()

    # --- Pictures ----------------------------------------------------------------------------

    def film(self, name: str) -> Reel:
        """Play a scenario's deed once, and take the states that kills at its lines leave."""
        self.prepare(name)
        folder = self._pictures(name)
        copy_trial(self.source(name), folder)
        flush_redis(self.worker)

        def play() -> None:
            stage = self._stage(SCENARIOS[name], folder)
            camera = Camera(name, stage)
            sys.settrace(camera.enter)
            SCENARIOS[name].act(stage)
            sys.settrace(None)
            camera.finish()

        forked(play)
        return Camera.reel(folder)

    def develop(self, picture: Picture) -> Trial:
        """Restart from a picture, and judge it as all the points that it stands for."""
        scenario = SCENARIOS[picture.scenario]
        folder = self.folder / f"trial-{os.getpid()}"
        copy_trial(Camera.place(self._pictures(picture.scenario), picture.first), folder)
        flush_redis(self.worker)
        point = Point.of(picture)
        return Trial(point, True, self._restarted(scenario, folder, point.retries))

    def _pictures(self, name: str) -> Path:
        return self.folder / f"deed-{name}"

    # --- Kills ------------------------------------------------------------------------------

    def lines(self, name: str, *, below: bool = False) -> list[Line]:
        """Return every line that a scenario's deed executes, in order."""
        self.prepare(name)
        folder = self.folder / f"lines-{os.getpid()}"
        copy_trial(self.source(name), folder)
        path = folder / "lines"

        def play() -> None:
            seen: list[Line] = []
            stage = self._stage(SCENARIOS[name], folder)
            sys.settrace(recording(seen, below))
            SCENARIOS[name].act(stage)
            sys.settrace(None)
            path.write_text("\n".join(f"{file}\t{line}" for file, line in seen))

        forked(play)
        rows = (row.split("\t") for row in path.read_text().splitlines())
        return [(file, int(line)) for file, line in rows]

    def trial(self, point: Point) -> Trial:
        """Play one trial and judge it."""
        self.prepare(point.scenario)
        scenario = SCENARIOS[point.scenario]
        folder = self.folder / f"trial-{os.getpid()}"
        copy_trial(self.source(point.scenario), folder)
        flush_redis(self.worker)

        struck = []

        def deed() -> None:
            stage = self._stage(scenario, folder)
            if point.n:
                blow = die if point.blow != "clock" else lambda: _let_clock_jump(stage, point)
                sys.settrace(striking(point.n, blow, below=point.below))
            scenario.act(stage)
            sys.settrace(None)

        struck.append(_was_struck(fork(deed), folder, point))
        if point.blow == "again" and not (folder / "error").exists():
            kill = striking(point.detail, die)
            status = fork(lambda: self._restart(scenario, folder, point.retries, kill))
            struck.append(_was_struck(status, folder, point))
        if (folder / "error").exists():
            return Trial(point, struck=False, verdict=_broken(folder))
        verdict = self._restarted(scenario, folder, point.retries)
        return Trial(point, all(struck), verdict)

    def story(self) -> list[str]:
        """Return what the ledger of the last trial tells, for a replay."""
        entries = ledger.read(self.folder / f"trial-{os.getpid()}" / "ledger")
        return [f"  {entry}" for entry in entries]

    def _restarted(self, scenario: Scenario, folder: Path, retries: str) -> Verdict:
        fork(lambda: self._restart(scenario, folder, retries))
        return _broken(folder) if (folder / "error").exists() else _judged(scenario, folder)

    def _restart(
        self, scenario: Scenario, folder: Path, retries: str, tracer: Tracer | None = None
    ) -> None:
        stage = self._stage(scenario, folder)
        if stage.skew:
            stage.put_clock_right()
        sys.settrace(tracer)
        if scenario.again is not None:
            scenario.again(stage)
        drain(stage, retries)
        sys.settrace(None)

    def _stage(self, scenario: Scenario, folder: Path, *, plain: bool = False) -> Stage:
        note_errors_in(folder / "error")
        stage = Stage(
            folder,
            faults=scenario.faults(),
            redis_is_up=scenario.redis_is_up,
            worker=self.worker,
        )
        stage.open()
        if self._mutate is not None and not plain:
            self._mutate()
        return stage

    def source(self, name: str) -> Path:
        """Return the folder from which each trial of a scenario starts."""
        return self.folder / f"source-{name}"


def _let_clock_jump(stage: Stage, point: Point) -> None:
    stage.put_clock_off(point.detail)
    stage.world.ledger.append("jumped")


def _was_struck(status: int, folder: Path, point: Point) -> bool:
    """Whether the blow was dealt: not when there were fewer lines than that."""
    if point.blow == "clock":
        return any(entry["kind"] == "jumped" for entry in ledger.read(folder / "ledger"))
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) != signal.SIGKILL:
        (folder / "error").write_text(f"it hung, or died of signal {os.WTERMSIG(status)}")
    return os.WIFSIGNALED(status)


def _judged(scenario: Scenario, folder: Path) -> Verdict:
    entries = ledger.read(folder / "ledger")
    verdict = judge(entries, scenario.expected, adds=scenario.adds)
    end = next((entry for entry in reversed(entries) if entry["kind"] == "end"), None)
    if end is not None:
        left = scenario.gone & set(end["library"])
        if scenario.may_give_up:
            del verdict.lost[: end["given_up"]]
        verdict.lost += [f"removal of {tmdb_id}" for tmdb_id in left]
    return verdict


def _broken(folder: Path) -> Verdict:
    return Verdict(other=[(folder / "error").read_text().strip().splitlines()[-1]])

"""Tracers: what happens at every line, of our code or of all code."""

import json
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from tests.chaos.databases import database
from tests.chaos.stage import OUR_CODE, Stage, copy_trial

Line = tuple[str, int]
Tracer = Callable[[FrameType, str, Any], Any]
_HARNESS = str(Path(__file__).parent)


@dataclass(frozen=True)
class Picture:
    """The files as a kill would leave them at `lines` lines of all code, from the `first` on.

    Among these are `lines_of_ours`, after the `before`-th line of ours.
    """

    scenario: str
    first: int
    lines: int
    before: int
    lines_of_ours: int


@dataclass(frozen=True)
class Reel:
    """What one run of a deed showed: its pictures, how many lines it has, and which.

    `firsts` tells at which number each line of ours was executed first.
    """

    pictures: list[Picture]
    lines: int
    lines_of_ours: int
    firsts: dict[Line, int]

    def as_data(self) -> list[Any]:
        """Return it as JSON can carry it to another process."""
        firsts = [[*line, n] for line, n in self.firsts.items()]
        return [[astuple(one) for one in self.pictures], self.lines, self.lines_of_ours, firsts]

    @classmethod
    def of_data(cls, data: Sequence[Any]) -> "Reel":
        """Read what `as_data` wrote."""
        pictures, lines, ours, firsts = data
        numbers = {(file, line): n for file, line, n in firsts}
        return cls([Picture(*one) for one in pictures], lines, ours, numbers)


class Camera:
    """Takes a picture at each line where database or ledger differ from the line before."""

    def __init__(self, name: str, stage: Stage) -> None:
        self._name = name
        self._ledger = stage.world.ledger
        self._folder = stage.folder
        self._lines = self._ours = self._committed = 0
        self._seen: tuple[int, int] | None = None
        self._taken: list[tuple[int, int]] = []
        self._firsts: dict[Line, int] = {}

    def enter(self, frame: FrameType, _: str, __: Any) -> Any:
        """Trace all code but the harness's."""
        file = frame.f_code.co_filename
        if file.startswith(OUR_CODE):
            return self._line_of_ours
        return None if file.startswith(_HARNESS) else self._line

    def _line_of_ours(self, frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            self._look()
            self._ours += 1
            self._firsts.setdefault((frame.f_code.co_filename, frame.f_lineno), self._ours)
        return self._line_of_ours

    def _line(self, _: FrameType, event: str, __: Any) -> Any:
        if event == "line":
            self._look()
        return self._line

    def _look(self) -> None:
        """Take a picture if committed rows or the ledger have changed since the line before."""
        self._lines += 1
        changes = database.changes()
        if changes is not None:
            self._committed = changes
        state = (self._committed, self._ledger.size)
        if state != self._seen:
            self._seen = state
            self._take(self._lines)

    def _take(self, line: int) -> None:
        self._taken.append((line, self._ours))
        database.save(self._folder)
        copy_trial(self._folder, self.place(self._folder, line))

    def finish(self) -> None:
        """Take the last picture, of a kill after the last line, and write down what was seen."""
        self._take(self._lines + 1)
        (self._folder / "reel").write_text(json.dumps(self._reel().as_data()))

    def _reel(self) -> Reel:
        ends = [*self._taken[1:], (self._lines + 2, self._ours + 1)]
        pictures = [
            Picture(self._name, first, next_first - first, before, next_before - before)
            for (first, before), (next_first, next_before) in zip(self._taken, ends, strict=True)
        ]
        return Reel(pictures, self._lines, self._ours, self._firsts)

    @classmethod
    def reel(cls, folder: Path) -> Reel:
        """Return what a run has left in its folder."""
        return Reel.of_data(json.loads((folder / "reel").read_text()))

    @staticmethod
    def place(folder: Path, line: int) -> Path:
        """Return where the picture of a line is kept, beside the folder of the run."""
        return folder.with_name(f"{folder.name}@{line}")


def die() -> None:
    """Kill this process as the kernel does."""
    os.kill(os.getpid(), signal.SIGKILL)


def striking(n: int, blow: Callable[[], None], *, below: bool = False) -> Tracer:
    """Return a tracer that deals a blow at the n-th line."""
    left = n

    def line(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left
        if event == "line":
            left -= 1
            if left == 0:
                blow()
        return line

    return entering(line, below)


def recording(seen: list[Line], below: bool) -> Tracer:
    """Return a tracer that notes every line."""

    def line(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            seen.append((frame.f_code.co_filename, frame.f_lineno))
        return line

    return entering(line, below)


def entering(line: Tracer, below: bool) -> Tracer:
    """Return a tracer that enters our code alone, or with `below` all but the harness's."""

    def enter(frame: FrameType, _: str, __: Any) -> Any:
        file = frame.f_code.co_filename
        if below:
            return None if file.startswith(_HARNESS) else line
        return line if file.startswith(OUR_CODE) else None

    return enter

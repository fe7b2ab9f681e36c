"""Tracers: what happens at every line, of our code or of all code."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from tests.chaos.databases import database
from tests.chaos.stage import OUR_CODE, Stage, copy_trial

Line = tuple[str, int]
Tracer = Callable[[FrameType, str, Any], Any]


@dataclass(frozen=True)
class Picture:
    """The files as a kill would leave them at the lines from `first` to `last`."""

    scenario: str
    first: int
    last: int
    folder: Path


class Counter:
    """Counts lines."""

    def __init__(self) -> None:
        self.lines = 0

    def line(self, _: FrameType, event: str, __: Any) -> Any:
        """Trace one line."""
        self.lines += event == "line"
        return self.line


class Camera:
    """Takes a picture at each line where database or ledger differ from the line before."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._n = 0
        self._seen: tuple[int, int] | None = None
        self._committed = 0
        self._firsts: list[int] = []

    def line(self, frame: FrameType, event: str, _: Any) -> Any:
        """Trace one line."""
        if event == "line":
            self._n += 1
            state = self._state()
            if state != self._seen:
                self._seen = state
                self._firsts.append(self._n)
                self._take(self._n)
        return self.line

    def finish(self) -> None:
        """Note the last state too: a kill after the last line."""
        index = [*self._firsts, self._n + 1]
        self._take(self._n + 1)
        (self._stage.folder / "index").write_text(" ".join(map(str, index)))

    @classmethod
    def taken(cls, name: str, folder: Path) -> list[Picture]:
        """Return the pictures that a run has left in its folder."""
        firsts = [int(n) for n in (folder / "index").read_text().split()]
        lasts = [*(n - 1 for n in firsts[1:]), firsts[-1]]
        return [
            Picture(name, first, last, folder.parent / f"{folder.name}@{first}")
            for first, last in zip(firsts, lasts, strict=True)
        ]

    def _take(self, n: int) -> None:
        folder = self._stage.folder
        database.save(folder)
        copy_trial(folder, folder.parent / f"{folder.name}@{n}")

    def _state(self) -> tuple[int, int]:
        """Return what changes when the durable state does: committed rows, bytes of the ledger."""
        changes = database.changes()
        if changes is not None:
            self._committed = changes
        return self._committed, self._stage.world.ledger.size


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
    harness = str(Path(__file__).parent)

    def enter(frame: FrameType, _: str, __: Any) -> Any:
        file = frame.f_code.co_filename
        if below:
            return None if file.startswith(harness) else line
        return line if file.startswith(OUR_CODE) else None

    return enter

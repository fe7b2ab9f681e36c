"""Prints the lines of several processes, each with the name of who said it."""

import os
import select
import sys
from collections.abc import Sequence
from typing import IO

_PIPE_BUF = 4096  # a pipe that says it can be written to takes this much without waiting
_COLOURS = (36, 33, 35, 32, 34, 96)


class Console:
    """Prints lines with a name before each, in colour on a terminal, and never waits for a reader.

    A terminal that is paused, or an SSH connection that hangs, must not stop the children: after
    half a second lines are dropped until it takes them again.
    """

    def __init__(self, names: Sequence[str] = (), stream: IO[str] | None = None) -> None:
        stream = stream or sys.stdout
        stream.flush()
        self._file = stream.fileno()
        self._width = max(map(len, names), default=0)
        self._coloured = stream.isatty() and "NO_COLOR" not in os.environ
        self._colour = {name: _COLOURS[i % len(_COLOURS)] for i, name in enumerate(names)}
        self._dropped = 0
        self._open = True

    def line(self, name: str, text: str) -> None:
        """Print one line of the child `name`; a line that is a JSON object stays one."""
        if text.startswith("{") and text.endswith("}"):
            self.say(text)
            return
        prefix = f"{name:<{self._width}} |"
        if self._coloured:
            prefix = f"\033[{self._colour.get(name, 37)}m{prefix}\033[0m"
        self.say(f"{prefix} {text}")

    def say(self, text: str) -> None:
        """Print `text` as it is."""
        if self._dropped and self._takes(0):
            missing, self._dropped = self._dropped, 0
            self._write(f"({missing} lines were not shown)\n".encode())
        self._write(f"{text}\n".encode(errors="replace"))

    def _takes(self, patience: float) -> bool:
        return self._open and bool(select.select([], [self._file], [], patience)[1])

    def _write(self, data: bytes) -> None:
        while data and self._open:
            if not self._takes(0 if self._dropped else 0.5):
                self._dropped += 1
                return
            try:
                data = data[os.write(self._file, data[:_PIPE_BUF]) :]
            except OSError:  # whoever read us is gone; we go on without a reader
                self._open = False

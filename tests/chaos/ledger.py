"""What the outside world saw, one JSON line per fact, appended before anybody is answered.

A line is one `write` to a file opened with O_APPEND: it survives the SIGKILL of whoever wrote it,
and lines of several processes never mix.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Entry = dict[str, Any]


class Ledger:
    """An append-only file of facts. Safe to use after a fork, and by several processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def append(self, kind: str, **facts: Any) -> Entry:
        """Write one fact down and return it as it will be read."""
        entry: Entry = {"kind": kind, **facts}
        os.write(self._file, json.dumps(entry, ensure_ascii=False).encode() + b"\n")
        return entry

    @property
    def size(self) -> int:
        """How many bytes have been written down."""
        return os.fstat(self._file).st_size

    def entries(self) -> Iterator[Entry]:
        """Yield all facts, oldest first."""
        yield from read(self.path)

    def close(self) -> None:
        """Close the file; what was written stays."""
        os.close(self._file)


def read(path: Path) -> list[Entry]:
    """Return the facts of a ledger; a last line that was cut off is left out."""
    lines = path.read_bytes().split(b"\n")
    return [json.loads(line) for line in lines[:-1] if line]

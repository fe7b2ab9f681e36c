"""Every script beside this file goes as it is written: README.md here explains the format."""

import difflib
import os
from pathlib import Path

import pytest

from tests.conversations.script import read
from tests.conversations.stage import PEOPLE, Stage

SCRIPTS = sorted(Path(__file__).parent.glob("*.txt"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_the_conversation_goes_as_it_is_written(
    path: Path, stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    script = read(path, list(PEOPLE))
    written = script.written()
    stage.play(script)
    really = script.written()
    if "CONVERSATIONS" in os.environ:
        with capsys.disabled():
            _show(path, really, rewrite=os.environ["CONVERSATIONS"] == "write")
    elif really != written:
        pytest.fail(_difference(path, written, really), pytrace=False)


def _show(path: Path, really: str, *, rewrite: bool) -> None:
    if rewrite:
        path.write_text(really, encoding="utf-8")
    print(f"\n=== {path.name}\n\n{really}")  # noqa: T201


def _difference(path: Path, written: str, really: str) -> str:
    lines = difflib.unified_diff(
        written.splitlines(), really.splitlines(), "as it is written", "as it really went", n=4
    )
    return f"{path.name} goes otherwise:\n" + "\n".join(line.rstrip() for line in lines)

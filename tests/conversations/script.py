"""A conversation as a text file: read into steps, and written again as it really went."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SERVICES = ("Radarr", "TMDB", "Twilio", "In the admin")

_BELONGS_TO_STEP = re.compile(r"\s+(>|\()")
_SETTING = re.compile(r"with (?P<name>[A-Z_]+) = (?P<value>.*)")
_SPOKEN = re.compile(r"(?P<who>[A-Z][\w ]*): (?P<what>.*)")
_TIME = re.compile(r"\((?P<when>.+)\)")


class Unreadable(ValueError):
    """A line of a script that says nothing the format knows; the message names file and line."""


@dataclass(frozen=True)
class Text:
    """One text that somebody got."""

    to: str
    body: str


@dataclass
class Step:
    """One line that does something. `below` are the indented lines that say what comes of it.

    `who` is a person or a service, "with" for a setting and "" for the passing of time.
    """

    line: str
    who: str
    what: str
    number: int
    below: list[str] = field(default_factory=list)

    @property
    def reading(self) -> str | None:
        """What the model makes of this text; None when there is no model."""
        found = (re.fullmatch(r"\(the model reads: (.*)\)", line.strip()) for line in self.below)
        return next((match[1] for match in found if match), None)


@dataclass
class Script:
    """A file: its steps, and the lines between them that tell the reader something."""

    path: Path
    parts: list[Step | str]

    @property
    def steps(self) -> list[Step]:
        """What happens, in order."""
        return [part for part in self.parts if isinstance(part, Step)]

    def written(self) -> str:
        """Return the file's text, each step with the lines that are below it now."""
        lines: list[str] = []
        for part in self.parts:
            lines += [part.line, *part.below] if isinstance(part, Step) else [part]
        return "\n".join(lines) + "\n"


def read(path: Path, people: Sequence[str]) -> Script:
    """Read the script at `path`; raises Unreadable."""
    lines = [line.rstrip() for line in path.read_text(encoding="utf-8").splitlines()]
    story = lines.index("") if "" in lines else len(lines)
    parts: list[Step | str] = [*lines[:story]]
    for number, line in enumerate(lines[story:], story + 1):
        last = parts[-1] if parts else ""
        if not line or line.startswith("#"):
            parts.append(line)
        elif _BELONGS_TO_STEP.match(line) and isinstance(last, Step):
            last.below.append(line)
        else:
            parts.append(_step(path, number, line, people))
    return Script(path, parts)


def _step(path: Path, number: int, line: str, people: Sequence[str]) -> Step:
    if found := _SETTING.fullmatch(line):
        return Step(line, "with", f"{found['name']} = {found['value']}", number)
    if found := _TIME.fullmatch(line):
        return Step(line, "", found["when"], number)
    found = _SPOKEN.fullmatch(line)
    if found and found["who"] in (*people, *SERVICES):
        return Step(line, found["who"], found["what"], number)
    raise Unreadable(f"{path.name}, line {number}: {line!r} says nothing that the format knows")


def told(texts: Iterable[Text], speaker: str = "") -> list[str]:
    """Return the lines for what everybody got; the answer to who has just texted needs no name."""
    lines: list[str] = []
    for number, text in enumerate(texts):
        name = "" if number == 0 and text.to == speaker else f"{text.to}: "
        first, *more = text.body.split("\n")
        lines += [f"  > {name}{first}", *(f"  > {line}".rstrip() for line in more)]
    return lines

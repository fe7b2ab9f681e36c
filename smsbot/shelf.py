"""Which of the films we know a person means by a name. Pure."""

import re
import unicodedata
from collections.abc import Sequence

from downloads.services import Report
from smsbot.understanding import Title


def meant(title: Title, reports: Sequence[Report]) -> list[Report]:
    """Return the films of exactly this title, else those whose titles hold its words in order.

    A year narrows them where it fits any.
    """
    asked = folded(title.title)
    if not asked:
        return []
    exact = [report for report in reports if asked in _names(report)]
    found = exact or [report for report in reports if _holds(folded(report.match.title), asked)]
    if title.year:
        return [report for report in found if report.match.year == title.year] or found
    return found


def _names(report: Report) -> set[str]:
    title = folded(report.match.title)
    return {title, folded(report.name), title.removeprefix("the ")}


def _holds(name: str, asked: str) -> bool:
    return f" {asked.removeprefix('the ')} " in f" {name} "


def folded(text: str) -> str:
    """Return the words of a text as titles are compared: no case, accents or punctuation."""
    plain = unicodedata.normalize("NFKD", text.casefold()).replace("'", "").replace("’", "")
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(re.findall(r"\w+", letters))

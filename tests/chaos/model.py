"""What should have come out: texts read back as facts, and compared with what was expected.

The judge knows nothing of the product's rows. It reads the ledger: what Twilio took, what Radarr
did. An expectation names a person, the kinds of text that would do, a film, and how many.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from tests.chaos.ledger import Entry

# The first words of each text; tests of the product's own templates keep these words.
_KINDS: tuple[tuple[str, str], ...] = (
    ("added", r"Great! I found '(?P<film>.+)' and added it"),
    ("several", r"(Found and added|Saved until .+|Already on the way|Ready to watch): "),
    ("saved", r"I found '(?P<film>.+)' and saved your request"),
    ("downloading", r"(?P<film>.+?) is already on its way"),
    ("available", r"(?P<film>.+) is already in the library"),
    ("started", r"Great! I'm getting (?P<film>.+) ready for you"),
    ("completed", r"(?P<film>.+) is ready to watch! Enjoy"),
    ("failed", r"Sorry, I couldn't get (?P<film>.+) ready for you"),
    ("cancelled", r"(?P<film>.+) was cancelled"),
    ("stuck", r"(?P<film>.+) is taking longer than usual"),
    ("nothing_found", r"I'm still looking for (?P<film>.+): nothing"),
    ("waiting", r"(?P<film>.+) isn't out yet"),
    ("withdrawn", r"Okay, I won't text you about (?P<film>.+) any more"),
    ("let_go", r"Okay, (?P<film>.+) is off the list"),
    ("nothing_to_cancel", r"There's nothing of yours on its way"),
    ("ask", r"Which one do you mean\?"),
    ("holding", r"Something went wrong while looking that up"),
    ("apology", r"Sorry, something went wrong"),
    ("status", r"Here's where things are|Nothing of yours is on its way"),
    ("chat", r"I'm here for movies"),
    ("not_found", r"I couldn't find"),
    ("choose_again", r"I didn't get that"),
    ("never_mind", r"Okay, never mind"),
    ("moved", r"The release of (?P<film>.+) has"),
    ("released", r"(?P<film>.+) is out now, I'm looking for it"),
    ("issue_thanks", r"Thanks for telling me"),
    ("another_release", r"I'm looking for another copy of (?P<film>.+) for you"),
    ("youre_welcome", r"You're welcome"),
)

ANSWERS = frozenset({"added", "saved", "downloading", "available"})


@dataclass(frozen=True)
class Told:
    """A text that a person had: what kind, of which film. `hidden`: Twilio did not list it."""

    person: str
    kind: str
    film: str = ""
    hidden: bool = False
    callback: str = ""


@dataclass(frozen=True)
class Expect:
    """A text that must come: of one of `kinds`, at least `least` and at most `most` times.

    `answers` marks the reply to a text, so that a loss is told from a lost notification.
    """

    person: str
    kinds: frozenset[str]
    film: str = ""
    least: int = 1
    most: int = 1
    answers: bool = False


@dataclass
class Verdict:
    """What a trial showed; empty lists are a pass."""

    lost: list[str] = field(default_factory=list)
    duplicate: list[str] = field(default_factory=list)
    false_failed: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.lost or self.duplicate or self.false_failed or self.other)

    def __str__(self) -> str:
        parts = {
            "lost": self.lost,
            "duplicate": self.duplicate,
            "false failed": self.false_failed,
            "other": self.other,
        }
        return "; ".join(f"{name}: {', '.join(what)}" for name, what in parts.items() if what)


def one(person: str, kind: str, film: str = "", *, least: int = 1, most: int = 1) -> Expect:
    """Return the expectation of a notification."""
    return Expect(person, frozenset({kind}), film, least, most)


def reply(person: str, film: str, kinds: Iterable[str] = ANSWERS, *, count: int = 1) -> Expect:
    """Return the expectation of one answer for each of `count` texts."""
    return Expect(person, frozenset(kinds), film, count, count, answers=True)


def told(entry: Entry) -> Told:
    """Read a text that Twilio took."""
    words = re.sub(r"[^\x00-\x7f’…é]+", "", entry["body"]).strip()
    for kind, pattern in _KINDS:
        found = re.match(pattern, words)
        if found:
            film = found.groupdict().get("film") or ""
            return Told(entry["to"], kind, film, entry["hidden"], entry["callback"])
    return Told(entry["to"], "unknown", words[:60], entry["hidden"], entry["callback"])


def judge(entries: Sequence[Entry], expected: Sequence[Expect], *, adds: dict[int, int]) -> Verdict:
    """Compare what happened with what was expected; `adds` is by TMDB id, as effects in Radarr."""
    verdict = Verdict()
    said = [told(entry) for entry in entries if entry["kind"] == "create"]
    excused = _excused(entries)
    for expect in expected:
        said = _check(expect, said, excused, verdict)
    _check_given_up(given_up(entries), expected, verdict)
    for text in said:
        ended = text.kind in ("failed", "cancelled")
        (verdict.false_failed if ended else verdict.other).append(
            f"unexpected {_named(text.kind, text.film)} to {text.person[-4:]}"
        )
    _check_creates(entries, verdict)
    _check_adds(entries, adds, verdict, missing=len(given_up(entries)))
    _check_end(entries, verdict)
    return verdict


def _excused(entries: Sequence[Entry]) -> set[tuple[str, str]]:
    """Return person and kind of the texts that need not have come; see `drain.EXCUSED`."""
    ends = [entry.get("excused", []) for entry in entries if entry["kind"] == "end"]
    return {(who, kind.removesuffix("_empty")) for who, kind in ends[-1]} if ends else set()


def given_up(entries: Sequence[Entry]) -> set[str]:
    """Return whose texts were given up, since whoever answered them was killed five times."""
    return {who for who, kind in _excused(entries) if kind == "apology"}


def _check_given_up(people: set[str], expected: Sequence[Expect], verdict: Verdict) -> None:
    """One text in a hundred may be given up; one of few, since the kills come at random."""
    texts = sum(expect.least for expect in expected if expect.answers)
    if len(people) > max(1, texts // 100):
        verdict.lost.append(f"{len(people)} of {texts} texts given up")


def _check(
    expect: Expect, said: list[Told], excused: set[tuple[str, str]], verdict: Verdict
) -> list[Told]:
    """Judge one expectation; return the texts that it does not speak of."""
    expect = _eased(expect, excused)
    mine = [text for text in said if _speaks_of(expect, text)]
    # Who hid a text from us may have to bear it twice.
    seen = len(mine) - sum(text.hidden for text in mine)
    what = f"{_named('/'.join(sorted(expect.kinds)), expect.film)} to {expect.person[-4:]}"
    if len(mine) < expect.least:
        verdict.lost.append(f"{what} ({len(mine)} of {expect.least})")
    elif seen > expect.most or len(mine) > 2 * expect.most:
        verdict.duplicate.append(f"{what} ({len(mine)} for {expect.most})")
    return [text for text in said if text not in mine]


def _eased(expect: Expect, excused: set[tuple[str, str]]) -> Expect:
    """Return what may be expected after all: an apology may stand for the reply and all else."""
    if (expect.person, "apology") in excused and expect.answers:
        return replace(expect, kinds=expect.kinds | {"apology"})
    if any((expect.person, kind) in excused for kind in (*expect.kinds, "apology")):
        return replace(expect, least=0)
    return expect


def _speaks_of(expect: Expect, text: Told) -> bool:
    """Whether a text is one of those expected; an apology names no film."""
    of_film = text.kind == "apology" or expect.film in ("", text.film)
    return text.person == expect.person and text.kind in expect.kinds and of_film


def _check_creates(entries: Sequence[Entry], verdict: Verdict) -> None:
    """Never more than two creates for one text, whatever Twilio hid."""
    creates: dict[str, int] = {}
    for entry in entries:
        if entry["kind"] == "create" and entry["callback"]:
            creates[entry["callback"]] = creates.get(entry["callback"], 0) + 1
    verdict.duplicate += [f"{n} creates of {where}" for where, n in creates.items() if n > 2]


def _check_adds(
    entries: Sequence[Entry], adds: dict[int, int], verdict: Verdict, *, missing: int
) -> None:
    """Compare the effects in Radarr; as many films may be `missing` as texts were given up."""
    done: dict[int, int] = {}
    for entry in entries:
        if entry["kind"] == "add":
            done[entry["tmdb"]] = done.get(entry["tmdb"], 0) + 1
    lost = []
    for tmdb_id, wanted in adds.items():
        count = done.pop(tmdb_id, 0)
        if count < wanted:
            lost.append(f"add of {tmdb_id} ({count} of {wanted})")
        elif count > wanted:
            verdict.duplicate.append(f"add of {tmdb_id} ({count} for {wanted})")
    verdict.lost += lost[missing:]
    verdict.duplicate += [f"unwanted add of {tmdb_id}" for tmdb_id in done]


def _check_end(entries: Sequence[Entry], verdict: Verdict) -> None:
    ends = [entry for entry in entries if entry["kind"] == "end"]
    if not ends:
        verdict.other.append("the drain did not end")
    elif ends[-1]["unsettled"]:
        verdict.lost.append(f"unsettled at the end: {', '.join(ends[-1]['unsettled'])}")


def _named(kind: str, film: str) -> str:
    return f"{kind} of {film}" if film else kind

"""What is printed: a line per promise, the counter-examples, and how to replay them."""

import os
import sys
import traceback
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PROMISES = {
    "P1": "an SMS that we answered is never lost",
    "P2": "an SMS that we missed is picked up",
    "P3": "one MessageSid has one effect",
    "P4": "one notification per requester per event",
    "P5": "two people, one film: one download, both told",
    "P6": "losing Redis loses nothing",
    "P7": "a sick service loses nothing and tells nothing false",
}
PARTS = ("crashes", "sick", "pauses", "kills", "troubles")
"""What `--full` consists of; a slow machine can do one after the other."""
_QUIET = 0.8
"""The load average below which a machine has nothing else to do."""
_SHOWN = 12
_FEW = 4


@dataclass(frozen=True)
class Finding:
    """One judged trial: how to name it, which promises it is about, and its verdict."""

    name: str
    promises: tuple[str, ...]
    verdict: Mapping[str, list[str]]
    trials: int = 1

    @property
    def failed(self) -> bool:
        """Whether anything is wrong."""
        return any(self.verdict.values())


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Report:
    """Gathers findings; `minimum` is how many trials a promise must have to count as kept.

    It names counts of the summary too: what was dealt too seldom fails the run.
    """

    def __init__(self, minimum: Mapping[str, int]) -> None:
        self._minimum = minimum
        self._load = os.getloadavg()[0]
        self._counts = {promise: Counter[str]() for promise in PROMISES}
        self._notes: Counter[str] = Counter()
        self._times: dict[str, tuple[float, float, bool]] = {}
        self._all: list[Finding] = []
        self.failures: list[Finding] = []

    def add(self, finding: Finding) -> None:
        """Count a finding for each promise that it is about."""
        for promise in finding.promises:
            counts = self._counts[promise]
            counts["trials"] += finding.trials
            for what, found in finding.verdict.items():
                counts[what] += len(found)
        self._all.append(finding)
        if finding.failed:
            self.failures.append(finding)

    def broken(self, part: str) -> None:
        """Count a part of the run that failed itself; to be called where its error is handled."""
        words = traceback.format_exc().strip().splitlines()
        self.add(Finding(part, ("P1",), {"other": [" … ".join(words[-3:])]}))

    def note(self, what: str, count: int) -> None:
        """Count something for the summary."""
        self._notes[what] += count

    def counted(self, what: str) -> int:
        """Return what was counted so far."""
        return self._notes[what]

    def time(self, what: str, seconds: float, limit: float, *, judged: bool) -> None:
        """Note a time and its limit; one that is judged fails the run when it is exceeded."""
        self._times[what] = (seconds, limit, judged)

    def webhooks(
        self, what: str, seconds: float, limit: float, *, control: float, judged: bool
    ) -> None:
        """Note a time of webhooks; on a busy machine, three times that of peace is allowed."""
        self.note("times judged beside those of peace", int(judged and not self.is_quiet))
        allowed = limit if self.is_quiet else max(limit, 3 * control)
        self.time(what, seconds, allowed, judged=judged)

    @property
    def is_quiet(self) -> bool:
        """Whether the machine had nothing else to do when the run began."""
        return self._load < _QUIET

    def as_data(self) -> dict[str, Any]:
        """Return all that was gathered, as JSON can carry it to another process."""
        return {
            "findings": [[one.name, one.promises, one.verdict, one.trials] for one in self._all],
            "notes": dict(self._notes),
            "times": self._times,
        }

    def merge(self, data: dict[str, Any]) -> None:
        """Add what another process gathered; no data is a failure."""
        if not data:
            self.add(Finding("live", ("P1",), {"other": ["the live run ended without a result"]}))
        for name, promises, verdict, trials in data.get("findings", ()):
            self.add(Finding(name, tuple(promises), verdict, trials))
        self._notes.update(data.get("notes", {}))
        self._times |= {name: tuple(row) for name, row in data.get("times", {}).items()}

    def print(self) -> bool:
        """Print everything; return whether the run passed."""
        passed = True
        for promise, words in PROMISES.items():
            passed &= self._print_promise(promise, words)
        for what, (seconds, limit, judged) in sorted(self._times.items()):
            late = seconds > limit
            passed &= not (late and judged)
            word = ("FAIL" if judged else "slow") if late else "ok"
            say(f"time {what}: {seconds:.3f} s of {limit:g} s {word}")
        passed &= self._print_counts()
        word = "quiet" if self.is_quiet else "busy: times allow for it"
        say(f"load average at the start {self._load:.2f} ({word})")
        self._print_failures()
        return passed

    def _print_promise(self, promise: str, words: str) -> bool:
        counts = self._counts[promise]
        few = counts["trials"] < self._minimum.get(promise, 1)
        failed = few or any(counts[what] for what in counts if what != "trials")
        parts = [f"lost={counts['lost']}", f"duplicate={counts['duplicate']}"]
        parts += [
            f"{what.replace('_', '-')}={counts[what]}"
            for what in ("false_failed", "other")
            if counts[what]
        ]
        parts.append(f"trials={counts['trials']}")
        if few:
            parts.append(f"(too few: {self._minimum.get(promise, 1)} needed)")
        say(f"{promise} {' '.join(parts)} {'FAIL' if failed else 'PASS'}  {words}")
        return not failed

    def _print_counts(self) -> bool:
        """Print what was counted; what must be counted and was too seldom comes on a line."""
        say(" ".join(f"{what}={count}" for what, count in sorted(self._notes.items())))
        few = [
            f"{what}={self._notes[what]} (too few: {least} needed) FAIL"
            for what, least in self._minimum.items()
            if what not in PROMISES and self._notes[what] < least
        ]
        for line in few:
            say(line)
        return not few

    def _print_failures(self) -> None:
        for finding in sorted(self.failures, key=lambda one: one.name)[:_SHOWN]:
            what = "; ".join(_few(kind, found) for kind, found in finding.verdict.items() if found)
            say(f"  {finding.name}  {what}")
        if len(self.failures) > _SHOWN:
            say(f"  … and {len(self.failures) - _SHOWN} more")


def _few(kind: str, found: list[str]) -> str:
    more = f" and {len(found) - _FEW} more" if len(found) > _FEW else ""
    return f"{kind}: {', '.join(found[:_FEW])}{more}"

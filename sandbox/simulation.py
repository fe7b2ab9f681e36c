"""How one grabbed release moves on: a function of time and nothing else.

Time is counted in steps, so that a person can watch a download in a minute and a test can
jump to any moment of it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Outcome(StrEnum):
    """How a download is told to end."""

    OK = "ok"
    FAIL = "fail"
    STALL = "stall"
    BLOCK = "block"


class Phase(StrEnum):
    """Where a download is."""

    SEARCHING = "searching"
    GRABBED = "grabbed"
    DOWNLOADING = "downloading"
    STALLED = "stalled"
    IMPORT_PENDING = "import pending"
    IMPORT_BLOCKED = "import blocked"
    IMPORTING = "importing"
    IMPORTED = "imported"
    FAILED = "failed"


class Milestone(StrEnum):
    """A moment that Radarr writes in its history or tells its webhooks."""

    GRABBED = "grabbed"
    FAILED = "failed"
    BLOCKED = "blocked"
    IMPORTED = "imported"


# The ends of the phases, in steps after the search began.
SEARCHED, GRABBED, DOWNLOADED, PENDING, IMPORTED = 1, 2, 6, 7, 8
FAILS_AT = (GRABBED + DOWNLOADED) / 2
STALL_FRACTION = 0.4

IN_QUEUE = {
    Phase.GRABBED,
    Phase.DOWNLOADING,
    Phase.STALLED,
    Phase.IMPORT_PENDING,
    Phase.IMPORT_BLOCKED,
    Phase.IMPORTING,
}
# The part of the bytes that is there when a download goes no further.
STOPPED = {
    Phase.STALLED: STALL_FRACTION,
    Phase.FAILED: (FAILS_AT - GRABBED) / (DOWNLOADED - GRABBED),
}
RESTARTABLE = {Phase.STALLED, Phase.IMPORT_BLOCKED, Phase.FAILED}


@dataclass(frozen=True)
class Progress:
    """What is to be seen of a download: `fraction` of the bytes, and when they will be there."""

    phase: Phase
    fraction: float
    complete_at: datetime | None


@dataclass(frozen=True)
class Run:
    """One search and the download that follows it, from `started`, in steps of `step`."""

    started: datetime
    step: timedelta
    outcome: Outcome = Outcome.OK

    def at(self, steps: float) -> datetime:
        """The moment that lies `steps` after the start."""
        return self.started + self.step * steps

    def progress(self, now: datetime) -> Progress:
        """What is to be seen at `now`."""
        elapsed = (now - self.started) / self.step
        phase = self._phase(elapsed)
        fraction = min(max((elapsed - GRABBED) / (DOWNLOADED - GRABBED), 0.0), 1.0)
        if phase in STOPPED:
            fraction = STOPPED[phase]
        moving = phase in {Phase.GRABBED, Phase.DOWNLOADING}
        return Progress(phase, fraction, self.at(DOWNLOADED) if moving else None)

    def _phase(self, elapsed: float) -> Phase:
        if elapsed < SEARCHED:
            return Phase.SEARCHING
        if elapsed < GRABBED:
            return Phase.GRABBED
        if self.outcome is Outcome.FAIL and elapsed >= FAILS_AT:
            return Phase.FAILED
        if self.outcome is Outcome.STALL and elapsed >= self._stalls_at:
            return Phase.STALLED
        if elapsed < DOWNLOADED:
            return Phase.DOWNLOADING
        if self.outcome is Outcome.BLOCK:
            return Phase.IMPORT_BLOCKED
        if elapsed < PENDING:
            return Phase.IMPORT_PENDING
        return Phase.IMPORTING if elapsed < IMPORTED else Phase.IMPORTED

    @property
    def _stalls_at(self) -> float:
        return GRABBED + STALL_FRACTION * (DOWNLOADED - GRABBED)

    def milestones(self) -> tuple[tuple[datetime, Milestone], ...]:
        """Everything that will be told of this download, in order."""
        grabbed = (self.at(SEARCHED), Milestone.GRABBED)
        match self.outcome:
            case Outcome.OK:
                return grabbed, (self.at(IMPORTED), Milestone.IMPORTED)
            case Outcome.FAIL:
                return grabbed, (self.at(FAILS_AT), Milestone.FAILED)
            case Outcome.BLOCK:
                return grabbed, (self.at(DOWNLOADED), Milestone.BLOCKED)
            case Outcome.STALL:
                return (grabbed,)

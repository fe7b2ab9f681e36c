"""A download as a function of time."""

from datetime import timedelta

import pytest

from sandbox.simulation import Milestone, Outcome, Phase, Run

from .conftest import START


def run(outcome: Outcome = Outcome.OK) -> Run:
    """A download that began at the start, in steps of a second."""
    return Run(START, timedelta(seconds=1), outcome)


def phases(outcome: Outcome) -> list[Phase]:
    """The phases that a download goes through, each once, in their order."""
    seen = [run(outcome).progress(START + timedelta(seconds=n / 10)).phase for n in range(120)]
    return list(dict.fromkeys(seen))


BEGINNING = [Phase.SEARCHING, Phase.GRABBED, Phase.DOWNLOADING]


@pytest.mark.parametrize(
    ("outcome", "ending"),
    [
        (Outcome.OK, [Phase.IMPORT_PENDING, Phase.IMPORTING, Phase.IMPORTED]),
        (Outcome.FAIL, [Phase.FAILED]),
        (Outcome.STALL, [Phase.STALLED]),
        (Outcome.BLOCK, [Phase.IMPORT_BLOCKED]),
    ],
)
def test_phases_come_in_order(outcome: Outcome, ending: list[Phase]) -> None:
    assert phases(outcome) == BEGINNING + ending


def test_the_downloading_moves_every_second_and_says_when_it_ends() -> None:
    seen = [run().progress(START + timedelta(seconds=n)) for n in (2, 3, 4, 5, 6)]
    assert [progress.fraction for progress in seen] == [0, 0.25, 0.5, 0.75, 1]
    assert seen[1].complete_at == START + timedelta(seconds=6)
    assert seen[4].complete_at is None


@pytest.mark.parametrize(("outcome", "left"), [(Outcome.STALL, 0.4), (Outcome.FAIL, 0.5)])
def test_what_stops_stays_where_it_is(outcome: Outcome, left: float) -> None:
    for hours in (1, 24):
        assert run(outcome).progress(START + timedelta(hours=hours)).fraction == left


def test_milestones_are_at_the_moments_of_their_phases() -> None:
    for outcome in Outcome:
        moments = run(outcome).milestones()
        assert moments[0] == (START + timedelta(seconds=1), Milestone.GRABBED)
        assert [at for at, _ in moments] == sorted(at for at, _ in moments)

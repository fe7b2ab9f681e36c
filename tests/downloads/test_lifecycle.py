"""The state machine: which status may follow which, and that a move and its event are one thing."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.db.models import QuerySet

from downloads.lifecycle import (
    begin_generation,
    counts_for,
    note,
    remember,
    settle_requests,
    transition_to,
)
from downloads.models import Download, DownloadEvent, DownloadRequest, MonitorState, Status

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)
State = DownloadRequest.State

# Which status may follow which, written out: what is not here must be refused.
ALLOWED: dict[str, str] = {
    "requested": "searching waiting downloading importing completed failed cancelled",
    "searching": "waiting downloading importing completed failed cancelled",
    "waiting": "searching downloading importing completed failed cancelled",
    "downloading": "searching waiting importing completed failed cancelled",
    "importing": "searching waiting downloading completed failed cancelled",
    "completed": "requested",
    "failed": "requested downloading importing completed",
    "cancelled": "requested",
}
PAIRS = [
    (old, new, new.value in ALLOWED[old].split()) for old, new in itertools.product(Status, Status)
]


def make(status: str = Status.SEARCHING, **fields: Any) -> Download:
    defaults = {"generation_started_at": NOON, "status_changed_at": NOON, "status": status}
    return Download.objects.create(tmdb_id=155, title="The Dark Knight", **{**defaults, **fields})


def kinds(download: Download) -> list[tuple[str, str | None]]:
    """The download's events, each as (kind, what may be told once)."""
    return list(download.events.values_list("kind", "dedupe"))


@pytest.mark.parametrize(("old", "new", "allowed"), PAIRS)
def test_every_pair_of_statuses_moves_or_raises(old: Status, new: Status, allowed: bool) -> None:
    download = make(old)
    if allowed:
        assert transition_to(download, new, now=LATER)
    else:
        with pytest.raises(ValueError, match=f"no way from {old} to {new}"):
            transition_to(download, new, now=LATER)
    stored = Download.objects.get()
    assert stored.status == (new if allowed else old)
    assert stored.version == (2 if allowed else 1)
    assert stored.events.count() == int(allowed)


@pytest.mark.parametrize(
    ("status", "kind", "told"),
    [
        (Status.DOWNLOADING, "started", "started"),
        (Status.COMPLETED, "completed", "completed"),
        (Status.FAILED, "failed", "failed"),
        (Status.CANCELLED, "cancelled", "cancelled"),
        (Status.IMPORTING, "importing", None),
        (Status.WAITING, "waiting", None),
    ],
)
def test_a_move_writes_what_happened_and_whether_it_is_to_be_told(
    status: Status, kind: str, told: str | None
) -> None:
    download = make()
    transition_to(download, status, now=LATER, reason="why")
    event = download.events.get()
    assert (event.kind, event.dedupe) == (kind, told)
    assert (event.old_status, event.new_status) == ("searching", status)
    assert (event.reason, event.created_at, event.generation) == ("why", LATER, 1)
    # What nobody is told has nothing left to process.
    assert event.processed_at == (None if told else LATER)


def test_a_move_starts_the_graces_anew_and_gives_the_claim_back() -> None:
    download = make(
        problem="stalled",
        failed_seen_at=NOON,
        failed_seen_reason="x",
        absent_since=NOON,
        absent_count=3,
        stuck_since=NOON,
        undecided_since=NOON,
        add_lease=LATER,
    )
    transition_to(download, Status.COMPLETED, now=LATER, radarr_id=9)
    stored = Download.objects.values(
        "problem", "failed_seen_at", "failed_seen_reason", "absent_since", "absent_count"
    ).get()
    assert list(stored.values()) == ["", None, "", None, 0]
    download.refresh_from_db()
    assert (download.stuck_since, download.undecided_since, download.add_lease) == (None,) * 3
    assert (download.radarr_id, download.completed_at, download.status_changed_at) == (
        9,
        LATER,
        LATER,
    )


def test_a_long_reason_is_cut_not_refused() -> None:
    download = make()
    assert transition_to(download, Status.FAILED, now=LATER, reason="x" * 1000)
    download.refresh_from_db()
    assert len(download.reason) == len(download.events.get().reason) == 300


@pytest.mark.parametrize("move", ["transition_to", "note", "remember", "begin_generation"])
def test_a_stale_row_moves_nothing_and_writes_no_event(move: str) -> None:
    status = Status.FAILED if move == "begin_generation" else Status.SEARCHING
    stale = make(status)
    Download.objects.update(version=2, problem="newer")
    before = Download.objects.values().get()
    moved = {
        "transition_to": lambda: transition_to(stale, Status.COMPLETED, now=LATER),
        "note": lambda: note(stale, "stuck", now=LATER, dedupe="stuck:1", changes={"problem": "x"}),
        "remember": lambda: remember(stale, absent_count=5),
        "begin_generation": lambda: begin_generation(stale, now=LATER),
    }[move]()
    assert moved is False
    assert Download.objects.values().get() == before
    assert not DownloadEvent.objects.exists()
    assert (stale.status, stale.version, stale.absent_count) == (status, 1, 0)


def test_of_two_who_read_the_same_row_one_moves_it() -> None:
    make()
    one, other = Download.objects.get(), Download.objects.get()
    moved = [transition_to(d, Status.COMPLETED, now=LATER) for d in (one, other)]
    assert moved == [True, False]
    assert kinds(one) == [("completed", "completed")]


@pytest.mark.parametrize("move", ["transition_to", "note", "begin_generation"])
def test_without_its_event_nothing_is_written(move: str, monkeypatch: pytest.MonkeyPatch) -> None:
    download = make(Status.FAILED)
    before = Download.objects.values().get()

    def refuse(*args: object, **kwargs: object) -> None:
        raise DatabaseError("disk full")

    monkeypatch.setattr(QuerySet, "create", refuse)
    with pytest.raises(DatabaseError, match="disk full"):
        {
            "transition_to": lambda: transition_to(download, Status.COMPLETED, now=LATER),
            "note": lambda: note(download, "stuck", now=LATER, dedupe="stuck:1"),
            "begin_generation": lambda: begin_generation(download, now=LATER),
        }[move]()
    assert Download.objects.values().get() == before
    assert (download.status, download.version) == (Status.FAILED, 1)


def test_what_was_told_is_not_told_again_but_the_status_changes_all_the_same() -> None:
    download = make()
    for status in (Status.DOWNLOADING, Status.SEARCHING, Status.DOWNLOADING):
        assert transition_to(download, status, now=LATER)
    assert Download.objects.get().status == Status.DOWNLOADING
    assert kinds(download) == [("started", "started"), ("searching", None), ("started", None)]
    again = download.events.last()
    assert again is not None
    assert again.processed_at == LATER  # nobody has anything left to do for it


def test_a_new_generation_tells_again() -> None:
    download = make(Status.DOWNLOADING)
    transition_to(download, Status.FAILED, now=LATER)
    begin_generation(download, now=LATER)
    transition_to(download, Status.FAILED, now=LATER)
    told = list(DownloadEvent.objects.filter(dedupe="failed").values_list("generation", flat=True))
    assert told == [1, 2]


def test_a_notice_is_told_once_under_its_own_name() -> None:
    download = make(Status.IMPORTING)
    for name in ("stuck:a", "stuck:a", "stuck:b"):
        assert note(download, "stuck", now=LATER, dedupe=name, reason="import")
    assert kinds(download) == [("stuck", "stuck:a"), ("stuck", None), ("stuck", "stuck:b")]
    event = download.events.first()
    assert event is not None
    assert (event.old_status, event.new_status) == (Status.IMPORTING, Status.IMPORTING)
    assert Download.objects.get().version == 4


def test_a_caller_may_name_what_is_told_once() -> None:
    download = make()
    transition_to(download, Status.WAITING, now=LATER, dedupe="waiting:2026-12-12")
    assert kinds(download) == [("waiting", "waiting:2026-12-12")]


def test_facts_of_a_grace_are_kept_without_an_event_or_a_new_version() -> None:
    download = make()
    assert remember(download, absent_since=NOON, absent_count=1)
    stored = Download.objects.get()
    assert (stored.absent_since, stored.absent_count, stored.version) == (NOON, 1, 1)
    assert download.absent_count == 1
    assert not stored.events.exists()


def test_asking_again_leaves_the_past_behind() -> None:
    MonitorState.objects.create(history_last_id=77)
    download = make(Status.CANCELLED, removal_due=True, completed_at=NOON, reason="cancelled")
    assert begin_generation(download, now=LATER)
    stored = Download.objects.get()
    assert (stored.status, stored.generation, stored.generation_started_at) == (
        Status.REQUESTED,
        2,
        LATER,
    )
    assert (stored.history_floor, stored.removal_due, stored.completed_at) == (77, False, None)
    assert stored.reason == ""


@pytest.mark.parametrize("status", ["searching", "waiting", "downloading", "importing"])
def test_what_is_on_its_way_is_not_begun_again(status: str) -> None:
    download = make(status)
    with pytest.raises(ValueError, match="no way from"):
        begin_generation(download, now=LATER)
    assert Download.objects.get().generation == 1


SKEW = timedelta(minutes=5)
FACTS = [
    (11, NOON, True, "newer than the floor"),
    (10, NOON + timedelta(hours=1), False, "an earlier generation's row, whatever its date"),
    (9, NOON + timedelta(hours=1), False, "far below the floor"),
    (11, NOON - SKEW, True, "Radarr's clock may be behind by as much"),
    (11, NOON - SKEW - timedelta(seconds=1), False, "older than the generation"),
    (0, NOON, True, "no id: the date decides"),
    (0, NOON - timedelta(hours=1), False, "no id: the date decides"),
]


@pytest.mark.parametrize(("row", "at", "counts", "why"), FACTS, ids=[fact[3] for fact in FACTS])
def test_only_what_happened_in_this_generation_counts(
    row: int, at: datetime, counts: bool, why: str
) -> None:
    download = Download(history_floor=10, generation_started_at=NOON)
    assert counts_for(download, row, at, skew=SKEW) is counts, why


def ask(download: Download, name: str, **fields: Any) -> DownloadRequest:
    defaults = {"generation": download.generation, "announced_at": NOON, "state": State.ACTIVE}
    return DownloadRequest.objects.create(
        download=download, requester=name, origin=name, **{**defaults, **fields}
    )


@pytest.mark.parametrize(
    ("status", "ends"),
    [
        (Status.COMPLETED, {"active": State.FULFILLED, "ended": State.FULFILLED}),
        (Status.FAILED, {"active": State.ENDED, "ended": State.ENDED}),
        (Status.CANCELLED, {"active": State.ENDED, "ended": State.ENDED}),
    ],
)
def test_an_end_settles_the_requests_that_were_announced(
    status: Status, ends: dict[str, State]
) -> None:
    download = make(status, generation=2)
    for state in State:
        ask(download, state.value, state=state)
    ask(download, "unannounced", announced_at=None)
    ask(download, "earlier", generation=1)
    settle_requests(download, 2, found=status == Status.COMPLETED)
    states = dict(DownloadRequest.objects.values_list("requester", "state"))
    untouched = {state.value: state.value for state in State}
    assert states == {**untouched, **ends, "unannounced": State.ACTIVE, "earlier": State.ACTIVE}

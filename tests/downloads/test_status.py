"""What Radarr says and what status follows: the design's table, row by row. No database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from downloads.lifecycle import EDGES
from downloads.models import Download, Status
from downloads.radarr import HistoryItem, Movie, QueueItem
from downloads.status import Decision, Facts, Graces, next_status

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
GRACES = Graces(
    search=timedelta(minutes=2),
    stuck=timedelta(minutes=10),
    failed=timedelta(minutes=15),
    missing=timedelta(minutes=5),
    nothing_found=timedelta(hours=6),
)


def download(status: str = Status.SEARCHING, **fields: Any) -> Download:
    defaults: dict[str, Any] = {"status_changed_at": NOON, "generation_started_at": NOON}
    return Download(tmdb_id=155, title="The Dark Knight", status=status, **{**defaults, **fields})


def film(**fields: Any) -> Movie:
    known: dict[str, Any] = {"id": 1, "tmdb_id": 155, "monitored": True, "is_available": True}
    return Movie(**{**known, **fields})


def queued(**fields: Any) -> QueueItem:
    known: dict[str, Any] = {
        "id": 7,
        "movie_id": 1,
        "status": "downloading",
        "tracked_download_state": "downloading",
        "tracked_download_status": "ok",
        "download_id": "D1",
    }
    return QueueItem(**{**known, **fields})


def happened(kind: str, row: int = 1, **fields: Any) -> HistoryItem:
    return HistoryItem.model_validate(
        {"id": row, "movie_id": 1, "event_type": kind, "date": NOON, **fields}
    )


def decide(row: Download, facts: Facts, after: timedelta = timedelta()) -> Decision:
    return next_status(row, facts, NOON + after, GRACES)


BLOCKED = queued(status="completed", tracked_download_state="importBlocked")
IMPORTING = queued(status="completed", tracked_download_state="importing")
GRABBED, FAILED = happened("grabbed"), happened("downloadFailed", 2, data={"message": "no luck"})
IMPORTED = happened("downloadFolderImported", 3)
UNRELEASED = film(is_available=False, release_date=datetime(2026, 12, 12, tzinfo=UTC))

# --- the rows of the table, and that the first that matches wins ----------------------------------

TABLE: list[tuple[str, Facts, Status]] = [
    ("there is a file", Facts(movie=film(has_file=True)), Status.COMPLETED),
    ("imported since the cursor", Facts(history=[GRABBED, IMPORTED]), Status.COMPLETED),
    ("a file beats a queue item (an upgrade)", Facts(movie=film(has_file=True), queue=[queued()]),
     Status.COMPLETED),
    ("an import beats a blocked queue item", Facts(queue=[BLOCKED], history=[IMPORTED]),
     Status.COMPLETED),
    ("an import beats a failure after it", Facts(history=[IMPORTED, FAILED]), Status.COMPLETED),
    ("importing", Facts(queue=[IMPORTING]), Status.IMPORTING),
    ("importPending and ok", Facts(queue=[queued(tracked_download_state="importPending")]),
     Status.IMPORTING),
    ("importing beats a failure before it", Facts(queue=[IMPORTING], history=[FAILED]),
     Status.IMPORTING),
    ("a blocked import", Facts(queue=[BLOCKED]), Status.IMPORTING),
    ("in the queue", Facts(queue=[queued()]), Status.DOWNLOADING),
    ("paused", Facts(queue=[queued(status="paused")]), Status.DOWNLOADING),
    ("delayed, with no tracked words at all",
     Facts(queue=[QueueItem(id=1, movie_id=1, status="delay")]), Status.DOWNLOADING),
    ("a failed item still in the queue", Facts(queue=[queued(tracked_download_state="failed")]),
     Status.DOWNLOADING),
    ("words that nobody knows yet",
     Facts(queue=[queued(status="hyperspace", tracked_download_state="beaming",
                         tracked_download_status="shiny")]), Status.DOWNLOADING),
    ("no words at all", Facts(queue=[QueueItem(id=1)]), Status.DOWNLOADING),
    ("a queue item beats a film that is not released", Facts(queue=[queued()], movie=UNRELEASED),
     Status.DOWNLOADING),
    ("monitored and not available yet", Facts(movie=UNRELEASED), Status.WAITING),
    ("neither looked at nor mentioned", Facts(), Status.SEARCHING),
    ("not monitored: unchanged", Facts(movie=film(monitored=False)), Status.SEARCHING),
    ("an unknown row of the history", Facts(history=[happened("movieBeamed")], movie=film()),
     Status.SEARCHING),
    ("absent, seen for the first time", Facts(absent=True), Status.SEARCHING),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "status"), [row[1:] for row in TABLE], ids=[r[0] for r in TABLE])
def test_the_first_row_that_matches_decides(facts: Facts, status: Status) -> None:
    assert decide(download(), facts).status == status


@pytest.mark.parametrize("status", ["failed", "downloading", "importing", "waiting", "requested"])
def test_a_film_that_arrived_is_completed_from_everywhere(status: str) -> None:
    assert decide(download(status), Facts(history=[IMPORTED])).status == Status.COMPLETED


# --- several queue items --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("queue", "status"),
    [
        ([BLOCKED, queued(id=8)], Status.DOWNLOADING),
        ([queued(id=8), BLOCKED], Status.DOWNLOADING),
        ([queued(id=8), IMPORTING], Status.IMPORTING),
        ([queued(id=8, status="warning"), queued(id=9)], Status.DOWNLOADING),
        ([queued(id=8, status="warning"), BLOCKED], Status.IMPORTING),
    ],
)
def test_of_several_items_the_one_that_gets_on_decides(
    queue: list[QueueItem], status: Status
) -> None:
    late = timedelta(hours=1)
    decision = decide(download(status, stuck_since=NOON), Facts(queue=queue), late)
    assert decision.status == status
    all_stuck = all(item in (BLOCKED,) or item.status == "warning" for item in queue)
    assert (decision.notice is not None) is all_stuck


# --- the graces, just before and just after -------------------------------------------------------

STUCK_ITEMS = [
    (BLOCKED, Status.IMPORTING, "import"),
    (queued(tracked_download_state="importPending", tracked_download_status="warning"),
     Status.IMPORTING, "import"),
    (queued(tracked_download_state="importPending", tracked_download_status="error"),
     Status.IMPORTING, "import"),
    (queued(status="warning"), Status.DOWNLOADING, "stalled"),
]  # fmt: skip


@pytest.mark.parametrize(("item", "status", "reason"), STUCK_ITEMS)
def test_stuck_is_told_after_the_grace_and_once(
    item: QueueItem, status: Status, reason: str
) -> None:
    row, facts = download(status), Facts(queue=[item])
    first = decide(row, facts)
    assert (first.notice, first.remember["stuck_since"]) == (None, NOON)

    row.stuck_since = NOON
    assert decide(row, facts, GRACES.stuck - SECOND).notice is None
    told = decide(row, facts, GRACES.stuck)
    assert (told.status, told.notice) == (status, ("stuck", "stuck:D1", reason))
    assert told.remember["problem"] == reason

    row.problem = reason
    assert decide(row, facts, timedelta(days=1)).notice is None


def test_what_gets_on_again_is_no_longer_stuck() -> None:
    row = download(Status.DOWNLOADING, stuck_since=NOON, problem="stalled")
    facts = decide(row, Facts(queue=[queued()]), GRACES.stuck).remember
    assert (facts["stuck_since"], facts["problem"]) == (None, "")


def test_a_stuck_item_without_a_clients_id_is_named_by_its_own() -> None:
    row = download(Status.DOWNLOADING, stuck_since=NOON)
    facts = Facts(queue=[queued(status="warning", download_id=None)])
    notice = decide(row, facts, GRACES.stuck).notice
    assert notice is not None
    assert notice[1] == "stuck:7"


def test_failed_counts_after_its_grace() -> None:
    row = download(Status.DOWNLOADING)
    seen = decide(row, Facts(history=[GRABBED, FAILED]))
    assert seen.status == Status.DOWNLOADING
    assert seen.remember["failed_seen_at"] == NOON
    assert seen.remember["failed_seen_reason"] == "no luck"

    row.failed_seen_at, row.failed_seen_reason = NOON, "no luck"
    assert decide(row, Facts(), GRACES.failed - SECOND).status != Status.FAILED
    ended = decide(row, Facts(), GRACES.failed)
    assert (ended.status, ended.reason) == (Status.FAILED, "no luck")


def test_a_failure_still_in_the_history_keeps_its_first_moment() -> None:
    row = download(Status.SEARCHING, failed_seen_at=NOON, failed_history_id=FAILED.id)
    again = decide(row, Facts(history=[FAILED]), timedelta(minutes=14))
    assert again.remember["failed_seen_at"] == NOON
    assert decide(row, Facts(history=[FAILED]), GRACES.failed).status == Status.FAILED


@pytest.mark.parametrize(
    "facts",
    [
        Facts(history=[FAILED, happened("grabbed", 5)]),
        Facts(history=[happened("grabbed", 5)]),
        Facts(queue=[queued()]),
    ],
    ids=["failed then grabbed", "grabbed", "in the queue again"],
)
def test_a_failure_is_forgotten_when_something_was_grabbed_again(facts: Facts) -> None:
    row = download(Status.DOWNLOADING, failed_seen_at=NOON, failed_seen_reason="no luck")
    decision = decide(row, facts, GRACES.failed)
    assert decision.status == Status.DOWNLOADING
    assert decision.remember["failed_seen_at"] is None
    assert decision.remember["failed_seen_reason"] == ""


def test_a_failure_beats_an_absence_and_a_release_date() -> None:
    row = download(Status.SEARCHING, failed_seen_at=NOON, absent_since=NOON, absent_count=9)
    late = GRACES.failed
    assert decide(row, Facts(absent=True), late).status == Status.FAILED
    assert decide(row, Facts(movie=UNRELEASED), late).status == Status.FAILED


def test_a_long_failure_message_fits_the_column() -> None:
    facts = Facts(history=[happened("downloadFailed", data={"message": "x" * 1000})])
    assert len(decide(download(Status.DOWNLOADING), facts).remember["failed_seen_reason"]) == 300


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        (Facts(movie=film()), Status.FAILED),
        (Facts(absent=True), Status.FAILED),
        (Facts(history=[FAILED]), Status.FAILED),
        (Facts(movie=UNRELEASED), Status.FAILED),
        (Facts(queue=[queued()]), Status.DOWNLOADING),
        (Facts(queue=[IMPORTING]), Status.IMPORTING),
        (Facts(history=[IMPORTED]), Status.COMPLETED),
    ],
)
def test_after_a_failure_only_a_find_is_news(facts: Facts, status: Status) -> None:
    assert decide(download(Status.FAILED), facts, timedelta(days=3)).status == status


def test_a_film_is_searched_for_after_the_grace() -> None:
    row, facts = download(Status.DOWNLOADING), Facts(movie=film())
    first = decide(row, facts)
    assert (first.status, first.remember["undecided_since"]) == (Status.DOWNLOADING, NOON)

    row.undecided_since = NOON
    assert decide(row, facts, GRACES.search - SECOND).status == Status.DOWNLOADING
    assert decide(row, facts, GRACES.search).status == Status.SEARCHING


def test_nothing_found_is_told_after_its_time_and_once() -> None:
    row, facts = download(Status.SEARCHING), Facts(movie=film())
    assert decide(row, facts, GRACES.nothing_found - SECOND).notice is None
    told = decide(row, facts, GRACES.nothing_found)
    assert told.status == Status.SEARCHING
    assert told.notice == ("nothing_found", "nothing_found", "")

    row.problem = told.remember["problem"]
    assert decide(row, facts, timedelta(days=1)).notice is None
    # A tick that looks at other films must not forget that this was told.
    assert decide(row, Facts(), timedelta(days=1)).remember["problem"] == row.problem


def test_an_absence_counts_after_its_grace_and_two_looks() -> None:
    row, facts = download(), Facts(absent=True)
    seen = decide(row, facts)
    assert (seen.remember["absent_since"], seen.remember["absent_count"]) == (NOON, 1)

    row.absent_since, row.absent_count = NOON, 1
    assert decide(row, facts, GRACES.missing - SECOND).status == Status.SEARCHING
    ended = decide(row, facts, GRACES.missing)
    assert (ended.status, ended.reason) == (Status.CANCELLED, "removed")

    row.absent_count = 0  # one odd look proves nothing, however long ago
    assert decide(row, facts, timedelta(days=1)).status == Status.SEARCHING


@pytest.mark.parametrize("facts", [Facts(movie=film()), Facts(queue=[queued()])])
def test_an_absence_is_forgotten_when_the_film_is_there_again(facts: Facts) -> None:
    keep = decide(download(absent_since=NOON, absent_count=4), facts).remember
    assert (keep["absent_since"], keep["absent_count"]) == (None, 0)


def test_not_looking_neither_proves_nor_forgets_an_absence() -> None:
    keep = decide(download(absent_since=NOON, absent_count=1), Facts(), GRACES.missing).remember
    assert "absent_since" not in keep
    assert "absent_count" not in keep


# --- waiting for a release ------------------------------------------------------------------------


def test_waiting_names_its_date_and_tells_a_date_once() -> None:
    first = decide(download(), Facts(movie=UNRELEASED))
    assert (first.status, first.reason, first.dedupe) == (
        Status.WAITING,
        "2026-12-12",
        "waiting:2026-12-12",
    )
    assert decide(waiting_since(NOON), Facts(movie=UNRELEASED)).notice is None


def waiting_since(told_at: datetime) -> Download:
    """A film whose release date was told then."""
    told = {"release_told": "2026-12-12", "release_told_at": told_at}
    return download(Status.WAITING, reason="2026-12-12", **told)


def test_a_release_date_that_moves_is_told() -> None:
    row = waiting_since(NOON - timedelta(days=3))
    moved = film(is_available=False, release_date=datetime(2027, 1, 30, tzinfo=UTC))
    decision = decide(row, Facts(movie=moved))
    assert decision.status == Status.WAITING
    assert decision.notice == ("moved", "moved:2027-01-30:2026-03-01", "2027-01-30")
    assert decision.remember["reason"] == "2027-01-30"


def test_a_release_date_that_moves_again_within_a_day_is_kept_and_not_told() -> None:
    row = waiting_since(NOON - timedelta(hours=23))
    moved = film(is_available=False, release_date=datetime(2027, 1, 30, tzinfo=UTC))
    decision = decide(row, Facts(movie=moved))
    assert decision.notice is None
    assert decision.remember["reason"] == "2027-01-30"
    assert "release_told" not in decision.remember


def test_a_film_without_a_date_waits_too() -> None:
    decision = decide(download(), Facts(movie=film(is_available=False)))
    assert (decision.status, decision.reason, decision.dedupe) == (
        Status.WAITING,
        "",
        "waiting:unknown",
    )


def test_a_released_film_is_searched_for() -> None:
    decision = decide(waiting_since(NOON), Facts(movie=film()))
    assert decision.status == Status.SEARCHING
    assert (decision.kind, decision.dedupe) == ("released", "released:2026-12-12")


def test_deciding_changes_nothing_by_itself() -> None:
    row = download(Status.DOWNLOADING)
    before = {k: v for k, v in vars(row).items() if k != "_state"}
    decide(row, Facts(absent=True, history=[FAILED], queue=[BLOCKED]), timedelta(days=1))
    assert {k: v for k, v in vars(row).items() if k != "_state"} == before


# --- whatever Radarr says -------------------------------------------------------------------------

WORDS = (
    st.sampled_from(["downloading", "completed", "paused", "delay", "queued", "warning", "error"])
    | st.sampled_from(["importBlocked", "importPending", "importing", "failedPending", "ok"])
    | st.text(max_size=5)
)
MOMENTS = st.integers(-10_000, 500_000).map(lambda seconds: NOON + seconds * SECOND)
QUEUES = st.builds(
    queued,
    id=st.integers(1, 5),
    status=WORDS,
    tracked_download_state=st.none() | WORDS,
    tracked_download_status=st.none() | WORDS,
    download_id=st.none() | st.text(max_size=3),
)
KINDS = st.sampled_from(["grabbed", "downloadFailed", "downloadFolderImported"]) | st.text(
    max_size=5
)
HISTORIES = st.builds(happened, KINDS, st.integers(0, 9))
FILMS = st.builds(
    film,
    has_file=st.booleans(),
    monitored=st.booleans(),
    is_available=st.booleans(),
    release_date=st.none() | st.datetimes(timezones=st.just(UTC)),
)
FACTS = st.builds(
    Facts,
    movie=st.none() | FILMS,
    absent=st.booleans(),
    queue=st.lists(QUEUES, max_size=3),
    history=st.lists(HISTORIES, max_size=4),
).map(lambda facts: replace(facts, movie=None) if facts.absent else facts)
ROWS = st.builds(
    download,
    st.sampled_from(["searching", "waiting", "downloading", "importing", "failed"]),
    status_changed_at=MOMENTS,
    failed_seen_at=st.none() | MOMENTS,
    absent_since=st.none() | MOMENTS,
    absent_count=st.integers(0, 3),
    stuck_since=st.none() | MOMENTS,
    undecided_since=st.none() | MOMENTS,
    problem=st.sampled_from(["", "stalled", "import", "nothing_found"]),
    reason=st.sampled_from(["", "2026-12-12"]),
)


@given(row=ROWS, facts=FACTS, now=MOMENTS)
def test_whatever_radarr_says_the_move_is_one_that_exists_and_has_its_grounds(
    row: Download, facts: Facts, now: datetime
) -> None:
    decision = next_status(row, facts, now, GRACES)
    assert decision.status == row.status or decision.status in EDGES[row.status]
    assert decision.notice is None or decision.status == row.status
    if decision.status != row.status:
        if decision.status == Status.FAILED:
            assert row.failed_seen_at is not None
        if decision.status == Status.CANCELLED:
            assert facts.absent
            assert row.absent_count >= 1
    names = {field.name for field in Download._meta.get_fields()}
    assert set(decision.remember) <= names


# --- what differs from the row --------------------------------------------------------------------

CHANGES: list[tuple[str, Decision, bool]] = [
    ("nothing", Decision(Status.SEARCHING), False),
    ("what is remembered already", Decision(Status.SEARCHING, remember={"problem": ""}), False),
    ("the status", Decision(Status.DOWNLOADING), True),
    ("a fact", Decision(Status.SEARCHING, remember={"problem": "", "absent_count": 1}), True),
    ("something to tell", Decision(Status.SEARCHING, notice=("stuck", "stuck:D1", "import")), True),
]


@pytest.mark.parametrize(
    ("decision", "changes"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES]
)
def test_what_is_to_be_written(decision: Decision, changes: bool) -> None:
    assert decision.changes(download(Status.SEARCHING)) is changes

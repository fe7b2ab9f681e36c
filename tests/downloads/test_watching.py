"""What a tick reads: the columns of a row, and an instance of it for what changes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from downloads import lifecycle
from downloads.models import Download, Status
from downloads.watching import Watched, watched

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIELDS: dict[str, Any] = {
    "tmdb_id": 155,
    "imdb_id": "tt0468569",
    "title": "The Dark Knight",
    "year": 2008,
    "radarr_id": 7,
    "added_by_us": True,
    "status": Status.WAITING,
    "reason": "2026-12-12",
    "problem": "import",
    "version": 3,
    "generation": 2,
    "generation_started_at": NOON,
    "history_floor": 8,
    "removal_due": True,
    "another_due": True,
    "bad_file_id": 9,
    "release_told": "2026-12-12",
    "release_told_at": NOON + timedelta(minutes=1),
    "failed_seen_at": NOON + timedelta(minutes=2),
    "failed_history_id": 10,
    "failed_seen_reason": "no luck",
    "absent_since": NOON + timedelta(minutes=3),
    "absent_count": 4,
    "stuck_since": NOON + timedelta(minutes=4),
    "undecided_since": NOON + timedelta(minutes=5),
    "status_changed_at": NOON + timedelta(minutes=6),
}

pytestmark = pytest.mark.django_db


def test_each_column_is_read_into_its_own_name() -> None:
    download = Download.objects.create(**FIELDS)
    [row] = watched(NOON)
    assert row._asdict() == {"id": download.pk, "media_type": "movie", **FIELDS}
    assert (row.pk, row.is_active) == (download.pk, True)


def test_the_instance_is_what_was_read(django_assert_num_queries: Any) -> None:
    Download.objects.create(**FIELDS)
    [row] = watched(NOON)
    Download.objects.update(problem="stalled")
    with django_assert_num_queries(0):
        download = row.as_download()
        assert {name: getattr(download, name) for name in Watched._fields} == row._asdict()


def test_the_instance_of_a_row_that_moved_meanwhile_changes_nothing() -> None:
    download = Download.objects.create(**FIELDS)
    [row] = watched(NOON)
    assert lifecycle.transition_to(download, Status.DOWNLOADING, now=NOON)
    assert not lifecycle.transition_to(row.as_download(), Status.SEARCHING, now=NOON)
    assert not lifecycle.remember(row.as_download(), absent_count=5)
    download.refresh_from_db()
    assert (download.status, download.absent_count) == (Status.DOWNLOADING, 0)


def test_an_instance_reads_what_a_tick_leaves_out_when_it_is_asked_for() -> None:
    Download.objects.create(**FIELDS, poster_path="/poster.jpg")
    [row] = watched(NOON)
    assert row.as_download().poster_path == "/poster.jpg"

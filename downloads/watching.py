"""The rows that the monitor watches, read so that ten thousand of them take little.

Instances of the model take twice as long to read as tuples of its columns, and a tick changes few
rows: it compares tuples, and makes an instance of what changes.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Q

from downloads.models import ACTIVE, Download, Status


class Watched(NamedTuple):
    """A row of `Download` as it was read: the columns that the monitor needs, in the model's order.

    `Row` takes either where a function only reads.
    """

    id: int
    media_type: str
    tmdb_id: int
    imdb_id: str
    title: str
    year: int | None
    radarr_id: int | None
    added_by_us: bool
    status: str
    reason: str
    problem: str
    version: int
    generation: int
    generation_started_at: datetime
    history_floor: int
    removal_due: bool
    another_due: bool
    bad_file_id: int | None
    release_told: str
    release_told_at: datetime | None
    failed_seen_at: datetime | None
    failed_history_id: int
    failed_seen_reason: str
    absent_since: datetime | None
    absent_count: int
    stuck_since: datetime | None
    undecided_since: datetime | None
    status_changed_at: datetime

    @property
    def pk(self) -> int:
        return self.id

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE

    def as_download(self) -> Download:
        """Return the instance of what was read; a change of it fails if the row moved since."""
        return Download.from_db(DEFAULT_DB_ALIAS, self._fields, self)


Row = Download | Watched


def watched(now: datetime) -> list[Watched]:
    """Read what is on its way, what failed not long ago, and what is still to be removed."""
    failed_lately = Q(
        status=Status.FAILED,
        status_changed_at__gte=now - timedelta(seconds=settings.FAILED_WATCH),
        radarr_id__isnull=False,
    )
    rows = Download.objects.filter(
        Q(status__in=ACTIVE) | failed_lately | Q(removal_due=True)
    ).order_by("id")
    return [Watched._make(values) for values in rows.values_list(*Watched._fields)]

"""The feed of events, in the order of their ids: what happened since the last look.

On PostgreSQL ids are given out before they are committed, so that a later one can be seen first.
What stands behind a gap is therefore held back until the gap can no longer fill up: else a reader
who goes on from the last id would miss an event for good.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from downloads.models import DownloadEvent, DownloadRequest

GAP_FILLS_WITHIN = timedelta(seconds=60)


@dataclass(frozen=True)
class Happening:
    """An event with the addresses of those whom it concerned."""

    event: DownloadEvent
    requesters: list[str]


def happenings(after: int, limit: int, *, now: datetime) -> list[Happening]:
    """Return at most `limit` events with an id above `after`, oldest first."""
    rows = DownloadEvent.objects.select_related("download").filter(pk__gt=after).order_by("pk")
    events = list(_settled(after, rows[:limit], now))
    asked = _requesters(events)
    return [Happening(one, asked[one.download_id, one.generation]) for one in events]


def _settled(after: int, rows: Iterable[DownloadEvent], now: datetime) -> Iterator[DownloadEvent]:
    previous = after
    for row in rows:
        if row.pk != previous + 1 and row.created_at > now - GAP_FILLS_WITHIN:
            return
        yield row
        previous = row.pk


def _requesters(events: list[DownloadEvent]) -> dict[tuple[int, int], list[str]]:
    """Return who asked, by download and generation, in one query."""
    left = [DownloadRequest.State.WITHDRAWN, DownloadRequest.State.DECLINED]
    rows = DownloadRequest.objects.filter(download__in={event.download_id for event in events})
    found: dict[tuple[int, int], list[str]] = defaultdict(list)
    for row in rows.exclude(state__in=left).order_by("pk"):
        found[row.download_id, row.generation].append(row.requester)
    return found

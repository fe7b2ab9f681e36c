"""What a page of the owner reads at once: films on their way, films in trouble, one film's course.

Each function makes a number of queries that does not grow with what it returns.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from downloads import live
from downloads.models import ACTIVE, Download, DownloadEvent, DownloadRequest, Status

ATTENTION_FOR = timedelta(days=7)
"""How long a failed download counts as needing attention."""

LONGEST_COURSE = 200

_LEFT = (DownloadRequest.State.WITHDRAWN, DownloadRequest.State.DECLINED)


@dataclass(frozen=True)
class Going:
    """A download as it stands now, with its progress and the addresses of who waits for it."""

    download: Download
    progress: live.Progress
    requesters: list[str]


def on_their_way() -> QuerySet[Download]:
    """Return the downloads that have not ended."""
    return Download.objects.filter(status__in=ACTIVE)


def need_attention(now: datetime) -> QuerySet[Download]:
    """Return the downloads that the owner may have to do something about."""
    stuck = Q(status__in=ACTIVE) & ~Q(problem="")
    failed = Q(status=Status.FAILED, status_changed_at__gte=now - ATTENTION_FOR)
    return Download.objects.filter(stuck | failed)


def going(downloads: QuerySet[Download]) -> list[Going]:
    """Return `downloads` with their progress and requesters: two queries and one look at Redis."""
    rows = list(downloads.prefetch_related("requests"))
    views = live.load_many(rows)
    return [Going(row, views[row.pk], _waiting(row)) for row in rows]


def _waiting(download: Download) -> list[str]:
    """Return who waits, from the prefetched requests, each once."""
    asked = (
        request.requester
        for request in download.requests.all()
        if request.generation == download.generation and request.state not in _LEFT
    )
    return list(dict.fromkeys(asked))


def requests_for(download: Download) -> list[DownloadRequest]:
    """Return every ask for a download, of this generation and of those before, oldest first."""
    return list(DownloadRequest.objects.filter(download=download).order_by("id"))


def events_of(download: Download) -> list[DownloadEvent]:
    """Return what happened to a download, oldest first; of very many the latest."""
    newest = DownloadEvent.objects.filter(download=download).order_by("-id")
    return list(reversed(newest[:LONGEST_COURSE]))

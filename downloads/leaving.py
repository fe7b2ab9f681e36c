"""Leaving a film: who asked for it no longer wants it, and perhaps nobody does."""

from datetime import datetime
from enum import StrEnum

from django.conf import settings
from django.db import transaction

from downloads import control
from downloads.asking import withdraw
from downloads.lifecycle import transition_to
from downloads.models import Download, DownloadRequest, Status

_OPEN = (DownloadRequest.State.ACTIVE, DownloadRequest.State.PENDING_APPROVAL)
_NOTHING_IS_DOWNLOADED = frozenset({Status.REQUESTED, Status.SEARCHING, Status.WAITING})


class Left(StrEnum):
    """What became of a film that somebody left."""

    NOT_WAITING = "not_waiting"  # they were not waiting for it
    GOES_ON = "goes_on"  # others want it, something is there already, or it is not ours to stop
    CANCELLED = "cancelled"  # nobody else wanted it


def leave(download_id: int, requester: str, *, now: datetime) -> Left:
    """Let one person leave a download, and cancel it where nobody waits for it any more.

    Rows alone, so it may be part of a transaction. Who asks at the same moment wins: the row is
    locked here and where a request is written, and a film cancelled before that is asked for anew.
    """
    with transaction.atomic():
        download = Download.objects.select_for_update().get(pk=download_id)
        if not withdraw(download_id, requester):
            return Left.NOT_WAITING
        if not _may_be_cancelled(download):
            return Left.GOES_ON
        due = download.radarr_id is not None
        transition_to(download, Status.CANCELLED, now=now, reason="cancelled", removal_due=due)
        transaction.on_commit(control.wake)
    return Left.CANCELLED


def _may_be_cancelled(download: Download) -> bool:
    others = DownloadRequest.objects.filter(
        download=download, generation=download.generation, state__in=_OPEN
    )
    is_ours = download.radarr_id is None or download.added_by_us
    return (
        settings.CANCEL_WHEN_NOBODY_WAITS
        and download.status in _NOTHING_IS_DOWNLOADED
        and not download.another_due
        and is_ours
        and not others.exists()
    )

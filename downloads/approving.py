"""Requests that wait for the owner's word: what waits, what a person asked for, and the decision.

The transactions are the caller's: a decision and the texts about it are written together.
"""

from datetime import datetime

from django.db import transaction

from downloads import control
from downloads.asking import newest_event
from downloads.lifecycle import begin_generation, cancel_unwanted
from downloads.models import Download, DownloadRequest

State = DownloadRequest.State

_COUNTED = [State.PENDING_APPROVAL, State.ACTIVE, State.FULFILLED]


def pending_requests(requester: str = "") -> list[DownloadRequest]:
    """Return the requests that wait for an approval, oldest first; of one person, or of all."""
    waiting = DownloadRequest.objects.filter(state=State.PENDING_APPROVAL)
    if requester:
        waiting = waiting.filter(requester=requester)
    return list(waiting.select_related("download").order_by("id"))


def request(request_id: int) -> DownloadRequest:
    """Return one request with its download. Raises DownloadRequest.DoesNotExist."""
    return DownloadRequest.objects.select_related("download").get(pk=request_id)


def asked_since(requester: str, since: datetime, *, besides: int | None = None) -> list[datetime]:
    """Return when a person asked for each film that counts towards a limit, oldest first.

    What was declined or withdrawn, what could not be got, and joining a film that was on its way or
    ready do not count. `besides`: the id of a request to leave out.
    """
    counted = DownloadRequest.objects.filter(
        requester=requester, created_at__gt=since, state__in=_COUNTED, free=False
    )
    if besides is not None:
        counted = counted.exclude(pk=besides)
    return list(counted.order_by("created_at").values_list("created_at", flat=True))


def approve(request_id: int, *, now: datetime) -> bool:
    """Let a request go that waits for approval; False when it does not (any more).

    The person counts as told. The monitor, woken after the commit, adds the film.
    """
    with transaction.atomic():
        download = _locked_download_of(request_id)
        waiting = DownloadRequest.objects.filter(pk=request_id, state=State.PENDING_APPROVAL)
        if not waiting.exists():
            return False
        if not download.is_active:
            begin_generation(download, now=now)
        waiting.update(state=State.ACTIVE, since_event=newest_event(download), announced_at=now)
        transaction.on_commit(control.wake)
    return True


def decline(request_id: int, *, now: datetime) -> bool:
    """Refuse a request that waits for approval; False when it does not (any more).

    A film that then nobody asks for is given up.
    """
    with transaction.atomic():
        download = _locked_download_of(request_id)
        waiting = DownloadRequest.objects.filter(pk=request_id, state=State.PENDING_APPROVAL)
        if not waiting.update(state=State.DECLINED):
            return False
        cancel_unwanted(download.pk, now=now)
    return True


def _locked_download_of(request_id: int) -> Download:
    return Download.objects.select_for_update().get(requests=request_id)

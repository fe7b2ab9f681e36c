"""What is to be told to whom: announcements of requests, and events as news for them.

The transactions are the caller's: a text and the end of what it tells are written together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from downloads.lifecycle import settle_requests
from downloads.models import DownloadEvent, DownloadRequest, Status

_ENDS = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED})


@dataclass(frozen=True)
class EventNews:
    """An event to be told: the facts to say, and the open requests that are to hear of it."""

    event_id: int
    kind: str
    reason: str
    name: str
    tmdb_id: int
    created_at: datetime
    superseded: bool
    requests: list[tuple[int, str]]  # (request id, requester)


def mark_announced(request_id: int, *, now: datetime, told_end: bool = False) -> None:
    """Note that this requester was told; from now on they hear of what happens.

    Call it in the transaction that writes the text. With `told_end` the text has said how it ended
    (ready, or refused), and the request ends with it.
    """
    DownloadRequest.objects.filter(pk=request_id, announced_at=None).update(announced_at=now)
    if told_end:
        request = DownloadRequest.objects.get(pk=request_id)
        # By its own generation: somebody else may have begun another one meanwhile.
        ready = DownloadEvent.objects.filter(
            download=request.download_id, generation=request.generation, kind="completed"
        )
        state = DownloadRequest.State
        end = state.FULFILLED if ready.exists() else state.ENDED
        DownloadRequest.objects.filter(pk=request_id, state=state.ACTIVE).update(state=end)


def news_of_release(download_id: int) -> int | None:
    """Return the id of the event that told a film's release date last, in this generation."""
    events = DownloadEvent.objects.filter(
        download=download_id, generation=F("download__generation"), kind__in=["waiting", "moved"]
    )
    return events.order_by("-id").values_list("id", flat=True).first()


def note_told(request_id: int, event_id: int) -> None:
    """Note that an answer has told this requester what an event says: it is no news to them.

    Call it in the transaction that writes the answer.
    """
    DownloadRequest.objects.filter(pk=request_id, since_event__lt=event_id).update(
        since_event=event_id
    )


def claim_announcement(request_id: int, *, now: datetime, told_end: bool) -> bool:
    """Like `mark_announced`, for whoever is first: False when it was announced already."""
    mine = DownloadRequest.objects.filter(pk=request_id, announced_at=None)
    if not mine.update(announced_at=now):
        return False
    mark_announced(request_id, now=now, told_end=told_end)
    return True


def unannounced_of(origin: str) -> list[int]:
    """Return the ids of the requests of a message (origin `<sid>:<n>`) never announced."""
    requests = DownloadRequest.objects.filter(origin__startswith=f"{origin}:", announced_at=None)
    return list(requests.values_list("id", flat=True))


def unprocessed_events(limit: int = 100) -> list[int]:
    """Return the ids of events that somebody may still have to be told of, oldest first."""
    events = DownloadEvent.objects.filter(processed_at=None).order_by("id")
    return list(events.values_list("id", flat=True)[:limit])


def claim_event(event_id: int, *, now: datetime) -> EventNews | None:
    """Take an event for telling; None when it has been processed. Call it inside a transaction.

    The event is finished in that transaction, unless a request of it has not been announced yet:
    then the others are told now and the event stays for that one.
    """
    event = (
        DownloadEvent.objects.select_for_update(of=("self",))
        .select_related("download")
        .filter(pk=event_id, processed_at=None)
        .first()
    )
    if event is None:
        return None
    concerned = _concerned(event)
    waiting = concerned.filter(announced_at=None).exists()
    news = EventNews(
        event_id=event.pk,
        kind=event.kind,
        reason=event.reason,
        name=event.download.name,
        tmdb_id=event.download.tmdb_id,
        created_at=event.created_at,
        superseded=_is_superseded(event),
        requests=list(concerned.exclude(announced_at=None).values_list("id", "requester")),
    )
    if not waiting:
        DownloadEvent.objects.filter(pk=event.pk).update(
            processed_at=now, note="superseded" if news.superseded else ""
        )
    return news


def finish_requests(event_id: int) -> None:
    """End the requests of an ended download, after its event was told. Same transaction."""
    event = DownloadEvent.objects.select_related("download").get(pk=event_id)
    download = event.download
    is_present = event.generation == download.generation
    # What has changed again since, in the same generation, is for the newer event to settle.
    if event.kind in _ENDS and (event.kind == download.status or not is_present):
        if event.kind == Status.COMPLETED:
            _concerned(event).filter(_disappointed(event)).update(
                state=DownloadRequest.State.FULFILLED
            )
        settle_requests(download, event.generation, found=event.kind == Status.COMPLETED)


def annotate_event(event_id: int, note: str) -> None:
    """Note why an event was not told."""
    DownloadEvent.objects.filter(pk=event_id).update(note=note)


def _concerned(event: DownloadEvent) -> QuerySet[DownloadRequest]:
    """The requests that an event is news to: of its generation, older than it, and still open.

    A film that failed is watched on: who was told of the failure is told of the find, also when
    somebody else's later request brought it.
    """
    State = DownloadRequest.State
    asked = DownloadRequest.objects.filter(download=event.download, since_event__lt=event.pk)
    present = Q(generation=event.generation, state=State.ACTIVE)
    if event.kind != "completed":
        return asked.filter(present)
    ended = Q(generation=event.generation, state=State.ENDED)
    return asked.filter(present | ended | _disappointed(event))


def _disappointed(event: DownloadEvent) -> Q:
    """Those whom an earlier failure was told not long ago, and who did not ask again since."""
    failed = DownloadEvent.objects.filter(
        download=event.download,
        generation=OuterRef("generation"),
        kind="failed",
        created_at__gte=event.created_at - timedelta(seconds=settings.FAILED_WATCH),
    )
    later = DownloadRequest.objects.filter(
        download=event.download,
        requester=OuterRef("requester"),
        generation__gt=OuterRef("generation"),
    )
    ended = DownloadRequest.State.ENDED
    return Q(Exists(failed), ~Exists(later), generation__lt=event.generation, state=ended)


def is_superseded(event_id: int) -> bool:
    """Whether newer news of the same download has made this event old."""
    return _is_superseded(DownloadEvent.objects.get(pk=event_id))


def _is_superseded(event: DownloadEvent) -> bool:
    """Whether something newer is there to be told, which makes this one old news."""
    newer = DownloadEvent.objects.filter(
        download=event.download, generation=event.generation, id__gt=event.pk
    )
    return newer.exclude(dedupe=None).exists()


def is_still_wanted(request_id: int) -> bool:
    """Whether the person still waits for news of this request (it was not withdrawn)."""
    withdrawn = [DownloadRequest.State.WITHDRAWN, DownloadRequest.State.DECLINED]
    return not DownloadRequest.objects.filter(pk=request_id, state__in=withdrawn).exists()


def unannounced(origin_prefix: str) -> Sequence[DownloadRequest]:
    """Return requests of an origin that nobody was told of yet (made by the API), oldest first."""
    gone = [DownloadRequest.State.WITHDRAWN, DownloadRequest.State.DECLINED]
    return list(
        DownloadRequest.objects.select_related("download")
        .filter(announced_at=None, origin__startswith=origin_prefix)
        .exclude(state__in=gone)
        .order_by("id")[:100]
    )

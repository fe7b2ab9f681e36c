"""The restart after a kill: the sweep, the ticks and Twilio's retries, until nothing is left to do.

Time passes only here, in jumps to when the next thing is due, so that leases and graces of minutes
cost nothing.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from tests.chaos.stage import Stage

_MOST_ROUNDS = 60
_SETTLED = timedelta(minutes=5)

EXCUSED = """
    SELECT contact.address, text.template
    FROM smsbot_outboundmessage text JOIN smsbot_contact contact ON contact.id = text.contact_id
    WHERE (text.status = 'suppressed' AND text.failure = 'newer news was there to tell')
       OR (text.status = 'failed' AND text.failure LIKE '%it was sent twice')
    UNION ALL
    SELECT contact.address, 'apology'
    FROM smsbot_inboundmessage text JOIN smsbot_contact contact ON contact.id = text.contact_id
    WHERE text.state = 'dead' AND text.failure = 'gave up after five faults'
"""
"""Texts that need not come after all: Twilio did not have them and by then there was newer news; or
it denied them twice, they were sent twice, and the owner was told. And for whom an apology takes
the place of the reply: whoever answered was killed, five times."""

RETRIES = ("backfill", "retry", "repeat", "reports")
"""What Twilio posts then: nothing more; again what had no 2xx; all again; or all again and delivery
reports of what it took, which settle by themselves what was cut off."""


def drain(stage: Stage, retries: str, *, before_end: Callable[[], None] = lambda: None) -> None:
    """Bring everything to its end, and write down what could not be brought there."""
    _in_this_thread()
    stage.faults.clear()
    _post_again(stage, retries)
    rounds = 0
    while unsettled(stage) and rounds < _MOST_ROUNDS:
        _one_round(stage, _next_time(stage.now))
        rounds += 1
    before_end()
    # Once more, much later: what would be said twice is said now.
    _one_round(stage, stage.now + _SETTLED)
    library = [movie["tmdbId"] for movie in stage.world.movies.values()]
    stage.world.record(
        "end",
        unsettled=unsettled(stage),
        rounds=rounds,
        library=library,
        given_up=_given_up(),
        excused=_rows(EXCUSED),
    )


def _given_up() -> int:
    """Return of how many texts the owner was told that they may not have arrived."""
    from moviesms.models import Incident

    return Incident.objects.filter(key__startswith="outbound:").count()


def _rows(query: str) -> list[tuple[str, ...]]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(query, None)
        return list(cursor.fetchall())


def _post_again(stage: Stage, retries: str) -> None:
    for sid in list(stage.world.texts):
        if retries in ("repeat", "reports") or (
            retries == "retry" and sid not in stage.world.answered
        ):
            stage.post(sid)
    if retries == "reports":
        for create in list(stage.world.sent):
            for word in ("delivered", "sent"):  # in the wrong order, as it happens
                stage.report(create, word)


def _one_round(stage: Stage, now: datetime) -> None:
    from smsbot import sweep

    stage.now = now
    sweep.work(now, threading.Event())
    stage.tick()


_UNSETTLED = """
    SELECT 'inbound ' || id || ' ' || state FROM smsbot_inboundmessage
    WHERE state IN ('received', 'processing')
    UNION ALL
    SELECT 'outbound ' || id || ' ' || status FROM smsbot_outboundmessage
    WHERE status IN ('queued', 'sending', 'unknown')
    UNION ALL
    SELECT 'event ' || id || ' ' || kind FROM downloads_downloadevent WHERE processed_at IS NULL
    UNION ALL
    SELECT 'add of ' || tmdb_id FROM downloads_download WHERE status = 'requested'
    UNION ALL
    SELECT 'removal of ' || tmdb_id FROM downloads_download WHERE removal_due
"""


def unsettled(stage: Stage) -> list[str]:
    """Name what is still on its way."""
    known = {sid for (sid,) in _rows("SELECT twilio_sid FROM smsbot_inboundmessage")}
    waits = [f"{sid[-4:]} not picked up" for sid in stage.world.texts if sid not in known]
    return waits + [name for (name,) in _rows(_UNSETTLED)]


def _next_time(now: datetime) -> datetime:
    """Return when the first of what waits is due, a few seconds from now at least."""
    from smsbot.models import BackfillState, InboundMessage, OutboundMessage

    # A tick's lease on a film and the backfill come round by themselves within this.
    times = [now + timedelta(seconds=60)]
    rests: list[datetime | None] = [
        *InboundMessage.objects.filter(state="processing").values_list("lease_until", flat=True),
        *OutboundMessage.objects.filter(status="sending").values_list("lease_until", flat=True),
        *InboundMessage.objects.values_list("next_attempt_at", flat=True),
        *OutboundMessage.objects.values_list("next_attempt_at", flat=True),
        *BackfillState.objects.values_list("next_at", flat=True),
    ]
    times += [moment + timedelta(seconds=1) for moment in rests if moment and moment > now]
    return max(now + timedelta(seconds=4), min(times))


def _in_this_thread() -> None:
    """Let the sweep work without its threads: one connection, and lines in one order."""
    from smsbot import sweep

    def spread(work: object, ids: object, stopping: threading.Event) -> None:
        assert callable(work)
        for one in list(ids):  # type: ignore[call-overload]
            work(one)

    sweep._spread = spread

"""Answering what came in: claim a message, have the conversation decide, write the end, once.

`received → processing → handled | dead`. A claim is one conditional UPDATE that gives the row a
token for the length of a lease; every later write checks the token, so that a process that wakes
late finds that the row is no longer its own.
"""

import random
import uuid
from collections.abc import Callable, Set
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone

from downloads import services
from moviesms import claims
from moviesms.incidents import close_incident, open_incident
from moviesms.sql import condition
from smsbot import recent, sending
from smsbot.conversation import answer
from smsbot.language import recognise
from smsbot.models import Contact, InboundMessage, OutboundMessage
from smsbot.replies import speaking_to
from smsbot.reply import Reply, say

log = structlog.get_logger(__name__)

State = InboundMessage.State

MOST_ATTEMPTS = 5
"""After this many claims that ended in a fault of ours, a message is dead."""

GIVE_UP_AFTER = timedelta(hours=24)
"""How long a service that is down is waited for."""

LEFT_TO_TASKS = timedelta(seconds=3)
"""What is younger than this is most likely in a worker's hands already."""

_CHOICE = 50
_MOMENT = timedelta(microseconds=1)

BLOCKS_NEXT_FOR = timedelta(seconds=30)
"""How long a message that backs off may hold up the next one of its contact."""


class ClaimLost(Exception):
    """The lease ran out and somebody else has the row: stop, and write nothing."""


def process_line(inbound_id: int) -> bool:
    """Answer this message and whatever waits behind it for the same contact; send the answers.

    False when the message is not there to be taken.
    """
    next_id: int | None = inbound_id
    started_at = timezone.now()
    while next_id is not None:
        message = _process(next_id, timezone.now())
        if message is None:
            return next_id != inbound_id
        sending.deliver_line(message.contact_id)
        sending.deliver_since(started_at)
        waiting = due(timezone.now()).filter(contact_id=message.contact_id)
        next_id = waiting.values_list("id", flat=True).first()
    return True


def due(now: datetime) -> QuerySet[InboundMessage]:
    """Return the messages that may be claimed now, oldest first."""
    return InboundMessage.objects.filter(_may_be_claimed(now)).order_by("id")


def overdue(now: datetime, most: int) -> list[int]:
    """Return the ids of up to `most` messages for which a task should have come, of the oldest.

    Picked at random, so that many who ask at once get different ones.
    """
    waiting = due(now).filter(received_at__lte=now - LEFT_TO_TASKS)
    oldest = list(waiting.values_list("id", flat=True)[: max(most, _CHOICE)])
    return sorted(random.sample(oldest, min(most, len(oldest))))


def process_one(inbound_id: int, now: datetime) -> bool:
    """Claim and answer one message; False when it is not there to be taken."""
    return _process(inbound_id, now) is not None


def _process(inbound_id: int, now: datetime) -> InboundMessage | None:
    """Claim and answer one message, and return it; None when it is not there to be taken."""
    token = _claim(inbound_id, now)
    if token is None:
        return None
    message = InboundMessage.objects.select_related("contact").get(pk=inbound_id)
    if message.attempts > MOST_ATTEMPTS:
        _die(message, token, "gave up after five faults", now)
        return message

    def keep(**fields: object) -> None:
        """Store what was learnt, if the row is still ours, and prolong the lease."""
        _write(message, token, lease_until=timezone.now() + _lease(), **fields)

    try:
        _answer(message, token, keep, now)
    except ClaimLost:
        log.warning("claim lost", inbound=message.pk)
    return message


def _answer(
    message: InboundMessage, token: uuid.UUID, keep: Callable[..., None], now: datetime
) -> None:
    """Have the conversation answer, and write the end; what fails is put off. Raises ClaimLost."""
    try:
        reply = answer(message, now=now, keep=keep)
        reply = _complete(message, token, reply, timezone.now())
    except services.ServiceError as error:
        if error.permanent:
            open_incident("tmdb:unusable", f"No film can be found: {error}", now=now)
        _back_off(message, token, str(error), timezone.now(), our_fault=False)
    except ClaimLost:
        raise
    except Exception as error:
        log.exception("answering failed", inbound=message.pk)
        _back_off(message, token, type(error).__name__, timezone.now(), our_fault=True)
    else:
        recent.follow(message, reply.text)


def release(dead: Set[str], now: datetime) -> None:
    """Take back what processes that are dead were answering, before its lease runs out."""
    taken = InboundMessage.objects.filter(state=State.PROCESSING, lease_until__gte=now)
    for message in taken.only("lease_token"):
        if claims.is_of(message.lease_token, dead):
            taken.filter(pk=message.pk, lease_token=message.lease_token).update(
                lease_until=now - _MOMENT
            )


def retry(inbound_id: int) -> bool:
    """Give a dead message another five tries; the admin's action."""
    dead = InboundMessage.objects.filter(pk=inbound_id, state=State.DEAD)
    return bool(
        dead.update(
            state=State.RECEIVED,
            attempts=0,
            failure="",
            next_attempt_at=None,
            backing_off_since=None,
        )
    )


# --- Claims -------------------------------------------------------------------------------------


def _lease() -> timedelta:
    return timedelta(seconds=settings.INBOUND_LEASE)


_MAY_BE_CLAIMED = """
    (smsbot_inboundmessage.state = 'received'
     AND (smsbot_inboundmessage.next_attempt_at IS NULL
          OR smsbot_inboundmessage.next_attempt_at <= %s)
     OR smsbot_inboundmessage.state = 'processing' AND smsbot_inboundmessage.lease_until < %s)
    AND (smsbot_inboundmessage.skips_line OR NOT EXISTS (
        SELECT 1 FROM smsbot_inboundmessage older
        WHERE older.contact_id = smsbot_inboundmessage.contact_id
        AND older.id < smsbot_inboundmessage.id
        AND (older.state = 'processing'
             OR older.state = 'received'
                AND (older.backing_off_since IS NULL OR older.backing_off_since > %s))))"""
"""It waits or its lease ran out, and no older message of its contact is to be answered first."""


def _may_be_claimed(now: datetime) -> RawSQL:
    return condition(_MAY_BE_CLAIMED, now, now, now - BLOCKS_NEXT_FOR)


def _claim(inbound_id: int, now: datetime) -> uuid.UUID | None:
    token = claims.token()
    claimed = InboundMessage.objects.filter(_may_be_claimed(now), pk=inbound_id).update(
        state=State.PROCESSING,
        lease_token=token,
        lease_until=now + _lease(),
        attempts=F("attempts") + 1,
    )
    return token if claimed else None


def _write(message: InboundMessage, token: uuid.UUID, **fields: object) -> None:
    ours = InboundMessage.objects.filter(pk=message.pk, state=State.PROCESSING, lease_token=token)
    if not ours.update(**fields):
        raise ClaimLost
    for name, value in fields.items():
        setattr(message, name, value)


# --- Ends ---------------------------------------------------------------------------------------


def _complete(message: InboundMessage, token: uuid.UUID, reply: Reply, now: datetime) -> Reply:
    """Write the reply, what it announces and the message's end, in one transaction; return it."""
    with transaction.atomic():
        _write(
            message,
            token,
            state=State.HANDLED,
            handled_at=now,
            lease_until=None,
            failure="",
            understanding=message.understanding,
        )
        if reply.late is not None:
            with speaking_to(message.contact):
                reply = replace(reply.late(now), question=reply.question)
        if reply.text:
            _queue(message, reply, reply.purpose, now)
        for request_id, told_end in reply.announces:
            services.mark_announced(request_id, now=now, told_end=told_end)
        if reply.question is not None:
            OutboundMessage.objects.filter(pk=reply.question.pk).update(answered_by=message)
        if reply.contact_changes:
            Contact.objects.filter(pk=message.contact_id).update(**reply.contact_changes)
        close_incident(f"inbound:{message.pk}", now=now)
        for effect in reply.effects:
            effect(now)
    log.info("answered", inbound=message.pk, template=reply.template or "nothing")
    return reply


def _queue(message: InboundMessage, reply: Reply, purpose: str, now: datetime) -> None:
    """Write the text. What the database refuses is an error: to ignore it would lose the text."""
    OutboundMessage.objects.create(
        in_reply_to=message,
        purpose=purpose,
        contact_id=message.contact_id,
        text=reply.text,
        template=reply.template,
        offers=[match.as_dict() for match in reply.offers] or None,
        asks=reply.asks,
        request_id=reply.announces[0][0] if len(reply.announces) == 1 else None,
        created_at=now,
    )


def _queue_once(message: InboundMessage, reply: Reply, purpose: str, now: datetime) -> None:
    """Write the text, unless the message has had one of this purpose."""
    had = OutboundMessage.objects.filter(in_reply_to=message, purpose=purpose, resend_of=None)
    if not had.exists():
        _queue(message, reply, purpose, now)


def _back_off(
    message: InboundMessage, token: uuid.UUID, failure: str, now: datetime, *, our_fault: bool
) -> None:
    """Put the message back for later, with a word to the person; give up when that is hopeless."""
    since = message.backing_off_since or now
    hopeless = message.attempts >= MOST_ATTEMPTS if our_fault else now - since > GIVE_UP_AFTER
    if hopeless:
        _die(message, token, failure, now)
        return
    # Full jitter: many messages that failed together do not come back together.
    pause = random.uniform(1, min(300, 5 * 2**message.attempts))  # noqa: S311
    with transaction.atomic():
        _write(
            message,
            token,
            state=State.RECEIVED,
            lease_until=None,
            failure=failure[:300],
            backing_off_since=since,
            next_attempt_at=now + timedelta(seconds=pause),
            # A service that is down says nothing about the message.
            attempts=message.attempts if our_fault else max(0, message.attempts - 1),
        )
        with speaking_to(message.contact, recognise(message.body)):
            _queue_once(message, say("holding"), OutboundMessage.Purpose.HOLDING, now)
    recent.forget([message.contact_id])
    log.warning("answering put off", inbound=message.pk, failure=failure)


def _die(message: InboundMessage, token: uuid.UUID, failure: str, now: datetime) -> None:
    """Give a message up: it stays visible and can be tried again; the person gets one apology."""
    with transaction.atomic():
        _write(message, token, state=State.DEAD, lease_until=None, failure=failure[:300])
        with speaking_to(message.contact, recognise(message.body)):
            _queue_once(message, say("apology"), OutboundMessage.Purpose.APOLOGY, now)
        # What had been asked for before the fault goes on, and is told from now on.
        for request_id in services.unannounced_of(message.twilio_sid):
            services.mark_announced(request_id, now=now)
    open_incident(
        f"inbound:{message.pk}",
        f"A text from {message.contact.masked} could not be answered ({failure}). The admin can "
        "try it again.",
        now=now,
    )
    log.error("message given up", inbound=message.pk, failure=failure)

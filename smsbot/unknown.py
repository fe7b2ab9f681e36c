"""Texts whose sending nobody saw the end of: ask Twilio before anything else.

Twilio has no idempotency key, so a text whose call was cut off may have been taken. The delivery
report may tell (its path holds our row's id); else Twilio's own list does. Only when the list has
twice not held it, the second time late enough, is the text sent once more: never a third time.
"""

import re
import unicodedata
import uuid
from collections.abc import Set
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import IntegrityError
from django.db.models import Q

from downloads import services
from moviesms import claims
from moviesms.incidents import open_incident
from smsbot import gateway
from smsbot.models import OutboundAttempt, OutboundMessage

log = structlog.get_logger(__name__)

Status = OutboundMessage.Status

_CLOCKS_DIFFER = timedelta(seconds=5)
_GIVE_UP_AFTER = timedelta(hours=24)
# Within a minute after Twilio answers again we know, the sweep included.
_ASK_AGAIN_AFTER = timedelta(seconds=30)
_MOST_CREATES = 2


def settle_expired(now: datetime) -> None:
    """Sort out what was being sent when its process died: called is unknown, not called is not.

    Only an attempt that certainly did not send, or none at all, lets a text go back to the queue.
    """
    for message in OutboundMessage.objects.filter(status=Status.SENDING, lease_until__lt=now):
        attempt = message.attempts.order_by("-number").first()
        called = attempt is not None and attempt.outcome != OutboundAttempt.Outcome.NOT_SENT
        OutboundMessage.objects.filter(
            pk=message.pk, status=Status.SENDING, lease_token=message.lease_token
        ).update(
            status=Status.UNKNOWN if called else Status.QUEUED,
            lease_until=None,
            failure="the sending process died" if called else "",
        )


def release(dead: Set[str], now: datetime) -> None:
    """Take back what processes that are dead were sending, before its lease runs out."""
    taken = OutboundMessage.objects.filter(status=Status.SENDING, lease_until__gte=now)
    for message in taken.only("lease_token"):
        if claims.is_of(message.lease_token, dead):
            taken.filter(pk=message.pk, lease_token=message.lease_token).update(
                lease_until=now - timedelta(microseconds=1)
            )


def resolve_due(now: datetime, *, limit: int = 20) -> int:
    """Ask about the unknown texts whose time has come, oldest first; return how many were asked."""
    rested = Q(next_attempt_at=None) | Q(next_attempt_at__lte=now)
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    waiting = OutboundMessage.objects.filter(rested, free, status=Status.UNKNOWN).order_by("id")
    return sum(_resolve(message, now) for message in waiting.select_related("contact")[:limit])


def _resolve(message: OutboundMessage, now: datetime) -> bool:
    attempt = message.attempts.order_by("-number").first()
    if attempt is None:
        return False
    first_check = attempt.started_at + timedelta(seconds=settings.UNKNOWN_FIRST_CHECK)
    if now < first_check:
        OutboundMessage.objects.filter(pk=message.pk, status=Status.UNKNOWN).update(
            next_attempt_at=first_check
        )
        return False
    token = _claim(message, now)
    if token is None:
        return False
    try:
        sid = _find(message, attempt)
    except gateway.Incomplete as error:
        # Half a list is not a no.
        _put_off(message, token, attempt, now, str(error))
        return True
    if sid is not None:
        _found(message, token, attempt, sid)
    else:
        _denied(message, token, attempt, now)
    return True


def _claim(message: OutboundMessage, now: datetime) -> uuid.UUID | None:
    token = uuid.uuid4()
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    claimed = OutboundMessage.objects.filter(free, pk=message.pk, status=Status.UNKNOWN).update(
        lease_token=token, lease_until=now + timedelta(seconds=4 * settings.TWILIO_DEADLINE)
    )
    return token if claimed else None


def _find(message: OutboundMessage, attempt: OutboundAttempt) -> str | None:
    """Return the SID under which Twilio has this text, None when it certainly does not."""
    since = attempt.started_at - _CLOCKS_DIFFER
    latest = timedelta(seconds=settings.TWILIO_DEADLINE + settings.UNKNOWN_TAIL)
    until = attempt.started_at + latest
    listed = gateway.listed(message.contact.address, since, until)
    known = set(
        OutboundMessage.objects.filter(twilio_sid__in=[other.sid for other in listed]).values_list(
            "twilio_sid", flat=True
        )
    )
    wanted = _normal(message.text)
    ours = [
        other
        for other in sorted(listed, key=lambda other: (other.created_at, other.sid))
        if other.direction == "outbound-api"
        and other.sid not in known
        and since <= other.created_at <= until
        # A trial account puts a sentence of its own before ours.
        and _normal(other.body).endswith(wanted)
    ]
    return ours[0].sid if ours else None


def _normal(text: str) -> str:
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip()


def _found(message: OutboundMessage, token: uuid.UUID, attempt: OutboundAttempt, sid: str) -> None:
    attempt.outcome, attempt.twilio_sid = OutboundAttempt.Outcome.SENT, sid
    attempt.save(update_fields=["outcome", "twilio_sid"])
    try:
        _settle(message, token, status=Status.SENT, twilio_sid=sid, sent_at=attempt.started_at)
    except IntegrityError:
        # Another row has claimed this SID since we looked: ask again.
        _settle(message, token, next_attempt_at=None)
    log.info("found at Twilio", outbound=message.pk)


def _denied(
    message: OutboundMessage, token: uuid.UUID, attempt: OutboundAttempt, now: datetime
) -> None:
    """Twilio does not have it: after the second, late enough no, send once more or give up."""
    resend_at = attempt.started_at + timedelta(seconds=settings.UNKNOWN_RESEND_AFTER)
    denials = message.denials + 1
    if denials < 2 or now < resend_at:
        again = max(resend_at, now + timedelta(seconds=settings.SWEEP_INTERVAL))
        _settle(message, token, denials=denials, next_attempt_at=again)
        return
    # A call that certainly made nothing, such as one that was refused, was none.
    creates = message.attempts.exclude(outcome=OutboundAttempt.Outcome.NOT_SENT).count()
    if creates >= _MOST_CREATES:
        _give_up(message, token, now, "Twilio never confirmed it, and it was sent twice")
    elif _is_superseded(message):
        _settle(
            message,
            token,
            status=Status.SUPPRESSED,
            failure="newer news was there to tell",
            finished_at=now,
        )
    else:
        log.warning("not at Twilio, sending once more", outbound=message.pk)
        _settle(message, token, status=Status.QUEUED, denials=0, next_attempt_at=None)


def _is_superseded(message: OutboundMessage) -> bool:
    """Whether the person has had newer news of the same film, which makes this text untrue."""
    if message.event_id and services.is_superseded(message.event_id):
        return True
    if message.request_id is None:
        return False
    newer = OutboundMessage.objects.filter(
        contact=message.contact, request=message.request_id, id__gt=message.pk
    )
    return newer.filter(status__in=[Status.SENT, Status.DELIVERED]).exists()


def _put_off(
    message: OutboundMessage,
    token: uuid.UUID,
    attempt: OutboundAttempt,
    now: datetime,
    why: str,
) -> None:
    if now - attempt.started_at > _GIVE_UP_AFTER:
        _give_up(message, token, now, "Twilio could not be asked for a day")
        return
    log.warning("Twilio could not be asked", outbound=message.pk, why=why)
    _settle(message, token, next_attempt_at=now + _ASK_AGAIN_AFTER)


def _give_up(message: OutboundMessage, token: uuid.UUID, now: datetime, why: str) -> None:
    _settle(message, token, status=Status.FAILED, failure=why, finished_at=now)
    open_incident(
        f"outbound:{message.pk}",
        f"A text to {message.contact.masked} may not have arrived: {why}. Send it again in the "
        "admin if it matters.",
        now=now,
    )


def _settle(message: OutboundMessage, token: uuid.UUID, **fields: object) -> None:
    """Write, if a delivery report has not settled it meanwhile and the row is still ours."""
    OutboundMessage.objects.filter(pk=message.pk, status=Status.UNKNOWN, lease_token=token).update(
        lease_until=None, **fields
    )

"""Sending: one claim, one recorded attempt, one call, and what is known afterwards.

`queued → sending → sent → delivered | undelivered | failed`, with `suppressed` for what is not sent
after all and `unknown` for a call whose outcome was not seen. Twilio has no idempotency key, so a
call is never simply repeated.
"""

import random
import uuid
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.urls import reverse
from django.utils import timezone

from downloads import services
from moviesms import claims, live, quotas
from moviesms.breaker import Breaker
from moviesms.incidents import close_incident, open_incident
from moviesms.sql import condition
from smsbot import gateway
from smsbot.models import Contact, OutboundAttempt, OutboundMessage
from smsbot.policy import Access, access_of
from smsbot.replies import segments, speaking_to, styled

log = structlog.get_logger(__name__)

Status = OutboundMessage.Status

_ENDS = frozenset({Status.DELIVERED, Status.UNDELIVERED, Status.FAILED, Status.SUPPRESSED})
# Twilio's words for a message, as the status that they prove (FACTS: Twilio, send).
_REPORTED = {
    "accepted": Status.SENT,
    "scheduled": Status.SENT,
    "queued": Status.SENT,
    "sending": Status.SENT,
    "sent": Status.SENT,
    "partially_delivered": Status.SENT,
    "delivered": Status.DELIVERED,
    "read": Status.DELIVERED,
    "undelivered": Status.UNDELIVERED,
    "failed": Status.FAILED,
    "canceled": Status.FAILED,
}
LONGEST_TEXT = 1600
"""Characters that Twilio takes in one text."""

_LONGEST_PAUSE = timedelta(minutes=5)
# Whoever waits has their text within a minute after Twilio takes texts again, the sweep included.
_LONGEST_BACK_OFF = 30.0
_REFUSED_PAUSE = 30.0

# After a refusal that is our own fault, nothing is tried for a while.
refused = Breaker("twilio", on_open=live.note_open)


def deliver_line(contact_id: int) -> int:
    """Send what waits for a contact, oldest first; return how many were handed over."""
    sent = 0
    while not refused.is_open:
        waiting = due(timezone.now()).filter(contact_id=contact_id).select_related("contact")
        message = waiting.first()
        if message is None or not deliver_one(message, timezone.now()):
            break
        sent += 1
    return sent


def deliver_since(started_at: datetime) -> None:
    """Send what was queued for anybody since then: an answer may be news to others too."""
    fresh = due(timezone.now()).filter(created_at__gte=started_at)
    for contact_id in set(fresh.values_list("contact_id", flat=True)):
        deliver_line(contact_id)


def due(now: datetime) -> QuerySet[OutboundMessage]:
    """Return the messages that may be sent now, oldest first, one line per contact."""
    return OutboundMessage.objects.filter(_may_be_claimed(now)).order_by("id")


def deliver_one(message: OutboundMessage, now: datetime) -> bool:
    """Claim and send one message; False when it is not there to be taken."""
    token = _claim(message, now)
    if token is None:
        return False
    reason = _why_not(message)
    if reason is not None:
        _settle(message, token, Status.SUPPRESSED, now, failure=reason)
        return True
    if not _affordable(message, token, now):
        return True
    attempt = OutboundAttempt.objects.create(
        message=message, number=message.attempts.count() + 1, started_at=timezone.now()
    )
    if timezone.now() - now > timedelta(seconds=settings.SEND_START_LIMIT):
        # We were stopped in between: too late to be sure that nobody else has taken over.
        _record(attempt, OutboundAttempt.Outcome.NOT_SENT, "started too late")
        _settle(message, token, Status.QUEUED, now)
        return False
    outcome = gateway.send(message.contact.address, message.text, callback_url=_callback(message))
    # The attempt's end and the message's are one: a text that was sent is never queued again.
    with transaction.atomic():
        _conclude(message, attempt, token, outcome, timezone.now())
    if outcome.outcome == gateway.Outcome.SENT:
        _end_of_trouble(message, timezone.now())
    return True


def report(public_id: uuid.UUID, *, sid: str, word: str, code: int | None, now: datetime) -> bool:
    """Take a delivery report for a message; False when there is no such message.

    Reports come in any order and may come before our own 201 is stored: they only move forward.
    """
    message = OutboundMessage.objects.filter(public_id=public_id).first()
    if message is None:
        return False
    status = _REPORTED.get(word)
    if status is None or message.twilio_sid not in (None, sid):
        return True  # a word we need not know, or a report on another message
    fields: dict[str, object] = {"status": status, "error_code": code, "lease_until": None}
    if status in _ENDS:
        fields["finished_at"] = now
    with transaction.atomic():
        rows = OutboundMessage.objects.filter(pk=message.pk)
        rows.filter(twilio_sid=None).update(twilio_sid=sid, sent_at=now)
        earlier = rows.exclude(status__in=_ENDS)
        if status == Status.SENT:
            earlier = earlier.exclude(status=Status.SENT)
        if earlier.update(**fields) and code == gateway.OPTED_OUT:
            _opt_out(message.contact_id, now)
    return True


def resend(message_id: int, now: datetime) -> OutboundMessage | None:
    """Queue a copy of a message that failed; the admin's action. None when it did not fail."""
    failed = (Status.FAILED, Status.UNDELIVERED, Status.SUPPRESSED, Status.UNKNOWN)
    message = OutboundMessage.objects.filter(pk=message_id, status__in=failed).first()
    if message is None:
        return None
    return OutboundMessage.objects.create(
        contact=message.contact,
        text=message.text,
        template=message.template,
        purpose=message.purpose,
        in_reply_to=message.in_reply_to,
        event=message.event,
        request=message.request,
        about=message.about,
        offers=message.offers,
        resend_of=message,
        created_at=now,
    )


class NotWrittenTo(Exception):
    """The person gets no texts: they opted out, or are blocked. The message says which."""


def by_hand(contact: Contact, words: str, *, key: str, now: datetime) -> OutboundMessage:
    """Queue a text that the owner wrote; the same `key` again finds the text of the first time.

    Raises NotWrittenTo, and ValueError for no words or more than Twilio takes.
    """
    with speaking_to(contact):
        text = styled(words.strip())
    if not text or len(text) > LONGEST_TEXT:
        raise ValueError(f"a text has 1 to {LONGEST_TEXT} characters")
    if contact.opted_out_at:
        raise NotWrittenTo(f"{contact} has texted STOP and gets no texts.")
    if access_of(contact) == Access.BLOCKED:
        raise NotWrittenTo(f"{contact} is blocked and gets no texts.")
    message, _ = OutboundMessage.objects.get_or_create(
        contact=contact,
        about=f"by hand:{key}",
        resend_of=None,
        defaults={
            "text": text,
            "purpose": OutboundMessage.Purpose.BY_HAND,
            "created_at": now,
        },
    )
    return message


# --- Claims -------------------------------------------------------------------------------------


_MAY_BE_CLAIMED = """
    smsbot_outboundmessage.status = 'queued'
    AND (smsbot_outboundmessage.next_attempt_at IS NULL
         OR smsbot_outboundmessage.next_attempt_at <= %s)
    AND NOT EXISTS (
        SELECT 1 FROM smsbot_outboundmessage older
        WHERE older.contact_id = smsbot_outboundmessage.contact_id
        AND older.id < smsbot_outboundmessage.id
        AND older.status IN ('queued', 'sending')
        AND (older.next_attempt_at IS NULL OR older.next_attempt_at <= %s))"""
"""It waits, and no older one of its contact does, but for what waits for tomorrow's allowance."""


def _may_be_claimed(now: datetime) -> RawSQL:
    return condition(_MAY_BE_CLAIMED, now, now + _LONGEST_PAUSE)


def _claim(message: OutboundMessage, now: datetime) -> uuid.UUID | None:
    token = claims.token()
    # Counted with the claim: whatever becomes of the call, what it would be billed as is known.
    claimed = OutboundMessage.objects.filter(_may_be_claimed(now), pk=message.pk).update(
        status=Status.SENDING,
        lease_token=token,
        lease_until=now + timedelta(seconds=settings.SEND_LEASE),
        segments=segments(message.text),
    )
    return token if claimed else None


def _why_not(message: OutboundMessage) -> str | None:
    """Say why a message is not sent after all: its person left, or may not be written to."""
    contact = message.contact
    if contact.opted_out_at and message.template != "welcome_back":
        return "the person opted out"
    if access_of(contact) == Access.BLOCKED:
        return "the person is blocked"
    if message.request_id and not services.is_still_wanted(message.request_id):
        return "the request was withdrawn"
    return None


def _affordable(message: OutboundMessage, token: uuid.UUID, now: datetime) -> bool:
    """Count the text against the day's caps; at a cap replies are dropped and news waits."""
    if message.purpose == OutboundMessage.Purpose.OWNER:
        return True  # the few that tell the owner why it has become quiet
    caps = {
        "sms": settings.SMS_DAILY_CAP,
        f"sms:{message.contact_id}": settings.SMS_DAILY_CAP_PER_CONTACT,
    }
    if quotas.take_all(caps, now=now):
        return True
    _tell_of_cap(message.contact, now)
    if message.purpose == OutboundMessage.Purpose.NOTIFICATION:
        opens = quotas.window_opens(now)
        _settle(message, token, Status.QUEUED, now, next_attempt_at=opens, failure="daily cap")
    else:
        _settle(message, token, Status.SUPPRESSED, now, failure="daily cap")
    return False


def _tell_of_cap(contact: Contact, now: datetime) -> None:
    """Tell the owner whose cap is reached: the household's, or one person's."""
    what = "News waits until tomorrow, replies are not sent"
    if quotas.used("sms", now=now) >= settings.SMS_DAILY_CAP > 0:
        summary = f"The daily cap on texts is reached. {what} (SMS_DAILY_CAP)."
        open_incident("sms:cap", summary, now=now)
        return
    summary = (
        f"The daily cap on texts to {contact.masked} is reached. {what} "
        "(SMS_DAILY_CAP_PER_CONTACT)."
    )
    open_incident(f"sms:cap:{contact.pk}", summary, now=now)


def _end_of_trouble(message: OutboundMessage, now: datetime) -> None:
    """Tell the owner what a text that got through ends, or that four fifths of the day's are gone.

    The owner's own texts are not counted, so that they end no cap.
    """
    ended, cap = ["twilio:refused"], settings.SMS_DAILY_CAP
    if message.purpose != OutboundMessage.Purpose.OWNER:
        ended.append(f"sms:cap:{message.contact_id}")
        if cap and quotas.used("sms", now=now) * 5 >= cap * 4:
            summary = f"Four fifths of today's {cap} texts are used (SMS_DAILY_CAP)."
            open_incident("sms:cap_near", summary, now=now)
        else:
            ended += ["sms:cap_near", "sms:cap"]
    close_incident(*ended, now=now)


def _callback(message: OutboundMessage) -> str | None:
    """Return where Twilio reports to; None when it could not reach us."""
    if settings.PUBLIC_HOST in ("localhost", "127.0.0.1", "::1") and not settings.TWILIO_API_URL:
        return None
    # By the bot's own addresses: a worker does not hold the pages that the others lead to.
    return (
        f"{settings.PUBLIC_URL}/api/sms{reverse('sms-status', 'smsbot.urls', [message.public_id])}"
    )


# --- Ends ---------------------------------------------------------------------------------------


def _conclude(
    message: OutboundMessage,
    attempt: OutboundAttempt,
    token: uuid.UUID,
    answer: gateway.Answer,
    now: datetime,
) -> None:
    """Write what the call proved, if the row is still ours to write."""
    Outcome = gateway.Outcome
    _record(attempt, _OUTCOMES[answer.outcome], answer.detail, sid=answer.sid)
    match answer.outcome:
        case Outcome.SENT:
            _settle(message, token, Status.SENT, now, twilio_sid=answer.sid, sent_at=now)
        case Outcome.NOT_SENT:
            pause = random.uniform(1, min(_LONGEST_BACK_OFF, 5.0 * 2**attempt.number))  # noqa: S311
            _put_back(message, token, answer, now, pause)
        case Outcome.OURS:
            refused.failed(answer.detail, retry_after=_REFUSED_PAUSE)
            summary = f"Twilio refuses our texts ({answer.detail}). They wait; nothing is lost."
            open_incident("twilio:refused", summary, now=now)
            _put_back(message, token, answer, now, _REFUSED_PAUSE)
        case Outcome.REJECTED:
            _settle(
                message,
                token,
                Status.FAILED,
                now,
                error_code=answer.code,
                failure=answer.detail,
                finished_at=now,
            )
            if answer.code == gateway.OPTED_OUT:
                _opt_out(message.contact_id, now)
        case Outcome.UNKNOWN:
            _settle(message, token, Status.UNKNOWN, now, failure=answer.detail)
    log.info("sent" if answer.sid else "not sent", outbound=message.pk, outcome=answer.outcome)


_OUTCOMES = {
    gateway.Outcome.SENT: OutboundAttempt.Outcome.SENT,
    gateway.Outcome.NOT_SENT: OutboundAttempt.Outcome.NOT_SENT,
    gateway.Outcome.OURS: OutboundAttempt.Outcome.NOT_SENT,
    gateway.Outcome.REJECTED: OutboundAttempt.Outcome.REJECTED,
    gateway.Outcome.UNKNOWN: OutboundAttempt.Outcome.UNKNOWN,
}


def _put_back(
    message: OutboundMessage,
    token: uuid.UUID,
    answer: gateway.Answer,
    now: datetime,
    pause: float,
) -> None:
    _settle(
        message,
        token,
        Status.QUEUED,
        now,
        failure=answer.detail,
        error_code=answer.code,
        next_attempt_at=now + timedelta(seconds=pause),
    )


def _record(
    attempt: OutboundAttempt, outcome: OutboundAttempt.Outcome, detail: str, *, sid: str = ""
) -> None:
    OutboundAttempt.objects.filter(pk=attempt.pk).update(
        outcome=outcome, detail=detail[:300], twilio_sid=sid
    )


def _settle(
    message: OutboundMessage, token: uuid.UUID, status: str, now: datetime, **fields: object
) -> None:
    """Write the outcome by compare-and-set; a report that was faster has said as much already."""
    ours = OutboundMessage.objects.filter(pk=message.pk, status=Status.SENDING, lease_token=token)
    if status == Status.SUPPRESSED:
        fields["finished_at"] = now
    if ours.update(status=status, lease_until=None, **fields):
        return
    sid = fields.get("twilio_sid")
    if sid:
        OutboundMessage.objects.filter(pk=message.pk, twilio_sid=None).update(twilio_sid=sid)


def _opt_out(contact_id: int, now: datetime) -> None:
    Contact.objects.filter(pk=contact_id, opted_out_at=None).update(opted_out_at=now)

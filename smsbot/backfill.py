"""Texts that Twilio holds and we missed, because we were down: read its list, insert what we lack.

Through the webhook's own parse-and-insert, so that a text is one row however it came. The cursor
is Twilio's clock; it starts when we were installed and moves after the rows are safe.
"""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.http import QueryDict

from smsbot import gateway, handover, inbound
from smsbot.models import BackfillState, InboundMessage, OutboundMessage
from smsbot.replies import render

log = structlog.get_logger(__name__)

OVERLAP = timedelta(days=1)
"""How far each read reaches back behind the cursor: Twilio may list a text late."""

TOO_OLD = timedelta(hours=48)
"""What is older than this is not answered any more, only regretted once."""

FIRST_LOOK = timedelta(minutes=5)
"""Who texts while we are being installed is answered; what is older was not for us."""


def run_if_due(now: datetime) -> int:
    """Read Twilio's list if it is time and nobody else is at it; return how many we lacked."""
    if not gateway.is_configured():
        return 0
    BackfillState.objects.get_or_create(
        id=1, defaults={"installed_at": now - FIRST_LOOK, "cursor": now, "next_at": now}
    )
    later = now + timedelta(seconds=settings.BACKFILL_INTERVAL)
    due = BackfillState.objects.filter(pk=1, next_at__lte=now)
    if not due.update(next_at=later):
        return 0
    try:
        return read_list(now)
    except gateway.Incomplete as error:
        log.warning("backfill put off", why=str(error))
        return 0


def read_list(now: datetime) -> int:
    """Insert the texts that Twilio lists and we lack; return how many there were.

    Raises gateway.Incomplete when the list could not be read whole; the cursor then stays.
    """
    state = BackfillState.objects.get(pk=1)
    listed = gateway.received(state.cursor - OVERLAP)
    known = set(
        InboundMessage.objects.filter(twilio_sid__in=[text.sid for text in listed]).values_list(
            "twilio_sid", flat=True
        )
    )
    installed = state.installed_at
    missed = [
        text
        for text in sorted(listed, key=lambda text: (text.created_at, text.sid))
        if text.sid not in known and text.created_at >= installed
    ]
    stored = sum(_take(text, now) for text in missed)
    newest = max((text.created_at for text in listed), default=state.cursor)
    BackfillState.objects.filter(pk=1, cursor__lt=newest).update(cursor=newest)
    if stored:
        log.info("texts picked up from Twilio", count=stored)
    return stored


def _take(text: gateway.ListedMessage, now: datetime) -> bool:
    form = QueryDict(mutable=True)
    form.update(
        {
            "MessageSid": text.sid,
            "AccountSid": settings.TWILIO_ACCOUNT_SID,
            "From": text.from_,
            "To": text.to,
            "Body": text.body,
            "NumMedia": str(text.num_media),
        }
    )
    try:
        incoming = inbound.parse(form, from_list=True)
    except inbound.Malformed as error:
        log.warning("listed text left out", error=str(error))
        return False
    if incoming is None:
        return False
    if now - text.created_at > TOO_OLD:
        return _bury(incoming, now)
    inbound_id, created = inbound.store(incoming, now=now)
    if created:
        handover.inbound(inbound_id)
    return created


def _bury(incoming: inbound.Incoming, now: datetime) -> bool:
    """Store a text that is too old to answer, and apologise once for all of a person's."""
    inbound_id, created = inbound.store(incoming, now=now, dead="too old")
    if not created:
        return False
    message = InboundMessage.objects.select_related("contact").get(pk=inbound_id)
    apologised = OutboundMessage.objects.filter(
        contact=message.contact,
        purpose=OutboundMessage.Purpose.APOLOGY,
        created_at__gte=now - TOO_OLD,
    )
    if not apologised.exists():
        OutboundMessage.objects.create(
            contact=message.contact,
            in_reply_to=message,
            purpose=OutboundMessage.Purpose.APOLOGY,
            template="apology",
            text=render("apology"),
            created_at=now,
        )
    return True

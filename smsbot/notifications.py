"""Events become texts: one row per requester and event, in one transaction with the event's end.

What to say is this table's; the downloads only say what happened.
"""

from datetime import date, datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import formats

from downloads import services
from moviesms.models import Incident
from smsbot import recent
from smsbot.models import Contact, OutboundMessage
from smsbot.policy import owners
from smsbot.reasons import in_plain_words
from smsbot.replies import render, speaking_to

log = structlog.get_logger(__name__)

Purpose = OutboundMessage.Purpose

TEMPLATES = {
    "started": "started",
    "completed": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
    "stuck": "stuck",
    "nothing_found": "nothing_found",
    "waiting": "waiting",
}
# News of these is no news after a while; ends are told however late.
_GROWS_STALE = frozenset({"started", "waiting", "stuck"})


def hand_out(now: datetime) -> set[int]:
    """Turn all that is to be told into queued texts; return the contacts who have some."""
    concerned: set[int] = set()
    for event_id in services.unprocessed_events():
        concerned |= _tell_event(event_id, now)
    for request in services.unannounced(services.API_ORIGIN):
        concerned |= _announce(request, now)
    concerned |= _tell_incidents(now)
    recent.forget(concerned)
    return concerned


def _tell_event(event_id: int, now: datetime) -> set[int]:
    with transaction.atomic():
        news = services.claim_event(event_id, now=now)
        if news is None:
            return set()
        contacts = set()
        if _is_stale(news, now):
            services.annotate_event(event_id, "too old")
        elif not news.superseded:
            contacts = {_tell(news, *request, now) for request in news.requests}
        services.finish_requests(event_id)
    if contacts:
        log.info("told", event_id=event_id, kind=news.kind, people=len(contacts))
    return contacts


def _is_stale(news: services.EventNews, now: datetime) -> bool:
    limit = timedelta(seconds=settings.STALE_NOTICE_AFTER)
    return news.kind in _GROWS_STALE and now - news.created_at > limit


def _tell(news: services.EventNews, request_id: int, requester: str, now: datetime) -> int:
    contact, _ = Contact.objects.get_or_create(address=requester)
    with speaking_to(contact):
        text = render(TEMPLATES[news.kind], **_context(news))
    OutboundMessage.objects.get_or_create(
        event_id=news.event_id,
        contact=contact,
        resend_of=None,
        defaults={
            "purpose": Purpose.NOTIFICATION,
            "template": TEMPLATES[news.kind],
            "text": text,
            "request_id": request_id,
            "created_at": now,
        },
    )
    return contact.pk


def _context(news: services.EventNews) -> dict[str, Any]:
    return {
        "film": news.name,
        "reason": in_plain_words(news.reason) if news.kind == "failed" else "",
        "date": _readable_date(news.reason) if news.kind == "waiting" else "",
        "owner_knows": bool(settings.OWNER_PHONE_NUMBERS or settings.ALERT_URLS),
    }


def _readable_date(iso: str) -> str:
    return formats.date_format(date.fromisoformat(iso), "j F Y") if iso else ""


def _announce(request: Any, now: datetime) -> set[int]:
    """Tell a person of a request that was made for them through the API."""
    template, told_end = _announcement(request.download)
    with transaction.atomic():
        if not services.claim_announcement(request.pk, now=now, told_end=told_end):
            return set()
        contact, _ = Contact.objects.get_or_create(address=request.requester)
        with speaking_to(contact):
            reason = in_plain_words(request.download.reason)
            text = render(template, film=request.download.name, reason=reason)
        OutboundMessage.objects.create(
            contact=contact,
            purpose=Purpose.NOTIFICATION,
            template=template,
            text=text,
            request_id=request.pk,
            created_at=now,
        )
    return {contact.pk}


def _announcement(download: Any) -> tuple[str, bool]:
    if download.status == "completed":
        return "available", True
    if not download.is_active:
        return "refused", True
    by_status = {"requested": "saved", "downloading": "downloading", "importing": "downloading"}
    return by_status.get(download.status, "added"), False


# --- The owner ----------------------------------------------------------------------------------


def _tell_incidents(now: datetime) -> set[int]:
    """Tell the owner of each incident once when it starts and once when it ends."""
    told = set()
    for incident in Incident.objects.filter(opening_told_at=None, closed_at=None):
        told |= _tell_owners(
            incident, "opening", render("owner_incident", summary=incident.summary), now
        )
    over = Incident.objects.filter(
        opening_told_at__isnull=False, closed_at__isnull=False, closing_told_at=None
    )
    for incident in over:
        text = render("owner_incident_over", summary=incident.summary)
        told |= _tell_owners(incident, "closing", text, now)
    return told


def _tell_owners(incident: Incident, phase: str, text: str, now: datetime) -> set[int]:
    if not settings.OWNER_PHONE_NUMBERS:
        return set()
    told_at = f"{phase}_told_at"
    with transaction.atomic():
        claimed = Incident.objects.filter(pk=incident.pk, **{told_at: None}).update(
            **{told_at: now}
        )
        if not claimed:
            return set()
        contacts = owners()
        for contact in contacts:
            OutboundMessage.objects.create(
                contact=contact,
                purpose=Purpose.OWNER,
                template="owner_incident" if phase == "opening" else "owner_incident_over",
                about=f"incident:{incident.pk}:{phase}",
                text=text,
                created_at=now,
            )
    return {contact.pk for contact in contacts}

"""Events become texts: one row per requester and event, in one transaction with the event's end.

What to say is this table's; the downloads only say what happened.
"""

from datetime import date, datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction

from downloads import services
from moviesms.models import Incident
from smsbot import approvals, codes, issues, preferences, recent, terms
from smsbot.models import Contact, OutboundMessage
from smsbot.notices import tell_owners
from smsbot.policy import owners
from smsbot.reasons import in_plain_words
from smsbot.replies import readable_date, render, speaking_to

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
    "moved": "moved",
    "released": "released",
}
# News of these is no news after a while; ends are told however late.
_GROWS_STALE = frozenset({"started", "waiting", "moved", "released", "stuck"})
_OF_A_DATE = frozenset({"waiting", "moved"})


def hand_out(now: datetime) -> set[int]:
    """Turn all that is to be told into queued texts; return the contacts who have some."""
    concerned: set[int] = set()
    for event_id in services.unprocessed_events():
        concerned |= _tell_event(event_id, now)
    for request in services.unannounced(services.API_ORIGIN):
        concerned |= _announce(request, now)
    concerned |= approvals.ask_what_is_open(now)
    codes.unlock(now)
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
        if news.kind == "completed":
            issues.arrived(news.tmdb_id, news.created_at, now)
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
    # Who does not want to hear of it has a row all the same: nobody tells it a second time.
    muted = news.kind in preferences.MUTABLE and news.kind in contact.muted
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
            **(_muted(now) if muted else {}),
        },
    )
    return contact.pk


def _muted(now: datetime) -> dict[str, Any]:
    return {
        "status": OutboundMessage.Status.SUPPRESSED,
        "failure": "the person does not want such texts",
        "finished_at": now,
    }


def _context(news: services.EventNews) -> dict[str, Any]:
    return {
        "film": news.name,
        "reason": in_plain_words(news.reason) if news.kind == "failed" else "",
        "date": _readable_date(news.reason) if news.kind in _OF_A_DATE else "",
        "owner_knows": bool(settings.OWNER_PHONE_NUMBERS or settings.ALERT_URLS),
    }


def _readable_date(iso: str) -> str:
    return readable_date(date.fromisoformat(iso)) if iso else ""


def _announce(request: Any, now: datetime) -> set[int]:
    """Tell a person of a request that was made for them through the API."""
    template, told_end = _announcement(request)
    with transaction.atomic():
        if not services.claim_announcement(request.pk, now=now, told_end=told_end):
            return set()
        contact, _ = Contact.objects.get_or_create(address=request.requester)
        with speaking_to(contact):
            text = _announcing(template, contact, request, now)
        OutboundMessage.objects.create(
            contact=contact,
            purpose=Purpose.NOTIFICATION,
            template=template,
            text=text,
            request_id=request.pk,
            created_at=now,
        )
    return {contact.pk}


def _announcing(template: str, contact: Contact, request: Any, now: datetime) -> str:
    film = request.download.name
    if template == "pending":
        return terms.waits(contact, request.pk, film, now).text
    reason = in_plain_words(request.download.reason)
    return render(template, film=film, reason=reason, muted=bool(contact.muted))


def _announcement(request: Any) -> tuple[str, bool]:
    download = request.download
    if request.state == "pending_approval":
        return "pending", False
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
        told |= _tell_owners(incident, "opening", now)
    over = Incident.objects.filter(
        opening_told_at__isnull=False, closed_at__isnull=False, closing_told_at=None
    )
    for incident in over:
        told |= _tell_owners(incident, "closing", now)
    return told


def _tell_owners(incident: Incident, phase: str, now: datetime) -> set[int]:
    if not settings.OWNER_PHONE_NUMBERS:
        return set()
    template = "owner_incident" if phase == "opening" else "owner_incident_over"
    told_at = f"{phase}_told_at"
    with transaction.atomic():
        claimed = Incident.objects.filter(pk=incident.pk, **{told_at: None}).update(
            **{told_at: now}
        )
        if not claimed:
            return set()
        about = f"incident:{incident.pk}:{phase}"
        tell_owners(template, about=about, now=now, summary=incident.summary)
    return {contact.pk for contact in owners()}

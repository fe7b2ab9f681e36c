"""Asking the owner, and what they decide: who may join, and which requests go.

A question is texted to all of the owner's phones with one code. A decision and the texts that
follow from it are one transaction, whoever decides: a text with the code, or the admin.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from downloads import services
from moviesms import quotas
from smsbot import codes, notices, policy, rules, terms
from smsbot.models import Contact, InboundMessage, OneTimeCode, OutboundMessage
from smsbot.policy import Access, access_of

MOST_STRANGERS = 10
"""How many texts about strangers the owner gets in a day."""

MOST_QUESTIONS = 20
"""How many of one person's requests the owner is asked about in a day; the rest waits."""

LONGEST_QUOTE = 100

_A_DAY = timedelta(days=1)

Kind = OneTimeCode.Kind


# --- Asking -------------------------------------------------------------------------------------


def is_asked_about(contact: Contact, now: datetime) -> bool:
    """Whether a question to the owner about this stranger is open."""
    joining = OneTimeCode.objects.filter(contact=contact, kind=Kind.JOIN)
    return joining.filter(used_at=None, expires_at__gt=now).exists()


def may_ask_about(contact: Contact, now: datetime) -> bool:
    """Whether the owner is to be asked about a stranger who writes: once a day at the most."""
    if settings.REQUEST_POLICY != "ask-owner" or not settings.OWNER_PHONE_NUMBERS:
        return False
    lately = contact.owner_told_at is not None and now - contact.owner_told_at < _A_DAY
    room = quotas.used("strangers", now=now) < MOST_STRANGERS
    return room and not lately and not is_asked_about(contact, now)


def ask_about_stranger(message: InboundMessage, now: datetime) -> None:
    """Ask the owner whether who sent `message` may join; in the caller's transaction."""
    if not quotas.take("strangers", MOST_STRANGERS, now=now):
        return
    contact = message.contact
    code = codes.issue(Kind.JOIN, contact, now=now, inbound=message)
    notices.tell_owners(
        "owner_stranger",
        about=f"join:{code.pk}",
        now=now,
        phone=contact.masked,
        text=quoted(message.body),
        code=code.code,
        is_last=quotas.used("strangers", now=now) >= MOST_STRANGERS,
    )


def ask_about_request(request_id: int, now: datetime) -> bool:
    """Ask the owner about a request that waits, unless they are being asked already."""
    with transaction.atomic():
        request = services.request(request_id)
        contact, _ = Contact.objects.get_or_create(address=request.requester)
        Contact.objects.select_for_update(no_key=True).get(pk=contact.pk)
        asked = OneTimeCode.objects.filter(
            request_id=request_id, used_at=None, expires_at__gt=now
        ).exists()
        if asked or request.state != "pending_approval" or not settings.OWNER_PHONE_NUMBERS:
            return False
        if not quotas.take(f"questions:{contact.pk}", MOST_QUESTIONS, now=now):
            return False
        code = codes.issue(Kind.REQUEST, contact, now=now, request_id=request_id)
        over = not policy.needs_approval(contact) and policy.free_again(
            contact, now, besides=request_id
        )
        notices.tell_owners(
            "owner_request",
            about=f"request:{code.pk}",
            now=now,
            who=str(contact),
            film=request.download.name,
            code=code.code,
            is_over_limit=bool(over),
            **terms.limit_words(contact),
        )
    return True


def ask_what_is_open(now: datetime) -> set[int]:
    """Ask about requests that wait and were never asked about: those that came through the API.

    Returns the contacts who have a text to be sent.
    """
    waiting = [request for request in services.pending_requests() if request.announced_at]
    known = OneTimeCode.objects.filter(request_id__in=[request.pk for request in waiting])
    asked_about = set(known.values_list("request_id", flat=True))
    asked = [
        ask_about_request(request.pk, now) for request in waiting if request.pk not in asked_about
    ]
    return {owner.pk for owner in policy.owners()} if any(asked) else set()


# --- Deciding -----------------------------------------------------------------------------------


def decide_contact(contact_id: int, allow: bool, *, name: str = "", by: str, now: datetime) -> bool:
    """Let a person in, or keep them out without a word; False when that was so already.

    Who is let in is welcomed, and what they had asked first is answered. `by`: who decided.
    """
    Standing = Contact.Standing
    with transaction.atomic():
        contact = Contact.objects.select_for_update(no_key=True).get(pk=contact_id)
        was_in = access_of(contact) in (Access.OWNER, Access.MEMBER)
        standing = Standing.ALLOWED if allow else Standing.BLOCKED
        changed = contact.standing != standing
        contact.standing, contact.name = standing, name or contact.name
        contact.save(update_fields=["standing", "name"])
        codes.close(
            "allowed" if allow else "denied", by=by, now=now, contact=contact, kind=Kind.JOIN
        )
        if allow and not was_in:
            about = f"welcome:{contact.pk}"
            notices.tell(contact, "welcome", about=about, now=now, name=contact.name)
            _answer_first_text(contact, now)
    return changed


def _answer_first_text(contact: Contact, now: datetime) -> None:
    """Have the text answered that the owner was asked about, if it still wants an answer."""
    joining = OneTimeCode.objects.filter(contact=contact, kind=Kind.JOIN, inbound__isnull=False)
    newest = joining.select_related("inbound").first()
    first = newest.inbound if newest else None
    if first is None or now - first.received_at > _A_DAY:
        return
    if rules.read(first.body).intent == "chat":
        return
    answered = OutboundMessage.objects.filter(
        in_reply_to=first, purpose=OutboundMessage.Purpose.ANSWER
    )
    if answered.exists():
        return
    InboundMessage.objects.filter(pk=first.pk, state=InboundMessage.State.HANDLED).update(
        state=InboundMessage.State.RECEIVED,
        attempts=0,
        next_attempt_at=None,
        backing_off_since=None,
        handled_at=None,
    )


def decide_request(
    request_id: int, approve: bool, *, reason: str = "", by: str, now: datetime
) -> bool:
    """Let a request go, or decline it, and tell who asked; False when it waits for nobody.

    `reason` goes to them in quotes. The film itself is added by the monitor.
    """
    with transaction.atomic():
        request = services.request(request_id)
        act = services.approve if approve else services.decline
        decided = act(request_id, now=now)
        decision = ("approved" if approve else "declined") if decided else "moot"
        codes.close(decision, by=by, now=now, request_id=request_id)
        if decided:
            contact, _ = Contact.objects.get_or_create(address=request.requester)
            notices.tell(
                contact,
                decision,
                about=f"decision:{request_id}",
                now=now,
                # Of a declined request nothing else is told, so this text stands alone.
                request_id=request_id if approve else None,
                film=request.download.name,
                owner=_known_as(by),
                reason=quoted(reason),
            )
    return decided


def _known_as(by: str) -> str:
    """Return the name of who decided, as the family knows it: an owner's, or none."""
    return by if by in {owner.name for owner in policy.owners()} else policy.owner_name()


def quoted(text: str) -> str:
    """Return somebody's own words as they stand in quotes: on one line, and not too long."""
    words = " ".join(text.split()).replace('"', "'")
    return words if len(words) <= LONGEST_QUOTE else words[: LONGEST_QUOTE - 1].rstrip() + "…"

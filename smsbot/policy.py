"""Who may ask, and on which terms: the owner's decisions and settings, read for one person.

The owner's numbers and the allowed ones may ask; a stranger costs no paid call.
"""

import enum
import re
import unicodedata
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings

from downloads import services
from downloads.services import Match
from smsbot.models import BlockedTitle, Contact


class Access(enum.StrEnum):
    """What a contact may do."""

    OWNER = "owner"
    MEMBER = "member"
    STRANGER = "stranger"
    BLOCKED = "blocked"


def access_of(contact: Contact) -> Access:
    """Return what `contact` may do under REQUEST_POLICY and the owner's decisions."""
    if contact.address in settings.OWNER_PHONE_NUMBERS:
        return Access.OWNER
    if contact.standing == Contact.Standing.BLOCKED:
        return Access.BLOCKED
    if contact.standing == Contact.Standing.ALLOWED or settings.REQUEST_POLICY == "open":
        return Access.MEMBER
    if contact.address in settings.ALLOWED_PHONE_NUMBERS:
        return Access.MEMBER
    return Access.STRANGER


def admit_address(address: str) -> str | None:
    """Say why a request for this phone number is refused (a stable code), or None if it is not.

    The API's requests pass here, by the setting DOWNLOADS_REQUESTER_POLICY.
    """
    if address == settings.TWILIO_PHONE_NUMBER:
        return "not_allowed"
    contact = _contact_at(address)
    access = access_of(contact)
    if access in (Access.STRANGER, Access.BLOCKED):
        return "not_allowed"
    return "opted_out" if contact.opted_out_at else None


def _contact_at(address: str) -> Contact:
    return Contact.objects.filter(address=address).first() or Contact(address=address)


# --- The owners ---------------------------------------------------------------------------------


def owners() -> list[Contact]:
    """Return the owner's contacts, made where they have not written yet."""
    return [
        Contact.objects.get_or_create(
            address=address, defaults={"standing": Contact.Standing.ALLOWED}
        )[0]
        for address in settings.OWNER_PHONE_NUMBERS
    ]


def owner_name() -> str:
    """Return how the family calls the owner; empty when no owner's name is known."""
    named = Contact.objects.filter(address__in=settings.OWNER_PHONE_NUMBERS).exclude(name="")
    names = dict(named.values_list("address", "name"))
    return next((names[one] for one in settings.OWNER_PHONE_NUMBERS if one in names), "")


# --- The terms of one ask -----------------------------------------------------------------------


def rule_for(contact: Contact, match: Match, now: datetime) -> services.Rule | None:
    """Return the terms of this person's ask for a film, None when nothing binds it.

    Raises services.NotAllowed for a blocked title. An owner is bound by nothing.
    """
    if access_of(contact) == Access.OWNER:
        return None
    if is_blocked(match):
        raise services.NotAllowed("blocked_title")
    if not needs_approval(contact) and not limit_of(contact):
        return None
    return partial(_waits_for_approval, contact.address, now)


def rule_for_address(address: str, match: Match, now: datetime) -> services.Rule | None:
    """Like `rule_for`, by phone number: the API's, by the setting DOWNLOADS_REQUESTER_RULE."""
    return rule_for(_contact_at(address), match, now)


def _waits_for_approval(address: str, now: datetime) -> bool:
    """Decide in the transaction that writes the request. Raises NotAllowed above the limit."""
    Contact.objects.get_or_create(address=address)
    # Locked, so that two asks at once are counted one after the other.
    contact = Contact.objects.select_for_update(no_key=True).get(address=address)
    if needs_approval(contact):
        return True
    free_at = free_again(contact, now)
    if free_at is None:
        return False
    if settings.OWNER_PHONE_NUMBERS:
        return True
    raise services.NotAllowed("limit_reached", free_at=free_at)


def needs_approval(contact: Contact) -> bool:
    """Whether every request of this person waits for the owner's word."""
    return contact.needs_approval or settings.REQUEST_APPROVAL == "all"


def limit_of(contact: Contact) -> int:
    """Return how many films this person may ask for within REQUEST_WINDOW; 0 is no limit."""
    if contact.request_limit is not None:
        return contact.request_limit
    return int(settings.REQUEST_LIMIT)


def free_again(contact: Contact, now: datetime, *, besides: int | None = None) -> datetime | None:
    """Return when this person may ask again, None when they may now.

    `besides`: the id of a request that is not counted.
    """
    limit, window = limit_of(contact), timedelta(seconds=settings.REQUEST_WINDOW)
    asked = services.asked_since(contact.address, now - window, besides=besides)
    return asked[len(asked) - limit] + window if 0 < limit <= len(asked) else None


def is_blocked(match: Match) -> bool:
    """Whether the owner does not want this film asked for: by its id, or by its title."""
    names = {_folded(match.title), _folded(match.name)}
    return any(
        (blocked.tmdb_id == match.tmdb_id)
        if blocked.tmdb_id is not None
        else (_folded(blocked.title) in names)
        for blocked in BlockedTitle.objects.all()
    )


def _folded(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title.casefold())
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(re.findall(r"\w+", letters))

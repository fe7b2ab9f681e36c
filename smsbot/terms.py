"""What a person hears of the owner's terms: it waits for a word, a limit, a blocked title."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import formats, timezone

from downloads.services import NotAllowed
from smsbot import policy
from smsbot.models import Contact
from smsbot.reply import Reply, say

_DAY = 24 * 3600


def waits(contact: Contact, request_id: int, film: str, now: datetime) -> Reply:
    """Say that the owner is asked about a film and, where a limit is why, until when it holds."""
    by_limit = not policy.needs_approval(contact)
    free_at = policy.free_again(contact, now, besides=request_id) if by_limit else None
    said = say(
        "pending",
        film=film,
        owner=policy.owner_name(),
        from_when=moment_of(free_at, now) if free_at else "",
        **limit_words(contact),
    )
    return Reply(said.text, said.template, film=film, announces=[(request_id, False)])


def refused(contact: Contact, why: NotAllowed, film: str, now: datetime) -> Reply:
    """Say that a film cannot be asked for, or not yet."""
    said = say(
        why.code,
        film=film,
        from_when=moment_of(why.free_at, now) if why.free_at else "",
        **limit_words(contact),
    )
    return Reply(said.text, said.template, film=film)


def limit_words(contact: Contact) -> dict[str, Any]:
    """Return a person's limit as templates need it: how many films in how many days."""
    days = max(1, round(settings.REQUEST_WINDOW / _DAY))
    return {"limit": policy.limit_of(contact), "days": days}


def moment_of(at: datetime, now: datetime) -> str:
    """Return a time to come as people say it: `Friday`, `12 December`, `18:30` if it is today."""
    there, here = timezone.localtime(at), timezone.localtime(now)
    ahead = (there.date() - here.date()).days
    if ahead <= 0:
        return formats.date_format(there, "H:i")
    return formats.date_format(there, "l" if ahead < 7 else "j F")

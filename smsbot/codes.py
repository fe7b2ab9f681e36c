"""One-time codes: texted to the owner's phones with a question, and back with the answer.

A sender's number can be forged; a code that went to that number proves who holds the phone. It is
bound to what it decides, counts once and for CODE_TTL seconds, and is never logged.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from moviesms import quotas
from moviesms.incidents import close_incident, open_incident
from moviesms.models import Incident
from smsbot.models import Contact, OneTimeCode

MOST_WRONG = 5
"""How many wrong codes one number may send in a day, before none of its codes count."""

EXPIRED = "expired"

_GUESSED = "codes:guessed:"
_TRIES = 20


def issue(kind: str, contact: Contact, *, now: datetime, **bound_to: Any) -> OneTimeCode:
    """Return a new code about `contact`; call it in the transaction of the text that carries it.

    `bound_to`: the `request`, `issue` or `inbound` (or their `_id`) that it decides.
    """
    OneTimeCode.objects.filter(used_at=None, expires_at__lte=now).update(
        used_at=now, decision=EXPIRED
    )
    for _ in range(_TRIES):
        try:
            with transaction.atomic():
                return OneTimeCode.objects.create(
                    kind=kind,
                    code=str(1000 + secrets.randbelow(9000)),
                    contact=contact,
                    created_at=now,
                    expires_at=now + timedelta(seconds=settings.CODE_TTL),
                    **bound_to,
                )
        except IntegrityError:
            continue  # another open question has this code
    raise RuntimeError("no free code was found")


def open_codes(now: datetime) -> Sequence[OneTimeCode]:
    """Return the codes that still count, oldest first."""
    found = OneTimeCode.objects.filter(used_at=None, expires_at__gt=now)
    return list(found.select_related("contact", "request__download").order_by("id"))


def find(code: str, now: datetime) -> OneTimeCode | None:
    """Return the open question of this code, else the last that was decided with it, else None."""
    same = OneTimeCode.objects.filter(code=code).select_related("contact", "request__download")
    open_one = same.filter(used_at=None, expires_at__gt=now).first()
    if open_one is not None:
        return open_one
    recent = now - timedelta(seconds=settings.CODE_TTL)
    decided = same.filter(created_at__gt=recent).exclude(used_at=None).exclude(decision=EXPIRED)
    return decided.order_by("-used_at").first()


def use(code: OneTimeCode, decision: str, *, by: Contact, now: datetime) -> bool:
    """Take a code for a decision, once; False when it was used or has expired.

    Call it in the transaction of what the decision does.
    """
    fresh = OneTimeCode.objects.filter(pk=code.pk, used_at=None, expires_at__gt=now)
    return bool(fresh.update(used_at=now, used_by=by, decision=decision, decided_by=str(by)[:100]))


def close(decision: str, *, by: str, now: datetime, **bound_to: Any) -> None:
    """Close the open codes of a question that was decided without one, or needs no answer."""
    OneTimeCode.objects.filter(used_at=None, **bound_to).update(
        used_at=now, decision=decision, decided_by=by[:100]
    )


# --- Wrong codes ---------------------------------------------------------------------------------


def is_locked(owner: Contact, now: datetime) -> bool:
    """Whether this number has sent so many wrong codes that none counts until tomorrow."""
    return quotas.used(_wrong(owner), now=now) >= MOST_WRONG


def is_last_try(owner: Contact, now: datetime) -> bool:
    """Whether one more wrong code locks this number."""
    return quotas.used(_wrong(owner), now=now) == MOST_WRONG - 1


def note_wrong(owner: Contact, now: datetime) -> None:
    """Count a wrong code; at the last one the owner hears of it in every way there is."""
    quotas.take(_wrong(owner), MOST_WRONG, now=now)
    if is_locked(owner, now):
        summary = (
            f"{MOST_WRONG} wrong codes came from {owner.masked}. Was it not you? Somebody may be "
            "guessing. No code from this number counts until tomorrow; the admin always does."
        )
        open_incident(f"{_GUESSED}{owner.pk}", summary, now=now)


def unlock(now: datetime) -> None:
    """End the incidents of numbers whose day is over."""
    for incident in Incident.objects.filter(key__startswith=_GUESSED, closed_at=None):
        owner = Contact.objects.filter(pk=incident.key.removeprefix(_GUESSED)).first()
        if owner is None or not is_locked(owner, now):
            close_incident(incident.key, now=now)


def _wrong(owner: Contact) -> str:
    return f"wrong_codes:{owner.pk}"

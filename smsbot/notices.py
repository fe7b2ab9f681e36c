"""A text to somebody who did not ask for it just now: the owner, or whom a decision concerns."""

from datetime import datetime
from typing import Any

from smsbot.models import Contact, OutboundMessage
from smsbot.policy import owners
from smsbot.replies import render, speaking_to


def tell(
    contact: Contact,
    template: str,
    *,
    about: str,
    now: datetime,
    purpose: str = OutboundMessage.Purpose.NOTIFICATION,
    request_id: int | None = None,
    **context: Any,
) -> None:
    """Queue a text of `template` for a person, once per `about`; in the caller's transaction."""
    with speaking_to(contact):
        text = render(template, **context)
    OutboundMessage.objects.get_or_create(
        about=about,
        contact=contact,
        resend_of=None,
        defaults={
            "purpose": purpose,
            "template": template,
            "text": text,
            "request_id": request_id,
            "created_at": now,
        },
    )


def tell_owners(template: str, *, about: str, now: datetime, **context: Any) -> None:
    """Queue a text for each of the owner's phones, once per `about`."""
    for owner in owners():
        tell(
            owner,
            template,
            about=about,
            now=now,
            purpose=OutboundMessage.Purpose.OWNER,
            **context,
        )

"""Two machines that answer each other: noticed after a few answers, and ended by silence.

A person who asks for ten films in a row is none: among the answers there is a request.
"""

import re
from datetime import datetime, timedelta

import structlog
from django.conf import settings

from smsbot import phrases
from smsbot.models import Contact, InboundMessage, OutboundMessage
from smsbot.reply import Reply

log = structlog.get_logger(__name__)

_AUTOMATIC = phrases.word_of(
    r"(?:i'?m|i am) (?:currently )?driving",
    r"out of (?:the )?office",
    r"auto(?:matic(?:ally)?|mated)?[ -]?(?:reply|replies|response|responder|generated|message)",
    r"(?:do not|don'?t|please do not) reply",
    r"away from (?:my|the) (?:phone|desk|office|keyboard)",
    r"can'?t (?:talk|answer|text) right now",
    r"(?:i'?ll|i will|we'?ll|we will) (?:get back|reply|respond|call you)",
    r"not monitored",
    r"do not disturb",
    r"respuesta autom[aá]tica",
    r"estoy conduciendo",
)
# Answers to a text that named films, whatever became of them.
_OF_REQUESTS = ("several", "limit_reached", "blocked_title")


def is_silent(contact: Contact, now: datetime) -> bool:
    """Whether this contact gets no answer for now."""
    return contact.silent_until is not None and now < contact.silent_until


def goes_round(message: InboundMessage, now: datetime) -> bool:
    """Whether this text is one more of a row that only a machine sends."""
    if not settings.LOOP_LIMIT:
        return False
    since = now - timedelta(seconds=settings.LOOP_WINDOW)
    answers = OutboundMessage.objects.filter(
        contact=message.contact_id, in_reply_to__isnull=False, created_at__gte=since
    )
    told = list(answers.values_list("request_id", "template"))
    if len(told) < settings.LOOP_LIMIT:
        return False
    if any(request or template in _OF_REQUESTS for request, template in told):
        return False
    before = InboundMessage.objects.filter(contact=message.contact_id, id__lt=message.pk)
    bodies = before.order_by("-id").values_list("body", flat=True)[: settings.LOOP_LIMIT]
    return _is_automatic(message.body, list(bodies))


def fall_silent(message: InboundMessage, now: datetime) -> Reply:
    """Say nothing, and nothing more for LOOP_PAUSE seconds."""
    until = now + timedelta(seconds=settings.LOOP_PAUSE)
    log.warning("loop of answers broken", contact=message.contact_id, inbound=message.pk)
    return Reply(contact_changes={"silent_until": until})


def _is_automatic(body: str, before: list[str]) -> bool:
    texts = [_folded(text) for text in before]
    this = _folded(body)
    return all(text == this or _AUTOMATIC.search(text) for text in texts) and (
        this in texts or _AUTOMATIC.search(this) is not None
    )


def _folded(body: str) -> str:
    """Return a text without what a machine counts up in it."""
    text = " ".join(body.casefold().replace("’", "'").split())
    return re.sub(r"\d+", "#", text) if len(text.split()) > 2 else text

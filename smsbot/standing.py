"""Before anything costs money: the carriers' words, and who is not known here."""

from datetime import datetime, timedelta
from functools import partial

from django.conf import settings

from downloads import services
from smsbot import inbound as incoming
from smsbot import notices
from smsbot.models import Contact, InboundMessage
from smsbot.reply import NOTHING, Effect, Reply, say

_ANSWERED_EVERY = timedelta(days=1)


def opt_word(message: InboundMessage, contact: Contact) -> Reply | None:
    """Opt out and in by the carriers' words, which Twilio itself answers; None for other texts."""
    word = incoming.word_of(message.body)
    if word in incoming.STOP_WORDS:
        return Reply(contact_changes={"opted_out_at": contact.opted_out_at or message.received_at})
    if contact.opted_out_at and word in incoming.START_WORDS | {incoming.YES}:
        missed = _ready_since(contact, contact.opted_out_at)
        back = say("welcome_back", films=missed)
        return Reply(text=back.text, template=back.template, contact_changes={"opted_out_at": None})
    if word in ("help", "info"):
        return say("help") if settings.TWILIO_HELP == "ours" else NOTHING
    return None


def _ready_since(contact: Contact, since: datetime) -> list[str]:
    return [
        download.name
        for download in services.requests_of(contact.address)
        if download.completed_at and download.completed_at >= since
    ]


def to_stranger(message: InboundMessage, now: datetime) -> Reply:
    """Answer a stranger politely once a day, and tell the owner of them once."""
    contact = message.contact
    told_lately = contact.stranger_told_at and now - contact.stranger_told_at < _ANSWERED_EVERY
    asks_owner = settings.REQUEST_POLICY == "ask-owner" and bool(settings.OWNER_PHONE_NUMBERS)
    effects: list[Effect] = []
    changes = {}
    if asks_owner and contact.owner_told_at is None:
        effects.append(partial(_tell_owner_of, message))
        changes["owner_told_at"] = now
    if told_lately:
        return Reply(effects=effects, contact_changes=changes)
    said = say("stranger", owner_is_told=asks_owner)
    changes["stranger_told_at"] = now
    return Reply(said.text, said.template, effects=effects, contact_changes=changes)


def _tell_owner_of(message: InboundMessage, now: datetime) -> None:
    contact = message.contact
    notices.tell_owners(
        "owner_stranger",
        about=f"stranger:{contact.pk}",
        now=now,
        phone=contact.masked,
        text=message.body[:100],
    )

"""The recent messages of a conversation, both ways: what the model reads before the new text.

SQL holds them. A copy lies in Redis (`conversation:<contact>`, minutes) for the next text: an
answer adds to it, and whatever else is told to the person drops it.
"""

import json
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings

from moviesms import live
from smsbot.models import InboundMessage, OutboundMessage
from smsbot.understanding import LONGEST_TEXT, Turn

LENGTH = 8
"""How many messages are the conversation."""


def turns_before(message: InboundMessage) -> list[Turn]:
    """Return the messages before `message`, oldest first, as far as they matter."""
    kept = _load(message.contact_id)
    if kept is not None:
        return kept
    turns = _from_sql(message)
    _store(message.contact_id, turns)
    return turns


def follow(message: InboundMessage, reply: str) -> None:
    """Add a text and its answer to the copy, if there is one."""
    kept = _load(message.contact_id)
    if kept is None:
        return
    said = [Turn(speaker="person", text=message.body[:LONGEST_TEXT])]
    told = [Turn(speaker="bot", text=reply[:LONGEST_TEXT])] if reply else []
    _store(message.contact_id, [*kept, *said, *told][-LENGTH:])


def forget(contact_ids: Iterable[int]) -> None:
    """Drop the copies of conversations that have gone on."""
    keys = [_key(contact_id) for contact_id in contact_ids]
    if keys:
        live.try_call(lambda redis: redis.delete(*keys))


def _load(contact_id: int) -> list[Turn] | None:
    raw = live.try_call(lambda redis: redis.get(_key(contact_id)))
    if not isinstance(raw, bytes):
        return None
    return [Turn(**turn) for turn in json.loads(raw)]


def _store(contact_id: int, turns: list[Turn]) -> None:
    copy = json.dumps([turn.model_dump() for turn in turns])
    ttl = int(max(1, settings.QUESTION_TTL))
    live.try_call(lambda redis: redis.set(_key(contact_id), copy, ex=ttl))


def _from_sql(message: InboundMessage) -> list[Turn]:
    said = InboundMessage.objects.filter(contact=message.contact_id, id__lt=message.pk)
    told = OutboundMessage.objects.filter(contact=message.contact_id).exclude(
        status=OutboundMessage.Status.SUPPRESSED
    )
    # Notices to the owner are no conversation, and their codes are for nobody else.
    told = told.exclude(purpose=OutboundMessage.Purpose.OWNER)
    turns: list[tuple[datetime, Turn]] = [
        (one.received_at, Turn(speaker="person", text=one.body[:LONGEST_TEXT]))
        for one in said.order_by("-id")[:LENGTH]
    ]
    turns += [
        (one.created_at, Turn(speaker="bot", text=one.text[:LONGEST_TEXT]))
        for one in told.order_by("-id")[:LENGTH]
    ]
    turns.sort(key=lambda turn: turn[0])
    return [turn for _, turn in turns[-LENGTH:]]


def _key(contact_id: int) -> str:
    return f"conversation:{contact_id}"

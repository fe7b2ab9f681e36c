"""What to say to a text, and what to do about it: each behaviour is a line of `answer` or `_act`.

`answer` decides; it never sends. What it learns at a price (the model's reading, the films found)
is stored on the inbound row before it is acted on, so that a crash repeats neither.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from downloads.services import Match
from moviesms import quotas
from moviesms.incidents import close_incident, open_incident
from smsbot import inbound as incoming
from smsbot import leaving, recent, requesting, rules, standing, understanding, whereabouts
from smsbot.models import Contact, InboundMessage, OutboundMessage
from smsbot.policy import Access, access_of
from smsbot.replies import speaking_to
from smsbot.reply import NOTHING, Reply, say
from smsbot.understanding import Turn, Understanding


def answer(message: InboundMessage, *, now: datetime, keep: Callable[..., None]) -> Reply:
    """Decide what to say to `message`, and ask the downloads for what it asks for.

    `keep(**fields)` stores fields of the row at once. Raises services.ServiceError when TMDB
    cannot be asked: the message is then tried again later.
    """
    with speaking_to(message.contact):
        return _answer(message, now, keep)


def _answer(message: InboundMessage, now: datetime, keep: Callable[..., None]) -> Reply:
    contact = message.contact
    word = standing.opt_word(message, contact)
    if word is not None:
        return word
    access = access_of(contact)
    # Who has opted out gets no answer, so nothing is done behind their back either.
    if contact.opted_out_at or access == Access.BLOCKED:
        return NOTHING
    if access == Access.STRANGER:
        return standing.to_stranger(message, now)
    if not message.body.strip():
        return say("no_picture") if message.num_media else NOTHING
    if incoming.word_of(message.body) in incoming.START_WORDS:
        return say("help")
    question = open_question(contact, answering=message)
    if question is not None:
        chosen = rules.choice(message.body, _rule_offers(question))
        if chosen is not None:
            return requesting.choose(message, question, chosen, now)
    reading = _read(message, keep)
    return _act(message, reading, question, now, keep)


def _act(
    message: InboundMessage,
    reading: Understanding,
    question: OutboundMessage | None,
    now: datetime,
    keep: Callable[..., None],
) -> Reply:
    match reading.intent:
        case "request" if reading.titles:
            return requesting.request(message, reading, question, now, keep)
        case "choose" if question is not None:
            offered = len(question.offers or ())
            if reading.choice is not None and 0 <= reading.choice <= offered:
                return requesting.choose(message, question, reading.choice, now)
            return _choose_again(question)
        case "choose" if reading.titles:
            return requesting.request(message, reading, question, now, keep)
        case "status":
            return whereabouts.status(message.contact)
        case "cancel":
            return leaving.leave(message.contact, reading.titles, question)
        case "help":
            return say("help")
        case _ if question is not None and re.search(r"\d|\bone\b", message.body, re.I):
            return _choose_again(question)
        case _:
            return say("chat")


# --- What is meant ------------------------------------------------------------------------------


def _read(message: InboundMessage, keep: Callable[..., None]) -> Understanding:
    """Return the reading of the text: by rule where that is plain, else the model's, else rules."""
    if message.understanding is not None:
        return Understanding.model_validate(message.understanding)
    reading = rules.command(message.body)
    if reading is None:
        reading = _ask_model(message)
    if reading is None:
        reading = rules.read(message.body)
    keep(understanding=reading.model_dump(mode="json"))
    return reading


def _ask_model(message: InboundMessage) -> Understanding | None:
    """Return the model's reading; None when there is no model, no budget, or no answer."""
    now = timezone.now()
    spent = quotas.used("openai:tokens", now=now)
    if not understanding.is_configured() or 0 < settings.OPENAI_DAILY_TOKENS <= spent:
        return None
    if not quotas.take("openai:calls", settings.OPENAI_DAILY_CALLS, now=now):
        return None
    try:
        reading, tokens = understanding.ask_model(
            [*recent.turns_before(message), Turn(speaker="person", text=message.body)]
        )
    except understanding.NoAnswer as error:
        if error.refused:
            summary = f"The model's server refuses us ({error}); texts are read by simple rules."
            open_incident("openai:refused", summary, now=now)
        return None
    close_incident("openai:refused", now=now)
    quotas.note("openai:tokens", tokens, now=now)
    return reading


# --- The open question --------------------------------------------------------------------------


def open_question(contact: Contact, *, answering: InboundMessage) -> OutboundMessage | None:
    """Return the question that waits for an answer: the newest, for QUESTION_TTL seconds.

    What counts is when the answer came in, however late it is read.
    """
    newest = (
        OutboundMessage.objects.filter(contact=contact, offers__isnull=False)
        .order_by("-id")
        .first()
    )
    if newest is None or (
        newest.created_at < answering.received_at - timedelta(seconds=settings.QUESTION_TTL)
    ):
        return None
    return newest if newest.answered_by_id in (None, answering.pk) else None


def _rule_offers(question: OutboundMessage) -> list[rules.Offer]:
    return [rules.Offer(offer["title"], offer["year"]) for offer in question.offers or ()]


def _choose_again(question: OutboundMessage) -> Reply:
    return say("choose_again", films=[Match(**offer).name for offer in question.offers or ()])

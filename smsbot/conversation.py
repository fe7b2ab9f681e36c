"""What to say to a text, and what to do about it: each behaviour is a line of `answer` or `_act`.

`answer` decides; it never sends. What it learns at a price (the model's reading, the films found)
is stored on the inbound row before it is acted on, so that a crash repeats neither.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from moviesms import quotas
from moviesms.incidents import close_incident, open_incident
from smsbot import (
    complaints,
    introducing,
    issues,
    language,
    leaving,
    loops,
    manners,
    owner,
    preferences,
    questions,
    recent,
    repairs,
    requesting,
    rules,
    standing,
    understanding,
    whereabouts,
)
from smsbot import inbound as incoming
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
    contact, heard = message.contact, language.recognise(message.body)
    question = open_question(contact, answering=message)
    with speaking_to(contact, heard):
        reply = _before_reading(message, question, now)
    if reply is not None:
        return _remembering(reply, contact, heard)
    reading, heard = _read(message, keep)
    with speaking_to(contact, heard):
        return _remembering(_act(message, reading, question, now, keep), contact, heard)


def _remembering(reply: Reply, contact: Contact, heard: str) -> Reply:
    """Have the answer note the language that the person wrote, where their text told one."""
    if heard in ("", contact.heard_language):
        return reply
    return replace(reply, contact_changes={**reply.contact_changes, "heard_language": heard})


def _before_reading(
    message: InboundMessage, question: OutboundMessage | None, now: datetime
) -> Reply | None:
    """Answer what costs no reading: the carriers' words, who may not ask, answers, preferences."""
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
    if loops.is_silent(contact, now):
        return NOTHING
    if loops.goes_round(message, now):
        return loops.fall_silent(message, now)
    if not message.body.strip():
        return say("no_picture") if message.num_media else NOTHING
    if incoming.word_of(message.body) in incoming.START_WORDS:
        return say("help")
    if access == Access.OWNER:
        decided = owner.command(message, now) or repairs.command(message, now)
        if decided is not None:
            return decided
    plain = _without_reading(message, question, now)
    if plain is not None:
        return plain
    return preferences.answer(contact, message.body) or introducing.name_from(message)


def _without_reading(
    message: InboundMessage, question: OutboundMessage | None, now: datetime
) -> Reply | None:
    """Answer what is no request and plain to see: a number, a thank-you, a complaint."""
    if question is not None:
        answered = questions.answer(message, question, now)
        if answered is not None:
            return answered
        if re.fullmatch(r"\W*\d{1,2}\W*", message.body):
            return questions.ask_again(question)
    polite = manners.answer(message, has_question=questions.waits_for_a_number(question))
    if polite is not None:
        return polite
    complaint = complaints.read(message.body)
    return issues.report(message, complaint, now) if complaint else None


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
                return questions.choose(message, question, reading.choice, now)
            return questions.ask_again(question)
        case "choose" if reading.titles:
            return requesting.request(message, reading, question, now, keep)
        case "status":
            return whereabouts.status(message, reading.titles, now)
        case "cancel":
            return leaving.leave(message.contact, reading.titles, question, now)
        case "help":
            return say("help")
        case _ if question is not None and _may_be_an_answer(message, question):
            return questions.ask_again(question)
        case _:
            return say("title_needed" if rules.asks_for_a_kind(message.body) else "chat")


def _may_be_an_answer(message: InboundMessage, question: OutboundMessage) -> bool:
    waits = questions.waits_for_a_number(question)
    return waits and re.search(r"\d|\bone\b", message.body, re.I) is not None


# --- What is meant ------------------------------------------------------------------------------


def _read(message: InboundMessage, keep: Callable[..., None]) -> tuple[Understanding, str]:
    """Return the reading of the text, and the language it is surely written in or "".

    It is read by rule where that is plain, else by the model, else by rules.
    """
    if message.understanding is not None:
        reading = Understanding.model_validate(message.understanding)
    else:
        by_rule = rules.command(message.body)
        reading = by_rule or _ask_model(message) or rules.read(message.body)
        message.understanding = reading.model_dump(mode="json")
        if by_rule is None and understanding.is_configured():
            # What rules say they would say again; what a model said has its price.
            keep(understanding=message.understanding)
    titles = [title.title for title in reading.titles]
    return reading, language.of_reading(message.body, titles, reading.language)


def _ask_model(message: InboundMessage) -> Understanding | None:
    """Return the model's reading; None when there is no model, no budget, or no answer."""
    now = timezone.now()
    if not understanding.is_configured():
        return None
    if 0 < settings.OPENAI_DAILY_TOKENS <= quotas.used("openai:tokens", now=now):
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

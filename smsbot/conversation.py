"""What to say to a text, and what to do about it: who may ask, what is meant, what became of it.

`answer` decides; it never sends. What it learns at a price (the model's reading, the films found)
is stored on the inbound row before it is acted on, so that a crash repeats neither.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import formats, timezone

from downloads import services
from downloads.services import Match, Outcome
from moviesms import quotas
from moviesms.incidents import close_incident, open_incident
from smsbot import finding, recent, rules, understanding
from smsbot import inbound as incoming
from smsbot.models import Contact, InboundMessage, OutboundMessage
from smsbot.policy import Access, access_of
from smsbot.reasons import in_plain_words
from smsbot.replies import render
from smsbot.understanding import Title, Turn, Understanding

_STRANGER_ANSWERED_EVERY = timedelta(days=1)


@dataclass(frozen=True)
class OwnerNotice:
    """Something the owner is told by SMS, once per `about`."""

    about: str
    text: str


@dataclass(frozen=True)
class Reply:
    """What an inbound message is answered with; written in one transaction with its end.

    An empty `text` sends nothing. `announces` are (request id, whether the text tells its end);
    `offers` make it a question; `question` is the open question that it answers.
    """

    text: str = ""
    template: str = ""
    film: str = ""  # the one title that it is about, where there is one
    offers: Sequence[Match] = ()
    announces: Sequence[tuple[int, bool]] = ()
    question: OutboundMessage | None = None
    withdrawals: Sequence[int] = ()  # ids of downloads that the person leaves
    owner_notices: Sequence[OwnerNotice] = ()
    contact_changes: dict[str, Any] = field(default_factory=dict)


NOTHING = Reply()


def say(template: str, **context: Any) -> Reply:
    """Return a reply of one template."""
    return Reply(text=render(template, **context), template=template)


def answer(message: InboundMessage, *, now: datetime, keep: Callable[..., None]) -> Reply:
    """Decide what to say to `message`, and ask the downloads for what it asks for.

    `keep(**fields)` stores fields of the row at once. Raises services.ServiceError when TMDB
    cannot be asked: the message is then tried again later.
    """
    contact = message.contact
    word = _opt_word(message, contact)
    if word is not None:
        return word
    access = access_of(contact)
    # Who has opted out gets no answer, so nothing is done behind their back either.
    if contact.opted_out_at or access == Access.BLOCKED:
        return NOTHING
    if access == Access.STRANGER:
        return _to_stranger(message, now)
    if not message.body.strip():
        return say("no_picture") if message.num_media else NOTHING
    if incoming.word_of(message.body) in incoming.START_WORDS:
        return say("help")
    question = open_question(contact, answering=message)
    if question is not None:
        chosen = rules.choice(message.body, _rule_offers(question))
        if chosen is not None:
            return _chosen(message, question, chosen, now)
    reading = _read(message, keep)
    return _act(message, reading, question, now, keep)


# --- Before anything costs money ----------------------------------------------------------------


def _opt_word(message: InboundMessage, contact: Contact) -> Reply | None:
    """Opt out and in by the carriers' words; Twilio itself answers them."""
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


def _to_stranger(message: InboundMessage, now: datetime) -> Reply:
    """Answer a stranger politely once a day, and tell the owner of them once."""
    contact = message.contact
    told_lately = (
        contact.stranger_told_at and now - contact.stranger_told_at < _STRANGER_ANSWERED_EVERY
    )
    asks_owner = settings.REQUEST_POLICY == "ask-owner" and bool(settings.OWNER_PHONE_NUMBERS)
    notices, changes = [], {}
    if asks_owner and contact.owner_told_at is None:
        text = render("owner_stranger", phone=contact.masked, text=message.body[:100])
        notices.append(OwnerNotice(f"stranger:{contact.pk}", text))
        changes["owner_told_at"] = now
    if told_lately:
        return Reply(owner_notices=notices, contact_changes=changes)
    return Reply(
        text=render("stranger", owner_is_told=asks_owner),
        template="stranger",
        owner_notices=notices,
        contact_changes={**changes, "stranger_told_at": now},
    )


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


# --- What is done -------------------------------------------------------------------------------


def _act(
    message: InboundMessage,
    reading: Understanding,
    question: OutboundMessage | None,
    now: datetime,
    keep: Callable[..., None],
) -> Reply:
    match reading.intent:
        case "request" if reading.titles:
            return _requested(message, reading, question, now, keep)
        case "choose" if question is not None:
            offered = len(question.offers or ())
            if reading.choice is not None and 0 <= reading.choice <= offered:
                return _chosen(message, question, reading.choice, now)
            return say("choose_again", films=[_name(offer) for offer in question.offers or ()])
        case "choose" if reading.titles:
            return _requested(message, reading, question, now, keep)
        case "status":
            return _status(message.contact)
        case "cancel":
            return _cancelled(message.contact, reading.titles, question)
        case "help":
            return say("help")
        case _ if question is not None and re.search(r"\d|\bone\b", message.body, re.I):
            return say("choose_again", films=[_name(offer) for offer in question.offers or ()])
        case _:
            return say("chat")


def _requested(
    message: InboundMessage,
    reading: Understanding,
    question: OutboundMessage | None,
    now: datetime,
    keep: Callable[..., None],
) -> Reply:
    """Answer a request for one or several titles; a new request replaces an open question."""
    found = _find(message, reading, keep)
    if not found:
        return say("chat")
    replies = []
    for index, (title, resolution) in enumerate(found):
        replies.append(_one_title(message, title, resolution, index, now))
    return _together(replies, question)


def _find(
    message: InboundMessage, reading: Understanding, keep: Callable[..., None]
) -> list[tuple[Title, services.Resolution]]:
    """Return each title with its films, from the row if they were found before a crash."""
    if message.matches is None:
        message.matches = [
            {
                "title": found.title.model_dump(mode="json"),
                "sure": found.sure,
                "films": [match.as_dict() for match in found.matches],
            }
            for found in finding.find(rules.readings_of(message.body, reading), services.resolve)
        ]
        keep(matches=message.matches)
    return [
        (
            Title.model_validate(entry["title"]),
            services.Resolution([Match(**film) for film in entry["films"]], entry["sure"]),
        )
        for entry in message.matches
    ]


def _one_title(
    message: InboundMessage,
    title: Title,
    resolution: services.Resolution,
    index: int,
    now: datetime,
) -> Reply:
    if title.media == "tv":
        return say("tv_not_yet")
    matches = resolution.matches
    if not matches:
        title_said = _own_words(title.title, message.body)
        said = say("not_found", title=title_said)
        return Reply(text=said.text, template=said.template, film=title_said)
    if not resolution.sure:
        return _ask(matches)
    return _take(message, matches[0], f"{message.twilio_sid}:{index}", now)


def _ask(matches: Sequence[Match]) -> Reply:
    """Ask which film is meant; the parts of a series by their own names, in their order."""
    names = [match.name for match in matches]
    series = {match.title.partition(": ")[0] for match in matches if ": " in match.title}
    is_series = len(matches) > 1 and len(series) == 1 and all(": " in name for name in names)
    if is_series:
        matches = sorted(matches, key=lambda match: match.year or 9999)
        names = [match.name.partition(": ")[2] for match in matches]
    same = len(matches) > 1 and len({match.title.casefold() for match in matches}) == 1
    question = say("ask" if same or is_series else "did_you_mean", films=names)
    return Reply(text=question.text, template=question.template, offers=matches)


def _own_words(title: str, body: str) -> str:
    """Return the title if it stands in the person's own text; nobody else's words are quoted."""
    return title if title.casefold() in body.casefold() else ""


def _take(message: InboundMessage, match: Match, origin: str, now: datetime) -> Reply:
    """Ask the downloads for a film, and say what became of it."""
    taken = services.request_movie(match, message.contact.address, origin=origin, now=now)
    download = taken.download
    context: dict[str, Any] = {"film": download.name}
    if taken.outcome == Outcome.REFUSED:
        context["reason"] = in_plain_words(download.reason)
    if taken.outcome == Outcome.JOINED:
        percent = services.progress(download).percent
        # The last tick saw this: nothing is better than a 0 that is no longer true.
        context["percent"] = round(percent) or None if percent is not None else None
    template = {
        Outcome.ADDED: "added",
        Outcome.SAVED: "saved",
        Outcome.JOINED: "downloading",
        Outcome.AVAILABLE: "available",
        Outcome.REFUSED: "refused",
    }[taken.outcome]
    told_end = taken.outcome in (Outcome.AVAILABLE, Outcome.REFUSED)
    reply = say(template, **context)
    return Reply(
        text=reply.text,
        template=template,
        film=download.name,
        announces=[(taken.request_id, told_end)],
    )


def _together(replies: Sequence[Reply], question: OutboundMessage | None) -> Reply:
    """Join what is said of several titles into one text; the last question is the open one."""
    asked = [reply for reply in replies if reply.offers]
    offers = asked[-1].offers if asked else ()
    if len(replies) == 1:
        said = replies[0]
    else:
        films: dict[str, list[str]] = {}
        for reply in replies:
            if not reply.offers:
                films.setdefault(reply.template, []).append(reply.film)
        said = say("several", **films, offers=[match.name for match in offers])
    return Reply(
        text=said.text,
        template=said.template,
        offers=offers,
        announces=[request for reply in replies for request in reply.announces],
        question=question,
    )


def _chosen(
    message: InboundMessage, question: OutboundMessage, chosen: int, now: datetime
) -> Reply:
    """Take the film that was chosen from an open question, or none of them."""
    if chosen == rules.NEITHER:
        reply = say("never_mind")
        return Reply(text=reply.text, template=reply.template, question=question)
    offers = question.offers or []
    match = Match(**offers[chosen - 1])
    taken = _take(message, match, f"{message.twilio_sid}:0", now)
    return Reply(
        text=taken.text, template=taken.template, announces=taken.announces, question=question
    )


def _status(contact: Contact) -> Reply:
    """Say what the person waits for, and what became ready not long ago."""
    lines = [_status_line(download) for download in services.requests_of(contact.address)]
    if not lines:
        return say("status_empty")
    return say("status", lines=lines)


def _status_line(download: Any) -> dict[str, str]:
    percent = services.progress(download).percent
    words = {
        "requested": "saved, will be added soon",
        "searching": "still looking for it" if download.problem else "looking for it",
        "waiting": "not out yet" + _from_date(download.reason),
        "downloading": "on its way" + (f", {percent:.0f}% done" if percent is not None else ""),
        "importing": "almost ready",
        "completed": "ready to watch",
        "failed": "couldn't be got",
        "cancelled": "cancelled",
    }[download.status]
    if download.status in ("downloading", "importing") and download.problem:
        words = "taking longer than usual, something is in the way"
    return {"film": download.name, "words": words}


def _from_date(iso: str) -> str:
    if not iso:
        return ""
    date = datetime.fromisoformat(iso).date()
    return f", expected {formats.date_format(date, 'j F Y')}"


def _cancelled(
    contact: Contact, titles: Sequence[Title], question: OutboundMessage | None
) -> Reply:
    """Leave a request, or drop an open question."""
    if question is not None and not titles:
        reply = say("never_mind")
        return Reply(text=reply.text, template=reply.template, question=question)
    waiting = [d for d in services.requests_of(contact.address) if d.is_active]
    if titles:
        wanted = titles[0].title.casefold()
        waiting = [d for d in waiting if wanted in d.name.casefold()]
    if not waiting:
        return say("nothing_to_cancel")
    if len(waiting) > 1:
        return say("which_to_cancel", films=[download.name for download in waiting])
    reply = say("withdrawn", film=waiting[0].name)
    return Reply(text=reply.text, template=reply.template, withdrawals=[waiting[0].pk])


def _name(offer: dict[str, Any]) -> str:
    return Match(**offer).name

"""A request: find each film that a text asks for, ask where that is unsure, else have it got."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from downloads import services
from downloads.services import Match, Outcome
from smsbot import finding, rules
from smsbot.models import InboundMessage, OutboundMessage
from smsbot.reasons import in_plain_words
from smsbot.reply import Reply, say
from smsbot.understanding import Title, Understanding


def request(
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


def choose(message: InboundMessage, question: OutboundMessage, chosen: int, now: datetime) -> Reply:
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

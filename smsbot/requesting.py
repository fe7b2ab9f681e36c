"""A request: find each film that a text asks for, ask where that is unsure, else have it got."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import Any

from downloads import services
from downloads.services import Match, Outcome
from smsbot import approvals, finding, leaving, policy, rules, terms
from smsbot.models import InboundMessage, OutboundMessage
from smsbot.moments import day
from smsbot.naming import Reading, own_words
from smsbot.reasons import in_plain_words
from smsbot.reply import Effect, Reply, say
from smsbot.understanding import MOST_TITLES, Title, Understanding

Asks = OutboundMessage.Asks


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
        return say("title_needed" if rules.asks_for_a_kind(message.body) else "chat")
    left_out = _left_out(message, reading, found)
    alone = len(found) == 1 and not left_out
    replies = []
    for index, (title, resolution) in enumerate(found):
        replies.append(_one_title(message, title, resolution, index, now, alone=alone))
    return _together(replies, question, left_out)


def _at_once(readings: Sequence[Reading]) -> list[Reading]:
    """Return the readings with as many titles as are taken from one text."""
    return [Reading(reading.wants[:MOST_TITLES], reading.how) for reading in readings]


def _left_out(
    message: InboundMessage,
    reading: Understanding,
    found: Sequence[tuple[Title, services.Resolution]],
) -> list[str]:
    """Return the titles of a long list that were not taken up, in the person's own words."""
    taken = {title for title, _ in found}
    for each in rules.readings_of(message.body, reading):
        titles = [want.title for want in each.wants]
        if len(titles) > MOST_TITLES and taken <= set(titles[:MOST_TITLES]):
            names = (own_words(title.title, message.body) for title in titles[MOST_TITLES:])
            again = {title.title.casefold() for title in titles[:MOST_TITLES]}
            return [n for n in dict.fromkeys(names) if n and n.casefold() not in again]
    return []


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
                "namesake": found.namesake.as_dict() if found.namesake else None,
            }
            for found in finding.find(
                _at_once(rules.readings_of(message.body, reading)), services.resolve
            )
        ]
        keep(matches=message.matches)
    return [
        (
            Title.model_validate(entry["title"]),
            services.Resolution(
                [Match(**film) for film in entry["films"]],
                entry["sure"],
                Match(**entry["namesake"]) if entry.get("namesake") else None,
            ),
        )
        for entry in message.matches
    ]


def _one_title(
    message: InboundMessage,
    title: Title,
    resolution: services.Resolution,
    index: int,
    now: datetime,
    *,
    alone: bool,
) -> Reply:
    if title.media == "tv":
        return say("tv_not_yet")
    matches = resolution.matches
    if not matches:
        title_said = own_words(title.title, message.body)
        said = say("not_found", title=title_said)
        return Reply(text=said.text, template=said.template, film=title_said)
    if not resolution.sure:
        return replace(_ask(matches), film=own_words(title.title, message.body))
    origin = f"{message.twilio_sid}:{index}"
    if alone:
        return _take(message, matches[0], origin, now, namesake=resolution.namesake)
    # A list of films has no room for more than their names: a date is told by its own text.
    return replace(_take(message, matches[0], origin, now, tells_date=False), offers=())


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


def _take(
    message: InboundMessage,
    match: Match,
    origin: str,
    now: datetime,
    *,
    namesake: Match | None = None,
    instead_of: Match | None = None,
    tells_date: bool = True,
) -> Reply:
    """Ask the downloads for a film, and say what became of it.

    With a `namesake` the answer says how to get that one; `instead_of` was taken before.
    """
    contact = message.contact
    try:
        rule = policy.rule_for(contact, match, now)
        taken = services.request_movie(match, contact.address, origin=origin, now=now, rule=rule)
    except services.NotAllowed as refusal:
        return terms.refused(contact, refusal, match.name, now)
    download = taken.download
    if taken.outcome == Outcome.PENDING:
        said = terms.waits(contact, taken.request_id, download.name, now)
        return replace(said, effects=[partial(_ask_owner, taken.request_id)])
    context: dict[str, Any] = {"film": download.name, taken.outcome: True}
    context["muted"] = bool(contact.muted)
    if taken.outcome == Outcome.REFUSED:
        context["reason"] = in_plain_words(download.reason)
    if taken.outcome == Outcome.JOINED:
        percent = services.progress(download).percent
        # The last tick saw this: nothing is better than a 0 that is no longer true.
        context["percent"] = round(percent) or None if percent is not None else None
        context["unfound"] = download.status == "searching" and bool(download.problem)
    context["release"] = _release(download, now) if tells_date else ""
    context["namesake"] = namesake.name if namesake else ""
    context["instead_of"] = instead_of.name if instead_of else ""
    return Reply(
        text=say("taken", **context).text,
        template=_TEMPLATES[taken.outcome],
        film=download.name,
        offers=[match, namesake] if namesake else (),
        asks=Asks.CORRECTION if namesake else Asks.FILM,
        announces=[(taken.request_id, taken.outcome in (Outcome.AVAILABLE, Outcome.REFUSED))],
        effects=_told_of_release(taken) if context["release"] else (),
    )


_TEMPLATES = {
    Outcome.ADDED: "added",
    Outcome.SAVED: "saved",
    Outcome.JOINED: "downloading",
    Outcome.AVAILABLE: "available",
    Outcome.REFUSED: "refused",
}


def _release(download: Any, now: datetime) -> str:
    """Return the day that a film which is not out yet is waited for; empty for any other."""
    is_known = download.status == "waiting" and download.reason
    return day(date.fromisoformat(download.reason), now) if is_known else ""


def _told_of_release(taken: services.Taken) -> list[Effect]:
    """The answer tells the date, so the event that would is no news to this person."""
    event_id = services.news_of_release(taken.download.pk)
    if event_id is None:
        return []
    return [lambda now: services.note_told(taken.request_id, event_id)]


def _ask_owner(request_id: int, now: datetime) -> None:
    approvals.ask_about_request(request_id, now)


def _together(
    replies: Sequence[Reply], question: OutboundMessage | None, left_out: Sequence[str]
) -> Reply:
    """Join what is said of several titles into one text; the last question is the open one."""
    if len(replies) == 1 and not left_out:
        return replace(replies[0], question=question)
    asked = [reply for reply in replies if reply.offers and reply.asks == Asks.FILM]
    offers = asked[-1].offers if asked else ()
    films: dict[str, list[str]] = {}
    for reply in replies:
        if reply not in asked:
            films.setdefault(reply.template, []).append(reply.film)
    said = say(
        "several",
        **films,
        offers=[match.name for match in offers],
        left_out=list(left_out),
        later=[reply.film for reply in asked[:-1] if reply.film],
        owner=policy.owner_name(),
    )
    return Reply(
        text=said.text,
        template=said.template,
        offers=offers,
        announces=[request for reply in replies for request in reply.announces],
        effects=[effect for reply in replies for effect in reply.effects],
        question=question,
    )


def choose(message: InboundMessage, question: OutboundMessage, chosen: int, now: datetime) -> Reply:
    """Take the film that was chosen from an open question."""
    match = Match(**(question.offers or [])[chosen - 1])
    taken = _take(message, match, f"{message.twilio_sid}:0", now)
    return replace(taken, question=question)


def choose_several(
    message: InboundMessage, question: OutboundMessage, chosen: Sequence[int], now: datetime
) -> Reply:
    """Take several of the films that an open question offers."""
    offers = [Match(**offer) for offer in question.offers or ()]
    replies = [
        _take(message, offers[number - 1], f"{message.twilio_sid}:{index}", now, tells_date=False)
        for index, number in enumerate(chosen)
    ]
    return _together(replies, question, [])


def correct(
    message: InboundMessage, question: OutboundMessage, chosen: int, now: datetime
) -> Reply:
    """Take the namesake instead of the film that was taken, or say again that this one comes.

    The first film is left in the transaction of the answer, as by "never mind".
    """
    taken, *others = [Match(**offer) for offer in question.offers or ()]
    if chosen == rules.NEITHER:
        return leaving.leave_chosen(message.contact, question, [1])
    if chosen == 1:
        return choose(message, question, chosen, now)
    origin = f"{message.twilio_sid}:0"
    reply = _take(message, others[chosen - 2], origin, now, instead_of=taken)

    def leave_first(now: datetime) -> None:
        leaving.left_by(message.contact, taken, now)

    return replace(reply, question=question, effects=[*reply.effects, leave_first])

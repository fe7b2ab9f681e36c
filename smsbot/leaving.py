"""Changing one's mind: leaving a request, or dropping an open question."""

from collections.abc import Sequence
from datetime import datetime

from downloads import services
from downloads.services import Left, Match, Report
from smsbot import rules
from smsbot.models import Contact, InboundMessage, OutboundMessage
from smsbot.naming import parts_of
from smsbot.reply import Reply, say
from smsbot.shelf import meant
from smsbot.understanding import Title

Asks = OutboundMessage.Asks

_MOST_OFFERED = 9


def leave(
    contact: Contact,
    titles: Sequence[Title],
    question: OutboundMessage | None,
    now: datetime,
) -> Reply:
    """Leave the request that is meant, or drop the open question; ask where it is unclear."""
    titles = [title for title in titles if not rules.is_pronoun(title.title)]
    if question is not None and not titles:
        if question.asks == Asks.CORRECTION:
            return _leave(contact, [Match(**(question.offers or [])[0])], question)
        said = say("never_mind")
        return Reply(text=said.text, template=said.template, question=question)
    mine = services.reports_of(contact.address, now=now)
    waiting = _named(titles, [report for report in mine if report.is_waited_for])
    if not waiting:
        return say("nothing_to_cancel")
    if len(waiting) > 1:
        return _ask([report.match for report in waiting[:_MOST_OFFERED]])
    answered = question if question is not None and question.asks == Asks.LEAVE else None
    return _leave(contact, [waiting[0].match], answered)


def answer(message: InboundMessage, question: OutboundMessage, chosen: int | None) -> Reply | None:
    """Take up the answer to "which one?": a number, several, or all of them."""
    count = len(question.offers or ())
    if numbers := rules.several(message.body, count, dropping=True):
        return leave_chosen(message.contact, question, numbers)
    if chosen is None:
        return None
    if chosen == rules.NEITHER:
        said = say("never_mind")
        return Reply(text=said.text, template=said.template, question=question)
    return leave_chosen(message.contact, question, [chosen])


def leave_chosen(contact: Contact, question: OutboundMessage, chosen: Sequence[int]) -> Reply:
    """Leave the offers of a question that were chosen, counted from 1."""
    offers = [Match(**offer) for offer in question.offers or ()]
    return _leave(contact, [offers[number - 1] for number in chosen], question)


def _named(titles: Sequence[Title], waiting: Sequence[Report]) -> list[Report]:
    """Return what of `waiting` the titles mean, each once; all of it when nothing is named."""
    if not titles:
        return list(waiting)
    found = [report for title in titles for report in meant(title, waiting)]
    if not found:
        parts = [Title(title=part) for title in titles for part in parts_of(title.title)]
        found = [report for part in parts for report in meant(part, waiting)]
    return list({report.download_id: report for report in found}.values())


def _ask(films: Sequence[Match]) -> Reply:
    said = say("which_to_cancel", films=[film.name for film in films])
    return Reply(text=said.text, template=said.template, offers=films, asks=Asks.LEAVE)


# --- The leaving itself --------------------------------------------------------------------------


def _leave(contact: Contact, films: Sequence[Match], question: OutboundMessage | None) -> Reply:
    """Leave these films; what to say is known when it is done, in the answer's transaction."""

    def said(now: datetime) -> Reply:
        # In one order for all: two people who leave two films do not wait for each other.
        ordered = sorted(films, key=lambda film: film.tmdb_id)
        left = {film.name: left_by(contact, film, now) for film in ordered}
        return _say_what_happened(left)

    return Reply(late=said, question=question)


def left_by(contact: Contact, film: Match, now: datetime) -> Left:
    """Let a person leave a film; rows alone, in the caller's transaction."""
    download = services.download(film.tmdb_id)
    return services.leave(download.pk, contact.address, now=now)


def _say_what_happened(left: dict[str, Left]) -> Reply:
    stopped = [name for name, what in left.items() if what == Left.CANCELLED]
    going = [name for name, what in left.items() if what == Left.GOES_ON]
    if len(stopped) + len(going) > 1:
        return say("left", stopped=stopped, going=going)
    if stopped:
        return say("let_go", film=stopped[0])
    return say("withdrawn", film=going[0]) if going else say("nothing_to_cancel")

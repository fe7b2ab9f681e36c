"""The open question: what a number, a title or a "no" decides depends on what was asked."""

from collections.abc import Sequence
from datetime import datetime

from downloads.services import Match
from smsbot import issues, leaving, requesting, rules
from smsbot.models import InboundMessage, OutboundMessage
from smsbot.reply import Reply, say

Asks = OutboundMessage.Asks


def answer(message: InboundMessage, question: OutboundMessage, now: datetime) -> Reply | None:
    """Take up an answer that is plain to see; None when the text is none."""
    offers = _rule_offers(question)
    chosen = rules.choice(message.body, offers)
    if question.asks == Asks.LEAVE:
        return leaving.answer(message, question, chosen)
    if question.asks == Asks.FILM and (many := rules.several(message.body, len(offers))):
        return requesting.choose_several(message, question, many, now)
    if question.asks == Asks.CORRECTION:
        chosen = rules.correction(message.body, chosen)
    return None if chosen is None else choose(message, question, chosen, now)


def choose(message: InboundMessage, question: OutboundMessage, chosen: int, now: datetime) -> Reply:
    """Do what the choice of an offer (from 1, or NEITHER) decides."""
    if question.asks == Asks.CORRECTION:
        return requesting.correct(message, question, chosen, now)
    if chosen == rules.NEITHER:
        said = say("never_mind")
        return Reply(text=said.text, template=said.template, question=question)
    if question.asks == Asks.LEAVE:
        return leaving.leave_chosen(message.contact, question, [chosen])
    if question.asks == Asks.ISSUE:
        return issues.about(message, question, chosen, now)
    return requesting.choose(message, question, chosen, now)


def ask_again(question: OutboundMessage) -> Reply:
    """Say what the question was; it stays open."""
    return say("choose_again", films=[offer.name for offer in offers_of(question)])


def waits_for_a_number(question: OutboundMessage | None) -> bool:
    """Whether nothing goes on before the question is answered; a correction may be passed over."""
    return question is not None and question.asks != Asks.CORRECTION


def offers_of(question: OutboundMessage) -> list[Match]:
    """Return the films that a question offers."""
    return [Match(**offer) for offer in question.offers or ()]


def _rule_offers(question: OutboundMessage) -> Sequence[rules.Offer]:
    return [rules.Offer(offer.title, offer.year) for offer in offers_of(question)]

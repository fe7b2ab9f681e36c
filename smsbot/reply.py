"""What a text is answered with: the words, and what is written in one transaction with them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from downloads.services import Match
from smsbot.models import OutboundMessage
from smsbot.replies import render

Effect = Callable[[datetime], None]
"""A write that belongs to an answer, given the time; of the database alone, and never a call."""


@dataclass(frozen=True)
class Reply:
    """What an inbound message is answered with; written in one transaction with its end.

    An empty `text` sends nothing. `purpose` is `holding` where the answer itself is yet to come.
    `announces` are (request id, whether the text tells its end); `offers` make it a question,
    `asks` says of what; `question` is the open question that it answers; `effects` are what else
    comes of it, such as a word to somebody else. `late` makes the words where they depend on a
    write of that transaction.
    """

    text: str = ""
    template: str = ""
    purpose: str = OutboundMessage.Purpose.ANSWER
    film: str = ""  # the one title that it is about, where there is one
    offers: Sequence[Match] = ()
    asks: OutboundMessage.Asks = OutboundMessage.Asks.FILM
    announces: Sequence[tuple[int, bool]] = ()
    question: OutboundMessage | None = None
    contact_changes: dict[str, Any] = field(default_factory=dict)
    effects: Sequence[Effect] = ()
    late: Callable[[datetime], "Reply"] | None = None


NOTHING = Reply()


def say(template: str, **context: Any) -> Reply:
    """Return a reply of one template, in the words and the style of the person answered."""
    return Reply(text=render(template, **context), template=template)

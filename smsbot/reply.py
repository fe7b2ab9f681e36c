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

    An empty `text` sends nothing. `announces` are (request id, whether the text tells its end);
    `offers` make it a question; `question` is the open question that it answers; `effects` are
    what else comes of it, such as a word to somebody else.
    """

    text: str = ""
    template: str = ""
    film: str = ""  # the one title that it is about, where there is one
    offers: Sequence[Match] = ()
    announces: Sequence[tuple[int, bool]] = ()
    question: OutboundMessage | None = None
    contact_changes: dict[str, Any] = field(default_factory=dict)
    effects: Sequence[Effect] = ()


NOTHING = Reply()


def say(template: str, **context: Any) -> Reply:
    """Return a reply of one template, in the words and the style of the person answered."""
    return Reply(text=render(template, **context), template=template)

"""Small words that need no film: a thank-you is answered once, and an "ok" is left as it is."""

import re
from datetime import timedelta

from smsbot import spanish
from smsbot.models import InboundMessage, OutboundMessage
from smsbot.phrases import whole
from smsbot.reply import NOTHING, Reply, say
from smsbot.wishes import plain_text

_THANKS = whole(
    r"(?:(?:ok(?:ay)?|great|perfect|awesome|cool|nice|yay|no|wow|amazing)[,.! ]+)?"
    r"(?:thanks?|thx|ty|tysm|cheers|thank (?:you|u)|many thanks|much appreciated)"
    r"(?: (?:so much|a lot|very much|again|a bunch|a ton|loads|man|buddy|you|guys))?"
    r"(?: (?:you(?:'re| are) the best|love you))?",
    *spanish.THANKS,
)
_ACKNOWLEDGED = whole(
    r"(?:ok(?:ay)?|k+|kk|cool|nice|great|awesome|perfect|amazing|yay+|wow|omg|got it|gotcha|fine"
    r"|sweet|lovely|super|sounds good|all right|alright|will do|good|excellent|brilliant|haha+|lol)"
    r"(?:[,.! ]+(?:ok(?:ay)?|cool|nice|great|then))?",
    *spanish.ACKNOWLEDGED,
)
_EDGES = " .,!?~*"
_SPOKEN_LATELY = timedelta(days=2)


def answer(message: InboundMessage, *, has_question: bool) -> Reply | None:
    """Return what a thank-you or an "ok" gets: a friendly word, or nothing; None for other texts.

    Only after a text of ours; where a question is open, an "ok" may be an answer to it.
    """
    said = _without_emoji(plain_text(message.body)).strip(_EDGES)
    is_thanks = bool(_THANKS.fullmatch(said))
    is_quiet = not re.search(r"\w", said) or bool(_ACKNOWLEDGED.fullmatch(said))
    if not (is_thanks or is_quiet) or (has_question and not is_thanks):
        return None
    if "?" in message.body and not is_thanks:
        return None
    last = _last_said(message)
    if last is None:
        return None
    return NOTHING if is_quiet or last.template == "youre_welcome" else say("youre_welcome")


def _without_emoji(text: str) -> str:
    return re.sub(r"[^\w\s.,!?'~*-]+", "", text)


def _last_said(message: InboundMessage) -> OutboundMessage | None:
    """Return the last text that this person had from us, if it was not long ago."""
    since = message.received_at - _SPOKEN_LATELY
    texts = OutboundMessage.objects.filter(contact=message.contact, created_at__gte=since)
    return texts.exclude(status=OutboundMessage.Status.SUPPRESSED).order_by("-id").first()

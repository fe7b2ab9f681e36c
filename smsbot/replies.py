"""The words: templates rendered to the text of an SMS, shaped to what a segment holds.

One file per message under `templates/smsbot/sms/`. The design's texts keep their words; a title is
shortened before they are.
"""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from typing import Any

import smsutil
from django.conf import settings
from django.template import engines
from django.utils import formats, translation
from django.utils.translation import pgettext

from smsbot.language import language_of
from smsbot.models import Contact

_MOST_SEGMENTS = {"rich": 3, "plain": 2}
_LEAST_KEPT = 10
_YEAR = re.compile(r" \(\d{4}\)$")
_FOLDED = str.maketrans(
    {
        "`": "'",
        "\t": " ",
        "‘": "'",
        "’": "'",
        "“": '"',
        "”": '"',
        "–": "-",
        "—": "-",
        "…": "...",
        " ": " ",
    }
)


# How the person likes it to whom is being spoken; empty is as SMS_STYLE says.
_style: ContextVar[str] = ContextVar("style", default="")


@contextmanager
def speaking_to(contact: Contact, heard: str = "") -> Iterator[None]:
    """Have what is rendered meanwhile be in this person's language and style.

    `heard` is the language of the text that is answered, where it told one.
    """
    token = _style.set(contact.style)
    try:
        with translation.override(language_of(contact, heard)):
            yield
    finally:
        _style.reset(token)


def readable_date(day: date) -> str:
    """Return a date as a sentence has it: `12 December 2026`, `12 de diciembre de 2026`."""
    return formats.date_format(day, pgettext("how a day with its year is written", "j F Y"))


def render(template: str, **context: Any) -> str:
    """Return the text of `template` for `context`, in the configured style.

    What is too long for the segments allowed has its longest values (titles, mostly) shortened.
    """
    limit = _MOST_SEGMENTS[style()]
    longest = max([_LEAST_KEPT, *_lengths(context)])
    text = _fill(template, context, longest)
    if segments(text) <= limit:
        return text
    longest = _longest_that_fits(template, context, limit, longest)
    text = _fill(template, context, longest)
    while segments(text) > limit and any(len(many) > 1 for many in _lists(context)):
        context = {n: v[:-1] if _is_many(v) else v for n, v in context.items()}
        text = _fill(template, context, longest)
    return text


def _longest_that_fits(template: str, context: dict[str, Any], limit: int, too_long: int) -> int:
    """Return how much of each value may stay, by halving: as much as fits, _LEAST_KEPT at least."""
    fits = _LEAST_KEPT
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if segments(_fill(template, context, middle)) <= limit:
            fits = middle
        else:
            too_long = middle
    return fits


def style() -> str:
    """Return `rich` or `plain` (no emoji, GSM-7 alone), for whom is being spoken to."""
    return "plain" if (_style.get() or settings.SMS_STYLE) == "plain" else "rich"


def styled(text: str) -> str:
    """Return words that somebody wrote, in the configured style."""
    return fold(text) if style() == "plain" else text


def segments(text: str) -> int:
    """Return how many segments a carrier bills for `text`."""
    return len(smsutil.split(text).parts)


def fold(text: str) -> str:
    """Return `text` in GSM-7: quotes and dashes straightened, accents kept where GSM-7 has them,
    what remains left out."""
    text = text.translate(_FOLDED)
    folded = "".join(_fold_one(character) for character in text)
    return re.sub(r"[ \t]{2,}", " ", folded).strip()


def _fold_one(character: str) -> str:
    if smsutil.is_valid_gsm(character):
        return character
    plain = unicodedata.normalize("NFKD", character).replace("`", "'")
    return "".join(c for c in plain if ord(c) < 128 and smsutil.is_valid_gsm(c))


def _fill(template: str, context: dict[str, Any], longest: int) -> str:
    short = {name: _shorten(value, longest) for name, value in context.items()}
    text = engines["text"].get_template(f"smsbot/sms/{template}.txt").render(short)
    lines = [re.sub(r"[ \t]+", " ", line).strip() for line in text.strip().splitlines()]
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines))
    return styled(text)


def _lengths(value: Any) -> list[int]:
    if isinstance(value, str):
        return [len(value)]
    if isinstance(value, dict):
        value = list(value.values())
    return [length for item in value for length in _lengths(item)] if _is_many(value) else []


def _lists(context: dict[str, Any]) -> list[Any]:
    return [value for value in context.values() if _is_many(value)]


def _is_many(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _shorten(value: Any, longest: int) -> Any:
    if isinstance(value, str):
        return _cut(value, longest)
    if isinstance(value, dict):
        return {key: _shorten(item, longest) for key, item in value.items()}
    return [_shorten(item, longest) for item in value] if _is_many(value) else value


def _cut(text: str, longest: int) -> str:
    """Cut a title, and keep its year: it tells namesakes apart."""
    if len(text) <= longest:
        return text
    found = _YEAR.search(text)
    year = found[0] if found else ""
    return text[: max(3, longest - len(year) - 1)].rstrip() + "…" + year

"""The words: templates rendered to the text of an SMS, shaped to what a segment holds.

One file per message under `templates/smsbot/sms/`. The design's texts keep their words; a title is
shortened before they are.
"""

import re
import unicodedata
from typing import Any

import smsutil
from django.conf import settings
from django.template import engines

_MOST_SEGMENTS = {"rich": 3, "plain": 2}
_LONGEST_TITLE = 120
_FOLDED = str.maketrans(
    {"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", " ": " "}
)


def render(template: str, **context: Any) -> str:
    """Return the text of `template` for `context`, in the configured style.

    Values of the context that are too long for the segments allowed are shortened, longest first.
    """
    limit = _MOST_SEGMENTS[style()]
    longest = _LONGEST_TITLE
    text = _fill(template, context, longest)
    while segments(text) > limit and longest > 10:
        longest -= 10
        text = _fill(template, context, longest)
    return text


def style() -> str:
    """Return `rich` or `plain` (no emoji, GSM-7 alone), as SMS_STYLE says."""
    return "plain" if settings.SMS_STYLE == "plain" else "rich"


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
    return unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()


def _fill(template: str, context: dict[str, Any], longest: int) -> str:
    short = {name: _shorten(value, longest) for name, value in context.items()}
    text = engines["text"].get_template(f"smsbot/sms/{template}.txt").render(short)
    lines = [re.sub(r"[ \t]+", " ", line).strip() for line in text.strip().splitlines()]
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines))
    return fold(text) if style() == "plain" else text


def _shorten(value: Any, longest: int) -> Any:
    if isinstance(value, str) and len(value) > longest:
        return value[: longest - 1].rstrip() + "…"
    if isinstance(value, list):
        return [_shorten(item, longest) for item in value]
    if isinstance(value, dict):
        return {key: _shorten(item, longest) for key, item in value.items()}
    return value

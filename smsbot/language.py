"""Which language a person is written to in, and which one a text is written in.

A language is one file: `locale/<code>/LC_MESSAGES/django.po`. Besides the texts it holds its own
name, what people call it, and the words by which a text is known to be written in it. English is
what the texts in the code are.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils import translation
from django.utils.translation import pgettext

from smsbot.models import Contact

AUTOMATIC = "auto"
ENGLISH = "en"
FOLDER = Path(__file__).parent / "locale"

_FEWEST_WORDS = 2
_TOKEN = re.compile(r"\w+|[¿¡]")


@cache
def languages() -> tuple[str, ...]:
    """Return the codes of the languages that we speak, English first."""
    found = FOLDER.glob("*/LC_MESSAGES/django.mo")
    return (ENGLISH, *sorted(path.parent.parent.name for path in found))


@cache
def name_of(language: str) -> str:
    """Return what a language calls itself."""
    with translation.override(language):
        return pgettext("this language's own name", "English")


def named(words: str) -> str:
    """Return the language that people call so, whichever they speak: `español`; "" for none."""
    return next((code for code in languages() if _fold(words) in _names_of(code)), "")


def language_of(contact: Contact, heard: str = "") -> str:
    """Return the language to write to a person in: what they chose, else what they write.

    `heard` is the language of the text that is answered; "" where it does not tell.
    """
    by_text = (heard, contact.heard_language) if settings.SMS_LANGUAGE == AUTOMATIC else ()
    wished = (contact.language, *by_text, settings.SMS_LANGUAGE)
    return next((code for code in wished if code in languages()), ENGLISH)


def recognise(text: str, without: Iterable[str] = ()) -> str:
    """Return the language that a text is surely written in; "" when it might be several.

    The titles in `without` are left out: a film's title says nothing about who asks for it. A word
    that titles are made of (an article) does not tell alone.
    """
    said = _words(_left_of(text, without))
    scores = {code: _score(said, code) for code in languages()}
    best = max(scores, key=lambda code: scores[code])
    sure = scores[best][0] and all(scores[best] > scores[code] for code in scores if code != best)
    return best if sure else ""


def of_reading(text: str, titles: Iterable[str], by_model: str) -> str:
    """Return the language of a text that was read, `by_model` being what a model says or "".

    A model is heard where the words themselves do not tell. It names a language for the barest
    title too, so more must be said than that.
    """
    titles = list(titles)
    code = by_model.casefold().partition("-")[0]
    says_more = len(_words(_left_of(text, titles))) >= _FEWEST_WORDS
    by_words = recognise(text, titles)
    return by_words or (code if says_more and code in languages() else "")


def _score(said: frozenset[str], language: str) -> tuple[int, int]:
    telling, common = _vocabulary(language)
    return len(said & telling), len(said & common)


@cache
def _vocabulary(language: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the words that tell a language, and those that only speak for it."""
    with translation.override(language):
        telling = pgettext(
            "words of requests and talk that tell this language from others",
            "can could would will you please i i'd we want wanna get find download watch see add "
            "give show tell have thanks thank hello hey hi yes what where when which who how why "
            "is are my this that it never mind forget want ready first second one neither none "
            "cancel settings help tonight tomorrow for new old",
        )
        common = pgettext(
            "articles and the like, which stand in titles too", "the of and with to in on from"
        )
    return _words(telling), _words(common)


@cache
def _names_of(language: str) -> frozenset[str]:
    with translation.override(language):
        return _words(pgettext("what people call this language", "english inglés ingles"))


def _left_of(text: str, titles: Iterable[str]) -> str:
    left = text.casefold().replace("’", "'")
    for title in titles:
        left = left.replace(title.casefold().replace("’", "'"), " ")
    return left


def _words(text: str) -> frozenset[str]:
    return frozenset(_TOKEN.findall(_fold(text).replace("'", "")))


def _fold(text: str) -> str:
    """Return `text` as words are compared: no case, and no accents, which few type on a phone."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in plain if not unicodedata.combining(c))

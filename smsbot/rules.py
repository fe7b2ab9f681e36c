"""Reading a text without a model: what is plain to see, and all of it when no model answers.

Pure functions over the text. They look at the shape of a sentence; whether a film of that title
exists is TMDB's to say: `readings` are the ways to read a request, `finding.find` tries them.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from smsbot import phrases, shapes, spanish
from smsbot.naming import Reading, Wanted, interpreted
from smsbot.understanding import Title, Understanding
from smsbot.wishes import (
    asks_for_a_kind,
    is_all_talk,
    is_talk,
    main_titles,
    names_a_kind,
    plain_text,
    readings,
    wishes,
)

__all__ = [
    "NEITHER",
    "Offer",
    "asks_for_a_kind",
    "choice",
    "command",
    "correction",
    "is_bare",
    "is_pronoun",
    "read",
    "readings",
    "readings_of",
    "several",
]

NEITHER = 0
"""The choice of a person who wants none of what was offered."""

_LONGEST_ANSWER = 120
_LONGEST_COMMAND = 160
_MOST_WORDS = 8
_LONGEST_WHOLE = 6
_EDGES = " .,!;:()\"'“”"

_NO = phrases.whole(
    r"(?:no|nope|nah|neither|none)(?: (?:one|of (?:them|those|these)))?(?: (?:thanks?|thank you))?",
    r"(?:not )?(?:any|either) of (?:them|those|these)",
    r"none of (?:them|those|these|the above)",
    "👎",
    *spanish.NO,
)
_YES = phrases.whole(
    r"(?:yes|yeah|yea|yep|yup|sure|ok(?:ay)?|correct|right|exactly|absolutely|y|si|sí|oui|ja|da)"
    r"(?: (?:please|pls|thanks?|thank you|that'?s (?:it|the one|right|correct)|that one|it is))?",
    r"(?:that'?s (?:it|the one|right|correct)|that one|this one|please|please do|go ahead|do it)",
    "👍|👍🏻|👍🏼|👍🏽|✅|💯",
    *spanish.YES,
)
_FIRST_WORDS = phrases.start_of(
    "the", "number", "no", "nr", "option", "choice", "#", "i want", "i'd like", "i mean", "i meant",
    "it's", "its", "yes", "yeah", "please", "get", "give me", "let's go with", "i'll take", "ok",
    "um", "make it", "one from", "movie from", "film from", "version from", "from", "of",
    *spanish.FIRST_WORDS,
)  # fmt: skip
_LAST_WORDS = phrases.end_of(
    "one", "please", "pls", "thanks?", "thank you", "of (?:them|those)", "version", "movie", "film",
    "option", "choice", "would be (?:great|nice)", "i think", "is (?:it|good|fine)", "sounds good",
    *spanish.LAST_WORDS,
)  # fmt: skip
_NUMBERS = shapes.ORDINALS | {"one": 1, "two": 2, "three": 3, "four": 4, "1️⃣": 1, "2️⃣": 2}
_NUMBERS |= shapes.SPANISH_ORDINALS | spanish.NUMBERS
_OLDEST = phrases.whole(
    "old(?:er|est)?", "original", "classic", "earlier", "earliest", *spanish.OLDEST
)
_NEWEST = phrases.whole(
    "new(?:er|est)?", "latest", "most recent", "recent", "modern", "remake", *spanish.NEWEST
)
_NO_TITLE = phrases.whole(
    "it", "that", "this", "them", "all", "everything", "please", "(?:the|my|that) (?:movie|film)s?",
    "(?:the|my|that) (?:request|download|one)s?", "(?:all|everything)(?: of (?:it|them|that))?",
    *spanish.NO_TITLE,
)  # fmt: skip
_ALL = phrases.whole(
    "(?:get )?(?:all|both|everything|every one)(?: of (?:them|it|those|these))?(?: please)?",
    "them all",
    *spanish.ALL,
)
_DROPPING = re.compile(r"(?:please )?(?:stop|drop|forget|cancel) ", re.IGNORECASE)
_BOTH = re.compile(r"\b(?:both|ambas|ambos|las dos|los dos)\b", re.IGNORECASE)
_NUMBERS_IN_A_ROW = re.compile(r"\d{1,2}(?:(?:\s*[,;&+]\s*|\s+(?:(?:and|y)\s+)?)\d{1,2})+")
_NEITHER_OF_TWO = phrases.whole("(?:neither|none)(?: of (?:them|those|these))?", *spanish.NEITHER)
_NOT_THAT = phrases.whole(
    "(?:no,? |nope,? )?not that one",
    "(?:no,? |nope,? )?(?:that'?s |it'?s )?(?:the )?wrong (?:one|movie|film)",
    "(?:no,? |nope,? )?(?:i (?:mean|meant|want|wanted) |get |it'?s )?the other (?:one|movie|film)",
    *spanish.NOT_THAT,
)
_SAID_WITH_YEAR = phrases.words(
    """
    the one from of in year version movie film yes please pls thanks number i want mean meant it's
    its get that ok with let's go
    """
    + spanish.SAID_WITH_YEAR
)


@dataclass(frozen=True)
class Offer:
    """A film of an open question, as the choice needs it."""

    title: str
    year: int | None


def command(text: str) -> Understanding | None:
    """Return the reading of what needs no model: `status`, `?`, `never mind`; else None."""
    plain = plain_text(text)
    if len(plain) > _LONGEST_COMMAND:
        return None
    bare = plain.rstrip(" .!,;")
    if not bare.strip("?"):
        return Understanding(intent="help") if "?" in bare else None
    bare = shapes.COURTESY.sub("", bare.rstrip(" ?.!"))
    if phrases.HELP.fullmatch(bare):
        return Understanding(intent="help")
    if phrases.STATUS.fullmatch(bare):
        return Understanding(intent="status")
    if phrases.NEVER_MIND.fullmatch(bare):
        return _cancel(bare)
    return None


def choice(text: str, offers: Sequence[Offer]) -> int | None:
    """Return which of `offers` an answer picks (from 1), NEITHER for none, None if it is no answer.

    Reads numbers, years, ordinals, "the old one", "the new one", titles, yes and no.
    """
    plain = plain_text(text).strip(_EDGES + "?")
    if _NO.fullmatch(plain):
        return NEITHER
    if len(offers) == 1 and _YES.fullmatch(plain):
        return 1
    if len(plain) > _LONGEST_ANSWER or len(plain.split()) > _MOST_WORDS:
        return _by_name(plain, offers)
    return _by_year(plain, offers) or _by_description(plain, offers) or _by_name(plain, offers)


def read(text: str) -> Understanding:
    """Return the whole reading of a text, when there is no model to ask.

    The titles are the likeliest before a search; `readings` has the rest.
    """
    plain = plain_text(text)
    by_command = command(plain)
    if by_command is not None:
        return by_command
    if not plain or is_talk(plain):
        return Understanding(intent="chat")
    if phrases.CANCEL.fullmatch(plain.rstrip(" .!?")):
        return _cancel(plain.rstrip(" .!?"))
    asked_about = _status_of(plain.rstrip(" ?.!"))
    if asked_about is not None:
        return asked_about
    titles = main_titles(readings(text))
    return Understanding(intent="request" if titles else "chat", titles=titles)


def _status_of(plain: str) -> Understanding | None:
    """Read "is Dune ready yet", with the title that it names."""
    found = next((m for form in phrases.STATUS_OF if (m := form.fullmatch(plain))), None)
    if found is None:
        return None
    title = found["title"].strip(_EDGES)
    named = interpreted(re.sub(r"^(?:the )?(?:movie|film) (?=\w)", "", title))
    is_named = named.title.title and not is_pronoun(named.title.title)
    return Understanding(intent="status", titles=[named.title] if is_named else [])


def is_pronoun(title: str) -> bool:
    """Whether what stands where a title would is "it", "my movie" or "all of them"."""
    return _NO_TITLE.fullmatch(plain_text(title).strip(_EDGES + "?")) is not None


def several(text: str, count: int, *, dropping: bool = False) -> list[int]:
    """Return which of `count` offers an answer takes that takes several: "1 and 3", "both", "all".

    With `dropping` also "forget both". An empty list when it takes one, or is no such answer.
    """
    plain = plain_text(text).strip(_EDGES + "?")
    if dropping:
        plain = _DROPPING.sub("", plain)
    if _ALL.fullmatch(plain) and (count == 2 or not _BOTH.search(plain)):
        return list(range(1, count + 1))
    if not _NUMBERS_IN_A_ROW.fullmatch(plain):
        return []
    numbers = sorted({int(number) for number in re.findall(r"\d+", plain)})
    return numbers if all(1 <= number <= count for number in numbers) else []


def correction(text: str, chosen: int | None) -> int | None:
    """Return what an answer to "Not that one? Reply 2" picks, as `choice` read it: 1, 2 or None.

    A bare "no" may answer "Not that one?" either way, so it picks nothing.
    """
    plain = plain_text(text).strip(_EDGES + "?")
    if _NOT_THAT.fullmatch(plain):
        return 2
    return None if chosen == NEITHER and not _NEITHER_OF_TWO.fullmatch(plain) else chosen


def readings_of(text: str, reading: Understanding) -> list[Reading]:
    """Return the ways to read a request, whoever read it: this module, or a model.

    A model's titles are trusted; before them only a short text is tried as a title itself, since
    "Get Out" is one.
    """
    if reading == read(text):
        return readings(text)
    whole = plain_text(text).strip(_EDGES + "?")
    # "I want to see it" names no film, whatever a model makes of it: such titles are asked about.
    wanted = (Wanted(title, ask=is_all_talk(title.title)) for title in reading.titles)
    is_kind = any(names_a_kind(title.title) for title in reading.titles)
    by_model = Reading(tuple(wanted), "known" if is_kind else "like")
    if not whole or len(whole.split()) > _LONGEST_WHOLE or len(reading.titles) > 1:
        return [by_model]
    return [Reading((Wanted(Title(title=whole[:300])),), "known"), by_model]


def is_bare(text: str) -> bool:
    """Whether a text names a title, if it does, without saying that it is wanted."""
    return not wishes(text)


# --- Cancelling ----------------------------------------------------------------------------------


def _cancel(plain: str) -> Understanding:
    """Read "never mind", "cancel Dune", "I don't want Dune any more"."""
    found = phrases.CANCEL.fullmatch(plain)
    named = found["title"] if found else ""
    named = re.sub(r"(?:^(?:the )?(?:movie|film) |,? any ?(?:more|longer)$)", "", named).strip(
        _EDGES
    )
    if not named or is_pronoun(named):
        return Understanding(intent="cancel")
    named = re.sub(r"^the (?=.+ (?:movie|film)$)| (?:movie|film|please)$", "", named)
    return Understanding(intent="cancel", titles=[Title(title=named[:300])])


# --- Choosing ------------------------------------------------------------------------------------


def _by_year(plain: str, offers: Sequence[Offer]) -> int | None:
    """Read "1984", "the one from 1984", "Dune 1984"."""
    years = {int(year) for year in re.findall(r"\b(?:18|19|20)\d\d\b", plain)}
    named = {word for offer in offers for word in _fold(offer.title).split()}
    said = {word for word in _fold(plain).split() if not word.isdigit()}
    if len(years) != 1 or said - named - _SAID_WITH_YEAR:
        return None
    return _only(number for number, offer in enumerate(offers, 1) if offer.year in years)


def _by_description(plain: str, offers: Sequence[Offer]) -> int | None:
    """Read "2", "the second one", "the old one", "last"."""
    what = _bared(plain)
    if what == "last" or what in spanish.LAST:
        return len(offers) or None
    if _OLDEST.fullmatch(what) or _NEWEST.fullmatch(what):
        dated = [(offer.year, number) for number, offer in enumerate(offers, 1) if offer.year]
        pick = min if _OLDEST.fullmatch(what) else max
        return pick(dated)[1] if dated else None
    number = int(what) if re.fullmatch(r"[0-9]{1,2}", what) else _NUMBERS.get(what, 0)
    return number if 1 <= number <= len(offers) else None


def _by_name(plain: str, offers: Sequence[Offer]) -> int | None:
    """Read the title of an offer that has it alone, with its year, or its part of a series."""
    said = {_fold(plain), _fold(re.sub(r"^(?:the|get|yes|i want)\b", "", plain, flags=re.I))}
    return _only(number for number, offer in enumerate(offers, 1) if said & _names(offer))


def _names(offer: Offer) -> set[str]:
    # The parts of a series are listed without the series' name, and so people answer.
    titles = [offer.title, offer.title.partition(": ")[2] or offer.title]
    return {_fold(name) for title in titles for name in (title, f"{title} {offer.year}")} - {""}


def _bared(plain: str) -> str:
    """Return an answer without the words around what it picks."""
    what = plain.casefold()
    for _ in range(4):
        shorter = _LAST_WORDS.sub("", what)
        if match := _FIRST_WORDS.match(shorter):
            shorter = shorter[match.end() :] or shorter
        what, before = shorter.strip(_EDGES + "#"), what
        if what == before:
            break
    return what


def _only(numbers: Iterable[int]) -> int | None:
    found = list(numbers)
    return found[0] if len(found) == 1 else None


def _fold(text: str) -> str:
    """Return the words of a title as they are compared: no case, accents or punctuation."""
    plain = unicodedata.normalize("NFKD", text.casefold()).replace("'", "")
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(re.findall(r"\w+", letters))

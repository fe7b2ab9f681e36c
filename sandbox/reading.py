"""How the stand-in for a language model reads a text: by rule, and with the catalogue in mind."""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sandbox.catalogue import SHOWS, Catalogue, words

# Titles that are ordinary words count only where nothing else is asked for.
ORDINARY = {
    "after", "air", "blade", "blood", "close", "coco", "creed", "dog", "fall", "frozen", "go",
    "heat", "help", "her", "it", "luck", "soul", "stop", "the bear", "the crown", "the hunt",
    "the mummy", "the office", "the thing", "up", "us", "wicked", "x", "parasite", "friends",
    "barbie", "moana",
}  # fmt: skip

HELP = re.compile(r"(help|commands?|\?|what can you do|how does this work)\W*", re.IGNORECASE)
STATUS = re.compile(
    r"\b(status|progress|where('s| is| are)|how('s| is)|is (it|\w.*) (ready|done|here)|"
    r"what'?s (coming|downloading)|how (far|long)|when will .+ be|is .+ there|estado|d[oó]nde)\b",
    re.IGNORECASE,
)
CANCEL = re.compile(
    r"^\W*(never ?mind|cancel|forget( about)?|drop|remove|"
    r"(i |we )?(don'?t|no longer) (want|need))\b",
    re.IGNORECASE,
)
CHOICE = re.compile(r"\W*(?:(?:the|number|no\.?|option)\s+)*(\d{1,2})\W*", re.IGNORECASE)
ORDINALS = ("first", "second", "third", "fourth", "fifth")
ASK = re.compile(
    r"\b(?:get|find|download|add|want|grab|fetch|watch|see|have|need|like|look(?:ing)? for|"
    r"order|play)\b(?:\s+(?:me|us|to (?:watch|see|get|download)))*\s*|"
    r"\b(?:quiero|queremos|cons[ií]gueme|consigues|bajar|ponme|b[uú]scame|busca)\b(?:\s+(?:ver|me))?\s*",
    re.IGNORECASE,
)
SPANISH = re.compile(
    r"\b(?:quiero|queremos|cons[ií]gueme|consigues|bajar|ponme|b[uú]scame|busca|estado|d[oó]nde|hola)\b",
    re.IGNORECASE,
)
BEFORE = re.compile(r"^(?:(?:the |that |a )?(?:movie|film)s?(?: called| named)?)\b", re.IGNORECASE)
AFTER = re.compile(
    r"\b(?:please|pls|thanks?(?: you)?|for (?:me|us|tonight|the kids)|tonight|"
    r"(?:the )?(?:movie|film)|on (?:plex|jellyfin)|by any chance)$",
    re.IGNORECASE,
)
EDGES = " \t\n?!.,:;'\"“”"
QUALIFIED = re.compile(r"^(?P<title>.*?)\W*\(?\b(?:from )?(?P<year>(?:19|20)\d\d)\)?\W*$")
YEAR = re.compile(r"(?:19|20)\d\d")
AND = re.compile(r"\s*(?:,|;|\band\b|&|\+)\s*", re.IGNORECASE)

Json = dict[str, Any]


@dataclass(frozen=True)
class Known:
    """A title of the sandbox's world, as compared words."""

    title: str
    media: str
    words: tuple[str, ...]


def read(text: str, catalogue: Catalogue) -> Json:
    """What a model would say of `text`: its intent, titles, choice and language."""
    text = text.strip()
    titles: list[Json] = []
    choice = _choice(text)
    if HELP.fullmatch(text):
        intent = "help"
    elif CANCEL.match(text):
        intent, titles = "cancel", _titles(CANCEL.sub("", text), catalogue, guess=True)
    elif choice is not None:
        intent = "choose"
    elif STATUS.search(text):
        intent, titles = "status", _titles(text, catalogue, guess=False)
    else:
        asked = ASK.search(text)
        rest = text[asked.end() :] if asked else text
        titles = _titles(rest, catalogue, guess=bool(asked))
        intent = "request" if titles else "chat"
    language = "es" if SPANISH.search(text) else "en"
    return {"intent": intent, "titles": titles, "choice": choice, "language": language}


def _choice(text: str) -> int | None:
    if written := CHOICE.fullmatch(text):
        return int(written[1])
    ordinal = re.fullmatch(r"\W*(?:the )?(\w+)(?: one)?\W*", text.casefold())
    return ORDINALS.index(ordinal[1]) + 1 if ordinal and ordinal[1] in ORDINALS else None


def _titles(text: str, catalogue: Catalogue, guess: bool) -> list[Json]:
    """The titles in `text`; where none is known and `guess` holds, the text is taken as one."""
    phrase = _trimmed(text)
    whole = _whole(phrase, catalogue)
    if whole:
        return [whole]
    parts = [part for part in AND.split(phrase) if part]
    each = [_whole(part, catalogue) for part in parts]
    if len(parts) > 1 and all(each):
        return [title for title in each if title]
    inside = _inside(phrase, catalogue)
    if inside or not guess or not words(phrase):
        return inside
    qualified = QUALIFIED.match(phrase)
    if qualified and qualified["title"]:
        return [_title(qualified["title"], int(qualified["year"]), "unknown")]
    return [_title(" ".join(phrase.split()), None, "unknown")]


def _trimmed(text: str) -> str:
    """`text` without the courtesies around a title."""
    before, after = "", text.strip(EDGES)
    while before != after:
        before = after
        after = AFTER.sub("", BEFORE.sub("", before)).strip(EDGES)
    return after


def _title(title: str, year: int | None, media: str) -> Json:
    return {"title": title, "year": year, "media": media}


def _known(catalogue: Catalogue) -> list[Known]:
    """Every title of the sandbox's world, longest first, a film before a show of its name."""
    films = [
        Known(film.title, "movie", spelling)
        for film in catalogue.films
        for spelling in film.spellings
    ]
    shows = [Known(show.name, "tv", words(show.name)) for show in SHOWS]
    return sorted((k for k in films + shows if k.words), key=lambda known: -len(known.words))


def _whole(phrase: str, catalogue: Catalogue) -> Json | None:
    """The known title that `phrase` is, with or without a year behind or before it."""
    asked = words(phrase)
    if len(asked) > 2 and asked[0] == "the" and YEAR.fullmatch(asked[1]):
        asked = asked[1:]
    candidates: list[tuple[tuple[str, ...], int | None]] = [(asked, None)]
    if len(asked) > 1 and YEAR.fullmatch(asked[-1]):
        short = asked[:-2] if asked[-2] in {"from", "of"} else asked[:-1]
        candidates.append((short, int(asked[-1])))
    if len(asked) > 1 and YEAR.fullmatch(asked[0]):
        candidates.append((asked[1:], int(asked[0])))
    for spelling, year in candidates:
        for known in _known(catalogue):
            if known.words in (spelling, ("the", *spelling)):
                return _title(known.title, year, known.media)
    return None


def _inside(text: str, catalogue: Catalogue) -> list[Json]:
    """The known titles within `text`, longest first and without overlap, in their order."""
    said = words(text)
    taken: dict[int, tuple[int, Known]] = {}
    used: set[int] = set()
    ordinary = {words(title) for title in ORDINARY}
    for known in _known(catalogue):
        length = len(known.words)
        if known.words in ordinary or len("".join(known.words)) < 3:
            continue
        for start in range(len(said) - length + 1):
            place = set(range(start, start + length))
            if said[start : start + length] == known.words and not place & used:
                taken[start] = (start + length, known)
                used |= place
    starts = [*sorted(taken), len(said)]
    return [
        _title(taken[start][1].title, _year(said[taken[start][0] : after]), taken[start][1].media)
        for start, after in pairwise(starts)
    ]


def _year(following: tuple[str, ...]) -> int | None:
    """A year among the few words that follow a title."""
    return next((int(word) for word in following[:3] if YEAR.fullmatch(word)), None)

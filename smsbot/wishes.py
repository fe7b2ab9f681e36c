"""From a text to the titles it may mean, most literal first. Pure; no model, no search.

The shape of a sentence says where a title may stand, never where it ends: "Last Night in Soho
tonight". So a text has several readings, and TMDB's answer to them decides (`smsbot.finding`).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import islice

from smsbot import phrases, shapes
from smsbot.links import titles_of_links, without_links
from smsbot.naming import (
    EDGES,
    EDGES_OF_TITLE,
    How,
    Reading,
    Wanted,
    interpreted,
    names_year,
    off_end,
    parts_of,
    quoted,
    shorter,
    unled,
    variants,
    without,
)
from smsbot.understanding import MOST_NAMED, Title

LONGEST = 1600
"""Characters of a text that are read: what one SMS can hold."""

_LONGEST_BARE = 10
_LONGEST_LITERAL = 6
_MOST_PROBES = 2
_MOST_WISHES = 3
_MOST_SENTENCES = 6
_LONGEST_PHRASE = 200
_ABBREVIATIONS = r"(?<!\bMr)(?<!\bMrs)(?<!\bMs)(?<!\bDr)(?<!\bSt)(?<!\bvs)(?<!\bVol)(?<!\bNo)"
_SENTENCE_END = re.compile(
    _ABBREVIATIONS + r"(?<=[\w)\"'’”])(?:[.!?]+\s*|\.\.\.)(?<![.!?]\d)(?=\s[A-Zi]|\s[a-z]+ you)"
)


def readings(text: str) -> list[Reading]:
    """Return the ways to read `text` as a request, the first to be tried first; [] for talk."""
    return list(_readings(text))


@lru_cache(maxsize=16)  # a text is asked for its readings several times on its way to an answer
def _readings(text: str) -> Sequence[Reading]:
    linked = titles_of_links(text)
    if linked:
        return [Reading(tuple(Wanted(title) for title in linked[:MOST_NAMED]), "like")]
    plain = plain_text(without_links(text))
    if not re.search(r"\w", plain) or is_talk(plain):
        return []
    spoken = _spoken(plain)
    if not spoken:
        return _bare(plain)
    return [*_literally(plain), *spoken]


def wishes(text: str) -> bool:
    """Whether a text says in words that something is wanted."""
    return any(any(_after_wish(sentence)) for sentence in _sentences(plain_text(text)))


def names_a_kind(phrase: str) -> bool:
    """Whether words ask for a film and not for one: "something funny", "a movie about dogs"."""
    words = re.findall(r"[\w'-]+", phrase.casefold())
    is_generic = all(word in phrases.GENERIC for word in words)
    is_described = phrases.DESCRIPTION.search(phrase) is not None
    return (is_generic or is_described) and phrases.A_KIND.search(phrase) is not None


def asks_for_a_kind(text: str) -> bool:
    """Whether a text names a kind of film where a title would stand."""
    plain = plain_text(text)
    wanted = [rest for sentence in _sentences(plain) for rest in _after_wish(sentence)]
    bare = without(phrases.GREETINGS, plain, most=6)
    return any(names_a_kind(phrase) for phrase in wanted or [bare[:_LONGEST_PHRASE]])


def plain_text(text: str) -> str:
    """Return `text` with plain apostrophes and single spaces, its lines joined by semicolons."""
    text = text[:LONGEST].replace("’", "'").replace("‘", "'").replace("`", "'")
    text = re.sub("[¿¡]", "", text)
    text = re.sub(r"(?:^|\s)[:;]-?[)(DP](?!\w)", " ", text)  # :-)
    lines = [line.strip() for line in text.splitlines()]
    return re.sub(r"\s+", " ", "; ".join(line for line in lines if line)).strip()


def is_talk(plain: str) -> bool:
    """Whether a text is small talk from end to end, sentence by sentence."""
    sentences = [part.strip(EDGES) for part in re.split(r"[.!?,;]+ ?", plain)]
    return all(phrases.SMALL_TALK.fullmatch(part) for part in sentences if part)


# --- Sentences -----------------------------------------------------------------------------------


def _spoken(plain: str) -> list[Reading]:
    """Return the readings of the sentences that wish for something."""
    sentences = _sentences(plain)
    rests = [list(_after_wish(sentence)) for sentence in sentences]
    each = [found for some in rests if (found := _best(_of_phrase(r, plain) for r in some))]
    if not each and any(_is_pointing(rest) for some in rests for rest in some):
        each = [found for s in sentences if (found := _of_praised(s))][:1]
    if not each:
        hoped = [r for s in sentences if shapes.HOPEFUL.search(s) for r in _of_praised(s)]
        return [_asking(reading) for reading in hoped[:1]]
    # Several sentences that each name a film are a list; else the first that names one.
    sure = [found[-1] for found in each if found[-1].how == "like"]
    together = [reading for reading in sure if len(sure) > 1]
    joined = tuple(want for reading in together for want in reading.wants)[:MOST_NAMED]
    return ([Reading(joined, "exact")] if joined else []) + [r for found in each for r in found]


def _sentences(plain: str) -> list[str]:
    parts = _SENTENCE_END.split(plain, maxsplit=_MOST_SENTENCES)
    return [part.strip() for part in parts if part.strip()]


def _best(found: Iterable[list[Reading]]) -> list[Reading]:
    """Return the first readings that surely are of a request, else the first there are."""
    some = [each for each in found if each]
    return next((each for each in some if each[-1].how == "like"), some[0] if some else [])


def _after_wish(sentence: str) -> Iterator[str]:
    """Yield what a sentence may want: what stands behind each of its words of wanting."""
    if named := shapes.NAMED.search(sentence):
        yield _near(sentence, named.end())
    start = without(phrases.GREETINGS, sentence, most=6)
    if order := shapes.IMPERATIVE.match(start):
        yield _near(start, order.end())
    for wish in islice(shapes.WISH.finditer(sentence), _MOST_WISHES):
        if not shapes.NEGATION.search(sentence[max(0, wish.start() - 40) : wish.start()]):
            yield _near(sentence, wish.end())


def _near(sentence: str, place: int) -> str:
    """Return what stands behind a place of a sentence, as far as a title can reach."""
    return sentence[place : place + _LONGEST_PHRASE].strip()


def _of_praised(sentence: str) -> list[Reading]:
    """Read "Dune sounds great": a title that another sentence may point to."""
    start = without(shapes.OPINION, without(phrases.GREETINGS, sentence, most=6), most=2)
    places = [found.start() for found in shapes.PRAISE.finditer(start)]
    is_opinion = shapes.OPINION.match(without(phrases.GREETINGS, sentence, most=6))
    name = start[: places[-1]] if places else start if is_opinion else ""
    name = name.strip(EDGES)
    return _of_phrase(name, sentence) if name and not _is_pointing(name) else []


def _is_pointing(rest: str) -> bool:
    """Whether what is wanted is "it", "that one now", or left out: "… that I want to watch"."""
    what = unled(rest).strip(EDGES)
    if shapes.POINTING.fullmatch(rest.strip(EDGES)) or shapes.POINTING.fullmatch(what):
        return True
    return shapes.NOTHING_NAMED.fullmatch(what) is not None


def _asking(reading: Reading) -> Reading:
    return Reading(tuple(replace(want, ask=True) for want in reading.wants), "known")


# --- Phrases -------------------------------------------------------------------------------------


def _of_phrase(rest: str, plain: str) -> list[Reading]:
    """Return the readings of what stands behind a wish; [] when it names no title."""
    is_show = phrases.TV.search(rest) is not None
    if is_show:
        return [_of_show(rest)]
    if in_quotes := quoted(rest):
        return [Reading(in_quotes, "like")]
    phrase = unled(rest).strip(EDGES_OF_TITLE)
    if not re.search(r"\w", phrase) or _is_pointing(rest):
        return _of_pronoun(phrase)
    if _is_doubtful(rest, phrase, plain):
        literal = off_end(shapes.COURTESY, phrase)
        return [_named(name, "known") for name in dict.fromkeys((phrase, literal))]
    if phrase.islower() and is_all_talk(phrase):
        return [_named(phrase, "known", ask=True)]
    return _of_title(phrase)


def _of_show(rest: str) -> Reading:
    name = re.sub(r"^\W*(?:called|named|titled|the|of) ", "", phrases.TV.sub("", rest).strip())
    title = off_end(shapes.TAIL, unled(name).strip(EDGES)) or "the show"
    return Reading((Wanted(Title(title=title[:300], media="tv")),), "like")


def _of_pronoun(phrase: str) -> list[Reading]:
    """Read "get It": a pronoun is a title where it has a capital, and even then it is asked."""
    if phrase in ("It", "Her", "Them", "This", "That"):
        return [Reading((Wanted(Title(title=phrase), ask=True),), "known")]
    return []


def _is_doubtful(rest: str, phrase: str, plain: str) -> bool:
    """Whether the words are likelier talk, another medium or a description than a title."""
    if phrases.OTHER_MEDIA.search(plain) and not _is_film(rest, plain):
        return True
    words = re.findall(r"[\w'-]+", phrase.casefold())
    return not names_year(phrase) and (
        all(word in phrases.GENERIC for word in words)
        or phrases.DESCRIPTION.search(rest) is not None
        or phrases.OPENING.match(phrase) is not None
        or shapes.PEOPLE.fullmatch(phrase) is not None
    )


def _is_film(rest: str, plain: str) -> bool:
    """Whether a text with words of other media (a cinema, a book) says that it wants a film."""
    film = re.search(r"\b(?:movie|film|tickets?|watch|see)\b", plain, re.IGNORECASE)
    kind = phrases.OTHER_MEDIA.match(without(shapes.LEAD_IN, rest, most=3))
    return film is not None and kind is None and not _ANOTHER_KIND.search(plain)


_ANOTHER_KIND = re.compile(
    r"\b(?:songs?|albums?|playlists?|music|soundtracks?|video ?games?|novels?|restaurants?"
    r"|schedules?|showtimes?|movie times)\b",
    re.IGNORECASE,
)


def _of_title(phrase: str) -> list[Reading]:
    """Return the readings of words that are a title, or several, and what people add to one."""
    *fuller, literal = variants(phrase)
    probes = [_named(name, "exact") for name in fuller]
    wanted, parts = interpreted(literal), parts_of(literal)
    if wanted.title.title != literal and not names_year(literal):
        probes.append(_named(literal, "exact"))
    last = Reading((wanted,), "like")
    if len(parts) < 2:
        return [*probes[-_MOST_PROBES:], last]
    listed = tuple(interpreted(part) for part in parts)
    strict = [Reading((wanted,), "exact"), Reading(listed, "exact")]
    return [*probes[-1:], *strict, *_whole_or_list(phrase, last, listed)]


def _named(name: str, how: How, *, ask: bool = False) -> Reading:
    return Reading((Wanted(Title(title=name[:300]), ask=ask),), how)


def _whole_or_list(phrase: str, last: Reading, listed: tuple[Wanted, ...]) -> list[Reading]:
    """Order the loose readings of "X and Y": commas and "both" make a list likelier."""
    by_list = Reading(listed, "like")
    is_list = len(listed) > 2 or ";" in phrase or shapes.SEVERAL.match(phrase)
    return [by_list] if is_list else [last, by_list]


# --- Texts that are nothing but a title ----------------------------------------------------------


def _literally(plain: str) -> Iterator[Reading]:
    """Read a short text as a title though it wishes: "Get Out", "Find Me Guilty"."""
    literal = plain.strip(EDGES)
    if len(literal.split()) <= _LONGEST_LITERAL:
        yield _named(literal, "known", ask=is_all_talk(literal))


def _bare(plain: str) -> list[Reading]:
    """Return the readings of a text without a wish: exactly a title, or a list of titles."""
    start = without(phrases.GREETINGS, plain[:_LONGEST_PHRASE], most=6)
    if phrases.TV.search(plain):
        return [_of_show(plain)] if len(plain.split()) <= _LONGEST_BARE else []
    if len(plain) > _LONGEST_PHRASE:
        return []
    is_doubtful = (
        _is_talkative(plain) or names_a_kind(start) or phrases.OTHER_MEDIA.search(plain) is not None
    )
    how: How = "known" if is_doubtful else "exact"
    names = [
        *shorter(shapes.COURTESY, plain[:_LONGEST_PHRASE].strip(EDGES)),
        *variants(unled(start)),
    ]
    asks = is_all_talk(names[-1]) and plain.strip(" .!") not in phrases.TITLES_ALONE
    probes = [_named(name, how, ask=asks) for name in dict.fromkeys(names) if name]
    chosen = probes[:_MOST_PROBES] + probes[_MOST_PROBES:][-1:]
    return [*chosen, *_bare_interpreted(names[-1], how)]


def _bare_interpreted(literal: str, how: How) -> list[Reading]:
    """Return the looser readings of a text without a wish; talk is not read loosely."""
    wanted, parts = interpreted(literal), parts_of(literal)
    found = [Reading((wanted,), how)] if wanted.title.title != literal else []
    if len(parts) > 1:
        found.append(Reading(tuple(interpreted(part) for part in parts), how))
    elif how == "exact" and len(literal.split()) <= _LONGEST_LITERAL:
        asking = (replace(wanted, ask=True),)
        found += [Reading(asking, "near"), Reading(asking, "guess")]
    return found


def _is_talkative(plain: str) -> bool:
    """Whether any word of a text says something more often than it stands in a title."""
    return not phrases.TALK_WORDS.isdisjoint(re.findall(r"[\w']+", plain.casefold()))


def is_all_talk(plain: str) -> bool:
    """Whether a text is a title like "up" or "home", which is asked about before it is taken."""
    return phrases.TALK_WORDS.issuperset(re.findall(r"[\w']+", plain.casefold()))


def main_titles(found: Sequence[Reading]) -> list[Title]:
    """Return the titles of the likeliest reading before anything was looked up."""
    return [want.title for want in found[-1].wants] if found else []

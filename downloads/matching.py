"""Which films a title asks for: none, one, or several to ask about. Pure; TMDB has ranked already.

TMDB's order decides between likely and unlikely; exactness, the year and the number of a sequel
decide what is meant. What nothing decides is asked, never guessed.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from downloads.tmdb import Film

MOST_OFFERED = 4
"""A question with more choices than this is no longer a text message."""

_LIKE_ENOUGH = 0.82
_NUMBERS = {
    "one": "1",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "nine": "9",
    "ten": "10",
    "i": "1",
    "ii": "2",
    "iii": "3",
    "iv": "4",
    "v": "5",
    "vi": "6",
    "vii": "7",
    "viii": "8",
    "ix": "9",
}
_FILLER = frozenset({"part", "chapter", "episode", "vol", "volume", "number"})
_ARTICLES = frozenset({"the", "a", "an"})


@dataclass(frozen=True)
class Query:
    """A title as a person wrote it, and the year if they named one."""

    title: str
    year: int | None = None


@dataclass(frozen=True)
class Verdict:
    """The films that may be meant, best first; `sure` when there is one and nothing to ask."""

    films: list[Film]
    sure: bool


def decide(query: Query, films: Sequence[Film]) -> Verdict:
    """Say which of `films` (in TMDB's order) the query means.

    A film whose title is the query's is meant; several such films are told apart by the year, or
    asked about. Without one, a film is taken only if its title is nearly the query's and no other
    is; what merely shares a word is offered, never taken.
    """
    exact = [film for film in films if _key(query.title) in _names(film)]
    if exact:
        return _verdict(query, _drop_obscure(exact))
    near = [film for film in films if _is_near(query.title, film)]
    if near:
        return _verdict(query, near)
    related = [film for film in films if _shares_words(query.title, film)]
    return Verdict(_of_year(query, related)[:MOST_OFFERED], sure=False)


def _verdict(query: Query, films: list[Film]) -> Verdict:
    kept = _of_year(query, films)
    sure = len(kept) == 1 and _year_fits(query, kept[0])
    return Verdict(kept[:MOST_OFFERED], sure=sure)


def _year_fits(query: Query, film: Film) -> bool:
    return query.year is None or film.year is None or abs(film.year - query.year) <= 1


def _of_year(query: Query, films: list[Film]) -> list[Film]:
    """Keep the films of the year that was named; a year beside it (another country) also counts."""
    if query.year is None:
        return films
    for slack in (0, 1):
        kept = [f for f in films if f.year and abs(f.year - query.year) <= slack]
        if kept:
            return kept
    return films


def _drop_obscure(films: list[Film]) -> list[Film]:
    """Leave out namesakes that hardly anybody knows, where TMDB's votes show it."""
    most = max(film.vote_count for film in films)
    if most < 1000:
        return films
    return [film for film in films if film.vote_count * 500 >= most]


def _names(film: Film) -> set[str]:
    return {_key(film.title), _key(film.original_title)}


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text.casefold().replace("&", " and "))
    plain = "".join(c for c in plain if not unicodedata.combining(c)).replace("'", "")
    plain = plain.replace("’", "")
    return re.findall(r"\w+", plain)


def _key(title: str) -> str:
    """Return what two spellings of one title have in common: `Dune: Part Two` → `dune2`."""
    words = _words(title)
    if len(words) > 1 and words[0] in _ARTICLES:
        words = words[1:]
    # A number counts as one only behind the first word: `I, Robot` keeps its `I`.
    head, rest = words[:1], [_NUMBERS.get(w, w) for w in words[1:]]
    numbered = [
        w
        for i, w in enumerate(rest)
        if not (w in _FILLER and i + 1 < len(rest) and rest[i + 1].isdigit())
    ]
    return "".join(head + numbered)


def _is_near(title: str, film: Film) -> bool:
    asked = _key(title)
    if len(asked) < 4:
        return False
    return any(_alike(asked, name) for name in _names(film))


def _alike(asked: str, name: str) -> bool:
    # `Dune 2` and `Dune 3` are nearly the same letters and not the same film.
    if re.sub(r"\D", "", asked) != re.sub(r"\D", "", name):
        return False
    return SequenceMatcher(None, asked, name).ratio() >= _LIKE_ENOUGH


def _shares_words(title: str, film: Film) -> bool:
    asked = set(_words(title)) - _ARTICLES
    return bool(asked & set(_words(f"{film.title} {film.original_title}")))

"""The films of the harness: a few that everybody knows, and as many made-up ones as a load needs.

A made-up film of number n has one word of syllables for its number, so that no title is like
another and no digit is taken for a year or a choice.
"""

import re
from dataclasses import dataclass

_FIRST_MADE_UP = 500_000
_SYLLABLES = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]


@dataclass(frozen=True)
class Film:
    """A film as TMDB knows it."""

    tmdb_id: int
    title: str
    year: int

    @property
    def name(self) -> str:
        """The title with its year, as texts name it."""
        return f"{self.title} ({self.year})"


DARK_KNIGHT = Film(155, "The Dark Knight", 2008)
MATRIX = Film(603, "The Matrix", 1999)
INCEPTION = Film(27205, "Inception", 2010)
DUNE = Film(438631, "Dune", 2021)
OLD_DUNE = Film(841, "Dune", 1984)
_KNOWN = (DARK_KNIGHT, MATRIX, INCEPTION, DUNE, OLD_DUNE)


def made_up(number: int) -> Film:
    """Return the made-up film of a number from 0 to 343,000 - 1."""
    rest, last = divmod(number, len(_SYLLABLES))
    first, middle = divmod(rest, len(_SYLLABLES))
    word = _SYLLABLES[first] + _SYLLABLES[middle] + _SYLLABLES[last]
    return Film(_FIRST_MADE_UP + number, f"Quince {word.capitalize()}", 2001)


def by_id(tmdb_id: int) -> Film | None:
    """Return the film of a TMDB id, None for one that there is not."""
    if tmdb_id >= _FIRST_MADE_UP:
        return made_up(tmdb_id - _FIRST_MADE_UP)
    return next((film for film in _KNOWN if film.tmdb_id == tmdb_id), None)


def search(query: str) -> list[Film]:
    """Return the films whose title holds every word of the query."""
    words = re.findall(r"\w+", query.casefold())
    if len(words) == 2 and words[0] == "quince" and len(words[1]) == 6:
        syllables = [words[1][i : i + 2] for i in (0, 2, 4)]
        if all(one in _SYLLABLES for one in syllables):
            a, b, c = (_SYLLABLES.index(one) for one in syllables)
            return [made_up((a * len(_SYLLABLES) + b) * len(_SYLLABLES) + c)]
    return [film for film in _KNOWN if all(word in film.title.casefold() for word in words)]

"""From the readings of a text to films: the first reading that TMDB bears out. Pure.

Whoever calls passes the search. A text costs at most four searches on TMDB, and where it lists
films three more for each further one.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

from smsbot.naming import How, Reading, Wanted
from smsbot.understanding import Title

_MOST_SEARCHES = 4

F = TypeVar("F")
F_co = TypeVar("F_co", covariant=True)


class Resolution(Protocol[F_co]):
    """The films of one title, best first; `sure` when there is one and nothing to ask."""

    @property
    def matches(self) -> Sequence[F_co]:
        """The films."""

    @property
    def sure(self) -> bool:
        """Whether there is nothing to ask."""

    @property
    def namesake(self) -> F_co | None:
        """Where there is nothing to ask, the film of the same title that was passed over."""


Search = Callable[[str, int | None, How], Resolution[F]]
"""Title, year, and how close a film must come: `downloads.services.resolve`."""


@dataclass(frozen=True)
class Found(Generic[F]):
    """What was found for one title of a text; no matches: there is no such film, or it is TV."""

    title: Title
    matches: list[F]
    sure: bool
    namesake: F | None = None


def find(found: Sequence[Reading], search: Search[F]) -> list[Found[F]]:
    """Return the titles of the first of these readings whose films there are, with the films.

    Where no reading holds: the titles of the last that surely is a request, with what was found of
    each; [] when none surely is, and the text was perhaps only talk.
    """
    ledger = _Ledger(search, found)
    partly: list[Found[F]] = []
    for reading in found:
        if not ledger.allows(reading):
            continue
        each = [ledger.look_up(want, reading.how) for want in reading.wants]
        if all(one.matches or one.title.media == "tv" for one in each):
            return _each_once(each)
        if reading.how == "like" and (not partly or any(one.matches for one in each)):
            partly = each
    if any(one.matches for one in partly):
        return partly
    guesses = (ledger.guess(reading) for reading in found if reading.how == "like")
    return next((guess for guess in guesses if guess), partly)


def _each_once(each: list[Found[F]]) -> list[Found[F]]:
    """Leave out of a list what found the same films: "Romeo and Juliet" is one."""
    kept: list[Found[F]] = []
    for one in each:
        if not one.matches or all(one.matches != other.matches for other in kept):
            kept.append(one)
    return kept


class _Ledger(Generic[F]):
    """The searches made for one text: so many, and as many in reserve for its likeliest reading."""

    def __init__(self, search: Search[F], found: Sequence[Reading]) -> None:
        self._search = search
        self._made: set[tuple[str, int | None]] = set()
        longest = max((len(reading.wants) for reading in found), default=1)
        self._most = _MOST_SEARCHES + 2 * (longest - 1)
        self._is_first = True
        self._reserve = 2 * any(reading.how == "like" for reading in found)

    def allows(self, reading: Reading) -> bool:
        """Whether there are searches left for a reading; the first likely one is always tried."""
        new = {_query(want) for want in reading.wants} - self._made
        if reading.how == "like":
            may_cost = len(new) + sum(want.title.year is not None for want in reading.wants)
            is_first, self._is_first = self._is_first, False
            return is_first or len(self._made) + may_cost <= self._most
        cost = 2 if reading.how == "guess" else len(new)
        return cost == 0 or len(self._made) + cost <= self._most - self._reserve * (cost < 2)

    def look_up(self, want: Wanted, how: How) -> Found[F]:
        """Search for one title as `how` says."""
        title = want.title
        if title.media == "tv":
            return Found(title, [], sure=False)
        self._made.add(_query(want))
        if how == "like" and title.year:
            self._made.add((_query(want)[0], None))
        resolution = self._search(title.title, title.year, want.age or how)
        sure = resolution.sure and not want.ask
        return Found(title, list(resolution.matches), sure, resolution.namesake if sure else None)

    def guess(self, reading: Reading) -> list[Found[F]]:
        """Try the one title of a reading as a misspelt one, if there are searches left."""
        if len(reading.wants) != 1:
            return []
        # Without its number a title has one other spelling, any other has two.
        cost = 1 if re.search(r"\d$", reading.wants[0].title.title) else 2
        if len(self._made) + cost > self._most:
            return []
        guess = self.look_up(replace(reading.wants[0], age=""), "guess")
        return [guess] if guess.matches else []


def _query(want: Wanted) -> tuple[str, int | None]:
    return want.title.title.casefold(), want.title.year

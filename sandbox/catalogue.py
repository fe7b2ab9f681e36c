"""The films and shows of the sandbox's world, and finding them by what people type."""

import csv
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from pathlib import Path

FACTS = Path(__file__).with_name("catalogue.tsv")

# Radarr counts a film as released this long after cinemas when it knows no other date.
CINEMA_WINDOW = timedelta(days=90)

SAME_WORDS = {
    "&": "and", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
    "seven": "7", "eight": "8", "nine": "9", "ten": "10", "twelve": "12", "ii": "2", "iii": "3",
    "iv": "4", "vi": "6", "vii": "7", "viii": "8",
}  # fmt: skip


@lru_cache(maxsize=4096)
def words(text: str) -> tuple[str, ...]:
    """The words of a title or question as they are compared: folded, numbers as digits."""
    plain = unicodedata.normalize("NFKD", text).casefold().replace("'", "").replace("’", "")
    kept = "".join(c for c in plain if not unicodedata.combining(c))
    return tuple(SAME_WORDS.get(word, word) for word in re.findall(r"&|\w+", kept))


@dataclass(frozen=True)
class Film:
    """One film as the outside world knows it; `release_date` is None while it has no date."""

    tmdb_id: int
    imdb_id: str
    title: str
    original_title: str
    language: str
    release_date: date | None
    votes: int
    popularity: float
    overview: str

    @property
    def year(self) -> int:
        """The year of its release, 0 while it has no date (as Radarr writes it)."""
        return self.release_date.year if self.release_date else 0

    @property
    def in_cinemas(self) -> datetime | None:
        """The start of its release day."""
        return datetime.combine(self.release_date, time(), UTC) if self.release_date else None

    @property
    def digital_release(self) -> datetime | None:
        """The day from which it can be had at home."""
        return self.in_cinemas + CINEMA_WINDOW if self.in_cinemas else None

    @cached_property
    def spellings(self) -> tuple[tuple[str, ...], ...]:
        """Title and original title as compared words."""
        return words(self.title), words(self.original_title)

    @property
    def name(self) -> str:
        """What stands for it in messages and file names: the title and its year."""
        return f"{self.title} ({self.year})" if self.year else self.title


@dataclass(frozen=True)
class Show:
    """One television show: enough for the product to see that it is not a film."""

    tmdb_id: int
    name: str
    first_air_date: str
    votes: int
    popularity: float


SHOWS = (
    Show(1396, "Breaking Bad", "2008-01-20", 15100, 180.0),
    Show(1399, "Game of Thrones", "2011-04-17", 24300, 170.0),
    Show(66732, "Stranger Things", "2016-07-15", 17900, 160.0),
    Show(2316, "The Office", "2005-03-24", 4300, 110.0),
    Show(65494, "The Crown", "2016-11-04", 1900, 60.0),
    Show(1668, "Friends", "1994-09-22", 8000, 120.0),
    Show(95396, "Severance", "2022-02-17", 2200, 90.0),
    Show(87108, "Chernobyl", "2019-05-06", 6700, 55.0),
    Show(136315, "The Bear", "2022-06-23", 1200, 75.0),
    Show(60622, "Fargo", "2014-04-15", 2500, 50.0),
)


def load(path: Path = FACTS) -> tuple[Film, ...]:
    """All films of the tab-separated file at `path`."""
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(_film(row) for row in csv.DictReader(file, delimiter="\t"))


def _film(row: dict[str, str]) -> Film:
    return Film(
        tmdb_id=int(row["tmdb_id"]),
        imdb_id=row["imdb_id"],
        title=row["title"],
        original_title=row["original_title"] or row["title"],
        language=row["language"],
        release_date=date.fromisoformat(row["release_date"]) if row["release_date"] else None,
        votes=int(row["votes"]),
        popularity=float(row["popularity"]),
        overview=row["overview"],
    )


class Catalogue:
    """The films by id, and by text."""

    def __init__(self, films: Iterable[Film]) -> None:
        self.films = tuple(films)
        self.by_tmdb_id = {film.tmdb_id: film for film in self.films}
        self.by_imdb_id = {film.imdb_id: film for film in self.films if film.imdb_id}

    def search(self, query: str, year: int | None = None) -> list[Film]:
        """Films that match every word of `query`, best first, of `year` when it is given."""
        asked = words(query)
        ranked = [
            (rank, -film.popularity, film.tmdb_id, film)
            for film in self.films
            if (year is None or film.year == year)
            and (rank := min(rank_of(asked, spelling) for spelling in film.spellings)) < NO_MATCH
        ]
        return [film for *_, film in sorted(ranked, key=lambda row: row[:3])]


NO_MATCH = 9


def rank_of(asked: tuple[str, ...], title: tuple[str, ...]) -> int:
    """How well `title` answers `asked`, smaller is better, NO_MATCH when it does not."""
    if not asked:
        return NO_MATCH
    if asked == title or "".join(asked) == "".join(title):
        return 0
    if _without_article(asked) == _without_article(title):
        return 1
    if title[: len(asked)] == asked or _without_article(title)[: len(asked)] == asked:
        return 2
    return 3 if set(asked) <= set(title) else NO_MATCH


def _without_article(title: tuple[str, ...]) -> tuple[str, ...]:
    return title[1:] if len(title) > 1 and title[0] in {"the", "a", "an"} else title

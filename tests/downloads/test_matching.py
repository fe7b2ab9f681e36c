"""Which of TMDB's films a title means: pure tables, no network."""

from datetime import date

import pytest

from downloads.matching import MOST_OFFERED, How, Query, decide, look_up, reference, spellings
from downloads.tmdb import Film

VOTES = 5000


def film(title: str, year: int | None = 2000, *, votes: int = VOTES, original: str = "") -> Film:
    """Return a film whose id follows from its name."""
    return Film(
        tmdb_id=abs(hash((title, year))) % 10_000_000,
        title=title,
        original_title=original or title,
        release_date=date(year, 6, 1) if year else None,
        year=year,
        vote_count=votes,
    )


DUNES = [film("Dune", 2021), film("Dune", 1984), film("Dune: Part Two", 2024)]
ALIENS = [film("Alien", 1979), film("Aliens", 1986), film("Alien³", 1992)]
RINGS = [
    film("The Lord of the Rings: The Return of the King", 2003),
    film("The Lord of the Rings: The Fellowship of the Ring", 2001),
    film("The Lord of the Rings: The Two Towers", 2002),
    film("The Lord of the Rings: A Student Film", 1990, votes=3),
]
WICKS = [
    film("John Wick", 2014),
    film("John Wick: Chapter 2", 2017),
    film("John Wick: Chapter 3 - Parabellum", 2019),
]


def names(films: list[Film]) -> list[str]:
    return [f"{film.title} {film.year}" for film in films]


@pytest.mark.parametrize(
    ("title", "year", "films", "meant"),
    [
        ("dune part 2", None, DUNES, "Dune: Part Two 2024"),
        ("Dune 2", None, DUNES, "Dune: Part Two 2024"),
        ("Dune Two", None, DUNES, "Dune: Part Two 2024"),
        ("dune", 1984, DUNES, "Dune 1984"),
        ("Dune", 2020, DUNES, "Dune 2021"),  # one year beside it: another country
        ("alien", None, ALIENS, "Alien 1979"),
        ("ALIENS", None, ALIENS, "Aliens 1986"),
        ("alien 3", None, ALIENS, "Alien³ 1992"),
        ("john wick 3", None, WICKS, "John Wick: Chapter 3 - Parabellum 2019"),
        ("john wick 1", None, WICKS, "John Wick 2014"),
        ("godfather 2", None, [film("The Godfather Part II", 1974)], "The Godfather Part II 1974"),
        ("Rocky 4", None, [film("Rocky IV", 1985), film("Rocky", 1976)], "Rocky IV 1985"),
        ("wall-e", None, [film("WALL·E", 2008)], "WALL·E 2008"),
        ("amelie", None, [film("Amélie", 2001)], "Amélie 2001"),
        ("romeo and juliet", None, [film("Romeo + Juliet", 1996)], "Romeo + Juliet 1996"),
        ("fast & furious", None, [film("Fast and Furious", 2009)], "Fast and Furious 2009"),
        ("megan", None, [film("M3GAN", 2022)], "M3GAN 2022"),
        ("seven", None, [film("Se7en", 1995)], "Se7en 1995"),
        ("twelve angry men", 1957, [film("12 Angry Men", 1957)], "12 Angry Men 1957"),
        ("i robot", None, [film("I, Robot", 2004)], "I, Robot 2004"),
        ("quiet place", None, [film("A Quiet Place", 2018)], "A Quiet Place 2018"),
        ("the emperors new groove", None, [film("The Emperor's New Groove")],
         "The Emperor's New Groove 2000"),
        ("Das Leben der Anderen", None,
         [film("The Lives of Others", 2006, original="Das Leben der Anderen")],
         "The Lives of Others 2006"),
        ("intersteller", None, [film("Interstellar", 2014)], "Interstellar 2014"),
        ("forest gump", None, [film("Forrest Gump", 1994)], "Forrest Gump 1994"),
        ("Frozen", None, [film("Frozen", 2013, votes=16000), film("Frozen", 2010, votes=31)],
         "Frozen 2013"),
        ("Frozen", 2010, [film("Frozen", 2013, votes=16000), film("Frozen", 2010, votes=31)],
         "Frozen 2010"),
        ("Undated", 1990, [film("Undated", None)], "Undated None"),
    ],
)  # fmt: skip
def test_a_film_is_meant(title: str, year: int | None, films: list[Film], meant: str) -> None:
    verdict = decide(Query(title, year), films)
    assert verdict.sure
    assert names(verdict.films) == [meant]


@pytest.mark.parametrize(
    ("title", "year", "films", "offered"),
    [
        ("dune", None, DUNES, ["Dune 2021", "Dune 1984"]),
        ("dune", 1999, DUNES, ["Dune 2021", "Dune 1984"]),  # no such year
        ("alien", 1986, ALIENS, ["Alien 1979"]),
        ("Glass Onion", None, [film("Glass Onion: A Knives Out Mystery")],
         ["Glass Onion: A Knives Out Mystery 2000"]),
        ("lord of the rings 3", None, RINGS,
         ["The Lord of the Rings: The Return of the King 2003",
          "The Lord of the Rings: The Fellowship of the Ring 2001",
          "The Lord of the Rings: The Two Towers 2002"]),
        ("possesion", None, [film("Possession", 1981, votes=900)], ["Possession 1981"]),
        ("taker", None, [film("Taken", 2008)], ["Taken 2008"]),  # too short to be sure
        ("Gremlin", None, [film("Gremlins", 1984)], ["Gremlins 1984"]),  # a plural is a title
        ("dark knight rise", None, [film("The Dark Knight Rises")], ["The Dark Knight Rises 2000"]),
        ("no way home", None, [film("Spider-Man: No Way Home")], ["Spider-Man: No Way Home 2000"]),
        ("Frozen", None, [film("Frozen", 2013, votes=16000), film("Frozen", 2010, votes=33)],
         ["Frozen 2013", "Frozen 2010"]),
        ("Go", None, [film("Go", 1999, votes=900), film("Go!", 2020, votes=1)],
         ["Go 1999", "Go! 2020"]),  # nobody famous: nobody dropped
    ],
)  # fmt: skip
def test_what_nothing_decides_is_asked(
    title: str, year: int | None, films: list[Film], offered: list[str]
) -> None:
    verdict = decide(Query(title, year), films)
    assert not verdict.sure
    assert names(verdict.films) == offered


@pytest.mark.parametrize(
    ("title", "films"),
    [
        ("Dune 3", [film("Dune", 2021), film("Dune: Part Two", 2024)]),
        ("a dentist", [film("The Dentists Convention of Ohio", votes=900)]),
        ("", [film("Dune")]),
        ("!!!", [film("Dune")]),
        ("despacito", [film("Dune", votes=900)]),
        ("Dune", []),
    ],
)
def test_nothing_is_meant(title: str, films: list[Film]) -> None:
    verdict = decide(Query(title), films)
    assert not verdict.sure
    assert verdict.films == []


def test_who_writes_an_article_of_his_own_is_asked() -> None:
    verdict = decide(Query("a dentist"), [film("The Dentist", 1996)])
    assert not verdict.sure


@pytest.mark.parametrize(
    ("how", "title", "films", "expected"),
    [
        ("known", "Up", [film("Up", 2009)], ["Up 2009"]),
        ("known", "where are you", [film("Where Are You", votes=9)], []),
        ("exact", "where are you", [film("Where Are You", votes=9)], ["Where Are You 2000"]),
        ("exact", "forest gump", [film("Forrest Gump", 1994)], []),
        ("near", "forest gump", [film("Forrest Gump", 1994)], ["Forrest Gump 1994"]),
        ("near", "lord of the rings", RINGS[:2], names(RINGS[:2])),
        ("near", "rings", RINGS, []),
        ("new", "dune", DUNES, ["Dune: Part Two 2024", "Dune 2021", "Dune 1984"]),
        ("old", "dune", DUNES, ["Dune 1984"]),
        ("new", "alien", ALIENS[:1], ["Alien 1979"]),
        ("old", "nothing of it", DUNES, []),
    ],
)
def test_how_close_a_film_must_come(
    how: How, title: str, films: list[Film], expected: list[str]
) -> None:
    assert names(decide(Query(title, how=how), films).films) == expected


def test_the_newest_of_one_title_is_taken_and_of_a_series_asked() -> None:
    mulans = [film("Mulan", 1998), film("Mulan", 2020)]
    assert decide(Query("mulan", how="new"), mulans).sure
    assert not decide(Query("dune", how="new"), DUNES).sure
    assert not decide(Query("alien", how="new"), ALIENS[:1]).sure  # the only one is not "the new"


def test_no_more_is_offered_than_a_text_can_hold() -> None:
    emmas = [film("Emma", 1990 + number) for number in range(9)]
    assert len(decide(Query("Emma"), emmas).films) == MOST_OFFERED


# --- Searching ------------------------------------------------------------------------------------


class Search:
    """TMDB that knows some words; it keeps what it was asked."""

    def __init__(self, **films: list[Film]) -> None:
        self.films = films
        self.asked: list[tuple[str, int | None]] = []

    def __call__(self, words: str, year: int | None) -> list[Film]:
        self.asked.append((words, year))
        found = self.films.get(words.replace(" ", "_"), [])
        return [film for film in found if year in (None, film.year)]


def test_a_film_of_another_year_is_asked_about() -> None:
    search = Search(dune=DUNES[:1])
    verdict = look_up(Query("dune", 1999), search)
    assert names(verdict.films) == ["Dune 2021"]
    assert not verdict.sure
    assert search.asked == [("dune", 1999), ("dune", None)]


def test_an_exact_title_of_another_year_is_none() -> None:
    search = Search(dune=DUNES[:1])
    assert look_up(Query("dune", 1999, "exact"), search).films == []
    assert len(search.asked) == 1


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("lord of the rings 3", ["lord of the rings"]),
        ("star wars episode 4", ["star wars"]),
        ("IT2", ["it"]),
        ("shawshenk redemption", ["shawshenk", "redemption"]),
        ("the grand budapest hotell", ["the grand", "budapest hotell"]),
        ("lord of the", ["lord of"]),
        ("intersteller", ["interste"]),
        ("jaws", []),
        ("imdb:tt0468569", []),
        ("", []),
    ],
)
def test_what_else_a_title_is_searched_by(title: str, words: list[str]) -> None:
    assert spellings(title) == words


def test_a_guess_takes_at_most_two_searches() -> None:
    search = Search(redemption=[film("The Shawshank Redemption", 1994)])
    verdict = look_up(Query("the shawshenk redemption", how="guess"), search)
    assert names(verdict.films) == ["The Shawshank Redemption 1994"]
    assert verdict.sure
    assert len(search.asked) <= 2


def test_a_guess_does_not_offer_what_shares_a_word() -> None:
    search = Search(redemption=[film("Redemption Road")])
    assert look_up(Query("shawshenk redemption", how="guess"), search).films == []


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("imdb:tt0468569", ("imdb", "tt0468569")),
        ("tmdb:155", ("tmdb", "155")),
        ("tmdb:", None),
        ("tt0468569", None),
        ("Dune", None),
    ],
)
def test_a_reference(title: str, expected: tuple[str, str] | None) -> None:
    assert reference(title) == expected


@pytest.mark.parametrize("films", [RINGS, []])
def test_no_series_has_a_part_nought(films: list[Film]) -> None:
    assert decide(Query("lord of the rings 0"), films).films == []

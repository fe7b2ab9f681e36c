"""The films, and the order in which a search gives them."""

import pytest

from sandbox.catalogue import Catalogue, load, words

CATALOGUE = Catalogue(load())


def found(query: str, year: int | None = None) -> list[int]:
    """The ids that a search gives."""
    return [film.tmdb_id for film in CATALOGUE.search(query, year)]


@pytest.mark.parametrize(
    ("query", "best"),
    [
        ("The Dark Knight", 155),
        ("dark knight", 155),
        ("dune", 438631),
        ("dune part 2", 693134),
        ("Dune: Part Two", 693134),
        ("alien", 348),
        ("aliens", 679),
        ("alien 3", 8077),
        ("the matrix", 603),
        ("amelie", 194),
        ("Le Fabuleux Destin d'Amélie Poulain", 194),
        ("千と千尋の神隠し", 129),
        ("wall-e", 10681),
        ("walle", 10681),
        ("twelve angry men", 389),
        ("godfather ii", 240),
        ("it", 346364),
        ("up", 14160),
        ("her", 152601),
    ],
)
def test_the_best_match_comes_first(query: str, best: int) -> None:
    assert found(query)[0] == best


def test_every_word_must_be_in_the_title() -> None:
    assert found("dark knight dune") == []
    assert found("") == []


def test_the_year_tells_remakes_apart() -> None:
    assert found("dune", 1984) == [841]
    assert set(found("12 angry men")) == {389, 12219}
    assert found("the lion king", 2019) == [420818]


def test_facts_hold_together() -> None:
    assert len(CATALOGUE.by_tmdb_id) == len(CATALOGUE.films)
    assert {603, 27205, 157336, 862, 863, 10193, 301528, 238, 240, 242} <= set(CATALOGUE.by_tmdb_id)
    assert any(film.release_date is None for film in CATALOGUE.films)


def test_words_fold_accents_numbers_and_apostrophes() -> None:
    assert words("Amélie") == ("amelie",)
    assert words("Alien³ & Rocky II") == ("alien3", "and", "rocky", "2")
    assert words("Ocean’s") == words("Ocean's")

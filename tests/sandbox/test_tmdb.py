"""TMDB's protocol."""

import pytest

from sandbox.state import Service

from .conftest import World


def test_a_search_answers_as_tmdb_does(world: World) -> None:
    body = world.tmdb("search/movie", query="dune").json()
    assert (body["page"], body["total_pages"]) == (1, 1)
    assert body["total_results"] == len(body["results"]) == 3
    best = body["results"][0]
    assert (best["id"], best["title"], best["release_date"]) == (438631, "Dune", "2021-09-15")
    assert {"vote_count", "popularity", "overview", "poster_path", "original_title"} <= set(best)


@pytest.mark.parametrize("name", ["year", "primary_release_year"])
def test_a_search_can_ask_for_a_year(world: World, name: str) -> None:
    results = world.tmdb("search/movie", query="dune", **{name: 1984}).json()["results"]
    assert [film["id"] for film in results] == [841]


def test_a_film_without_a_date_has_an_empty_one(world: World) -> None:
    assert world.tmdb("movie/617127").json()["release_date"] == ""


def test_details_with_what_is_appended(world: World) -> None:
    body = world.tmdb("movie/155", append_to_response="external_ids,release_dates").json()
    assert body["imdb_id"] == body["external_ids"]["imdb_id"] == "tt0468569"
    (us,) = body["release_dates"]["results"]
    assert [date["type"] for date in us["release_dates"]] == [3, 4]
    assert "release_dates" not in world.tmdb("movie/155").json()


def test_find_by_imdb_id(world: World) -> None:
    body = world.tmdb("find/tt0133093", external_source="imdb_id").json()
    assert [film["id"] for film in body["movie_results"]] == [603]
    assert world.tmdb("find/tt0", external_source="imdb_id").json()["movie_results"] == []


def test_shows_are_found_apart_and_together(world: World) -> None:
    assert world.tmdb("search/tv", query="breaking bad").json()["results"][0]["id"] == 1396
    kinds = {f["media_type"] for f in world.tmdb("search/multi", query="fargo").json()["results"]}
    assert kinds == {"movie", "tv"}


@pytest.mark.parametrize(
    ("path", "query", "status", "code"),
    [
        ("movie/1", {}, 404, 34),
        ("nothing/here", {}, 404, 34),
        ("search/movie", {}, 422, 5),
        ("search/movie", {"query": "x", "page": "501"}, 400, 22),
        ("search/movie", {"query": "x", "page": "0"}, 400, 22),
    ],
)
def test_errors(world: World, path: str, query: dict[str, str], status: int, code: int) -> None:
    response = world.tmdb(path, **query)
    body = response.json()
    assert (response.status_code, body["status_code"], body["success"]) == (status, code, False)


def test_a_bad_key_and_the_other_way_to_give_a_good_one(world: World) -> None:
    refused = world.client.get("/tmdb/3/authentication?api_key=wrong")
    assert (refused.status_code, refused.json()["status_code"]) == (401, 7)
    accepted = world.client.get(f"/tmdb/3/authentication?api_key={world.config.tmdb_api_key}")
    assert accepted.json()["success"] is True


def test_down(world: World) -> None:
    world.box.down.add(Service.TMDB)
    assert world.tmdb("search/movie", query="dune").status_code == 503

"""The stand-in for TMDB's API, version 3."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from sandbox.catalogue import SHOWS, Film, Show, words
from sandbox.http import Json, Stop, by_method, number, stand_in
from sandbox.state import Sandbox, Service

PAGE_SIZE = 20
LAST_PAGE = 500
THEATRICAL, DIGITAL = 3, 4

BAD_KEY = (401, 7, "Invalid API key: You must be granted a valid key.")
NOT_FOUND = (404, 34, "The resource you requested could not be found.")
BAD_PARAMETERS = (422, 5, "Invalid parameters: Your request parameters are incorrect.")
BAD_PAGE = (
    400,
    22,
    "Invalid page: Pages start at 1 and max at 500. They are expected to be an integer.",
)
OFFLINE = (503, 9, "Service offline: This service is temporarily offline, try again later.")


def error(what: tuple[int, int, str]) -> HttpResponse:
    """TMDB's answer to a request that it does not serve."""
    status, code, message = what
    body = {"status_code": code, "status_message": message, "success": False}
    return JsonResponse(body, status=status)


def _refuse(request: HttpRequest, box: Sandbox) -> HttpResponse | None:
    bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
    key = bearer or request.GET.get("api_key", "")
    return None if key == box.config.tmdb_api_key else error(BAD_KEY)


api = stand_in(Service.TMDB, lambda: error(OFFLINE), _refuse)


def film_result(film: Film) -> Json:
    """A film as a search shows it."""
    return {
        "adult": False,
        "backdrop_path": None,
        "genre_ids": [],
        "id": film.tmdb_id,
        "original_language": film.language,
        "original_title": film.original_title,
        "overview": film.overview,
        "popularity": film.popularity,
        # Nothing leaves this computer: there are no pictures to point to.
        "poster_path": None,
        "release_date": film.release_date.isoformat() if film.release_date else "",
        "title": film.title,
        "video": False,
        "vote_average": 7.5 if film.votes else 0.0,
        "vote_count": film.votes,
    }


def film_details(film: Film) -> Json:
    """A film as `/movie/{id}` shows it."""
    result = film_result(film)
    del result["genre_ids"]
    return result | {
        "belongs_to_collection": None,
        "budget": 0,
        "genres": [],
        "homepage": "",
        "imdb_id": film.imdb_id or None,
        "production_companies": [],
        "production_countries": [],
        "revenue": 0,
        "runtime": 0,
        "spoken_languages": [],
        "status": "Released" if film.votes else "Planned",
        "tagline": "",
    }


def external_ids(film: Film) -> Json:
    """A film's ids elsewhere."""
    others = dict.fromkeys(("wikidata_id", "facebook_id", "instagram_id", "twitter_id"))
    return {"imdb_id": film.imdb_id or None, **others}


def release_dates(film: Film) -> Json:
    """When a film is in cinemas, and when it can be had at home."""
    dates = [(film.in_cinemas, THEATRICAL), (film.digital_release, DIGITAL)]
    known = [
        {
            "certification": "",
            "descriptors": [],
            "iso_639_1": "",
            "note": "",
            "release_date": day.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "type": kind,
        }
        for day, kind in dates
        if day
    ]
    return {"results": [{"iso_3166_1": "US", "release_dates": known}] if known else []}


def show_result(show: Show) -> Json:
    """A show as a search shows it."""
    return {
        "adult": False,
        "backdrop_path": None,
        "genre_ids": [],
        "id": show.tmdb_id,
        "origin_country": ["US"],
        "original_language": "en",
        "original_name": show.name,
        "overview": "",
        "popularity": show.popularity,
        "poster_path": None,
        "first_air_date": show.first_air_date,
        "name": show.name,
        "vote_average": 8.0,
        "vote_count": show.votes,
    }


def _paged(request: HttpRequest, results: list[Json]) -> HttpResponse:
    page = number(request.GET.get("page", "1"), 0)
    if not 1 <= page <= LAST_PAGE:
        return error(BAD_PAGE)
    return JsonResponse(
        {
            "page": page,
            "results": results[(page - 1) * PAGE_SIZE : page * PAGE_SIZE],
            "total_pages": -(-len(results) // PAGE_SIZE),
            "total_results": len(results),
        }
    )


def _query(request: HttpRequest) -> str:
    if "query" not in request.GET:
        raise Stop(error(BAD_PARAMETERS))
    return request.GET["query"]


def _shows(query: str) -> list[Show]:
    asked = set(words(query))
    return [show for show in SHOWS if asked and asked <= set(words(show.name))]


@api
def search_movie(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """GET search/movie?query=&year=&primary_release_year=&page=."""
    year = request.GET.get("primary_release_year") or request.GET.get("year")
    films = box.catalogue.search(_query(request), number(year, 0) or None)
    return _paged(request, [film_result(film) for film in films])


@api
def search_tv(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """GET search/tv?query=."""
    return _paged(request, [show_result(show) for show in _shows(_query(request))])


@api
def search_multi(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """GET search/multi?query=: films and shows, the most popular first."""
    query = _query(request)
    films = [film_result(f) | {"media_type": "movie"} for f in box.catalogue.search(query)]
    shows = [show_result(s) | {"media_type": "tv"} for s in _shows(query)]
    mixed: list[Json] = sorted(films + shows, key=lambda found: -found["popularity"])
    return _paged(request, mixed)


@api
def movie(request: HttpRequest, box: Sandbox, movie_id: int) -> HttpResponse:
    """GET movie/{id}?append_to_response=external_ids,release_dates."""
    film = box.catalogue.by_tmdb_id.get(movie_id)
    if not film:
        return error(NOT_FOUND)
    wanted = request.GET.get("append_to_response", "").split(",")
    added = {name: make(film) for name, make in APPENDABLE.items() if name in wanted}
    return JsonResponse(film_details(film) | added)


APPENDABLE = {"external_ids": external_ids, "release_dates": release_dates}


@api
def movie_part(request: HttpRequest, box: Sandbox, movie_id: int, part: str) -> HttpResponse:
    """GET movie/{id}/external_ids and movie/{id}/release_dates."""
    film, make = box.catalogue.by_tmdb_id.get(movie_id), APPENDABLE.get(part)
    if not film or not make:
        return error(NOT_FOUND)
    return JsonResponse({"id": movie_id} | make(film))


@api
def find(request: HttpRequest, box: Sandbox, external_id: str) -> HttpResponse:
    """GET find/{id}?external_source=imdb_id."""
    results: dict[str, list[Any]] = {
        f"{kind}_results": [] for kind in ("movie", "person", "tv", "tv_episode", "tv_season")
    }
    source = request.GET.get("external_source")
    if not source:
        return error(BAD_PARAMETERS)
    film = box.catalogue.by_imdb_id.get(external_id) if source == "imdb_id" else None
    if film:
        results["movie_results"] = [film_result(film) | {"media_type": "movie"}]
    return JsonResponse(results)


@api
def authentication(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """GET authentication: whether the key is good."""
    return JsonResponse({"success": True, "status_code": 1, "status_message": "Success."})


@api
def configuration(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """GET configuration: where pictures would be."""
    images = {
        "base_url": "http://image.tmdb.org/t/p/",
        "secure_base_url": "https://image.tmdb.org/t/p/",
        "poster_sizes": ["w92", "w154", "w185", "w342", "w500", "w780", "original"],
    }
    return JsonResponse({"images": images, "change_keys": []})


@api
def unknown(request: HttpRequest, box: Sandbox, rest: str) -> HttpResponse:
    """Anything else: TMDB's 404."""
    return error(NOT_FOUND)


urlpatterns = [
    path("3/search/movie", by_method(GET=search_movie)),
    path("3/search/tv", by_method(GET=search_tv)),
    path("3/search/multi", by_method(GET=search_multi)),
    path("3/movie/<int:movie_id>", by_method(GET=movie)),
    path("3/movie/<int:movie_id>/<str:part>", by_method(GET=movie_part)),
    path("3/find/<str:external_id>", by_method(GET=find)),
    path("3/authentication", by_method(GET=authentication)),
    path("3/configuration", by_method(GET=configuration)),
    path("3/<path:rest>", unknown),
]

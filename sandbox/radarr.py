"""The stand-in for Radarr's API, version 3: films, queue, history and commands."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import path

from sandbox import radarr_json as wire
from sandbox import radarr_server
from sandbox.catalogue import Film
from sandbox.http import Json, Stop, by_method, json_body, number
from sandbox.library import COMMANDS, QUALITY_PROFILES, ROOT_FOLDER, Availability, Entry, Grab
from sandbox.radarr_rules import answer, api, invalid, malformed, not_found
from sandbox.state import Sandbox

EVENT_NUMBERS = {
    "grabbed": 1,
    "downloadFolderImported": 3,
    "downloadFailed": 4,
    "movieFileDeleted": 6,
}
Row = TypeVar("Row")


def _entry(box: Sandbox, movie_id: int) -> Entry:
    if movie_id not in box.library.entries:
        raise Stop(not_found())
    return box.library.entries[movie_id]


def _flag(query: QueryDict, name: str, default: bool = False) -> bool:
    return query.get(name, str(default)).casefold() == "true"


@api
def movies(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """GET movie: the library, or the film of `tmdbId` in it."""
    entries: Iterable[Entry] = box.library.entries.values()
    if "tmdbId" in request.GET:
        found = box.library.find(number(request.GET["tmdbId"], 0))
        entries = [found] if found else []
    return answer([wire.movie(entry, box.clock()) for entry in entries])


@api
def add_movie(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """POST movie: take it into the library, 201, or say what is wrong with the request."""
    body = json_body(request, malformed)
    now = box.clock()
    entry = _validated(body, box, now)
    search = bool((body.get("addOptions") or {}).get("searchForMovie"))
    return answer(wire.movie(box.library.add(entry, search, now), now), 201)


def _validated(body: Json, box: Sandbox, now: datetime) -> Entry:
    """The library entry that `body` asks for, by the rules and in the order of Radarr's own."""
    profile, root = body.get("qualityProfileId", 0), body.get("rootFolderPath") or ""
    tmdb_id = body.get("tmdbId", 0)
    if not isinstance(profile, int) or not isinstance(tmdb_id, int) or not isinstance(root, str):
        raise Stop(malformed())
    if profile <= 0:
        message = "'Quality Profile Id' must be greater than '0'."
        raise invalid("QualityProfileId", message, profile, "GreaterThanValidator")
    if profile not in QUALITY_PROFILES:
        message = "Quality Profile does not exist"
        raise invalid("QualityProfileId", message, profile, "QualityProfileExistsValidator")
    if not root:
        message = "'Root Folder Path' must not be empty."
        raise invalid("RootFolderPath", message, root, "NotEmptyValidator")
    if root.rstrip("/") != ROOT_FOLDER:
        message = f"Root folder '{root}' does not exist"
        raise invalid("RootFolderPath", message, root, "RootFolderExistsValidator")
    if box.library.find(tmdb_id):
        message = "This movie has already been added"
        raise invalid("TmdbId", message, tmdb_id, "MovieExistsValidator")
    film = box.catalogue.by_tmdb_id.get(tmdb_id)
    if not film:
        message = f"A movie with this ID was not found. TMDb ID: {tmdb_id}"
        raise invalid("TmdbId", message, tmdb_id, None)
    return Entry(
        id=0,
        film=film,
        added=now,
        quality_profile_id=profile,
        root_folder=ROOT_FOLDER,
        monitored=bool(body.get("monitored", True)),
        minimum_availability=_availability(body.get("minimumAvailability", "released")),
        tags=list(body.get("tags") or []),
    )


def _availability(word: Any) -> Availability:
    try:
        return Availability(word)
    except ValueError as error:
        raise Stop(malformed("$.minimumAvailability")) from error


@api
def movie(request: HttpRequest, box: Sandbox, movie_id: int) -> HttpResponse:
    """GET movie/{id}."""
    return answer(wire.movie(_entry(box, movie_id), box.clock()))


@api
def delete_movie(request: HttpRequest, box: Sandbox, movie_id: int) -> HttpResponse:
    """DELETE movie/{id}?deleteFiles=&addImportExclusion=."""
    box.library.remove(
        _entry(box, movie_id),
        delete_files=_flag(request.GET, "deleteFiles"),
        exclude=_flag(request.GET, "addImportExclusion"),
    )
    return answer({})


@api
def edit_movies(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """PUT movie/editor: change what is given of many films at once; it never searches."""
    body = json_body(request, malformed)
    entries = [_entry(box, number(str(i), 0)) for i in body.get("movieIds") or []]
    for entry in entries:
        if body.get("monitored") is not None:
            entry.monitored = bool(body["monitored"])
        if body.get("qualityProfileId"):
            entry.quality_profile_id = int(body["qualityProfileId"])
        if body.get("minimumAvailability"):
            entry.minimum_availability = _availability(body["minimumAvailability"])
    return answer([wire.movie(entry, box.clock()) for entry in entries], 202)


@api
def lookup(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """GET movie/lookup?term=: by tmdb:N, imdb:tt… or text; unknown ids give an empty list."""
    kind, _, rest = request.GET.get("term", "").partition(":")
    if kind in {"tmdb", "tmdbid"}:
        films = _some(box.catalogue.by_tmdb_id.get(number(rest.strip(), 0)))
    elif kind in {"imdb", "imdbid"}:
        films = _some(box.catalogue.by_imdb_id.get(rest.strip()))
    else:
        films = box.catalogue.search(request.GET.get("term", ""))[:20]
    return answer(
        [
            wire.found(
                film,
                box.library.find(film.tmdb_id),
                film.tmdb_id in box.library.excluded,
                box.clock(),
            )
            for film in films
        ]
    )


def _some(film: Film | None) -> list[Film]:
    return [film] if film else []


def _page(
    query: QueryDict, rows: list[Row], present: Callable[[Row], Json], sort_key: str
) -> HttpResponse:
    """One page of `rows`, which come in descending order; ten are a page unless asked."""
    page, size = max(number(query.get("page"), 1), 1), max(number(query.get("pageSize"), 10), 1)
    direction = query.get("sortDirection", "descending")
    ordered = rows[::-1] if direction == "ascending" else rows
    return answer(
        {
            "page": page,
            "pageSize": size,
            "sortKey": query.get("sortKey", sort_key),
            "sortDirection": direction,
            "totalRecords": len(rows),
            "records": [present(row) for row in ordered[(page - 1) * size : page * size]],
        }
    )


@api
def queue(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """GET queue, paged."""
    now, with_movie = box.clock(), _flag(request.GET, "includeMovie")
    rows = sorted(box.library.queue(now), key=lambda row: row[1].run.started, reverse=True)

    def present(row: tuple[Entry, Grab]) -> Json:
        return wire.queue_item(*row, now, with_movie)

    return _page(request.GET, rows, present, "timeleft")


@api
def queue_details(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """GET queue/details?movieId=: a plain list."""
    now, wanted = box.clock(), number(request.GET.get("movieId"), 0)
    with_movie = _flag(request.GET, "includeMovie")
    rows = [row for row in box.library.queue(now) if not wanted or row[0].id == wanted]
    return answer([wire.queue_item(*row, now, with_movie) for row in rows])


@api
def queue_status(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """GET queue/status: counts."""
    total = sum(1 for _ in box.library.queue(box.clock()))
    counts = {"totalCount": total, "count": total, "unknownCount": 0}
    flags = dict.fromkeys(("errors", "warnings", "unknownErrors", "unknownWarnings"), False)
    return answer(counts | flags)


@api
def delete_queue_item(request: HttpRequest, box: Sandbox, queue_id: int) -> HttpResponse:
    """DELETE queue/{id}?blocklist=&skipRedownload=."""
    now = box.clock()
    for entry, grab in list(box.library.queue(now)):
        if grab.queue_id == queue_id:
            blocklist = _flag(request.GET, "blocklist")
            search_again = not _flag(request.GET, "skipRedownload")
            box.library.remove_from_queue(entry, grab, blocklist, search_again, now)
            return answer({})
    return not_found()


@api
def history(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """GET history, paged, newest first; `eventType` is a number."""
    now, with_movie = box.clock(), _flag(request.GET, "includeMovie")
    numbers = {number(text, 0) for text in request.GET.getlist("eventType")}
    rows = [
        row
        for row in reversed(box.library.history)
        if not numbers or EVENT_NUMBERS[row.event] in numbers
    ]
    return _page(request.GET, rows, lambda row: wire.history_row(row, now, with_movie), "date")


@api
def history_since(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """GET history/since?date=: oldest first, that moment included."""
    since = _moment(request.GET.get("date", ""))
    now, with_movie = box.clock(), _flag(request.GET, "includeMovie")
    return answer(
        [
            wire.history_row(row, now, with_movie)
            for row in box.library.history
            if row.date.replace(microsecond=0) >= since.replace(microsecond=0)
        ]
    )


def _moment(text: str) -> datetime:
    try:
        # A plus sign that was not percent-encoded arrives as a space.
        moment = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    except ValueError as error:
        raise Stop(malformed("date")) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@api
def history_movie(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """GET history/movie?movieId=: newest first."""
    now, wanted = box.clock(), number(request.GET.get("movieId"), 0)
    rows = [row for row in reversed(box.library.history) if row.entry.id == wanted]
    return answer([wire.history_row(row, now, _flag(request.GET, "includeMovie")) for row in rows])


@api
def mark_failed(request: HttpRequest, box: Sandbox, history_id: int) -> HttpResponse:
    """POST history/failed/{id}: block the release that was grabbed, and look for another."""
    if not box.library.mark_failed(history_id, box.clock()):
        return not_found()
    return answer({})


@api
def delete_file(request: HttpRequest, box: Sandbox, file_id: int) -> HttpResponse:
    """DELETE moviefile/{id}."""
    if not box.library.delete_file(file_id, box.clock()):
        return not_found()
    return answer({})


@api
def commands(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """GET command."""
    return answer([wire.command(c, box.clock()) for c in box.library.commands.values()])


@api
def post_command(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """POST command: 201, or 500 for a name that Radarr does not know."""
    body = json_body(request, malformed)
    if body.get("name") not in COMMANDS:
        failure = {"message": f"Unknown command {body.get('name')}", "description": ""}
        return answer(failure, 500)
    now = box.clock()
    movie_ids = tuple(number(str(i), 0) for i in body.get("movieIds") or [])
    return answer(wire.command(box.library.post_command(body["name"], movie_ids, now), now), 201)


@api
def command(request: HttpRequest, box: Sandbox, command_id: int) -> HttpResponse:
    """GET command/{id}."""
    posted = box.library.commands.get(command_id)
    return answer(wire.command(posted, box.clock())) if posted else not_found()


V3 = "api/v3/"
urlpatterns = [
    path("ping", by_method(GET=radarr_server.ping)),
    path(V3 + "movie", by_method(GET=movies, POST=add_movie)),
    path(V3 + "movie/<int:movie_id>", by_method(GET=movie, DELETE=delete_movie)),
    path(V3 + "movie/editor", by_method(PUT=edit_movies)),
    path(V3 + "movie/lookup", by_method(GET=lookup)),
    path(V3 + "queue", by_method(GET=queue)),
    path(V3 + "queue/<int:queue_id>", by_method(DELETE=delete_queue_item)),
    path(V3 + "queue/details", by_method(GET=queue_details)),
    path(V3 + "queue/status", by_method(GET=queue_status)),
    path(V3 + "history", by_method(GET=history)),
    path(V3 + "history/since", by_method(GET=history_since)),
    path(V3 + "history/movie", by_method(GET=history_movie)),
    path(V3 + "history/failed/<int:history_id>", by_method(POST=mark_failed)),
    path(V3 + "moviefile/<int:file_id>", by_method(DELETE=delete_file)),
    path(V3 + "command", by_method(GET=commands, POST=post_command)),
    path(V3 + "command/<int:command_id>", by_method(GET=command)),
    path(V3 + "qualityprofile", by_method(GET=radarr_server.quality_profiles)),
    path(V3 + "rootfolder", by_method(GET=radarr_server.root_folders)),
    path(V3 + "tag", by_method(GET=radarr_server.nothing)),
    path(V3 + "health", by_method(GET=radarr_server.nothing)),
    path(V3 + "indexer", by_method(GET=radarr_server.indexers)),
    path(
        V3 + "notification",
        by_method(GET=radarr_server.notifications, POST=radarr_server.add_notification),
    ),
    path(
        V3 + "notification/<int:notification_id>",
        by_method(
            GET=radarr_server.one_notification,
            PUT=radarr_server.one_notification,
            DELETE=radarr_server.one_notification,
        ),
    ),
    path(V3 + "system/status", by_method(GET=radarr_server.system_status)),
]

"""Radarr, TMDB and Twilio as the tests need them: small, stateful, behind `responses`.

They answer as FACTS.md says. A test sets what they hold, or breaks them with `fail_with`.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
import responses

RADARR = "http://radarr.test:7878"
TMDB = "https://api.themoviedb.org"
TWILIO = "https://api.twilio.com"

Answer = tuple[int, dict[str, str], str]


def _json(status: int, body: object, **headers: str) -> Answer:
    return status, {"Content-Type": "application/json", **headers}, json.dumps(body)


def iso(moment: datetime) -> str:
    """Return `moment` as Radarr writes it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


@dataclass
class Breakable:
    """Something whose next answers can be replaced: an Answer, or an exception to raise."""

    broken: Answer | Exception | None = None
    calls: list[tuple[str, str]] = field(default_factory=list)

    def fail_with(self, answer: Answer | Exception | None) -> None:
        """Answer like this from now on; None mends it."""
        self.broken = answer

    def count(self, method: str, path: str) -> int:
        """Return how often `method` was called on a path that matches `path`."""
        return sum(m == method and bool(re.search(path, p)) for m, p in self.calls)

    def _answer(self, request: Any, answer: Callable[[Any, str, dict[str, Any]], Answer]) -> Answer:
        parts = urlsplit(request.url)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.calls.append((request.method, parts.path))
        if isinstance(self.broken, Exception):
            raise self.broken
        return self.broken if self.broken is not None else answer(request, parts.path, query)


class FakeTmdb(Breakable):
    """TMDB with the films it is given; it finds those whose title holds every word asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.films: list[dict[str, Any]] = []

    def add(self, tmdb_id: int, title: str, date: str, **more: Any) -> None:
        """Let TMDB know a film; `date` is ISO, empty when it has none.

        It is found by its title in another language too, `elsewhere`, which no answer shows.
        """
        self.films.append(
            {
                "id": tmdb_id,
                "title": title,
                "original_title": title,
                "original_language": "en",
                "release_date": date,
                "overview": "",
                "poster_path": None,
                "popularity": 1.0,
                "vote_count": 0,
                **more,
            }
        )

    def install(self, mock: responses.RequestsMock) -> None:
        mock.add_callback(responses.GET, re.compile(rf"{TMDB}/3/.*"), self._get)

    def _get(self, request: Any) -> Answer:
        return self._answer(request, self._route)

    def _route(self, request: Any, path: str, query: dict[str, Any]) -> Answer:
        if path == "/3/search/movie":
            words = re.findall(r"\w+", query["query"].casefold())
            found = [
                film
                for film in self.films
                if any(
                    all(word in title.casefold() for word in words)
                    for title in (film["title"], film.get("elsewhere", ""))
                )
                and ("year" not in query or film["release_date"].startswith(query["year"]))
            ]
            return _json(200, {"page": 1, "results": found, "total_results": len(found)})
        for film in self.films:
            if path == f"/3/movie/{film['id']}":
                return _json(200, film)
        return _json(404, {"success": False, "status_code": 34, "status_message": "not found"})


class FakeRadarr(Breakable):
    """Radarr with its library, queue and history, in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.movies: dict[int, dict[str, Any]] = {}
        self.queue: list[dict[str, Any]] = []
        self.history: list[dict[str, Any]] = []
        self.excluded: set[int] = set()
        self.commands: list[dict[str, Any]] = []
        self.on_add: Answer | Exception | None = None
        self.add_lands_first = False
        self.release: dict[int, str] = {}
        self.notifications: list[dict[str, Any]] = []
        self.reaches_us = True
        self.blocked: list[str] = []

    @property
    def adds(self) -> int:
        """How many POSTs of a film there were."""
        return self.count("POST", r"/api/v3/movie$")

    def movie(self, tmdb_id: int) -> dict[str, Any]:
        """Return the film of this TMDB id in the library."""
        return next(movie for movie in self.movies.values() if movie["tmdbId"] == tmdb_id)

    def put(self, tmdb_id: int, title: str, year: int, **more: Any) -> dict[str, Any]:
        """Put a film into the library as the owner would."""
        number = len(self.movies) + 1
        available = tmdb_id not in self.release
        self.movies[number] = {
            "id": number,
            "tmdbId": tmdb_id,
            "title": title,
            "year": year,
            "hasFile": False,
            "monitored": True,
            "isAvailable": available,
            "status": "released" if available else "announced",
            **({} if available else {"releaseDate": self.release[tmdb_id]}),
            **more,
        }
        return self.movies[number]

    def grab(self, tmdb_id: int, now: datetime, **more: Any) -> dict[str, Any]:
        """Put a release of the film into the queue."""
        movie = self.movie(tmdb_id)
        item = {
            "id": 100 + len(self.history),
            "movieId": movie["id"],
            "title": f"{movie['title']}.{movie['year']}.1080p",
            "size": 8_000_000_000,
            "sizeleft": 6_000_000_000,
            "status": "downloading",
            "trackedDownloadStatus": "ok",
            "trackedDownloadState": "downloading",
            "downloadId": f"D{len(self.history)}",
            "estimatedCompletionTime": iso(now + timedelta(minutes=20)),
            "timeleft": "00:20:00",
            "protocol": "torrent",
            **more,
        }
        self.queue.append(item)
        self.record(movie["id"], "grabbed", now, item["downloadId"])
        return item

    def finish(self, tmdb_id: int, now: datetime) -> None:
        """Import what is in the queue of this film."""
        movie = self.movie(tmdb_id)
        item = next(item for item in self.queue if item["movieId"] == movie["id"])
        self.queue.remove(item)
        movie |= {"hasFile": True, "movieFileId": 5000 + len(self.history)}
        self.record(movie["id"], "downloadFolderImported", now, item["downloadId"])

    def fail(self, tmdb_id: int, now: datetime, message: str = "Aborted, missing articles") -> None:
        """Let what is in the queue of this film fail."""
        movie = self.movie(tmdb_id)
        item = next(item for item in self.queue if item["movieId"] == movie["id"])
        self.queue.remove(item)
        self.record(movie["id"], "downloadFailed", now, item["downloadId"], message=message)

    def record(
        self, movie_id: int, kind: str, now: datetime, download_id: str, **data: str
    ) -> None:
        """Add a row to the history."""
        self.history.append(
            {
                "id": len(self.history) + 1,
                "movieId": movie_id,
                "eventType": kind,
                "date": iso(now),
                "downloadId": download_id,
                "data": data,
            }
        )

    def install(self, mock: responses.RequestsMock) -> None:
        for method in (responses.GET, responses.POST, responses.PUT, responses.DELETE):
            mock.add_callback(method, re.compile(rf"{RADARR}/.*"), self._any)

    def _any(self, request: Any) -> Answer:
        if request.headers.get("X-Api-Key") != "radarr-key-for-tests":
            return 401, {}, ""
        return self._answer(request, self._route)

    def ok(self, body: object, status: int = 200) -> Answer:
        """Return a Radarr answer with its version header."""
        return _json(status, body, **{"X-Application-Version": "6.1.0.0"})

    def _route(self, request: Any, path: str, query: dict[str, Any]) -> Answer:
        name = path.removeprefix("/api/v3/")
        match (request.method, name):
            case ("GET", "system/status"):
                return self.ok({"appName": "Radarr", "version": "6.1.0.0", "urlBase": ""})
            case ("GET", "health") | ("GET", "indexer"):
                return self.ok([])
            case ("GET", "qualityprofile"):
                return self.ok([{"id": 4, "name": "HD-1080p"}, {"id": 5, "name": "Ultra-HD"}])
            case ("GET", "rootfolder"):
                return self.ok([{"id": 1, "path": "/films", "accessible": True, "freeSpace": 9}])
            case ("GET", "queue"):
                return self._queue(query)
            case ("GET", "history/since"):
                return self.ok([row for row in self.history if row["date"] >= query["date"]])
            case ("GET", "history/movie"):
                rows = [r for r in self.history if str(r["movieId"]) == query["movieId"]]
                return self.ok(rows[::-1])
            case ("GET", "movie/lookup"):
                return self._lookup(int(query["term"].removeprefix("tmdb:")))
            case ("GET", "movie"):
                wanted = query.get("tmdbId")
                return self.ok(
                    [m for m in self.movies.values() if wanted in (None, str(m["tmdbId"]))]
                )
            case ("POST", "movie"):
                return self._add(json.loads(request.body))
            case ("PUT", "movie/editor"):
                for number in json.loads(request.body)["movieIds"]:
                    self.movies[number]["monitored"] = True
                return self.ok([], 202)
            case ("POST", "command"):
                self.commands.append(json.loads(request.body))
                return self.ok({"id": len(self.commands), "status": "queued"}, 201)
        if name.startswith("notification"):
            return self._notification(request, int(name.partition("/")[2] or 0))
        return self._by_id(request.method, name)

    def _notification(self, request: Any, number: int) -> Answer:
        """Radarr's connections; one that is saved is tried first."""
        if request.method == "GET":
            return self.ok(self.notifications)
        if request.method in ("POST", "PUT") and not self.reaches_us:
            return rejected("Url", None)
        kept = [one for one in self.notifications if one["id"] != number]
        if request.method == "DELETE":
            self.notifications = kept
            return self.ok({})
        number = number or len(kept) + 1
        self.notifications = [*kept, {**json.loads(request.body), "id": number}]
        return self.ok(self.notifications[-1], 201)

    def _queue(self, query: dict[str, Any]) -> Answer:
        page, size = int(query.get("page", 1)), int(query.get("pageSize", 10))
        records = self.queue[(page - 1) * size : page * size]
        return self.ok({"page": page, "totalRecords": len(self.queue), "records": records})

    def _lookup(self, tmdb_id: int) -> Answer:
        found = {"tmdbId": tmdb_id, "title": "?", "year": 2000}
        return self.ok([found | ({"isExcluded": True} if tmdb_id in self.excluded else {})])

    def _add(self, body: dict[str, Any]) -> Answer:
        if self.on_add is not None and not self.add_lands_first:
            return self._failed_add()
        movie = self.put(body["tmdbId"], body["title"], body["year"])
        return self._failed_add() if self.on_add is not None else self.ok(movie, 201)

    def _failed_add(self) -> Answer:
        if isinstance(self.on_add, Exception):
            raise self.on_add
        assert self.on_add is not None
        return self.on_add

    def _by_id(self, method: str, name: str) -> Answer:
        kind, _, number = name.partition("/")
        if (method, kind) == ("POST", "history"):
            return self._mark_failed(int(number.removeprefix("failed/")))
        if (method, kind) == ("DELETE", "moviefile"):
            return self._delete_file(int(number))
        if kind == "movie" and number.isdigit() and int(number) in self.movies:
            if method == "DELETE":
                del self.movies[int(number)]
                return self.ok({})
            return self.ok(self.movies[int(number)])
        if kind == "queue" and method == "DELETE":
            self.queue = [item for item in self.queue if str(item["id"]) != number]
            return self.ok({})
        return self.ok({"message": "NotFound"}, 404)

    def _mark_failed(self, history_id: int) -> Answer:
        """Block a release, as Radarr does: a row of its history says so."""
        row = next((r for r in self.history if r["id"] == history_id), None)
        if row is None:
            return self.ok({"message": "NotFound"}, 404)
        now = datetime.now(UTC)
        message = "Manually marked as failed"
        self.record(row["movieId"], "downloadFailed", now, row["downloadId"], message=message)
        self.blocked.append(row["downloadId"])
        return self.ok({})

    def _delete_file(self, file_id: int) -> Answer:
        movies = [m for m in self.movies.values() if m.get("movieFileId") == file_id]
        for movie in movies:
            movie |= {"hasFile": False, "movieFileId": 0}
            self.record(movie["id"], "movieFileDeleted", datetime.now(UTC), "", reason="Manual")
        return self.ok({}) if movies else self.ok({"message": "NotFound"}, 404)


def rejected(field_name: str, code: str | None, **extra: str) -> Answer:
    """Return Radarr's 400 with one validation failure."""
    problem = {"propertyName": field_name, "errorMessage": "no", **extra}
    if code:
        problem["errorCode"] = code
    return _json(400, [problem], **{"X-Application-Version": "6.1.0.0"})


@dataclass
class Sent:
    """A text that Twilio took."""

    sid: str
    to: str
    body: str
    callback: str | None
    at: datetime


class FakeTwilio(Breakable):
    """Twilio, which takes texts and remembers them."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Sent] = []
        self.held: list[dict[str, Any]] = []
        self.takes_first = False  # a call that fails takes the text all the same
        self.hides = False  # the list does not show what was taken
        self.list_broken: Answer | None = None
        self.number: dict[str, str] | None = {"sid": "PN" + "0" * 32, "sms_url": ""}

    def install(self, mock: responses.RequestsMock) -> None:
        for method in (responses.GET, responses.POST):
            mock.add_callback(method, re.compile(rf"{TWILIO}/.*/IncomingPhone.*"), self._numbers)
        mock.add_callback(responses.POST, re.compile(rf"{TWILIO}/.*/Messages\.json"), self._post)
        mock.add_callback(responses.GET, re.compile(rf"{TWILIO}/.*/Messages\.json"), self._list)

    def to(self, address: str) -> list[str]:
        """Return the bodies sent to `address`, in order."""
        return [sent.body for sent in self.sent if sent.to == address]

    def _post(self, request: Any) -> Answer:
        if self.takes_first:
            self._take(request)
        return self._answer(request, lambda request, path, query: self._take(request))

    def _take(self, request: Any) -> Answer:
        form = {name: values[0] for name, values in parse_qs(request.body).items()}
        sid = f"SM{len(self.sent):032x}"
        self.sent.append(
            Sent(sid, form["To"], form["Body"], form.get("StatusCallback"), datetime.now(UTC))
        )
        return _json(201, {"sid": sid, "status": "queued", "to": form["To"]})

    def hold(self, sid: str, sender: str, body: str, at: datetime) -> None:
        """Let Twilio have a text for us whose webhook we missed."""
        self.held.append({"sid": sid, "from": sender, "body": body, "at": at})

    def _numbers(self, request: Any) -> Answer:
        return self._answer(request, self._number)

    def _number(self, request: Any, path: str, query: dict[str, Any]) -> Answer:
        if request.method == "GET":
            return _json(200, {"incoming_phone_numbers": [self.number] if self.number else []})
        assert self.number is not None
        assert self.number["sid"] in path
        form = parse_qs(request.body, keep_blank_values=True)
        words = {re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower(): form[name][0] for name in form}
        self.number.update(words)
        return _json(200, self.number)

    def _list(self, request: Any) -> Answer:
        self.calls.append(("GET", urlsplit(request.url).path))
        if self.list_broken is not None:
            return self.list_broken
        to = parse_qs(urlsplit(request.url).query)["To"][0]
        sent = [
            _listed(s.sid, "+15005550006", s.to, s.body, s.at, "outbound-api")
            for s in self.sent
            if s.to == to and not self.hides
        ]
        held = [
            _listed(h["sid"], h["from"], to, h["body"], h["at"], "inbound")
            for h in self.held
            if to == "+15005550006"
        ]
        return _json(200, {"messages": sent + held, "next_page_uri": None})


def _listed(
    sid: str, sender: str, to: str, body: str, at: datetime, direction: str
) -> dict[str, Any]:
    when = format_datetime(at)
    return {
        "sid": sid,
        "from": sender,
        "to": to,
        "body": body,
        "date_created": when,
        "date_sent": when,
        "direction": direction,
        "status": "delivered" if direction == "outbound-api" else "received",
        "error_code": None,
        "num_media": "0",
    }


def twilio_error(status: int, code: int | None) -> Answer:
    """Return Twilio's error answer."""
    return _json(status, {"status": status, "message": "no", **({"code": code} if code else {})})


TIMED_OUT = requests.exceptions.ReadTimeout("read timed out")

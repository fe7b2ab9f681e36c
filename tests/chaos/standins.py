"""Radarr, TMDB, OpenAI and Twilio of the harness: their whole state is what the ledger tells.

`World` folds the ledger into what each service holds, so a restarted process, or another one, sees
what the killed one had done. Every effect is written down before it is answered.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from tests.chaos.answers import Answer, Call, as_json
from tests.chaos.catalogue import Film, by_id, search
from tests.chaos.ledger import Entry, Ledger

LISTED_AFTER = timedelta(seconds=45)
"""How long Twilio may need until its list holds a text that it took; the product must wait."""

OUR_NUMBER = "+15005550006"
ACCOUNT = "AC" + "0" * 32
_VERSION = {"X_Application_Version": "6.1.0.0"}

Row = dict[str, Any]


def iso(moment: datetime) -> str:
    """Return `moment` as Radarr writes it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


class World:
    """The outside world behind one ledger. `clock` tells its time."""

    def __init__(self, ledger: Ledger, clock: Callable[[], datetime]) -> None:
        self.ledger = ledger
        self.clock = clock
        self.movies: dict[int, Row] = {}
        self.queue: dict[int, Row] = {}
        self.history: list[Row] = []
        self.sent: list[Entry] = []
        self.texts: dict[str, Entry] = {}
        self.answered: set[str] = set()
        self.hides = False
        self.listed_after = LISTED_AFTER
        self._serial = 0
        for entry in ledger.entries():
            self._fold(entry)

    def record(self, kind: str, **facts: Any) -> Entry:
        """Write a fact down, then let it be so."""
        entry = self.ledger.append(kind, at=iso(self.clock()), **facts)
        self._fold(entry)
        return entry

    # --- The services ------------------------------------------------------------------------

    def answer(self, service: str, call: Call) -> Answer:
        """Answer a call to `service`: radarr, tmdb, twilio or openai."""
        route: dict[str, Callable[[Call], Answer]] = {
            "radarr": self._radarr,
            "tmdb": self._tmdb,
            "twilio": self._twilio,
            "openai": self._openai,
        }
        return route[service](call)

    def _openai(self, call: Call) -> Answer:
        said = call.json["messages"][-1]["content"]
        asked = re.match(r"(?:can you )?(?:get|find) (.+?)(?: for me)?\??$", said, re.IGNORECASE)
        reading = {
            "intent": "request" if asked else "chat",
            "titles": [{"title": asked[1], "year": None, "media": "movie"}] if asked else [],
            "choice": None,
            "language": "en",
        }
        return as_json(200, completion(reading))

    def _tmdb(self, call: Call) -> Answer:
        if call.path.endswith("/search/movie"):
            found = [tmdb_film(film) for film in search(call.query["query"])]
            return as_json(200, {"page": 1, "results": found, "total_results": len(found)})
        number = call.path.rpartition("/")[2]
        film = by_id(int(number)) if number.isdigit() else None
        if film is None:
            return as_json(404, {"success": False, "status_code": 34, "status_message": "none"})
        return as_json(200, tmdb_film(film))

    def _twilio(self, call: Call) -> Answer:
        if call.method == "GET":
            return self._list(call.query)
        form = call.form
        sid = f"SM{0xC0FFEE:08x}{len(self.sent):024x}"
        self.record(
            "create",
            sid=sid,
            to=form["To"],
            body=form["Body"],
            callback=form.get("StatusCallback", ""),
            hidden=self.hides,
        )
        return as_json(201, {"sid": sid, "status": "queued", "to": form["To"]})

    def _list(self, query: dict[str, str]) -> Answer:
        out = [
            _listed(one, OUR_NUMBER, one["to"], "outbound-api")
            for one in self.sent
            if one["to"] == query["To"] and not one["hidden"] and self._is_listed(one)
        ]
        inbound = [
            _listed(one, one["sender"], OUR_NUMBER, "inbound")
            for one in self.texts.values()
            if query["To"] == OUR_NUMBER
        ]
        return as_json(200, {"messages": out + inbound, "next_page_uri": None})

    def _is_listed(self, one: Entry) -> bool:
        return self.clock() - datetime.fromisoformat(one["at"]) >= self.listed_after

    def _radarr(self, call: Call) -> Answer:
        name = call.path.partition("/api/v3/")[2]
        match (call.method, name):
            case ("GET", "system/status"):
                return _ok({"appName": "Radarr", "version": "6.1.0.0", "urlBase": ""})
            case ("GET", "qualityprofile"):
                return _ok([{"id": 4, "name": "HD-1080p"}])
            case ("GET", "rootfolder"):
                return _ok([{"id": 1, "path": "/films", "accessible": True, "freeSpace": 9}])
            case ("GET", "queue"):
                return self._page_of_queue(call.query)
            case ("GET", "history/since"):
                since = datetime.fromisoformat(call.query["date"])
                rows = [r for r in self.history if datetime.fromisoformat(r["date"]) >= since]
                return _ok(rows)
            case ("GET", "movie/lookup"):
                return self._lookup(int(call.query["term"].removeprefix("tmdb:")))
            case ("GET", "movie"):
                wanted = call.query.get("tmdbId")
                rows = [m for m in self.movies.values() if wanted in (None, str(m["tmdbId"]))]
                return _ok(rows)
            case ("POST", "movie"):
                return self._add(call.json)
            case ("PUT", "movie/editor"):
                return _ok([], 202)
            case ("POST", "command"):
                self.record("command", body=call.json)
                return _ok({"id": 1, "status": "queued"}, 201)
        return self._by_number(call.method, name)

    def _page_of_queue(self, query: dict[str, str]) -> Answer:
        page, size = int(query.get("page", 1)), int(query.get("pageSize", 10))
        rows = list(self.queue.values())
        part = rows[(page - 1) * size : page * size]
        return _ok({"page": page, "totalRecords": len(rows), "records": part})

    def _lookup(self, tmdb_id: int) -> Answer:
        film = by_id(tmdb_id)
        return _ok([{"tmdbId": tmdb_id, "title": film.title, "year": film.year}] if film else [])

    def _add(self, body: Row) -> Answer:
        if any(movie["tmdbId"] == body["tmdbId"] for movie in self.movies.values()):
            self.record("add_refused", tmdb=body["tmdbId"])
            problem = {"propertyName": "TmdbId", "errorCode": "MovieExistsValidator"}
            return _ok([problem | {"errorMessage": "exists"}], 400)
        self._serial += 1
        number = self._serial
        title, year = body["title"], body["year"]
        self.record("add", id=number, tmdb=body["tmdbId"], title=title, year=year)
        return _ok(self.movies[number], 201)

    def _by_number(self, method: str, name: str) -> Answer:
        what, _, number = name.partition("/")
        if what == "movie" and number.isdigit() and int(number) in self.movies:
            if method == "DELETE":
                self.record("delete", id=int(number))
                return _ok({})
            return _ok(self.movies[int(number)])
        if what == "queue" and method == "DELETE" and int(number) in self.queue:
            self.record("dequeue", id=int(number))
            return _ok({})
        return _ok({"message": "NotFound"}, 404)

    # --- What happens in Radarr by itself ----------------------------------------------------

    def movie_of(self, tmdb_id: int) -> Row | None:
        """Return the film of a TMDB id in Radarr's library."""
        return next((m for m in self.movies.values() if m["tmdbId"] == tmdb_id), None)

    def grab(self, tmdb_id: int) -> None:
        """Let Radarr find a release and begin to download it."""
        movie = self.movie_of(tmdb_id)
        if movie is not None:
            self.record("grab", movie=movie["id"], item=1000 + len(self.history))

    def finish(self, tmdb_id: int) -> None:
        """Let Radarr import the film."""
        movie = self.movie_of(tmdb_id)
        if movie is not None:
            self.record("finish", movie=movie["id"])

    def fail(self, tmdb_id: int) -> None:
        """Let the download fail."""
        movie = self.movie_of(tmdb_id)
        if movie is not None:
            self.record("fail", movie=movie["id"])

    # --- Folding -----------------------------------------------------------------------------

    def _fold(self, entry: Entry) -> None:
        kind = entry["kind"]
        if kind == "create":
            self.sent.append(entry)
        elif kind == "text":
            self.texts[entry["sid"]] = entry
        elif kind == "answered":
            self.answered.add(entry["sid"])
        elif kind == "add":
            self._serial = max(self._serial, entry["id"])
            self.movies[entry["id"]] = _movie(entry)
        elif kind == "delete":
            self.movies.pop(entry["id"], None)
        elif kind == "dequeue":
            self.queue.pop(entry["id"], None)
        elif kind in ("grab", "finish", "fail"):
            self._advance(entry)

    def _advance(self, entry: Entry) -> None:
        number = entry["movie"]
        if entry["kind"] == "grab":
            self.queue[entry["item"]] = _queued(entry)
            self._note(entry, "grabbed", f"D{entry['item']}")
            return
        items = [item for item in self.queue.values() if item["movieId"] == number]
        for item in items:
            del self.queue[item["id"]]
        if entry["kind"] == "finish":
            self.movies[number]["hasFile"] = True
        word = "downloadFolderImported" if entry["kind"] == "finish" else "downloadFailed"
        self._note(entry, word, items[0]["downloadId"] if items else "D0")

    def _note(self, entry: Entry, word: str, download_id: str) -> None:
        self.history.append(
            {
                "id": len(self.history) + 1,
                "movieId": entry["movie"],
                "eventType": word,
                "date": entry["at"],
                "downloadId": download_id,
                "data": {"message": "missing articles"} if word == "downloadFailed" else {},
            }
        )


def completion(reading: object) -> dict[str, Any]:
    """Return a model's answer with `reading` in it."""
    import json

    message = {"role": "assistant", "content": json.dumps(reading)}
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
    }


def tmdb_film(film: Film) -> dict[str, Any]:
    """Return a film as TMDB tells it."""
    return {
        "id": film.tmdb_id,
        "title": film.title,
        "original_title": film.title,
        "original_language": "en",
        "release_date": f"{film.year}-05-01",
        "overview": "",
        "poster_path": None,
        "popularity": 1.0,
        "vote_count": 0,
    }


def _ok(body: object, status: int = 200) -> Answer:
    return as_json(status, body, **_VERSION)


def _movie(entry: Entry) -> Row:
    return {
        "id": entry["id"],
        "tmdbId": entry["tmdb"],
        "title": entry["title"],
        "year": entry["year"],
        "hasFile": False,
        "monitored": True,
        "isAvailable": True,
        "status": "released",
    }


def _queued(entry: Entry) -> Row:
    return {
        "id": entry["item"],
        "movieId": entry["movie"],
        "title": "release",
        "size": 8_000_000_000,
        "sizeleft": 6_000_000_000,
        "status": "downloading",
        "trackedDownloadStatus": "ok",
        "trackedDownloadState": "downloading",
        "downloadId": f"D{entry['item']}",
        "protocol": "torrent",
    }


def _listed(one: Entry, sender: str, to: str, direction: str) -> Row:
    when = format_datetime(datetime.fromisoformat(one["at"]))
    return {
        "sid": one["sid"],
        "from": sender,
        "to": to,
        "body": one["body"],
        "date_created": when,
        "date_sent": when,
        "direction": direction,
        "status": "received" if direction == "inbound" else "delivered",
        "error_code": None,
        "num_media": "0",
    }

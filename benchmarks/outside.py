"""Radarr, TMDB and Twilio that answer at once, and note how long each of their answers took.

`python -m benchmarks.outside --port N [--queue N]`; GET /seen tells (and forgets) the texts taken:
[{"to", "body", "at"}] with the clock of this machine, and the seconds spent in all answers.
"""

import argparse
import json
import re
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

VERSION = {"X-Application-Version": "6.1.0.0"}
FILM = {
    "id": 155,
    "title": "The Dark Knight",
    "original_title": "The Dark Knight",
    "original_language": "en",
    "release_date": "2008-07-16",
    "overview": "",
    "poster_path": None,
    "popularity": 90.0,
    "vote_count": 30000,
}


class World:
    """What the answers are made of."""

    def __init__(self, queue: int) -> None:
        self.texts: list[dict[str, Any]] = []
        self.spent = 0.0
        self.calls = 0
        self.movies: dict[int, dict[str, Any]] = {}
        records = [_queued(number) for number in range(1, queue + 1)]
        self.pages = {
            page: json.dumps(
                {
                    "page": page,
                    "totalRecords": queue,
                    "records": records[(page - 1) * 1000 :][:1000],
                }
            ).encode()
            for page in range(1, max(1, -(-queue // 1000)) + 1)
        }

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: bytes) -> Any:
        """Return the body of an answer, as bytes or for JSON, and its status."""
        name = path.removeprefix("/radarr/api/v3/")
        if path == "/seen":
            seen = {"texts": self.texts, "spent": self.spent, "calls": self.calls}
            self.texts, self.spent, self.calls = [], 0.0, 0
            return 200, seen
        if path == "/tmdb/3/search/movie":
            return 200, {"page": 1, "results": [FILM], "total_results": 1, "total_pages": 1}
        if path.startswith("/tmdb/3/movie/"):
            return 200, FILM
        if path.endswith("/Messages.json") and method == "POST":
            form = {key: values[0] for key, values in parse_qs(body.decode()).items()}
            self.texts.append({"to": form["To"], "body": form["Body"], "at": time.time()})
            sid = f"SM{len(self.texts):08x}{time.time_ns():024x}"
            return 201, {"sid": sid, "status": "queued", "to": form["To"]}
        if path.endswith("/Messages.json"):
            return 200, {"messages": [], "next_page_uri": None}
        if name == "queue":
            return 200, self.pages[int(query.get("page", ["1"])[0])]
        if name == "movie" and method == "POST":
            wanted = json.loads(body)
            movie = {"id": 1, "hasFile": False, "monitored": True, "isAvailable": True}
            self.movies[1] = {**movie, **{k: wanted[k] for k in ("tmdbId", "title", "year")}}
            return 201, self.movies[1]
        return _library(name)


def _library(name: str) -> Any:
    fixed = {
        "system/status": {"version": "6.1.0.0", "appName": "Radarr"},
        "qualityprofile": [{"id": 4, "name": "HD-1080p"}],
        "rootfolder": [{"id": 1, "path": "/films", "accessible": True, "freeSpace": 9_000_000}],
        "history/since": [],
        "movie": [],
        "movie/lookup": [{"tmdbId": 155, "title": "The Dark Knight", "year": 2008}],
    }
    return (200, fixed[name]) if name in fixed else (404, {"message": "NotFound"})


def _queued(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "movieId": number,
        "title": f"Film.{number}.1080p",
        "size": 8_000_000_000,
        "sizeleft": 6_000_000_000,
        "status": "downloading",
        "trackedDownloadStatus": "ok",
        "trackedDownloadState": "downloading",
        "downloadId": f"D{number}",
        "estimatedCompletionTime": "2030-01-01T00:00:00Z",
        "protocol": "torrent",
        "indexer": "Somewhere",
        "outputPath": f"/downloads/Film.{number}.1080p",
    }


def serve(port: int, queue: int) -> None:
    """Answer until ended."""
    world = World(queue)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _do(self) -> None:
            start = time.perf_counter()
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            status, answer = world.answer(
                self.command, re.sub(r"/+", "/", parts.path), parse_qs(parts.query), body
            )
            payload = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            for name, value in VERSION.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)
            world.spent += time.perf_counter() - start
            world.calls += parts.path != "/seen"

        do_GET = do_POST = do_PUT = do_DELETE = _do

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--queue", type=int, default=0, help="films in Radarr's queue")
    options = parser.parse_args()
    serve(options.port, options.queue)

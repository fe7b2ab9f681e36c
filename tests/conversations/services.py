"""Radarr, TMDB and Twilio as a script speaks of them: one sentence each, and what it does."""

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import requests
from django.utils import timezone

from sandbox import catalogue
from sandbox.tmdb import film_result
from tests.fakes import TIMED_OUT, Answer, FakeRadarr, FakeTmdb, FakeTwilio, iso, twilio_error

UNREACHABLE = requests.exceptions.ConnectionError("connection refused")
SIZE = 8_000_000_000
COUNTED = {1: "once", 2: "twice", 3: "three times"}

Doing = Callable[..., str | None]


class ScriptedTmdb(FakeTmdb):
    """TMDB with the films of the sandbox, which are those that everybody knows."""

    def __init__(self) -> None:
        super().__init__()
        self.catalogue = catalogue.Catalogue(catalogue.load())

    def learn(self, name: str, released: date | None = None, original: str = "") -> None:
        """Let TMDB know one film more, as famous as a film becomes."""
        found = re.fullmatch(r"(.*?)(?: \((\d{4})\))?", name)
        assert found is not None
        title, year = found.groups()
        day = released or (date(int(year), 6, 1) if year else None)
        film = catalogue.Film(
            tmdb_id=7_000_000 + len(self.catalogue.films),
            imdb_id="",
            title=title,
            original_title=original or title,
            language="en",
            release_date=day,
            votes=2000,
            popularity=9.0,
            overview="",
        )
        self.catalogue = catalogue.Catalogue([*self.catalogue.films, film])

    def film(self, name: str) -> catalogue.Film:
        """Return the film of a name as the bot says it: "Dune (1984)"."""
        return next(film for film in self.catalogue.films if film.name == name)

    def _route(self, request: Any, path: str, query: dict[str, Any]) -> Answer:
        if path == "/3/search/movie":
            year = int(query["year"]) if "year" in query else None
            self.films = [film_result(f) for f in self.catalogue.search(query["query"], year)]
            return _found(results=self.films, page=1, total_results=len(self.films))
        if path == "/3/search/tv":
            asked = set(catalogue.words(query["query"]))
            shows = [s for s in catalogue.SHOWS if asked and asked <= set(catalogue.words(s.name))]
            return _found(results=[{"id": s.tmdb_id, "name": s.name} for s in shows])
        if path.startswith("/3/find/"):
            film = self.catalogue.by_imdb_id.get(path.removeprefix("/3/find/"))
            return _found(movie_results=[film_result(film)] if film else [])
        self.films = [film_result(film) for film in self.catalogue.films]
        return super()._route(request, path, query)


def _found(**body: Any) -> Answer:
    return 200, {"Content-Type": "application/json"}, json.dumps(body)


class ScriptedRadarr(FakeRadarr):
    """Radarr, which keeps what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked_for: list[str] = []

    def _add(self, body: dict[str, Any]) -> Answer:
        self.asked_for.append(_name(body))
        return super()._add(body)

    def item(self, tmdb_id: int) -> dict[str, Any]:
        """Return what is in the queue of a film."""
        movie = self.movie(tmdb_id)
        return next(item for item in self.queue if item["movieId"] == movie["id"])


def _name(movie: dict[str, Any]) -> str:
    return f"{movie['title']} ({movie['year']})" if movie["year"] else str(movie["title"])


# --- What a script can say ------------------------------------------------------------------------


class Radarr:
    """The sentences about Radarr; each pattern's names are handed to what it does."""

    def __init__(self, radarr: ScriptedRadarr, tmdb: ScriptedTmdb) -> None:
        self._radarr, self._tmdb = radarr, tmdb

    def sentences(self) -> Sequence[tuple[str, Doing]]:
        """Return each sentence with what it does; a check returns what is true instead."""
        down, fine = self._radarr.fail_with, lambda: self._radarr.fail_with(None)
        return (
            (r"was asked.*", self._was_asked),
            (r"was told to look for.*", self._was_told_to_search),
            (r"has nothing|has (?!\d+%).*", self._has),
            (r"already has (?P<film>.*), without a file", self._put),
            (r"already has (?P<film>.*)", lambda film: self._put(film, hasFile=True)),
            (r"leaves out (?P<film>.*)", lambda film: self._radarr.excluded.add(self._id(film))),
            (r"expects (?P<film>.*) on (?P<day>\d.*)", self._expects),
            (r"says that (?P<film>.*) is out", self._is_out),
            (r"finds a release of (?P<film>.*)", self._finds),
            (r"has (?P<percent>\d+)% of (?P<film>.*?)(, (?P<left>\d+) minutes to go)?", self._at),
            (
                r"makes no progress with (?P<film>.*)",
                lambda film: self._queued(film, status="warning"),
            ),
            (
                r"goes on with (?P<film>.*)",
                lambda film: self._queued(film, status="downloading"),
            ),
            (r"is importing (?P<film>.*)", lambda film: self._importing(film, "importing")),
            (r"cannot import (?P<film>.*)", lambda film: self._importing(film, "importBlocked")),
            (r"imports (?P<film>.*)", lambda film: self._radarr.finish(self._id(film), _now())),
            (r"fails to download (?P<film>.*?): (?P<why>.*)", self._fails),
            (r"no longer has (?P<film>.*)", self._forgets),
            (r"is down", lambda: down(UNREACHABLE)),
            (r"answers nonsense", lambda: down((200, {}, "<html>"))),
            (r"refuses our key", lambda: down((401, {"X-Application-Version": "6"}, "{}"))),
            (r"is back", fine),
        )

    def _id(self, film: str) -> int:
        return self._tmdb.film(film).tmdb_id

    def _was_asked(self) -> str:
        asked = Counter(self._radarr.asked_for)
        each = [f"{COUNTED.get(times, times)} for {name}" for name, times in asked.items()]
        return f"was asked {', '.join(each) or 'for nothing'}"

    def _was_told_to_search(self) -> str:
        ids = [n for command in self._radarr.commands for n in command.get("movieIds", ())]
        names = [_name(self._radarr.movies[number]) for number in ids]
        return f"was told to look for {', '.join(names) or 'nothing'}"

    def _has(self) -> str:
        names = [_name(movie) for movie in self._radarr.movies.values()]
        return f"has {', '.join(names) or 'nothing'}"

    def _put(self, film: str, **more: Any) -> None:
        known = self._tmdb.film(film)
        self._radarr.put(known.tmdb_id, known.title, known.year, **more)

    def _expects(self, film: str, day: str) -> None:
        when = iso(_day(day))
        self._radarr.release[self._id(film)] = when
        for movie in self._radarr.movies.values():
            if movie["tmdbId"] == self._id(film):
                movie |= {"isAvailable": False, "status": "announced", "releaseDate": when}

    def _is_out(self, film: str) -> None:
        self._radarr.movie(self._id(film)).update(isAvailable=True, status="released")

    def _finds(self, film: str) -> None:
        self._radarr.grab(self._id(film), _now(), size=SIZE, sizeleft=SIZE)

    def _at(self, percent: str, film: str, left: str | None) -> None:
        changes: dict[str, Any] = {"sizeleft": SIZE * (100 - int(percent)) // 100}
        if left:
            changes["estimatedCompletionTime"] = iso(_now() + timedelta(minutes=int(left)))
            changes["timeleft"] = f"{int(left) // 60:02}:{int(left) % 60:02}:00"
        self._queued(film, **changes)

    def _queued(self, film: str, **changes: Any) -> None:
        self._radarr.item(self._id(film)).update(changes)

    def _importing(self, film: str, state: str) -> None:
        self._queued(film, status="completed", sizeleft=0, trackedDownloadState=state)

    def _fails(self, film: str, why: str) -> None:
        self._radarr.fail(self._id(film), _now(), why)

    def _forgets(self, film: str) -> None:
        del self._radarr.movies[self._radarr.movie(self._id(film))["id"]]


def tmdb_sentences(tmdb: ScriptedTmdb) -> Sequence[tuple[str, Doing]]:
    """Return the sentences about TMDB."""
    return (
        (
            r"knows (?P<name>.*), out on (?P<day>\d.*)",
            lambda name, day: tmdb.learn(name, _day(day).date()),
        ),
        (r'knows (?P<name>.*), originally "(?P<original>.*)"', tmdb.learn),
        (r"knows (?P<name>.*)", tmdb.learn),
        (r"is down", lambda: tmdb.fail_with(UNREACHABLE)),
        (r"is back", lambda: tmdb.fail_with(None)),
    )


def twilio_sentences(
    twilio: FakeTwilio, address_of: Callable[[str], str]
) -> Sequence[tuple[str, Doing]]:
    """Return the sentences about Twilio."""

    def silent() -> None:
        twilio.takes_first = True
        twilio.fail_with(TIMED_OUT)

    def back() -> None:
        twilio.takes_first = False
        twilio.fail_with(None)

    def held(name: str, body: str) -> None:
        sid = f"SM{900 + len(twilio.held):032x}"
        twilio.hold(sid, address_of(name), body, _now())

    return (
        (r"is down", lambda: twilio.fail_with(twilio_error(429, 20429))),
        (r"takes texts without answering", silent),
        (r"is back", back),
        (r"has a text from (?P<name>\w+) that never reached us: (?P<body>.*)", held),
    )


def _day(words: str) -> datetime:
    return datetime.strptime(words, "%d %B %Y").replace(tzinfo=UTC)


def _now() -> datetime:
    return timezone.now()

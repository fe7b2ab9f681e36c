"""Radarr, API version 3: its library, its queue, its history, and the few writes we make.

Knows HTTP alone; the address, the key and the deadline are passed in. Every method raises
`downloads.http.ServiceError` with service "Radarr":

- `unauthorized` (401 and 403, permanent), `unavailable` (5xx, 503 while it starts up), `redirected`
  (a URL base is missing, permanent), `unreachable`, `timeout`, `too_large`;
- `unreadable`: not Radarr's answer. All of its answers carry X-Application-Version, so what lacks
  it comes from a proxy or another program, a 404 too. One malformed record makes the whole list
  unreadable: **an error is never read as an absence**;
- `RadarrRejected` and its kinds: Radarr understood and said no.

A write that may have taken effect has `outcome_unknown`: read before writing again. What it returns
are the records of `downloads.radarr_records`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NoReturn

from pydantic import TypeAdapter

from downloads.http import Answer, JsonSession, ServiceError
from downloads.radarr_records import (
    Command,
    HealthItem,
    HistoryItem,
    Indexer,
    LookupResult,
    Movie,
    Notification,
    Problem,
    QualityProfile,
    QueueItem,
    QueuePage,
    RootFolder,
    SystemStatus,
    Trouble,
)
from downloads.radarr_refusals import (
    AlreadyAdded,
    FolderInUse,
    Misconfigured,
    RadarrRejected,
    UnknownMovie,
    meaning,
)

__all__ = [
    "WEBHOOK_EVENTS",
    "AlreadyAdded",
    "Command",
    "FolderInUse",
    "HealthItem",
    "HistoryItem",
    "Indexer",
    "LookupResult",
    "Misconfigured",
    "Movie",
    "Notification",
    "QualityProfile",
    "QueueItem",
    "Radarr",
    "RadarrRejected",
    "RootFolder",
    "SystemStatus",
    "UnknownMovie",
]

QUEUE_PAGE = 1000
QUEUE_PAGES = 50
LIBRARY_DEADLINE = 60.0
LIBRARY_BYTES = 256 * 1024 * 1024
HISTORY_BYTES = 64 * 1024 * 1024

_VERSION = "X-Application-Version"

_MOVIE = TypeAdapter(Movie)
_MOVIES = TypeAdapter(list[Movie])
_LOOKUPS = TypeAdapter(list[LookupResult])
_QUEUE = TypeAdapter(QueuePage)
_HISTORY = TypeAdapter(list[HistoryItem])
_PROFILES = TypeAdapter(list[QualityProfile])
_FOLDERS = TypeAdapter(list[RootFolder])
_HEALTH = TypeAdapter(list[HealthItem])
_STATUS = TypeAdapter(SystemStatus)
_COMMAND = TypeAdapter(Command)
_INDEXERS = TypeAdapter(list[Indexer])
_NOTIFICATION = TypeAdapter(Notification)
_NOTIFICATIONS = TypeAdapter(list[Notification])
_PROBLEMS = TypeAdapter(list[Problem])
_TROUBLE = TypeAdapter(Trouble)


class Radarr:
    """One Radarr. Share it between threads."""

    def __init__(self, url: str, api_key: str, deadline: float) -> None:
        """Take the server's root URL, with its URL base if any, and seconds for a whole call.

        The key goes in the X-Api-Key header alone: in the query it would reach logs, and Radarr
        takes the first one present even if it is wrong.
        """
        key = api_key.strip()
        self._http = JsonSession(
            "Radarr", url, deadline=deadline, headers={"X-Api-Key": key}, secrets=(key,)
        )

    # --- the server

    def status(self) -> SystemStatus:
        """Return which program answers; `unreadable`, permanent, when it is not a Radarr."""
        answer = self._get("/system/status")
        status = self._http.read(answer, _STATUS)
        if status.app_name != "Radarr":
            error = self._http.unreadable(answer, f"the name {status.app_name}: not a Radarr")
            error.permanent = True
            raise error
        return status

    def health(self) -> list[HealthItem]:
        """Return what Radarr complains about; decide on `source`, a class name, and `type`."""
        return self._http.read(self._get("/health"), _HEALTH)

    def quality_profiles(self) -> list[QualityProfile]:
        """Return the quality profiles, in Radarr's order."""
        return self._http.read(self._get("/qualityprofile"), _PROFILES)

    def root_folders(self) -> list[RootFolder]:
        """Return the root folders, in Radarr's order."""
        return self._http.read(self._get("/rootfolder"), _FOLDERS)

    def indexers(self) -> list[Indexer]:
        """Return where Radarr searches."""
        return self._http.read(self._get("/indexer"), _INDEXERS)

    # --- the library

    def movie_by_tmdb_id(self, tmdb_id: int) -> Movie | None:
        """Return the library's film of a TMDB id, with `has_file`; None when it is not there."""
        found = self._http.read(self._get("/movie", {"tmdbId": tmdb_id}), _MOVIES)
        return next((movie for movie in found if movie.tmdb_id == tmdb_id), None)

    def movie(self, radarr_id: int) -> Movie | None:
        """Return a film by Radarr's id; None only when Radarr itself answers 404."""
        answer = self._http.get(f"/api/v3/movie/{radarr_id}")
        if self._says_gone(answer):
            return None
        return self._http.read(self._checked(answer), _MOVIE)

    def movies(
        self, *, deadline: float = LIBRARY_DEADLINE, max_bytes: int = LIBRARY_BYTES
    ) -> list[Movie]:
        """Return the whole library; seconds and bytes of its own, since it can be very large."""
        params = {"excludeLocalCovers": "true"}
        answer = self._http.get("/api/v3/movie", params, deadline=deadline, max_bytes=max_bytes)
        return self._http.read(self._checked(answer), _MOVIES)

    def lookup(self, tmdb_id: int) -> LookupResult | None:
        """Ask the metadata service for a film; None when it knows none of that id.

        Raises `unavailable` when that service is down (503).
        """
        answer = self._get("/movie/lookup", {"term": f"tmdb:{tmdb_id}"})
        found = self._http.read(answer, _LOOKUPS)
        return next((result for result in found if result.tmdb_id == tmdb_id), None)

    def add(
        self,
        *,
        tmdb_id: int,
        title: str,
        year: int,
        quality_profile_id: int,
        root_folder_path: str,
    ) -> Movie:
        """Add a film, monitored and searched for as soon as it is released; return it.

        Radarr answers after a metadata call and its own MovieAdded webhooks, which can take longer
        than the deadline: `timeout` with `outcome_unknown`. It adds a film on the exclusion list
        without a word: ask `lookup` first. Raises AlreadyAdded, UnknownMovie, Misconfigured,
        FolderInUse, RadarrRejected; a 5xx has `outcome_unknown`.
        """
        body = {
            "tmdbId": tmdb_id,
            "title": title,  # a null title can be a 500
            "year": year,
            "qualityProfileId": quality_profile_id,
            "rootFolderPath": root_folder_path,
            "monitored": True,
            "minimumAvailability": "released",
            "tags": [],
            "addOptions": _ADD_OPTIONS,  # a null here breaks the MovieAdded webhook
        }
        answer = self._http.write("POST", "/api/v3/movie", json=body)
        if answer.status == 409 and _VERSION in answer.headers:
            raise self._http.error(answer, "the film was being added twice", AlreadyAdded)
        return self._http.read(self._checked(answer), _MOVIE)

    def monitor_movie(self, radarr_id: int) -> None:
        """Make Radarr want a film that it has but does not watch; it does not search by itself."""
        body = {"movieIds": [radarr_id], "monitored": True}
        self._checked(self._http.write("PUT", "/api/v3/movie/editor", json=body))

    def search(self, radarr_id: int) -> Command:
        """Start a search for one film, whether it is monitored and available or not.

        Asked for twice, Radarr answers with the command that is queued already.
        """
        body = {"name": "MoviesSearch", "movieIds": [radarr_id]}
        answer = self._http.write("POST", "/api/v3/command", json=body)
        return self._http.read(self._checked(answer), _COMMAND)

    def delete(self, radarr_id: int) -> None:
        """Take a film out of the library, its files left alone; quiet when it is gone already."""
        params = {"deleteFiles": "false", "addImportExclusion": "false"}
        self._delete(f"/movie/{radarr_id}", params)

    def delete_file(self, movie_file_id: int) -> None:
        """Delete a film's file from the disk; quiet when it is gone already."""
        self._delete(f"/moviefile/{movie_file_id}", {})

    # --- the queue and the history

    def queue(self) -> list[QueueItem]:
        """Return the whole queue, each item once.

        Raises `unreadable` when it shrank while it was read over several pages, or holds more than
        `QUEUE_PAGES` of `QUEUE_PAGE`: a queue is never told shorter than it is.
        """
        items: dict[int, QueueItem] = {}
        total = 0
        for number in range(1, QUEUE_PAGES + 1):
            answer = self._get("/queue", _queue_page(number))
            page = self._http.read(answer, _QUEUE)
            fresh = {item.id: item for item in page.records if item.id not in items}
            items |= fresh
            total = max(total, page.total_records)
            if len(items) >= total or not fresh:  # beyond the end Radarr repeats a page
                break
        if len(items) < total:
            raise self._http.unreadable(answer, f"{len(items)} of the {total} items of its queue")
        return list(items.values())

    def remove_from_queue(
        self,
        queue_id: int,
        *,
        remove_from_client: bool = True,
        blocklist: bool = False,
        skip_redownload: bool = True,
    ) -> None:
        """Take an item out of the queue and, by default, out of the download client.

        Quiet when it is gone already. `blocklist` makes it a failed download in the history, and
        Radarr looks for another unless `skip_redownload`.
        """
        params = {
            "removeFromClient": _word(remove_from_client),
            "blocklist": _word(blocklist),
            "skipRedownload": _word(skip_redownload),
        }
        self._delete(f"/queue/{queue_id}", params)

    def history_since(self, since: datetime) -> list[HistoryItem]:
        """Return what happened at or after an aware moment of Radarr's clock, oldest first."""
        if since.tzinfo is None:
            raise ValueError("history_since needs an aware datetime")
        moment = since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        answer = self._http.get("/api/v3/history/since", {"date": moment}, max_bytes=HISTORY_BYTES)
        items = self._http.read(self._checked(answer), _HISTORY)
        return sorted(items, key=lambda item: (item.date, item.id))

    def history_of(self, radarr_id: int) -> list[HistoryItem]:
        """Return what happened to one film, oldest first."""
        answer = self._get("/history/movie", {"movieId": radarr_id})
        items = self._http.read(answer, _HISTORY)
        return sorted(items, key=lambda item: (item.date, item.id))

    def mark_failed(self, history_id: int) -> None:
        """Mark what a row of the history grabbed as failed: Radarr blocks that release for good.

        Radarr writes a `downloadFailed` row and, where it is set so, looks for another by itself.
        Quiet when the row is gone.
        """
        answer = self._http.write("POST", f"/api/v3/history/failed/{history_id}")
        if not self._says_gone(answer):
            self._checked(answer)

    # --- Connect: Radarr's webhooks into us

    def notifications(self) -> list[Notification]:
        """Return Radarr's connections of every kind."""
        return self._http.read(self._get("/notification"), _NOTIFICATIONS)

    def create_notification(
        self, *, name: str, url: str, headers: Mapping[str, str]
    ) -> Notification:
        """Make Radarr post its events to `url` with `headers`; return the connection.

        Radarr sends a Test event before it answers, and refuses (RadarrRejected) when we do not
        take it. Headers need Radarr 5.16. `name` must not be taken.
        """
        answer = self._http.write(
            "POST",
            "/api/v3/notification",
            json=_webhook(name, url, headers),
            params={"forceSave": "true"},
        )
        return self._http.read(self._checked(answer), _NOTIFICATION)

    def update_notification(
        self, notification_id: int, *, name: str, url: str, headers: Mapping[str, str]
    ) -> Notification:
        """Change a connection; Radarr tries it with a Test event, and may refuse (RadarrRejected).

        Without forceSave: with it, Radarr would keep an address that it cannot reach.
        """
        answer = self._http.write(
            "PUT",
            f"/api/v3/notification/{notification_id}",
            json={"id": notification_id, **_webhook(name, url, headers)},
            params={"forceSave": "false"},
        )
        return self._http.read(self._checked(answer), _NOTIFICATION)

    def delete_notification(self, notification_id: int) -> None:
        """Remove a connection; quiet when it is gone already."""
        self._delete(f"/notification/{notification_id}")

    # --- answers

    def _get(self, path: str, params: Mapping[str, str | int] | None = None) -> Answer:
        return self._checked(self._http.get(f"/api/v3{path}", params))

    def _delete(self, path: str, params: Mapping[str, str | int] | None = None) -> None:
        answer = self._http.write("DELETE", f"/api/v3{path}", params=params)
        if not self._says_gone(answer):
            self._checked(answer)

    def _says_gone(self, answer: Answer) -> bool:
        return answer.status == 404 and _VERSION in answer.headers

    def _checked(self, answer: Answer) -> Answer:
        """Return an answer that is Radarr's and 2xx; raise for all others."""
        if answer.status in (401, 403) or answer.status >= 500:
            self._refuse(answer)
        if _VERSION not in answer.headers:
            raise self._http.unreadable(
                answer, "something that is not Radarr's: a proxy in between or a wrong address?"
            )
        if not answer.ok:
            self._refuse(answer)
        return answer

    def _refuse(self, answer: Answer) -> NoReturn:
        if answer.status == 400 and (problems := self._problems(answer)):
            raise self._rejection(answer, problems)
        kind = RadarrRejected if answer.status in (400, 409) else ServiceError
        error = self._http.error(answer, self._trouble(answer), kind)
        if answer.status == 403:
            error.code = "unauthorized"
        raise error

    def _problems(self, answer: Answer) -> list[Problem]:
        try:
            return self._http.read(answer, _PROBLEMS)
        except ServiceError:
            return []

    def _trouble(self, answer: Answer) -> str:
        """Return Radarr's message or the title of ProblemDetails with the fields it names."""
        try:
            said = self._http.read(answer, _TROUBLE)
        except ServiceError:
            return ""
        return said.message or said.error_message or " ".join((said.title, *said.errors)).strip()

    def _rejection(self, answer: Answer, problems: list[Problem]) -> RadarrRejected:
        """Make the error of a 400's array; of several problems the most telling one decides."""
        kind, subject, words = meaning(problems)
        error = self._http.error(answer, words, kind)
        if isinstance(error, Misconfigured):
            error.subject = subject
        return error


# --- what we send --------------------------------------------------------------------------------


_ADD_OPTIONS = {"monitor": "movieOnly", "searchForMovie": True, "addMethod": "manual"}

WEBHOOK_EVENTS = (  # not onMovieAdded: Radarr would wait for us while it answers our own add
    "onGrab",
    "onDownload",
    "onUpgrade",
    "onMovieDelete",
    "onMovieFileDelete",
    "onHealthIssue",
    "onHealthRestored",
    "onManualInteractionRequired",
)
"""What Radarr is to post: what can change a download, or why it does not move."""


def _word(value: bool) -> str:
    return "true" if value else "false"


def _queue_page(number: int) -> dict[str, str | int]:
    """Ask for one page in an order that stands still, unlike Radarr's own by time left."""
    return {
        "page": number,
        "pageSize": QUEUE_PAGE,
        "sortKey": "title",
        "sortDirection": "ascending",
        "includeUnknownMovieItems": "false",
    }


def _webhook(name: str, url: str, headers: Mapping[str, str]) -> dict[str, object]:
    """Make the connection that posts (method 1) the events which can change a download."""
    fields = {
        "url": url,
        "method": 1,
        "username": "",
        "password": "",
        "headers": [{"key": key, "value": value} for key, value in headers.items()],
    }
    return {
        "name": name,
        "implementation": "Webhook",
        "configContract": "WebhookSettings",
        "fields": [{"name": key, "value": value} for key, value in fields.items()],
        "tags": [],
        **dict.fromkeys(WEBHOOK_EVENTS, True),
    }

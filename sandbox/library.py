"""Radarr's memory: its films, queue, history and commands. It knows time only as it is told."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import count
from typing import Any

from sandbox.catalogue import Film
from sandbox.simulation import IN_QUEUE, RESTARTABLE, Milestone, Outcome, Progress, Run

ROOT_FOLDER = "/media/films"
QUALITY_PROFILES = {1: "HD-1080p", 2: "Ultra-HD"}
COMMANDS = {"MoviesSearch", "RefreshMovie", "RescanMovie", "RefreshMonitoredDownloads", "RssSync"}
FAILURE = "Download failed: missing articles"
COMMAND_STARTS, COMMAND_ENDS = timedelta(seconds=0.3), timedelta(seconds=1)


class Availability(StrEnum):
    """From when on Radarr may search for a film."""

    TBA = "tba"
    ANNOUNCED = "announced"
    IN_CINEMAS = "inCinemas"
    RELEASED = "released"


class Told(StrEnum):
    """What Radarr tells a Connect webhook, in its own words."""

    ADDED = "MovieAdded"
    DELETED = "MovieDelete"
    GRABBED = "Grab"
    IMPORTED = "Download"
    BLOCKED = "ManualInteractionRequired"


@dataclass
class Grab:
    """One release and its download; `told` counts the milestones already written down."""

    run: Run
    queue_id: int
    download_id: str
    release: str
    size: int
    told: int = 0

    def progress(self, now: datetime) -> Progress:
        """Where the download is at `now`."""
        return self.run.progress(now)


@dataclass
class Entry:
    """One film in the library."""

    id: int
    film: Film
    added: datetime
    quality_profile_id: int
    root_folder: str
    monitored: bool = True
    minimum_availability: Availability = Availability.RELEASED
    tags: list[int] = field(default_factory=list)
    grab: Grab | None = None
    file_added: datetime | None = None
    file_id: int = 0
    last_search: datetime | None = None

    @property
    def folder(self) -> str:
        """Where the film lives on the server's disk."""
        return f"{self.root_folder}/{self.film.name.replace(':', ' -')}"

    @property
    def waits_for(self) -> datetime | None:
        """The date that the minimum availability waits for, None when it waits for nothing."""
        if self.minimum_availability is Availability.IN_CINEMAS:
            return self.film.in_cinemas
        if self.minimum_availability is Availability.RELEASED:
            return self.film.digital_release
        return None

    def is_available(self, now: datetime) -> bool:
        """Whether Radarr may search for it."""
        if self.minimum_availability in {Availability.TBA, Availability.ANNOUNCED}:
            return True
        return self.waits_for is not None and self.waits_for <= now

    def queued_at(self, now: datetime) -> Grab | None:
        """The download that stands in the queue, if one does."""
        in_queue = self.grab and self.grab.progress(now).phase in IN_QUEUE
        return self.grab if in_queue else None


@dataclass(frozen=True)
class HistoryRow:
    """One line of Radarr's history."""

    id: int
    entry: Entry
    event: str
    date: datetime
    grab: Grab
    data: dict[str, str]


@dataclass(frozen=True)
class Happening:
    """One thing that a Connect webhook is told."""

    kind: Told
    entry: Entry
    grab: Grab | None = None
    deleted_files: bool = False


@dataclass(frozen=True)
class Command:
    """One command that was posted; its status follows from the time since."""

    id: int
    name: str
    movie_ids: tuple[int, ...]
    queued: datetime

    def status(self, now: datetime) -> str:
        """Radarr's word for how far it is."""
        if now < self.queued + COMMAND_STARTS:
            return "queued"
        return "started" if now < self.queued + COMMAND_ENDS else "completed"


class Library:
    """All that Radarr remembers. Every method that depends on time is given `now`."""

    def __init__(self, step: timedelta, *, first_id: int = 1) -> None:
        self.step = step
        self.next_outcome = Outcome.OK
        self.entries: dict[int, Entry] = {}
        self.history: list[HistoryRow] = []
        self.commands: dict[int, Command] = {}
        self.excluded: set[int] = set()
        self.notifications: list[dict[str, Any]] = []
        self.happenings: list[Happening] = []
        self._entry_ids, self._history_ids = count(first_id), count(first_id)
        self._queue_ids, self._command_ids = count(1001), count(1)

    def find(self, tmdb_id: int) -> Entry | None:
        """The library's entry of a TMDB id."""
        return next((e for e in self.entries.values() if e.film.tmdb_id == tmdb_id), None)

    def queue(self, now: datetime) -> Iterator[tuple[Entry, Grab]]:
        """Every film with a download in the queue."""
        for entry in self.entries.values():
            if grab := entry.queued_at(now):
                yield entry, grab

    def add(self, entry: Entry, search: bool, now: datetime) -> Entry:
        """Take a film into the library, and search for it if that is wanted and allowed."""
        entry.id = next(self._entry_ids)
        self.entries[entry.id] = entry
        self.happenings.append(Happening(Told.ADDED, entry))
        if search and entry.monitored and entry.is_available(now):
            self._search(entry, now)
        return entry

    def remove(self, entry: Entry, delete_files: bool, exclude: bool) -> None:
        """Forget a film and its history, as Radarr does; `exclude` keeps lists from adding it."""
        del self.entries[entry.id]
        self.history = [row for row in self.history if row.entry is not entry]
        self.excluded |= {entry.film.tmdb_id} if exclude else set()
        self.happenings.append(Happening(Told.DELETED, entry, deleted_files=delete_files))

    def remove_from_queue(
        self, entry: Entry, grab: Grab, blocklist: bool, search_again: bool, now: datetime
    ) -> None:
        """Take a download out of the queue; a blocklisted one counts as failed."""
        entry.grab = None
        if blocklist:
            self._write(
                entry, grab, "downloadFailed", now, {"message": "Manually marked as failed"}
            )
            if search_again and entry.monitored:
                self._search(entry, now)

    def mark_failed(self, history_id: int, now: datetime) -> bool:
        """Count what a row of the history grabbed as failed; False when there is no such row."""
        row = next((row for row in self.history if row.id == history_id), None)
        if row is None:
            return False
        message = {"message": "Manually marked as failed"}
        self._write(row.entry, row.grab, "downloadFailed", now, message)
        if row.entry.monitored:
            self._search_again(row.entry, now)
        return True

    def delete_file(self, file_id: int, now: datetime) -> bool:
        """Delete the file of a film; False when there is none of that id."""
        entry = next(
            (e for e in self.entries.values() if e.file_added and e.file_id == file_id), None
        )
        if entry is None or entry.grab is None:
            return False
        self._write(entry, entry.grab, "movieFileDeleted", now, {"reason": "Manual"})
        entry.file_added, entry.grab = None, None
        return True

    def post_command(self, name: str, movie_ids: tuple[int, ...], now: datetime) -> Command:
        """Run a command; the same one still waiting is given back instead of a second."""
        for command in self.commands.values():
            same = (command.name, command.movie_ids) == (name, movie_ids)
            if same and command.status(now) == "queued":
                return command
        command = Command(next(self._command_ids), name, movie_ids, now)
        self.commands[command.id] = command
        if name == "MoviesSearch":
            for entry in filter(None, map(self.entries.get, movie_ids)):
                self._search_again(entry, now)
        return command

    def advance(self, now: datetime) -> None:
        """Write down everything that has happened up to `now`, in the order of its moments."""
        due = [
            (at, entry.id, milestone, entry, grab)
            for entry in self.entries.values()
            if (grab := entry.grab)
            for at, milestone in grab.run.milestones()[grab.told :]
            if at <= now
        ]
        for at, _, milestone, entry, grab in sorted(due, key=lambda row: row[:2]):
            grab.told += 1
            self._reach(milestone, entry, grab, at)

    def _reach(self, milestone: Milestone, entry: Entry, grab: Grab, at: datetime) -> None:
        match milestone:
            case Milestone.GRABBED:
                self._write(entry, grab, "grabbed", at, _grab_facts(grab))
                self.happenings.append(Happening(Told.GRABBED, entry, grab))
            case Milestone.IMPORTED:
                entry.file_added, entry.file_id = at, grab.queue_id
                path = {"importedPath": f"{entry.folder}/{entry.film.name}.mkv"}
                self._write(entry, grab, "downloadFolderImported", at, path)
                self.happenings.append(Happening(Told.IMPORTED, entry, grab))
            case Milestone.FAILED:
                self._write(entry, grab, "downloadFailed", at, {"message": FAILURE})
            case Milestone.BLOCKED:
                self.happenings.append(Happening(Told.BLOCKED, entry, grab))

    def _write(
        self, entry: Entry, grab: Grab, event: str, date: datetime, data: dict[str, str]
    ) -> None:
        row = HistoryRow(next(self._history_ids), entry, event, date, grab, data)
        self.history.append(row)

    def _search_again(self, entry: Entry, now: datetime) -> None:
        underway = entry.grab and entry.grab.progress(now).phase not in RESTARTABLE
        if not entry.file_added and not underway:
            self._search(entry, now)

    def _search(self, entry: Entry, now: datetime) -> None:
        number = next(self._queue_ids)
        digest = hashlib.sha256(f"{entry.film.tmdb_id}/{number}".encode())
        title = ".".join(entry.film.name.replace("(", "").replace(")", "").split())
        entry.last_search = now
        entry.grab = Grab(
            run=Run(now, self.step, self.next_outcome),
            queue_id=number,
            download_id=digest.hexdigest()[:40].upper(),
            release=f"{title}.1080p.BluRay.x264-SANDBOX",
            size=4_000_000_000 + int.from_bytes(digest.digest()[:4]) * 2,
        )
        self.next_outcome = Outcome.OK


def _grab_facts(grab: Grab) -> dict[str, str]:
    return {"indexer": "Sandbox", "downloadClient": "Sandbox", "size": str(grab.size)}

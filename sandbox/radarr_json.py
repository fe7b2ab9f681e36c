"""Radarr's side of the world as Radarr writes it: camelCase, UTC with Z, nulls left out."""

from datetime import datetime, timedelta
from typing import Any

from sandbox.catalogue import Film
from sandbox.library import (
    QUALITY_PROFILES,
    ROOT_FOLDER,
    Command,
    Entry,
    Grab,
    Happening,
    HistoryRow,
    Told,
)
from sandbox.simulation import Phase

Json = dict[str, Any]

_POSTED = (
    *("onGrab", "onDownload", "onUpgrade", "onMovieDelete", "onMovieFileDelete"),
    *("onHealthIssue", "onHealthRestored", "onManualInteractionRequired"),
)

VERSION = "6.0.4.10291"
NO_DATE = "9999-12-31"
QUALITY = {
    "quality": {
        "id": 7,
        "name": "Bluray-1080p",
        "source": "bluray",
        "resolution": 1080,
        "modifier": "none",
    },
    "revision": {"version": 1, "real": 0, "isRepack": False},
}
ENGLISH = [{"id": 1, "name": "English"}]
STALLED = "The download is stalled with no connections"
BLOCKED = "Unable to determine whether this file is the film that was asked for"

# status and trackedDownloadState of a queue item.
QUEUE_WORDS = {
    Phase.GRABBED: ("queued", "downloading"),
    Phase.DOWNLOADING: ("downloading", "downloading"),
    Phase.STALLED: ("warning", "downloading"),
    Phase.IMPORT_PENDING: ("completed", "importPending"),
    Phase.IMPORT_BLOCKED: ("completed", "importBlocked"),
    Phase.IMPORTING: ("completed", "importing"),
}


def without_nulls(resource: Json) -> Json:
    """`resource` as Radarr serialises it."""
    return {name: value for name, value in resource.items() if value is not None}


def instant(moment: datetime | None) -> str | None:
    """A moment in Radarr's form."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def time_span(span: timedelta) -> str:
    """A duration in .NET's form, [d.]hh:mm:ss."""
    minutes, seconds = divmod(max(int(span.total_seconds()), 0), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{f'{days}.' if days else ''}{hours:02}:{minutes:02}:{seconds:02}"


def film_status(film: Film, now: datetime) -> str:
    """Where a film is in its life, in Radarr's word."""
    if film.in_cinemas is None or film.digital_release is None:
        return "tba"
    if now < film.in_cinemas:
        return "announced"
    return "inCinemas" if now < film.digital_release else "released"


def film_facts(film: Film, now: datetime) -> Json:
    """What Radarr's metadata service knows about a film, in the library or not."""
    return {
        "title": film.title,
        "originalTitle": film.original_title,
        "originalLanguage": ENGLISH[0],
        "alternateTitles": [],
        "secondaryYearSourceId": 0,
        "sortTitle": film.title.casefold(),
        "status": film_status(film, now),
        "overview": film.overview,
        "inCinemas": instant(film.in_cinemas),
        "digitalRelease": instant(film.digital_release),
        "images": [],
        "website": "",
        "year": film.year,
        "youTubeTrailerId": "",
        "studio": "",
        "runtime": 0,
        "cleanTitle": "".join(c for c in film.title.casefold() if c.isalnum()),
        "imdbId": film.imdb_id or None,
        "tmdbId": film.tmdb_id,
        "titleSlug": str(film.tmdb_id),
        "genres": [],
        "ratings": {"tmdb": {"votes": film.votes, "value": 7.5, "type": "user"}},
        "popularity": film.popularity,
    }


def found(film: Film, entry: Entry | None, excluded: bool, now: datetime) -> Json:
    """One result of a lookup: with an id when it is in the library, never with `hasFile`."""
    if entry:
        resource = movie(entry, now)
        for name in ("hasFile", "movieFile", "movieFileId"):
            resource.pop(name, None)
        return resource
    state = {
        "qualityProfileId": 0,
        "monitored": False,
        "minimumAvailability": "released",
        "isAvailable": False,
        "folderName": "",
        "folder": film.name.replace(":", " -"),
        "tags": [],
        "added": "0001-01-01T00:00:00Z",
        "isExcluded": True if excluded else None,
    }
    return without_nulls(film_facts(film, now) | state)


def movie(entry: Entry, now: datetime) -> Json:
    """A film of the library."""
    has_file = entry.file_added is not None
    size = entry.grab.size if has_file and entry.grab else 0
    state = {
        "sizeOnDisk": size,
        "releaseDate": instant(entry.waits_for),
        "path": entry.folder,
        "folderName": entry.folder,
        "rootFolderPath": entry.root_folder,
        "qualityProfileId": entry.quality_profile_id,
        "hasFile": has_file,
        "movieFileId": entry.file_id if has_file else 0,
        "monitored": entry.monitored,
        "minimumAvailability": entry.minimum_availability,
        "isAvailable": entry.is_available(now),
        "tags": entry.tags,
        "added": instant(entry.added),
        "movieFile": movie_file(entry),
        "lastSearchTime": instant(entry.last_search),
        "statistics": {
            "movieFileCount": int(has_file),
            "sizeOnDisk": size,
            "releaseGroups": ["SANDBOX"] if has_file else [],
        },
        "id": entry.id,
    }
    return without_nulls(film_facts(entry.film, now) | state)


def movie_file(entry: Entry) -> Json | None:
    """The file of a film, None while it has none."""
    if not entry.file_added or not entry.grab:
        return None
    name = f"{entry.film.name}.mkv".replace(":", " -")
    return {
        "movieId": entry.id,
        "relativePath": name,
        "path": f"{entry.folder}/{name}",
        "size": entry.grab.size,
        "dateAdded": instant(entry.file_added),
        "sceneName": entry.grab.release,
        "releaseGroup": "SANDBOX",
        "languages": ENGLISH,
        "quality": QUALITY,
        "qualityCutoffNotMet": False,
        "id": entry.file_id,
    }


def queue_item(entry: Entry, grab: Grab, now: datetime, with_movie: bool) -> Json:
    """A download in the queue."""
    progress = grab.progress(now)
    status, state = QUEUE_WORDS[progress.phase]
    needs_help = progress.phase in {Phase.STALLED, Phase.IMPORT_BLOCKED}
    end = progress.complete_at
    return without_nulls(
        {
            "movieId": entry.id,
            "movie": movie(entry, now) if with_movie else None,
            "languages": ENGLISH,
            "quality": QUALITY,
            "customFormats": [],
            "customFormatScore": 0,
            "size": grab.size,
            "title": grab.release,
            "sizeleft": round(grab.size * (1 - progress.fraction)),
            "timeleft": time_span(end - now) if end else None,
            "estimatedCompletionTime": instant(end),
            "added": instant(grab.run.milestones()[0][0]),
            "status": status,
            # A stalled torrent is no fault of Radarr's own tracking: that stays "ok".
            "trackedDownloadStatus": "warning" if state == "importBlocked" else "ok",
            "trackedDownloadState": state,
            "statusMessages": status_messages(grab) if state == "importBlocked" else [],
            "errorMessage": STALLED if needs_help and status == "warning" else None,
            "downloadId": grab.download_id,
            "protocol": "torrent",
            "downloadClient": "Sandbox",
            "downloadClientHasPostImportCategory": False,
            "indexer": "Sandbox",
            "outputPath": f"/downloads/{grab.release}",
            "id": grab.queue_id,
        }
    )


def status_messages(grab: Grab) -> list[Json]:
    """Why an import is blocked."""
    return [{"title": grab.release, "messages": [BLOCKED]}]


def history_row(row: HistoryRow, now: datetime, with_movie: bool) -> Json:
    """A line of the history."""
    return without_nulls(
        {
            "movieId": row.entry.id,
            "sourceTitle": row.grab.release,
            "languages": ENGLISH,
            "quality": QUALITY,
            "customFormats": [],
            "customFormatScore": 0,
            "qualityCutoffNotMet": False,
            "date": instant(row.date),
            "downloadId": row.grab.download_id,
            "eventType": row.event,
            "data": row.data,
            "movie": movie(row.entry, now) if with_movie else None,
            "id": row.id,
        }
    )


def command(posted: Command, now: datetime) -> Json:
    """A command and how far it is."""
    status = posted.status(now)
    over = status == "completed"
    reports = f" {len(posted.movie_ids)} reports downloaded." if posted.movie_ids else ""
    return without_nulls(
        {
            "name": posted.name,
            "commandName": posted.name,
            "message": f"Completed.{reports}" if over else None,
            "body": {"movieIds": list(posted.movie_ids), "name": posted.name, "trigger": "manual"},
            "priority": "normal",
            "status": status,
            "result": "successful" if over else "unknown",
            "queued": instant(posted.queued),
            "trigger": "manual",
            "id": posted.id,
        }
    )


def quality_profile(profile_id: int) -> Json:
    """A quality profile."""
    return {
        "name": QUALITY_PROFILES[profile_id],
        "upgradeAllowed": False,
        "cutoff": 7,
        "items": [{"quality": QUALITY["quality"], "items": [], "allowed": True}],
        "minFormatScore": 0,
        "cutoffFormatScore": 0,
        "formatItems": [],
        "language": ENGLISH[0],
        "id": profile_id,
    }


def root_folder() -> Json:
    """The one root folder."""
    return {
        "path": ROOT_FOLDER,
        "accessible": True,
        "freeSpace": 2_411_184_783_360,
        "unmappedFolders": [],
        "id": 1,
    }


def connection(url: str, headers: dict[str, str]) -> Json:
    """Return the Connect webhook by which the sandbox posts to the product from its start."""
    listed = [{"key": key, "value": value} for key, value in headers.items()]
    fields = {"url": url, "method": 1, "username": "", "password": "", "headers": listed}
    return {
        "id": 1,
        "name": "Sandbox",
        "implementation": "Webhook",
        "configContract": "WebhookSettings",
        "fields": [{"name": name, "value": value} for name, value in fields.items()],
        "tags": [],
        **dict.fromkeys(_POSTED, True),
    }


def webhook(happening: Happening) -> Json:
    """The body of a Connect webhook."""
    entry, grab = happening.entry, happening.grab
    payload: Json = {
        "movie": _webhook_movie(entry),
        "eventType": happening.kind,
        "instanceName": "Radarr",
        "applicationUrl": "",
    }
    if grab:
        payload["remoteMovie"] = {
            "tmdbId": entry.film.tmdb_id,
            "imdbId": entry.film.imdb_id,
            "title": entry.film.title,
            "year": entry.film.year,
        }
        payload["release"] = {
            "quality": "Bluray-1080p",
            "qualityVersion": 1,
            "releaseGroup": "SANDBOX",
            "releaseTitle": grab.release,
            "indexer": "Sandbox",
            "size": grab.size,
        }
        payload |= {"downloadClient": "Sandbox", "downloadClientType": "Sandbox"}
        payload["downloadId"] = grab.download_id
    match happening.kind:
        case Told.ADDED:
            payload["addMethod"] = "manual"
        case Told.DELETED:
            payload |= {"deletedFiles": happening.deleted_files, "movieFolderSize": 0}
        case Told.IMPORTED:
            file = movie_file(entry) or {}
            payload["movieFile"] = file | {"quality": "Bluray-1080p", "qualityVersion": 1}
            payload["isUpgrade"] = False
        case Told.BLOCKED if grab:
            payload["downloadStatus"] = "Warning"
            payload["downloadStatusMessages"] = status_messages(grab)
    return payload


def _webhook_movie(entry: Entry) -> Json:
    release = entry.film.digital_release
    return {
        "id": entry.id,
        "title": entry.film.title,
        "year": entry.film.year,
        "releaseDate": release.date().isoformat() if release else NO_DATE,
        "folderPath": entry.folder,
        "tmdbId": entry.film.tmdb_id,
        "imdbId": entry.film.imdb_id,
        "overview": entry.film.overview,
        "genres": [],
        "images": [],
        "tags": [],
    }

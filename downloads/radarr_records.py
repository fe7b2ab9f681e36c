"""What Radarr tells, as immutable records.

All datetimes are aware and in UTC; sizes are bytes. Words of Radarr's enumerations stay plain
strings, since it may learn new ones.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)
from pydantic.alias_generators import to_camel


def _utc(moment: datetime) -> datetime:
    """Make a moment aware and UTC; Radarr writes UTC with a Z, and years 1 and 9999 too."""
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return moment.replace(tzinfo=UTC)


def _whole(value: object) -> object:
    """Cut a number of bytes: Radarr writes some as doubles (5870368312.844)."""
    return int(value) if isinstance(value, float) and math.isfinite(value) else value


def _positive_or_none(value: object) -> object:
    return None if value == 0 else value


Moment = Annotated[datetime, AfterValidator(_utc)]
Bytes = Annotated[int, BeforeValidator(_whole)]
MaybeId = Annotated[int | None, BeforeValidator(_positive_or_none)]


class Record(BaseModel):
    """A record of Radarr: immutable, unknown fields dropped."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True
    )


class Movie(Record):
    """A film in Radarr's library.

    `status`: tba, announced, inCinemas, released, deleted (removed from TMDB). `is_available`: may
    be searched now; `release_date` is the moment that rule waits for, None when there is none.
    `tmdb_id` can change after a merge at TMDB; `id` does not. `path` is the film's folder.
    """

    id: int
    tmdb_id: int
    imdb_id: str | None = None
    title: str = ""
    year: int = 0
    has_file: bool = False
    monitored: bool = False
    is_available: bool = False
    status: str = ""
    release_date: Moment | None = None
    in_cinemas: Moment | None = None
    digital_release: Moment | None = None
    physical_release: Moment | None = None
    added: Moment | None = None
    path: str = ""
    size_on_disk: Bytes = 0
    movie_file_id: MaybeId = None


class LookupResult(Record):
    """A film of the metadata service; `id` is Radarr's when it is in the library, else None.

    `is_excluded`: on the exclusion list, which an add would silently override. Whether there is a
    file, a look-up never tells.
    """

    tmdb_id: int
    title: str = ""
    year: int = 0
    id: MaybeId = None
    is_excluded: bool = False


class QueueItem(Record):
    """Something Radarr is fetching. The `tracked_…` are None for releases that are only pending.

    `status`: unknown queued paused downloading completed failed warning delay
    downloadClientUnavailable fallback. `tracked_download_state`: downloading importBlocked
    importPending importing imported failedPending failed ignored. `tracked_download_status`: ok
    warning error. A queue can be long, so it holds what is used and no more.
    """

    id: int
    movie_id: int | None = None
    size: Bytes = 0
    sizeleft: Bytes = 0
    estimated_completion_time: Moment | None = None
    status: str = ""
    tracked_download_status: str | None = None
    tracked_download_state: str | None = None
    download_id: str | None = None


class HistoryItem(Record):
    """Something that happened to a film.

    `event_type`: grabbed, downloadFolderImported (imported), downloadFailed, movieFileDeleted,
    movieFileRenamed, downloadIgnored. `message` is why a download failed; `reason` why a file was
    deleted: MissingFromDisk, Manual, Upgrade, ManualOverride. The rest of Radarr's `data` can hold
    keys of indexers (downloadUrl, guid, nzbInfoUrl) and is never kept.
    """

    id: int
    movie_id: int
    event_type: str
    date: Moment
    download_id: str | None = None
    message: str | None = Field(default=None, validation_alias=AliasPath("data", "message"))
    reason: str | None = Field(default=None, validation_alias=AliasPath("data", "reason"))


class QualityProfile(Record):
    """A quality profile of Radarr's owner."""

    id: int
    name: str = ""


class RootFolder(Record):
    """A folder that films are kept in; `free_space` in bytes, None when Radarr cannot tell."""

    id: int
    path: str
    accessible: bool = True
    free_space: Bytes | None = None


class HealthItem(Record):
    """A check of Radarr's own; `type`: ok notice warning error. `message` is localised."""

    source: str
    type: str
    message: str = ""


class SystemStatus(Record):
    """Which program answers; `url_base` is "" or begins with a slash."""

    app_name: str
    version: str = ""
    url_base: str = ""
    instance_name: str = ""


class Command(Record):
    """A command of Radarr's; `completed` and `successful` say nothing about what was found.

    `status`: queued started completed failed aborted cancelled orphaned; `result`: unknown
    successful unsuccessful.
    """

    id: int
    status: str = ""
    result: str = ""
    message: str = ""


class Indexer(Record):
    """A place where Radarr searches; its settings, which hold keys, are not kept."""

    id: int
    name: str = ""
    enable_rss: bool = False
    enable_automatic_search: bool = False
    enable_interactive_search: bool = False


def _by_name(value: object) -> object:
    """Turn Radarr's [{name, value}] into a mapping."""
    if not isinstance(value, list):
        return value
    return {entry["name"]: entry.get("value") for entry in value if "name" in entry}


class Notification(Record):
    """A connection of Radarr's; `fields` are its settings by name, and can hold our secret.

    `events` are those it posts, by Radarr's own names: onGrab, onDownload, …
    """

    id: int
    name: str = ""
    implementation: str = ""
    fields: Annotated[dict[str, Any], BeforeValidator(_by_name)] = Field(default={}, repr=False)
    events: frozenset[str] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _gather_events(cls, value: object) -> object:
        if not isinstance(value, dict) or "events" in value:
            return value
        return {**value, "events": [k for k, on in value.items() if k.startswith("on") and on]}


# --- what the client reads and does not pass on --------------------------------------------------


class QueuePage(Record):
    """One page of the queue; `total_records` counts those of all pages."""

    total_records: int
    records: list[QueueItem]


class Problem(Record):
    """One entry of a 400's array; `error_code` is the validator's class name, and may be absent."""

    property_name: str = ""
    error_message: str = ""
    error_code: str = ""


class Trouble(Record):
    """Radarr's other errors. {description} is a stack trace, and is left out on purpose."""

    message: str = ""
    error_message: str = ""  # while it starts up
    title: str = ""
    errors: dict[str, Any] = {}

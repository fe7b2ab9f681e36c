"""The live view of a download in Redis: what the API and the pages read while it is on its way.

Key `download:<media type>:<tmdb_id>`, JSON, always with a TTL. Rebuilt from SQL when it is absent;
the next tick puts the progress back.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from pydantic_core import to_json

from downloads.models import Download
from downloads.radarr import QueueItem
from downloads.watching import Row
from moviesms import live

# Hundreds of keys in one command cost a tenth of as many commands. The first argument is the TTL.
_STORE = """
for i, key in ipairs(KEYS) do
    redis.call('set', key, ARGV[i + 1], 'EX', ARGV[1])
end
"""
_AT_ONCE = 500


@dataclass(frozen=True)
class Progress:
    """How far a download is. `percent` 0 to 100, sizes in bytes, `eta` an ISO time in UTC."""

    percent: float | None = None
    size: int | None = None
    size_left: int | None = None
    eta: str | None = None


def progress_of(queue: Sequence[QueueItem]) -> Progress:
    """Return the progress of the release that is furthest on; an empty one for no queue items."""
    if not queue:
        return Progress()
    item = max(queue, key=_share_done)
    if not item.size:
        return Progress()
    return Progress(
        percent=round(100 * _share_done(item), 1),
        size=item.size,
        size_left=item.sizeleft,
        eta=_iso(item.estimated_completion_time),
    )


def store(views: Iterable[tuple[Row, Progress, Sequence[str]]], *, now: datetime) -> bool:
    """Write (download, progress, masked requesters) in a few calls; False without Redis."""
    updated_at = _iso(now)
    by_ttl: dict[int, list[tuple[str, bytes]]] = defaultdict(list)
    for download, progress, who in views:
        text = to_json(_view(download, progress, who, updated_at))
        by_ttl[_ttl(download)].append((_key(download.media_type, download.tmdb_id), text))

    def write(redis: Any) -> bool:
        for ttl, rows in by_ttl.items():
            for start in range(0, len(rows), _AT_ONCE):
                keys, texts = zip(*rows[start : start + _AT_ONCE], strict=True)
                redis.eval(_STORE, len(keys), *keys, ttl, *texts)
        return True

    return live.try_call(write) is True


def load(download: Download, *, not_before: datetime | None = None) -> Progress:
    """Return the progress kept for `download`; an empty one when there is none or Redis is down.

    What a tick saw earlier than `not_before` is not returned either.
    """
    return load_many([download], not_before=not_before)[download.pk]


def load_many(
    downloads: Sequence[Download], *, not_before: datetime | None = None
) -> dict[int, Progress]:
    """Return the progress of each download by its id, like `load`, read in one call."""
    keys = [_key(download.media_type, download.tmdb_id) for download in downloads]
    found = (live.try_call(lambda redis: redis.mget(keys)) if keys else None) or [None] * len(keys)
    return {d.pk: _progress(d, raw, not_before) for d, raw in zip(downloads, found, strict=True)}


def _progress(download: Download, raw: object, not_before: datetime | None) -> Progress:
    if not isinstance(raw, bytes) or not download.is_active:
        return Progress()
    view = json.loads(raw)
    if view.get("version") is None or view["generation"] != download.generation:
        return Progress()
    if not_before is not None and datetime.fromisoformat(view["updated_at"]) < not_before:
        return Progress()
    return Progress(**{name: view.get(name) for name in vars(Progress())})


def _key(media_type: str, tmdb_id: int) -> str:
    return f"download:{media_type}:{tmdb_id}"


def _ttl(download: Row) -> int:
    return int(settings.LIVE_ACTIVE_TTL if download.is_active else settings.LIVE_FINISHED_TTL)


def _view(
    download: Row, progress: Progress, requesters: Sequence[str], updated_at: str | None
) -> dict[str, Any]:
    return {
        "tmdb_id": download.tmdb_id,
        "media_type": download.media_type,
        "title": download.title,
        "year": download.year,
        "status": download.status,
        "reason": download.reason,
        "problem": download.problem,
        "version": download.version,
        "generation": download.generation,
        **vars(progress),
        "requesters": list(requesters),
        "updated_at": updated_at,
    }


def _share_done(item: QueueItem) -> float:
    if not item.size:
        return 0.0
    return min(1.0, max(0.0, 1 - item.sizeleft / item.size))


def _iso(time: datetime | None) -> str | None:
    return time.isoformat().replace("+00:00", "Z") if time else None

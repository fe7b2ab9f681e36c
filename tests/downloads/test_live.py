"""The live view in Redis: progress, with an end to every key, and nothing lost without it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django_redis import get_redis_connection

from downloads import live
from downloads.models import Download, DownloadRequest, Status
from downloads.monitor import tick
from downloads.radarr import QueueItem
from moviesms.embedded_redis import EmbeddedRedis
from tests.fakes import FakeRadarr

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = "download:movie:155"
GB = 1_000_000_000

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def follow(radarr: FakeRadarr, **fields: Any) -> Download:
    movie = radarr.put(155, "The Dark Knight", 2008)
    defaults = {"generation_started_at": NOON, "status_changed_at": NOON, "status": "searching"}
    row = Download.objects.create(
        tmdb_id=155,
        title="The Dark Knight",
        year=2008,
        radarr_id=movie["id"],
        **{**defaults, **fields},
    )
    DownloadRequest.objects.create(
        download=row, generation=row.generation, requester="+12025550142", origin="o1"
    )
    return row


def stored() -> dict[str, Any]:
    return dict(json.loads(get_redis_connection("live").get(KEY)))


PROGRESS = [
    ("a quarter", [{"size": 8 * GB, "sizeleft": 6 * GB}], 25.0),
    ("rounded", [{"size": 3 * GB, "sizeleft": 2 * GB}], 33.3),
    ("nothing yet", [{"size": 8 * GB, "sizeleft": 8 * GB}], 0.0),
    ("all of it", [{"size": 8 * GB, "sizeleft": 0}], 100.0),
    ("more left than there is", [{"size": 8 * GB, "sizeleft": 9 * GB}], 0.0),
    ("less than nothing left", [{"size": 8 * GB, "sizeleft": -1}], 100.0),
    ("no size yet", [{"size": 0, "sizeleft": 0}], None),
    ("the furthest of two", [{"size": GB, "sizeleft": GB}, {"size": GB, "sizeleft": GB // 2}], 50),
    ("no queue item", [], None),
]


@pytest.mark.parametrize(
    ("items", "percent"), [p[1:] for p in PROGRESS], ids=[p[0] for p in PROGRESS]
)
def test_progress_is_between_nothing_and_all(
    items: list[dict[str, Any]], percent: float | None
) -> None:
    progress = live.progress_of([QueueItem(id=n, **item) for n, item in enumerate(items)])
    assert progress.percent == percent


def test_a_tick_stores_how_far_it_is(radarr: FakeRadarr) -> None:
    row = follow(radarr)
    radarr.grab(155, NOON)
    tick(NOON)
    view = stored()
    assert (view["status"], view["percent"], view["size_left"]) == ("downloading", 25.0, 6 * GB)
    assert view["eta"] == "2026-03-01T12:20:00Z"
    assert view["requesters"] == ["+…0142"]
    row.refresh_from_db()
    assert live.load(row) == live.Progress(25.0, 8 * GB, 6 * GB, "2026-03-01T12:20:00Z")


@pytest.mark.parametrize(("has_file", "days"), [(False, 7), (True, 30)])
def test_every_view_ends(radarr: FakeRadarr, has_file: bool, days: int) -> None:
    follow(radarr)
    radarr.movie(155)["hasFile"] = has_file
    tick(NOON)
    limit = days * 24 * 3600
    assert limit - 60 < get_redis_connection("live").ttl(KEY) <= limit
    assert stored()["status"] == ("completed" if has_file else "searching")


def test_no_key_of_ours_lives_for_ever(radarr: FakeRadarr) -> None:
    from django.core.management import call_command

    from downloads import control

    follow(radarr)
    call_command("run_download_monitor", "--once")
    control.want("running")
    redis = get_redis_connection("live")
    keys = redis.keys("*")
    assert len(keys) >= 4
    assert {key: redis.ttl(key) for key in keys if redis.ttl(key) <= 0} == {}


def test_many_views_are_one_round_trip() -> None:
    rows = [Download(tmdb_id=n, title="x", status="searching") for n in range(200)]
    redis = get_redis_connection("live")
    redis.config_resetstat()
    assert live.store(((row, live.Progress(), []) for row in rows), now=NOON)
    assert redis.info("commandstats")["cmdstat_eval"]["calls"] == 1
    assert len(redis.keys("download:*")) == 200
    assert all(0 < redis.ttl(key) <= settings.LIVE_ACTIVE_TTL for key in redis.keys("download:*"))


def test_a_flush_costs_until_the_next_tick(radarr: FakeRadarr) -> None:
    row = follow(radarr)
    radarr.grab(155, NOON)
    tick(NOON)
    row.refresh_from_db()
    get_redis_connection("live").flushall()
    assert live.load(row) == live.Progress()
    tick(NOON + timedelta(seconds=30))
    assert live.load(row).percent == 25.0


@pytest.mark.parametrize(
    "change", [{"generation": 2}, {"status": "completed"}, {"status": "cancelled"}]
)
def test_the_progress_of_another_time_is_not_shown(
    radarr: FakeRadarr, change: dict[str, Any]
) -> None:
    row = follow(radarr)
    radarr.grab(155, NOON)
    tick(NOON)
    Download.objects.update(**change)
    assert live.load(Download.objects.get(pk=row.pk)) == live.Progress()


def test_without_redis_a_tick_does_its_work_and_shows_no_progress(
    radarr: FakeRadarr, redis_server: EmbeddedRedis
) -> None:
    row = follow(radarr)
    radarr.grab(155, NOON)
    redis_server.stop()
    try:
        result = tick(NOON)
        row.refresh_from_db()
        assert (result.changed, result.error, row.status) == (1, "", Status.DOWNLOADING)
        assert live.load(row) == live.Progress()
        assert live.store([(row, live.Progress(), [])], now=NOON) is False
    finally:
        redis_server.start()

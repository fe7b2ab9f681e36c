"""What a tick costs with many films on their way: `python -m benchmarks.tick`.

Every film is in Radarr's queue, and nothing has changed since the tick before: the usual case. The
time that Radarr took to answer is told apart.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests as http

from benchmarks.stack import ROOT, environment, free_port, outside


def main() -> int:
    """Measure each size in a process of its own, with an empty database and a fresh Redis."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[10, 1_000, 10_000])
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure is not None:
        _measure(options.measure)
        return 0
    for size in options.sizes:
        with tempfile.TemporaryDirectory() as folder, outside(queue=size) as services:
            told = environment(services, free_port(), Path(folder))
            command = [sys.executable, "-m", "benchmarks.tick", "--measure", str(size)]
            subprocess.run(command, env=told, cwd=ROOT, check=True)
    return 0


def _measure(size: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "moviesms.settings")
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from moviesms.embedded_redis import EmbeddedRedis

    call_command("migrate", verbosity=0)
    redis = EmbeddedRedis(
        settings.DATA_DIR / "redis", settings.REDIS_SOCKET, settings.REDIS_PASSWORD
    )
    redis.start()
    try:
        _fill(size)
        _tick(size)
    finally:
        redis.stop()


def _fill(size: int) -> None:
    from django.utils import timezone

    from downloads.models import Download, DownloadRequest, Status

    now = timezone.now()
    rows = [
        Download(
            tmdb_id=number,
            title=f"Film {number}",
            year=2000,
            radarr_id=number,
            status=Status.DOWNLOADING,
            generation_started_at=now,
            status_changed_at=now,
        )
        for number in range(1, size + 1)
    ]
    Download.objects.bulk_create(rows)
    DownloadRequest.objects.bulk_create(
        DownloadRequest(
            download=row,
            generation=1,
            requester=f"+1202555{row.pk % 100:04d}",
            announced_at=now,
            origin=f"benchmark:{row.pk}",
        )
        for row in rows
    )


def _tick(size: int, times: int = 5) -> None:
    from django.conf import settings
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from django.utils import timezone

    from downloads.monitor import tick

    seen = settings.TWILIO_API_URL + "/seen"
    before = timezone.now()
    assert not tick(before, last_tick=before).error
    took, radarr, calls = [], [], 0
    with CaptureQueriesContext(connection) as queries:
        for _ in range(times):
            http.get(seen, timeout=10)
            start = time.perf_counter()
            result = tick(timezone.now(), last_tick=before)
            took.append(time.perf_counter() - start)
            told = http.get(seen, timeout=10).json()
            radarr.append(told["spent"])
            calls = told["calls"]
            assert not result.error, result.error
    writes = sum(not query["sql"].startswith("SELECT") for query in queries.captured_queries)
    best = min(range(times), key=lambda number: took[number] - radarr[number])
    print(
        f"{size:6} films: tick {took[best]:.3f} s, of it Radarr {radarr[best]:.3f} s; "
        f"{calls} calls of Radarr, {len(queries) / times:g} SQL statements, "
        f"{writes / times:g} of them writes",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())

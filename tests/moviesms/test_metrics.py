"""`/metrics`, as Prometheus reads it: right after each thing that happened, whoever did it."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from downloads.models import Download
from moviesms import live
from moviesms.breaker import Breaker
from moviesms.embedded_redis import EmbeddedRedis
from moviesms.models import ApiToken
from smsbot.models import InboundMessage, OutboundMessage
from tests.conftest import SAM, Household
from tests.fakes import FakeRadarr

pytestmark = pytest.mark.django_db

Samples = dict[tuple[str, ...], float]


def read(**headers: str) -> Samples:
    """Return what Prometheus gets: name and label values, and the number."""
    key = ApiToken.issue(f"prometheus {ApiToken.objects.count()}", "read")[1]
    asked = {"Authorization": f"Token {key}", **headers}
    response = Client().get("/metrics", headers=asked)
    assert response.status_code == 200
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
    }


def test_a_texts_way_is_counted(household: Household, radarr: FakeRadarr) -> None:
    household.text(SAM, "get the dark knight")
    household.tick()
    radarr.grab(155, timezone.now())
    household.tick()
    radarr.finish(155, timezone.now())
    household.tick(minutes=10)
    found = read()
    assert found["moviesms_texts_received_total",] == 1
    assert found["moviesms_texts", "in", "handled"] == 1
    assert found["moviesms_texts", "out", "sent"] == 3
    assert found["moviesms_texts_made_total", "answer"] == 1
    assert found["moviesms_texts_made_total", "notification"] == 2
    assert found["moviesms_send_attempts_total", "sent"] == 3
    assert found["moviesms_downloads", "completed"] == 1
    assert found["moviesms_requests", "fulfilled"] == 1
    assert found["moviesms_events_total", "completed"] == 1
    assert found["moviesms_events_untold",] == 0
    assert found["moviesms_answer_seconds_count",] == 1
    assert found["moviesms_answer_seconds_bucket", "0.1"] == 1  # the clock stands still
    assert found["moviesms_download_seconds_sum",] == 660
    assert found["moviesms_download_seconds_bucket", "300.0"] == 0
    assert found["moviesms_download_seconds_bucket", "900.0"] == 1
    assert found["moviesms_spent_today", "sms"] == 3
    assert found["moviesms_daily_cap", "sms"] == 500
    assert not [name for name in found if "2025550" in str(name)]


def test_what_waits_has_an_age(household: Household) -> None:
    household.text(SAM, "commands")
    long_ago = timezone.now() - timedelta(minutes=5)
    InboundMessage.objects.update(state="received", received_at=long_ago)
    OutboundMessage.objects.update(status="queued", created_at=long_ago)
    found = read()
    assert found["moviesms_oldest_waiting_text_seconds", "in"] == 300
    assert found["moviesms_oldest_waiting_text_seconds", "out"] == 300
    assert found["moviesms_oldest_waiting_text_seconds", "unknown"] == 0


def test_the_monitors_tick() -> None:
    assert read()["moviesms_monitor_up",] == 0
    call_command("run_download_monitor", "--once")
    found = read()
    assert found["moviesms_monitor_up",] == found["moviesms_monitor_wanted",] == 1
    assert found["moviesms_monitor_last_tick_failed",] == 0
    assert 0 <= found["moviesms_monitor_tick_age_seconds",] < 60
    assert 0 <= found["moviesms_monitor_tick_seconds",] < 60


def test_a_service_that_another_process_leaves_alone() -> None:
    assert read()["moviesms_breaker_open", "openai"] == 0
    Breaker("openai", on_open=live.note_open).failed("TimeoutError", retry_after=30)
    found = read()
    assert (found["moviesms_breaker_open", "openai"], found["moviesms_breaker_open", "tmdb"]) == (
        1,
        0,
    )
    assert 0 < live.call(lambda redis: redis.pttl("breaker:openai")) <= 30_000


def test_without_redis_the_rest_is_still_told(redis_server: EmbeddedRedis) -> None:
    redis_server.stop()
    try:
        found = read()
    finally:
        redis_server.start()
    assert found["moviesms_redis_up",] == 0
    assert found["moviesms_texts_received_total",] == 0
    assert ("moviesms_breaker_open", "openai") not in found


def test_prometheus_is_answered_in_the_format_it_asks_for() -> None:
    key = ApiToken.issue("prometheus", "read")[1]
    accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
    headers = {"Authorization": f"Token {key}", "Accept": accept}
    response = Client().get("/metrics", headers=headers)
    assert response["Content-Type"].startswith("application/openmetrics-text")
    assert response.content.rstrip().endswith(b"# EOF")


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Token wrong"}])
def test_nobody_reads_them_without_a_key(client: Client, headers: dict[str, str]) -> None:
    response = client.get("/metrics", headers=headers)
    assert response.status_code == 401
    assert b"moviesms_" not in response.content


def test_a_scrape_takes_a_bounded_number_of_queries(
    household: Household, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    for number in range(30):
        Download.objects.create(
            tmdb_id=number + 1,
            title="x",
            generation_started_at=timezone.now(),
            status_changed_at=timezone.now(),
        )
    with django_assert_max_num_queries(45):  # type: ignore[operator]
        read()

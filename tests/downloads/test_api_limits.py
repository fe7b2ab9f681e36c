"""How often one caller may call the HTTP interface, and that Redis's absence refuses nobody."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from redis.exceptions import ConnectionError as NoRedis

from moviesms import live
from tests.downloads.test_api import KNIGHT, LIST, MONITOR, Api, make, problem

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _limits(settings: Any) -> None:
    settings.API_READS_PER_MINUTE = 3
    settings.API_WRITES_PER_MINUTE = 1


@pytest.fixture
def minute() -> Any:
    with time_machine.travel(datetime(2026, 3, 1, 12, 0, 20, tzinfo=UTC), tick=False) as clock:
        yield clock


def test_who_calls_too_often_waits_for_the_next_minute(
    minute: time_machine.Traveller,
) -> None:
    api, other = Api(), Api()
    assert [api.get(LIST).status_code for _ in range(3)] == [200] * 3
    refused = api.get(f"{MONITOR}/status")
    assert problem(refused) == (429, "throttled")
    assert refused["Retry-After"] == "40"
    assert other.get(LIST).status_code == 200
    minute.shift(40)
    assert api.get(LIST).status_code == 200


def test_writes_are_counted_by_themselves(minute: time_machine.Traveller) -> None:
    api = Api()
    make()
    assert api.post(f"{KNIGHT}/cancel").status_code == 200
    assert problem(api.post(f"{KNIGHT}/cancel")) == (429, "throttled")
    assert api.get(LIST).status_code == 200


def test_no_limit_counts_nothing(settings: Any) -> None:
    settings.API_READS_PER_MINUTE = 0
    api = Api()
    assert {api.get(LIST).status_code for _ in range(6)} == {200}
    assert live.call(lambda redis: redis.keys("throttle:*")) == []


def test_what_is_counted_is_forgotten() -> None:
    Api().get(LIST)
    [key] = live.call(lambda redis: redis.keys("throttle:*"))
    assert 0 < live.call(lambda redis: redis.ttl(key)) <= 120


def test_without_redis_nobody_is_refused_and_one_time_out_is_all_it_costs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries: list[float] = []

    def unreachable(alias: str) -> Any:
        tries.append(time.monotonic())
        raise NoRedis("timed out")

    monkeypatch.setattr(live, "get_redis_connection", unreachable)
    api = Api()
    assert {api.get(LIST).status_code for _ in range(6)} == {200}
    assert len(tries) == 1


def test_radarrs_webhook_is_never_put_off() -> None:
    api = Api(**{"X-Webhook-Secret": "webhook-secret-for-tests"})
    answers = {api.post("/api/sms/radarr/webhook", {}).status_code for _ in range(5)}
    assert answers == {200}

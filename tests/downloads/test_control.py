"""How the monitor's processes agree: lease, heartbeat, wanted state; with and without Redis."""

import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone
from django_redis import get_redis_connection

from downloads import control, services
from downloads.management.commands import run_download_monitor
from downloads.models import MonitorState
from downloads.monitor import TickResult
from moviesms import claims, live
from moviesms.embedded_redis import EmbeddedRedis
from moviesms.models import Incident
from tests.processes import token_of_the_dead

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ONE, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)
LEASE = "monitor:lease"

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def no_redis(server: EmbeddedRedis) -> AbstractContextManager[None]:
    """Redis is away inside, and back afterwards, whatever happens."""

    @contextmanager
    def away() -> Iterator[None]:
        server.stop()
        try:
            yield
        finally:
            server.start()
            live.breaker.succeeded()

    return away()


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The ticks that the command makes."""
    made: list[datetime] = []

    def tick(now: datetime, *, last_tick: datetime | None) -> TickResult:
        made.append(now)
        return TickResult()

    monkeypatch.setattr(run_download_monitor, "tick", tick)
    return made


# --- the lease ------------------------------------------------------------------------------------


def test_one_of_two_ticks_and_goes_on_doing_so() -> None:
    assert control.take_lease(ONE)
    assert not control.take_lease(OTHER)
    assert control.take_lease(ONE)


def test_the_lease_ends_by_itself_and_is_prolonged_by_its_holder(settings: Any) -> None:
    settings.MONITOR_INTERVAL = 30
    redis = get_redis_connection("live")
    control.take_lease(ONE)
    assert 30_000 < redis.pttl(LEASE) <= 40_000
    redis.pexpire(LEASE, 5_000)
    control.take_lease(OTHER)
    assert redis.pttl(LEASE) <= 5_000
    control.take_lease(ONE)
    assert redis.pttl(LEASE) > 30_000


def test_the_lease_of_a_dead_process_is_the_next_ones_at_once() -> None:
    control.take_lease(token_of_the_dead())
    assert control.take_lease(ONE)
    assert not control.take_lease(OTHER)


def test_a_lease_taken_over_by_the_sweep_wakes_a_monitor() -> None:
    control.take_lease(token_of_the_dead())
    dead = claims.dead_processes()
    with get_redis_connection("live").pubsub(ignore_subscribe_messages=True) as channel:
        channel.subscribe(control.CHANNEL)
        channel.get_message(timeout=1)  # that it has subscribed
        services.take_over(dead, timezone.now())
        assert channel.get_message(timeout=5) is not None
    claims.forget(dead)
    assert control.take_lease(ONE)


def test_a_heartbeat_that_went_with_redis_is_no_silence(redis_server: EmbeddedRedis) -> None:
    """Redis held the newest one; SQL has one that is not too old."""
    now = timezone.now()
    for beat in range(5):
        at = now - timedelta(seconds=30 * (4 - beat))
        with time_machine.travel(at, tick=False):
            control.beat({"at": at.isoformat()})
    with no_redis(redis_server):
        control.watch(now)
    assert not Incident.objects.exists()


def test_the_living_keep_their_lease_when_others_die() -> None:
    control.take_lease(claims.token())
    token_of_the_dead()
    services.take_over(claims.dead_processes(), timezone.now())
    assert not control.take_lease(ONE)


def test_an_expired_lease_is_the_next_ones() -> None:
    control.take_lease(ONE)
    get_redis_connection("live").pexpireat(LEASE, 1)
    assert control.take_lease(OTHER)
    assert not control.take_lease(ONE)


def test_a_lease_given_up_is_free_at_once() -> None:
    control.take_lease(ONE)
    control.give_up_lease(ONE)
    assert control.take_lease(OTHER)


def test_nobody_gives_up_anothers_lease() -> None:
    control.take_lease(ONE)
    control.give_up_lease(OTHER)
    assert not control.take_lease(OTHER)


def test_without_redis_everybody_ticks(redis_server: EmbeddedRedis) -> None:
    with no_redis(redis_server):
        assert control.take_lease(ONE)
        assert control.take_lease(OTHER)
        control.give_up_lease(ONE)


# --- the heartbeat --------------------------------------------------------------------------------


def test_the_heartbeat_lives_in_redis_and_ends(settings: Any) -> None:
    settings.MONITOR_INTERVAL = 30
    for number in range(2):
        at = NOON + timedelta(seconds=30 * number)
        with time_machine.travel(at, tick=False):
            control.beat({"at": at.isoformat(), "leader": f"box:{number}"})
    assert control.last_heartbeat()["leader"] == "box:1"
    assert MonitorState.load().heartbeat["leader"] == "box:0"  # SQL has one now and then
    assert 90 <= get_redis_connection("live").ttl("monitor:heartbeat") <= 120


def test_without_redis_the_heartbeat_goes_to_sql(redis_server: EmbeddedRedis) -> None:
    with no_redis(redis_server):
        control.beat({"at": NOON.isoformat(), "leader": "box:1"})
        assert control.last_heartbeat()["leader"] == "box:1"
    assert MonitorState.load().heartbeat["leader"] == "box:1"


@pytest.mark.parametrize(("redis_is_newer", "leader"), [(True, "redis"), (False, "sql")])
def test_the_newer_heartbeat_counts(redis_is_newer: bool, leader: str) -> None:
    later = NOON + timedelta(seconds=1)
    in_redis, in_sql = (later, NOON) if redis_is_newer else (NOON, later)
    control.beat({"at": in_redis.isoformat(), "leader": "redis"})
    MonitorState.load()
    MonitorState.objects.update(heartbeat={"at": in_sql.isoformat(), "leader": "sql"})
    assert control.last_heartbeat()["leader"] == leader


def test_no_heartbeat_is_no_life() -> None:
    assert control.last_heartbeat() == {}
    assert not control.is_alive({}, NOON)


@pytest.mark.parametrize(
    ("interval", "age", "alive"),
    [(30, 0, True), (30, 90, True), (30, 91, False), (1, 15, True), (1, 16, False)],
)
def test_alive_is_who_beat_within_three_intervals(
    settings: Any, interval: float, age: int, alive: bool
) -> None:
    settings.MONITOR_INTERVAL = interval
    heartbeat = {"at": (NOON - timedelta(seconds=age)).isoformat()}
    assert control.is_alive(heartbeat, NOON) is alive


# --- the wanted state -----------------------------------------------------------------------------


def test_each_wish_has_its_number_and_is_kept_in_sql() -> None:
    first = control.want("stopped")
    assert control.want("running") == first + 1
    assert MonitorState.load().wanted == "running"
    get_redis_connection("live").flushall()
    assert services.monitor_status(NOON)["wanted"] == "running"


def test_a_wish_is_kept_without_redis(redis_server: EmbeddedRedis) -> None:
    with no_redis(redis_server):
        control.want("stopped")
    assert MonitorState.load().wanted == "stopped"


def test_a_wish_and_a_hint_wake_the_monitor() -> None:
    with get_redis_connection("live").pubsub(ignore_subscribe_messages=True) as channel:
        channel.subscribe(control.CHANNEL)
        assert channel.get_message(timeout=1) is None  # the subscription itself
        for wake in (control.wake, lambda: control.want("running"), services.wake_monitor):
            wake()
            assert channel.get_message(timeout=1) is not None


@pytest.mark.parametrize(("seen", "acknowledged"), [(1, False), (2, True), (3, True)])
def test_a_wish_is_acknowledged_by_who_has_seen_it(seen: int, acknowledged: bool) -> None:
    control.beat({"at": NOON.isoformat(), "wanted_version": seen})
    assert control.wait_for_acknowledgement(2, seconds=0) is acknowledged


def test_a_wish_without_a_process_is_kept_and_said() -> None:
    with pytest.raises(services.MonitorNotRunning):
        services.set_monitor("stopped", now=NOON)
    assert MonitorState.load().wanted == "stopped"


def test_a_wish_that_nobody_has_seen_yet_is_not_acknowledged() -> None:
    control.beat({"at": NOON.isoformat(), "wanted_version": 1})
    state = services.set_monitor("stopped", now=NOON, patience=0)
    assert (state["wanted"], state["alive"], state["acknowledged"]) == ("stopped", True, False)


# --- the command ----------------------------------------------------------------------------------


def test_a_pass_ticks_and_says_so(ticks: list[datetime]) -> None:
    call_command("run_download_monitor", "--once", "--interval", "30")
    assert ticks == [NOON]
    beat = control.last_heartbeat()
    assert (beat["at"], beat["last_tick"]) == (NOON.isoformat(), NOON.isoformat())
    assert beat["next_tick"] == (NOON + timedelta(seconds=30)).isoformat()
    assert beat["wanted_version"] == MonitorState.load().wanted_version
    assert beat["result"] == TickResult().as_dict()


def test_a_stopped_monitor_lives_and_does_not_tick(
    ticks: list[datetime], clock: time_machine.Traveller
) -> None:
    version = control.want("stopped")
    call_command("run_download_monitor", "--once")
    assert ticks == []
    assert control.wait_for_acknowledgement(version, seconds=0)
    status = services.monitor_status(NOON)
    assert (status["alive"], status["wanted"], status["next_tick"]) == (True, "stopped", None)


def test_who_has_no_lease_neither_ticks_nor_beats(ticks: list[datetime]) -> None:
    control.take_lease(OTHER)
    call_command("run_download_monitor", "--once")
    assert ticks == []
    assert control.last_heartbeat() == {}

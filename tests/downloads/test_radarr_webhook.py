"""Radarr's Connect webhook: a hint for who knows the secret, and never more than a hint."""

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django_redis import get_redis_connection

from downloads import control
from downloads.models import Download, DownloadEvent
from moviesms.embedded_redis import EmbeddedRedis

URL = "/api/sms/radarr/webhook"
SECRET = "webhook-secret-for-tests"
TEST_EVENT = {"eventType": "Test", "movie": {"id": 1, "title": "Test Title", "tmdbId": 0}}

pytestmark = pytest.mark.django_db


@pytest.fixture
def wakes() -> Iterator[Any]:
    """The wake-ups, as a function that says whether one has come."""
    with get_redis_connection("live").pubsub(ignore_subscribe_messages=True) as channel:
        channel.subscribe(control.CHANNEL)
        channel.get_message(timeout=1)  # the subscription itself
        yield lambda: channel.get_message(timeout=0.2) is not None


def basic(text: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(text.encode()).decode()}"}


def post(client: Client, headers: dict[str, str], body: Any = TEST_EVENT) -> Any:
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    return client.post(URL, text, content_type="application/json", headers=headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Webhook-Secret": SECRET},
        basic(f"radarr:{SECRET}"),
        basic(f":{SECRET}"),
        {"Authorization": basic(f":{SECRET}")["Authorization"].replace("Basic", "BASIC")},
    ],
    ids=["header", "basic", "no user", "shouted"],
)
def test_who_knows_the_secret_wakes_the_monitor(
    client: Client, wakes: Any, headers: dict[str, str]
) -> None:
    response = post(client, headers)
    assert (response.status_code, response.json()) == (200, {"status": "noted"})
    assert wakes()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Webhook-Secret": ""},
        {"X-Webhook-Secret": "wrong"},
        {"X-Webhook-Secret": SECRET + "x"},
        {"X-Webhook-Secret": SECRET[:-1]},
        {"X-Webhook-Secret": "sécret"},
        basic("radarr:wrong"),
        basic(SECRET),
        {"Authorization": "Basic"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic é"},
        {"Authorization": f"Token {SECRET}"},
        {"Authorization": f"Bearer {SECRET}"},
    ],
)
def test_who_does_not_is_refused_and_wakes_nobody(
    client: Client, wakes: Any, headers: dict[str, str]
) -> None:
    response = post(client, headers)
    assert response.status_code == 403
    assert response.json()["code"] == "forbidden"
    assert SECRET not in response.content.decode()
    assert not wakes()


def test_without_a_secret_set_nobody_is_let_in(client: Client, settings: Any) -> None:
    settings.RADARR_WEBHOOK_SECRET = ""
    for headers in ({}, {"X-Webhook-Secret": ""}, basic("radarr:")):
        assert post(client, headers).status_code == 403


@pytest.mark.parametrize(
    "event",
    ["Test", "Grab", "Download", "MovieDelete", "Health", "ManualInteractionRequired", "Beamed"],
)
def test_no_event_changes_anything_by_itself(client: Client, event: str) -> None:
    row = Download.objects.create(
        tmdb_id=155,
        title="The Dark Knight",
        radarr_id=1,
        status="downloading",
        generation_started_at="2026-03-01T12:00:00Z",
        status_changed_at="2026-03-01T12:00:00Z",
    )
    before = Download.objects.values().get()
    body = {"eventType": event, "movie": {"id": 1, "tmdbId": 155}, "downloadId": "D1"}
    assert post(client, {"X-Webhook-Secret": SECRET}, body).status_code == 200
    assert Download.objects.filter(pk=row.pk).values().get() == before
    assert not DownloadEvent.objects.exists()


@pytest.mark.parametrize("body", ["", "{", "[1]", "null", b"\xff\xfe"])
def test_what_it_says_is_not_even_read(client: Client, body: str | bytes) -> None:
    assert post(client, {"X-Webhook-Secret": SECRET}, body).status_code == 200


def test_radarr_may_put_as_well(client: Client) -> None:
    headers = {"X-Webhook-Secret": SECRET}
    assert (
        client.put(URL, "{}", content_type="application/json", headers=headers).status_code == 200
    )
    assert client.put(URL, "{}", content_type="application/json").status_code == 403
    assert client.get(URL, headers=headers).status_code == 405


def test_without_redis_it_is_noted_all_the_same(
    client: Client, redis_server: EmbeddedRedis
) -> None:
    """Radarr mutes a receiver that fails; the tick looks soon enough anyway."""
    redis_server.stop()
    try:
        assert post(client, {"X-Webhook-Secret": SECRET}).status_code == 200
    finally:
        redis_server.start()

"""`/readyz`: the database and its migrations, and nothing that a restart would not mend."""

import pytest
from django.db import OperationalError
from django.test import Client

from moviesms import health
from moviesms.embedded_redis import EmbeddedRedis

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_migrated", False)


def test_ready(client: Client) -> None:
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"ready": True})
    assert "no-store" in response["Cache-Control"]


def test_not_ready_until_the_migrations_are_applied(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = ["smsbot.0009_more"]
    monkeypatch.setattr(health, "unapplied_migrations", lambda: list(missing))
    response = client.get("/readyz")
    assert response.status_code == 503
    assert "manage.py migrate" in response.json()["reason"]
    missing.clear()
    assert client.get("/readyz").status_code == 200


def test_ready_without_redis_and_a_monitor(client: Client, redis_server: EmbeddedRedis) -> None:
    redis_server.stop()
    try:
        assert client.get("/readyz").status_code == 200
    finally:
        redis_server.start()


def test_not_ready_without_the_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    class Down:
        def cursor(self) -> None:
            raise OperationalError("no route to postgresql://user:secret@db")

    monkeypatch.setattr(health, "connection", Down())
    response = client.get("/readyz")
    assert (response.status_code, b"secret" in response.content) == (503, False)

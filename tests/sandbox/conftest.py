"""A sandbox whose clock stands still until a test moves it, and a client that speaks to it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from sandbox import settings as sandbox_settings
from sandbox.config import Config
from sandbox.state import Sandbox, install

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
STEP = 6.0
SAM, ALEX = "+12025550142", "+12025550175"


class World:
    """A sandbox with its clock, and the product's way of calling its services."""

    def __init__(self) -> None:
        self.now = START
        self.box = Sandbox(Config(app_url="http://app.test", step=STEP), clock=lambda: self.now)
        self.config = self.box.config
        self.client = Client(headers={"host": "localhost:8900"})

    def steps(self, count: float) -> None:
        """Move the clock by so many steps of a download."""
        self.now += timedelta(seconds=STEP * count)

    def seconds(self, count: float) -> None:
        """Move the clock."""
        self.now += timedelta(seconds=count)

    def radarr(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Call Radarr's API."""
        return self.client.generic(
            method,
            f"/radarr/api/v3/{path}",
            json.dumps(body),
            content_type="application/json",
            query_params=query,
            headers={"X-Api-Key": self.config.radarr_api_key},
        )

    def add(self, tmdb_id: int = 155, **changes: Any) -> Any:
        """Add a film to Radarr, searching for it."""
        body = {
            "tmdbId": tmdb_id,
            "title": "A title",
            "year": 2008,
            "qualityProfileId": 1,
            "rootFolderPath": "/media/films",
            "monitored": True,
            "minimumAvailability": "released",
            "tags": [],
            "addOptions": {"monitor": "movieOnly", "searchForMovie": True},
        }
        return self.radarr("POST", "movie", body | changes)

    def tmdb(self, path: str, **query: Any) -> Any:
        """Call TMDB's API."""
        headers = {"Authorization": f"Bearer {self.config.tmdb_api_key}"}
        return self.client.get(f"/tmdb/3/{path}", query_params=query, headers=headers)

    def webhooks(self) -> list[dict[str, Any]]:
        """What Radarr has told the product since the last time."""
        return [
            dict(post.json) for post in self.box.outbox.take_due(self.box.advance()) if post.json
        ]


@pytest.fixture
def world(settings: Settings) -> Iterator[World]:
    """The sandbox, served by its own URLs whatever project the tests run under."""
    settings.ROOT_URLCONF = sandbox_settings.ROOT_URLCONF
    settings.MIDDLEWARE = sandbox_settings.MIDDLEWARE
    settings.TEMPLATES = sandbox_settings.TEMPLATES
    settings.ALLOWED_HOSTS = sandbox_settings.ALLOWED_HOSTS
    world = World()
    install(world.box)
    yield world
    install(None)

"""The setup page: it opens at once, each card asks its service, and tells what to do."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from dashboard import setup
from downloads.control import beat
from moviesms import diagnosis
from tests.fakes import FakeRadarr

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    cache.clear()


def card(client: Client, group: str) -> str:
    return client.get(f"/admin/setup/{group}").content.decode()


def test_the_page_asks_no_service_itself(admin_client: Client, radarr: FakeRadarr) -> None:
    html = admin_client.get("/admin/setup/").content.decode()

    assert radarr.calls == []
    for service in setup.SERVICES:
        assert f'hx-get="/admin/setup/{service.group}" hx-trigger="load"' in html


def test_every_group_of_checks_has_a_card() -> None:
    assert {service.group for service in setup.SERVICES} == set(diagnosis.GROUPS)


def test_a_service_that_works_is_green(admin_client: Client) -> None:
    html = card(admin_client, "request")

    assert "Works</p>" in html
    assert "mm-verdict-ok" in html


def test_one_that_does_not_is_red_with_the_reason_and_the_fix(
    admin_client: Client, settings: Settings
) -> None:
    settings.TMDB_API_KEY = ""

    html = card(admin_client, "tmdb")

    assert "Does not work" in html
    assert "TMDB_API_KEY is not set" in html
    assert "docs/configuration.md says more" in html


def test_findings_are_kept_a_while_and_looked_for_anew_when_asked(admin_client: Client) -> None:
    assert "Does not work" in card(admin_client, "monitor")
    now = timezone.now().isoformat()
    beat({"at": now, "last_tick": now, "leader": "here:1", "result": {}})

    assert "Does not work" in card(admin_client, "monitor")
    assert "Works</p>" in admin_client.post("/admin/setup/monitor").content.decode()
    assert "Works</p>" in card(admin_client, "monitor")


def test_a_slow_service_is_cut_off_and_said_to_be(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(*args: Any, **kwargs: Any) -> Iterator[diagnosis.Result]:
        yield diagnosis.Result("ok", "fine", group="radarr", name="Radarr answers")
        raise AssertionError("nothing is begun after the deadline")

    monkeypatch.setattr(setup, "DEADLINE", -1)
    monkeypatch.setattr(diagnosis, "examine", slowly)

    assert "the checks stopped after" in card(admin_client, "radarr")


def test_the_log_of_the_web_server_goes_on_meanwhile(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def look() -> diagnosis.Result:
        seen.append(logging.root.manager.disable)
        return diagnosis.Result("ok", "")

    check = diagnosis.Check("monitor", "the monitor", look)
    monkeypatch.setattr(diagnosis, "CHECKS", (check,))
    card(admin_client, "monitor")

    assert seen == [logging.NOTSET]


def test_a_service_is_connected_by_its_button_and_says_what_was_done(
    admin_client: Client, radarr: FakeRadarr
) -> None:
    assert 'hx-post="/admin/setup/radarr/connect"' in card(admin_client, "radarr")

    first = admin_client.post("/admin/setup/radarr/connect").content.decode()
    again = admin_client.post("/admin/setup/radarr/connect").content.decode()

    assert "Radarr now posts to https://films.example.org/api/sms/radarr/webhook" in first
    assert "posts to https://films.example.org/api/sms/radarr/webhook already" in again


def test_what_cannot_be_connected_says_why_and_what_to_do(
    admin_client: Client, radarr: FakeRadarr, settings: Settings
) -> None:
    settings.RADARR_WEBHOOK_SECRET = ""

    html = admin_client.post("/admin/setup/radarr/connect").content.decode()

    assert "RADARR_WEBHOOK_SECRET is not set" in html
    assert "openssl rand" in html


def test_who_may_only_look_connects_nothing(helper: Client, radarr: FakeRadarr) -> None:
    assert "setup/radarr/connect" not in card(helper, "radarr")
    assert helper.post("/admin/setup/radarr/connect").status_code == 403
    assert admin_posts(radarr) == 0


def admin_posts(radarr: FakeRadarr) -> int:
    return radarr.count("POST", "notification")


def test_a_card_that_there_is_not(admin_client: Client) -> None:
    assert admin_client.get("/admin/setup/toaster").status_code == 404

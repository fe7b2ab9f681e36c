"""Alerts through Apprise: once when an incident starts, once when it ends, none lost."""

from datetime import timedelta

import pytest
from pytest_django import Settings

from moviesms import alerts, incidents
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


class Channel:
    """Apprise, which takes what it is given unless it is told not to."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.works = True

    def notify(self, body: str) -> bool:
        if self.works:
            self.taken.append(body)
        return self.works


@pytest.fixture
def channel(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Channel:
    settings.ALERT_URLS = ["json://alerts.test"]
    channel = Channel()
    monkeypatch.setattr(alerts, "_notify", channel.notify)
    return channel


def test_once_at_the_start_and_once_at_the_end(channel: Channel) -> None:
    for _ in range(3):
        incidents.open_incident("x", "The disk is full.", now=NOON)
        alerts.send_due(NOON)
    assert channel.taken == ["⚠️ The disk is full."]
    for _ in range(3):
        incidents.close_incident("x", now=NOON)
        alerts.send_due(NOON)
    assert channel.taken[1:] == ["✅ Solved: The disk is full."]


def test_one_that_was_not_taken_is_tried_again(channel: Channel) -> None:
    channel.works = False
    incidents.open_incident("x", "The disk is full.", now=NOON)
    alerts.send_due(NOON)
    channel.works = True
    alerts.send_due(NOON + timedelta(seconds=30))  # another may still be at it
    assert channel.taken == []
    alerts.send_due(NOON + timedelta(seconds=61))
    assert len(channel.taken) == 1


def test_what_came_and_went_unseen_is_not_alerted(channel: Channel) -> None:
    incidents.open_incident("x", "The disk is full.", now=NOON)
    incidents.close_incident("x", now=NOON)
    assert alerts.send_due(NOON) == 0


def test_without_addresses_nothing_is_tried(settings: Settings) -> None:
    settings.ALERT_URLS = []
    incidents.open_incident("x", "The disk is full.", now=NOON)
    assert alerts.send_due(NOON) == 0


def test_apprise_takes_an_address_and_says_whether_it_worked(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    import apprise

    said: list[dict[str, str]] = []

    def notify(self: apprise.Apprise, **text: str) -> bool:
        said.append(text)
        return True

    monkeypatch.setattr(apprise.Apprise, "notify", notify)
    settings.ALERT_URLS = ["json://alerts.test"]
    incidents.open_incident("x", "The disk is full.", now=NOON)
    assert alerts.send_due(NOON) == 1
    assert said == [{"title": "moviesms", "body": "⚠️ The disk is full."}]

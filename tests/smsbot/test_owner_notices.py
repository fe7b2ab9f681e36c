"""What the owner must act on: told once when it starts and once when it ends."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from moviesms.incidents import close_incident, open_incident
from moviesms.models import Incident
from smsbot import notifications, replies, sending
from smsbot.models import OutboundMessage
from tests.conftest import ALEX, KIM, SAM, Household
from tests.fakes import FakeRadarr, FakeTwilio, rejected, twilio_error
from tests.test_main_job import ADDED, ASK

KEY = "radarr:refused"
OPENED, CLOSED = "⚠️ The disk is full.", "✅ Solved: The disk is full."


@pytest.fixture(autouse=True)
def owner(settings: Settings) -> str:
    settings.OWNER_PHONE_NUMBERS = [KIM]
    settings.REQUEST_POLICY = "open"
    return KIM


def opens(household: Household) -> None:
    open_incident(KEY, "The disk is full.", now=timezone.now())
    household.work()


def ends(household: Household) -> None:
    close_incident(KEY, now=timezone.now())
    household.work()


def test_an_incident_is_told_once_when_it_opens_and_once_when_it_ends(
    household: Household,
) -> None:
    for _ in range(3):
        opens(household)
        household.clock.shift(timedelta(hours=1))
    assert household.texts_to(KIM) == [OPENED]
    for _ in range(3):
        ends(household)
        household.clock.shift(timedelta(hours=1))
    assert household.texts_to(KIM) == [OPENED, CLOSED]


def test_the_next_incident_of_the_same_matter_is_told_again(household: Household) -> None:
    for _ in range(2):
        opens(household)
        ends(household)
        household.clock.shift(timedelta(hours=1))
    assert household.texts_to(KIM) == [OPENED, CLOSED] * 2


def test_different_matters_are_told_apart(household: Household) -> None:
    opens(household)
    open_incident("tmdb:unusable", "No film can be found.", now=timezone.now())
    household.work()
    assert household.texts_to(KIM) == [OPENED, "⚠️ No film can be found."]


def test_what_was_over_before_it_was_told_is_not_told(household: Household) -> None:
    open_incident(KEY, "The disk is full.", now=timezone.now())
    ends(household)
    assert household.texts_to(KIM) == []


def test_every_owner_is_told(household: Household, settings: Settings) -> None:
    settings.OWNER_PHONE_NUMBERS = [KIM, ALEX]
    opens(household)
    assert household.texts_to(KIM) == household.texts_to(ALEX) == [OPENED]


def test_nobody_else_is_told(household: Household) -> None:
    household.text(SAM, ASK)
    opens(household)
    assert household.texts_to(SAM) == [ADDED]


def test_without_owners_nothing_is_sent(household: Household, settings: Settings) -> None:
    settings.OWNER_PHONE_NUMBERS = []
    opens(household)
    assert household.twilio.sent == []
    assert Incident.objects.get().is_open


def test_a_crash_while_telling_tells_once_in_the_end(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*args: object, **kwargs: object) -> None:
        raise SystemExit

    open_incident(KEY, "The disk is full.", now=timezone.now())
    with monkeypatch.context() as dying:
        dying.setattr(OutboundMessage.objects, "get_or_create", dies)
        with pytest.raises(SystemExit):
            notifications.hand_out(timezone.now())
    household.work()
    household.work()
    assert household.texts_to(KIM) == [OPENED]


def test_two_who_hand_out_tell_once(household: Household) -> None:
    open_incident(KEY, "The disk is full.", now=timezone.now())
    assert notifications.hand_out(timezone.now()) != set()
    assert notifications.hand_out(timezone.now()) == set()


def test_two_who_read_of_it_at_once_tell_once(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_incident(KEY, "The disk is full.", now=timezone.now())
    others: list[set[int]] = []

    def while_another_tells_it(template: str, **context: str) -> str:
        if not others:
            others.append(set())
            others.append(notifications.hand_out(timezone.now()))
        return replies.render(template, **context)

    monkeypatch.setattr("smsbot.notifications.render", while_another_tells_it)
    notifications.hand_out(timezone.now())
    household.work()
    assert household.texts_to(KIM) == [OPENED]


def test_a_radarr_that_refuses_is_told_and_its_mending_too(
    household: Household, radarr: FakeRadarr
) -> None:
    radarr.on_add = rejected("RootFolderPath", "RootFolderExistsValidator")
    household.text(SAM, ASK)
    household.tick()
    household.tick()
    [opened] = household.texts_to(KIM)
    assert opened.startswith("⚠️ Radarr refuses new films")
    radarr.on_add = None
    household.tick(minutes=10)
    assert household.texts_to(KIM)[1:] == [opened.replace("⚠️", "✅ Solved:")]


def test_a_twilio_that_refuses_us_is_told_when_it_takes_texts_again(
    household: Household, twilio: FakeTwilio
) -> None:
    twilio.fail_with(twilio_error(401, 20003))
    household.text(SAM, ASK)
    household.tick()
    assert Incident.objects.get().is_open
    twilio.fail_with(None)
    sending.refused.succeeded()
    household.tick(minutes=10)
    household.tick()
    assert household.texts_to(SAM) == [ADDED]
    assert not Incident.objects.get().is_open
    assert len(household.texts_to(KIM)) == 2

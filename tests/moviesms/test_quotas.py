"""Daily caps: never overshot, a new day opens them, and what happens at the cap."""

from datetime import timedelta

from django.utils import timezone
from pytest_django import Settings

from moviesms import quotas
from moviesms.models import Incident
from smsbot.models import OutboundMessage
from tests.conftest import ALEX, NOON, SAM, Household
from tests.fakes import FakeRadarr

Status = OutboundMessage.Status


def test_an_allowance_is_taken_to_the_last_and_no_further(db: None) -> None:
    assert [quotas.take("x", 3, now=NOON) for _ in range(5)] == [True] * 3 + [False] * 2
    assert quotas.take("x", 3, now=NOON + timedelta(days=1))
    assert quotas.take("y", 0, now=NOON)  # no cap


def test_all_or_none_of_several_allowances(db: None) -> None:
    caps = {"a": 5, "b": 1}
    assert quotas.take_all(caps, now=NOON)
    assert not quotas.take_all(caps, now=NOON)
    assert quotas.used("a", now=NOON) == 1


def test_at_the_cap_replies_are_dropped_and_news_waits_for_tomorrow(
    household: Household, radarr: FakeRadarr, settings: Settings
) -> None:
    household.text(SAM, "Can you get The Dark Knight for me?")
    settings.SMS_DAILY_CAP = 1
    assert household.text(SAM, "status?") == []
    radarr.grab(155, timezone.now())
    radarr.finish(155, timezone.now())
    household.tick()
    assert len(household.texts_to(SAM)) == 1
    reply, news = OutboundMessage.objects.order_by("-id")[:2][::-1]
    assert (reply.status, reply.failure) == (Status.SUPPRESSED, "daily cap")
    assert news.status == Status.QUEUED
    assert Incident.objects.filter(key="sms:cap", closed_at=None).exists()
    household.tick(days=1)
    assert household.texts_to(SAM)[1:] == [
        "🎉 The Dark Knight (2008) is ready to watch! Enjoy your movie!"
    ]


def test_one_persons_cap_is_not_anothers(household: Household, settings: Settings) -> None:
    settings.SMS_DAILY_CAP_PER_CONTACT = 1
    assert len(household.text(SAM, "?")) == 1
    assert household.text(SAM, "?") == []
    assert len(household.text(ALEX, "?")) == 1
    [cap] = Incident.objects.filter(closed_at=None)
    assert "to +1…0142" in cap.summary  # and the others' texts do not solve it
    household.clock.shift(timedelta(days=1))
    assert len(household.text(SAM, "?")) == 1
    assert not Incident.objects.filter(closed_at=None).exists()


def test_the_owner_hears_of_the_cap_all_the_same(household: Household, settings: Settings) -> None:
    settings.OWNER_PHONE_NUMBERS = [ALEX]
    settings.REQUEST_POLICY = "open"
    settings.SMS_DAILY_CAP = 1
    household.text(SAM, "?")
    household.text(SAM, "?")
    household.work()
    assert any("cap on texts is reached" in text for text in household.texts_to(ALEX))


def test_the_text_that_tells_an_owner_of_their_cap_does_not_end_it(
    household: Household, settings: Settings
) -> None:
    settings.OWNER_PHONE_NUMBERS = (SAM,)
    household.text(SAM, "Can you get The Dark Knight for me?")
    settings.SMS_DAILY_CAP_PER_CONTACT = 1
    household.text(SAM, "status?")
    household.work()
    told = OutboundMessage.objects.filter(purpose=OutboundMessage.Purpose.OWNER)
    assert [message.status for message in told] == [Status.SENT]
    assert Incident.objects.get(key__startswith="sms:cap:").closed_at is None

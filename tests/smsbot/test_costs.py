"""What texts cost: the segments that a carrier bills, counted when sent and summed by month."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from smsbot import costs
from smsbot.models import Contact, OutboundMessage
from tests.conftest import Household
from tests.fakes import twilio_error

SAM = "+12025550142"
ANNA = "+12025550143"


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def sent(day: str, segments: int) -> None:
    """Make a text that was sent on a day."""
    at = timezone.make_aware(timezone.datetime.fromisoformat(day))  # type: ignore[attr-defined]
    contact, _ = Contact.objects.get_or_create(address=SAM)
    OutboundMessage.objects.create(
        contact=contact, text="x", purpose="answer", created_at=at, sent_at=at, segments=segments
    )


def test_a_text_is_counted_as_the_carrier_bills_it(household: Household) -> None:
    """An emoji makes a segment hold 70 characters in place of 160."""
    (answer,) = household.text(SAM, "get The Dark Knight")
    message = OutboundMessage.objects.get(text=answer)
    assert message.sent_at is not None
    assert message.segments == -(-(len(answer) + 1) // 67)  # the emoji counts twice


def test_a_plain_text_costs_less(household: Household, settings: Settings) -> None:
    household.text(SAM, "get The Dark Knight")
    settings.SMS_STYLE = "plain"
    household.text(ANNA, "get The Matrix")
    rich, plain = OutboundMessage.objects.order_by("id").values_list("segments", flat=True)
    assert (rich, plain) == (2, 1)


def test_a_text_that_twilio_refused_is_not_billed(household: Household) -> None:
    household.twilio.broken = twilio_error(400, 21614)
    household.text(SAM, "get The Dark Knight")
    assert OutboundMessage.objects.get().status == "failed"
    assert costs.months(timezone.now()) == []


@pytest.mark.django_db
def test_the_months_are_those_of_the_owners_time_zone(settings: Settings) -> None:
    settings.TIME_ZONE = "America/New_York"
    timezone.deactivate()
    for day, segments in (("2026-10-31T23:30", 3), ("2026-11-01T00:30", 2), ("2026-11-09", 1)):
        sent(day, segments)
    now = timezone.make_aware(timezone.datetime(2026, 11, 22))  # type: ignore[attr-defined]
    assert costs.months(now) == [
        costs.Month(date(2026, 11, 1), texts=2, segments=3),
        costs.Month(date(2026, 10, 1), texts=1, segments=3),
    ]
    assert len(costs.months(now, most=1)) == 1


@pytest.mark.django_db
def test_twelve_months_are_shown_and_no_more() -> None:
    for month in ("2024-12-31", "2025-01-01", "2025-12-31"):
        sent(month, 1)
    now = timezone.make_aware(timezone.datetime(2025, 12, 31))  # type: ignore[attr-defined]
    assert [month.first for month in costs.months(now)] == [date(2025, 12, 1), date(2025, 1, 1)]


@pytest.mark.django_db
def test_the_bill_is_estimated_when_there_is_a_price(settings: Settings) -> None:
    sent("2026-11-09", 250)
    now = timezone.make_aware(timezone.datetime(2026, 11, 22))  # type: ignore[attr-defined]
    assert costs.months(now)[0].cost is None
    settings.SMS_SEGMENT_COST = Decimal("0.0108")
    assert costs.months(now)[0].cost == Decimal("2.70")


def test_the_admin_shows_segments_and_the_months_bill(
    household: Household, admin_client: Client, settings: Settings
) -> None:
    household.text(SAM, "get The Dark Knight")
    page = reverse("admin:smsbot_outboundmessage_changelist")
    without = admin_client.get(page).content.decode()
    assert "1 text<" in without
    assert "2 segments<" in without
    assert "SMS_SEGMENT_COST" in without
    settings.SMS_SEGMENT_COST, settings.SMS_CURRENCY = Decimal("0.5"), "EUR"
    assert "about 1.00 EUR" in admin_client.get(page).content.decode()


def test_an_empty_admin_shows_no_bill(admin_client: Client) -> None:
    page = admin_client.get(reverse("admin:smsbot_outboundmessage_changelist"))
    assert "Sent by month" not in page.content.decode()


def test_what_was_counted_stays_when_the_text_is_sent_later(household: Household) -> None:
    household.text(SAM, "get The Dark Knight")
    first = OutboundMessage.objects.get()
    household.clock.shift(timedelta(days=1))
    household.text(SAM, "thanks")
    first.refresh_from_db()
    assert first.segments == 2

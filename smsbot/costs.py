"""What the texts cost: carriers bill by the segment, so the segments sent are counted by month."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.conf import settings
from django.db.models import Count, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone

from smsbot.models import OutboundMessage


@dataclass(frozen=True)
class Month:
    """The texts that Twilio took in a calendar month of TZ, by its first day."""

    first: date
    texts: int
    segments: int

    @property
    def cost(self) -> Decimal | None:
        """The estimate of the bill, in SMS_CURRENCY; None while SMS_SEGMENT_COST is not set."""
        return estimate(self.segments)


def months(now: datetime, *, most: int = 12) -> list[Month]:
    """Return the months with texts among the latest `most` calendar months, newest first."""
    this = timezone.localtime(now).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    since = this.year * 12 + this.month - most
    first = this.replace(year=since // 12, month=since % 12 + 1)
    rows = (
        OutboundMessage.objects.filter(sent_at__gte=first)
        .annotate(month=TruncMonth("sent_at"))
        .values("month")
        .annotate(texts=Count("id"), billed=Sum("segments"))
        .order_by("-month")
    )
    return [Month(row["month"].date(), row["texts"], row["billed"]) for row in rows]


def estimate(segments: int) -> Decimal | None:
    """Return what `segments` cost by SMS_SEGMENT_COST, to the cent; None while it is not set."""
    price: Decimal = settings.SMS_SEGMENT_COST
    return (segments * price).quantize(Decimal("0.01")) if price else None

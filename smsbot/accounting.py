"""What texts and the model have cost: what the owner's statistics count."""

from dataclasses import dataclass
from datetime import date, datetime

from moviesms.models import Quota
from smsbot.models import OutboundMessage


@dataclass(frozen=True)
class SentText:
    """One text that Twilio took, and what a carrier bills for it."""

    pk: int
    at: datetime
    address: str
    template: str
    status: str
    segments: int


@dataclass(frozen=True)
class ModelDay:
    """What the model was asked on one day of the household."""

    day: date
    calls: int
    tokens: int


def sent_texts(since: datetime, until: datetime) -> list[SentText]:
    """Return the texts that Twilio took in [since, until), oldest first."""
    rows = OutboundMessage.objects.filter(sent_at__gte=since, sent_at__lt=until)
    facts = rows.order_by("id").values_list(
        "id", "sent_at", "contact__address", "template", "status", "segments"
    )
    return [
        SentText(pk, at, address, template or "by hand", status, billed)
        for pk, at, address, template, status, billed in facts
        if at is not None
    ]


def model_days(since: date, until: date) -> list[ModelDay]:
    """Return the model's use of each day in [since, until) that had any, oldest first."""
    keys = ("openai:calls", "openai:tokens")
    rows = Quota.objects.filter(key__in=keys, day__gte=since, day__lt=until)
    used = {(row.day, row.key): row.used for row in rows}
    return [
        ModelDay(day, *(used.get((day, key), 0) for key in keys))
        for day in sorted({day for day, _ in used})
    ]

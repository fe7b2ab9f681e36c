"""Daily caps on what costs money: counted in SQL by one conditional UPDATE, never overshot.

A day is a calendar day of the household (TZ). A cap of 0 means none.
"""

from datetime import datetime, time, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from moviesms.models import Quota


def take(key: str, cap: int, *, now: datetime, amount: int = 1) -> bool:
    """Take `amount` from today's allowance of `key` if it is there; say whether it was."""
    if not cap:
        return True
    return _count(key, amount, now, used__lte=cap - amount)


def take_all(caps: dict[str, int], *, now: datetime) -> bool:
    """Take one from each allowance, or from none of them."""
    with transaction.atomic():
        if all(take(key, cap, now=now) for key, cap in caps.items()):
            return True
        transaction.set_rollback(True)
    return False


def note(key: str, amount: int, *, now: datetime) -> None:
    """Count what is known only afterwards (tokens); it may pass the cap by one call."""
    _count(key, amount, now)


def _count(key: str, amount: int, now: datetime, **condition: int) -> bool:
    """Add to today's row where `condition` holds; the day's first to count makes the row."""
    today = Quota.objects.filter(key=key, day=timezone.localdate(now))
    add = {"used": F("used") + amount}
    if today.filter(**condition).update(**add):
        return True
    _, is_new = Quota.objects.get_or_create(key=key, day=timezone.localdate(now))
    return is_new and bool(today.filter(**condition).update(**add))


def used(key: str, *, now: datetime) -> int:
    """Return how much of today's allowance is gone."""
    row = Quota.objects.filter(key=key, day=timezone.localdate(now)).first()
    return row.used if row else 0


def window_opens(now: datetime) -> datetime:
    """Return when the next day's allowance begins."""
    tomorrow = timezone.localdate(now) + timedelta(days=1)
    return timezone.make_aware(datetime.combine(tomorrow, time.min))

"""Alerts to the owner beside SMS, through Apprise: ALERT_URLS names e-mail, ntfy, Telegram, ….

Each incident is alerted once when it starts and once when it ends. An alert is claimed under a
short lease and noted after it was taken, so that a crash repeats one rather than losing it.
"""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db.models import Q

from moviesms.models import Incident

log = structlog.get_logger(__name__)

_LEASE = timedelta(seconds=60)
_TRY_FOR = timedelta(days=1)


def send_due(now: datetime) -> int:
    """Alert of incidents that have started or ended; return how many alerts were taken."""
    if not settings.ALERT_URLS:
        return 0
    young = Incident.objects.filter(
        Q(opened_at__gte=now - _TRY_FOR) | Q(closed_at__gte=now - _TRY_FOR)
    )
    opened = young.filter(opening_alerted_at=None, closed_at=None)
    closed = young.filter(
        opening_alerted_at__isnull=False, closed_at__isnull=False, closing_alerted_at=None
    )
    return sum(_alert(one, "opening_alerted_at", "⚠️ ", now) for one in opened) + sum(
        _alert(one, "closing_alerted_at", "✅ Solved: ", now) for one in closed
    )


def _alert(incident: Incident, field: str, mark: str, now: datetime) -> bool:
    free = Q(alert_lease=None) | Q(alert_lease__lt=now)
    mine = Incident.objects.filter(free, pk=incident.pk, **{field: None})
    if not mine.update(alert_lease=now + _LEASE):
        return False
    taken = _notify(mark + incident.summary)
    if taken:
        Incident.objects.filter(pk=incident.pk).update(**{field: now, "alert_lease": None})
    return taken


def _notify(body: str) -> bool:
    """Hand one alert to Apprise; False when not every address took it."""
    import apprise

    channel = apprise.Apprise()
    for url in settings.ALERT_URLS:
        channel.add(url)
    taken = bool(channel.notify(title="moviesms", body=body))
    if not taken:
        log.warning("alert not taken")
    return taken

"""Open and close incidents: what the owner must act on, told once per incident and once at its end.

Keys name the thing that is wrong (`radarr:unauthorized`), so that a fault seen a thousand times is
one incident. `smsbot.notifications` tells the owner; `/healthz` and the log show it too.
"""

from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import QuerySet

from moviesms.models import Incident

REPORTED = "issue:"
"""How the keys of what a person said of a film begin: for the owner, and no fault of ours."""

log = structlog.get_logger(__name__)


def open_faults() -> QuerySet[Incident]:
    """Return the open incidents that say that something of ours, or a service, is not well."""
    return Incident.objects.filter(closed_at=None).exclude(key__startswith=REPORTED)


def open_incident(key: str, summary: str, *, now: datetime) -> bool:
    """Make sure an incident is open under `key`; return True when it was not yet."""
    if Incident.objects.filter(key=key, closed_at=None).exists():
        return False
    with transaction.atomic():
        _, opened = Incident.objects.get_or_create(
            key=key, closed_at=None, defaults={"summary": summary[:300], "opened_at": now}
        )
    if opened:
        log.warning("incident opened", key=key, summary=summary)
    return opened


def close_incident(*keys: str, now: datetime) -> bool:
    """Close what is open under any of `keys`; return True when there was something to close."""
    found = Incident.objects.filter(key__in=keys, closed_at=None).order_by()
    closed = [
        key
        for key in found.values_list("key", flat=True)
        if Incident.objects.filter(key=key, closed_at=None).update(closed_at=now)
    ]
    for key in closed:
        log.info("incident closed", key=key)
    return bool(closed)

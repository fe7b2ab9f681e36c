"""The work that a worker does. A task carries a row's id as a hint; the row decides.

When publishing fails nothing is lost: the sweep of the monitor's process finds the row.
"""

from typing import Any

import structlog
from django.conf import settings
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from downloads import services
from moviesms.celery import app
from moviesms.live import breaker
from smsbot import notifications, processing, sending

log = structlog.get_logger(__name__)


@app.task
def process_inbound(inbound_id: int) -> None:
    """Answer one inbound message and then what waits behind it, and send the answers."""
    processing.process_line(inbound_id)
    services.watch_monitor(timezone.now())


@app.task
def hand_out() -> None:
    """Turn events into texts and send them."""
    for contact_id in notifications.hand_out(timezone.now()):
        sending.deliver_line(contact_id)


def hand_over(task: Any, *args: int) -> None:
    """Publish a task; a broker that does not answer at once is left to the sweep."""
    if breaker.is_open:
        return
    try:
        task.apply_async(args=args, retry=False)
    except (OperationalError, RedisError, OSError) as error:
        breaker.failed(type(error).__name__, retry_after=settings.REDIS_RETRY_AFTER)
    else:
        breaker.succeeded()


def hand_out_events() -> None:
    """Have new events told soon: the downloads call this by the setting DOWNLOADS_ON_EVENTS."""
    hand_over(hand_out)

"""The work itself, whoever does it: a Celery worker, threads of a small box, or the sweep.

An id is a hint; the row decides what there is to do.
"""

from django.utils import timezone

from downloads import services
from smsbot import handover, notifications, processing, sending


def process_inbound(inbound_id: int) -> None:
    """Answer one inbound message and then what waits behind it, and send the answers.

    Whoever has done so hands over another one that has waited too long: so many at work, so many
    go on, until a backlog is worked off.
    """
    if processing.process_line(inbound_id):
        for other in processing.overdue(timezone.now(), 1):
            handover.inbound(other)
    services.watch_monitor(timezone.now())


def hand_out() -> None:
    """Turn events into texts and send them."""
    for contact_id in notifications.hand_out(timezone.now()):
        sending.deliver_line(contact_id)


def deliver(contact_id: int) -> None:
    """Send what waits for a contact."""
    sending.deliver_line(contact_id)

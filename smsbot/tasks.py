"""What a Celery worker runs: `smsbot.work`, by name. A task carries rows' ids and no more."""

from moviesms.celery import app
from smsbot import handover, work


@app.task
def process_inbound(*inbound_ids: int) -> None:
    """See `work.process_inbound`. Texts of a burst come together, and none waits for another."""
    handover.side_by_side(work.process_inbound, inbound_ids)


@app.task
def hand_out() -> None:
    """See `work.hand_out`."""
    work.hand_out()


@app.task
def deliver(contact_id: int) -> None:
    """See `work.deliver`."""
    work.deliver(contact_id)

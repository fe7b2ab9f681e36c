"""What a Celery worker runs: `smsbot.work`, by name. A task carries a row's id and nothing else."""

from moviesms.celery import app
from smsbot import work


@app.task
def process_inbound(inbound_id: int) -> None:
    """See `work.process_inbound`."""
    work.process_inbound(inbound_id)


@app.task
def hand_out() -> None:
    """See `work.hand_out`."""
    work.hand_out()

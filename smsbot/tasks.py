"""What a Celery worker runs: `smsbot.work`, by name. A task carries rows' ids and no more."""

from typing import Any

from celery.signals import task_prerun
from django.db import close_old_connections

from moviesms.celery import app
from smsbot import handover, work


@task_prerun.connect
def drop_a_dead_connection(**_: Any) -> None:
    """Begin a task as a request begins: a connection lasts from one to the next while it lives."""
    close_old_connections()


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

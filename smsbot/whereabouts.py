"""Where a film is: answers to "status?" from what is measured, and never from hope."""

from datetime import datetime
from typing import Any

from django.utils import formats

from downloads import services
from smsbot.models import Contact
from smsbot.reply import Reply, say


def status(contact: Contact) -> Reply:
    """Say what the person waits for, and what became ready not long ago."""
    lines = [_line(download) for download in services.requests_of(contact.address)]
    if not lines:
        return say("status_empty")
    return say("status", lines=lines)


def _line(download: Any) -> dict[str, str]:
    percent = services.progress(download).percent
    words = {
        "requested": "saved, will be added soon",
        "searching": "still looking for it" if download.problem else "looking for it",
        "waiting": "not out yet" + _from_date(download.reason),
        "downloading": "on its way" + (f", {percent:.0f}% done" if percent is not None else ""),
        "importing": "almost ready",
        "completed": "ready to watch",
        "failed": "couldn't be got",
        "cancelled": "cancelled",
    }[download.status]
    if download.status in ("downloading", "importing") and download.problem:
        words = "taking longer than usual, something is in the way"
    return {"film": download.name, "words": words}


def _from_date(iso: str) -> str:
    if not iso:
        return ""
    date = datetime.fromisoformat(iso).date()
    return f", expected {formats.date_format(date, 'j F Y')}"

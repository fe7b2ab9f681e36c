"""Watching what the owner must act on and no request would show: a disk that fills up."""

import shutil
from datetime import datetime

from django.conf import settings

from moviesms.incidents import close_incident, open_incident

_LEAST_FREE = 500 * 1024 * 1024
"""What a database, its log and a backup need, in bytes."""


def look(now: datetime) -> None:
    """Open or close the incident of a data folder that is nearly full."""
    free = shutil.disk_usage(settings.DATA_DIR).free
    if free < _LEAST_FREE:
        summary = (
            f"The disk that holds moviesms's data has {free // 1024**2} MB left. Without room no "
            "text can be stored."
        )
        open_incident("disk:full", summary, now=now)
    elif free > 2 * _LEAST_FREE:
        close_incident("disk:full", now=now)

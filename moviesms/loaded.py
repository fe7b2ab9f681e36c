"""What web server, worker and monitor have in common: loaded once, and then forked.

`manage.py up` runs all three on one machine. Three programs that load Django each take three times
the memory and, after a crash, the time.
"""

import gc
import os
from collections.abc import Iterable
from importlib import import_module

import django
from django.conf import settings
from django.db import connections

from moviesms.environment import database_options

_WEB = ("granian.cli", "django.core.wsgi", "moviesms.urls")
_MONITOR = ("downloads.management.commands.run_download_monitor", "smsbot.sweep")
_MODULES: dict[str, tuple[str, ...]] = {
    "web": _WEB,
    "worker": (
        "smsbot.tasks",
        "celery.bin.celery",
        "celery.worker",
        "celery.concurrency.thread",
        "kombu.transport.redis",
    ),
    "monitor": _MONITOR,
    "small": (*_WEB, *_MONITOR),
}


def load(roles: Iterable[str]) -> None:
    """Load what processes of these roles need. Starts no thread and opens no connection."""
    django.setup()
    names = [name for role in roles for name in _MODULES[role]]
    if settings.OPENAI_API_KEY:
        names.append("openai")  # nearly a second, which the first text would wait for
    for name in names:
        import_module(name)
    connections.close_all()
    gc.collect()
    gc.freeze()  # a collection in a fork would copy every page that it looks at


def take_role() -> None:
    """In a fork: have the settings that depend on MOVIESMS_ROLE follow what it is now."""
    settings.WORK_IN_THREADS = os.environ["MOVIESMS_ROLE"] == "small"
    database = settings.DATABASES["default"]
    database["OPTIONS"] = database_options(
        database["ENGINE"], settings.DATABASE_URL_OPTIONS, os.environ["MOVIESMS_ROLE"]
    )

"""The Celery application: it carries a row's id to a worker, nothing more."""

import os
import sys
import warnings

from celery import Celery
from celery.signals import setup_logging

# `celery -A moviesms.celery worker` is the worker; anything else that imports this only publishes.
if "worker" in sys.argv[1:]:
    os.environ.setdefault("MOVIESMS_ROLE", "worker")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "moviesms.settings")

# Running as root is common in a container, and not Celery's to judge.
warnings.filterwarnings("ignore", "You're running the worker")

# Who listens to this sets up the logs: Django has, and Celery would put its own level in place.
setup_logging.connect(lambda **_: None, weak=False)

app = Celery("moviesms")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

"""The application that granian's one worker loads, with the thread that posts to the product."""

import os

import django
from django.core.handlers.wsgi import WSGIHandler

# Set, not defaulted: the product's own settings may stand in the environment.
os.environ["DJANGO_SETTINGS_MODULE"] = "sandbox.settings"
django.setup(set_prefix=False)

from sandbox.courier import Courier  # noqa: E402 (Django must be set up first)
from sandbox.state import current  # noqa: E402

application = WSGIHandler()
Courier(current()).start()

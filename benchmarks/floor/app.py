"""A bare Django view that checks Twilio's signature and does one durable insert.

`granian --interface wsgi benchmarks.floor.app:application`, with FLOOR_DATABASE (a file),
FLOOR_TOKEN and FLOOR_URL (what is signed) in the environment.
"""

import os
import sqlite3

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path
from twilio.request_validator import RequestValidator

settings.configure(
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="floor",
    USE_TZ=True,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ["FLOOR_DATABASE"],
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 2,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
            },
        }
    },
)
django.setup()

from django.db import connection  # noqa: E402  (needs the settings)

_validator = RequestValidator(os.environ["FLOOR_TOKEN"])
_URL = os.environ["FLOOR_URL"]


def webhook(request: HttpRequest) -> HttpResponse:
    """Take a text."""
    form = request.POST.dict()
    if not _validator.validate(_URL, form, request.headers.get("X-Twilio-Signature", "")):
        return HttpResponse(status=403)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT OR IGNORE INTO message (sid, sender, body) VALUES (%s, %s, %s)",
            [form["MessageSid"], form["From"], form["Body"]],
        )
    answer = "<Response/>"
    return HttpResponse(answer, content_type="text/xml", headers={"Content-Length": len(answer)})


urlpatterns = [path("api/sms/webhook", webhook)]


def prepare(database: str) -> None:
    """Make the table."""
    with sqlite3.connect(database) as made:
        made.execute("CREATE TABLE message (id INTEGER PRIMARY KEY, sid UNIQUE, sender, body)")


application = get_wsgi_application()

"""Django's settings for the sandbox: no database, no sessions, no installed apps."""

import secrets
from pathlib import Path

DEBUG = False
# Signs nothing that outlives the process.
SECRET_KEY = secrets.token_urlsafe(32)
# sandbox.guard.Guard decides about hosts.
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "sandbox.urls"
MIDDLEWARE = ["sandbox.guard.Guard"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).with_name("templates")],
    }
]
INSTALLED_APPS: list[str] = []
DATABASES: dict[str, object] = {}
USE_TZ = True
APPEND_SLASH = False

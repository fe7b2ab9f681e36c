"""The WSGI application, served by granian."""

import os

os.environ.setdefault("MOVIESMS_ROLE", "web")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "moviesms.settings")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

"""`manage.py prepare`: the step before `manage.py up --only …`, made once for all processes."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from moviesms.preparing import prepare_database


class Command(BaseCommand):
    help = (
        "Applies the migrations and makes the first admin, whose password it prints, and ends. "
        "`manage.py up` does this itself; `manage.py up --only …` leaves it to this command, so "
        "that it is done once and not by each of several processes. It may be run again."
    )
    requires_system_checks: list[str] = []  # a database can be prepared however services are set
    requires_migrations_checks = False

    def handle(self, *args: Any, **options: Any) -> None:
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
        prepare_database(self.stdout.write)
        self.stdout.write("The database is ready.")

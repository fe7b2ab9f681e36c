"""`manage.py demo_data`: a year of believable history, to try the pages with and to undo."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from dashboard import demo, demo_rows
from dashboard.models import DemoYear
from moviesms.at_sandbox import kind_of


class Command(BaseCommand):
    help = (
        "Fill the database with a year of a made-up household: people, texts, films, failures. "
        "Refuses where there is real data or a real service. --remove undoes exactly what it made."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--remove", action="store_true", help="delete what was made")
        parser.add_argument(
            "--force",
            action="store_true",
            help="also beside real data or services: the monitor follows the made-up films, and "
            "texts about them go to numbers that nobody has",
        )
        parser.add_argument(
            "--seed", type=int, default=7, help="another number makes another year (default 7)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["remove"]:
            self._remove()
            return
        if DemoYear.objects.exists():
            raise CommandError("The made-up year is there already; --remove deletes it.")
        if not options["force"]:
            _refuse_what_is_real()
        made = demo.make(now=timezone.now(), seed=options["seed"], tell=self.stdout.write)
        rows = ", ".join(f"{count} {label.partition('.')[2]}s" for label, count in made.items())
        self.stdout.write(self.style.SUCCESS(f"Made {rows}."))
        self.stdout.write("manage.py demo_data --remove deletes them again.")

    def _remove(self) -> None:
        if not DemoYear.objects.exists():
            raise CommandError("There is nothing of a made-up year here.")
        gone, kept = demo_rows.remove()
        self.stdout.write(self.style.SUCCESS(f"Deleted {gone} rows."))
        if kept:
            self.stdout.write(f"{kept} stay, since real rows refer to them.")


def _refuse_what_is_real() -> None:
    if kind_of(settings.DATA_DIR) == "sandbox" and not settings.TWILIO_ACCOUNT_SID:
        return  # what anybody texted there is as made up as this
    rows = demo_rows.real_rows()
    if rows:
        raise CommandError(
            f"There is real data here ({rows} rows); --force adds to it all the same."
        )
    if settings.TWILIO_ACCOUNT_SID and not settings.TWILIO_API_URL:
        raise CommandError(
            "Twilio is configured: texts would be sent. --force does it all the same."
        )

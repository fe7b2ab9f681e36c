"""`manage.py connect radarr|twilio`: have a service post to us what we wait for."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError, CommandParser

from downloads import services
from moviesms.connected import CannotConnect, Change, Connected
from smsbot import connecting

_WORDS = {
    Change.MADE: ("{} now posts to {}", "{} would post to {}"),
    Change.CHANGED: ("{} now posts to {}, as it must", "{} would post to {}, as it must"),
    Change.UNCHANGED: ("{} posts to {} already; nothing to change",) * 2,
    Change.REMOVED: ("{} no longer posts to {}", "{} would no longer post to {}"),
    Change.ABSENT: ("{} does not post to {}; nothing to remove",) * 2,
}

Work = Callable[..., Connected]


class Command(BaseCommand):
    help = (
        "Has Radarr post its events, or Twilio the number's texts, to this moviesms, by their own "
        "API. It says what it did, and may be run again at any time. moviesms must be running: "
        "Radarr tries the address at once. `manage.py disconnect` undoes it."
    )
    work: dict[str, Work] = {
        "radarr": services.connect_radarr,
        "twilio": connecting.connect_twilio,
    }

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("service", choices=sorted(self.work))
        parser.add_argument(
            "--address",
            default="",
            help="scheme and host of this moviesms as the service reaches it, such as "
            "http://192.168.1.20:8000 (default: PUBLIC_URL; for a Radarr on this machine, the "
            "loopback address)",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be done, and do nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        address, dry_run = _address(options["address"]), options["dry_run"]
        try:
            done = self.work[options["service"]](address, dry_run=dry_run)
        except CannotConnect as error:
            raise CommandError(f"{error}\n→ {error.fix}") from error
        except services.ServiceError as error:
            raise CommandError(f"{error}\n→ {_fix(error)}") from error
        words = _WORDS[done.change][dry_run]
        self.stdout.write(words.format(done.service, done.address) + ".")
        for detail in done.details:
            self.stdout.write(f"  {detail}")


def _address(text: str) -> str:
    parts = urlsplit(text)
    if text and (
        parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/")
    ):
        raise CommandError("--address is scheme and host alone, such as http://192.168.1.20:8000.")
    return text


def _fix(error: services.ServiceError) -> str:
    if error.code == "not_configured":
        return "Set RADARR_URL and RADARR_API_KEY; docs/configuration.md says more."
    if error.code == "unauthorized":
        return "Copy the key from Radarr, Settings › General › API Key, into RADARR_API_KEY."
    return "Check RADARR_URL and that Radarr runs there; it is safe to run this twice."

"""`manage.py create_api_token`: make, list and revoke the keys to the HTTP interface."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError, transaction
from django.utils import timezone

from moviesms.models import ApiToken

_LONGEST_NAME = 80


class Command(BaseCommand):
    help = (
        "Makes a key to the HTTP interface and prints it, this once: only its hash is kept. "
        "Whoever has it sends the header `Authorization: Token <key>`."
    )
    requires_system_checks: list[str] = []  # they say nothing about a key

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="?", help="who or what will use the key")
        parser.add_argument(
            "--scope",
            choices=ApiToken.Scope.values,
            help="what the key allows: reading alone, or writing too (default: read; with "
            "--replace, what the old one allowed)",
        )
        instead = parser.add_mutually_exclusive_group()
        instead.add_argument(
            "--replace", action="store_true", help="revoke the key of that name, and make a new one"
        )
        instead.add_argument("--list", action="store_true", help="list the keys that were made")
        instead.add_argument("--revoke", metavar="NAME", help="revoke the key of that name")

    def handle(self, *args: Any, **options: Any) -> None:
        others = options["list"] or options["revoke"] is not None
        if others == (options["name"] is not None):
            raise CommandError("Give a NAME, or --list, or --revoke NAME.", returncode=2)
        if options["list"]:
            self._list()
        elif others:
            self._revoke(options["revoke"])
        else:
            self._create(options["name"], options["scope"], replace=options["replace"])

    def _create(self, name: str, scope: str | None, *, replace: bool) -> None:
        if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
            raise CommandError(f"A name has 1 to {_LONGEST_NAME} printable characters.")
        try:
            with transaction.atomic():
                old = _set_aside(name) if replace else None
                scope = scope or (old.scope if old else ApiToken.Scope.READ.value)
                _, key = ApiToken.issue(name, scope)
        except IntegrityError as error:
            raise CommandError(_taken(name)) from error
        # The key alone on standard output, so that a script can take it.
        self.stderr.write(f"The key of {name!r} ({scope}). It is shown this once: note it.")
        self.stdout.write(key)

    def _list(self) -> None:
        for token in ApiToken.objects.all():
            state = f"revoked {token.revoked_at:%Y-%m-%d}" if token.revoked_at else "valid"
            made = f"made {token.created_at:%Y-%m-%d}"
            self.stdout.write(f"{token.name:<30} {token.scope:<5}  {made}  {state}")

    def _revoke(self, name: str) -> None:
        token = ApiToken.objects.filter(name=name).first()
        if token is None:
            raise CommandError(f"There is no key of the name {name!r}; --list shows them.")
        ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
        self.stdout.write(f"The key of {name!r} is revoked.")


def _set_aside(name: str) -> ApiToken | None:
    """Revoke the key of this name and free the name; return the row, which is kept, if any."""
    token = ApiToken.objects.select_for_update().filter(name=name).first()
    if token is None:
        return None
    token.revoked_at = token.revoked_at or timezone.now()
    token.name = f"{name} (replaced, #{token.pk})"
    token.save(update_fields=["name", "revoked_at"])
    return token


def _taken(name: str) -> str:
    token = ApiToken.objects.filter(name=name).first()
    state = "is revoked" if token and token.revoked_at else "is valid"
    return (
        f"There is a key of the name {name!r} already, and it {state}. Take another name, or "
        "--replace to revoke that key and make a new one."
    )

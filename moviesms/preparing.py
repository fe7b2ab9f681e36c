"""What must be done once before anything runs: the database, its migrations, the first admin."""

import secrets
from collections.abc import Callable

from django.contrib.auth import get_user_model
from django.core import checks
from django.core.management import call_command

# Letters and digits that nobody confuses when copying them from a screen.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_FIRST_ADMIN = """
  ┌──────────────────────────────────────────────────────────────┐
  │ The first admin's account. It is shown this once: note it.   │
  │   user name  admin                                           │
  │   password   {password:<48}│
  └──────────────────────────────────────────────────────────────┘
"""


def prepare_database(say: Callable[[str], None]) -> None:
    """Apply the migrations, make the first admin, and say what is wrong with the database.

    `say` also gets the first admin's password, which is kept nowhere.
    """
    say("Preparing the database.")
    call_command("migrate", interactive=False, verbosity=0)
    users = get_user_model()._default_manager
    if not users.filter(is_staff=True).exists() and not users.filter(username="admin").exists():
        password = _new_password()
        users.create_superuser(username="admin", email="", password=password)
        say(_FIRST_ADMIN.format(password=password))
    # Reading back how the database is set up needs it to be there.
    for message in checks.run_checks(tags=["database"], databases=["default"]):
        say(as_line(message))


def as_line(message: checks.CheckMessage) -> str:
    """Return a check's message in one line, with its hint and id."""
    hint = f" {message.hint}" if message.hint else ""
    return f"  ! {message.msg}{hint} ({message.id})"


def _new_password() -> str:
    parts = ("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(4))
    return "-".join(parts)

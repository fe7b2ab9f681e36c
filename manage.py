#!/usr/bin/env python3
"""Django's command line for moviesms: `manage.py help` lists the commands.

Run by a Python without Django, it goes on with the one that `script/server` has set up.
"""

import importlib.util
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
OURS = ROOT / ".venv" / "bin" / "python"


def use_our_python() -> None:
    """Replace this process by one of `.venv`'s Python, where Django is; return if it is here."""
    if importlib.util.find_spec("django") is not None:
        return
    if not OURS.exists():
        sys.exit(
            "moviesms is not installed yet. Run script/server first: it installs what it needs."
        )
    os.execv(OURS, [str(OURS), *sys.argv])  # noqa: S606  # our own arguments, no shell


def main(arguments: list[str]) -> None:
    use_our_python()
    os.umask(0o077)  # what any command makes holds a household's texts and keys
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "moviesms.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(arguments)


if __name__ == "__main__":
    main(sys.argv)

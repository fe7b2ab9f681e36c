"""`manage.py up`, whose children come back at once: hundreds of kills fit into a few minutes."""

import os
import sys
from functools import partial

from moviesms import runner
from moviesms.supervisor import Timing


def main() -> None:
    """Run the command with the arguments given."""
    from django.core.management import execute_from_command_line

    runner.run = partial(runner.run, timing=Timing(first_restart=0.2, longest_restart=0.5))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "moviesms.settings")
    execute_from_command_line(["manage.py", "up", *sys.argv[1:]])


if __name__ == "__main__":
    main()

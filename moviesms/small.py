"""The small shape: web server, worker and monitor in one process, for a box with little memory.

Every promise holds, since rows keep them and not processes: what dies here dies together, and the
runner starts it again. `manage.py up --small` serves this in place of `moviesms.wsgi`.
"""

import os
import threading
from multiprocessing.util import Finalize

os.environ.setdefault("MOVIESMS_ROLE", "small")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "moviesms.settings")

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

_PATIENCE = 6.0


def _run_monitor() -> None:
    from downloads.management.commands.run_download_monitor import Command
    from smsbot import handover

    monitor = Command()
    thread = threading.Thread(target=call_command, args=(monitor,), name="monitor", daemon=True)
    thread.start()

    def end() -> None:
        monitor.stop()
        handover.stop()
        thread.join(_PATIENCE)

    # The web server's worker is a child of multiprocessing, which runs no `atexit`.
    Finalize(None, end, exitpriority=10)


_run_monitor()

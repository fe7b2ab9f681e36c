"""Locks between runners: one at a time with a data folder, and none before the last has ended."""

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path

from django.core.management.base import CommandError

EARLIER_RUN_ENDS_WITHIN = 15


def _try_lock(path: Path) -> int | None:
    """Return an open file that holds the lock at `path`, or None when another process holds it."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    return file


def is_running(data_dir: Path) -> bool:
    """Whether a runner is at work with a data folder."""
    lock = _try_lock(data_dir / "runner.lock")
    if lock is not None:
        os.close(lock)
    return lock is None


def only_runner(data_dir: Path) -> int:
    """Return the lock of the one runner of a data folder. Raises CommandError when it is taken."""
    path = data_dir / "runner.lock"
    lock = _try_lock(path)
    if lock is None:
        pid = path.read_text().strip()
        raise CommandError(
            f"moviesms already runs with the data folder {data_dir} (process {pid})."
        )
    os.truncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())
    return lock


def wait_for_earlier_children(data_dir: Path, say: Callable[[str], None]) -> int:
    """Return a lock that our children will hold too: while one of them lives, it is taken.

    Two Redis servers on one store, or two web servers on one port, would be the alternative when
    an earlier runner was killed and what it started is still ending.
    """
    deadline = time.monotonic() + EARLIER_RUN_ENDS_WITHIN
    told = False
    while (lock := _try_lock(data_dir / "children.lock")) is None:
        if time.monotonic() > deadline:
            raise CommandError(f"Processes of an earlier run still use {data_dir}; end them first.")
        if not told:
            say("Waiting for the processes of an earlier run to end.")
        told = True
        time.sleep(0.05)
    return lock

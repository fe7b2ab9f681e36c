"""Tokens of claims, which tell whether the process that made them is dead.

A claim has a lease, since nobody can tell a dead process from a slow one in general. On one machine
the kernel can: each process that claims holds a lock on a file of its own in DATA_DIR, and that
lock ends with the process, however it ends. What a dead process had claimed need not wait so long.
A process of another machine, or one whose file is gone, passes for living: then the lease decides.
"""

import fcntl
import os
import secrets
import threading
import uuid
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from django.conf import settings

_lock = threading.Lock()
_name = ""
_file: int | None = None


def token() -> uuid.UUID:
    """Return a new token of this process: its first half names the process."""
    return uuid.UUID(hex=_own_name() + secrets.token_hex(8))


def is_of(claim: uuid.UUID | None, processes: Iterable[str]) -> bool:
    """Whether a token was made by one of these processes."""
    return claim is not None and claim.hex[:16] in processes


def dead_processes() -> set[str]:
    """Return the names of processes that have ended since, and are not forgotten yet."""
    with suppress(FileNotFoundError):
        return {path.name for path in _folder().iterdir() if _is_let_go(path)}
    return set()


def forget(processes: Iterable[str]) -> None:
    """Drop dead processes, whose claims have been dealt with."""
    for name in processes:
        (_folder() / name).unlink(missing_ok=True)


def _folder() -> Path:
    folder: Path = settings.DATA_DIR / "claims"
    return folder


def _own_name() -> str:
    global _name, _file
    with _lock:
        if not _name:
            _name = secrets.token_hex(8)
            with suppress(OSError):  # a full disk: the lease decides
                _folder().mkdir(parents=True, exist_ok=True)
                _file = os.open(_folder() / _name, os.O_RDWR | os.O_CREAT, 0o600)
                fcntl.flock(_file, fcntl.LOCK_EX)
        return _name


def _is_let_go(path: Path) -> bool:
    try:
        file = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(file)


def _after_fork() -> None:
    """A child is a process of its own; the lock of its parent is not to live on in it."""
    global _name, _file, _lock
    if _file is not None:
        os.close(_file)
    _name, _file, _lock = "", None, threading.Lock()


os.register_at_fork(after_in_child=_after_fork)

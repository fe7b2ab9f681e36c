"""Playing something in a fork, which may be killed there, and may fail without harm to us."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

_PATIENCE = 60


def fork(play: Callable[[], None]) -> int:
    """Play in a fork, which ends at the latest after a minute; return its wait status."""
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)[1]
    code = 1
    try:
        signal.alarm(_PATIENCE)
        play()
        code = 0
    except BaseException:
        sys.settrace(None)
        _note_error(traceback.format_exc())
    finally:
        os._exit(code)


def forked(play: Callable[[], None]) -> None:
    """Like `fork`, for what must not fail."""
    status = fork(play)
    if status:
        raise RuntimeError(f"a preparation failed: {_error_path.read_text()}")


_error_path = Path(os.devnull)


def note_errors_in(path: Path) -> None:
    """Let forks write down there what they fail with."""
    global _error_path
    _error_path = path


def _note_error(text: str) -> None:
    if str(_error_path) == os.devnull:
        sys.stderr.write(text)
    else:
        _error_path.write_text(text)

"""A fork of the runner: it lets go of what is the runner's, and keeps what it is told to keep."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytestmark = [pytest.mark.processes, pytest.mark.timeout(30)]

ROOT = Path(__file__).resolve().parents[2]


def run(code: str, child: str, folder: Path) -> str:
    """Run `code` in a program that may fork `child`, a file; return what it prints."""
    (folder / "child.py").write_text(textwrap.dedent(child))
    begin = "import os, sys; from moviesms.forking import Fork; folder = sys.argv[1]\n"
    fork = "Fork([sys.executable, folder + '/child.py'], dict(os.environ), prepare=lambda: None, "
    done = subprocess.run(
        [sys.executable, "-c", begin + textwrap.dedent(code).replace("fork(", fork), str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_a_log_that_the_runner_has_open_is_opened_anew(tmp_path: Path) -> None:
    """A number of an open file is never given to another while something still closes it."""
    code = """
        import logging
        from logging.handlers import WatchedFileHandler
        log = logging.getLogger("runner")
        log.addHandler(WatchedFileHandler(folder + "/log"))
        log.warning("of the runner")
        child = fork()
        child.wait(20)
        print(child.returncode, child.stderr.read().decode())
    """
    child = """
        import logging, logging.config, os
        folder = os.path.dirname(os.path.abspath(__file__))
        logging.getLogger("runner").warning("of the fork")
        files = [open(f"{folder}/data{n}", "w") for n in range(40)]
        logging.config.dictConfig({"version": 1})  # closes every handler
        for file in files:
            file.write("whole")
            file.close()
    """
    assert run(code, child, tmp_path).strip() == "0"
    assert (tmp_path / "log").read_text() == "of the runner\nof the fork\n"
    assert {path.read_text() for path in tmp_path.glob("data*")} == {"whole"}


@pytest.mark.parametrize(("kept", "is_free"), [("[]", True), ("[lock]", False)])
def test_a_fork_holds_the_locks_that_it_is_told_to_hold(
    tmp_path: Path, kept: str, is_free: bool
) -> None:
    code = f"""
        import fcntl
        lock = os.open(folder + "/lock", os.O_CREAT | os.O_RDWR)
        fcntl.flock(lock, fcntl.LOCK_EX)
        child = fork(keep_open={kept})
        child.stdout.readline()
        os.close(lock)
        try:
            fcntl.flock(os.open(folder + "/lock", os.O_RDWR), fcntl.LOCK_EX | fcntl.LOCK_NB)
            print("free")
        except BlockingIOError:
            print("held")
        child.terminate()
        child.wait(20)
    """
    child = "import signal; print('here'); signal.pause()"
    assert run(code, child, tmp_path).strip() == ("free" if is_free else "held")


def test_a_program_of_several_threads_is_not_forked(tmp_path: Path) -> None:
    code = """
        import threading
        stop = threading.Event()
        threading.Thread(target=stop.wait).start()
        try:
            fork()
        except RuntimeError as error:
            print(error)
        stop.set()
    """
    assert "several threads" in run(code, "", tmp_path)

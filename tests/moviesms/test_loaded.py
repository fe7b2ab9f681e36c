"""What is forked from: it has loaded all and begun nothing, and each fork takes its own role."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytestmark = [pytest.mark.processes, pytest.mark.timeout(60)]

ROOT = Path(__file__).resolve().parents[2]

LOADED = """
    import json, os, threading
    from moviesms import loaded
    loaded.load(["web", "worker", "monitor", "small"])
    tasks = len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 1
    files = [os.path.realpath(f"/dev/fd/{file}") for file in os.listdir("/dev/fd")]
    print(json.dumps({"threads": max(tasks, threading.active_count()), "files": files}))
"""
ROLES = """
    import json, os
    from moviesms import loaded
    loaded.load([])
    from django.conf import settings
    from django.db import connection
    told = {}
    for role in ("web", "worker", "monitor", "small"):
        os.environ["MOVIESMS_ROLE"] = role
        loaded.take_role()
        told[role] = connection.get_connection_params()["timeout"], settings.WORK_IN_THREADS
    print(json.dumps(told))
"""


def run(code: str, folder: Path) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={
            "PATH": os.environ["PATH"],
            "ENV_FILE": os.devnull,
            "DATA_DIR": str(folder),
            "DJANGO_SETTINGS_MODULE": "moviesms.settings",
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    told: dict[str, object] = json.loads(done.stdout)
    return told


def test_what_is_forked_has_one_thread_and_none_of_our_files_open(tmp_path: Path) -> None:
    found = run(LOADED, tmp_path)
    assert found["threads"] == 1
    files = found["files"]
    assert isinstance(files, list)
    assert not [file for file in files if "socket:" in file or str(tmp_path) in file]


def test_a_fork_waits_for_the_database_and_works_as_its_role_does(tmp_path: Path) -> None:
    assert run(ROLES, tmp_path) == {
        "web": [2, False],
        "worker": [5, False],
        "monitor": [5, False],
        "small": [5, True],
    }

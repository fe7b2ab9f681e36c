"""LOG_FORMAT=json: one object a line, masked as ever, through the runner's console too."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from moviesms.console import Console

PROGRAM = """
import django, logging, structlog
django.setup()
structlog.get_logger("x").info("texted", to="+12025550142", ünïcode="ö")
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("y").exception("failed for %s", "+12025550142")
"""


@pytest.mark.processes
def test_each_line_is_an_object(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=settings.BASE_DIR,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "moviesms.settings",
            "ENV_FILE": os.devnull,
            "DATA_DIR": str(tmp_path),
            "LOG_FORMAT": "json",
            "LOG_LEVEL": "INFO",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    console = [json.loads(line) for line in done.stderr.splitlines()]
    file = (tmp_path / "logs" / "movie_api.log").read_text().splitlines()
    assert [json.loads(line)["event"] for line in file] == [line["event"] for line in console]
    first, second = console
    assert (first["event"], first["level"], first["to"]) == ("texted", "info", "+…0142")
    assert first["ünïcode"] == "ö"
    assert first["timestamp"].endswith("Z")
    assert second["event"] == "failed for +…0142"
    assert "ZeroDivisionError" in second["exception"]


def test_the_runners_console_leaves_objects_whole(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w+") as stream:
        console = Console(["web"], stream)
        console.line("web", '{"event": "x"}')
        console.line("web", "plain")
        stream.seek(0)
        assert stream.read().splitlines() == ['{"event": "x"}', "web | plain"]

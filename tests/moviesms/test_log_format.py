"""How log lines look: LOG_FORMAT, masks, the line of a request, and what goes to server.log."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from moviesms.console import Console
from moviesms.runner import ServerLog

PROGRAM = """
import django, logging, structlog
django.setup()
structlog.get_logger("x").info("texted", to="+12025550142", ünïcode="ö")
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("y").exception("failed for %s", "+12025550142")
"""


REQUEST = """
import django, logging
django.setup()
line = '%(addr)s "%(method)s %(path)s" %(status)d'
request = {"addr": "127.0.0.1", "method": "GET", "path": "/+12025550142\\nforged", "status": 200}
logging.getLogger("granian.access").info(line, request)
"""


def run(program: str, folder: Path, log_format: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=settings.BASE_DIR,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "moviesms.settings",
            "ENV_FILE": os.devnull,
            "DATA_DIR": str(folder),
            "LOG_FORMAT": log_format,
            "LOG_LEVEL": "INFO",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


@pytest.mark.processes
def test_each_line_is_an_object(tmp_path: Path) -> None:
    done = run(PROGRAM, tmp_path, "json")
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


@pytest.mark.processes
def test_a_request_is_a_line_without_numbers_or_line_ends(tmp_path: Path) -> None:
    said = '127.0.0.1 "GET /+…0142\\nforged" 200'
    [line] = run(REQUEST, tmp_path, "text").stdout.splitlines()
    assert re.fullmatch(r"[-0-9]{10}T[:0-9]{8}Z", line.partition(" ")[0])
    assert line.partition(" ")[2] == f"[info     ] {said} [granian.access]"
    [line] = run(REQUEST, tmp_path, "json").stdout.splitlines()
    found = json.loads(line)
    assert (found["event"], found["logger"]) == (said, "granian.access")


@pytest.mark.processes
@pytest.mark.parametrize("log_format", ["text", "json"])
def test_what_a_stranger_asks_for_is_cut(tmp_path: Path, log_format: str) -> None:
    program = REQUEST.replace('"GET"', '"M" * 70_000')
    assert len(run(program, tmp_path, log_format).stdout) < 5_000


def test_server_log_has_the_time_of_each_line_once(tmp_path: Path) -> None:
    log = ServerLog(tmp_path / "logs" / "server.log")
    lines = ["2026-11-22T10:00:00Z [info     ] a request", '{"event": "a request"}']
    for line in ["web ended", *lines]:
        log.write(line)
    log.close()
    first, *others = (tmp_path / "logs" / "server.log").read_text().splitlines()
    assert re.fullmatch(r"[-0-9]{10}T[:0-9]{8}Z web ended", first)
    assert others == lines

"""`script/server` in a fresh clone, with nothing configured: all is up, and it says where."""

import re
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
import requests

from tests.live.stack import Product, clean_environment, eventually, free_port

pytestmark = [
    pytest.mark.processes,
    pytest.mark.enable_socket,
    pytest.mark.xdist_group("live: a clone"),
    pytest.mark.timeout(240),
]

PASSWORD = re.compile(r"user name +admin\b.*\n.*password +([a-z0-9]{5}(?:-[a-z0-9]{5}){3}) ")


def test_help_explains_and_makes_nothing(fresh_clone: Path) -> None:
    before = sorted(fresh_clone.iterdir())
    shown = subprocess.run(
        ["script/server", "--help"],
        cwd=fresh_clone,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.startswith("Usage: script/server [--port PORT] [--data-dir DIR]")
    assert sorted(fresh_clone.iterdir()) == before


def test_it_brings_up_everything_and_says_where(demo: Product) -> None:
    assert sorted(demo.children()) == ["monitor", "redis", "sandbox", "web", "worker"]
    here = f"http://127.0.0.1:{demo.port}"
    health = requests.get(f"{here}/healthz", timeout=10)
    assert (health.status_code, health.json()["redis"]) == (200, "up")
    assert health.json()["monitor"]["alive"] is True
    assert requests.get(f"{here}/admin/login/", timeout=10).ok
    assert f"Admin       {here}/admin/" in demo.output()
    assert f"Data        {demo.data}" in demo.output()
    assert requests.get(demo.phone_page, timeout=10).ok


def test_each_request_is_a_line_of_the_server_log_alone(demo: Product) -> None:
    requests.get(f"http://127.0.0.1:{demo.port}/admin/login/?seen=1", timeout=10)
    line = '"GET /admin/login/ HTTP/1.1" 200'
    log = demo.data / "logs" / "server.log"
    eventually(lambda: line in log.read_text(), line)
    assert "granian.access" not in demo.output()


def test_the_checks_beside_it_are_of_its_stand_ins(demo: Product, fresh_clone: Path) -> None:
    checked = subprocess.run(
        ["python3", "test_download_system.py", "--only", "radarr,tmdb,twilio,redis"],
        cwd=fresh_clone,
        env=clean_environment(DATA_DIR=str(demo.data)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, " 0 failed" in checked.stdout) == (0, True), checked.stdout
    assert "ok       Radarr's key" in checked.stdout


def test_the_first_admin_gets_a_password_that_works_and_is_not_kept(demo: Product) -> None:
    [password] = PASSWORD.findall(demo.output())
    assert _logs_in(demo, password)
    written = [log for log in (demo.data / "logs").iterdir() if password in log.read_text()]
    assert written == []


def test_a_second_start_makes_no_other_admin(demo: Product, tmp_path: Path) -> None:
    # With what the first start has made, so that the first can go on.
    again = copy_of(demo, tmp_path)
    try:
        again.spawn()
        again.await_line("Starting granian")
        again.end()  # while its processes still start: that ends cleanly, too
    finally:
        again.discard()
    assert "password" not in again.output()
    assert again.rows("SELECT username FROM auth_user") == [("admin",)]


def copy_of(demo: Product, folder: Path) -> Product:
    """The same command in the same clone, with a copy of the data and ports of its own."""
    port, data = free_port(), folder / "data"
    data.mkdir()
    shutil.copy(demo.data / "kind", data)
    with (
        closing(sqlite3.connect(demo.data / "db.sqlite3")) as first,
        closing(sqlite3.connect(data / "db.sqlite3")) as copy,
    ):
        first.backup(copy)
    command = ["script/server", "--port", str(port), "--data-dir", str(data)]
    environment = {**demo.environment, "SANDBOX_PORT": str(free_port())}
    return Product(command, environment, folder, cwd=demo.cwd, data=data, port=port)


def _logs_in(demo: Product, password: str) -> bool:
    address = f"http://127.0.0.1:{demo.port}/admin/login/?next=/admin/"
    with requests.Session() as browser:
        page = browser.get(address, timeout=20)
        assert page.ok, page.text
        form = {
            "username": "admin",
            "password": password,
            "csrfmiddlewaretoken": browser.cookies["csrftoken"],
        }
        answer = browser.post(
            address, data=form, headers={"Referer": address}, timeout=20, allow_redirects=False
        )
    return (answer.status_code, answer.headers.get("Location")) == (302, "/admin/")

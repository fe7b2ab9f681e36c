"""The large shape: one web server, two workers, two monitors, Redis and PostgreSQL, each by itself.

Needs a PostgreSQL server: `script/with_postgres script/test tests/live/test_large_shape.py`.
"""

import json
import os
import secrets
import shutil
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
import requests

from tests.live.conftest import new_sid
from tests.live.stack import (
    ROOT,
    Account,
    Running,
    StandIns,
    clean_environment,
    eventually,
    free_port,
    session,
    whole_job,
)

SERVER = os.environ.get("TEST_DATABASE_URL", "")
PARTS = ("web", "worker-1", "worker-2", "monitor-1", "monitor-2")
FILMS = [
    *("The Dark Knight (2008)", "The Matrix (1999)", "Inception (2010)"),
    *("Alien (1979)", "Jaws (1975)", "Interstellar (2014)"),
]

pytestmark = [
    pytest.mark.processes,
    pytest.mark.enable_socket,
    pytest.mark.timeout(300),
    # `script/with_postgres` brings one; its locks and connections are what is tested here.
    pytest.mark.skipif(not SERVER, reason="there is no PostgreSQL; see script/with_postgres"),
]


@dataclass
class Installation:
    """The parts by name, the phones, and the database that the parts share."""

    parts: dict[str, Running]
    phones: StandIns
    account: Account
    url: str
    database: str

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.database) as connection:
            return connection.execute(query.encode()).fetchall()

    def output(self) -> str:
        return "\n".join(
            f"--- {name}\n{part.output()[-3000:]}" for name, part in self.parts.items()
        )

    def await_whole_job(self, person: str, film: str) -> None:
        """Wait for the last text of a film; then each was told, once, in order."""
        last = whole_job(film)[-1]
        eventually(lambda: last in self.phones.texts_to(person), last, why=self.output)
        assert self.phones.texts_to(person) == whole_job(film), self.output()


def manage(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *arguments]


@pytest.fixture
def database() -> Iterator[str]:
    """An empty database of its own."""
    name = f"large_{secrets.token_hex(4)}"
    with psycopg.connect(SERVER, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"'.encode())
        yield urlsplit(SERVER)._replace(path=f"/{name}").geturl()
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.fixture
def installation(tmp_path: Path, database: str) -> Iterator[Installation]:
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        pytest.skip("there is no redis-server on PATH")
    account, port, redis_port = Account(free_port()), free_port(), free_port()
    url = f"http://localhost:{port}"
    environment = clean_environment(
        **account.for_product(),
        DATABASE_URL=database,
        REDIS_HOST="127.0.0.1",
        REDIS_PORT=str(redis_port),
        DATA_DIR=str(tmp_path / "config"),
        PUBLIC_URL=url,
        PORT=str(port),
    )
    ours = ["--host", "127.0.0.1", "--no-sandbox", "--only"]
    commands = {
        "redis": [program, "--port", str(redis_port), "--save", "", "--dir", str(tmp_path)],
        "stand-ins": [sys.executable, "-m", "sandbox"],
        **{name: manage("up", *ours, name.partition("-")[0]) for name in PARTS},
    }
    parts = {
        name: Running(command, environment, tmp_path / name) for name, command in commands.items()
    }
    parts["stand-ins"].environment = clean_environment(**account.for_stand_ins(url))
    phones = StandIns(f"http://127.0.0.1:{account.port}")
    try:
        yield start(Installation(parts, phones, account, url, database), environment, tmp_path)
        for name in reversed(PARTS):
            parts[name].end()
    finally:
        for part in parts.values():
            part.discard()


def start(large: Installation, environment: dict[str, str], folder: Path) -> Installation:
    """Start what there is to start, in the order of compose.large.yaml."""
    for name in ("redis", "stand-ins"):
        large.parts[name].spawn()
    too_early = Running(manage("up", "--only", "worker"), environment, folder / "early")
    too_early.spawn()
    eventually(lambda: not too_early.alive(), "an unprepared database is refused")
    assert "run manage.py prepare" in too_early.output()
    prepare = Running(manage("prepare"), environment, folder / "prepare")
    prepare.spawn()
    prepare.end_by_itself()
    assert "user name  admin" in prepare.output()
    for name in PARTS:
        large.parts[name].spawn()
    for name in PARTS:
        large.parts[name].await_line("moviesms is running")
    return large


def test_every_text_is_answered_once_while_processes_die(installation: Installation) -> None:
    large = installation
    assert requests.get(f"{large.url}/readyz", timeout=10).json() == {"ready": True}
    people = {f"+1202555{1000 + number}": film for number, film in enumerate(FILMS)}
    for person, film in people.items():
        for _ in range(2):  # Twilio posts a text twice now and then
            sid = f"SM{int(person[1:]):032x}"
            body = f"Can you get {film.rpartition(' (')[0]} for me?"
            status, _ = large.account.webhook(large.url, person, body, sid)
            assert status == 200
    kill(large, "worker-1", "celery")
    for person, film in people.items():
        large.await_whole_job(person, film)
    assert large.rows("SELECT count(*) FROM smsbot_inboundmessage WHERE state = 'handled'") == [
        (len(FILMS),)
    ]
    assert large.rows("SELECT count(*) FROM auth_user") == [(1,)]


def test_the_second_monitor_takes_over(installation: Installation) -> None:
    large = installation
    leader = eventually(lambda: ticking(large), "somebody ticks", why=large.output)
    monitors = ("monitor-1", "monitor-2")
    pids = {name: child(large, name, "run_download_monitor") for name in monitors}
    name = next(name for name, pid in pids.items() if leader.endswith(f":{pid}"))
    large.parts[name].discard()
    eventually(lambda: ticking(large) not in ("", leader), "the other ticks", why=large.output)
    person, film = "+12025551999", "The Matrix (1999)"
    large.account.webhook(large.url, person, "get me the matrix", new_sid())
    large.await_whole_job(person, film)
    # So that the end finds it as it left the others.
    large.parts[name].spawn()
    large.parts[name].await_line("moviesms is running")


def ticking(large: Installation) -> str:
    """Return which process leads the monitors now, as the interface tells; "" for none."""
    answer = requests.get(f"{large.url}/healthz", timeout=10).json()["monitor"]
    if not answer["alive"]:
        return ""
    with redis.Redis(port=int(large.parts["redis"].command[2])) as store:
        raw = store.get("monitor:heartbeat")
    return str(json.loads(raw)["leader"]) if isinstance(raw, bytes) else ""


def child(large: Installation, name: str, words: str) -> int:
    runner = large.parts[name].pid
    return next(p.pid for p in session(runner) if words in p.command and p.parent == runner)


def kill(large: Installation, name: str, words: str) -> None:
    """kill -9 of what a runner runs; it comes again by itself."""
    os.kill(child(large, name, words), signal.SIGKILL)

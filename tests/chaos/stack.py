"""The real stack in a process of its own: `manage.py up`, with every duration scaled down."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.chaos.databases import database
from tests.chaos.drain import EXCUSED
from tests.chaos.servers import Servers
from tests.chaos.stage import ROOT, TOKEN
from tests.chaos.standins import ACCOUNT, OUR_NUMBER

RHYTHM = {
    "MONITOR_INTERVAL": "1",
    "SEARCH_GRACE": "3600",
    "TWILIO_DEADLINE": "3",
    "SEND_START_LIMIT": "3",
    "UNKNOWN_TAIL": "3",
    "UNKNOWN_FIRST_CHECK": "9",
    "UNKNOWN_RESEND_AFTER": "15",
    "SEND_LEASE": "7",
}
"""Radarr's life is of seconds here, so its ticks are; and so are the graces before Twilio is asked
about a text, which a rule makes longer than a minute. All the rest is as a household has it."""
QUICK_RHYTHM = {
    **RHYTHM,
    "SWEEP_INTERVAL": "1",
    "BACKFILL_INTERVAL": "2",
    "REDIS_RETRY_AFTER": "1",
    "RADARR_RETRY_AFTER": "1",
    "OPENAI_RETRY_AFTER": "1",
    "RADARR_DEADLINE": "3",
    "TMDB_DEADLINE": "2",
    "OPENAI_DEADLINE": "3",
    "ADD_LEASE": "12",
    "INBOUND_LEASE": "15",
}
"""Where times are not judged: leases of seconds too, in the order that the system checks demand."""

_UP_WITHIN = 60.0
_PENDING = (
    "SELECT count(*) FROM smsbot_inboundmessage WHERE state IN ('received', 'processing')",
    "SELECT count(*) FROM smsbot_outboundmessage WHERE status IN ('queued', 'sending', 'unknown')",
    "SELECT count(*) FROM downloads_downloadevent WHERE processed_at IS NULL",
    "SELECT count(*) FROM downloads_download WHERE status NOT IN "
    "('completed', 'failed', 'cancelled')",
)


class Stack:
    """`manage.py up` on a free port, with its data in `folder`, pointed at `servers`.

    With more than one of `monitors`, the others run beside it, as on another machine.
    """

    def __init__(
        self, folder: Path, servers: Servers, rhythm: Mapping[str, str], *, monitors: int = 1
    ) -> None:
        self.folder = folder
        self.data = folder / "live"
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = self._settings(servers) | dict(rhythm)
        self._process: subprocess.Popen[bytes] | None = None
        self._others: list[subprocess.Popen[bytes]] = []
        self._monitors = monitors

    def _settings(self, servers: Servers) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "VIRTUAL_ENV")}
        return {
            **kept,
            "ENV_FILE": os.devnull,
            "DATA_DIR": str(self.data),
            **database.for_stack(self.data),
            "PUBLIC_URL": self.url,
            "RADARR_URL": servers.url("radarr"),
            "RADARR_API_KEY": "radarr-key",
            "RADARR_WEBHOOK_SECRET": "a-secret-of-the-harness",
            "TMDB_URL": servers.url("tmdb"),
            "TMDB_API_KEY": "tmdb-key",
            "OPENAI_BASE_URL": servers.url("openai") + "/v1",
            "OPENAI_API_KEY": "openai-key",
            "TWILIO_API_URL": servers.url("twilio"),
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_PHONE_NUMBER": OUR_NUMBER,
            "REQUEST_POLICY": "open",
            "SMS_DAILY_CAP": "1000000",
            "OPENAI_DAILY_CALLS": "1000000",
            "OPENAI_DAILY_TOKENS": "1000000000",
            "LOG_LEVEL": "WARNING",
            "TZ": "UTC",
        }

    def __enter__(self) -> "Stack":
        up = ["-m", "tests.chaos.up", "--no-sandbox", "--host", "127.0.0.1"]
        self._process = self._start("up", [*up, "--port", str(self.port)])
        try:
            self.wait_until_up()
            for number in range(1, self._monitors):
                monitor = [str(ROOT / "manage.py"), "run_download_monitor"]
                self._others.append(self._start(f"monitor-{number}", monitor))
        except BaseException:
            self._end()
            raise
        return self

    def _start(self, name: str, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, *arguments],
            env=self._environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=(self.folder / f"{name}.log").open("wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def redis(self, *command: str) -> Any:
        """Have the stack's Redis do something; return its answer. Raises what Redis raises."""
        from redis import Redis

        from moviesms.environment import embedded_redis_socket

        password = (self.data / "redis" / "password").read_text().strip()
        socket_path = str(embedded_redis_socket(self.data))
        with closing(
            Redis(unix_socket_path=socket_path, password=password, socket_timeout=2)
        ) as redis:
            return redis.execute_command(*command)  # type: ignore[no-untyped-call]

    def excused(self) -> list[tuple[str, str]]:
        """Return person and kind of the texts that rightly did not come, as the rows say."""
        return database.rows(self.data, EXCUSED)

    def pending(self) -> int:
        """Return how many rows of the stopped stack are still on their way."""
        return sum(database.rows(self.data, query)[0][0] for query in _PENDING)

    def wait_until_up(self) -> None:
        """Return when the web server answers; raise when it does not within a minute."""
        deadline = time.monotonic() + _UP_WITHIN
        while time.monotonic() < deadline:
            if self._process is not None and self._process.poll() is not None:
                break
            with suppress(OSError), urllib.request.urlopen(f"{self.url}/healthz", timeout=5):
                return
            time.sleep(0.2)
        log = (self.folder / "up.log").read_text(errors="replace")
        raise RuntimeError(f"the stack did not come up: {log[-1500:]}")

    def victims(self) -> dict[str, list[int]]:
        """Return the pids of the stack's processes by what they are."""
        found: dict[str, list[int]] = {"web": [], "worker": [], "monitor": [], "redis": []}
        assert self._process is not None
        for pid in _descendants(self._process.pid):
            kind = _kind(pid)
            if kind:
                found[kind].append(pid)
        return found

    def _end(self) -> None:
        """End everything, and whatever a killed parent has left behind."""
        if self._process is None:
            return
        family = _descendants(self._process.pid)
        for pid in [*family, *(other.pid for other in self._others)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        for process in (*self._others, self._process):
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
        for pid in _pids():
            if any(_session(pid) == process.pid for process in (*self._others, self._process)):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _stat(pid: int) -> tuple[int, str]:
    """Return the parent and the state of a process; (0, "") when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return 0, ""
    return int(fields[1]), fields[0]


def age(pid: int) -> float:
    """Return how many seconds a process has lived; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        uptime = float(Path("/proc/uptime").read_text().split()[0])
    except OSError:
        return 0.0
    return uptime - int(fields[19]) / os.sysconf("SC_CLK_TCK")


def _pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _descendants(root: int) -> list[int]:
    """Return the living processes below `root`."""
    parents = {pid: _stat(pid) for pid in _pids()}
    family, found = {root}, []
    for pid, (parent, state) in sorted(parents.items()):
        if parent in family:
            family.add(pid)
            if state != "Z":
                found.append(pid)
    return found


def _session(pid: int) -> int:
    """Return the session of a process, which outlives its parent's; 0: it is gone."""
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return 0


def _kind(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
    except OSError:
        return ""
    for mark, kind in (
        ("run_download_monitor", "monitor"),
        ("moviesms.celery", "worker"),
        ("moviesms web", "web"),
        ("redis", "redis"),
    ):
        if mark in words:
            return kind
    return ""

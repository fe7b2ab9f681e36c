"""Servers to measure, in processes of their own: moviesms in its shapes, the floor, the outside."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import Account

ROOT = Path(__file__).resolve().parents[1]
SERVER = ("--workers", "1", "--blocking-threads", "16")
"""How granian serves, for the floor as for us."""

_ACCOUNT = "AC" + "0123456789abcdef" * 2
_NUMBER = "+15005550006"
_TOKEN = "a-token-of-the-benchmarks"
_READY = "Ctrl-C stops it."


@dataclass(frozen=True)
class Stack:
    """moviesms, running; `outside` is the port of the services that it speaks to."""

    process: subprocess.Popen[bytes]
    port: int
    outside: int
    data: Path
    seconds_to_start: float

    @property
    def account(self) -> Account:
        return account(self.port)


def account(port: int) -> Account:
    """Return the account whose texts a server on `port` takes."""
    return Account(f"http://127.0.0.1:{port}", _ACCOUNT, _TOKEN, _NUMBER)


def environment(outside: int, port: int, data: Path) -> dict[str, str]:
    """Return what moviesms is told: services at `outside`, nobody is a stranger."""
    here = f"http://127.0.0.1:{outside}"
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "ENV_FILE": os.devnull,
        "DATA_DIR": str(data),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "TWILIO_ACCOUNT_SID": _ACCOUNT,
        "TWILIO_AUTH_TOKEN": _TOKEN,
        "TWILIO_PHONE_NUMBER": _NUMBER,
        "TWILIO_API_URL": here,
        "TMDB_URL": f"{here}/tmdb",
        "TMDB_API_KEY": "key",
        "RADARR_URL": f"{here}/radarr",
        "RADARR_API_KEY": "key",
        "SMS_DAILY_CAP": "0",
        "SMS_DAILY_CAP_PER_CONTACT": "0",
    }


@contextmanager
def moviesms(*arguments: str, starts: int = 1) -> Iterator[Stack]:
    """Run `manage.py up` with `arguments`; of several starts the last is the one that is timed."""
    with tempfile.TemporaryDirectory() as folder, outside() as services:
        port, data = free_port(), Path(folder)
        command = [sys.executable, str(ROOT / "manage.py"), "up", "--host", "127.0.0.1"]
        command += ["--port", str(port), *arguments]
        for _ in range(starts):
            begun = time.perf_counter()
            process = subprocess.Popen(
                command,
                env=environment(services, port, data),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            _await_line(process)
            took = time.perf_counter() - begun
            if starts > 1:
                starts -= 1
                _end(process)
        try:
            yield Stack(process, port, services, data, took)
        finally:
            _end(process)


@contextmanager
def stopped(stack: Stack, *names: str) -> Iterator[None]:
    """Stop the processes of these names meanwhile, as `pss` names them."""
    pids = [pid for pid, name in _processes(stack.process.pid).items() if name in names]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@contextmanager
def floor() -> Iterator[int]:
    """Run the floor; yield its port."""
    with tempfile.TemporaryDirectory() as folder:
        port, database = free_port(), str(Path(folder) / "floor.sqlite3")
        told = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "FLOOR_DATABASE": database,
            "FLOOR_TOKEN": _TOKEN,
            "FLOOR_URL": f"http://127.0.0.1:{port}/api/sms/webhook",
        }
        make = f"from benchmarks.floor.app import prepare; prepare({database!r})"
        subprocess.run([sys.executable, "-c", make], env=told, check=True)
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port)]
        process = subprocess.Popen(
            [*command, *SERVER, "--no-log", "benchmarks.floor.app:application"],
            env=told,
            start_new_session=True,
        )
        _await_port(port)
        try:
            yield port
        finally:
            _end(process)


@contextmanager
def outside(queue: int = 0) -> Iterator[int]:
    """Run Radarr, TMDB and Twilio that answer at once; yield their port."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.outside", "--port", str(port)]
    process = subprocess.Popen([*command, "--queue", str(queue)], cwd=ROOT, start_new_session=True)
    _await_port(port)
    try:
        yield port
    finally:
        _end(process)


def pss(leader: int) -> dict[str, float]:
    """Return the proportional set size, in MB, of each process in the session of `leader`."""
    sizes = {}
    for pid, name in _processes(leader).items():
        with suppress(OSError):
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            kilobytes = next(int(line.split()[1]) for line in rollup.splitlines() if "Pss:" in line)
            sizes[f"{name} ({pid})"] = kilobytes / 1024
    return sizes


def _processes(leader: int) -> dict[int, str]:
    """Return the living processes in the session of `leader`, by what they are."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == leader and fields[0] != "Z":
                words = (folder / "cmdline").read_bytes().decode().split("\0")
                found[int(folder.name)] = _name(words)
    return found


def _name(words: Sequence[str]) -> str:
    known = ("redis-server", "moviesms web", "celery", "run_download_monitor", "manage.py up")
    line = " ".join(words)
    return next((name for name in known if name in line), words[0])


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_line(process: subprocess.Popen[bytes]) -> None:
    """Wait for the banner; then let the pipe run on in a thread, so that nobody waits for us."""
    import threading

    assert process.stdout is not None
    printed = []
    for line in process.stdout:
        printed.append(line.decode(errors="replace"))
        if _READY in printed[-1]:
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return
    raise RuntimeError("moviesms did not start:\n" + "".join(printed))


def _await_port(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"nothing listens on port {port}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

"""The real stack in processes of its own: started, watched, signalled and ended by its operator.

Nothing here imports the product: what is seen is what a phone, an operator and the database show.
"""

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import requests
from twilio.request_validator import RequestValidator

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 90.0
"""Seconds until what should happen counts as never happening; most of it is for a busy machine."""

RHYTHM = {
    "MONITOR_INTERVAL": "0.5",
    "SWEEP_INTERVAL": "0.5",
    "BACKFILL_INTERVAL": "1",
    "STUCK_GRACE": "30",
    "FAILED_GRACE": "1",
    "REDIS_RETRY_AFTER": "0.5",
    "RADARR_RETRY_AFTER": "0.5",
    "OPENAI_RETRY_AFTER": "0.1",
    # Deadlines and leases decide how long the work of a killed process waits.
    "OPENAI_DEADLINE": "2",
    "TMDB_DEADLINE": "2",
    "RADARR_DEADLINE": "4",
    "TWILIO_DEADLINE": "5",
    "SEND_START_LIMIT": "3",
    "SEND_LEASE": "9",
    "ADD_LEASE": "9",
    "INBOUND_LEASE": "13",
    "UNKNOWN_FIRST_CHECK": "68",
    "UNKNOWN_RESEND_AFTER": "69",
}
"""Seconds. The waits for a person's sake are short; those that keep a text single stay in order."""

STEP = 0.6
"""Seconds of each phase in the stand-in for Radarr: eight of them from the search to the import."""

_MANNERS = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH")


def clean_environment(**settings: str) -> dict[str, str]:
    """An operator's environment: nothing of this test process's own, short waits, `settings`."""
    kept = {name: os.environ[name] for name in _MANNERS if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", "ENV_FILE": os.devnull, **RHYTHM, **settings}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(
    look: Callable[[], T], what: str, *, within: float = PATIENCE, why: Callable[[], str] = str
) -> T:
    """Return what `look` sees, once it is true; `why` tells more when it never is."""
    deadline = time.monotonic() + within
    while not (seen := look()):
        assert time.monotonic() < deadline, f"{what}: not within {within:g} s. {why()}"
        time.sleep(0.1)
    return seen


# --- Processes -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Process:
    pid: int
    parent: int
    command: str


def session(leader: int) -> list[Process]:
    """Every process that lives in the session of `leader`, zombies aside."""
    seen = (found for found in map(_look_at, _pids()) if found is not None)
    return [process for its_leader, process in seen if its_leader == leader]


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _look_at(pid: int) -> tuple[int, Process] | None:
    """The session of a process, and the process; None when it is gone or a zombie."""
    try:
        state, parent, _, leader = (
            Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:4]
        )
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return None
    if state == "Z":
        return None
    return int(leader), Process(pid, int(parent), b" ".join(words).decode(errors="replace"))


@dataclass
class Running:
    """A command in a session of its own; what it prints goes to a file, one for each run."""

    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    cwd: Path = ROOT
    process: subprocess.Popen[bytes] | None = None
    runs: int = 0

    def spawn(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.runs += 1
        with self._log(self.runs).open("wb") as log:
            self.process = subprocess.Popen(
                self.command,
                env=dict(self.environment),
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def output(self, run: int = 0) -> str:
        """What the run of that number has printed; 0 is the last."""
        return self._log(run or self.runs).read_text(errors="replace")

    def await_line(self, words: str) -> None:
        def printed() -> bool:
            assert self.alive(), f"ended too early:\n{self.output()}"
            return words in self.output()

        eventually(printed, f"prints {words!r}", why=self.output)

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def signal_all(self, number: signal.Signals) -> None:
        for process in session(self.pid):
            os.kill(process.pid, number)

    def end(self, within: float = 30) -> None:
        """SIGTERM; it must end with exit code 0 and leave nobody behind."""
        assert self.process is not None
        self.process.terminate()
        try:
            code = self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"did not end in {within:g} s:\n{self.output()}") from None
        assert code == 0, self.output()
        assert session(self.pid) == [], self.output()

    def end_by_itself(self, within: float = PATIENCE) -> None:
        """Wait until it ends, with exit code 0."""
        assert self.process is not None
        assert self.process.wait(within) == 0, self.output()

    def discard(self) -> None:
        """Leave nothing behind, however the test went."""
        if self.process is not None:
            self.signal_all(signal.SIGKILL)
            self.process.wait()

    def _log(self, run: int) -> Path:
        return self.folder / f"run-{run}.log"


# --- The product ---------------------------------------------------------------------------------

_UNFINISHED = (
    "SELECT 'inbound', id, state FROM smsbot_inboundmessage WHERE state NOT IN ('handled', 'dead')",
    "SELECT 'outbound', id, status FROM smsbot_outboundmessage"
    " WHERE status IN ('queued', 'sending', 'unknown')",
    "SELECT 'event', id, kind FROM downloads_downloadevent WHERE processed_at IS NULL",
)
_CHILDREN = {
    "redis": "redis-server",
    "sandbox": "moviesms sandbox",
    "web": "moviesms web",
    "worker": "moviesms.celery",
    "monitor": " run_download_monitor",
}


@dataclass
class Product(Running):
    """moviesms with all its processes, as `manage.py up` or `script/server` runs it."""

    data: Path = field(default_factory=Path)
    port: int = 0

    @property
    def public_url(self) -> str:
        """What Twilio is told, and signs."""
        return f"http://localhost:{self.port}"

    @property
    def phone_page(self) -> str:
        """The address that was printed for whoever wants to try it."""
        found = re.search(r"Phone page +(http://127\.0\.0\.1:\d+/)", self.output())
        assert found, self.output()
        return found[1]

    def start(self) -> None:
        self.spawn()
        self.await_line("Ctrl-C stops it.")

    def children(self) -> dict[str, int]:
        """The process id of each child that runs now, by its name."""
        own = [process for process in session(self.pid) if process.parent == self.pid]
        return {
            name: process.pid
            for name, words in _CHILDREN.items()
            for process in own
            if words in process.command
        }

    def kill(self, name: str) -> None:
        """kill -9 of one child, and wait until another has taken its place."""
        killed = self.children()[name]
        os.kill(killed, signal.SIGKILL)
        eventually(
            lambda: self.children().get(name, killed) != killed, f"{name} again", why=self.output
        )

    def rows(self, query: str, *values: str) -> list[tuple[object, ...]]:
        """What the database holds, read beside the product."""
        address = f"file:{self.data}/db.sqlite3?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=5)) as database:
            return list(database.execute(query, values))

    def unfinished(self) -> list[tuple[object, ...]]:
        return [row for query in _UNFINISHED for row in self.rows(query)]

    def settle(self) -> None:
        """Wait until nothing is left to be answered, told or sent."""
        eventually(
            lambda: not self.unfinished(), "nothing left to do", why=lambda: str(self.unfinished())
        )

    @contextmanager
    def running(self) -> Iterator["Product"]:
        """Started, and in the end stopped cleanly."""
        try:
            self.start()
            yield self
            self.end()
        finally:
            self.discard()


def product(folder: Path, *arguments: str, **settings: str) -> Product:
    """`manage.py up` of this working tree with `arguments`, and a data folder of its own."""
    port, data = free_port(), folder / "data"
    command = [sys.executable, str(ROOT / "manage.py"), "up", "--host", "127.0.0.1"]
    command += arguments
    # A name that is not the one it listens on: signatures are made over PUBLIC_URL alone.
    environment = clean_environment(
        DATA_DIR=str(data), PUBLIC_URL=f"http://localhost:{port}", **settings
    )
    return Product([*command, "--port", str(port)], environment, folder, data=data, port=port)


# --- The world outside ---------------------------------------------------------------------------


class StandIns:
    """The phones of a household, and the switches of the services behind them."""

    def __init__(self, url: str) -> None:
        self.url = url

    def text(self, sender: str, body: str) -> None:
        """A phone sends a text, which the stand-in for Twilio posts to the product."""
        self._post("text", {"from": sender, "body": body})

    def texts_to(self, person: str) -> list[str]:
        """All that a phone has got, in order."""
        response = requests.get(f"{self.url}/sandbox/state", timeout=10)
        messages = response.json()["conversations"].get(person, [])
        return [m["body"] for m in messages if m["direction"] == "outbound-api"]

    def fault(self, **services: bool) -> None:
        self._post("faults", services)

    def await_text(self, person: str, text: str) -> None:
        """Wait until a phone has got `text`."""
        eventually(
            lambda: text in self.texts_to(person), text, why=lambda: str(self.texts_to(person))
        )

    def _post(self, path: str, body: Mapping[str, object]) -> None:
        requests.post(f"{self.url}/sandbox/{path}", json=body, timeout=10).raise_for_status()


@dataclass
class Account:
    """What a stand-in for all four services is told, and the product too."""

    port: int
    account_sid: str = "AC" + "0123456789abcdef" * 2
    auth_token: str = "a-token-of-another-world"
    phone_number: str = "+442079460123"

    def for_stand_ins(self, app_url: str) -> dict[str, str]:
        return {
            **self._keys(),
            "SANDBOX_PORT": str(self.port),
            "SANDBOX_APP_URL": app_url,
            "SANDBOX_STEP": str(STEP),
        }

    def for_product(self) -> dict[str, str]:
        here = f"http://127.0.0.1:{self.port}"
        return {
            **self._keys(),
            "TWILIO_API_URL": here,
            "RADARR_URL": f"{here}/radarr",
            "TMDB_URL": f"{here}/tmdb",
            "OPENAI_BASE_URL": f"{here}/openai/v1",
        }

    def _keys(self) -> dict[str, str]:
        return {
            "TWILIO_ACCOUNT_SID": self.account_sid,
            "TWILIO_AUTH_TOKEN": self.auth_token,
            "TWILIO_PHONE_NUMBER": self.phone_number,
            "RADARR_API_KEY": "b1946ac92492d2347c6235b4d2611184",
            "RADARR_WEBHOOK_SECRET": "a-webhook-secret-of-another-world",
            "TMDB_API_KEY": "591785b794601e212b260e25925636fd",
            "OPENAI_API_KEY": "sk-a-key-of-another-world",
        }

    def webhook(self, url: str, sender: str, body: str, sid: str) -> tuple[int, float]:
        """Post a text as Twilio does, signed; the answer's status and the seconds it took."""
        form = {
            "MessageSid": sid,
            "AccountSid": self.account_sid,
            "From": sender,
            "To": self.phone_number,
            "Body": body,
            "NumMedia": "0",
        }
        address = f"{url}/api/sms/webhook"
        signature = RequestValidator(self.auth_token).compute_signature(address, form)
        start = time.monotonic()
        response = requests.post(
            address, data=form, headers={"X-Twilio-Signature": signature}, timeout=15
        )
        return response.status_code, time.monotonic() - start


# --- The design's texts (§5) ---------------------------------------------------------------------


def added(film: str) -> str:
    return (
        f"🎬 Great! I found '{film}' and added it to your download queue. "
        "I'll send you updates as the download progresses!"
    )


def started(film: str) -> str:
    return f"🎬 Great! I'm getting {film} ready for you. I'll text you when it's ready to watch!"


def completed(film: str) -> str:
    return f"🎉 {film} is ready to watch! Enjoy your movie!"


def whole_job(film: str) -> list[str]:
    """The three texts of a film that was got, in order."""
    return [added(film), started(film), completed(film)]

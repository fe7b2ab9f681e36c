"""Runs what the plan of `manage.py up` says, until it is told to end."""

import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from logging import makeLogRecord
from pathlib import Path

from moviesms.console import Console
from moviesms.embedded_redis import EmbeddedRedis
from moviesms.logs import rotating_file
from moviesms.ports import PortProbe
from moviesms.supervisor import Child, Supervisor, Timing

_REDIS_CHATTER = re.compile(
    r"overcommit|scheduling shutdown|ready to exit|is starting|just started|Configuration loaded"
    r"|Server initialized"
)
# About our threads, about a protocol we do not speak, an address that the banner tells, nothing.
_CHATTER = (
    r"\A\[WARNING\] Configuration allows spawning up to|\A\[INFO\] Websockets are not"
    r"|\Asandbox: the phone is at|\A\s*\Z"
)
_NOT_RECORDED = re.compile(_CHATTER)
_NOT_SHOWN = re.compile(_CHATTER + r'|\[granian\.access\]\Z|"logger": "granian\.access"')
_TELLS_TIME = re.compile(r"\d{4}-\d\d-\d\dT|\{")


@dataclass(frozen=True)
class Process:
    """One process to run. `environment` is what it has beside ours.

    `fork`: it is forked from this program, which has loaded what its role (MOVIESMS_ROLE) needs.
    `foundation`: the others start when it answers, and end before it.
    `address` is the (host, port) at which it answers when it is ready. `is_server`: what it
    prints goes to `server.log` too. `redis` is the (folder, socket, password) of our own Redis.
    """

    name: str
    command: Sequence[str]
    environment: dict[str, str] = field(default_factory=dict)
    fork: bool = False
    foundation: bool = False
    address: tuple[str, int] | None = None
    is_server: bool = False
    redis: tuple[str, str, str] | None = None


@dataclass(frozen=True)
class Plan:
    """What to run, what to say when it all runs, and the locks (open files) to hold meanwhile.

    Each of `locks` is (the open file, whether the processes hold it too).
    """

    processes: Sequence[Process]
    banner: str
    started: str
    server_log: str
    locks: Sequence[tuple[int, bool]] = ()


def become(plan: Plan) -> None:
    """Run `plan` in a new program, in place of this one and with the environment as it is now.

    For settings that have changed since they were loaded. Does not return.
    """
    # Without a name on the disk: the plan holds keys.
    with tempfile.TemporaryFile(dir=Path(plan.server_log).parent) as file:
        file.write(json.dumps(asdict(plan)).encode())
        file.seek(0)
        for number in (file.fileno(), *(lock for lock, _ in plan.locks)):
            os.set_inheritable(number, True)
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-m", __name__, str(file.fileno())])  # noqa: S606


def run(plan: Plan, timing: Timing | None = None) -> int:
    """Run `plan` until SIGTERM, SIGHUP or Ctrl-C, and return the exit code."""
    console = Console([process.name for process in plan.processes])
    log = ServerLog(Path(plan.server_log))

    def say(text: str) -> None:
        console.say(text)
        log.write(text)

    def is_running() -> None:
        console.say(plan.banner)
        log.write(plan.started)

    forked = [process.environment["MOVIESMS_ROLE"] for process in plan.processes if process.fork]
    if forked:
        from moviesms import loaded  # Django, and all of ours

        loaded.load(forked)
    children = [_child(process, log.write) for process in plan.processes]
    shared = [lock for lock, is_shared in plan.locks if is_shared]
    supervisor = Supervisor(children, timing=timing, console=console, say=say, keep_open=shared)
    code = supervisor.run(is_running)
    say("moviesms has ended.")
    log.close()
    return code


def _child(process: Process, record: Callable[[str], None]) -> Child:
    child = partial(
        Child,
        process.name,
        process.command,
        {**os.environ, **process.environment},
        foundation=process.foundation,
    )
    if process.redis is not None:
        folder, socket, password = process.redis
        server = EmbeddedRedis(Path(folder), Path(socket), password)
        return child(
            ready=server.answers,
            before_start=server.prepare,
            hide=_REDIS_CHATTER,
        )
    return child(
        fork=_take_role if process.fork else None,
        ready=PortProbe(*process.address) if process.address else None,
        record=record if process.is_server else None,
        hide=_NOT_SHOWN,
    )


def _take_role() -> None:
    from moviesms import loaded

    loaded.take_role()


class ServerLog:
    """Writes to `server.log`: what the web server prints, and what we say."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._handler = rotating_file(path)

    def write(self, text: str) -> None:
        """Add a line, with the time (UTC) before it unless it tells it itself; no chatter."""
        if _NOT_RECORDED.search(text):
            return
        if not _TELLS_TIME.match(text):
            text = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {text}"
        self._handler.handle(makeLogRecord({"msg": text}))

    def close(self) -> None:
        """Close the file."""
        self._handler.close()


def _handed_over(number: int) -> Plan:
    """Read the plan that `become` left in the open file `number`."""
    with os.fdopen(number) as file:
        words = json.load(file)
    processes = [
        Process(
            **{
                **process,
                "address": tuple(process["address"]) if process["address"] else None,
                "redis": tuple(process["redis"]) if process["redis"] else None,
            }
        )
        for process in words["processes"]
    ]
    plan = Plan(**{**words, "processes": processes})
    for lock, _ in plan.locks:
        os.set_inheritable(lock, False)
    return plan


if __name__ == "__main__":
    sys.exit(run(_handed_over(int(sys.argv[1]))))

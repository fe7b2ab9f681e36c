"""`manage.py up`: one process that starts, keeps running and ends all that moviesms needs."""

import os
import re
import secrets
import sys
import time
from argparse import ArgumentTypeError
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from logging import Formatter, makeLogRecord
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from moviesms.console import Console
from moviesms.embedded_redis import EmbeddedRedis, NoRedisServerError
from moviesms.health import unapplied_migrations
from moviesms.locks import only_runner, wait_for_earlier_children
from moviesms.ports import PortProbe, free_port, reachable, why_not
from moviesms.preparing import as_line, prepare_database
from moviesms.supervisor import Child, Supervisor

SERVICES = {
    "Twilio": ("TWILIO_ACCOUNT_SID", "no text comes in and none is sent"),
    "TMDB": ("TMDB_API_KEY", "no film can be found"),
    "Radarr": ("RADARR_URL", "requests are saved, and nothing is downloaded"),
    "OpenAI": ("OPENAI_API_KEY", "texts are read by simple rules"),
}
# Graces of minutes are right for a real Radarr; in the sandbox a person waits for each text.
SANDBOX_RHYTHM = {
    "MONITOR_INTERVAL": "5",
    "SEARCH_GRACE": "20",
    "STUCK_GRACE": "20",
    "FAILED_GRACE": "15",
}
SANDBOX_ACCOUNT = "AC" + "5a" * 16
SANDBOX_PHONE_NUMBER = "+15005550006"
PARTS = ("web", "worker", "monitor")
# Waits in a wrong order are told, and are no reason to leave a household without texts.
WAITS = frozenset({"downloads.E006", "smsbot.E014", "smsbot.E015", "smsbot.E017", "smsbot.E018"})
_REDIS_CHATTER = re.compile(r"overcommit|scheduling shutdown|ready to exit")
_ACCESS_LINE = '%(addr)s "%(method)s %(path)s %(protocol)s" %(status)d %(dt_ms).1f ms'
# About the threads we chose, and about a protocol we do not speak.
_GRANIAN_CHATTER = re.compile(r"allows spawning up to|Websockets are not|the phone is at")


class Command(BaseCommand):
    help = (
        "Starts everything: Redis (when REDIS_HOST is not set), the web server, the worker and the "
        "monitor; with nothing configured also the sandbox, to try it all with no account."
    )
    requires_system_checks: list[str] = []  # run by us, so that their text fits in
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--port", type=int, default=settings.PORT, help="web server's port (%(default)s)"
        )
        parser.add_argument(
            "--host", help="address to listen on (0.0.0.0; in the sandbox 127.0.0.1)"
        )
        which = parser.add_mutually_exclusive_group()
        which.add_argument(
            "--sandbox", action="store_true", default=None, help="use the sandbox in any case"
        )
        which.add_argument(
            "--no-sandbox", action="store_false", dest="sandbox", help="never start the sandbox"
        )
        parser.add_argument(
            "--only",
            type=_parts,
            default=(),
            metavar="PARTS",
            help=f"some of {','.join(PARTS)}, each by itself; needs REDIS_HOST and a database that "
            "`manage.py prepare` has made ready",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        forced: bool | None = options["sandbox"]
        self.only: tuple[str, ...] = options["only"]
        self.sandbox = not _configured() and not self.only if forced is None else forced
        if self.only:
            _check_shared(self.sandbox)
        self.host: str = options["host"] or ("127.0.0.1" if self.sandbox else "0.0.0.0")  # noqa: S104
        self.port: int = options["port"]
        os.umask(0o077)  # database and logs hold a household's texts
        self.console = Console(["redis", "sandbox", "web", "worker", "monitor"])
        say = self.console.say
        self._check_settings()
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
        # Several of `--only` may share a data folder: nothing of theirs is alone in it.
        locks = [] if self.only else self._alone(say)
        if self._runs("web") and (reason := why_not(self.host, self.port)):
            raise CommandError(
                f"Cannot listen on {self.host}, port {self.port} ({reason}); give another --port."
            )
        _keep_kinds_apart(self.sandbox, say)
        if not self.only:
            prepare_database(say)
        elif missing := unapplied_migrations():
            raise CommandError(
                f"The database lacks {len(missing)} migrations: run manage.py prepare."
            )
        connections.close_all()
        children = self._children(forced=bool(forced))
        self.server_log = _ServerLog(settings.LOG_DIR / "server.log")
        supervisor = Supervisor(children, console=self.console, say=self._say, keep_open=locks)
        code = supervisor.run(self._banner)
        self._say("moviesms has ended.")
        sys.exit(code)

    def _alone(self, say: Callable[[str], None]) -> list[int]:
        """Make sure that nobody else runs with this data folder; return what the children hold."""
        self._runner_lock = only_runner(settings.DATA_DIR)
        return [wait_for_earlier_children(settings.DATA_DIR, say)]

    def _runs(self, part: str) -> bool:
        return not self.only or part in self.only

    def _say(self, text: str) -> None:
        self.console.say(text)
        self.server_log.write(text)

    # --- Before anything runs --------------------------------------------------------------------
    def _check_settings(self) -> None:
        found = [message for message in checks.run_checks() if not message.is_silenced()]
        for message in found:
            # In the sandbox every service is about to be configured, by us.
            if message.is_serious() or not self.sandbox:
                self.console.say(as_line(message))
        if any(message.is_serious() and message.id not in WAITS for message in found):
            raise CommandError("The settings need a correction before moviesms can start.")

    # --- The children ----------------------------------------------------------------------------
    def _children(self, *, forced: bool) -> list[Child]:
        environment = dict(os.environ)
        environment.update(
            PORT=str(self.port),
            DATA_DIR=str(settings.DATA_DIR),
            PYTHONPATH=os.pathsep.join(
                filter(None, [str(settings.BASE_DIR), os.environ.get("PYTHONPATH")])
            ),
            PYTHONUNBUFFERED="1",
        )
        children = [] if settings.REDIS_HOST else [_redis()]
        if self.sandbox:
            port = free_port(int(os.environ.get("SANDBOX_PORT") or 8900))
            self.phone_page = f"http://{reachable(self.host)}:{port}/"
            point_at_sandbox(environment, sandbox_port=port, port=self.port, override=forced)
            children.append(self._sandbox(port, environment))
        ours = [self._web(environment), _worker(environment), _monitor(environment)]
        return children + [child for child in ours if self._runs(child.name)]

    def _sandbox(self, port: int, environment: Mapping[str, str]) -> Child:
        command = ["sandbox", "--port", str(port), "--host", self.host]
        return Child(
            "sandbox",
            [sys.executable, "-m", *command, "--app-url", environment["PUBLIC_URL"]],
            environment,
            ready=PortProbe(self.host, port),
            hide=_GRANIAN_CHATTER,
        )

    def _web(self, environment: Mapping[str, str]) -> Child:
        return Child(
            "web",
            [
                *(sys.executable, "-m", "granian", "--interface", "wsgi"),
                *("--host", self.host, "--port", str(self.port)),
                *("--workers", "2", "--blocking-threads", "8", "--respawn-failed-workers"),
                *("--workers-kill-timeout", "5"),
                *("--access-log", "--access-log-fmt", _ACCESS_LINE),
                "moviesms.wsgi:application",
            ],
            {**environment, "MOVIESMS_ROLE": "web"},
            ready=PortProbe(self.host, self.port),
            record=lambda line: self.server_log.write(line),
            hide=_GRANIAN_CHATTER,
        )

    # --- When everything runs --------------------------------------------------------------------
    def _banner(self) -> None:
        if self.only:
            self._say(f"moviesms is running: {', '.join(self.only)}.")
            return
        here = f"http://{reachable(self.host)}:{self.port}"
        lines = ["", "moviesms is running."]
        if self.sandbox:
            lines += [f"  Phone page  {self.phone_page}   text the bot here, and watch it answer"]
        lines += [
            f"  Admin       {here}/admin/",
            f"  API         {here}/api/docs   (sign in to the admin first)",
        ]
        lines += [f"  Data        {settings.DATA_DIR}"]
        lines += _sandbox_note() if self.sandbox else _services_note(self.port)
        self.console.say("\n".join([*lines, "Ctrl-C stops it.", ""]))
        self.server_log.write(f"moviesms is running at {here}.")


def point_at_sandbox(
    environment: dict[str, str], *, sandbox_port: int, port: int, override: bool
) -> None:
    """Change `environment` so that the product speaks to the sandbox and to nothing else.

    Keys that are there already stay, unless `override`: then none of the real ones is handed on.
    """
    sandbox = f"http://127.0.0.1:{sandbox_port}"
    keys = {
        "TWILIO_ACCOUNT_SID": SANDBOX_ACCOUNT,
        "TWILIO_AUTH_TOKEN": secrets.token_hex(16),
        "TWILIO_PHONE_NUMBER": SANDBOX_PHONE_NUMBER,
        "RADARR_API_KEY": secrets.token_hex(16),
        "RADARR_WEBHOOK_SECRET": secrets.token_hex(16),
        "TMDB_API_KEY": secrets.token_hex(16),
        "OPENAI_API_KEY": secrets.token_hex(16),
    }
    addresses = {
        "TWILIO_API_URL": sandbox,
        "RADARR_URL": f"{sandbox}/radarr",
        "TMDB_URL": f"{sandbox}/tmdb",
        "OPENAI_BASE_URL": f"{sandbox}/openai/v1",
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
    }
    for name, value in keys.items():
        if override or not (environment.get(name) or environment.get(f"{name}_FILE")):
            environment.pop(f"{name}_FILE", None)
            environment[name] = value
    for name, value in addresses.items():
        environment.pop(f"{name}_FILE", None)
        environment[name] = value
    for name, value in SANDBOX_RHYTHM.items():
        environment.setdefault(name, value)


def _redis() -> Child:
    server = EmbeddedRedis(
        settings.DATA_DIR / "redis", settings.REDIS_SOCKET, settings.REDIS_PASSWORD
    )
    try:
        command = server.command()
    except NoRedisServerError as error:
        raise CommandError(str(error)) from error
    return Child(
        "redis",
        command,
        foundation=True,
        ready=server.answers,
        before_start=server.prepare,
        hide=_REDIS_CHATTER,
    )


def _worker(environment: Mapping[str, str]) -> Child:
    command = ["celery", "--quiet", "-A", "moviesms.celery", "worker", "-P", "threads", "-c", "16"]
    return Child(
        "worker",
        [sys.executable, "-m", *command, "--without-gossip", "--without-mingle", "-l", "WARNING"],
        # Running as root is common in a container, and not Celery's to judge.
        {
            **environment,
            "MOVIESMS_ROLE": "worker",
            "PYTHONWARNINGS": "ignore:You're running the worker",
        },
    )


def _monitor(environment: Mapping[str, str]) -> Child:
    return Child(
        "monitor",
        [sys.executable, str(settings.BASE_DIR / "manage.py"), "run_download_monitor"],
        {**environment, "MOVIESMS_ROLE": "monitor"},
    )


def _parts(text: str) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in text.split(","))
    if unknown := [part for part in parts if part not in PARTS]:
        raise ArgumentTypeError(f"there is no part {unknown[0]!r}; there are: {', '.join(PARTS)}")
    return parts


def _check_shared(sandbox: bool) -> None:
    """Raise unless the parts, each started by itself, can find one another."""
    if sandbox:
        raise CommandError("The sandbox runs with everything; leave --only or --sandbox out.")
    if not settings.REDIS_HOST:
        raise CommandError("With --only the parts share a Redis: set REDIS_HOST to one.")


def _configured() -> list[str]:
    return [name for name, (setting, _) in SERVICES.items() if getattr(settings, setting)]


def _services_note(port: int) -> list[str]:
    missing = [name for name in SERVICES if name not in _configured()]
    public = settings.PUBLIC_URL if os.environ.get("PUBLIC_URL") else f"http://127.0.0.1:{port}"
    lines = []
    if "Twilio" not in missing:
        lines.append(f"  Texts       Twilio is to POST them to {public}/api/sms/webhook")
    for name in missing:
        setting, without = SERVICES[name]
        lines.append(f"  Missing     {name}: {without} ({setting} is not set)")
    return lines


def _sandbox_note() -> list[str]:
    return [
        "  This is the sandbox: Radarr, TMDB, OpenAI and Twilio are made up, no text leaves this",
        "  machine and nothing is downloaded. Set TWILIO_…, TMDB_…, RADARR_… and OPENAI_… (see",
        "  .env.example) to use the real ones.",
    ]


# --- Files ----------------------------------------------------------------------------------------
def _keep_kinds_apart(sandbox: bool, say: Callable[[str], None]) -> None:
    """Never mix what the sandbox made up with a household's own data.

    A film of the sandbox would be added to the real Radarr; a real request would be cancelled,
    since the sandbox's Radarr does not know it.
    """
    mark = settings.DATA_DIR / "kind"
    before = mark.read_text().strip() if mark.exists() else ""
    if sandbox and before == "live":
        raise CommandError(
            f"Nothing is configured, yet {settings.DATA_DIR} holds the data of a real installation:"
            f" is .env missing? To try the sandbox, give it another --data-dir. ({mark} says so.)"
        )
    if not sandbox and before == "sandbox" and not settings.DATABASE_URL:
        say(f"What the sandbox made up was moved to {_set_sandbox_data_aside()}.")
    mark.write_text("sandbox\n" if sandbox else "live\n")


def _set_sandbox_data_aside() -> Path:
    aside: Path = settings.DATA_DIR / f"sandbox-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    aside.mkdir()
    for old in [*settings.DATA_DIR.glob("db.sqlite3*"), settings.DATA_DIR / "redis/appendonlydir"]:
        if old.exists():
            old.rename(aside / old.name)
    return aside


class _ServerLog:
    """Writes to `server.log`; follows it when the web server's own processes rotate it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._handler = WatchedFileHandler(path, delay=True, encoding="utf-8")
        formatter = Formatter("%(asctime)sZ %(message)s", datefmt="%Y-%m-%dT%H:%M:%S")
        formatter.converter = time.gmtime
        self._handler.setFormatter(formatter)

    def write(self, text: str) -> None:
        self._handler.handle(makeLogRecord({"msg": text}))

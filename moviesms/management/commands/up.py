"""`manage.py up`: one process that starts, keeps running and ends all that moviesms needs."""

import os
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from moviesms import at_sandbox, runner
from moviesms.console import Console
from moviesms.embedded_redis import EmbeddedRedis, NoRedisServerError
from moviesms.forking import CAN_FORK
from moviesms.health import unapplied_migrations
from moviesms.locks import only_runner, wait_for_earlier_children
from moviesms.ports import free_port, reachable, why_not
from moviesms.preparing import as_line, prepare_database
from moviesms.runner import Process

SERVICES = {
    "Twilio": ("TWILIO_ACCOUNT_SID", "no text comes in and none is sent"),
    "TMDB": ("TMDB_API_KEY", "no film can be found"),
    "Radarr": ("RADARR_URL", "requests are saved, and nothing is downloaded"),
    "OpenAI": ("OPENAI_API_KEY", "texts are read by simple rules"),
}
PARTS = ("web", "worker", "monitor")
# Waits in a wrong order are told, and are no reason to leave a household without texts.
WAITS = frozenset({"downloads.E006", "smsbot.E014", "smsbot.E015", "smsbot.E017", "smsbot.E018"})
_ACCESS_LINE = '%(addr)s "%(method)s %(path)s %(protocol)s" %(status)d %(dt_ms).1f ms'


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
        parser.add_argument(
            "--small",
            action="store_true",
            help="one process for web server, worker and monitor: for a box with little memory",
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
        self.small: bool = options["small"]
        if self.only and self.small:
            raise CommandError("--small is one process for all parts; leave --only or --small out.")
        if self.only:
            _check_shared(self.sandbox)
        self.host: str = options["host"] or ("127.0.0.1" if self.sandbox else "0.0.0.0")  # noqa: S104
        self.port: int = options["port"]
        self.console = Console(["redis", "sandbox", "web", "worker", "monitor"])
        say = self.console.say
        self._check_settings()
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
        # Several of `--only` may share a data folder: nothing of theirs is alone in it.
        locks = [] if self.only else _alone(say)
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
        settings.LOG_DIR.mkdir(parents=True, exist_ok=True)
        plan = runner.Plan(
            processes=self._processes(forced=bool(forced)),
            banner=self._banner(),
            started=f"moviesms is running at {self._here()}.",
            server_log=str(settings.LOG_DIR / "server.log"),
            locks=locks,
        )
        if self.sandbox:  # it changed the settings that we have loaded
            runner.become(plan)
        sys.exit(runner.run(plan))

    def _runs(self, part: str) -> bool:
        return not self.only or part in self.only

    # --- Before anything runs --------------------------------------------------------------------
    def _check_settings(self) -> None:
        found = [message for message in checks.run_checks() if not message.is_silenced()]
        for message in found:
            # In the sandbox every service is about to be configured, by us.
            if message.is_serious() or not self.sandbox:
                self.console.say(as_line(message))
        if any(message.is_serious() and message.id not in WAITS for message in found):
            raise CommandError("The settings need a correction before moviesms can start.")

    # --- What is run -----------------------------------------------------------------------------
    def _processes(self, *, forced: bool) -> list[Process]:
        os.environ.update(
            PORT=str(self.port),
            DATA_DIR=str(settings.DATA_DIR),
            PYTHONPATH=os.pathsep.join(
                filter(None, [str(settings.BASE_DIR), os.environ.get("PYTHONPATH")])
            ),
            PYTHONUNBUFFERED="1",
        )
        processes = [] if settings.REDIS_HOST else [_redis()]
        if self.sandbox:
            port = free_port(int(os.environ.get("SANDBOX_PORT") or 8900))
            self.phone_page = f"http://{reachable(self.host)}:{port}/"
            environment = dict(os.environ)
            reached = at_sandbox.point_at_sandbox(
                environment, sandbox_port=port, port=self.port, override=forced
            )
            at_sandbox.remember(settings.DATA_DIR, reached)
            # What it takes away (a key's file) must not come back through our own.
            os.environ.clear()
            os.environ.update(environment)
            processes.append(self._sandbox(port))
        if self.small:
            return [*processes, self._web("small", "moviesms.small:application")]
        ours = [self._web("web", "moviesms.wsgi:application"), _worker(), _monitor()]
        return processes + [process for process in ours if self._runs(process.name)]

    def _sandbox(self, port: int) -> Process:
        command = ["sandbox", "--port", str(port), "--host", self.host]
        command += ["--app-url", os.environ["PUBLIC_URL"]]
        return Process(
            "sandbox",
            [sys.executable, "-m", *command],
            foundation=True,
            address=(self.host, port),
        )

    def _web(self, role: str, application: str) -> Process:
        workers = 1 if self.small else settings.WEB_WORKERS
        return Process(
            "web",
            [
                *(sys.executable, "-m", "granian", "--interface", "wsgi"),
                *("--host", self.host, "--port", str(self.port)),
                *("--process-name", "moviesms web"),
                *("--workers", str(workers), "--blocking-threads", "16"),
                "--respawn-failed-workers",
                *("--workers-kill-timeout", "5"),
                *("--access-log", "--access-log-fmt", _ACCESS_LINE),
                application,
            ],
            {"MOVIESMS_ROLE": role},
            fork=CAN_FORK,
            address=(self.host, self.port),
            is_server=True,
        )

    # --- When everything runs --------------------------------------------------------------------
    def _here(self) -> str:
        return f"http://{reachable(self.host)}:{self.port}"

    def _banner(self) -> str:
        if self.only:
            return f"moviesms is running: {', '.join(self.only)}."
        here = self._here()
        lines = ["", "moviesms is running."]
        if self.sandbox:
            lines += [f"  Phone page  {self.phone_page}   text the bot here, and watch it answer"]
        lines += [
            f"  Admin       {here}/admin/",
            f"  API         {here}/api/docs   (sign in to the admin first)",
        ]
        lines += [f"  Data        {settings.DATA_DIR}"]
        lines += _sandbox_note() if self.sandbox else _services_note(self.port)
        return "\n".join([*lines, "Ctrl-C stops it.", ""])


def _redis() -> Process:
    place = settings.DATA_DIR / "redis", settings.REDIS_SOCKET, settings.REDIS_PASSWORD
    try:
        command = EmbeddedRedis(*place).command()
    except NoRedisServerError as error:
        raise CommandError(str(error)) from error
    folder, socket, password = place
    return Process("redis", command, foundation=True, redis=(str(folder), str(socket), password))


def _worker() -> Process:
    # Checked before, by us; the checks would load every page.
    command = ["celery", "--quiet", "--skip-checks", "-A", "moviesms.celery", "worker"]
    how = ["-P", "threads", "-c", "16", "--without-gossip", "--without-mingle", "-l", "WARNING"]
    return Process(
        "worker",
        [sys.executable, "-m", *command, *how],
        {"MOVIESMS_ROLE": "worker"},
        fork=CAN_FORK,
    )


def _monitor() -> Process:
    return Process(
        "monitor",
        [sys.executable, str(settings.BASE_DIR / "manage.py"), "run_download_monitor"],
        {"MOVIESMS_ROLE": "monitor"},
        fork=CAN_FORK,
    )


def _parts(text: str) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in text.split(","))
    if unknown := [part for part in parts if part not in PARTS]:
        raise ArgumentTypeError(f"there is no part {unknown[0]!r}; there are: {', '.join(PARTS)}")
    return parts


def _alone(say: Callable[[str], None]) -> list[tuple[int, bool]]:
    """Make sure that nobody else runs with this data folder; return the runner's locks."""
    ours = only_runner(settings.DATA_DIR)
    return [(ours, False), (wait_for_earlier_children(settings.DATA_DIR, say), True)]


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
    before = at_sandbox.kind_of(settings.DATA_DIR)
    if sandbox and before == "live":
        raise CommandError(
            f"Nothing is configured, yet {settings.DATA_DIR} holds the data of a real installation:"
            " is .env missing? To try the sandbox, use another --data-dir. (The file `kind` there"
            " says so.)"
        )
    if not sandbox and before == "sandbox" and not settings.DATABASE_URL:
        say(f"What the sandbox made up was moved to {_set_sandbox_data_aside()}.")
    at_sandbox.mark(settings.DATA_DIR, "sandbox" if sandbox else "live")


def _set_sandbox_data_aside() -> Path:
    aside: Path = settings.DATA_DIR / f"sandbox-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    aside.mkdir()
    for old in [*settings.DATA_DIR.glob("db.sqlite3*"), settings.DATA_DIR / "redis/appendonlydir"]:
        if old.exists():
            old.rename(aside / old.name)
    return aside

"""`manage.py up`: one process that starts, keeps running and ends all that moviesms needs."""

import fcntl
import os
import secrets
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import checks
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from moviesms import runner
from moviesms.console import Console
from moviesms.embedded_redis import EmbeddedRedis, NoRedisServerError
from moviesms.ports import free_port, reachable, why_not
from moviesms.runner import Process

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
EARLIER_RUN_ENDS_WITHIN = 15
# Waits in a wrong order are told, and are no reason to leave a household without texts.
WAITS = frozenset({"downloads.E006", "smsbot.E014", "smsbot.E015", "smsbot.E017", "smsbot.E018"})
# Letters and digits that nobody confuses when copying them from a screen.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
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

    def handle(self, *args: Any, **options: Any) -> None:
        forced: bool | None = options["sandbox"]
        self.sandbox = not _configured() if forced is None else forced
        self.host: str = options["host"] or ("127.0.0.1" if self.sandbox else "0.0.0.0")  # noqa: S104
        self.port: int = options["port"]
        self.small: bool = options["small"]
        os.umask(0o077)  # database and logs hold a household's texts
        self.console = Console(["redis", "sandbox", "web", "worker", "monitor"])
        say = self.console.say
        self._check_settings()
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
        runner_lock = _only_runner(settings.DATA_DIR)
        children_lock = _wait_for_earlier_children(settings.DATA_DIR, say)
        if reason := why_not(self.host, self.port):
            raise CommandError(
                f"Cannot listen on {self.host}, port {self.port} ({reason}); give another --port."
            )
        _keep_kinds_apart(self.sandbox, say)
        self._prepare_database()
        settings.LOG_DIR.mkdir(parents=True, exist_ok=True)
        plan = runner.Plan(
            processes=self._processes(forced=bool(forced)),
            banner=self._banner(),
            started=f"moviesms is running at {self._here()}.",
            server_log=str(settings.LOG_DIR / "server.log"),
            locks=[runner_lock, children_lock],
            shared=children_lock,
        )
        runner.become(plan)

    # --- Before anything runs --------------------------------------------------------------------
    def _check_settings(self) -> None:
        found = [message for message in checks.run_checks() if not message.is_silenced()]
        for message in found:
            # In the sandbox every service is about to be configured, by us.
            if message.is_serious() or not self.sandbox:
                self.console.say(_said(message))
        if any(message.is_serious() and message.id not in WAITS for message in found):
            raise CommandError("The settings need a correction before moviesms can start.")

    def _check_database(self) -> None:
        """Read back how the database is set up; it must be there for that."""
        for message in checks.run_checks(tags=["database"], databases=["default"]):
            self.console.say(_said(message))

    def _prepare_database(self) -> None:
        self.console.say("Preparing the database.")
        call_command("migrate", interactive=False, verbosity=0)
        users = get_user_model()._default_manager
        if not users.filter(is_staff=True).exists() and not users.filter(username="admin").exists():
            password = _new_password()
            users.create_superuser(username="admin", email="", password=password)
            self.console.say(_FIRST_ADMIN.format(password=password))
        self._check_database()
        connections.close_all()

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
            point_at_sandbox(environment, sandbox_port=port, port=self.port, override=forced)
            # What it takes away (a key's file) must not come back through our own.
            os.environ.clear()
            os.environ.update(environment)
            processes.append(self._sandbox(port))
        if self.small:
            return [*processes, self._web("small", "moviesms.small:application")]
        return [*processes, self._web("web", "moviesms.wsgi:application"), _worker(), _monitor()]

    def _sandbox(self, port: int) -> Process:
        command = ["sandbox", "--port", str(port), "--host", self.host]
        command += ["--app-url", os.environ["PUBLIC_URL"]]
        return Process("sandbox", [sys.executable, "-m", *command], address=(self.host, port))

    def _web(self, role: str, application: str) -> Process:
        workers = 1 if self.small else settings.WEB_WORKERS
        return Process(
            "web",
            [
                *(sys.executable, "-m", "granian", "--interface", "wsgi"),
                *("--host", self.host, "--port", str(self.port)),
                *("--workers", str(workers), "--blocking-threads", "16"),
                "--respawn-failed-workers",
                *("--workers-kill-timeout", "5"),
                *("--access-log", "--access-log-fmt", _ACCESS_LINE),
                application,
            ],
            {"MOVIESMS_ROLE": role},
            address=(self.host, self.port),
            is_access_log=True,
        )

    # --- When everything runs --------------------------------------------------------------------
    def _here(self) -> str:
        return f"http://{reachable(self.host)}:{self.port}"

    def _banner(self) -> str:
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


_FIRST_ADMIN = """
  ┌──────────────────────────────────────────────────────────────┐
  │ The first admin's account. It is shown this once: note it.   │
  │   user name  admin                                           │
  │   password   {password:<48}│
  └──────────────────────────────────────────────────────────────┘
"""


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


def _redis() -> Process:
    place = settings.DATA_DIR / "redis", settings.REDIS_SOCKET, settings.REDIS_PASSWORD
    try:
        command = EmbeddedRedis(*place).command()
    except NoRedisServerError as error:
        raise CommandError(str(error)) from error
    folder, socket, password = place
    return Process("redis", command, redis=(str(folder), str(socket), password))


def _worker() -> Process:
    # Checked before, by us; the checks would load every page.
    command = ["celery", "--quiet", "--skip-checks", "-A", "moviesms.celery", "worker"]
    how = ["-P", "threads", "-c", "16", "--without-gossip", "--without-mingle", "-l", "WARNING"]
    return Process(
        "worker",
        [sys.executable, "-m", *command, *how],
        # Running as root is common in a container, and not Celery's to judge.
        {"MOVIESMS_ROLE": "worker", "PYTHONWARNINGS": "ignore:You're running the worker"},
    )


def _monitor() -> Process:
    return Process(
        "monitor",
        [sys.executable, str(settings.BASE_DIR / "manage.py"), "run_download_monitor"],
        {"MOVIESMS_ROLE": "monitor"},
    )


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


def _said(message: checks.CheckMessage) -> str:
    hint = f" {message.hint}" if message.hint else ""
    return f"  ! {message.msg}{hint} ({message.id})"


def _new_password() -> str:
    parts = ("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(4))
    return "-".join(parts)


# --- Locks, ports, files --------------------------------------------------------------------------
def _try_lock(path: Path) -> int | None:
    """Return an open file that holds the lock at `path`, or None when another process holds it."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    return file


def _only_runner(data_dir: Path) -> int:
    path = data_dir / "runner.lock"
    lock = _try_lock(path)
    if lock is None:
        pid = path.read_text().strip()
        raise CommandError(
            f"moviesms already runs with the data folder {data_dir} (process {pid})."
        )
    os.truncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())
    return lock


def _wait_for_earlier_children(data_dir: Path, say: Callable[[str], None]) -> int:
    """Return a lock that our children will hold too: while one of them lives, it is taken.

    Two Redis servers on one store, or two web servers on one port, would be the alternative when
    an earlier runner was killed and what it started is still ending.
    """
    deadline = time.monotonic() + EARLIER_RUN_ENDS_WITHIN
    told = False
    while (lock := _try_lock(data_dir / "children.lock")) is None:
        if time.monotonic() > deadline:
            raise CommandError(f"Processes of an earlier run still use {data_dir}; end them first.")
        if not told:
            say("Waiting for the processes of an earlier run to end.")
        told = True
        time.sleep(0.05)
    return lock


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

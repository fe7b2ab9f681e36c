"""Where trials play: Django set up once, and a database, a ledger and a clock for each of them.

In-process: the product's HTTP ends at requests' adapter, its cache is this process's memory, Celery
publishes nothing (the stage does the worker's part), and time stands still until somebody moves it.
So a trial takes milliseconds, and a `fork` of it can be killed at any line.
"""

import io
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from tests.chaos.answers import Answer, Call
from tests.chaos.databases import database
from tests.chaos.ledger import Entry, Ledger
from tests.chaos.standins import ACCOUNT, OUR_NUMBER, World

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]
OUR_CODE = tuple(f"{ROOT}/{app}/" for app in ("moviesms", "downloads", "smsbot"))
PUBLIC = "https://films.example.org"
TOKEN = "twilio-token-of-the-harness"
_HOSTS = {"radarr.test": "radarr", "tmdb.test": "tmdb", "twilio.test": "twilio"}
_OURS = ("RADARR_", "TMDB_", "TWILIO_", "OPENAI_", "REDIS_", "DATABASE_URL", "SMS_", "REQUEST_")


def scratch() -> Path:
    """Return a new folder, in memory where the machine has such a place."""
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="chaos-", dir=memory if memory.is_dir() else None))


def clean_environment() -> None:
    """Take out of the environment what would reach the product from this machine."""
    for name in list(os.environ):
        if name.startswith(_OURS) or name in ("PUBLIC_URL", "OWNER_PHONE_NUMBERS", "MOVIESMS_ROLE"):
            del os.environ[name]


def set_up(folder: Path) -> None:
    """Set Django up for in-process trials, with everything it keeps in `folder`."""
    clean_environment()
    os.environ.update(
        DJANGO_SETTINGS_MODULE="moviesms.settings",
        ENV_FILE=os.devnull,
        DATA_DIR=str(folder),
        DATABASE_URL=database.url,
        PUBLIC_URL=PUBLIC,
        RADARR_URL="http://radarr.test:7878",
        RADARR_API_KEY="radarr-key",
        TMDB_URL="http://tmdb.test",
        TMDB_API_KEY="tmdb-key",
        TWILIO_API_URL="http://twilio.test",
        TWILIO_ACCOUNT_SID=ACCOUNT,
        TWILIO_AUTH_TOKEN=TOKEN,
        TWILIO_PHONE_NUMBER=OUR_NUMBER,
        LOG_LEVEL="ERROR",
        TZ="UTC",
    )
    import django

    django.setup()
    _quiet_console()


def _quiet_console() -> None:
    """What the product logs goes to the file of the folder alone."""
    import logging

    root = logging.getLogger()
    for handler in list(root.handlers):
        if type(handler) is logging.StreamHandler:
            root.removeHandler(handler)


_REAL_SEND = HTTPAdapter.send


@dataclass
class Fault:
    """How the next calls to a service go wrong: `times` of them, those of `method` and `path`."""

    word: str  # refuse, reset_before, reset_after, timeout, or a status as digits
    method: str = ""
    path: str = ""  # a regular expression, searched for
    times: int = 1_000_000
    hidden: bool = False  # Twilio does not list what it took in such a call

    def takes(self, call: Call) -> bool:
        """Say whether this call is one that goes wrong, and count it."""
        if self.times <= 0 or self.method not in ("", call.method):
            return False
        if not re.search(self.path, call.path):
            return False
        self.times -= 1
        return True


@dataclass
class Stage:
    """One trial's world. Made anew after each fork; `now` is the trial's clock."""

    folder: Path
    now: datetime = NOON  # as our own clock says
    skew: timedelta = timedelta(0)  # how far our clock is off; the world's never is
    faults: dict[str, Fault] = field(default_factory=dict)
    redis_is_up: bool = True
    worker: int = 0  # whose database of Redis and of PostgreSQL it is
    real_wire: bool = False  # the product's own HTTP, to servers on real sockets
    # What happens elsewhere while a service answers: (service, path), and what.
    meanwhile: dict[tuple[str, str], Callable[[], None]] = field(default_factory=dict)

    def open(self) -> None:
        """Point Django at this trial's database, and the network at its world."""
        self.world = World(Ledger(self.folder / "ledger"), lambda: self.now - self.skew)
        database.open(self.folder, self.worker)
        self._use_clock()
        self._use_wire()
        self._use_redis()
        for entry in self.world.ledger.entries():
            if entry["kind"] == "clock":
                self.now = datetime.fromisoformat(entry["now"])
                self.skew = timedelta(seconds=entry["skew"])

    def pass_time(self, **later: float) -> None:
        """Let time pass, for those who come after a kill too."""
        self._set_clock(self.now + timedelta(**later), self.skew)

    def put_clock_off(self, seconds: float) -> None:
        """Let our clock jump, while no time passes for the world."""
        jump = timedelta(seconds=seconds)
        self._set_clock(self.now + jump, self.skew + jump)

    def put_clock_right(self) -> None:
        """Let our clock jump back to the world's time."""
        self._set_clock(self.now - self.skew, timedelta(0))

    def _set_clock(self, now: datetime, skew: timedelta) -> None:
        self.now, self.skew = now, skew
        self.world.ledger.append("clock", now=now.isoformat(), skew=skew.total_seconds())

    # --- What a person and a worker do -------------------------------------------------------

    def text(self, number: int, sender: str, body: str) -> str:
        """Let a person text us: Twilio holds it and posts the webhook. Return its SID."""
        sid = f"SM{number:032x}"
        self.world.record("text", sid=sid, sender=sender, body=body)
        self.post(sid)
        return sid

    def post(self, sid: str) -> None:
        """Post the webhook of a text that Twilio holds, and write down how it was answered."""
        text = self.world.texts[sid]
        form = webhook_form(sid, text["sender"], text["body"])
        if self._post("/api/sms/webhook", form) == 200:
            self.world.record("answered", sid=sid)

    def report(self, create: Entry, word: str) -> None:
        """Post Twilio's delivery report of a text, where it was asked for one and knows of it."""
        if create["callback"] and not create["hidden"]:
            form = report_form(create["sid"], word)
            self._post(urlsplit(create["callback"]).path, form)

    def _post(self, path: str, form: dict[str, str]) -> int:
        response = _client().post(
            path,
            urlencode(form),
            content_type="application/x-www-form-urlencoded",
            headers={"X-Twilio-Signature": sign(PUBLIC, path, form)},
            HTTP_HOST=urlsplit(PUBLIC).netloc,
        )
        return int(response.status_code)

    def work(self) -> None:
        """Do what the worker does, until there is nothing left to do now."""
        from smsbot import notifications, processing, sending

        for _ in range(20):
            inbound = list(processing.due(self.now).values_list("id", flat=True))
            for inbound_id in inbound:
                processing.process_line(inbound_id)
            notifications.hand_out(self.now)
            waiting = set(sending.due(self.now).values_list("contact_id", flat=True))
            for contact_id in waiting:
                sending.deliver_line(contact_id)
            if not inbound and not waiting:
                return

    def tick(self) -> None:
        """Let the monitor tick, and a worker tell what happened."""
        from downloads.monitor import tick
        from smsbot import work

        if tick(self.now).made_events:
            work.hand_out()

    # --- Patches -----------------------------------------------------------------------------

    def _use_clock(self) -> None:
        from django.utils import timezone

        timezone.now = lambda: self.now
        # Breakers close with the clock of the trial too.
        clock = SimpleNamespace(monotonic=lambda: (self.now - self.skew).timestamp())
        vars(import_module("moviesms.breaker"))["time"] = clock

    def _use_wire(self) -> None:
        from downloads import http

        def send(adapter: HTTPAdapter, request: Any, *_: Any, **__: Any) -> requests.Response:
            return adapter.build_response(request, _raw(self._exchange(request)))

        # BoundedAdapter's own `send` is this one.
        setattr(HTTPAdapter, "send", _REAL_SEND if self.real_wire else send)  # noqa: B010
        http.pause = lambda seconds: None

    def _exchange(self, request: requests.PreparedRequest) -> Answer:
        body = request.body or b""
        call = Call.of(
            request.method or "",
            request.url or "",
            body.encode() if isinstance(body, str) else bytes(body),
        )
        service = _HOSTS[urlsplit(request.url or "").hostname or ""]
        self._let_happen(service, call)
        fault = self.faults.get(service)
        if fault is None or not fault.takes(call):
            return self.world.answer(service, call)
        return self._go_wrong(fault, service, call)

    def _let_happen(self, service: str, call: Call) -> None:
        for place in list(self.meanwhile):
            if place[0] == service and re.search(place[1], call.path):
                self.meanwhile.pop(place)()

    def _go_wrong(self, fault: Fault, service: str, call: Call) -> Answer:
        if fault.word.isdigit():
            return Answer(int(fault.word), {}, b"")
        if fault.word == "refuse":
            never = urllib3.exceptions.NewConnectionError(None, "refused")  # type: ignore[arg-type]
            raise requests.ConnectionError(never)
        if fault.word in ("reset_after", "timeout"):
            self.world.hides = fault.hidden
            self.world.answer(service, call)
            self.world.hides = False
        if fault.word == "timeout":
            raise requests.ReadTimeout("read timed out")
        raise requests.ConnectionError("Connection aborted.", ConnectionResetError(104))

    def _use_redis(self) -> None:
        from celery import Celery
        from django.conf import settings
        from django.core.cache import caches
        from kombu.exceptions import OperationalError
        from redis import Redis
        from redis.exceptions import ConnectionError as NoRedis

        from moviesms import live

        redis = Redis(
            unix_socket_path=str(settings.REDIS_SOCKET),
            password=settings.REDIS_PASSWORD,
            db=self.worker,
        )

        def connection(_: str) -> Redis:
            if not self.redis_is_up:
                raise NoRedis("refused")
            return redis

        def publish(app: Any, name: str, **_: Any) -> None:
            if not self.redis_is_up:
                raise OperationalError("refused")

        vars(live)["get_redis_connection"] = connection
        setattr(Celery, "send_task", publish)  # noqa: B010  (as mypy would have it)
        backend = "tests.chaos.caches.MemoryCache"
        if not self.redis_is_up:
            backend = "tests.chaos.caches.SilentCache"
        caches.settings["default"] = {"BACKEND": backend}
        with suppress(AttributeError):
            del caches["default"]
        caches["default"].clear()


@lru_cache
def _client() -> Any:
    """Return the client that posts webhooks; it is dear to make, and forks share it."""
    from django.test import Client

    return Client()


def _raw(answer: Answer) -> urllib3.HTTPResponse:
    return urllib3.HTTPResponse(
        body=io.BytesIO(answer.body),
        headers=answer.headers,
        status=answer.status,
        preload_content=False,
    )


def webhook_form(sid: str, sender: str, body: str) -> dict[str, str]:
    """Return the form that Twilio posts for a text."""
    return {
        "MessageSid": sid,
        "AccountSid": ACCOUNT,
        "From": sender,
        "To": OUR_NUMBER,
        "Body": body,
        "NumMedia": "0",
    }


def report_form(sid: str, word: str) -> dict[str, str]:
    """Return the form that Twilio posts to say how far a text of ours has come."""
    return {"MessageSid": sid, "AccountSid": ACCOUNT, "MessageStatus": word}


def sign(root: str, path: str, form: dict[str, str]) -> str:
    """Return Twilio's signature of a form posted to `path` of our public address."""
    from twilio.request_validator import RequestValidator

    return str(RequestValidator(TOKEN).compute_signature(root + path, form))


@contextmanager
def redis_server() -> Iterator[None]:
    """Run a Redis for the live state of the trials."""
    from django.conf import settings

    from moviesms.embedded_redis import EmbeddedRedis

    server = EmbeddedRedis(
        settings.DATA_DIR / "redis", settings.REDIS_SOCKET, settings.REDIS_PASSWORD
    )
    server.start()
    try:
        yield
    finally:
        server.stop()


def flush_redis(db: int) -> None:
    """Empty one worker's database of that Redis."""
    from django.conf import settings
    from redis import Redis

    with Redis(
        unix_socket_path=str(settings.REDIS_SOCKET), password=settings.REDIS_PASSWORD, db=db
    ) as redis:
        redis.flushdb()


def copy_trial(source: Path, target: Path) -> None:
    """Make a trial's folder from a prepared one."""
    target.mkdir(exist_ok=True)
    for old in target.iterdir():
        old.unlink()
    for name in (*database.files, "ledger"):
        if (source / name).exists():
            shutil.copyfile(source / name, target / name)


Play = Callable[[Stage], None]

"""Fixtures: a household with its phones, the services' fakes, a clock, and a real Redis."""

import itertools
import re
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
import responses
import time_machine
from django.conf import settings as django_settings
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from twilio.request_validator import RequestValidator

from downloads import connections, http
from downloads.monitor import TickResult, tick
from moviesms import live
from moviesms.embedded_redis import EmbeddedRedis
from smsbot import handover, notifications, processing, sending, understanding
from tests.fakes import FakeRadarr, FakeTmdb, FakeTwilio

# A real password hash is slow on purpose; no test is about that.
django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

SAM, ALEX, KIM = "+12025550142", "+12025550175", "+12025550119"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

_serial = itertools.count(1)


@pytest.fixture(scope="session", autouse=True)
def redis_server() -> Iterator[EmbeddedRedis]:
    """The real Redis, one for each test process."""
    server = EmbeddedRedis(
        django_settings.DATA_DIR / "redis",
        django_settings.REDIS_SOCKET,
        django_settings.REDIS_PASSWORD,
    )
    server.start()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def _fresh(redis_server: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of one test reaches the next: an empty Redis, closed breakers, no waiting."""
    close_breakers()
    redis.Redis.from_url(django_settings.REDIS_URL, socket_timeout=10).flushall()
    monkeypatch.setattr(http, "pause", lambda seconds: None)


class AtOnce(Executor):
    """Does what it is given before it returns."""

    def submit(self, work: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(work(*args, **named))
        return done


@pytest.fixture(autouse=True)
def _published_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is handed over is in Redis when the request has been answered."""
    monkeypatch.setattr(handover, "_publisher", AtOnce)
    monkeypatch.setattr(handover, "pause", lambda seconds: None)
    # What threads do is done in the test's own, whose connection is in a transaction.
    monkeypatch.setattr(handover, "close_old_connections", lambda: None)


def close_breakers() -> None:
    """Let the seconds pass for which a service that failed is left alone."""
    for breaker in (
        live.breaker,
        sending.refused,
        understanding.breaker,
        connections.radarr_breaker,
        connections.tmdb_breaker,
    ):
        breaker.succeeded()


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Time that stands still until a test moves it."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    """The network: what no fake answers is refused."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as requests_mock:
        yield requests_mock


@pytest.fixture
def radarr(mock: responses.RequestsMock) -> FakeRadarr:
    fake = FakeRadarr()
    fake.install(mock)
    return fake


@pytest.fixture
def tmdb(mock: responses.RequestsMock) -> FakeTmdb:
    """TMDB with a few films that everybody knows."""
    fake = FakeTmdb()
    fake.add(155, "The Dark Knight", "2008-07-16")
    fake.add(603, "The Matrix", "1999-03-31")
    fake.add(438631, "Dune", "2021-09-15")
    fake.add(841, "Dune", "1984-12-14")
    fake.add(27205, "Inception", "2010-07-15")
    fake.install(mock)
    return fake


@pytest.fixture
def twilio(mock: responses.RequestsMock) -> FakeTwilio:
    fake = FakeTwilio()
    fake.install(mock)
    return fake


def sign(path: str, form: dict[str, str]) -> str:
    """Return Twilio's signature for a form posted to `path` of our public address."""
    validator = RequestValidator(django_settings.TWILIO_AUTH_TOKEN)
    return str(validator.compute_signature(django_settings.PUBLIC_URL + path, form))


def inbound_form(sender: str, body: str, **changes: str) -> dict[str, str]:
    """Return the form that Twilio posts for a text."""
    sid = f"SM{next(_serial):032x}"
    return {
        "ToCountry": "US",
        "SmsMessageSid": sid,
        "NumMedia": "0",
        "SmsSid": sid,
        "SmsStatus": "received",
        "Body": body,
        "To": django_settings.TWILIO_PHONE_NUMBER,
        "NumSegments": "1",
        "MessageSid": sid,
        "AccountSid": django_settings.TWILIO_ACCOUNT_SID,
        "From": sender,
        "ApiVersion": "2010-04-01",
        **changes,
    }


def post_signed(client: Client, path: str, form: dict[str, str]) -> HttpResponse:
    """Post a form as Twilio does."""
    from urllib.parse import urlencode

    return client.post(  # type: ignore[return-value]  # a response with a few attributes more
        path,
        urlencode(form),
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": sign(path, form)},
    )


@dataclass
class Household:
    """People who text, and the machinery behind the number, run step by step."""

    client: Client
    twilio: FakeTwilio
    clock: time_machine.Traveller

    def text(self, sender: str, body: str, **changes: str) -> list[str]:
        """Let `sender` text `body`; return the texts that come back at once."""
        before = len(self.twilio.to(sender))
        self.deliver(inbound_form(sender, body, **changes))
        self.work()
        return self.twilio.to(sender)[before:]

    def deliver(self, form: dict[str, str]) -> None:
        """Post a text's webhook, as Twilio does, and nothing more."""
        response = post_signed(self.client, "/api/sms/webhook", form)
        assert response.status_code == 200, response.content

    def work(self) -> None:
        """Do what the worker does, until there is nothing left to do now."""
        close_breakers()
        for _ in range(50):
            now = timezone.now()
            inbound = list(processing.due(now).values_list("id", flat=True))
            for inbound_id in inbound:
                processing.process_line(inbound_id)
            notifications.hand_out(now)
            waiting = set(sending.due(now).values_list("contact_id", flat=True))
            for contact_id in waiting:
                sending.deliver_line(contact_id)
            if not inbound and not waiting:
                return

    def tick(self, **later: float) -> TickResult:
        """Let time pass (`minutes=5`), tick the monitor, and send what that made."""
        self.clock.shift(timedelta(**later) if later else timedelta(seconds=30))
        result = tick(timezone.now())
        self.work()
        return result

    def texts_to(self, address: str) -> list[str]:
        """Return all texts that `address` has had, in order."""
        return self.twilio.to(address)


@pytest.fixture
def household(
    db: None,
    client: Client,
    radarr: FakeRadarr,
    tmdb: FakeTmdb,
    twilio: FakeTwilio,
    clock: time_machine.Traveller,
) -> Household:
    """A household that may ask, with every service in order."""
    cache.clear()
    return Household(client, twilio, clock)


def words(text: str) -> str:
    """Return a text without its emoji, for assertions on the words."""
    return re.sub(r"[^\x00-\x7f’…é]+", "", text).strip()

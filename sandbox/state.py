"""The one object that holds the sandbox's world, and the lock around it."""

import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from twilio.request_validator import RequestValidator

from sandbox import radarr_json
from sandbox.catalogue import Catalogue, load
from sandbox.config import Config
from sandbox.exchange import DELIVERED_AFTER, SENT_AFTER, Exchange, Message, segments
from sandbox.library import Happening, Library
from sandbox.outbox import Outbox, Post


class Service(StrEnum):
    """The stand-ins, each of which can be made unavailable."""

    RADARR = "radarr"
    TMDB = "tmdb"
    OPENAI = "openai"
    TWILIO = "twilio"


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


class Sandbox:
    """The world of the stand-ins. Hold `lock` for anything that reads or changes it."""

    def __init__(
        self,
        config: Config,
        catalogue: Catalogue | None = None,
        clock: Callable[[], datetime] = utc_now,
        first_id: int = 1,
    ) -> None:
        self.config = config
        self.catalogue = catalogue or Catalogue(load())
        self.clock = clock
        self.lock = threading.RLock()
        self._validator = RequestValidator(config.auth_token)
        self._next_library = first_id
        self.reset()

    def reset(self) -> None:
        """Begin anew: an empty library, no messages, every service up."""
        self.library = Library(timedelta(seconds=self.config.step), first_id=self._next_library)
        self._next_library += 10_000
        self.library.notifications.append(radarr_json.connection(self._hook, self._secret))
        self.exchange = Exchange(
            self.config.phone_number, sms_url=f"{self.config.app_url}/api/sms/webhook"
        )
        self.down: set[Service] = set()
        self.outbox = Outbox()

    def advance(self) -> datetime:
        """Let everything happen that is due; answers the time it was done for."""
        now = self.clock()
        self.library.advance(now)
        happenings, self.library.happenings = self.library.happenings, []
        if Service.RADARR not in self.down:
            for happening in happenings:
                self.outbox.put(self._connect(happening), now)
        return now

    def text(self, sender: str, body: str, sid: str = "") -> Message:
        """A phone sends a text: Twilio keeps it and posts it to the product."""
        now = self.clock()
        message = self.exchange.receive(sender, body, now, sid)
        message.handed_over = None

        def note(delivered: bool) -> None:
            with self.lock:
                message.handed_over = delivered

        form = inbound_form(message, self.config.account_sid)
        # Twilio connects a second time after a failed connection, with the same token.
        token = {"I-Twilio-Idempotency-Token": message.sid}
        # What follows # is for Twilio alone: it is neither sent nor signed.
        url = self.exchange.setup["sms_url"].partition("#")[0]
        if url:
            self.outbox.put(self._signed(url, form, token, attempts=2, done=note), now)
        else:
            message.handed_over = False
        return message

    def follow(self, message: Message, callback: str) -> None:
        """Owe the product the delivery reports of a message that it sent."""
        for after in (SENT_AFTER, DELIVERED_AFTER):
            at = message.created + after
            form = status_form(message, message.status(at), self.config.account_sid)
            self.outbox.put(self._signed(callback, form), at)

    @property
    def _hook(self) -> str:
        return f"{self.config.app_url}/api/sms/radarr/webhook"

    @property
    def _secret(self) -> dict[str, str]:
        return {"X-Webhook-Secret": self.config.radarr_webhook_secret}

    def _connect(self, happening: Happening) -> Post:
        return Post(self._hook, headers=self._secret, json=radarr_json.webhook(happening))

    def _signed(
        self,
        url: str,
        form: dict[str, str],
        headers: dict[str, str] | None = None,
        attempts: int = 1,
        done: Callable[[bool], None] = lambda _: None,
    ) -> Post:
        signature = self._validator.compute_signature(url, form)
        return Post(
            url, {"X-Twilio-Signature": signature, **(headers or {})}, form, None, attempts, done
        )


def inbound_form(message: Message, account_sid: str) -> dict[str, str]:
    """The fields that Twilio posts for an SMS that came in."""
    return {
        "ToCountry": "US",
        "ToState": "",
        "ToCity": "",
        "ToZip": "",
        "FromCountry": "US",
        "FromState": "DC",
        "FromCity": "WASHINGTON",
        "FromZip": "20001",
        "MessageSid": message.sid,
        "SmsSid": message.sid,
        "SmsMessageSid": message.sid,
        "AccountSid": account_sid,
        "From": message.sender,
        "To": message.recipient,
        "Body": message.body,
        "NumMedia": "0",
        "NumSegments": str(segments(message.body)),
        "SmsStatus": "received",
        "ApiVersion": "2010-04-01",
    }


def status_form(message: Message, status: str, account_sid: str) -> dict[str, str]:
    """The fields that Twilio posts to a StatusCallback."""
    return {
        "MessageSid": message.sid,
        "MessageStatus": status,
        "SmsSid": message.sid,
        "SmsStatus": status,
        "AccountSid": account_sid,
        "From": message.sender,
        "To": message.recipient,
        "ApiVersion": "2010-04-01",
    }


_current: Sandbox | None = None
_installing = threading.Lock()


def install(box: Sandbox | None) -> None:
    """Make `box` the world that the views speak for; None: the next caller makes a new one."""
    global _current
    _current = box


def current() -> Sandbox:
    """The world that the views speak for, made from the environment when there is none yet."""
    with _installing:
        if _current is None:
            # Never an id of an earlier run: the product may remember it, for another film.
            seconds = int(utc_now().timestamp()) % 100_000_000
            install(Sandbox(Config.from_environment(os.environ), first_id=10 * seconds))
        assert _current is not None  # noqa: S101 (for the type checker: install just set it)
        return _current

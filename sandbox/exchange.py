"""Twilio's memory: the messages of one number, who opted out, and how a message moves on."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.config import E164

STOP_WORDS = {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"}
START_WORDS = {"start", "yes", "unstop"}
LONGEST_BODY = 1600
SENT_AFTER, DELIVERED_AFTER = timedelta(seconds=0.3), timedelta(seconds=0.9)

GSM_7 = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_7_EXTENDED = set("^{}\\[~]|€\f")


class Refusal(Exception):
    """A message that Twilio does not take, with its code and sentence."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@dataclass
class Message:
    """One SMS; `handed_over` says of an inbound one whether the product took it (None: not yet)."""

    sid: str
    inbound: bool
    sender: str
    recipient: str
    body: str
    created: datetime
    handed_over: bool | None = None

    @property
    def person(self) -> str:
        """The phone at the other end."""
        return self.sender if self.inbound else self.recipient

    def status(self, now: datetime) -> str:
        """Twilio's word for how far it is."""
        if self.inbound:
            return "received"
        if now < self.created + SENT_AFTER:
            return "queued"
        return "sent" if now < self.created + DELIVERED_AFTER else "delivered"


class Exchange:
    """All messages of our number, oldest first."""

    def __init__(self, number: str, sms_url: str) -> None:
        self.number = number
        # How the number is set up, as Twilio names it.
        self.setup = {
            "sms_url": sms_url,
            "sms_method": "POST",
            "sms_fallback_url": "",
            "sms_fallback_method": "POST",
            "sms_application_sid": "",
        }
        self.messages: list[Message] = []
        self.opted_out: set[str] = set()

    def find(self, sid: str) -> Message | None:
        """The message of that SID."""
        return next((message for message in self.messages if message.sid == sid), None)

    def send(self, to: str, sender: str, body: str, now: datetime) -> Message:
        """Take a message from the product, or raise the Refusal that Twilio would answer."""
        self._check(to, sender, body)
        message = Message(new_sid(), False, sender, to, body, now)
        self.messages.append(message)
        return message

    def receive(self, sender: str, body: str, now: datetime, sid: str = "") -> Message:
        """Take a message from a phone; one whose SID is known already is the same message."""
        if sid and (known := self.find(sid)):
            return known
        word = body.strip().casefold()
        if word in STOP_WORDS:
            self.opted_out.add(sender)
        elif word in START_WORDS:
            self.opted_out.discard(sender)
        message = Message(sid or new_sid(), True, sender, self.number, body, now)
        self.messages.append(message)
        return message

    def _check(self, to: str, sender: str, body: str) -> None:
        if not to:
            raise Refusal(21604, "A 'To' phone number is required.")
        if not sender:
            raise Refusal(21603, "A 'From' phone number is required.")
        if not body:
            raise Refusal(21602, "Message body is required.")
        if not E164.fullmatch(to):
            raise Refusal(21211, f"The 'To' number {to} is not a valid phone number.")
        if not E164.fullmatch(sender):
            raise Refusal(21212, f"The 'From' number {sender} is not a valid phone number.")
        if sender != self.number:
            raise Refusal(
                21606,
                f"The 'From' phone number provided ({sender}) is not a valid message-capable "
                "Twilio phone number for this destination/account.",
            )
        if to == sender:
            raise Refusal(21266, f"'To' and 'From' number cannot be the same: {to}")
        if len(body) > LONGEST_BODY:
            raise Refusal(21617, "The concatenated message body exceeds the 1600 character limit.")
        if to in self.opted_out:
            raise Refusal(21610, "Attempt to send to unsubscribed recipient")


def new_sid() -> str:
    """A fresh message SID."""
    return f"SM{secrets.token_hex(16)}"


def is_message_sid(text: str) -> bool:
    """Whether `text` has the form of a message SID."""
    return re.fullmatch(r"(SM|MM)[0-9a-f]{32}", text) is not None


def segments(body: str) -> int:
    """How many SMS the text takes: one character outside GSM-7 makes all of them shorter."""
    if set(body) <= GSM_7 | GSM_7_EXTENDED:
        length, alone, joined = sum(1 + (c in GSM_7_EXTENDED) for c in body), 160, 153
    else:
        length, alone, joined = len(body.encode("utf-16-le")) // 2, 70, 67
    return 1 if length <= alone else -(-length // joined)

"""An SMS that came in: read its form strictly, and make it a row. The webhook's and backfill's."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.http import QueryDict

from moviesms.together import Together
from smsbot.models import Contact, InboundMessage

_SID = re.compile(r"(SM|MM)[0-9a-f]{32}", re.ASCII)
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_SHORT_CODE = re.compile(r"\+?[0-9]{3,6}", re.ASCII)
_SAID_ONCE = (
    re.compile(r"From(\+[0-9]{7,15})", re.ASCII),
    re.compile(r"To(\+[0-9]{7,15})", re.ASCII),
    re.compile(r"(?<!Sms)MessageSid((?:SM|MM)[0-9a-f]{32})", re.ASCII),
    re.compile(r"AccountSid(AC[0-9a-f]{32})", re.ASCII),
)
_REQUIRED = ("MessageSid", "AccountSid", "From", "To", "Body")

STOP_WORDS = frozenset(
    {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"}
)
START_WORDS = frozenset({"start", "unstop"})
_OPT_WORDS = STOP_WORDS | START_WORDS
YES = "yes"
_OPT_OUT_TYPES = frozenset({"STOP", "START", "HELP"})

State = InboundMessage.State


class Malformed(ValueError):
    """The form is not one that Twilio sends; the message names the field."""


@dataclass(frozen=True)
class Incoming:
    """The fields of an inbound SMS that we use. `sender` is in E.164."""

    sid: str
    sender: str
    body: str
    num_media: int


def parse(form: QueryDict, *, from_list: bool = False) -> Incoming | None:
    """Read a webhook's form; None for what is never answered (short codes, our own number).

    `from_list`: the fields come from Twilio's list, which nobody can cut anew.

    Every field stands exactly once: Twilio's signature joins names and values without a delimiter,
    so a replay could fold one field into the next. Raises Malformed.
    """
    media = _count(form)
    # A picture alone may come without a text.
    fields = {
        name: "" if name == "Body" and media and name not in form else _once(form, name)
        for name in _REQUIRED
    }
    if not from_list:
        _check_for_folding(form)
    if not _SID.fullmatch(fields["MessageSid"]):
        raise Malformed("MessageSid is not one of Twilio's")
    if fields["AccountSid"] != settings.TWILIO_ACCOUNT_SID:
        raise Malformed("AccountSid is not ours")
    if fields["To"] != settings.TWILIO_PHONE_NUMBER:
        raise Malformed("To is not our number")
    if _SHORT_CODE.fullmatch(fields["From"]) or fields["From"] == fields["To"]:
        return None
    if not _E164.fullmatch(fields["From"]):
        raise Malformed("From is not a phone number")
    # Twilio's Advanced Opt-Out knows the words of other languages (ALTO) and says what they mean.
    word = _once(form, "OptOutType") if "OptOutType" in form else ""
    body = word if word in _OPT_OUT_TYPES else fields["Body"]
    return Incoming(fields["MessageSid"], fields["From"], body, media)


def store(incoming: Incoming, *, now: datetime, dead: str = "") -> tuple[int, bool]:
    """Insert a row durably and return its id; (the id, False) when its SID is there already.

    With `dead`, a reason, the row is stored as given up: it is seen, and not answered.
    """
    values = (
        incoming.sid,
        # PostgreSQL cannot hold a NUL, and no phone means one.
        incoming.body.replace("\x00", ""),
        incoming.num_media,
        is_opt_word(incoming.body),
        connection.ops.adapt_datetimefield_value(now),
        State.DEAD if dead else State.RECEIVED,
        dead,
        incoming.sender,
    )
    stored = _insert(values)
    if stored is None:
        Contact.objects.get_or_create(address=incoming.sender)  # the first text of this person
        stored = _insert(values)
    if stored is not None:
        return stored, True
    return InboundMessage.objects.values_list("pk", flat=True).get(twilio_sid=incoming.sid), False


_INSERT = """
    INSERT INTO smsbot_inboundmessage (
        contact_id, twilio_sid, body, num_media, skips_line, received_at, state, failure, attempts)
    SELECT id, %s, %s, %s, %s, %s, %s, %s, 0 FROM smsbot_contact WHERE address = %s
    ON CONFLICT (twilio_sid) DO NOTHING
    RETURNING id"""


def _insert_all(texts: Sequence[tuple[Any, ...]]) -> list[int | None]:
    """Insert rows, each in one statement, and return their ids.

    None where the SID is there already, or nobody is known by that address.
    """
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        ids: list[int | None] = []
        for values in texts:
            cursor.execute(_INSERT, values)
            ids.extend(cursor.fetchone() or [None])
        return ids


_insert_with_others = Together(_insert_all, common=OperationalError)


def _insert(values: tuple[Any, ...]) -> int | None:
    """Insert one row, see `_insert_all`.

    Where only one may write at a time, one commit serves all texts that have come meanwhile.
    Elsewhere each waits for nobody: not for a person whose row is locked, not for a text that comes
    twice.
    """
    if connection.vendor == "sqlite":
        return _insert_with_others(values)
    return _insert_all([values])[0]


def is_opt_word(body: str) -> bool:
    """Whether the text is nothing but an opt-out or opt-in word; with any other word it is not."""
    return word_of(body) in _OPT_WORDS


def word_of(body: str) -> str:
    """Return the text as carriers compare it: no spaces or full stop around it, lower case."""
    return body.strip().rstrip(".!").strip().casefold()


def _check_for_folding(form: QueryDict) -> None:
    """Refuse a form that was cut anew out of another one's signed text.

    Twilio signs names and values joined without a delimiter, so a text that reads like fields can
    be cut into fields. The joined string is the same however it is cut, and holds both the true
    fields and those of the text: where it names two senders or two SIDs, one was written in.
    """
    signed = "".join(
        name + value for name, values in sorted(form.lists()) for value in sorted(set(values))
    )
    for pattern in _SAID_ONCE:
        if len(set(pattern.findall(signed))) > 1:
            raise Malformed("a text holds what reads like another message's fields")


def _once(form: QueryDict, name: str) -> str:
    values = form.getlist(name)
    if len(values) != 1:
        raise Malformed(f"{name} must stand exactly once")
    return str(values[0])


def _count(form: QueryDict) -> int:
    if "NumMedia" not in form:
        return 0
    value = _once(form, "NumMedia")
    if not re.fullmatch(r"[0-9]{1,2}", value, re.ASCII):
        raise Malformed("NumMedia is not a count")
    return int(value)

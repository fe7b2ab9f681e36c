"""An SMS that came in: read its form strictly, and make it a row. The webhook's and backfill's."""

import re
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction
from django.http import QueryDict

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


def store(incoming: Incoming, *, now: datetime, dead: str = "") -> tuple[InboundMessage, bool]:
    """Insert the row durably; (the row, False) when its SID is there already.

    With `dead`, a reason, the row is stored as given up: it is seen, and not answered.
    """
    message = InboundMessage(
        twilio_sid=incoming.sid,
        # PostgreSQL cannot hold a NUL, and no phone means one.
        body=incoming.body.replace("\x00", ""),
        num_media=incoming.num_media,
        skips_line=is_opt_word(incoming.body),
        received_at=now,
        state=State.DEAD if dead else State.RECEIVED,
        failure=dead,
    )
    if _insert(message, incoming.sender):
        return message, True
    Contact.objects.get_or_create(address=incoming.sender)  # the first text of this person
    if _insert(message, incoming.sender):
        return message, True
    return InboundMessage.objects.get(twilio_sid=incoming.sid), False


_INSERT = """
    INSERT INTO smsbot_inboundmessage (
        contact_id, twilio_sid, body, num_media, skips_line, received_at, state, failure, attempts)
    SELECT id, %s, %s, %s, %s, %s, %s, %s, %s FROM smsbot_contact WHERE address = %s
    ON CONFLICT (twilio_sid) DO NOTHING
    RETURNING id, contact_id"""


def _insert(message: InboundMessage, sender: str) -> bool:
    """Insert the row in one statement, and give `message` its keys.

    False when its SID is there already, or nobody is known by that address.
    """
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        values = (
            message.twilio_sid,
            message.body,
            message.num_media,
            message.skips_line,
            connection.ops.adapt_datetimefield_value(message.received_at),
            message.state,
            message.failure,
            message.attempts,
        )
        cursor.execute(_INSERT, [*values, sender])
        inserted = cursor.fetchone()
    if inserted is None:
        return False
    message.pk, message.contact_id = inserted
    message._state.adding, message._state.db = False, connection.alias
    return True


def is_opt_word(body: str) -> bool:
    """Whether the text is nothing but an opt-out or opt-in word; with any other word it is not."""
    return word_of(body) in STOP_WORDS | START_WORDS


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

"""The owner's word by text: ALLOW, DENY, APPROVE or DECLINE and the code of the question.

The code is the proof: a sender can be forged, so that nothing is decided without it. Twilio keeps
STOP, YES, START, CANCEL, END, QUIT, HELP and INFO for itself; these words are none of them.
"""

import re
from dataclasses import replace
from datetime import datetime
from functools import partial

from django.db import transaction

from smsbot import approvals, codes
from smsbot.introducing import as_name
from smsbot.models import Contact, InboundMessage, OneTimeCode
from smsbot.reply import Reply, say

Kind = OneTimeCode.Kind

_VERB = r"(?P<verb>allow(?:ed)?|approved?|den(?:y|ied)|declined?)"
_CODE = r"(?:code |number |#)?(?P<code>[0-9]{3,8})"
_WITH_CODE = [
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        rf"(?:please |ok(?:ay)?,? )?{_VERB}[ :,#-]*(?:(?:it|them|him|her|this|that) )?{_CODE}\b"
        r"(?P<rest>.*)",
        rf"{_CODE}[ :,-]*{_VERB}\b(?P<rest>.*)",
        rf"{_VERB} (?P<rest>(?:[^\W\d]\S* ){{1,3}}){_CODE}\W*",
    )
]
_WITHOUT_CODE = re.compile(rf"(?:please )?{_VERB}\b(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_NO_WORDS = re.compile(
    r"(?:\W|\b(?:please|pls|thanks?|thank you|it|them|him|her|all)\b)*", re.IGNORECASE
)
_MOST_WORDS = 3


def command(message: InboundMessage, now: datetime) -> Reply | None:
    """Carry out what an owner says of a question, and answer; None for any other text."""
    text = " ".join(message.body.split())
    for pattern in _WITH_CODE:
        if found := pattern.fullmatch(text):
            yes = found["verb"].casefold().startswith("a")
            return _with_code(message.contact, found["code"], yes, found["rest"].strip(), now)
    found = _WITHOUT_CODE.fullmatch(text)
    return _without_code(found["rest"], now) if found else None


def _without_code(rest: str, now: datetime) -> Reply | None:
    """Say what waits for a word, and never its code: that stands in the question alone."""
    waiting = [_question(code) for code in codes.open_codes(now) if _is_open(code)]
    if waiting and len(rest.split()) <= _MOST_WORDS:
        return say("owner_waiting", questions=waiting)
    return say("owner_nothing_waits") if _NO_WORDS.fullmatch(rest) else None


def _question(code: OneTimeCode) -> dict[str, str]:
    film = code.request.download.name if code.request else ""
    return {"who": str(code.contact), "film": film}


def _is_open(code: OneTimeCode) -> bool:
    if code.kind == Kind.REQUEST:
        return code.request is not None and code.request.state == "pending_approval"
    return code.kind == Kind.JOIN


def _with_code(owner: Contact, digits: str, yes: bool, rest: str, now: datetime) -> Reply:
    if codes.is_locked(owner, now):
        return say("codes_locked")
    code = codes.find(digits, now)
    if code is None or code.kind == Kind.ISSUE:
        # The last wrong one is answered with what the next ones will be.
        said = say("codes_locked" if codes.is_last_try(owner, now) else "wrong_code")
        return replace(said, effects=[partial(codes.note_wrong, owner)])
    decision = _decide(code, owner, yes, rest, now)
    if decision is None:
        code.refresh_from_db()
        return _decided_before(code, owner, yes)
    return _done(code, decision)


def _decide(code: OneTimeCode, owner: Contact, yes: bool, rest: str, now: datetime) -> str | None:
    """Use the code for its decision, at once: who comes second is told what was decided first.

    Repeating it has no second effect, so that a text answered again after a crash finds it done.
    """
    word = _word_for(code, yes)
    with transaction.atomic():
        if not codes.use(code, word, by=owner, now=now):
            return None
        if code.kind == Kind.JOIN:
            name = as_name(rest)
            approvals.decide_contact(code.contact_id, yes, name=name, by=str(owner), now=now)
        elif code.request_id and not approvals.decide_request(
            code.request_id, yes, reason=_reason(rest), by=str(owner), now=now
        ):
            word = "moot"
            OneTimeCode.objects.filter(pk=code.pk).update(decision=word)
    code.contact.refresh_from_db()
    return word


def _word_for(code: OneTimeCode, yes: bool) -> str:
    if code.kind == Kind.JOIN:
        return "allowed" if yes else "denied"
    return "approved" if yes else "declined"


def _reason(rest: str) -> str:
    """Return the owner's reason without what joins it to the code: "because it's too long"."""
    words = rest.strip(" .,:;-–—")
    return "" if _NO_WORDS.fullmatch(words) else words


def _done(code: OneTimeCode, decision: str) -> Reply:
    film = code.request.download.name if code.request else ""
    gone = code.request is not None and code.request.state == "withdrawn"
    return say(f"owner_{decision}", who=str(code.contact), film=film, has_left=gone)


def _decided_before(code: OneTimeCode, owner: Contact, yes: bool) -> Reply:
    if code.used_by_id == owner.pk and code.decision in ("moot", _word_for(code, yes)):
        return _done(code, code.decision)
    return say(
        "owner_decided_before",
        decision=code.decision,
        by="" if code.used_by_id == owner.pk else code.decided_by,
        **_question(code),
    )

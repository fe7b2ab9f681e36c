"""The owner's word on an issue: RETRY or SOLVED, and the code that proves it is theirs."""

import re
from dataclasses import replace
from datetime import datetime
from functools import partial

from django.db import transaction

from smsbot import codes, issues
from smsbot.models import Contact, InboundMessage, OneTimeCode
from smsbot.reply import Reply, say

_VERB = r"(?P<verb>retry|re-try|try again|solved?|resolved|fixed)"
_CODE = r"(?:code |number |#)?(?P<code>[0-9]{3,8})"
_WITH_CODE = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?:please |ok(?:ay)?,? )?{_VERB}[ :,#-]*(?:(?:it|that|this) )?{_CODE}\W*",
        rf"{_CODE}[ :,-]*{_VERB}\W*",
    )
]
_WITHOUT_CODE = re.compile(rf"(?:please )?{_VERB}(?: (?:it|that|this))?\W*", re.IGNORECASE)


def command(message: InboundMessage, now: datetime) -> Reply | None:
    """Carry out what an owner says of an issue, and answer; None for any other text."""
    text = " ".join(message.body.split())
    for pattern in _WITH_CODE:
        if found := pattern.fullmatch(text):
            return _with_code(message.contact, found["code"], _word(found["verb"]), now)
    if _WITHOUT_CODE.fullmatch(text) and any(code.issue_id for code in codes.open_codes(now)):
        return say("owner_code_missing")
    return None


def _word(verb: str) -> str:
    return issues.RETRIED if verb.casefold() in ("retry", "re-try", "try again") else issues.SOLVED


def _with_code(owner: Contact, digits: str, word: str, now: datetime) -> Reply:
    if codes.is_locked(owner, now):
        return say("codes_locked")
    code = codes.find(digits, now)
    if code is None or code.issue is None:
        said = say("codes_locked" if codes.is_last_try(owner, now) else "wrong_code")
        return replace(said, effects=[partial(codes.note_wrong, owner)])
    _decide(code, owner, word, now)
    code.refresh_from_db()
    who = issues.complainer(code.issue)
    return say("owner_" + code.decision, film=str(code.issue.download), who=who)


def _decide(code: OneTimeCode, owner: Contact, word: str, now: datetime) -> None:
    """Use the code for its decision, at once; who comes second is told what was decided.

    Repeating it has no second effect, so that a text answered again after a crash finds it done.
    """
    with transaction.atomic():
        if code.issue_id and codes.use(code, word, by=owner, now=now):
            act = issues.retry if word == issues.RETRIED else issues.solve
            act(code.issue_id, owner, now)

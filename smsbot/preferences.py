"""How a person likes to be written to: shown and changed by text, by rule alone.

Language, style, which texts, name. Each change is a whole text of its own, so that no film's title
is taken for one ("Plain Clothes" is a request), and its opposite undoes it.
"""

import re
from typing import Any

from smsbot import introducing, language, phrases, shapes, spanish
from smsbot.models import Contact
from smsbot.replies import speaking_to, style
from smsbot.reply import Reply, say
from smsbot.wishes import plain_text

MUTABLE = ("started", "waiting", "moved", "released", "nothing_found", "stuck")
"""The news that a person may do without. Ends and answers are always told."""

_EDGES = " .,!?;\"'“”«»"
_LONGEST = 60

_SETTINGS = phrases.whole(
    r"(?:my |show (?:me )?(?:my )?)?(?:settings|preferences)", *spanish.SETTINGS
)
_PLAIN = phrases.whole(
    r"(?:only |just )?plain (?:texts?|style|messages?)", r"(?:no|without|stop the) emojis?",
    *spanish.PLAIN,
)  # fmt: skip
_RICH = phrases.whole(
    r"(?:with |more |use )?emojis?", r"(?:rich|emoji) (?:texts?|style|messages?)", *spanish.RICH
)
_FEWER = phrases.whole(
    r"(?:text me |tell me )?only when (?:it'?s |they'?re |it is )?ready", r"fewer texts",
    *spanish.FEWER,
)  # fmt: skip
_ALL = phrases.whole(r"(?:send me )?all (?:the )?(?:texts|updates|messages)", *spanish.ALL_TEXTS)
_NAME = re.compile(r"(?:my )?name ?: ?(?P<name>\S.*)|" + "|".join(spanish.NAME), re.IGNORECASE)
_LANGUAGE = phrases.whole(
    r"(?:in |speak |text me in |talk (?:to me )?in )?(?P<words>\w+)", *spanish.LANGUAGE
)


def answer(contact: Contact, text: str) -> Reply | None:
    """Show the settings, or change one and say what now holds; None for any other text."""
    plain = shapes.COURTESY.sub("", plain_text(text).strip(_EDGES))
    if len(plain) > _LONGEST:
        return None
    if _SETTINGS.fullmatch(plain):
        return _shown(contact)
    if named := _NAME.fullmatch(plain):
        return _called(next(name for name in named.groups() if name))
    for pattern, template, field, value in _CHANGES:
        if pattern.fullmatch(plain):
            return _changed(contact, template, field, value)
    spoken = _LANGUAGE.fullmatch(plain)
    code = language.named(next(filter(None, spoken.groups()), "")) if spoken else ""
    return _changed(contact, "now_language", "language", code) if code else None


_CHANGES: tuple[tuple[re.Pattern[str], str, str, Any], ...] = (
    (_PLAIN, "now_style", "style", Contact.Style.PLAIN),
    (_RICH, "now_style", "style", Contact.Style.RICH),
    (_FEWER, "now_texts", "muted", list(MUTABLE)),
    (_ALL, "now_texts", "muted", []),
)


def _shown(contact: Contact) -> Reply:
    spoken = language.language_of(contact)
    others = [language.name_of(code) for code in language.languages() if code != spoken]
    return say(
        "settings",
        language=language.name_of(spoken),
        other_languages=others,
        plain=style() == "plain",
        muted=bool(contact.muted),
        name=contact.name,
    )


def _changed(contact: Contact, template: str, field: str, value: Any) -> Reply:
    """Answer a change in the way that holds from now on."""
    setattr(contact, field, value)
    with speaking_to(contact):
        said = say(template, plain=style() == "plain", muted=bool(contact.muted))
    return Reply(said.text, template, contact_changes={field: value})


def _called(name: str) -> Reply | None:
    called = introducing.as_name(name)
    if not called:
        return None
    said = say("nice_to_meet_you", name=called)
    return Reply(said.text, said.template, contact_changes={"name": called})

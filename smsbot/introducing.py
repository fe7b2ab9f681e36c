"""People's names: "I'm Kim", and the name that an owner gives with ALLOW."""

import re

from smsbot import phrases, spanish
from smsbot.models import InboundMessage
from smsbot.reply import Reply, say

_WORD = r"[^\W\d_][^\W\d_.'’-]*(?:[.'’-][^\W\d_]+)*\.?"
_NAME = re.compile(rf"{_WORD}(?: {_WORD}){{0,2}}")
_HELLO = r"(?i:(?:hi|hey|hello|hiya|yo|good (?:morning|evening|afternoon))(?: there)?[,.!]* )?"
# What says that a name follows, and nothing else.
_NAMED = re.compile(
    rf"{_HELLO}(?:hola[,.! ]+)?(?:my name is|my name's|the name is|the name's"
    rf"|(?:please |you can )?call me|{spanish.CALLED})"
    r" (?P<name>.+?)[.! ]*",
    re.IGNORECASE,
)
# What may as well say how they are, or be a title: "I'm bored", "I Am Legend".
_PERHAPS_NAMED = re.compile(
    rf"{_HELLO}(?:[Ii]['’]?m|[Ii] am|[Tt]his is|[Ii]t['’]?s) (?P<name>.+?)[.! ]*"
)
_NO_NAME = phrases.words(
    """
    a an the my your his her our their its in on at to of for from with by not no so too very just
    still now when what who where why how if and or but also again already almost only really
    back later tomorrow tonight today soon asap anytime maybe please thanks sorry crazy old
    home here there out up down off away over done ready sure fine okay ok good great bad sick
    sad mad happy hungry tired bored excited busy late early lost stuck driving sleeping working
    watching looking waiting going coming trying thinking wondering asking calling texting
    interested glad afraid alone free
    movie movies film films show shows get got want need new me you us it that this one
    legend spartacus
    """
)
_LEADING = re.compile(
    r"(?:as|it['’]?s|that['’]?s|this is|(?:s?he|they)(?:['’]?s| is| are)?"
    r"|(?:call|name) (?:him|her|them))[ :]+",
    re.IGNORECASE,
)
_TRAILING = re.compile(r"[ ,]*\b(?:please|pls|thanks?|thank you)[.! ]*$", re.IGNORECASE)


def name_from(message: InboundMessage) -> Reply | None:
    """Learn a person's name from a text that says nothing else; None for any other text."""
    text = " ".join(message.body.split())
    said = _NAMED.fullmatch(text)
    # "My name is Kim" is no film, but "My Name Is Khan" is.
    is_plain = said is not None and not text.istitle()
    if said is None and not message.contact.name:
        said = _PERHAPS_NAMED.fullmatch(text)
        if said is not None and not _has_capitals(said["name"]):
            return None
    name = as_name(said["name"]) if said else ""
    if not name:
        return None
    reply = say("nice_to_meet_you", name=name, perhaps_film=not is_plain)
    return Reply(reply.text, reply.template, contact_changes={"name": name})


def as_name(text: str) -> str:
    """Return a name of one to three words, as one writes it; empty when `text` is none."""
    bare = _TRAILING.sub("", text).strip(" .,:;!-–—\"'“”()")
    bare = _LEADING.sub("", bare, count=1).strip(" .,:;!\"'“”")
    if len(bare) > 40 or not _NAME.fullmatch(bare):
        return ""
    if any(word.casefold() in _NO_NAME for word in bare.split()):
        return ""
    return bare.title() if bare.islower() else bare


def _has_capitals(name: str) -> bool:
    """Whether each word begins like a name's, and is not shouted."""
    words = name.split()
    return all(word[:1].isupper() for word in words) and not (
        name.isupper() and len(name.strip(".")) > 1
    )

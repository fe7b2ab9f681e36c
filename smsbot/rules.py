"""Reading a text without a model: what is plain to see, and all of it when no model answers.

Pure functions over the text. They look at the shape of a sentence; whether a film of that title
exists is TMDB's to say.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from smsbot.understanding import Title, Understanding

NEITHER = 0
"""The choice of a person who wants none of what was offered."""

_STATUS = re.compile(
    r"(what'?s\s+(the\s+|my\s+)?)?(status|progress|queue)(\s+(update|please|of my (movies|films)))?"
    r"|where('?s|\s+is|\s+are)\s+my\s+(movies?|films?)"
    r"|(is|are)\s+my\s+(movies?|films?)\s+(ready|done|here)(\s+yet)?"
    r"|(any\s+)?updates?|how\s+long(\s+(left|still|to go))?|what'?s\s+downloading",
    re.I,
)
_STATUS_OF = re.compile(
    r"(when\s+(will|is|can)\b.*\b(ready|available|done|here|watch|out)"
    r"|(is|are)\b.+\b(ready|done|downloaded|here)(\s+yet)?"
    r"|how('?s|\s+is|\s+are)\b.+\b(coming|going|doing|getting)(\s+(along|on))?"
    r"|where('?s|\s+is)\s+(?!the\s+party)(?P<title>.+))",
    re.I,
)
_HELP = re.compile(
    r"\?+|commands?|menu|(what|how)\s+(can|do|does)\s+(you|i|this)\s+(do|work|use\s+(this|it)|help)"
    r"|how\s+does\s+(this|it)\s+work|help\s+me|what\s+is\s+this",
    re.I,
)
_NEVER_MIND = re.compile(
    r"(never\s*mind|nvm|forget\s+(about\s+)?(it|that)|no\s+longer\s+needed|don'?t\s+bother)"
    r"(?P<rest>.*)",
    re.I | re.S,
)
_CANCEL_TITLE = re.compile(
    r"(?:please\s+)?(?:cancel|forget(?:\s+about)?|i\s+(?:do\s*n[o']?t|no longer)\s+(?:want|need)"
    r"(?:\s+to\s+(?:see|watch))?|remove|drop)\s+(?P<title>.+)",
    re.I | re.S,
)
_CHAT = re.compile(
    r"(hi+|hey+|hello+|yo|hiya|howdy|sup|good\s+(morning|night|evening|afternoon)|bye+|goodbye"
    r"|see\s+(you|ya)(\s+\w+)?|thanks?(\s+(you|so much|a lot|a bunch|again))*|thank\s+you.*|thx|ty"
    r"|cheers|ok(ay)?|k|kk|cool|nice|great|awesome|perfect|sounds?\s+good|got\s+it|lol|haha+|wow"
    r"|yes|yeah|yep|yup|no|nope|nah|sure|maybe|love\s+you|i\s+love\s+you|on\s+my\s+way|omw|brb"
    r"|how\s+are\s+you.*|what'?s\s+up|who\s+(is|are)\s+(this|you)|are\s+you\s+there|test(ing)?"
    r"|good|fine|right|exactly|same|really|please|sorry|oops|wrong\s+number|not\s+yet|later|soon"
    r"|call\s+me(\s+\w+)?|i'?m\s+\w+|happy\s+birthday|merry\s+christmas|congrats|congratulations)",
    re.I,
)
_OTHER_THINGS = re.compile(
    r"\b(songs?|album|albums|playlist|music|tunes?|tracks?|artist|spotify|podcast|audiobook|books?"
    r"|novel|novels|saga book|video\s*game|games?|restaurants?|reservation|weather|forecast|recipe"
    r"|painting|photograph|picture|soundtrack|taxi|flight|hotel|rate\s+this|stars?\s+out)\b",
    re.I,
)
_TV = re.compile(
    r"\b(tv|television)\s*(show|series|program(me)?)?s?\b|\bseason\s+(\d+|\w+)\b|\bepisodes?\b"
    r"|\b(the\s+)?series\b",
    re.I,
)
_GREETING = r"(?:(?:hey|hi|hello|yo|ok(?:ay)?|so|um+|well|oh|please|pls|dear|good\s+(?:morning|evening)|thanks|yes|yeah|no|sure|great|actually|also|and)\b[\s,.!-]*(?:there\b[\s,.!-]*)?)*"
_VERB = (
    r"(?:get|find|download|add|grab|fetch|request|order|queue(?:\s+up)?|look\s+(?:for|up)|search\s+for"
    r"|put\s+on|pull\s+up|bring\s+up|have|see|watch|rent|stream|play|show|try|snag|rip|pick\s+up)"
)
_WISH = re.compile(
    r"^" + _GREETING + r"(?:"
    r"(?:(?:can|could|would|will|may|might)\s+(?:you|u|ya|we|i)\s+(?:please\s+|maybe\s+|possibly\s+|also\s+)*"
    + _VERB
    + r")"
    r"|(?:(?:i|we)(?:\s+(?:really|just|also|all))*\s*(?:'d|’d|\s+would|d)?(?:\s+(?:really|just|also))*\s*"
    r"(?:want|wanna|like|love|need|prefer)(?:\s+to)?(?:\s+" + _VERB + r")?)"
    r"|(?:(?:i|we)'?m\s+(?:looking|searching|hoping)\s+(?:for|to\s+(?:see|watch|get|find)))"
    r"|(?:do\s+(?:you|we)\s+have|have\s+you\s+got|got|is\s+there|how\s+about|what\s+about|let'?s\s+(?:watch|see|get))"
    r"|(?:" + _VERB + r")"
    r")\s+(?:(?:me|us|mom|mum|dad|the\s+kids)\s+)?(?P<title>.+)$",
    re.I | re.S,
)
_BEFORE_TITLE = re.compile(
    r"^(?:(?:a|the|that|this|some)\s+)?(?:copy\s+of\s+|new\s+|old\s+|(?:\d+|one|two|three|four|five|six|seven)?"
    r"\s*(?:movie\s+)?tickets?\s+(?:to|for)\s+)?(?:(?:movie|film|flick)s?\b[\s:,]*)?"
    r"(?:(?:called|named|titled|entitled|with\s+the\s+title)\s+)?",
    re.I,
)
_AFTER_TITLE = re.compile(
    r"(?:[\s,.!?;:-]+(?:for\s+(?:me|us|mom|mum|dad|the\s+kids|tonight|tomorrow|later|this\s+weekend|movie\s+night)"
    r"|please|pls|plz|thanks?(?:\s+you)?|thx|ty|tonight|tomorrow|today|now|right\s+(?:now|away)|asap|soon|later"
    r"|when(?:ever)?\s+you\s+(?:can|get\s+a\s+chance)|if\s+(?:you\s+can|possible|that'?s\s+ok(?:ay)?)"
    r"|this\s+weekend|too|as\s+well|instead|again|the\s+(?:movie|film)|movie|film|on\s+(?:plex|jellyfin|emby)"
    r"|to\s+(?:the\s+)?(?:library|plex|list|queue|my\s+list|watch)|would\s+be\s+(?:great|nice|awesome)"
    r"|i\s+want\s+to\s+(?:watch|see)\s+it))+[\s.!?]*$",
    re.I,
)
_YEAR_FORMS = (
    re.compile(
        r"\b(?:the\s+)?(?P<year>(?:18|19|20)\d\d)\s+(?:version|remake|adaptation)\s+of\b", re.I
    ),
    re.compile(r"\s*[\(\[](?P<year>(?:18|19|20)\d\d)[\)\]]"),
    re.compile(r"\s*,?\s*\b(?:from|of|in)\s+(?:the\s+year\s+)?(?P<year>(?:18|19|20)\d\d)\b", re.I),
    re.compile(
        r"\s*,?\s*\bthe\s+(?P<year>(?:18|19|20)\d\d)\s+(?:version|one|movie|film|remake|original)\b",
        re.I,
    ),
    re.compile(
        r"^(?:the\s+)?(?P<year>(?:18|19|20)\d\d)(?:'s)?\s+(?:version\s+of\s+|movie\s+|film\s+|remake\s+of\s+)",
        re.I,
    ),
    # A bare number at the end is a year only if a film can be of that year (Blade Runner 2049).
    re.compile(r"(?<=\w)[\s,]+(?P<year>19\d\d|20[0-3]\d)$"),
)
_QUOTED = re.compile(r"[\"“”«»]([^\"“”«»]{1,150})[\"“”«»]")
_ORDINALS = {
    "first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4,
    "one": 1, "two": 2, "three": 3, "four": 4,
}  # fmt: skip
_CHOICE = re.compile(
    r"(?:(?:the|number|no\.?|option|choice|#|i\s+(?:want|mean|meant)|it'?s|yes|please)[\s,]*)*"
    r"(?P<what>\d{1,2}|first|1st|second|2nd|third|3rd|fourth|4th|one|two|three|four|last"
    r"|old(?:er|est)?|original|new(?:er|est)?|latest|recent)"
    r"(?:[\s,]*(?:one|please|pls|thanks?|of\s+(?:them|those)|version|movie|film))*",
    re.I,
)
_NO = re.compile(r"(no(pe)?|nah|neither|none)(\s+of\s+(them|those|these))?(\s+thanks?)?", re.I)
_YES = re.compile(
    r"(yes|yeah|yep|yup|sure|ok(ay)?|correct|right|that'?s\s+(it|the\s+one|right)|please)", re.I
)


@dataclass(frozen=True)
class Offer:
    """A film of an open question, as the choice needs it."""

    title: str
    year: int | None


def command(text: str) -> Understanding | None:
    """Return the reading of what needs no model: `status`, `?`, `never mind`; else None."""
    plain = _plain(text)
    if _matches(_HELP, plain):
        return Understanding(intent="help")
    if _matches(_STATUS, plain):
        return Understanding(intent="status")
    if found := _NEVER_MIND.fullmatch(plain):
        return Understanding(intent="cancel", titles=_titles(found["rest"]))
    return None


def choice(text: str, offers: Sequence[Offer]) -> int | None:
    """Return which of `offers` an answer picks (from 1), NEITHER for none, None if it is no answer.

    Reads numbers, years, ordinals, "the old one", "the new one", yes and no.
    """
    plain = _plain(text)
    if _matches(_NO, plain):
        return NEITHER
    if len(offers) == 1 and _matches(_YES, plain):
        return 1
    by_year = _by_year(plain, offers)
    if by_year is not None:
        return by_year
    if found := _CHOICE.fullmatch(plain):
        return _picked(found["what"].casefold(), offers)
    named = [n for n, offer in enumerate(offers, 1) if offer.title.casefold() == plain.casefold()]
    return named[0] if len(named) == 1 else None


def read(text: str) -> Understanding:
    """Return the whole reading of a text, when there is no model to ask."""
    plain = _plain(text)
    by_command = command(plain)
    if by_command is not None:
        return by_command
    if not plain or _matches(_CHAT, plain):
        return Understanding(intent="chat")
    if found := _CANCEL_TITLE.fullmatch(plain):
        return Understanding(intent="cancel", titles=_titles(found["title"]))
    if _STATUS_OF.fullmatch(plain.rstrip(" ?.!")) and not _WISH.match(plain):
        return Understanding(intent="status")
    if _OTHER_THINGS.search(plain):
        return Understanding(intent="chat")
    return _request(plain)


def is_bare(text: str) -> bool:
    """Whether a text names a title, if it does, without saying that it is wanted."""
    return _WISH.match(_plain(text)) is None


def _request(plain: str) -> Understanding:
    wish = _WISH.match(plain)
    wanted = wish["title"] if wish else plain
    media = "tv" if _TV.search(wanted) else "unknown"
    titles = _titles(wanted)
    # Without a word of wanting, only what is short enough to be a title can be one.
    if not titles or (wish is None and len(plain.split()) > 10):
        return Understanding(intent="chat")
    if media == "tv":
        titles = [title.model_copy(update={"media": "tv"}) for title in titles]
    return Understanding(intent="request", titles=titles)


def _titles(wanted: str) -> list[Title]:
    if found := _QUOTED.search(wanted):
        quoted, rest = found[1], wanted[: found.start()] + wanted[found.end() :]
        return [Title(title=quoted.strip(), year=_year_in(rest)[1])]
    # The first sentence names the film; what follows is talk.
    wanted = re.split(r"(?<=[\w)])[.!?]+\s+(?=[A-Zi])", wanted.strip(), maxsplit=1)[0]
    wanted = _AFTER_TITLE.sub("", wanted.strip(" ,.!?;:-\n\t"))
    wanted, year = _year_in(wanted.strip(" ,.!?;:"))
    wanted = _AFTER_TITLE.sub("", wanted)
    stripped = _BEFORE_TITLE.sub("", wanted, count=1).strip(" ,.!?;:'\"")
    # "The Movie" and "the film" alone say nothing; "The" of "The Matrix" belongs to it.
    if (stripped and not re.match(r"^(?:the|a|that|this)\s+\w", wanted, re.I)) or (
        stripped
        and re.match(
            r"^(?:the|a|that|this|some)\s+(?:new\s+|old\s+)?(?:movie|film|flick|copy)\b",
            wanted,
            re.I,
        )
    ):
        wanted = stripped
    return [Title(title=wanted[:200], year=year)] if re.search(r"\w", wanted) else []


def _year_in(text: str) -> tuple[str, int | None]:
    """Return (`text` without the year it names, that year); a title that is a year stays one."""
    for form in _YEAR_FORMS:
        if found := form.search(text):
            rest = (text[: found.start()] + " " + text[found.end() :]).strip()
            if re.search(r"\w", rest):
                return re.sub(r"\s{2,}", " ", rest), int(found["year"])
    return text, None


def _by_year(plain: str, offers: Sequence[Offer]) -> int | None:
    years = {int(year) for year in re.findall(r"\b(?:18|19|20)\d\d\b", plain)}
    if len(years) != 1 or len(plain.split()) > 6:
        return None
    fitting = [number for number, offer in enumerate(offers, 1) if offer.year in years]
    return fitting[0] if len(fitting) == 1 else None


def _picked(what: str, offers: Sequence[Offer]) -> int | None:
    if what == "last":
        return len(offers)
    if what.startswith(("old", "original", "new", "latest", "recent")):
        dated = [(offer.year, number) for number, offer in enumerate(offers, 1) if offer.year]
        if not dated:
            return None
        pick = min if what.startswith(("old", "original")) else max
        return pick(dated)[1]
    number = _ORDINALS.get(what) or int(what)
    return number if 1 <= number <= len(offers) else None


def _plain(text: str) -> str:
    text = text.replace("’", "'").replace("‘", "'")
    return re.sub(r"\s+", " ", text).strip()


def _matches(pattern: re.Pattern[str], plain: str) -> bool:
    return pattern.fullmatch(
        plain.rstrip(" .!,;") if plain.strip("?!. ") else plain
    ) is not None or (pattern.fullmatch(plain.rstrip(" .!?,;")) is not None)

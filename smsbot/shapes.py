"""The shape of a request: the wish, what stands before and behind a title, years, ages, numbers.

Patterns for `smsbot.wishes`; how they are made and matched is said in `smsbot.phrases`.
"""

import re

from smsbot import spanish
from smsbot.phrases import any_of, end_of, start_of, whole, word_of

# --- Wishes --------------------------------------------------------------------------------------

ADVERB = any_of(
    "please", "pls", "maybe", "possibly", "also", "really", "just", "actually", "all", "kindly",
    "definitely", "still", "both", "always", "so", "totally", "perhaps", "quickly", "only",
)  # fmt: skip

# What is done to films, and hardly to anything else that is said to a service for films.
VERB = any_of(
    "get", "find", "download", "add", "grab", "fetch", "request", "order", "queue up", "queue",
    "look up", "look for", "search for", "search", "put on", "pull up", "bring up", "have", "see",
    "watch", "rewatch", "rent", "stream", "play", "show", "try", "snag", "book", "buy", "purchase",
    "check out", "catch", "go to", "start", "reserve", "go see", "take",
)  # fmt: skip
_VERBING = any_of(
    "watching", "seeing", "getting", "finding", "downloading", "renting", "having", "buying",
)  # fmt: skip

_WANT = any_of(
    "want", "wants", "wanted", "wanting", "wanna", "need", "like", "love", "prefer", "hope",
    "hoping", "plan", "planning", "dying", "wish", "looking forward", "gonna", "going", "keen",
    "thinking", "liked", "excited", "ready", "trying",
)  # fmt: skip
_SELF = any_of("i", "we", "the kids", r"my \w+", "he", "she", "they")
_I = any_of("i", "we")

_TO_DO = rf"(?: to(?: {ADVERB})? (?:{VERB}|start {_VERBING})\b)?"

_ENGLISH = (
    rf"(?:can|could|would|will|may|might|should) (?:you|u|ya|we|i)(?: {ADVERB}){{0,3}} {VERB}",
    rf"(?:you|u|we) (?:can|could|might)(?: {ADVERB})? {VERB}",
    rf"{_WANT}(?: {ADVERB})? (?:to|on|for|about|of)(?: {ADVERB})? (?:{VERB}|{_VERBING})",
    rf"wanna(?: {ADVERB})? {VERB}",
    rf"{_SELF}(?: {ADVERB}){{0,2}} ?(?:'d|d| would| will)(?: {ADVERB})? (?:like|love|prefer)"
    + _TO_DO,
    rf"{_I}(?: {ADVERB}){{0,2}} (?:want|need|prefer){_TO_DO}",
    rf"{_I}(?:'ll| will) (?:take|have|watch|go (?:with|for)|see|try)",
    "(?:looking|searching) for",
    "in the mood for",
    "(?:do|did) (?:you|we|they) (?:have|got)(?: any)?",
    "have you got|got|is there|are there|how about|what about|any chance of",
    "let'?s (?:watch|see|get|go with|try|do)",
    rf"help (?:me|us)(?: to)? {VERB}",
    "(?:movie )?tickets? (?:to see|to|for)",
)
_PORTUGUESE = ("(?:quero|queremos|gostaria de|queria) (?:assistir|ver|baixar)(?: a)?",)
_FRENCH = (
    "(?:je veux|on veut|je voudrais|on voudrait|j'aimerais|on aimerait) (?:voir|regarder|avoir)",
    "(?:peux-tu|tu peux|pouvez-vous|pourrais-tu|tu pourrais) (?:me |nous )?"
    "(?:trouver|t[ée]l[ée]charger|mettre|ajouter|avoir)",
)
_ITALIAN = (
    "(?:voglio|vorrei|vogliamo|vorremmo) (?:vedere|guardare|avere)",
    r"(?:puoi|potresti) (?:\w+ )?(?:scaricare|trovare|prendere|aggiungere|cercare)",
)
_GERMAN = (
    "(?:ich|wir) (?:will|wollen|m[öo]chten?|w[üu]rden?)(?: gern| gerne)?",
    "(?:kannst|k[öo]nntest) du(?: mir| uns)?(?: bitte)?",
)
_DUTCH = (
    "(?:ik|we|wij) (?:wil|willen|zou|zouden)(?: graag)?",
    "(?:kun|kan|zou) je(?: mij| ons)?(?: alsjeblieft)?",
)
WISH = word_of(*_ENGLISH, *spanish.WISH, *_PORTUGUESE, *_FRENCH, *_ITALIAN, *_GERMAN, *_DUTCH)

_ORDERS = (
    rf"(?:{ADVERB} )?{VERB}",
    "gimme|need|want|wish to|give(?= (?:me|us)\\b)",
    "baixa|procura|t[ée]l[ée]charge",
    "trouve(?:-moi)?|scarica(?:mi)?|cerca|trova(?:mi)?",
    "hol(?: mir)?|lade?|besorg(?: mir)?|zoek",
    *spanish.ORDERS,
)
IMPERATIVE = re.compile(any_of(*_ORDERS) + r"\b", re.IGNORECASE)

NEGATION = re.compile(
    r"\b(?:don'?t|do not|doesn'?t|didn'?t|never|not|can'?t|cannot|won'?t|no longer|haven'?t)"
    r"(?: \w+)?\W*(?:i |we |to )?$",
    re.IGNORECASE,
)

NAMED = word_of(
    "(?:movie|film|flick)s? (?:called|named|titled|entitled|with the title)",
    rf"(?:movie|film|one) (?:that )?{_I} (?:{ADVERB} )?(?:want|wanna|mean|meant|would like)"
    rf"(?: to {VERB})? is",
)

# --- Before a title ------------------------------------------------------------------------------

_DAY = any_of(
    "(?:mon|tues|wednes|thurs|fri|satur|sun)days?", "tonight", "tomorrow", "tomorow", "today",
    "the weekend", "weekend",
)  # fmt: skip
_COUNT = any_of(
    r"\d{1,2}", "a", "an", "one", "two", "three", "four", "five", "six", "seven", "some"
)
_SEATS = any_of(
    "tickets?", "seats?", "spots?", "copy", "copies", "showings?", "screenings?", "show", "times?",
    "showtimes?", "info", "information",
)  # fmt: skip
_KIND = any_of("movie", "film", "flick")

LEAD_IN = re.compile(
    any_of(
        rf"{VERB}(?= (?:(?:a |the )?{_KIND}|(?:movie )?tickets?|{_COUNT} tickets?)\b)",
        _VERBING,
        r"(?:me|us|mom|mum|dad|myself|ourselves|them|the kids|the family|him)(?= \w)",
        ADVERB + r"(?= \w)",
        "(?:out )?to (?:have|see|watch|get|find|buy|book|rent|go see)",
        rf"(?:{_COUNT} |the |any )?(?:more |same )?(?:regular )?(?:movie )?{_SEATS}(?: \w+)?"
        " (?:to see|to|for|of|on|about)",
        rf"(?:for )?{_DAY} (?:for|to see)",
        r"the (?:\d[\d:]* |next )?(?:showing|screening) of",
        rf"(?:a |an |the |this |that |any |some )?{_KIND}s? "
        "(?:called|named|titled|entitled|with the title|by the name of)",
        "(?:something|one|the one) (?:called|named|titled)",
        rf"(?:a |the |this |that )?{_KIND}s?(?=[ :,] ?\w)",
        "(?:der|die|das|den|le|un|il|de|o|el) (?:film|filme)",
        r"filme(?= \w)",
        *spanish.LEAD_IN,
    )
    + "[ :,]+",
    re.IGNORECASE,
)

# --- A title that another sentence points to: "Dune sounds good. Can you get it?" ----------------

_MANNER = any_of(
    "now", "online", "right (?:now|away)", "later", "soon", "immediately", "tonight", "today",
    "tomorrow", "please", "instead", "then", "too", "again", "for (?:me|us)", "for now", "next",
    r"(?:with|in) (?:\w+ )?(?:subtitles?|subs|english|imax|3d)", "this weekend", "as well",
)  # fmt: skip
_AFTER_POINTING = any_of(
    _MANNER, "for", "with", "in", "on", "at", "and", "so", "because", "if", "when", "this", "a",
    "by", "from", "is", "here", "but",
)  # fmt: skip
_IT = rf"(?:it|that|this|that one|this one|them|(?:the|this|that) (?:{_KIND}|one))"
POINTING = whole(rf"{_IT}(?:\W+{_AFTER_POINTING}\b.{{0,120}})?")
# What is left of "Teen Spirit is the one I want to watch", "buy the tickets now", "now please".
NOTHING_NAMED = whole(
    rf"(?:to )?(?:{VERB}|{_VERBING})?(?: ?{_IT})?(?: ?{_MANNER})?(?:\W+{_MANNER}\b.{{0,80}})?",
    f"(?:the )?(?:{_KIND} )?tickets?(?: (?:now|please))?",
)

_DEGREE = any_of(
    "really", "very", "so", "pretty", "just", "also", "quite", "the", "a", "an", "like a", "like",
    "to be", "perfect", "nice", "great",
)  # fmt: skip
_PRAISED = any_of(
    "good", "great", "perfect", "awesome", "amazing", "fantastic", "interesting", "fun", "nice",
    "cool", "lovely", "fine", "excellent", "brilliant", "wonderful", "best", "better", "ideal",
    "one", "movie", "film", "choice", "ok", "okay", "cute", "hilarious", "decent",
)  # fmt: skip
_SEEMS = any_of("sounds?", "looks?", "seems", "is", "would be", "will be", "might be", "could be")
PRAISE = re.compile(
    rf"(?:,| film| movie)? {_SEEMS}(?: {_DEGREE}){{0,3}} {_PRAISED}\b"
    "|(?:,| film| movie)? works? (?:for|great|fine|well|perfect)",
    re.IGNORECASE,
)
HOPEFUL = word_of("sounds?", "looks?", "would be", "works", "might be", "could be")
OPINION = start_of(
    rf"{_I} (?:(?:really|just|also|do) )?(?:like|love|heard(?: that| about| of)?|think|saw)",
    "i'm thinking(?: that| of)?", "there'?s", "there is", "have you seen", "what about", "that",
    rf"(?:a|the|this) {_KIND}(?: called)?",
)  # fmt: skip

# --- Behind a title ------------------------------------------------------------------------------

_PART_OF_DAY = any_of("night", "morning", "afternoon", "evening", "week", "weekend")
_RELATIVES = any_of(
    "kids?", "family", "boys?", "girls?", "wife", "husband", "son", "daughter", "mom", "mum",
    "dad", "friends?", "parents", "brother", "sister", "children", "grandkids", "girlfriend",
    "boyfriend", "grandma", "grandpa",
)  # fmt: skip
_PERSON = any_of(
    "me", "us", "mom", "mum", "dad", "grandma", "grandpa", "everyone", "him", "her", "them",
    rf"(?:the|my|our) {_RELATIVES}", r"\d{1,2} people",
)  # fmt: skip
PEOPLE = whole(_PERSON)
_TIME = any_of(
    r"\d{1,2}(?::\d\d){0,2} ?(?:am|pm|a\.m\.?|p\.m\.?)?", "noon", "midnight",
    r"\w+ (?:am|pm|o'clock)",
)  # fmt: skip
_WHERE = any_of(
    "netflix", "plex", "jellyfin", "emby", "dvd", "blu-?ray", "tv", "the tv", "the internet",
    "my phone", "the web", "demand",
)  # fmt: skip
_FORM = any_of(
    "imax", "3d", "4k", "hd", "uhd", "1080p", "english", "spanish", "french", "german", "italian",
    "hindi", "theaters?", "cinemas?",
)  # fmt: skip
_SUBTITLES = r"(?:\w+ )?(?:subtitles?|subs|captions)"

# What may follow a title and is no part of it; taken off the end, one after the other.
COURTESY = end_of(
    "please", "pls", "plz", "thanks?", "thank you(?: so much| very much)?", "thx", "ty", "cheers",
    "if (?:you can|possible|that'?s ok(?:ay)?|you don'?t mind)", "when(?:ever)? you can",
    "when you get (?:a chance|time)", "(?:that )?would be (?:great|nice|awesome|lovely)",
    "asap", "by any chance", "is it possible", "per favore", *spanish.COURTESY, "s'il te pla[iî]t",
    "bitte", "alsjeblieft", "herunterladen", "runterladen", "besorgen", "holen", "sehen", "laden",
    "schauen", "anschauen", "downloaden", "kijken", "zien", "i guess", "i think", "😊", "🙏",
)  # fmt: skip
TAIL = end_of(
    rf"for {_PERSON}(?: and {_PERSON})?",
    rf"(?:for |on |this |next )?(?:this |next )?{_DAY}(?: {_PART_OF_DAY})?",
    rf"(?:for )?(?:this|next) {_PART_OF_DAY}",
    "for (?:movie night|date night|later|dinner|now|christmas|halloween|the trip|the plane)",
    "now", "right (?:now|away)", "immediately", "soon", "later", "again", "instead", "too", "next",
    "as well", "then", "also", "though", "online", "nearby", "near me", "near here", "around here",
    "first", f"on {_WHERE}", f"in {_FORM}", f"(?:with|and|in) {_SUBTITLES}(?: please)?",
    "(?:to|on|in) (?:the |my |our )?(?:library|plex|list|queue|watch ?list|collection|server)",
    f"(?:at|for|starting at|starting in|starting|in|around|after) {_TIME}",
    r"starting in .{1,20}", r"in (?:one|two|\d+) (?:second|minute|hour)s?",
    "i (?:want|wanna|would like|'d like) (?:to )?(?:see|watch)(?: it)?",
    "when (?:it'?s|it is|it comes) (?:out|available)", f"(?:a|the) {_KIND}", f"{_KIND}s?",
    "tickets?", "showing", *spanish.TAIL,
)  # fmt: skip

_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
# Where the talk begins again behind a title.
CLAUSE = re.compile(
    any_of(
        ", ?(?:is|are|can|could|please|i|we|if|any|mind|do|does|it'?s|you|then|thanks|because|so"
        r"|but|near|starting|the one|when|a movie|a film|with|available|my|that|what|who|or)\b",
        " (?:because|since|so (?:that|i|we)|if (?:you|it|that)|when you|whenever|starting|showing"
        r"|available|nearby|near|close to|playing|shown|but|someplace|somewhere|preferably)\b",
        " (?:and|then) (?:i|we|please|then|actually|play|don'?t|do|can|could|want|make|rent|watch"
        r"|see|if|he|she|they|it|was|select|include|let|need|also i)\b",
        rf" with (?:{_SUBTITLES}|a group|my|some|the (?:kids|family))\b",
        " (?:at|for) (?:the|a|an|my|our|some) ",
        r" (?:at|for|around|after|in) (?:\d|one|two|quarter|half)",
        r" (?:at|in) (?:\w+ ){0,3}(?:theat(?:er|re)|cinema)",
        rf" in (?:{_FORM}|the theat|the area)",
        rf" (?:on|for) (?:the )?(?:\d|{_DAY}|(?:{_MONTHS})\w* \d)",
        r" (?:it|which|that) (?:looks|sounds|seems|is|was|has)\b",
        r" from (?:the other|that|this|my)\b",
        r" [(\[](?!(?:18|19|20)\d\d[)\]])",
        ",? (?:and )?not (?:the|that|from)\\b",
        r"(?<=\w)[.!?] +(?=(?:i|it|thanks|please|my|we|the kids) )",
        r" - (?:i|we|it|my|the kids|please|thanks)\b",
        *spanish.CLAUSE,
    ),
    re.IGNORECASE,
)
# Places and names of cinemas are told by their capitals.
PLACE = re.compile(r" (?:at|in|near|by|on) (?:the )?(?=[A-Z])")

# --- Years, ages and numbers ---------------------------------------------------------------------

_YEAR = r"(?P<year>(?:18|19|20)\d\d)"
_VERSION = any_of("version", "remake", "adaptation", "film", "movie", "one", "original")
YEAR_FORMS = (
    re.compile(rf"\b(?:the )?{_YEAR} {_VERSION} of ", re.IGNORECASE),
    re.compile(rf" ?[(\[]{_YEAR}[)\]]"),
    re.compile(rf",? (?:from|of|in) (?:the year )?{_YEAR}$", re.IGNORECASE),
    re.compile(rf",? (?:the )?{_YEAR} {_VERSION}$", re.IGNORECASE),
    re.compile(rf",? (?:the |made in |released in |the one from ){_YEAR}$", re.IGNORECASE),
    re.compile(rf"^(?:the )?{_YEAR}(?:'s)? (?:version of |movie |film |remake of |one of )?(?=\w)"),
    *(re.compile(form, re.IGNORECASE) for form in spanish.YEAR_FORMS),
)
# A bare number at the end is a year only if a film can be of that year (Blade Runner 2049).
LAST_YEAR = re.compile(r"(?<=\w)[ ,]+(?P<year>19\d\d|20[0-3]\d)$")

_NEW = any_of("new(?:est)?", "latest", "most recent", "recent", "remake of", "modern", "newer")
_OLD = any_of("old(?:er|est)?", "original", "classic", "first ever")
_OF_IT = "(?: (?:version of|movie|film|one of))?"
NEW = re.compile(rf"(?:(?:the |a |that )?{_NEW}{_OF_IT} |{spanish.NEW})(?=\w)", re.IGNORECASE)
OLD = re.compile(rf"(?:(?:the |a |that )?{_OLD}{_OF_IT} |{spanish.OLD})(?=\w)", re.IGNORECASE)
NEW_AFTER = end_of(
    rf"(?:but )?the {_NEW} (?:one|version|movie|film)",
    "the (?:newer|remake)",
    spanish.NEW_AFTER,
)
OLD_AFTER = end_of(
    rf"(?:but )?the {_OLD} (?:one|version|movie|film)", "the original", spanish.OLD_AFTER
)

ORDINALS = {
    word: number
    for number, spellings in enumerate(
        ("first 1st", "second 2nd", "third 3rd", "fourth 4th", "fifth 5th", "sixth 6th"), 1
    )
    for word in spellings.split()
}
SPANISH_ORDINALS = {
    word: number
    for number, spellings in enumerate(spanish.ORDINALS, 1)
    for word in spellings.split()
}
ORDINAL = re.compile(
    rf"(?:the )?(?P<which>{'|'.join(ORDINALS)}) (?:one of |part of |movie of |film of )?"
    rf"(?:the )?(?=\w)|(?:la )?(?P<cual>{'|'.join(SPANISH_ORDINALS)}) {spanish.ORDINAL_OF}(?=\w)",
    re.IGNORECASE,
)
SEVERAL = re.compile(
    r"(?:(?:both|all|every)(?: of)?(?: (?:the|two|three|four|five|six)){0,2}"
    rf"|{spanish.SEVERAL}) (?=\w)",
    re.IGNORECASE,
)
SERIES_AFTER = end_of("trilogy", "saga", "franchise", "collection", "box ?set", "series")
AND = re.compile(
    any_of(
        " ?[,;] ?(?:and |& |plus |also |then ){0,2}",
        " and (?:also |then |the movie )?",
        " & | \\+ | plus | as well as | und | y | et | e ",
    ),
    re.IGNORECASE,
)
QUOTED = re.compile(r"[\"“”«»„]([^\"“”«»„]{1,150})[\"“”«»„]|(?<!\w)'([^']{2,80})'(?!\w)")

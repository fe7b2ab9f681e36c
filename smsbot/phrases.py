"""How people say things: tables of words and phrases, and the patterns made of them.

A pattern is matched against text whose white space has been folded into single spaces. None nests
one repetition in another, so that no text, however long or hostile, is slow to read.
"""

import re

from smsbot import spanish


def any_of(*phrases: str) -> str:
    """Return a pattern for any of `phrases`, which are patterns themselves."""
    return f"(?:{'|'.join(phrases)})"


def whole(*phrases: str) -> re.Pattern[str]:
    """Return what `fullmatch`es any of `phrases`, in any case."""
    return re.compile(any_of(*phrases), re.IGNORECASE)


def word_of(*phrases: str) -> re.Pattern[str]:
    """Return what finds any of `phrases` as whole words, in any case."""
    return re.compile(rf"\b{any_of(*phrases)}\b", re.IGNORECASE)


def words(text: str) -> frozenset[str]:
    """Return the words of `text` as a set."""
    return frozenset(text.split())


def start_of(*phrases: str) -> re.Pattern[str]:
    """Return what matches any of `phrases` at the start of a text, with the space behind."""
    return re.compile(rf"{any_of(*phrases)}(?:\W+|$)", re.IGNORECASE)


def end_of(*phrases: str) -> re.Pattern[str]:
    """Return what finds any of `phrases` at the end of a text, with what stands before it."""
    return re.compile(rf"[ ,.;:!?-]{{1,4}}{any_of(*phrases)}[ .!?]{{0,4}}$", re.IGNORECASE)


# --- Commands ------------------------------------------------------------------------------------

_MINE = any_of("my", "our", "the")
_FILMS = any_of("movies?", "films?", "downloads?", "requests?")

STATUS = whole(
    rf"(?:what'?s |what is )?(?:{_MINE} )?(?:status|progress|queue)",
    rf"(?:{_MINE} )?(?:status|progress) (?:update|please|report)",
    rf"(?:status|progress) of {_MINE} {_FILMS}",
    rf"(?:where'?s|where is|where are) {_MINE} {_FILMS}",
    rf"(?:is|are) {_MINE} {_FILMS} (?:ready|done|here)(?: yet)?",
    rf"how(?:'s|'re| is| are) {_MINE} {_FILMS} (?:coming along|coming|going|doing)",
    r"(?:any |an )?(?:updates?|news)",
    r"(?:how long|how much longer)(?: left| still| to go| will it take)?",
    r"what'?s (?:downloading|coming|in the queue)",
    r"what am i waiting for",
    *spanish.STATUS,
)

HELP = whole(
    r"\?+",
    r"commands?",
    r"menu",
    r"(?:what|how) (?:can|do|does) (?:you|i|this) (?:do|work|help|use (?:this|it))",
    r"how does (?:this|it) work",
    r"what is this",
    *spanish.HELP,
)

NEVER_MIND = re.compile(
    any_of(
        r"never ?mind",
        r"nvm",
        r"forget (?:about )?(?:it|that|this)",
        r"no longer needed",
        r"don'?t bother",
        r"(?:actually|no|oh|sorry|wait|hmm),? (?:don'?t|do not|please don'?t)$",
        r"(?:actually,? |sorry,? |no,? )?(?:i |we )?(?:'ve |have )?changed (?:my|our) mind",
        r"scratch that",
        r"(?:actually|no|oh|sorry|wait|hmm),? (?:never ?mind|nvm|forget (?:about )?(?:it|that))",
        *spanish.NEVER_MIND,
    )
    + r"(?:(?! \w+ing\b)\b.*|$)",
    re.IGNORECASE,
)

CANCEL = re.compile(
    r"(?:actually,? |sorry,? |ok,? |please )*"
    + any_of(
        r"(?:please |can you |could you )?(?:cancel|remove|delete)",
        r"(?:never ?mind|nvm|forget)(?: about)?(?=,? the\b)",
        r"(?:never ?mind|nvm|forget) about",
        r"(?:never ?mind|nvm),?",
        r"(?:i|we) (?:don'?t|do not|no longer) (?:want|need)(?: to (?:see|watch))?",
        r"don'?t (?:get|download|bother with)",
        r"stop (?:downloading|getting)",
        *spanish.CANCEL,
    )
    + rf" (?:(?:the (?:request|download) (?:for|of) )|{spanish.CANCELLED_BEFORE})?(?P<title>.+)",
    re.IGNORECASE,
)

_READY = any_of("ready", "done", "downloaded", "here", "in yet", "finished", "available")
_PLACES = any_of(
    "the party", "everyone", "everybody", "mom", "mum", "dad", "you", "we", "he", "she", "they",
    "the nearest", "the closest", "the office", "the theat", "the cinema", "the movie",
)  # fmt: skip

_TITLE = r"(?P<title>.{1,80}?)"

STATUS_OF = tuple(
    whole(form)
    for form in (
        rf"when (?:will|is|can) {_TITLE} (?:going to )?(?:be )?{_READY}",
        rf"(?:is|are) {_TITLE} {_READY}(?: yet| now| already)?",
        rf"(?:is|are) {_TITLE} (?:on (?:its|the) way|coming)(?: yet| now| already)?",
        rf"how(?:'s|s| is| are) {_TITLE} (?:coming along|coming|getting on|getting along|doing)",
        rf"where(?:'s|s| is| are) (?!{_PLACES}){_TITLE}",
        rf"why is(?:n't| not)? {_TITLE} (?:not )?(?:here|ready|taking so long)(?: yet)?",
        r"(?:what'?s |any )?(?:the )?(?:status|news|updates?|progress) (?:of|on|for|about) "
        + _TITLE,
        rf"(?:status|progress|eta)[:,]? (?!report|please){_TITLE}",
        rf"did {_TITLE} (?:finish|download|arrive|come)(?: yet)?",
        rf"(?:did|have|has) (?:you|it) (?:find|found|get|got) {_TITLE} yet",
        rf"did you (?:find|get|manage to (?:find|get)) {_TITLE}",
        rf"how (?:long|much longer)(?: more)? (?:for|until|till|to get|will it take for) "
        rf"{_TITLE}(?: (?:is|to be|be) {_READY})?",
        rf"how long (?:will|does) {_TITLE} (?:take|need)",
        rf"what(?:'s|s| is) (?:up|happening|going on) with {_TITLE}",
        *spanish.STATUS_OF,
    )
)

# --- Talk ----------------------------------------------------------------------------------------

_ENDEARMENT = r"(?: (?:mom|mum|dad|honey|dear|babe|love|guys|everyone|you|there|all|man|buddy))?"

SMALL_TALK = whole(
    rf"(?:hi+|hey+|hello+|yo|hiya|howdy|sup|bye+|goodbye|good ?night){_ENDEARMENT}",
    r"good (?:morning|evening|afternoon|day|one|job|luck)" + _ENDEARMENT,
    r"see (?:you|ya|u)(?: \w+){0,2}",
    r"(?:no |many |ok |great |perfect )?(?:thanks?|thx|ty|cheers|tysm)(?: \w+){0,4}",
    r"(?:no |ok )?thank (?:you|u)\b.{0,60}",
    r"(?:ok(?:ay)?|k+|cool|nice|great|awesome|perfect|amazing|lol|haha+|wow|omg|yay|hmm+|oh)"
    r"(?: (?:ok(?:ay)?|cool|nice|great|thanks|then|one|thing))?",
    r"(?:sounds?|looks?) (?:good|great|fun|nice|fine|perfect)(?: to me)?",
    r"(?:that|it|this|which)(?:'?s| is| was| sounds| will be| would be) .{0,60}",
    r"(?:yes|yeah|yea|yep|yup|no|nope|nah|sure|maybe|right|exactly|correct|same|really|please"
    r"|sorry|oops|of course|fine|good|not yet|later|soon|got it|gotcha|will do|done|why|what|who"
    r"|when|where|how|wrong number|never|always|both|neither|hurry up|come on|go ahead)"
    r"(?: (?:please|thanks|sorry|sir|it is|you are|i am|me too|not))?",
    r"(?:i )?love (?:you|u|ya|it)\b.{0,30}",
    r"on my way|omw|brb|me too|my bad|no (?:problem|worries|way)|you too|call me(?: \w+)?",
    r"how (?:are|r) (?:you|u|things)\b.{0,30}",
    r"what(?:'?s| is) (?:up|for (?:dinner|lunch)|new)",
    r"who (?:is|are|r) (?:this|you|u)",
    r"(?:are|r) (?:you|u) .{1,40}",
    r"i(?:'m| am|m) (?:\w+)(?: \w+)?",
    r"test(?:ing)?",
    r"happy (?:birthday|new year|easter|anniversary)\b.{0,30}|merry (?:christmas|xmas)\b.{0,30}",
    r"congrat(?:s|ulations)",
    *spanish.SMALL_TALK,
)

# Bare texts of these say something more often than they name a film.
TALK_WORDS = words(
    """
    i i'm im me my mine you your u we us our he she him his her they them it it's its this that is
    are was am do does did can could will would should what when where who why how which let's lets
    don't dont go going come home up down in out yes no not ok stop help wait call after before now
    then here there please thanks sorry good great bad close open inside outside fall luck smile
    sick dinner lunch about any some more happy love like tonight tomorrow today
    well lost ready back off away rid soon
    """
    + spanish.TALK_WORDS
)

# Of those, what with its capital is nothing but a title: nobody texts it alone.
TITLES_ALONE = words("Up Us Her Him It Them")

GREETINGS = start_of(
    "hey", "hi", "hello", "yo", "ok", "okay", "so", "um+", "uh+", "well", "oh", "please", "pls",
    "dear", "good (?:morning|evening|afternoon)", "thanks", "thank you", "yes", "yeah", "yea",
    "yep", "no", "nope", "sure", "great", "cool", "nice", "perfect", "awesome", "alright", "wow",
    "actually", "also", "and", "but", "there", "then", "sorry", "mom", "mum", "dad", "maybe",
    "fantastic", "excellent", "wrong", "just", "hmm+", "now", "ooh+", "and then",
    "i mean", "i meant", "btw", *spanish.GREETINGS,
)  # fmt: skip

# --- What a phrase is about ----------------------------------------------------------------------

OTHER_MEDIA = word_of(
    "songs?", "album", "albums", "playlist", "playlists", "music", "tunes?", "tracks?", "artist",
    "spotify", "podcasts?", "audiobooks?", "books?", "novels?", "video ?games?", "games?",
    "restaurants?", "reservations?", "weather", "forecast", "recipes?", "painting", "photographs?",
    "pictures?", "soundtracks?", "taxi", "flights?", "hotels?", "salon", "apartment", "bedrooms?",
    "rate this", "stars? out", r"\d stars?", r"\d points",
    "listen", "hear", "essay", "bus", "doctor", "dentist",
    "comics?", "magazine", "poem", "bands?", "singer", "concert", "pizza", "therapist",
    "schedules?", "showtimes?", "theat(?:er|re)s?", "cinemas?", "movie (?:times?|house)",
    *spanish.OTHER_MEDIA,
)  # fmt: skip

TV = word_of(
    r"(?:tv|television) ?(?:shows?|series|programs?|programmes?|miniseries)",
    r"season \w+",
    r"episodes? (?:\w+ )?of",
    r"(?:find|get|watch|add|download|me|us) (?:the|a) show(?: called| named)?(?= \w)",
    r"^(?:the|a) show(?: called| named)?(?= \w)",
    r"(?:latest|last|new|next|all|first) (?:episodes?|season)",
    r"all seasons",
    r"(?:the|a) series(?! of)",
    r"(?:mini|web|tv)[ -]?series",
    r"seasons?(?: \d+)?(?=$)",
    *spanish.TV,
)

DESCRIPTION = word_of(
    "directed by", "starring", "featuring", "acted by", "with (?:the )?actors?", "genre",
    "something (?:like|with|by|about|from)", "anything (?:like|with|by|about|from)",
    "(?:movies?|films?|flicks?) (?:about|with|by|from|like|where|in which|for)", "similar to",
    *spanish.DESCRIPTION,
)  # fmt: skip

GENERIC = words(
    """
    a an the this that these those it its one ones some any something anything other another more
    of for to in on at with from and or by about like kind type sort
    movie movies film films flick flicks show shows showing showings playing tickets ticket
    action adventure animated animation anime biographical biography comedy comedies comic crime
    documentary documentaries drama dramas family fantasy funny history horror kids musical mystery
    romance romantic rom-com romcom sci-fi scifi science fiction sport sports suspense thriller
    thrillers war western westerns superhero disney scary sad
    good great nice best better cool new newest latest old older popular recent really very fun
    interesting random different watch see recommend tonight today tomorrow now later online nearby
    please thanks me us you him her them everyone all list subtitles out
    """
    + spanish.GENERIC
)

# What is asked for where no film is named: "something funny", "a good movie".
A_KIND = word_of(
    "something", "anything", "some", "any", "movies?", "films?", "flicks?",
    "comed(?:y|ies)", "dramas?", "thrillers?", "action", "horror", "romance", "westerns?",
    *spanish.A_KIND,
)  # fmt: skip

# What begins like this goes on as talk more often than as a title.
OPENING = start_of(
    "it", "it's", "its", "that", "that's", "this", "these", "those", "them", "they", "you", "him",
    "her", "us", "me", "my", "your", "our", "some", "any", "something", "anything", "someone",
    "one", "more", "another", "other", "everything", "nothing", "to", "a", "an", "from", "in",
    "on", "at", "for", "with", "near", "of", "by", "if", "what", "what's", "was", "were", "when",
    "where", "who",
    "how", "there", "both of", "all of", "is", "are", "not", "no", *spanish.OPENING,
)  # fmt: skip

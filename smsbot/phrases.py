"""How people say things: tables of words and phrases, and the patterns made of them.

A pattern is matched against text whose white space has been folded into single spaces. None nests
one repetition in another, so that no text, however long or hostile, is slow to read.
"""

import re


def any_of(*phrases: str) -> str:
    """Return a pattern for any of `phrases`, which are patterns themselves."""
    return f"(?:{'|'.join(phrases)})"


def whole(*phrases: str) -> re.Pattern[str]:
    """Return what `fullmatch`es any of `phrases`, in any case."""
    return re.compile(any_of(*phrases), re.IGNORECASE)


def word_of(*phrases: str) -> re.Pattern[str]:
    """Return what finds any of `phrases` as whole words, in any case."""
    return re.compile(rf"\b{any_of(*phrases)}\b", re.IGNORECASE)


def start_of(*phrases: str) -> re.Pattern[str]:
    """Return what matches any of `phrases` at the start of a text, with the space behind."""
    return re.compile(rf"{any_of(*phrases)}(?:\W+|$)", re.IGNORECASE)


def end_of(*phrases: str) -> re.Pattern[str]:
    """Return what finds any of `phrases` at the end of a text, with what stands before it."""
    return re.compile(rf"[ ,.;:!?-]+{any_of(*phrases)}[ .!?]*$", re.IGNORECASE)


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
)

HELP = whole(
    r"\?+",
    r"commands?",
    r"menu",
    r"(?:what|how) (?:can|do|does) (?:you|i|this) (?:do|work|help|use (?:this|it))",
    r"how does (?:this|it) work",
    r"what is this",
)

NEVER_MIND = re.compile(
    any_of(
        r"never ?mind",
        r"nvm",
        r"forget (?:about )?(?:it|that|this)",
        r"no longer needed",
        r"don'?t bother",
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
    )
    + r" (?:the (?:request|download) (?:for|of) )?(?P<title>.+)",
    re.IGNORECASE,
)

_READY = any_of("ready", "done", "downloaded", "here", "in yet", "finished", "available")
_PLACES = any_of(
    "the party", "everyone", "everybody", "mom", "mum", "dad", "you", "we", "he", "she", "they",
    "the nearest", "the closest", "the office", "the theat", "the cinema", "the movie",
)  # fmt: skip

STATUS_OF = whole(
    rf"when (?:will|is|can) .{{1,80}} (?:be )?{_READY}",
    rf"(?:is|are) .{{1,80}} {_READY}(?: yet| now)?",
    r"how(?:'s| is| are) .{1,80} (?:coming along|coming|getting on|getting along|doing)",
    rf"where(?:'s| is) (?!{_PLACES}).{{1,60}}",
    r"why is(?:n't| not)? .{1,80} (?:here|ready|taking so long)(?: yet)?",
    r"(?:what'?s |any )?(?:status|news|update|updates|progress) (?:of|on|for|about) .{1,80}",
    r"did .{1,80} (?:finish|download|arrive)(?: yet)?",
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
)

# Bare texts of these say something more often than they name a film.
TALK_WORDS = word_of(
    "i", "i'm", "im", "me", "my", "mine", "you", "your", "u", "we", "us", "our", "he", "she", "him",
    "his", "her", "they", "them", "it", "it's", "its", "this", "that", "is", "are", "was", "am",
    "do", "does", "did", "can", "could", "will", "would", "should", "what", "when", "where", "who",
    "why", "how", "which", "let's", "lets", "don't", "dont", "go", "going", "come", "home", "up",
    "down", "in", "out", "yes", "no", "not", "ok", "stop", "help", "wait", "call", "after",
    "before", "now", "then", "here", "there", "please", "thanks", "sorry", "good", "great", "bad",
    "close", "open", "inside", "outside", "fall", "luck", "smile", "sick", "dinner", "lunch",
    "about", "any", "some", "more", "all", "happy", "love", "like", "tonight", "tomorrow", "today",
)  # fmt: skip

GREETINGS = start_of(
    "hey", "hi", "hello", "yo", "ok", "okay", "so", "um+", "uh+", "well", "oh", "please", "pls",
    "dear", "good (?:morning|evening|afternoon)", "thanks", "thank you", "yes", "yeah", "yea",
    "yep", "no", "nope", "sure", "great", "cool", "nice", "perfect", "awesome", "alright", "wow",
    "actually", "also", "and", "but", "there", "then", "sorry", "mom", "mum", "dad", "maybe",
    "fantastic", "excellent", "wrong", "just", "hmm+", "now", "ooh+", "and then", "i mean", "btw",
)  # fmt: skip

# --- Wishes --------------------------------------------------------------------------------------

ADVERB = any_of(
    "please", "pls", "maybe", "possibly", "also", "really", "just", "actually", "all", "kindly",
    "definitely", "still", "both", "always", "so", "totally", "perhaps", "quickly",
)  # fmt: skip

# What is done to films, and hardly to anything else that is said to a service for films.
VERB = any_of(
    "get", "find", "download", "add", "grab", "fetch", "request", "order", "queue up", "queue",
    "look up", "look for", "search for", "search", "put on", "pull up", "bring up", "have", "see",
    "watch", "rewatch", "rent", "stream", "play", "show", "try", "snag", "book", "buy", "purchase",
    "check out", "catch", "go to", "start", "reserve", "pick up",
)  # fmt: skip
_VERBING = any_of("watching", "seeing", "getting", "finding", "downloading", "renting", "having")

_WANT = any_of(
    "want", "wants", "wanted", "wanna", "need", "like", "love", "prefer", "hope", "hoping", "plan",
    "planning", "dying", "wish", "looking forward", "gonna", "going", "keen", "thinking", "liked",
    "excited", "ready", "have been wanting",
)  # fmt: skip
_SELF = any_of("i", "we", "the kids", "my \\w+", "he", "she", "they")

WISH = word_of(
    rf"(?:can|could|would|will|may|might|should) (?:you|u|ya|we|i)(?: {ADVERB}){{0,3}} {VERB}",
    rf"{_WANT}(?: {ADVERB})? (?:to|on|for|about|of)(?: {ADVERB})? (?:{VERB}|{_VERBING})",
    rf"wanna(?: {ADVERB})? {VERB}",
    rf"{_SELF}(?: {ADVERB}){{0,2}} ?(?:'d|d| would)(?: {ADVERB})? (?:like|love|prefer)",
    rf"(?:i|we)(?: {ADVERB}){{0,2}} (?:want|need|prefer|like to (?:see|watch))",
    r"(?:i|we)(?:'ll| will) (?:take|have|watch|go (?:with|for)|see|try)",
    r"(?:looking|searching) for",
    r"in the mood for",
    r"(?:do|did) (?:you|we|they) (?:have|got)(?: any)?",
    r"have you got|got|is there|are there|how about|what about|any chance of",
    r"let'?s (?:watch|see|get|go with|try|do)",
    r"help me (?:book|find|get|buy)",
    r"(?:movie )?tickets? (?:to|for|to see)",
    # Spanish, Portuguese, French, Italian, German, Dutch.
    r"(?:quiero|queremos|quisiera|me gustar[ií]a|nos gustar[ií]a) (?:ver|bajar|descargar|tener)",
    r"(?:puedes|podr[ií]as|podemos) (?:\w+ )?(?:buscar|descargar|bajar|poner|conseguir|añadir)(?:me)?",
    r"(?:quero|queremos|gostaria de|queria) (?:assistir|ver|baixar)(?: a)?",
    r"(?:je veux|on veut|je voudrais|on voudrait|j'aimerais|on aimerait) (?:voir|regarder|avoir)",
    r"(?:peux-tu|tu peux|pouvez-vous|pourrais-tu|tu pourrais) (?:me |nous )?"
    r"(?:trouver|t[ée]l[ée]charger|mettre|ajouter|avoir)",
    r"(?:voglio|vorrei|vogliamo|vorremmo) (?:vedere|guardare|avere)",
    r"(?:puoi|potresti) (?:\w+ )?(?:scaricare|trovare|prendere|aggiungere|cercare)",
    r"(?:ich|wir) (?:will|wollen|m[öo]chten?|w[üu]rden?)(?: gern| gerne)?",
    r"(?:kannst|k[öo]nntest) du(?: mir| uns)?(?: bitte)?",
    r"(?:ik|we|wij) (?:wil|willen|zou|zouden)(?: graag)?",
    r"(?:kun|kan|zou) je(?: mij| ons)?(?: alsjeblieft)?",
)

IMPERATIVE = re.compile(
    any_of(
        rf"(?:{ADVERB} )?{VERB}",
        r"gimme|need|want|wish to|give(?= (?:me|us)\b)",
        r"descarga(?:r|me)?|busca(?:me)?|pon(?:me)?|consigue(?:me)?|baixa|procura|t[ée]l[ée]charge",
        r"trouve(?:-moi)?|scarica(?:mi)?|cerca|trova(?:mi)?|hol(?: mir)?|lade?|besorg(?: mir)?|zoek",
    )
    + r"\b",
    re.IGNORECASE,
)

NEGATION = re.compile(
    r"\b(?:don'?t|do not|doesn'?t|didn'?t|never|not|can'?t|cannot|won'?t|no longer|haven'?t)"
    r"(?: \w+)?\W*(?:i |we |to )?$",
    re.IGNORECASE,
)

_COUNT = any_of(r"\d{1,2}", "a", "an", "one", "two", "three", "four", "five", "six", "seven", "some")
_SEATS = any_of("tickets?", "seats?", "spots?", "copy", "copies", "showings?", "screenings?", "show")

# What stands between the wish and the title.
LEAD_IN = re.compile(
    any_of(
        rf"to (?={VERB}\b)",
        rf"{VERB}(?= (?:me|us|a movie|the movie|a film|the film|tickets?|movie tickets?)\b)",
        r"(?:me|us|mom|mum|dad|myself|ourselves|them|the kids|the family|him)(?= \w)",
        ADVERB + r"(?= \w)",
        r"to have|to see|to watch|to get|to find|to buy|to book|to rent|to go see|out to see",
        rf"(?:{_COUNT} |the |any )?(?:more )?(?:regular )?(?:movie )?{_SEATS}(?: \w+)? (?:to|for|of|to see)",
        r"the (?:\d[\d:]* |next )?(?:showing|screening) of",
        r"(?:a |an |the |this |that |any |some )?(?:movie|film|flick)s? "
        r"(?:called|named|titled|entitled|with the title|by the name of)",
        r"(?:something|one|the one) (?:called|named|titled)",
        r"(?:a |the |this |that )?(?:movie|film|flick)s?(?=[ :,] ?\w)",
        r"(?:some )?(?:information|info) (?:on|about)",
        r"(?:la|una|der|die|das|den|le|un|il|de|o|el) (?:pel[íi]cula|film|filme|peli)",
        r"(?:pel[íi]cula|filme|peli)(?= \w)",
    )
    + r"[ :,]+",
    re.IGNORECASE,
)

NAMED = word_of(
    r"(?:movie|film|flick)s? (?:called|named|titled|entitled|with the title)",
    rf"(?:movie|film|one) (?:that )?(?:i|we) (?:{ADVERB} )?(?:want|wanna|mean|meant|would like)"
    rf"(?: to {VERB})? is",
)

# --- What a phrase is about ----------------------------------------------------------------------

OTHER_MEDIA = word_of(
    "songs?", "album", "albums", "playlist", "playlists", "music", "tunes?", "tracks?", "artist",
    "spotify", "podcasts?", "audiobooks?", "books?", "novels?", "video ?games?", "games?",
    "restaurants?", "reservations?", "weather", "forecast", "recipes?", "painting", "photographs?",
    "pictures?", "soundtracks?", "taxi", "flights?", "hotels?", "salon", "apartment", "bedrooms?",
    "rate this", "stars?", "points", "listen", "hear", "essay", "bus", "doctor", "dentist",
    "saga", "comics?", "magazine", "poem", "bands?", "singer", "concert", "pizza", "therapist",
    "schedules?", "showtimes?", "theat(?:er|re)s?", "cinemas?", "movie (?:times?|house)",
)  # fmt: skip

TV = word_of(
    r"(?:tv|television) ?(?:shows?|series|programs?|programmes?|miniseries)",
    r"season \w+",
    r"episodes? \w+ of",
    r"(?:latest|last|new|next|all|first) (?:episodes?|season)",
    r"all seasons",
    r"(?:the|a) series(?! of)",
    r"(?:mini|web|tv)[ -]?series",
    r"seasons?(?: \d+)?(?=$)",
)

DESCRIPTION = word_of(
    "directed by", "starring", "featuring", "acted by", "stars", "with (?:the )?actors?", "genre",
    "something (?:like|with|by|about|from)", "anything (?:like|with|by|about|from)",
    "(?:movies?|films?|flicks?) (?:about|with|by|from|like|where|in which|for)", "similar to",
)  # fmt: skip

GENERIC = frozenset(
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
    """.split()
)

OPENING_PRONOUN = start_of(
    "it", "it's", "its", "that", "that's", "this", "these", "those", "them", "they", "you", "him",
    "her", "us", "me", "my", "your", "our", "some", "any", "something", "anything", "someone",
    "one", "more", "another", "other", "everything", "nothing", "to", "a", "an", "some", "from",
    "if", "what", "what's", "when", "where", "who", "how", "there", "both of", "all of",
)  # fmt: skip

# A sentence that wants what another sentence names: "Dune sounds good. Can you get it?"
POINTING = whole(
    r"(?:it|that|this|that one|this one|them)(?: \w+){0,8}",
    r"(?:the|this|that) (?:movie|film|one)(?: \w+){0,8}",
    r"(?:now|online|right now|right away|later|soon|immediately)?(?: (?:with|in) .{1,40})?",
)

_DEGREE = r"(?:really |very |so |pretty |just |also |quite |the |a |an |like a |like |to be )*"
_PRAISE = any_of(
    "good", "great", "perfect", "awesome", "amazing", "fantastic", "interesting", "fun", "nice",
    "cool", "lovely", "fine", "excellent", "brilliant", "wonderful", "best", "better", "ideal",
    "one", "movie", "film", "choice", "ok", "okay",
)  # fmt: skip
PRAISE = re.compile(
    rf"(?:,| film| movie)? (?:sounds?|looks?|seems|is|would be|will be|might be|could be|was)"
    rf" {_DEGREE}{_PRAISE}\b|(?:,| film| movie)? works\b",
    re.IGNORECASE,
)
HOPEFUL = word_of("sounds?", "looks?", "would be", "works", "might be", "could be")

# --- Around a title ------------------------------------------------------------------------------

_DAY = any_of(
    "(?:mon|tues|wednes|thurs|fri|satur|sun)days?", "tonight", "tomorrow", "tomorow", "today",
    "the weekend", "weekend",
)  # fmt: skip
_PART_OF_DAY = any_of("night", "morning", "afternoon", "evening", "week", "weekend")
_PERSON = any_of(
    "me", "us", "mom", "mum", "dad", "grandma", "grandpa", "everyone", "him", "her", "them",
    "(?:the|my|our) (?:kids?|family|boys?|girls?|wife|husband|son|daughter|mom|mum|dad|friends?"
    "|parents|brother|sister|children|grandkids|girlfriend|boyfriend)",
)  # fmt: skip
_TIME = r"(?:\d{1,2}(?::\d\d)?(?::\d\d)? ?(?:am|pm|a\.m\.?|p\.m\.?)?|noon|midnight|\w+ (?:am|pm|o'clock))"

# What may follow a title and is no part of it; taken off the end, one after the other.
COURTESY = end_of(
    "please", "pls", "plz", "thanks?", "thank you(?: so much| very much)?", "thx", "ty", "cheers",
    "if (?:you can|possible|that'?s ok(?:ay)?|you don'?t mind)", "when(?:ever)? you can",
    "when you get (?:a chance|time)", "(?:that )?would be (?:great|nice|awesome|lovely)",
    "asap", "by any chance", "is it possible", "per favore", "por favor", "s'il te pla[iî]t",
    "bitte", "alsjeblieft", "herunterladen", "runterladen", "besorgen", "holen", "sehen", "laden",
    "schauen", "anschauen", "downloaden", "kijken", "zien", "i guess", "i think", "😊", "🙏",
)  # fmt: skip
TAIL = end_of(
    rf"for {_PERSON}",
    rf"(?:for |on |this |next )?(?:this |next )?{_DAY}(?: {_PART_OF_DAY})?",
    rf"(?:for )?(?:this|next) {_PART_OF_DAY}",
    "for (?:movie night|date night|later|dinner|now|christmas|halloween|the trip|the plane)",
    "now", "right (?:now|away)", "immediately", "soon", "later", "again", "instead", "too", "next",
    "as well", "then", "also", "though", "online", "nearby", "near me", "near here", "around here",
    "today", "first",
    "on (?:netflix|plex|jellyfin|emby|dvd|blu-?ray|tv|the tv|the internet|my phone|the web|demand)",
    "in (?:imax|3d|4k|hd|uhd|1080p|english|spanish|french|german|italian|theaters?|cinemas?)",
    r"(?:with|and|in) (?:\w+ )?(?:subtitles?|subs|captions)(?: please)?",
    r"(?:to|on|in) (?:the |my |our )?(?:library|plex|list|queue|watch ?list|collection|server)",
    rf"(?:at|for|starting at|starting in|starting|in|around|after) {_TIME}",
    r"starting in .{1,20}", r"in (?:one|two|\d+) (?:second|minute|hour)s?",
    r"i (?:want|wanna|would like|'d like) (?:to )?(?:see|watch)(?: it)?",
    "when (?:it'?s|it is|it comes) (?:out|available)", "a movie", "a film", "the film", "the movie",
    "movies?", "films?", "flicks?", "tickets?", "showing",
)  # fmt: skip

_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
CLAUSE = re.compile(
    any_of(
        r", ?(?:is|are|can|could|please|i|we|if|any|mind|do|does|it'?s|you|then|thanks|because|so"
        r"|but|near|starting|the one|when|a movie|a film|with|available|my|that|what|who|or)\b",
        r" (?:because|since|so (?:that|i|we)|if (?:you|it|that)|when you|whenever|starting|showing"
        r"|available|nearby|near|close to|playing|shown|but|someplace|somewhere|preferably)\b",
        r" (?:and|then) (?:i|we|please|then|actually|play|don'?t|do|can|could|want|make|rent|watch"
        r"|see|if|he|she|they|it|was|select|include|let|need|also i)\b",
        r" with (?:\w+ )?(?:subtitles?|subs|captions|a group|my|some)\b",
        r" (?:at|for) (?:the|a|an|my|our|some) ",
        r" (?:at|for|around|after|in) (?:\d|one|two|quarter|half)",
        r" in (?:english|french|spanish|german|hindi|imax|3d|4k|hd|theat|cinema|the theat|the area)",
        rf" (?:on|for) (?:the )?(?:\d|{_DAY}|(?:{_MONTHS})\w* \d)",
        r" (?:it|which|that) (?:looks|sounds|seems|is|was|has)\b",
        r" from (?:the other|that|this|my)\b",
        r"(?<=\w)[.!?] +(?=i |it |thanks|please|my |we |the kids )",
        r" - (?:i|we|it|my|the kids|please|thanks)\b",
    ),
    re.IGNORECASE,
)
# Places and names of cinemas are told by their capitals.
PLACE = re.compile(r" (?:at|in|near|by|on) (?:the )?(?=[A-Z])")

# --- Years, ages and numbers ---------------------------------------------------------------------

_YEAR = r"(?P<year>(?:18|19|20)\d\d)"
YEAR_FORMS = (
    re.compile(rf"\b(?:the )?{_YEAR} (?:version|remake|adaptation|film|movie) of ", re.IGNORECASE),
    re.compile(rf" ?[(\[]{_YEAR}[)\]]"),
    re.compile(rf",? (?:from|of|in) (?:the year )?{_YEAR}$", re.IGNORECASE),
    re.compile(
        rf",? (?:the )?{_YEAR} (?:version|one|movie|film|remake|original)$", re.IGNORECASE
    ),
    re.compile(rf",? (?:the |made in |released in |the one from |not ){_YEAR}$", re.IGNORECASE),
    re.compile(rf"^(?:the )?{_YEAR}(?:'s)? (?:version of |movie |film |remake of |one of )?(?=\w)"),
)
# A bare number at the end is a year only if a film can be of that year (Blade Runner 2049).
LAST_YEAR = re.compile(r"(?<=\w)[ ,]+(?P<year>19\d\d|20[0-3]\d)$")

_NEW = any_of("new(?:est)?", "latest", "most recent", "recent", "remake of", "modern", "newer")
_OLD = any_of("old(?:er|est)?", "original", "classic", "first ever")
NEW = re.compile(rf"(?:the |a |that )?{_NEW}(?: (?:version of|movie|film|one of))? (?=\w)", re.I)
OLD = re.compile(rf"(?:the |a |that )?{_OLD}(?: (?:version of|movie|film|one of))? (?=\w)", re.I)
NEW_AFTER = end_of(rf"(?:but |the )+{_NEW} (?:one|version|movie|film)", "the (?:newer|remake)")
OLD_AFTER = end_of(rf"(?:but |the )+{_OLD} (?:one|version|movie|film)", "the original")

ORDINALS = {
    word: number
    for number, words in enumerate(
        ("first 1st", "second 2nd", "third 3rd", "fourth 4th", "fifth 5th", "sixth 6th"), 1
    )
    for word in words.split()
}
ORDINAL = re.compile(
    rf"(?:the )?(?P<which>{'|'.join(ORDINALS)}) (?:one of |part of |movie of |film of )?"
    r"(?:the )?(?=\w)",
    re.IGNORECASE,
)
SEVERAL = re.compile(
    r"(?:both|all|every)(?: of)?(?: (?:the|two|three|four|five|six))* (?=\w)", re.IGNORECASE
)
AND = re.compile(
    r" ?[,;] ?(?:and |& |plus |also |then )*| and (?:also |then |the movie )?| & | \+ | plus "
    r"| as well as | und | y | et | e ",
    re.IGNORECASE,
)
QUOTED = re.compile(r"[\"“”«»„]([^\"“”«»„]{1,150})[\"“”«»„]|(?<!\w)'([^']{2,80})'(?!\w)")

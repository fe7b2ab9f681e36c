"""What people say when something is wrong with a film: "no sound in Alien", "it's the wrong movie".

Pure rules over the text, read before any model is asked: a complaint must never get a film.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from smsbot import rules, spanish
from smsbot.phrases import any_of, start_of, whole
from smsbot.shapes import COURTESY
from smsbot.wishes import plain_text

WRONG_FILM, BROKEN = "wrong_film", "broken"

_LONGEST = 160
_EDGES = " .,!?;:()\"'“”"

_HELLO = start_of(
    "hey", "hi", "hello", "hmm+", "um+", "uh+", "ugh", "oh", "oh no", "so", "sorry", "sorry but",
    "but", "and", "well", "ok", "okay", "thanks but", "i think", "looks like", "it looks like",
    "i'm afraid", "unfortunately", "there(?:'s| is) a problem", "bad news", "no", "wait", "help",
)  # fmt: skip
_T = r"(?P<title>.{1,80}?)"
_IT = any_of(
    "it", "this", "that", "the (?:movie|film|file|copy|download|one)", "this (?:one|movie|film)"
)
_IS = r"(?:'?s| is| was)"
_FILM = any_of("movie", "film", "one", "version", "file", "copy", "thing")
_VERY = r"(?: (?:all|totally|completely|really|so|very|kind of|a bit|way|just|always|still))?"
_BAD = any_of(
    "broken", "corrupt(?:ed)?", "damaged", "unwatchable", "glitch(?:y|ing|es)", "defect(?:ive)?",
    "not (?:working|playing|loading)", "out of sync", "cut off", "incomplete", "blurry",
    "pixelated", "messed up", "garbled", "scrambled", "faulty", "in the wrong language",
    "in (?:another|a different|some other|a foreign) language", "a cam(?: version| rip)?",
)  # fmt: skip
_FAILS = any_of(
    "(?:does not|doesn'?t|won'?t|will not|wouldn'?t|can'?t|isn'?t|is not|didn'?t)"
    " (?:play|work|start|open|load|run|playing|working|loading|starting)"
    "(?: (?:right|properly|well))?",
    "(?:keeps|kept) (?:stopping|freezing|buffering|crashing|skipping|stuttering)",
    "(?:stops|stopped|ends|ended|freezes|froze|cuts off|cut off|breaks off)"
    r"(?: (?:half ?way|after|in the middle|at|before the end)\b.{0,30})?",
    "(?:has|had) no (?:sound|audio|picture|video|image|subtitles?|subs|voices?)",
    "(?:has|had) (?:the |a )?(?:wrong|bad|terrible|awful|no)"
    " (?:sound|audio|picture|video|subtitles?|language|quality)",
)  # fmt: skip
_PART = any_of("sound", "audio", "subtitles?", "subs", "picture", "video", "image", "quality",
               "language", "voices?")  # fmt: skip
_OFF = any_of(
    "off", "out of sync", "broken", "wrong", "missing", "gone", "bad", "terrible", "awful",
    "not working", "not there", "messed up", "in the wrong language", "late", "delayed",
    "too quiet",
    r"in (?:german|french|spanish|italian|russian|dutch|polish|chinese|japanese|korean|hindi"
    r"|portuguese|turkish|swedish)",
)  # fmt: skip
_IN = rf"(?: (?:in|on|for|of|with|during) {_T})?"

_OF_WRONG_FILM = (
    rf"(?:{_IT}{_IS}|(?:you|u) (?:got|sent|gave|downloaded)(?: (?:me|us))?|(?:i|we) got)"
    rf" (?:not )?(?:the |a )?(?:wrong|different) {_FILM}",
    rf"(?:the )?wrong (?:movie|film|version|one|file){_IN}",
    rf"{_T}{_IS} (?:the |a )?(?:wrong|different) {_FILM}",
)
_OF_ANOTHER = rf"(?:{_IT} (?:is not|isn'?t|was not|wasn'?t)|{_IT}'s not) {_T}"
_OF_BROKEN = (
    rf"{_IT}{_IS}{_VERY} {_BAD}",
    rf"{_IT} {_FAILS}",
    rf"(?:there(?:'s| is| was) )?(?:no|bad|wrong|terrible|awful) {_PART}{_IN}",
    rf"(?:the |its? )?{_PART}{_IN} (?:is|are|was|were){_VERY} {_OFF}",
    rf"the {_PART}'s{_VERY} {_OFF}",
    rf"(?:i |we )?(?:can'?t|cannot|don'?t|couldn'?t) (?:hear|see) (?:anything|any {_PART}|a thing)"
    rf"{_IN}",
    rf"{_T}{_IS}{_VERY} {_BAD}",
    rf"{_T} {_FAILS}",
    rf"(?:something(?:'s| is)|there(?:'s| is) something) (?:wrong|off) with {_T}",
)
_FORMS = (
    *((WRONG_FILM, whole(form), False) for form in (*_OF_WRONG_FILM, *spanish.WRONG_FILM)),
    *((BROKEN, whole(form), False) for form in (*_OF_BROKEN, *spanish.BROKEN)),
    (WRONG_FILM, whole(_OF_ANOTHER), True),
)
_NO_FILM = whole(
    r"(?:my|your|his|her|our|their) .+", "i", "we", "you", "he", "she", "they", "who", "what",
    "everything", "something", "nothing", "everyone", "somebody", "someone", "life", "there",
    r"(?:the|this) (?:tv|car|phone|wifi|wi-fi|internet|remote|app|door|world|system|plex|jellyfin)",
    "mom", "mum", "dad", "here", "which", "why", "how",
)  # fmt: skip


@dataclass(frozen=True)
class Complaint:
    """What is wrong, and the film where one is named; `doubtful` unless it is a film we know."""

    kind: str
    title: str = ""
    doubtful: bool = False


def read(text: str) -> Complaint | None:
    """Return the complaint that a text is, if it is nothing else."""
    plain = plain_text(text).strip(_EDGES)
    if len(plain) > _LONGEST:
        return None
    return next((found for form in _forms_of(plain) if (found := _read_one(form))), None)


def _forms_of(plain: str) -> Sequence[str]:
    """Return the text and its sentences, each as it stands and without its greetings."""
    forms = [plain, *re.split(r"(?:[.!;]+|,) (?=\w)", plain)][:4]
    forms += [_HELLO.sub("", form, count=1) for form in forms]
    forms += [_HELLO.sub("", form, count=1) for form in forms]
    bared = [COURTESY.sub("", form).strip(_EDGES) for form in forms]
    return [form for form in dict.fromkeys(bared) if form]


def _read_one(sentence: str) -> Complaint | None:
    for kind, form, doubtful in _FORMS:
        found = form.fullmatch(sentence)
        if found is None:
            continue
        title = (found.groupdict().get("title") or "").strip(_EDGES)
        title = re.sub(r"^(?:the )?(?:movie|film) (?=\w)", "", title)
        if title and _NO_FILM.fullmatch(title):
            continue
        named = "" if rules.is_pronoun(title) else title
        return Complaint(kind, named, doubtful)
    return None

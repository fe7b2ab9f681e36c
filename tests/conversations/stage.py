"""Plays a script: signed webhooks in, ticks, and what Twilio was given out."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings as django_settings
from django.utils import timezone
from pytest_django.fixtures import Settings

from smsbot import backfill, unknown
from smsbot.models import BlockedTitle, Contact, OneTimeCode
from tests.conftest import ALEX, KIM, SAM, Household, inbound_form
from tests.conversations.script import Script, Step, Text, Unreadable, told
from tests.conversations.services import (
    Doing,
    Radarr,
    ScriptedRadarr,
    ScriptedTmdb,
    tmdb_sentences,
    twilio_sentences,
)
from tests.smsbot.test_understanding import FakeModel

OLIVIA, STRANGER, OTHER_STRANGER = "+12025550101", "+12025550188", "+12025550199"
PEOPLE = {
    "Olivia": OLIVIA,
    "Sam": SAM,
    "Alex": ALEX,
    "Kim": KIM,
    "A stranger": STRANGER,
    "Another stranger": OTHER_STRANGER,
}
UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 7 * 86400}
MOST_TICKS = 12
"""How often the monitor looks while time passes: enough for every grace, and quick."""

_CODE = re.compile(r"(?<=[A-Z] )\d{4,8}\b")


@dataclass
class Stage:
    """The household of a script: Olivia owns it, Sam, Alex and Kim belong to it."""

    household: Household
    radarr: ScriptedRadarr
    tmdb: ScriptedTmdb
    model: FakeModel
    settings: Settings
    codes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.settings.OWNER_PHONE_NUMBERS = [OLIVIA]
        self.settings.ALLOWED_PHONE_NUMBERS = [SAM, ALEX, KIM]
        self.settings.REQUEST_POLICY = "ask-owner"
        backfill.run_if_due(timezone.now())

    def play(self, script: Script) -> None:
        """Do every step, and put below each what really came of it."""
        for step in script.steps:
            seen = len(self.household.twilio.sent)
            below = self._do(step)
            texts = self._texts_since(seen, step.who)
            is_text = step.who in PEOPLE
            step.below = below + (told(texts, step.who) or (["  (nothing)"] if is_text else []))

    def _do(self, step: Step) -> list[str]:
        match step.who:
            case "with":
                self._set(step.what)
            case "":
                self._pass_time(step)
            case "In the admin":
                self._say(step, self._admin_sentences())
            case "TMDB":
                self._say(step, tmdb_sentences(self.tmdb))
            case "Twilio":
                sentences = twilio_sentences(self.household.twilio, PEOPLE.__getitem__)
                self._say(step, sentences, noticed=True)
            case "Radarr":
                self._say(step, Radarr(self.radarr, self.tmdb).sentences(), noticed=True)
            case person:
                return self._text(PEOPLE[person], step)
        return []

    # --- People -----------------------------------------------------------------------------------

    def _text(self, sender: str, step: Step) -> list[str]:
        """Have a person text; return what the script says of the model, as it was."""
        body, more = step.what.replace(" ⏎ ", "\n"), {}
        if body.startswith("(a picture)"):
            body, more = body.removeprefix("(a picture)").strip(), {"NumMedia": "1"}
        for number, code in enumerate(self.codes, 1):
            body = body.replace(_placeholder(number), code)
        asked_before = len(self.model.asked)
        self.settings.OPENAI_API_KEY = "" if step.reading is None else "key-of-the-model"
        self.model.answers = [_reading(step.reading or "nothing")]
        self.household.deliver(inbound_form(sender, body, **more))
        self.household.work()
        if step.reading is None:
            return []
        was_asked = len(self.model.asked) > asked_before
        return [f"  (the model reads: {step.reading})" if was_asked else "  (no model is asked)"]

    def _texts_since(self, seen: int, speaker: str) -> list[Text]:
        names = {address: name for name, address in PEOPLE.items()}
        texts = [
            Text(names[sent.to], self._without_codes(sent.body))
            for sent in self.household.twilio.sent[seen:]
        ]
        order = [speaker, *PEOPLE]
        return sorted(texts, key=lambda text: order.index(text.to))

    def _without_codes(self, body: str) -> str:
        """Put a placeholder for each one-time code: it is another one each time."""
        for code in _CODE.findall(body):
            if code not in self.codes and OneTimeCode.objects.filter(code=code).exists():
                self.codes.append(code)
        for number, code in enumerate(self.codes, 1):
            body = re.sub(rf"(?<=[A-Z] ){code}\b", _placeholder(number), body)
        return body

    # --- The world --------------------------------------------------------------------------------

    def _set(self, what: str) -> None:
        name, _, value = what.partition(" = ")
        present = getattr(django_settings, name)
        setattr(self.settings, name, _value(value, present))

    def _pass_time(self, step: Step) -> None:
        seconds = _seconds(step)
        ticks = max(1, min(MOST_TICKS, seconds // 30))
        for _ in range(ticks):
            self._look(seconds / ticks)

    def _look(self, after: float = 30) -> None:
        """Let some seconds pass, and do what is done every few of them."""
        self.household.clock.shift(timedelta(seconds=after))
        now = timezone.now()
        unknown.settle_expired(now)
        backfill.run_if_due(now)
        unknown.resolve_due(now)
        self.household.tick(seconds=0)

    def _say(
        self, step: Step, sentences: Sequence[tuple[str, Doing]], *, noticed: bool = False
    ) -> None:
        """Do what a sentence says; a check is put right, and what happens is noticed."""
        for pattern, do in sentences:
            if found := re.fullmatch(pattern, step.what):
                truth = do(**found.groupdict())
                if truth:
                    step.line = f"{step.who}: {truth}"
                elif noticed:
                    self._look()
                return
        raise Unreadable(f"line {step.number}: {step.who} cannot do this: {step.what}")

    def _admin_sentences(self) -> Sequence[tuple[str, Doing]]:
        return (
            (r"(?P<person>[\w ]+)'s (?P<field>\w+) is now (?P<value>.*)", _change_contact),
            (r"(?P<title>.*) is on the list of what nobody may ask for", _block),
        )


def _change_contact(person: str, field: str, value: str) -> None:
    contact, _ = Contact.objects.get_or_create(address=PEOPLE[person])
    present = getattr(contact, field)
    if field == "request_limit":
        present = 0
    setattr(contact, field, _value(value, present))
    contact.save()


def _block(title: str) -> None:
    BlockedTitle.objects.create(title=title)


def _value(text: str, like: Any) -> Any:
    """Read a value of the kind that `like` is; people are named by their names."""
    if isinstance(like, list):
        names = [one.strip() for one in text.split(",")]
        return [PEOPLE.get(name, name) for name in names if name != "nobody"]
    if isinstance(like, bool):
        return text in ("yes", "True")
    return type(like)(text) if isinstance(like, int | float) else text


def _seconds(step: Step) -> int:
    """Return how long "30 seconds later" is, or how long it is until a date."""
    found = re.fullmatch(r"(?P<many>\d+|an?) (?P<unit>[a-z]+?)s? later", step.what)
    if found and found["unit"] in UNITS:
        many = 1 if found["many"] in ("a", "an") else int(found["many"])
        return many * UNITS[found["unit"]]
    try:
        day = datetime.strptime(step.what, "on %d %B %Y, %H:%M").replace(tzinfo=UTC)
    except ValueError as error:
        raise Unreadable(f"line {step.number}: when is {step.what!r}?") from error
    return int((day - timezone.now()).total_seconds())


def _placeholder(number: int) -> str:
    return "<code>" if number == 1 else f"<code {number}>"


def _reading(words: str) -> Any:
    """Return the model's answer for `request: Dune (1984); TV: The Wire`, `choose: 2`, `chat`."""
    if words == "nothing":
        return "I am sorry, but I cannot help with that."
    if words.startswith("{"):
        return json.loads(words)
    language = "en"
    if found := re.match(r"in ([a-z]{2}), ", words):
        language, words = found[1], words[found.end() :]
    intent, _, rest = words.partition(": ")
    reading: dict[str, Any] = {"intent": intent, "titles": [], "choice": None, "language": language}
    if intent == "choose" and rest.isdigit():
        reading["choice"] = int(rest)
    elif rest:
        reading["titles"] = [_title(one) for one in rest.split("; ")]
    return reading


def _title(words: str) -> dict[str, Any]:
    media = "tv" if words.startswith("TV: ") else "movie"
    found = re.fullmatch(r"(?:TV: )?(.*?)(?: \((\d{4})\))?", words)
    assert found is not None
    return {"title": found[1], "year": int(found[2]) if found[2] else None, "media": media}

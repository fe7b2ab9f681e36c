"""A new number under ask-owner: what they hear, what the owner is asked, what the answer does."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from smsbot import approvals, codes, notices, processing
from smsbot.models import Contact, InboundMessage, OneTimeCode, OutboundMessage
from tests.conftest import ALEX, KIM, SAM, Household
from tests.smsbot.people import OLIVIA, OSCAR, code_in, has_owner
from tests.smsbot.test_processing import LEASE, Killed, after, before, failing, received
from tests.test_main_job import ADDED, ASK

POLITE = (
    "👋 Hi! This number is for members of one household, so I can't take requests from here. "
    "I've let its owner know that you wrote."
)
WELCOME = (
    "👋 Welcome! You can ask me for movies now: text me a title and I'll get it for you. "
    'Want me to know your name? Text "I\'m …" and your name.'
)


@pytest.fixture(autouse=True)
def _owner(db: None, settings: Settings) -> None:
    has_owner(settings)


def a_stranger(household: Household, body: str = ASK, address: str = SAM) -> str:
    """Let a stranger write; return the code of the question to the owner."""
    household.text(address, body)
    return code_in(household.texts_to(OLIVIA)[-1])


def standing(address: str = SAM) -> str:
    return Contact.objects.get(address=address).standing


def test_the_owner_is_asked_and_the_stranger_held(household: Household) -> None:
    assert household.text(SAM, ASK) == [POLITE]
    [question] = household.texts_to(OLIVIA)
    code = code_in(question)
    assert question == (
        f'👤 A new number, +1…0142, asks to join: "{ASK}". Reply ALLOW {code} or DENY {code}.'
    )


def test_allow_welcomes_and_answers_what_was_asked_first(household: Household) -> None:
    code = a_stranger(household)
    told = household.text(OLIVIA, f"ALLOW {code}")
    household.work()
    assert told == ["👍 Done: +1…0142 can ask for movies now."]
    assert household.texts_to(SAM) == [POLITE, WELCOME, ADDED]
    assert household.text(SAM, "status") != []


def test_allow_may_give_the_name(household: Household) -> None:
    code = a_stranger(household)
    assert household.text(OLIVIA, f"allow {code} Grandma") == [
        "👍 Done: Grandma can ask for movies now."
    ]
    assert household.texts_to(SAM)[1].startswith("👋 Welcome, Grandma!")
    assert Contact.objects.get(address=SAM).name == "Grandma"


@pytest.mark.parametrize("body", ["hi", "Hello!", "Who is this?", ""])
def test_small_talk_gets_the_welcome_alone(household: Household, body: str) -> None:
    code = a_stranger(household, body)
    household.text(OLIVIA, f"ALLOW {code}")
    household.work()
    assert household.texts_to(SAM) == [POLITE, WELCOME]


def test_what_was_asked_long_ago_is_not_answered_any_more(household: Household) -> None:
    code = a_stranger(household)
    household.clock.shift(timedelta(hours=25))
    household.text(OLIVIA, f"ALLOW {code}")
    household.work()
    assert household.texts_to(SAM) == [POLITE, WELCOME]


def test_deny_blocks_without_a_word(household: Household) -> None:
    code = a_stranger(household)
    assert household.text(OLIVIA, f"Deny {code}") == [
        "👌 Okay, +1…0142 stays out and hears nothing from me."
    ]
    assert household.text(SAM, ASK) == []
    assert household.texts_to(SAM) == [POLITE]
    assert len(household.texts_to(OLIVIA)) == 2


def test_a_stranger_who_goes_on_writing_is_asked_about_once(household: Household) -> None:
    code = a_stranger(household)
    for _ in range(3):
        household.clock.shift(timedelta(hours=20))
        household.text(SAM, "please??")
    assert len(household.texts_to(OLIVIA)) == 1
    household.clock.shift(timedelta(hours=20))  # the code has expired by now
    second = a_stranger(household, "hello?")
    assert len(household.texts_to(OLIVIA)) == 2
    assert household.text(OLIVIA, f"ALLOW {second}")[0].startswith("👍 Done")
    assert code == second or household.text(OLIVIA, f"DENY {code}")[0].startswith("🤔")


def test_the_owner_is_asked_about_ten_strangers_a_day_and_no_more(household: Household) -> None:
    strangers = [f"+1202555{number:04}" for number in range(200, 213)]
    for address in strangers:
        household.text(address, "hi")
    asked = household.texts_to(OLIVIA)
    assert len(asked) == 10
    assert [("More new numbers" in text) for text in asked] == [False] * 9 + [True]
    last = household.texts_to(strangers[-1])
    assert last == [POLITE.removesuffix(" I've let its owner know that you wrote.")]
    household.clock.shift(timedelta(days=1))
    household.text(strangers[-1], "hi")
    assert len(household.texts_to(OLIVIA)) == 11


def test_every_owner_is_asked_with_the_same_code_and_the_second_hears_of_the_first(
    household: Household, settings: Settings
) -> None:
    settings.OWNER_PHONE_NUMBERS = [OLIVIA, OSCAR]
    code = a_stranger(household)
    assert code_in(household.texts_to(OSCAR)[-1]) == code
    household.text(OLIVIA, f"ALLOW {code} Sam")
    assert household.text(OSCAR, f"DENY {code}") == ["👌 Olivia has let Sam in already."]
    assert household.text(OSCAR, f"ALLOW {code}") == ["👌 Olivia has let Sam in already."]
    assert household.text(OLIVIA, f"DENY {code}") == ["👌 You have let Sam in already."]
    assert standing() == "allowed"


def test_two_owners_who_answer_at_the_same_moment_decide_once(
    household: Household, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OWNER_PHONE_NUMBERS = [OLIVIA, OSCAR]
    code = a_stranger(household)
    find = codes.find
    answers: list[str] = []

    def oscar_comes_in_between(*args: Any) -> Any:
        found = find(*args)
        if not answers:
            answers.append("")
            answers.extend(household.text(OSCAR, f"DENY {code}"))
        return found

    monkeypatch.setattr(codes, "find", oscar_comes_in_between)
    told = household.text(OLIVIA, f"ALLOW {code}")
    assert answers[1:] == ["👌 Okay, +1…0142 stays out and hears nothing from me."]
    assert told == ["👌 +1…0102 has said no to +1…0142 already."]
    assert standing() == "blocked"


def test_a_strangers_words_stand_in_quotes_on_one_line(household: Household) -> None:
    household.text(SAM, 'hi".\nReply ALLOW 1234 ' + "x" * 200)
    [question] = household.texts_to(OLIVIA)
    assert "\n" not in question
    assert question.count('"') == 2


def test_the_admin_lets_in_as_the_owner_does(household: Household) -> None:
    code = a_stranger(household)
    contact = Contact.objects.get(address=SAM)
    now = timezone.now()
    assert approvals.decide_contact(contact.pk, True, by="the admin", now=now)
    assert not approvals.decide_contact(contact.pk, True, by="the admin", now=now)
    household.work()
    assert household.texts_to(SAM) == [POLITE, WELCOME, ADDED]
    assert household.text(OLIVIA, f"DENY {code}") == ["👌 the admin has let +1…0142 in already."]


def test_who_was_let_in_before_is_not_welcomed_again(household: Household) -> None:
    a_stranger(household)
    contact = Contact.objects.get(address=SAM)
    for allow in (True, False, True):
        household.clock.shift(timedelta(hours=25))
        approvals.decide_contact(contact.pk, allow, by="the admin", now=timezone.now())
        household.work()
    assert household.texts_to(SAM) == [POLITE, WELCOME]


CRASHES: dict[str, tuple[Any, str]] = {
    "the code": (codes, "use"),
    "the decision": (approvals, "decide_contact"),
    "the welcome": (notices, "tell"),
    "the end": (processing, "_complete"),
}


@pytest.mark.parametrize("when", [before, after])
@pytest.mark.parametrize("step", CRASHES)
@pytest.mark.parametrize("word", ["ALLOW", "DENY"])
def test_a_crash_while_the_owner_decides_decides_once(
    household: Household, monkeypatch: pytest.MonkeyPatch, word: str, step: str, when: Any
) -> None:
    code = a_stranger(household)
    message = received(household, f"{word} {code}", OLIVIA)
    where, name = CRASHES[step]
    with monkeypatch.context() as dying:
        dying.setattr(where, name, when(getattr(where, name)))
        if (word, step) != ("DENY", "the welcome"):
            with pytest.raises(Killed):
                processing.process_line(message.pk)
    household.clock.shift(LEASE + timedelta(seconds=1))
    household.work()
    household.work()
    allowed = word == "ALLOW"
    assert household.texts_to(SAM) == ([POLITE, WELCOME, ADDED] if allowed else [POLITE])
    assert len(household.texts_to(OLIVIA)) == 2
    assert household.texts_to(OLIVIA)[1].startswith("👍 Done" if allowed else "👌 Okay")


def test_a_crash_while_asking_the_owner_asks_once(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = received(household)
    with monkeypatch.context() as dying:
        dying.setattr(notices, "tell_owners", failing(Killed()))
        with pytest.raises(Killed):
            processing.process_line(message.pk)
    assert not OneTimeCode.objects.exists()
    household.clock.shift(LEASE + timedelta(seconds=1))
    household.work()
    assert len(household.texts_to(OLIVIA)) == len(household.texts_to(SAM)) == 1


def test_an_answer_that_twilio_delivers_twice_counts_once(household: Household) -> None:
    code = a_stranger(household)
    sid = "SM" + "a" * 32
    for _ in range(2):
        household.text(OLIVIA, f"ALLOW {code}", MessageSid=sid, SmsSid=sid, SmsMessageSid=sid)
    assert len(household.texts_to(OLIVIA)) == 2
    assert household.texts_to(SAM) == [POLITE, WELCOME, ADDED]


def test_the_first_text_is_answered_in_its_turn_after_the_welcome(household: Household) -> None:
    code = a_stranger(household)
    household.text(SAM, "and Inception please")
    household.text(OLIVIA, f"ALLOW {code}")
    assert household.texts_to(SAM) == [POLITE, WELCOME, ADDED]
    first, second = InboundMessage.objects.filter(contact__address=SAM).order_by("id")
    assert first.replies.filter(purpose=OutboundMessage.Purpose.ANSWER).exists()
    assert not second.replies.exists()


# --- Names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("I'm Kim", "Kim"),
        ("Hi, I’m Kim!", "Kim"),
        ("my name is kim", "Kim"),
        ("Call me Aunt May please", "Aunt May"),
        ("This is Kim", "Kim"),
        ("hey I am Mary-Jane O'Neil", "Mary-Jane O'Neil"),
    ],
)
def test_a_name_is_learnt_from_who_bears_it(
    household: Household, settings: Settings, body: str, name: str
) -> None:
    settings.REQUEST_POLICY = "open"
    [answer] = household.text(KIM, body)
    assert answer.startswith(f"👋 Nice to meet you, {name}!")
    assert Contact.objects.get(address=KIM).name == name


@pytest.mark.parametrize(
    "body",
    [
        "I'm hungry",
        "I'm bored",
        "I'M DRIVING",
        "call me later",
        "call me when you can",
        "This is great",
        "This Is Spinal Tap",
        "I Am Legend",
        "I'm Thinking of Ending Things",
        "I'm Not There",
        "I'm in the mood for Dune",
        "This is the End",
        "my name is Kim, get Dune",
        "I'm 12",
    ],
)
def test_what_is_no_name_is_none(household: Household, settings: Settings, body: str) -> None:
    settings.REQUEST_POLICY = "open"
    household.text(ALEX, body)
    assert Contact.objects.get(address=ALEX).name == ""


def test_who_has_a_name_may_ask_for_films_that_sound_like_one(
    household: Household, settings: Settings
) -> None:
    settings.REQUEST_POLICY = "open"
    Contact.objects.create(address=KIM, name="Kim")
    household.text(KIM, "I am Sam")
    assert Contact.objects.get(address=KIM).name == "Kim"
    household.text(KIM, "call me Kimberly")
    assert Contact.objects.get(address=KIM).name == "Kimberly"

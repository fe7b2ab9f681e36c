"""One-time codes: only the right one, from an owner's phone, once, in time; guessing is stopped."""

import json
import logging
import secrets
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from downloads.models import DownloadRequest
from moviesms import quotas
from moviesms.incidents import open_incident
from moviesms.models import Incident
from smsbot import conversation, processing
from smsbot.models import Contact, OneTimeCode, OutboundMessage
from tests.conftest import ALEX, KIM, SAM, Household
from tests.smsbot.people import OLIVIA, OSCAR, code_in, has_owner, member
from tests.smsbot.test_processing import LEASE, Killed, after, received
from tests.smsbot.test_understanding import FakeModel
from tests.test_main_job import ASK

WRONG = "🤔 That code fits no open question."
LOCKED = "🔒 Too many wrong codes came from this number"


@pytest.fixture(autouse=True)
def _owner(db: None, settings: Settings) -> None:
    has_owner(settings)


@pytest.fixture
def code(household: Household) -> str:
    """The code of the question whether Sam may join."""
    household.text(SAM, ASK)
    return code_in(household.texts_to(OLIVIA)[-1])


def wrong(code: str, number: int = 1) -> str:
    """Return a code that is not `code`."""
    return str(1000 + (int(code) - 1000 + number) % 9000)


def is_allowed() -> bool:
    return Contact.objects.get(address=SAM).standing == Contact.Standing.ALLOWED


@pytest.mark.parametrize(
    "words",
    [
        "ALLOW {}",
        "allow {}",
        "{} allow",
        "Allow {} please",
        "please allow {}!",
        "ALLOW{}",
        "Allow: {}",
        "allow #{}",
        "allow code {}",
        "allow them {}",
        "APPROVE {}",
        "  Allow\n{}. ",
        "ok, allow {} thanks",
        "allow Sam {}",
    ],
)
def test_the_code_is_read_however_it_is_written(
    household: Household, code: str, words: str
) -> None:
    [answer] = household.text(OLIVIA, words.format(code))
    assert answer.startswith("👍 Done")
    assert is_allowed()


@pytest.mark.parametrize(
    "words", ["ALLOW", "allow", "Allow please", "approve them", "{}", "yes {}"]
)
def test_nothing_is_decided_without_word_and_code(
    household: Household, code: str, words: str
) -> None:
    household.text(OLIVIA, words.format(code))
    assert not is_allowed()
    assert OneTimeCode.objects.get().used_at is None


def test_a_word_without_a_code_lists_what_waits_and_shows_no_code(
    household: Household, code: str
) -> None:
    [answer] = household.text(OLIVIA, "APPROVE")
    assert "- +1…0142 asks to join" in answer
    assert code not in answer


def test_with_nothing_open_a_word_alone_says_so(household: Household) -> None:
    assert household.text(OLIVIA, "Allow") == ["👌 Nobody is waiting for your word right now."]


def test_a_film_whose_title_begins_like_a_word_is_asked_for(household: Household) -> None:
    household.text(OLIVIA, "The Decline of Western Civilization 1981")
    household.text(OLIVIA, "Decline of an Empire")
    assert not any("code" in text or "word" in text for text in household.texts_to(OLIVIA))


@pytest.mark.parametrize("sender", [SAM, ALEX, KIM])
def test_the_code_from_another_phone_is_no_code(
    household: Household, code: str, sender: str
) -> None:
    member(ALEX, "Alex")
    household.text(sender, f"ALLOW {code}")
    assert not is_allowed()
    assert OneTimeCode.objects.get(code=code).used_at is None


def test_a_forged_owner_without_the_code_gets_nothing_done(household: Household, code: str) -> None:
    assert household.text(OLIVIA, f"ALLOW {wrong(code)}")[0].startswith(WRONG)
    assert not is_allowed()
    assert household.text(OLIVIA, f"ALLOW {code}")[0].startswith("👍")


def test_five_wrong_codes_and_none_counts_until_tomorrow(household: Household, code: str) -> None:
    said = [household.text(OLIVIA, f"ALLOW {wrong(code, n)}") for n in range(1, 6)]
    assert [texts[0][:1] for texts in said] == ["🤔"] * 4 + ["🔒"]
    household.clock.shift(timedelta(minutes=5))
    [refused] = household.text(OLIVIA, f"ALLOW {code}")
    assert refused.startswith(LOCKED)
    assert not is_allowed()
    assert any("5 wrong codes came from +1…0101" in text for text in household.texts_to(OLIVIA))
    assert Incident.objects.get(closed_at=None).key.startswith("codes:guessed:")

    household.clock.shift(timedelta(days=1))
    household.work()
    assert not Incident.objects.filter(closed_at=None).exists()
    assert household.text(OLIVIA, f"ALLOW {code}")[0].startswith("👍 Done")


def test_each_owner_has_their_own_tries(
    household: Household, settings: Settings, code: str
) -> None:
    settings.OWNER_PHONE_NUMBERS = [OLIVIA, OSCAR]
    for number in range(1, 7):
        household.text(OLIVIA, f"ALLOW {wrong(code, number)}")
    assert household.text(OSCAR, f"ALLOW {code}")[0].startswith("👍 Done")


def test_a_code_expires(household: Household, settings: Settings, code: str) -> None:
    household.clock.shift(timedelta(seconds=settings.CODE_TTL + 1))
    assert household.text(OLIVIA, f"ALLOW {code}")[0].startswith(WRONG)
    assert not is_allowed()


def test_open_codes_differ_and_come_from_secrets(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = iter([7, 7, 7, 8])
    monkeypatch.setattr(secrets, "randbelow", lambda below: next(drawn))
    household.text(SAM, "hi")
    household.text(KIM, "hi")
    found = [code_in(text) for text in household.texts_to(OLIVIA)]
    assert found == ["1007", "1008"]


def test_a_code_decides_what_it_was_sent_for(household: Household, settings: Settings) -> None:
    settings.REQUEST_APPROVAL = "all"
    member(KIM, "Kim")
    household.text(SAM, "hi")
    household.text(KIM, ASK)
    joining, asking = (code_in(text) for text in household.texts_to(OLIVIA))
    household.text(OLIVIA, f"DENY {asking}")
    assert DownloadRequest.objects.get().state == "declined"
    assert Contact.objects.get(address=SAM).standing == Contact.Standing.NEW
    household.text(OLIVIA, f"APPROVE {joining}")
    assert is_allowed()


def test_no_code_is_logged(
    household: Household, caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    settings.REQUEST_APPROVAL = "all"
    member(KIM, "Kim")
    with caplog.at_level(logging.DEBUG):
        household.text(SAM, "hi")
        household.text(KIM, ASK)
        found = [code_in(text) for text in household.texts_to(OLIVIA)]
        household.text(OLIVIA, f"ALLOW {wrong(found[0])}")
        for code in found:
            household.text(OLIVIA, f"ALLOW {code}")
        open_incident("test", "a line that is logged", now=timezone.now())
    lines = [record.getMessage() for record in caplog.records]
    assert any("a line that is logged" in line for line in lines)
    assert not any(code in line for code in found for line in lines if "sqlite" not in line)


def test_the_model_sees_no_code(
    household: Household, monkeypatch: pytest.MonkeyPatch, settings: Settings, code: str
) -> None:
    model = FakeModel().install(monkeypatch, settings)
    household.text(OLIVIA, "what was that film with the spinning top?")
    assert model.asked
    assert code not in json.dumps(model.asked, default=str)


def test_a_wrong_code_is_counted_once_when_its_text_is_answered_again(
    household: Household, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = received(household, f"ALLOW {wrong(code)}", OLIVIA)
    with monkeypatch.context() as dying:
        dying.setattr(processing, "answer", after(conversation.answer))
        with pytest.raises(Killed):
            processing.process_line(message.pk)
    household.clock.shift(LEASE + timedelta(seconds=1))
    household.work()
    olivia = Contact.objects.get(address=OLIVIA)
    assert quotas.used(f"wrong_codes:{olivia.pk}", now=timezone.now()) == 1


def test_no_page_shows_a_code(household: Household, admin_client: Client, code: str) -> None:
    """A code proves who holds the owner's phone: not who may look at its texts."""
    owner = Contact.objects.get(address=OLIVIA)
    question = OutboundMessage.objects.get(contact=owner)
    assert code in question.text
    pages = [
        reverse("admin:smsbot_outboundmessage_changelist"),
        reverse("admin:smsbot_outboundmessage_change", args=[question.pk]),
        reverse("admin:smsbot_contact_change", args=[owner.pk]),
        reverse("dashboard:conversation", args=[owner.pk]),
        reverse("admin:index"),
    ]
    for page in pages:
        shown = admin_client.get(page).content.decode()
        assert f"ALLOW {code}" not in shown, page
    assert "ALLOW ····" in admin_client.get(pages[1]).content.decode()

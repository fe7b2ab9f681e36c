"""Requests that wait for the owner's word: asked, approved, declined with a reason, each once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from downloads import services
from downloads.models import Download, DownloadRequest
from smsbot import approvals, codes, notices, processing
from smsbot.models import Contact, OneTimeCode
from tests.conftest import ALEX, KIM, SAM, Household
from tests.downloads.test_api import Api
from tests.fakes import FakeRadarr
from tests.smsbot.people import OLIVIA, OSCAR, code_in, has_owner, member
from tests.smsbot.test_processing import LEASE, Killed, after, before, failing, received
from tests.test_main_job import ADDED, ASK, COMPLETED, STARTED

ASKED = "👍 I've asked Olivia about The Dark Knight (2008) and will text you what comes of it."
YES = (
    "🎉 Olivia says yes to The Dark Knight (2008)! "
    "I'll get it and text you when it's ready to watch."
)
NO = '🙏 Olivia says no to The Dark Knight (2008): "too violent"'


@pytest.fixture(autouse=True)
def _kim_needs_approval(db: None, settings: Settings) -> None:
    has_owner(settings)
    member(KIM, "Kim", needs_approval=True)
    member(SAM, "Sam")


@pytest.fixture
def code(household: Household) -> str:
    """The code of the question whether Kim gets The Dark Knight."""
    assert household.text(KIM, ASK) == [ASKED]
    return code_in(household.texts_to(OLIVIA)[-1])


def state() -> str:
    return DownloadRequest.objects.get(requester=KIM).state


def statuses() -> list[str]:
    return list(Download.objects.values_list("status", flat=True))


# --- The word -------------------------------------------------------------------------------------


def test_nothing_is_got_before_the_owners_word(household: Household, radarr: FakeRadarr) -> None:
    assert household.text(KIM, ASK) == [ASKED]
    [question] = household.texts_to(OLIVIA)
    code = code_in(question)
    assert question == (
        f"🎬 Kim asks for The Dark Knight (2008). Reply APPROVE {code} or DECLINE {code} "
        "and a reason."
    )
    for _ in range(3):
        household.tick()
    assert radarr.adds == 0
    assert household.texts_to(KIM) == [ASKED]


def test_approved_it_is_got_and_told_to_its_end(
    household: Household, radarr: FakeRadarr, code: str
) -> None:
    assert household.text(OLIVIA, f"APPROVE {code}") == [
        "👍 Done: I'm getting The Dark Knight (2008) for Kim."
    ]
    household.tick()
    assert radarr.adds == 1
    radarr.grab(155, timezone.now())
    household.tick()
    radarr.finish(155, timezone.now())
    household.tick()
    assert household.texts_to(KIM) == [ASKED, YES, STARTED, COMPLETED]
    assert state() == "fulfilled"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("too violent", "too violent"),
        (": too\nviolent", "too violent"),
        ("", ""),
        ("please", ""),
        ("x" * 150, "x" * 99 + "…"),
        ('because "no"', "because 'no'"),
    ],
)
def test_declined_the_owners_own_words_are_passed_on(
    household: Household, radarr: FakeRadarr, code: str, words: str, reason: str
) -> None:
    household.text(OLIVIA, f"DECLINE {code} {words}")
    said = household.texts_to(KIM)[1:]
    assert said == [
        f'🙏 Olivia says no to The Dark Knight (2008): "{reason}"'
        if reason
        else "🙏 Olivia says no to The Dark Knight (2008) this time."
    ]
    for _ in range(3):
        household.tick()
    assert (radarr.adds, state(), statuses()) == (0, "declined", ["cancelled"])
    assert len(household.texts_to(KIM)) == 2


def test_who_was_declined_may_ask_again_and_the_owner_is_asked_again(
    household: Household, code: str
) -> None:
    household.text(OLIVIA, f"DECLINE {code}")
    assert household.text(KIM, ASK) == [ASKED]
    again = code_in(household.texts_to(OLIVIA)[-1])
    household.text(OLIVIA, f"APPROVE {again}")
    assert household.texts_to(KIM)[-1] == YES


def test_asking_twice_asks_the_owner_once(household: Household, code: str) -> None:
    assert household.text(KIM, ASK) == [ASKED]
    assert len(household.texts_to(OLIVIA)) == 1
    household.clock.shift(timedelta(days=4))  # nobody answered, the code has run out
    assert household.text(KIM, ASK) == [ASKED]
    again = code_in(household.texts_to(OLIVIA)[-1])
    assert household.text(OLIVIA, f"APPROVE {again}")[0].startswith("👍")


def test_the_second_owner_hears_what_was_decided(household: Household, settings: Settings) -> None:
    settings.OWNER_PHONE_NUMBERS = [OLIVIA, OSCAR]
    household.text(KIM, ASK)
    code = code_in(household.texts_to(OSCAR)[-1])
    household.text(OLIVIA, f"APPROVE {code}")
    assert household.text(OSCAR, f"DECLINE {code} no") == [
        "👌 Olivia has said yes to The Dark Knight (2008) for Kim already."
    ]
    assert household.texts_to(KIM) == [ASKED, YES]


def test_who_has_left_needs_no_decision(household: Household, code: str) -> None:
    household.text(KIM, "never mind The Dark Knight")
    assert household.text(OLIVIA, f"APPROVE {code}") == [
        "👌 No need any more: Kim has changed their mind about The Dark Knight (2008)."
    ]
    household.tick()
    assert (state(), statuses()) == ("withdrawn", ["cancelled"])
    assert YES not in household.texts_to(KIM)


def test_status_knows_what_waits_for_a_word(household: Household, code: str) -> None:
    [answer] = household.text(KIM, "status")
    assert "The Dark Knight (2008): waiting for Olivia's word" in answer


def test_several_titles_are_asked_about_each(household: Household) -> None:
    [answer] = household.text(KIM, "get Inception and The Matrix")
    assert "I've asked Olivia about: Inception (2010), The Matrix (1999)." in answer
    assert len(household.texts_to(OLIVIA)) == 2


def test_a_chosen_film_is_asked_about_too(household: Household) -> None:
    household.text(KIM, "get Dune")
    [answer] = household.text(KIM, "2")
    assert answer.startswith("👍 I've asked Olivia about Dune (1984)")
    assert len(household.texts_to(OLIVIA)) == 1


def test_an_owner_without_a_name_is_the_owner(household: Household) -> None:
    Contact.objects.filter(address=OLIVIA).update(name="")
    [asked] = household.text(KIM, ASK)
    assert asked.startswith("👍 I've asked the owner about The Dark Knight (2008)")
    code = code_in(household.texts_to(OLIVIA)[-1])
    household.text(OLIVIA, f"APPROVE {code}")
    assert household.texts_to(KIM)[-1].startswith("🎉 The owner says yes to")


def test_all_requests_but_the_owners_wait_where_that_is_wanted(
    household: Household, settings: Settings
) -> None:
    settings.REQUEST_APPROVAL = "all"
    assert household.text(SAM, ASK) == [ASKED]
    assert household.text(OLIVIA, "get Inception")[0].startswith("🎬 Great!")


# --- Films that others ask for too ----------------------------------------------------------------


def test_somebody_elses_ask_makes_the_film_go_and_ready_is_told_to_all(
    household: Household, radarr: FakeRadarr, code: str
) -> None:
    assert household.text(SAM, ASK) == [ADDED]
    household.tick()
    radarr.grab(155, timezone.now())
    household.tick()
    assert household.texts_to(KIM) == [ASKED]
    assert state() == "pending_approval"
    radarr.finish(155, timezone.now())
    household.tick()
    assert household.texts_to(KIM) == [ASKED, COMPLETED]
    assert state() == "fulfilled"
    assert household.text(OLIVIA, f"DECLINE {code}") == [
        "👌 No need any more: The Dark Knight (2008) is there, or on its way for somebody else."
    ]
    assert len(household.texts_to(KIM)) == 2


def test_what_is_on_its_way_is_joined_without_asking(household: Household) -> None:
    household.text(SAM, ASK)
    [answer] = household.text(KIM, ASK)
    assert answer.startswith("👍 The Dark Knight (2008) is already on its way")
    assert household.texts_to(OLIVIA) == []


def test_who_asks_again_joins_what_has_gone_meanwhile(household: Household, code: str) -> None:
    household.text(SAM, ASK)
    [answer] = household.text(KIM, ASK)
    assert answer.startswith("👍 The Dark Knight (2008) is already on its way")
    assert state() == "active"


def test_what_is_in_the_library_needs_no_word(household: Household, radarr: FakeRadarr) -> None:
    radarr.put(155, "The Dark Knight", 2008, hasFile=True)
    [answer] = household.text(KIM, ASK)
    assert answer.startswith("🍿 The Dark Knight (2008) is already in the library")
    assert household.texts_to(OLIVIA) == []


def test_a_word_for_a_film_that_failed_meanwhile_asks_for_it_anew(
    household: Household, radarr: FakeRadarr, code: str
) -> None:
    household.text(SAM, ASK)
    household.tick()
    services.cancel_download(Download.objects.get(), now=timezone.now())
    household.work()
    household.text(OLIVIA, f"APPROVE {code}")
    household.tick()
    household.tick()
    assert statuses() == ["searching"]
    assert household.texts_to(KIM) == [ASKED, YES]


def test_who_waits_goes_along_into_the_next_try(household: Household, code: str) -> None:
    household.text(SAM, ASK)
    services.cancel_download(Download.objects.get(), now=timezone.now())
    household.text(ALEX, "hi")
    household.text(SAM, ASK)
    request = DownloadRequest.objects.get(requester=KIM)
    assert (request.state, request.generation) == ("pending_approval", 2)


def test_declined_for_one_it_goes_on_for_the_other(
    household: Household, radarr: FakeRadarr, code: str
) -> None:
    household.text(SAM, ASK)
    household.text(OLIVIA, f"DECLINE {code}")
    household.tick()
    assert statuses() == ["searching"]
    assert len(radarr.movies) == 1


# --- The admin, and the API -----------------------------------------------------------------------


def test_a_decision_without_a_code_is_the_same_decision(household: Household, code: str) -> None:
    request = DownloadRequest.objects.get()
    decide: Callable[[bool], bool] = lambda yes: approvals.decide_request(  # noqa: E731
        request.pk, yes, reason="too violent", by="the admin", now=timezone.now()
    )
    assert decide(False)
    assert not decide(False)
    assert not decide(True)
    household.work()
    assert household.texts_to(KIM) == [ASKED, NO]
    assert household.text(OLIVIA, f"APPROVE {code}") == [
        "👌 the admin has said no to The Dark Knight (2008) for Kim already."
    ]


def test_the_api_says_that_it_waits_and_the_owner_is_asked_once(household: Household) -> None:
    answer = Api().ask(phone_number=KIM)
    assert (answer.status_code, answer.json()["state"]) == (202, "pending_approval")
    household.work()
    household.work()
    assert household.texts_to(KIM) == [ASKED]
    assert len(household.texts_to(OLIVIA)) == 1
    household.text(OLIVIA, f"APPROVE {code_in(household.texts_to(OLIVIA)[0])}")
    assert household.texts_to(KIM) == [ASKED, YES]


def test_one_person_cannot_flood_the_owner(household: Household) -> None:
    for number in range(approvals.MOST_QUESTIONS + 2):
        match = services.Match(1000 + number, f"Film {number}", 2000)
        services.request_movie(
            match, KIM, origin=f"api:{number}", now=timezone.now(), rule=lambda: True
        )
    household.work()
    assert len(household.texts_to(OLIVIA)) == approvals.MOST_QUESTIONS
    household.clock.shift(timedelta(days=1))
    household.work()
    assert len(household.texts_to(OLIVIA)) == approvals.MOST_QUESTIONS + 2


# --- Crashes --------------------------------------------------------------------------------------

ASKING: dict[str, tuple[Any, str]] = {
    "the request": (services, "request_movie"),
    "the announcement": (services, "mark_announced"),
    "the question": (approvals, "ask_about_request"),
    "the code": (codes, "issue"),
    "the texts": (notices, "tell_owners"),
    "the end": (processing, "_complete"),
}


@pytest.mark.parametrize("when", [before, after])
@pytest.mark.parametrize("step", ASKING)
def test_a_crash_while_asking_asks_once(
    household: Household, monkeypatch: pytest.MonkeyPatch, step: str, when: Any
) -> None:
    message = received(household, ASK, KIM)
    where, name = ASKING[step]
    with monkeypatch.context() as dying:
        dying.setattr(where, name, when(getattr(where, name)))
        with pytest.raises(Killed):
            processing.process_line(message.pk)
    household.clock.shift(LEASE + timedelta(seconds=1))
    household.work()
    household.work()
    assert household.texts_to(KIM) == [ASKED]
    assert len(household.texts_to(OLIVIA)) == 1
    assert OneTimeCode.objects.count() == DownloadRequest.objects.count() == 1


DECIDING: dict[str, tuple[Any, str]] = {
    "the code": (codes, "use"),
    "the decision": (approvals, "decide_request"),
    "the text": (notices, "tell"),
    "the end": (processing, "_complete"),
}


@pytest.mark.parametrize("when", [before, after])
@pytest.mark.parametrize("step", DECIDING)
@pytest.mark.parametrize("word", ["APPROVE", "DECLINE"])
def test_a_crash_while_deciding_decides_once(
    household: Household,
    radarr: FakeRadarr,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    word: str,
    step: str,
    when: Any,
) -> None:
    message = received(household, f"{word} {code} too violent", OLIVIA)
    where, name = DECIDING[step]
    with monkeypatch.context() as dying:
        dying.setattr(where, name, when(getattr(where, name)))
        with pytest.raises(Killed):
            processing.process_line(message.pk)
    household.clock.shift(LEASE + timedelta(seconds=1))
    household.work()
    household.tick()
    household.tick()
    yes = word == "APPROVE"
    assert household.texts_to(KIM) == [ASKED, YES if yes else NO]
    assert radarr.adds == int(yes)
    assert len(household.texts_to(OLIVIA)) == 2
    assert household.texts_to(OLIVIA)[1].startswith("👍 Done" if yes else "👌 Okay")


def test_a_message_given_up_still_has_its_request_asked_about(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = received(household, ASK, KIM)
    with monkeypatch.context() as broken:
        broken.setattr(approvals, "ask_about_request", failing(Killed()))
        with pytest.raises(Killed):
            processing.process_line(message.pk)
    type(message).objects.update(attempts=5)
    household.clock.shift(LEASE + timedelta(seconds=1))
    household.work()
    household.work()
    assert household.texts_to(KIM)[0].startswith("😔 Sorry")
    [question] = [text for text in household.texts_to(OLIVIA) if "APPROVE" in text]
    household.text(OLIVIA, f"APPROVE {code_in(question)}")
    assert household.texts_to(KIM)[-1] == YES

"""Events become texts: one for each requester and event, and none for what is no news to them."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone

from downloads import lifecycle, services
from downloads.models import Download, DownloadEvent, DownloadRequest, Status
from downloads.monitor import tick
from downloads.services import Match
from moviesms.models import ApiToken
from smsbot import notifications
from smsbot.models import Contact, InboundMessage, OutboundMessage
from tests.conftest import ALEX, KIM, SAM, Household, inbound_form
from tests.fakes import FakeRadarr
from tests.test_main_job import ADDED, ASK, COMPLETED, STARTED

NEWS = {
    "started": (Status.DOWNLOADING, STARTED),
    "completed": (Status.COMPLETED, COMPLETED),
    "failed": (Status.FAILED, "😔 Sorry, I couldn't get The Dark Knight (2008)"),
    "cancelled": (Status.CANCELLED, "🛑 The Dark Knight (2008) was cancelled"),
}
FAILED = NEWS["failed"][1]


def silent_tick(household: Household, **later: float) -> None:
    """Tick without telling anybody, as when fan-out is behind."""
    household.clock.shift(timedelta(**later) if later else timedelta(seconds=30))
    tick(timezone.now())


def happens(status: Status, **more: Any) -> None:
    """Let the one download there is move to `status`."""
    assert lifecycle.transition_to(Download.objects.get(), status, now=timezone.now(), **more)


def told(household: Household, address: str = SAM) -> list[str]:
    """What a person was told after the first answer."""
    return household.texts_to(address)[1:]


@pytest.mark.parametrize("kind", NEWS)
def test_each_event_is_one_text_for_each_requester(household: Household, kind: str) -> None:
    household.text(SAM, ASK)
    household.text(ALEX, ASK)
    happens(NEWS[kind][0])
    for _ in range(3):
        household.work()
    for person in (SAM, ALEX):
        [text] = told(household, person)
        assert text.startswith(NEWS[kind][1])


def test_fifty_requesters_are_fifty_texts(household: Household) -> None:
    household.text(SAM, ASK)
    match = Match(155, "The Dark Knight", 2008)
    people = [f"+1202556{number:04}" for number in range(50)]
    for person in people:
        taken = services.request_movie(match, person, origin=f"x:{person}", now=timezone.now())
        services.mark_announced(taken.request_id, now=timezone.now())
    happens(Status.COMPLETED)
    household.work()
    assert [household.texts_to(person) for person in people] == [[COMPLETED]] * 50


def test_handing_out_again_does_nothing(household: Household) -> None:
    household.text(SAM, ASK)
    happens(Status.DOWNLOADING)
    assert notifications.hand_out(timezone.now()) == {Contact.objects.get(address=SAM).pk}
    before = list(OutboundMessage.objects.values())
    for _ in range(3):
        assert notifications.hand_out(timezone.now()) == set()
    assert list(OutboundMessage.objects.values()) == before


def test_a_crash_in_the_middle_of_an_event_loses_and_repeats_none(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    household.text(SAM, ASK)
    household.text(ALEX, ASK)
    happens(Status.COMPLETED)
    tell, calls = notifications._tell, []

    def dies_at_the_second(*args: Any) -> int:
        calls.append(args)
        if len(calls) == 2:
            raise SystemExit
        return tell(*args)

    with monkeypatch.context() as dying:
        dying.setattr(notifications, "_tell", dies_at_the_second)
        with pytest.raises(SystemExit):
            notifications.hand_out(timezone.now())
    assert OutboundMessage.objects.filter(template="completed").count() == 0
    household.work()
    assert told(household) == told(household, ALEX) == [COMPLETED]


# --- Waiting for the answer -----------------------------------------------------------------------


class Killed(BaseException):
    """The process ends here."""


def dies(*args: object, **kwargs: object) -> None:
    raise Killed


@pytest.fixture
def ask_without_answer(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], None]:
    """Let a person ask, and the process that answers die when the request is written."""

    def ask(person: str) -> None:
        household.deliver(inbound_form(person, ASK))
        with monkeypatch.context() as dying:
            dying.setattr(services, "mark_announced", dies)
            with pytest.raises(Killed):
                household.work()

    return ask


def lease_ends(household: Household) -> None:
    household.clock.shift(timedelta(seconds=django_settings.INBOUND_LEASE + 1))


def test_news_never_overtakes_the_answer(
    household: Household, ask_without_answer: Callable[[str], None]
) -> None:
    ask_without_answer(SAM)
    happens(Status.DOWNLOADING)
    household.work()
    assert household.texts_to(SAM) == []
    lease_ends(household)
    household.work()
    assert household.texts_to(SAM) == [ADDED, STARTED]


def test_the_others_do_not_wait_for_the_slow_one(
    household: Household, ask_without_answer: Callable[[str], None]
) -> None:
    household.text(SAM, ASK)
    ask_without_answer(ALEX)
    happens(Status.DOWNLOADING)
    household.work()
    assert told(household) == [STARTED]
    assert household.texts_to(ALEX) == []
    lease_ends(household)
    household.work()
    assert told(household, ALEX) == [STARTED]
    assert told(household) == [STARTED]


def test_the_slow_one_is_told_the_end_once(
    household: Household, ask_without_answer: Callable[[str], None]
) -> None:
    household.text(SAM, ASK)
    ask_without_answer(ALEX)
    happens(Status.COMPLETED)
    household.work()
    lease_ends(household)
    household.work()
    assert told(household) == [COMPLETED]
    [answer] = household.texts_to(ALEX)
    assert "ready to watch" in answer
    assert not DownloadEvent.objects.filter(processed_at=None).exists()


def test_one_whose_message_died_is_told_all_the_same(
    household: Household, ask_without_answer: Callable[[str], None]
) -> None:
    ask_without_answer(SAM)
    InboundMessage.objects.update(attempts=5)
    lease_ends(household)
    household.work()
    happens(Status.COMPLETED)
    household.work()
    assert household.texts_to(SAM)[-1] == COMPLETED


# --- What is no news ------------------------------------------------------------------------------


def test_what_is_superseded_is_not_told(household: Household) -> None:
    household.text(SAM, ASK)
    happens(Status.DOWNLOADING)
    happens(Status.COMPLETED)
    household.work()
    assert told(household) == [COMPLETED]
    assert DownloadEvent.objects.get(kind="started").note == "superseded"


@pytest.mark.parametrize(("hours", "texts"), [(5.9, 1), (6.1, 0)])
def test_a_start_of_long_ago_is_not_told(household: Household, hours: float, texts: int) -> None:
    household.text(SAM, ASK)
    happens(Status.DOWNLOADING)
    household.clock.shift(timedelta(hours=hours))
    household.work()
    assert len(told(household)) == texts
    assert not DownloadEvent.objects.filter(processed_at=None).exists()


def test_why_a_start_of_long_ago_was_not_told_is_noted(household: Household) -> None:
    household.text(SAM, ASK)
    happens(Status.DOWNLOADING)
    household.clock.shift(timedelta(hours=7))
    household.work()
    assert DownloadEvent.objects.get(kind="started").note != ""


@pytest.mark.parametrize("kind", ["completed", "failed", "cancelled"])
def test_an_end_is_told_however_late(household: Household, kind: str) -> None:
    household.text(SAM, ASK)
    happens(NEWS[kind][0])
    household.clock.shift(timedelta(days=3))
    household.work()
    assert len(told(household)) == 1


def test_that_nothing_was_found_is_told_however_late(household: Household) -> None:
    household.text(SAM, ASK)
    download = Download.objects.get()
    lifecycle.note(download, "nothing_found", now=timezone.now(), dedupe="nothing_found")
    household.clock.shift(timedelta(hours=7))
    household.work()
    assert len(told(household)) == 1


def test_who_joins_later_is_not_told_earlier_news(household: Household) -> None:
    household.text(SAM, ASK)
    happens(Status.DOWNLOADING)
    household.text(ALEX, ASK)
    household.work()
    assert told(household) == [STARTED]
    assert told(household, ALEX) == []
    happens(Status.COMPLETED)
    household.work()
    assert told(household, ALEX) == [COMPLETED]


def test_who_left_is_not_told(household: Household) -> None:
    household.text(SAM, ASK)
    household.text(ALEX, ASK)
    household.text(SAM, "never mind The Dark Knight")
    happens(Status.COMPLETED)
    household.work()
    assert told(household)[1:] == []
    assert told(household, ALEX) == [COMPLETED]


def test_who_leaves_while_the_text_is_queued_is_not_told(household: Household) -> None:
    household.text(SAM, ASK)
    happens(Status.DOWNLOADING)
    notifications.hand_out(timezone.now())
    household.text(SAM, "never mind The Dark Knight")
    assert STARTED not in told(household)
    assert OutboundMessage.objects.get(template="started").status == "suppressed"


def test_who_never_asked_is_told_nothing(household: Household) -> None:
    household.text(ALEX, "hello")
    household.text(SAM, ASK)
    happens(Status.COMPLETED)
    household.work()
    assert len(household.texts_to(ALEX)) == 1


# --- After a failure ------------------------------------------------------------------------------


def test_a_find_after_the_failure_is_told(household: Household) -> None:
    household.text(SAM, ASK)
    happens(Status.FAILED, reason="missing articles")
    household.work()
    happens(Status.COMPLETED)
    household.work()
    failed, completed = told(household)
    assert failed.startswith(FAILED)
    assert completed == COMPLETED
    assert DownloadRequest.objects.get().state == DownloadRequest.State.FULFILLED


def test_a_find_before_the_failure_was_told_is_told(household: Household) -> None:
    """Promise 4: fan-out was behind, and both ends wait for it."""
    household.text(SAM, ASK)
    happens(Status.FAILED, reason="missing articles")
    happens(Status.COMPLETED)
    household.work()
    assert told(household) == [COMPLETED]


def test_a_find_while_fan_out_was_behind_is_told(household: Household, radarr: FakeRadarr) -> None:
    household.text(SAM, ASK)
    radarr.grab(155, timezone.now())
    household.tick()
    radarr.fail(155, timezone.now())
    silent_tick(household)
    silent_tick(household, minutes=16)
    assert Download.objects.get().status == Status.FAILED
    radarr.grab(155, timezone.now())
    radarr.finish(155, timezone.now())
    silent_tick(household)
    household.work()
    assert COMPLETED in told(household)


def test_one_who_asks_again_after_a_failure_is_told_anew(
    household: Household, radarr: FakeRadarr
) -> None:
    household.text(SAM, ASK)
    happens(Status.DOWNLOADING)
    household.work()
    happens(Status.FAILED)
    household.work()
    household.text(SAM, ASK)
    happens(Status.DOWNLOADING)
    household.work()
    happens(Status.COMPLETED)
    household.work()
    texts = told(household)
    assert texts[0] == STARTED
    assert texts[1].startswith(FAILED)
    assert texts[-2:] == [STARTED, COMPLETED]


# --- Asked for through the API --------------------------------------------------------------------


@pytest.fixture
def ask_by_api(client: Client, db: None) -> Callable[..., int]:
    _, key = ApiToken.issue("tests", ApiToken.Scope.WRITE)

    def ask(person: str, tmdb_id: int = 155) -> int:
        response = client.post(
            "/api/sms/downloads",
            {"phone_number": person, "tmdb_id": tmdb_id},
            content_type="application/json",
            headers={"Authorization": f"Token {key}"},
        )
        return response.status_code

    return ask


def test_a_person_asked_for_by_the_api_is_told_once(
    household: Household, ask_by_api: Callable[..., int]
) -> None:
    assert ask_by_api(KIM) == 201
    for _ in range(3):
        household.work()
    assert ask_by_api(KIM) == 200
    household.work()
    assert household.texts_to(KIM) == [ADDED]
    happens(Status.COMPLETED)
    household.work()
    assert household.texts_to(KIM) == [ADDED, COMPLETED]


def test_an_api_request_of_what_is_there_ends_with_its_announcement(
    household: Household, radarr: FakeRadarr, ask_by_api: Callable[..., int]
) -> None:
    radarr.put(155, "The Dark Knight", 2008, hasFile=True)
    ask_by_api(KIM)
    household.work()
    household.tick()
    [text] = household.texts_to(KIM)
    assert text.startswith("🍿 The Dark Knight (2008) is already in the library")


def test_an_api_request_that_radarr_refuses_is_told_why(
    household: Household, radarr: FakeRadarr, ask_by_api: Callable[..., int]
) -> None:
    radarr.excluded.add(155)
    ask_by_api(KIM)
    household.work()
    household.tick()
    [text] = household.texts_to(KIM)
    assert text.startswith(FAILED)


def test_an_api_request_while_radarr_is_away_is_saved(
    household: Household, radarr: FakeRadarr, ask_by_api: Callable[..., int]
) -> None:
    radarr.fail_with((503, {"X-Application-Version": "6"}, "{}"))
    ask_by_api(KIM)
    household.work()
    assert "saved your request" in household.texts_to(KIM)[0]


def test_one_announcement_however_many_hand_out(
    household: Household, ask_by_api: Callable[..., int]
) -> None:
    """Two processes that read the same list of unannounced requests write one text."""
    ask_by_api(KIM)
    [request] = services.unannounced(services.API_ORIGIN)
    assert notifications._announce(request, timezone.now()) != set()
    assert notifications._announce(request, timezone.now()) == set()
    household.work()
    assert household.texts_to(KIM) == [ADDED]


def test_two_for_whom_the_api_asked_share_one_download(
    household: Household, radarr: FakeRadarr, ask_by_api: Callable[..., int]
) -> None:
    assert [ask_by_api(KIM), ask_by_api(SAM)] == [201, 200]
    household.work()
    happens(Status.COMPLETED)
    household.work()
    assert radarr.adds == 1
    for person in (KIM, SAM):
        first, last = household.texts_to(person)
        assert (FILM in first, last) == (True, COMPLETED)


FILM = "The Dark Knight (2008)"


@pytest.mark.parametrize("purpose", ["event", "about"])
def test_the_database_itself_refuses_a_second_text(household: Household, purpose: str) -> None:
    household.text(SAM, ASK)
    happens(Status.COMPLETED)
    household.work()
    copy = OutboundMessage.objects.get(template="completed")
    if purpose == "about":
        copy.about, copy.event = "matter", None
        copy.save()
    copy.pk, copy.public_id, copy.twilio_sid = None, uuid.uuid4(), None
    with pytest.raises(Exception, match=r"(?i)unique"):
        copy.save(force_insert=True)

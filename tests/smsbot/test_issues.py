"""Something is wrong with a film: the record, the owner's word, and another release, each once."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from downloads import another
from downloads.http import ServiceError
from downloads.models import Download
from downloads.radarr import Radarr
from moviesms.models import Incident
from smsbot import codes, issues, notices
from smsbot.models import Issue, OneTimeCode
from tests.conftest import ALEX, KIM, SAM, Household
from tests.fakes import FakeRadarr
from tests.smsbot.test_processing import LEASE, Killed, failing, process, received

OWNER = "+12025550101"
KNIGHT = 155


@pytest.fixture(autouse=True)
def _owner(settings: Settings) -> None:
    settings.OWNER_PHONE_NUMBERS = [OWNER]
    settings.REQUEST_POLICY = "open"


def ready(household: Household, radarr: FakeRadarr, *people: str) -> None:
    """Let these people have The Dark Knight."""
    for person in people:
        household.text(person, "get The Dark Knight")
    radarr.grab(KNIGHT, timezone.now())
    household.tick()
    radarr.finish(KNIGHT, timezone.now())
    household.tick()


def writes(radarr: FakeRadarr) -> list[tuple[str, str]]:
    return [call for call in radarr.calls if call[0] != "GET"]


def code() -> str:
    return OneTimeCode.objects.latest("id").code


def test_a_retry_blocks_the_release_deletes_the_file_and_searches(
    household: Household, radarr: FakeRadarr
) -> None:
    ready(household, radarr, KIM)
    household.text(KIM, "no sound in The Dark Knight")
    before = len(writes(radarr))
    household.text(OWNER, f"RETRY {code()}")
    household.tick()
    paths = [path.rsplit("/", 2)[-2:] for _, path in writes(radarr)[before:]]
    assert [parts[0] for parts in paths] == ["failed", "moviefile", "v3"]
    assert radarr.blocked == ["D0"]
    assert radarr.commands[-1]["name"] == "MoviesSearch"
    assert Issue.objects.get().state == Issue.State.RETRYING
    radarr.grab(KNIGHT, timezone.now())
    household.tick()
    radarr.finish(KNIGHT, timezone.now())
    household.tick()
    assert Issue.objects.get().state == Issue.State.SOLVED
    told = household.texts_to(KIM)[-3:]
    assert [text[:9] for text in told] == ["🔧 I'm loo", "🎬 Great! ", "🎉 The Dar"]


def test_what_we_blocked_ourselves_is_no_failure(household: Household, radarr: FakeRadarr) -> None:
    ready(household, radarr, KIM)
    household.text(KIM, "The Dark Knight is broken")
    household.text(OWNER, f"RETRY {code()}")
    household.tick()
    for _ in range(4):
        household.tick(minutes=10)
    assert Download.objects.get().status == "searching"
    assert not any("Sorry" in text for text in household.texts_to(KIM))


@pytest.mark.parametrize("step", ["mark_failed", "delete_file", "search"])
@pytest.mark.parametrize("happens", [True, False], ids=["and it happens", "and it does not"])
def test_a_retry_that_breaks_off_is_taken_up_where_it_was(
    household: Household,
    radarr: FakeRadarr,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    happens: bool,
) -> None:
    ready(household, radarr, KIM)
    household.text(KIM, "it's broken")
    household.text(OWNER, f"RETRY {code()}")
    call = getattr(Radarr, step)

    def broken(*args: object) -> None:
        if happens:
            call(*args)
        raise ServiceError("cut off", service="Radarr", code="timeout")

    with monkeypatch.context() as patched:
        patched.setattr(Radarr, step, broken)
        assert household.tick().error
    household.tick(minutes=2)
    assert radarr.blocked == ["D0"]
    assert radarr.movie(KNIGHT)["hasFile"] is False
    assert Download.objects.get().status == "searching"
    radarr.grab(KNIGHT, timezone.now())
    radarr.finish(KNIGHT, timezone.now())
    household.tick()
    assert radarr.blocked == ["D0"]
    assert sum("is ready to watch" in text for text in household.texts_to(KIM)) == 2


def test_a_file_that_came_meanwhile_is_left_alone(
    household: Household, radarr: FakeRadarr, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(household, radarr, KIM)
    household.text(KIM, "it's broken")
    household.text(OWNER, f"RETRY {code()}")
    with monkeypatch.context() as patched:
        cut = ServiceError("cut off", service="Radarr", code="timeout")
        patched.setattr(another, "want", failing(cut))
        household.tick()
    radarr.grab(KNIGHT, timezone.now())
    radarr.finish(KNIGHT, timezone.now())
    household.tick(minutes=2)
    household.tick()
    assert radarr.movie(KNIGHT)["hasFile"] is True
    assert radarr.blocked == ["D0"]
    assert Download.objects.get().status == "completed"


def test_a_complaint_read_twice_is_one_issue_and_one_notice(
    household: Household, radarr: FakeRadarr, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(household, radarr, KIM)
    message = received(household, "no sound", KIM)
    with monkeypatch.context() as dying:
        dying.setattr(notices, "tell_owners", failing(Killed()))
        with pytest.raises(Killed):
            process(message)
    assert Issue.objects.count() == 0
    household.clock.shift(LEASE)
    household.clock.shift(1)
    household.work()
    assert Issue.objects.count() == 1
    assert len(household.texts_to(OWNER)) == 1
    assert household.texts_to(KIM)[-1].startswith("🔧 Thanks for telling me!")


def test_two_who_complain_are_one_question_and_both_hear_of_the_end(
    household: Household, radarr: FakeRadarr
) -> None:
    ready(household, radarr, KIM, SAM)
    household.text(KIM, "no sound")
    household.text(SAM, "The Dark Knight has no sound")
    assert len(household.texts_to(OWNER)) == 1
    household.text(OWNER, f"SOLVED {code()}")
    for person in (KIM, SAM):
        assert "has been taken care of" in household.texts_to(person)[-1]
    assert set(Issue.objects.values_list("state", flat=True)) == {Issue.State.SOLVED}


def test_without_an_owners_phone_a_complaint_is_an_incident(
    household: Household, radarr: FakeRadarr, settings: Settings
) -> None:
    settings.OWNER_PHONE_NUMBERS = []
    ready(household, radarr, KIM)
    household.text(KIM, "no sound")
    assert "no sound" in Incident.objects.get(closed_at=None).summary
    issues.solve(Issue.objects.get().pk, None, timezone.now())
    assert not Incident.objects.filter(closed_at=None).exists()


def test_nobody_but_the_owner_decides(household: Household, radarr: FakeRadarr) -> None:
    ready(household, radarr, KIM)
    household.text(KIM, "no sound")
    household.text(ALEX, f"RETRY {code()}")
    assert Issue.objects.get().state == Issue.State.OPEN
    assert codes.open_codes(timezone.now())


def test_the_admin_decides_too(
    household: Household, radarr: FakeRadarr, admin_user: User, client: Client
) -> None:
    ready(household, radarr, KIM)
    household.text(KIM, "no sound")
    client.force_login(admin_user)
    page = reverse("admin:smsbot_issue_changelist")
    assert "no sound" in client.get(page + "?state__exact=open").content.decode()
    chosen = {
        "action": "retry_selected",
        "_selected_action": [Issue.objects.get().pk],
        "sure": "yes",
    }
    client.post(page, chosen)
    assert Issue.objects.get().state == Issue.State.RETRYING
    assert not codes.open_codes(timezone.now())
    household.tick()
    assert radarr.blocked == ["D0"]

"""How many films one may ask for, what is blocked, and what the API says of both."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from downloads import services
from downloads.models import Download, DownloadRequest
from smsbot.models import BlockedTitle, Contact
from tests.conftest import ALEX, KIM, SAM, Household
from tests.downloads.test_api import Api
from tests.fakes import FakeRadarr
from tests.smsbot.people import OLIVIA, code_in, has_owner, member
from tests.test_main_job import ASK

# NOON is a Sunday: a film asked for then is a week old the next Sunday.
REFUSED = (
    "🙏 You've asked for 2 movies this week, so The Dark Knight (2008) has to wait. "
    "You can ask again from 8 March."
)
ASKED = (
    "🙏 You've asked for 2 movies this week. I've asked Olivia about The Dark Knight (2008); "
    "else you can ask again from 8 March."
)


@pytest.fixture(autouse=True)
def _two_a_week(db: None, settings: Settings) -> None:
    settings.REQUEST_LIMIT = 2
    settings.REQUEST_POLICY = "open"


@pytest.fixture
def _has_owner(settings: Settings) -> None:
    has_owner(settings, policy="open")
    member(KIM, "Kim")


def use_up(household: Household, sender: str = KIM) -> None:
    """Ask for as many films as one may."""
    for title in ("Inception", "The Matrix"):
        assert household.text(sender, f"get {title}")[0].startswith("🎬 Great!")


def test_without_an_owner_what_is_too_much_is_refused_with_the_date(
    household: Household, radarr: FakeRadarr
) -> None:
    use_up(household)
    assert household.text(KIM, ASK) == [REFUSED]
    assert radarr.adds == 2
    assert not Download.objects.filter(tmdb_id=155).exists()


@pytest.mark.parametrize(
    ("later", "said"),
    [({"days": 1}, "from Sunday."), ({"days": 6, "hours": 22}, "from 12:00.")],
)
def test_the_date_is_said_as_people_do(
    household: Household, later: dict[str, int], said: str
) -> None:
    use_up(household)
    household.clock.shift(timedelta(**later))
    if "hours" in later:
        household.clock.shift(timedelta(hours=1))
    assert household.text(KIM, ASK)[0].endswith(said)


def test_a_film_frees_up_when_its_week_is_over(household: Household) -> None:
    use_up(household)
    household.clock.shift(timedelta(days=7, seconds=1))
    assert household.text(KIM, ASK)[0].startswith("🎬 Great!")


@pytest.mark.usefixtures("_has_owner")
def test_with_an_owner_they_are_asked(household: Household) -> None:
    use_up(household)
    assert household.text(KIM, ASK) == [ASKED]
    [question] = household.texts_to(OLIVIA)
    code = code_in(question)
    assert question == (
        "🎬 Kim asks for The Dark Knight (2008) (limit reached: 2 this week). "
        f"Reply APPROVE {code} or DECLINE {code} and a reason."
    )
    household.text(OLIVIA, f"APPROVE {code}")
    assert household.texts_to(KIM)[-1].startswith("🎉 Olivia says yes")


@pytest.mark.usefixtures("_has_owner")
def test_what_waits_counts_and_what_was_declined_does_not(
    household: Household, settings: Settings
) -> None:
    settings.REQUEST_LIMIT = 1
    Contact.objects.filter(address=KIM).update(needs_approval=True)
    household.text(KIM, ASK)
    Contact.objects.filter(address=KIM).update(needs_approval=False)
    assert household.text(KIM, "get Inception")[0].startswith("🙏")
    for question in household.texts_to(OLIVIA):
        household.text(OLIVIA, f"DECLINE {code_in(question)}")
    assert household.text(KIM, "get The Matrix")[0].startswith("🎬 Great!")


def test_what_was_left_or_refused_does_not_count(household: Household, radarr: FakeRadarr) -> None:
    radarr.excluded.add(603)
    household.text(KIM, "get The Matrix")
    household.text(KIM, "get Inception")
    household.text(KIM, "never mind Inception")
    household.text(KIM, ASK)
    assert household.text(KIM, "Dune 1984")[0].startswith("🎬 Great!")
    assert household.text(KIM, "Dune 2021")[0].startswith("🙏")


def test_joining_and_what_is_there_is_free(household: Household, radarr: FakeRadarr) -> None:
    household.text(SAM, ASK)
    radarr.put(841, "Dune", 1984, hasFile=True)
    assert household.text(KIM, ASK)[0].startswith("👍 The Dark Knight (2008) is already on its way")
    assert household.text(KIM, "Dune 1984")[0].startswith("🍿")
    use_up(household)
    assert household.text(KIM, "Dune 1984")[0].startswith("🍿")
    assert household.text(KIM, ASK)[0].startswith("👍")
    assert household.text(KIM, "Dune 2021")[0].startswith("🙏")


@pytest.mark.parametrize(("own", "second"), [(1, "🙏"), (3, "🎬"), (0, "🎬")])
def test_a_limit_of_ones_own_comes_first(household: Household, own: int, second: str) -> None:
    Contact.objects.create(address=KIM, request_limit=own)
    household.text(KIM, "get Inception")
    assert household.text(KIM, "get The Matrix")[0].startswith(second)


@pytest.mark.usefixtures("_has_owner")
def test_owners_have_no_limit(household: Household) -> None:
    use_up(household, OLIVIA)
    assert household.text(OLIVIA, ASK)[0].startswith("🎬 Great!")


def test_of_several_titles_those_within_the_limit_are_got(
    household: Household, radarr: FakeRadarr
) -> None:
    [answer] = household.text(KIM, "get Inception, The Matrix and The Dark Knight")
    assert "Found and added: Inception (2010), The Matrix (1999)." in answer
    assert "More than you may ask for right now: The Dark Knight (2008)." in answer
    assert radarr.adds == 2


def test_a_text_answered_again_is_counted_once(
    household: Household, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from smsbot import processing
    from tests.smsbot.test_processing import LEASE, Killed, failing, received

    settings.REQUEST_LIMIT = 1
    message = received(household, ASK, KIM)
    with monkeypatch.context() as dying:
        dying.setattr(processing, "_complete", failing(Killed()))
        with pytest.raises(Killed):
            processing.process_line(message.pk)
    household.clock.shift(LEASE + timedelta(seconds=1))
    household.work()
    assert household.texts_to(KIM)[0].startswith("🎬 Great!")


def test_two_asks_at_once_do_not_overshoot(
    household: Household, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The API asks while a text is between its look at the terms and its write."""
    settings.REQUEST_LIMIT = 1
    look: Any = services.request_movie
    answers: list[int] = []

    def while_the_api_asks(*args: Any, **kwargs: Any) -> Any:
        if not answers:
            answers.append(0)
            answers.append(Api().ask(phone_number=KIM, tmdb_id=27205).status_code)
        return look(*args, **kwargs)

    monkeypatch.setattr(services, "request_movie", while_the_api_asks)
    said = household.text(KIM, ASK)
    assert answers[1] == 201
    assert [text[:1] for text in sorted(said)] == ["🎬", "🙏"]
    assert DownloadRequest.objects.filter(requester=KIM).count() == 1


# --- Blocked titles -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "blocked", [{"tmdb_id": 155}, {"title": "the dark knight"}, {"title": "The Dark Knight (2008)"}]
)
def test_a_blocked_title_is_declined_politely(
    household: Household, radarr: FakeRadarr, blocked: dict[str, Any]
) -> None:
    BlockedTitle.objects.create(**blocked)
    assert household.text(KIM, ASK) == [
        "🙏 Sorry, The Dark Knight (2008) isn't one I can get here. "
        "Is there something else you'd like to watch?"
    ]
    assert radarr.adds == 0
    assert household.text(KIM, "get Inception")[0].startswith("🎬 Great!")


@pytest.mark.parametrize(
    "blocked", [{"tmdb_id": 841}, {"title": "Dark"}, {"title": "The Dark Knight (2012)"}]
)
def test_other_titles_are_not_blocked(household: Household, blocked: dict[str, Any]) -> None:
    BlockedTitle.objects.create(**blocked)
    assert household.text(KIM, ASK)[0].startswith("🎬 Great!")


@pytest.mark.usefixtures("_has_owner")
def test_what_is_blocked_is_not_blocked_for_the_owner(household: Household) -> None:
    BlockedTitle.objects.create(tmdb_id=155)
    assert household.text(OLIVIA, ASK)[0].startswith("🎬 Great!")


# --- The API --------------------------------------------------------------------------------------


def test_the_api_refuses_a_blocked_title(household: Household) -> None:
    BlockedTitle.objects.create(tmdb_id=155)
    answer = Api().ask(phone_number=KIM)
    assert (answer.status_code, answer.json()["code"]) == (403, "blocked_title")


def test_the_api_refuses_above_the_limit_with_the_date(household: Household) -> None:
    use_up(household)
    answer = Api().ask(phone_number=KIM)
    assert (answer.status_code, answer.json()["code"]) == (403, "limit_reached")
    free_at = datetime.fromisoformat(answer.json()["free_at"])
    assert free_at == datetime(2026, 3, 8, 12, tzinfo=UTC)
    household.work()
    assert len(household.texts_to(KIM)) == 2


@pytest.mark.usefixtures("_has_owner")
def test_the_api_lets_the_owner_be_asked_above_the_limit(household: Household) -> None:
    use_up(household)
    answer = Api().ask(phone_number=KIM)
    assert (answer.status_code, answer.json()["state"]) == (202, "pending_approval")
    household.work()
    assert household.texts_to(KIM)[-1] == ASKED


def test_the_api_counts_for_a_number_that_never_wrote(
    household: Household, settings: Settings
) -> None:
    settings.REQUEST_LIMIT = 1
    first, second = Api().ask(phone_number=ALEX), Api().ask(phone_number=ALEX, tmdb_id=603)
    assert (first.status_code, first.json()["state"]) == (201, "active")
    assert second.json()["code"] == "limit_reached"
    assert timezone.now() < datetime.fromisoformat(second.json()["free_at"])

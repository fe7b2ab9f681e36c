"""Who may ask: open, allow list, ask the owner; what a stranger costs, and what the API says."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from downloads.models import Download
from smsbot.models import Contact, OutboundMessage
from smsbot.policy import Access, access_of, admit_address, owners
from tests.conftest import ALEX, KIM, SAM, Household
from tests.fakes import FakeRadarr, FakeTmdb
from tests.smsbot.test_understanding import FakeModel
from tests.test_main_job import ADDED, ASK

Standing = Contact.Standing
POLICIES = ["open", "allowlist", "ask-owner"]
POLITE = "👋 Hi! This number is for members of one household, so I can't take requests from here."
OWNER_KNOWS = " I've let its owner know that you wrote."


@pytest.fixture
def policy(settings: Settings) -> Callable[[str], None]:
    """Set the policy of a household whose owner is Kim and whose list holds Alex."""

    def choose(name: str) -> None:
        settings.REQUEST_POLICY = name
        settings.OWNER_PHONE_NUMBERS = [KIM]
        settings.ALLOWED_PHONE_NUMBERS = [ALEX]

    return choose


Policy = Callable[[str], None]


def a_contact(address: str, standing: str = Standing.NEW, **fields: Any) -> Contact:
    return Contact.objects.create(address=address, standing=standing, **fields)


ACCESS = [
    (SAM, Standing.NEW, ["member", "stranger", "stranger"]),
    (SAM, Standing.ALLOWED, ["member", "member", "member"]),
    (SAM, Standing.BLOCKED, ["blocked", "blocked", "blocked"]),
    (ALEX, Standing.NEW, ["member", "member", "member"]),
    (ALEX, Standing.BLOCKED, ["blocked", "blocked", "blocked"]),
    (KIM, Standing.NEW, ["owner", "owner", "owner"]),
    (KIM, Standing.BLOCKED, ["owner", "owner", "owner"]),
]


@pytest.mark.parametrize(("address", "standing", "expected"), ACCESS)
def test_who_may_ask(policy: Policy, address: str, standing: str, expected: list[str]) -> None:
    contact = Contact(address=address, standing=standing)
    for name, access in zip(POLICIES, expected, strict=True):
        policy(name)
        assert access_of(contact) == Access(access)


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("address", [KIM, ALEX])
def test_the_owner_and_the_listed_are_served(
    household: Household, policy: Policy, name: str, address: str
) -> None:
    policy(name)
    assert household.text(address, ASK) == [ADDED]


def test_everybody_is_served_where_it_is_open(household: Household, policy: Policy) -> None:
    policy("open")
    assert household.text(SAM, ASK) == [ADDED]
    assert household.texts_to(KIM) == []


def test_a_stranger_is_answered_politely_once_a_day(household: Household, policy: Policy) -> None:
    policy("allowlist")
    assert household.text(SAM, ASK) == [POLITE]
    assert household.text(SAM, "please??") == []
    household.clock.shift(timedelta(hours=23))
    assert household.text(SAM, ASK) == []
    household.clock.shift(timedelta(hours=2))
    assert household.text(SAM, ASK) == [POLITE]


@pytest.mark.parametrize("name", ["allowlist", "ask-owner"])
@pytest.mark.parametrize("body", [ASK, "2", "status", "?", "never mind", "", "🎬" * 500])
def test_a_stranger_costs_nothing(
    household: Household,
    policy: Policy,
    radarr: FakeRadarr,
    tmdb: FakeTmdb,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    name: str,
    body: str,
) -> None:
    policy(name)
    model = FakeModel().install(monkeypatch, settings)
    assert len(household.text(SAM, body)) == 1
    assert model.asked == []
    assert tmdb.calls == radarr.calls == []
    assert not Download.objects.exists()


def test_a_strangers_start_opens_nothing(household: Household, policy: Policy) -> None:
    policy("allowlist")
    for _ in range(3):
        household.text(SAM, "START")
    assert household.texts_to(SAM) in ([], [POLITE])


def test_a_stranger_learns_nothing_of_the_household(household: Household, policy: Policy) -> None:
    policy("allowlist")
    household.text(ALEX, ASK)
    [answer] = household.text(SAM, "status")
    assert "Dark Knight" not in answer


def test_the_owner_hears_of_a_stranger_once(household: Household, policy: Policy) -> None:
    policy("ask-owner")
    assert household.text(SAM, ASK) == [POLITE + OWNER_KNOWS]
    [notice] = household.texts_to(KIM)
    assert ASK in notice
    assert SAM[-4:] in notice
    assert SAM not in notice
    household.clock.shift(timedelta(days=2))
    household.text(SAM, "hello again")
    assert len(household.texts_to(KIM)) == 1


def test_the_owner_hears_of_each_stranger(household: Household, policy: Policy) -> None:
    policy("ask-owner")
    household.text(SAM, "hi")
    household.text("+12025550999", "hi")
    assert len(household.texts_to(KIM)) == 2


def test_every_owner_hears(household: Household, policy: Policy, settings: Settings) -> None:
    policy("ask-owner")
    settings.OWNER_PHONE_NUMBERS = [KIM, "+12025550120"]
    household.text(SAM, "hi")
    assert len(household.texts_to(KIM)) == len(household.texts_to("+12025550120")) == 1


def test_allowing_a_stranger_lets_them_in(household: Household, policy: Policy) -> None:
    policy("ask-owner")
    household.text(SAM, ASK)
    Contact.objects.filter(address=SAM).update(standing=Standing.ALLOWED)
    assert household.text(SAM, ASK) == [ADDED]


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("body", [ASK, "status", "START", "HELP", "?", "hello"])
def test_the_blocked_get_nothing(
    household: Household, policy: Policy, tmdb: FakeTmdb, name: str, body: str
) -> None:
    policy(name)
    a_contact(SAM, Standing.BLOCKED)
    assert household.text(SAM, body) == []
    assert household.texts_to(KIM) == []
    assert tmdb.calls == []


def test_who_is_blocked_later_hears_no_more(
    household: Household, policy: Policy, radarr: FakeRadarr
) -> None:
    policy("open")
    household.text(SAM, ASK)
    Contact.objects.filter(address=SAM).update(standing=Standing.BLOCKED)
    radarr.grab(155, timezone.now())
    household.tick()
    assert household.texts_to(SAM) == [ADDED]
    assert OutboundMessage.objects.latest("id").status == OutboundMessage.Status.SUPPRESSED


# --- The API --------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(("address", "standing", "expected"), ACCESS)
def test_the_api_asks_the_same_policy(
    policy: Policy, address: str, standing: str, expected: list[str]
) -> None:
    a_contact(address, standing)
    for name, access in zip(POLICIES, expected, strict=True):
        policy(name)
        refused = access in ("stranger", "blocked")
        assert admit_address(address) == ("not_allowed" if refused else None)


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "code"), [("open", None), ("ask-owner", "not_allowed")])
def test_the_api_makes_no_contact_of_a_number_it_asks_about(
    policy: Policy, name: str, code: str | None
) -> None:
    policy(name)
    assert admit_address(SAM) == code
    assert not Contact.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("standing", "code"), [(Standing.ALLOWED, "opted_out"), (Standing.BLOCKED, "not_allowed")]
)
def test_who_opted_out_is_not_asked_for(policy: Policy, standing: str, code: str) -> None:
    policy("allowlist")
    a_contact(SAM, standing, opted_out_at=timezone.now())
    assert admit_address(SAM) == code


@pytest.mark.django_db
def test_owners_are_contacts_of_their_own(policy: Policy) -> None:
    policy("ask-owner")
    assert [owner.address for owner in owners()] == [KIM]
    assert owners() == owners()
    assert Contact.objects.count() == 1

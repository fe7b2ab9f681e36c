"""The admin's pages of the owner's terms: questions, blocked titles, and each person's own."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from downloads.models import DownloadRequest
from smsbot.models import BlockedTitle, Contact, OneTimeCode
from tests.conftest import KIM, SAM, Household
from tests.smsbot.people import OLIVIA, code_in, has_owner, member
from tests.smsbot.test_admin import act
from tests.test_main_job import ADDED, ASK

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _owner(settings: Settings) -> None:
    has_owner(settings)


def test_a_stranger_is_let_in_and_answered(household: Household, admin_client: Client) -> None:
    household.text(SAM, ASK)
    question = OneTimeCode.objects.get()
    assert act(admin_client, "onetimecode", "yes_selected", question) == [
        ("success", "+1…0142: yes.")
    ]
    household.work()
    assert household.texts_to(SAM)[-1] == ADDED
    [(level, _)] = act(admin_client, "onetimecode", "no_selected", question)
    assert level == "warning"
    assert Contact.objects.get(address=SAM).standing == Contact.Standing.ALLOWED


@pytest.mark.parametrize(("action", "state"), [("yes", "active"), ("no", "declined")])
def test_a_request_is_decided(
    household: Household, admin_client: Client, action: str, state: str
) -> None:
    member(KIM, "Kim", needs_approval=True)
    household.text(KIM, ASK)
    [(level, _)] = act(admin_client, "onetimecode", f"{action}_selected", OneTimeCode.objects.get())
    household.work()
    assert level == "success"
    assert DownloadRequest.objects.get().state == state
    assert len(household.texts_to(KIM)) == 2
    [(level, _)] = act(admin_client, "onetimecode", "yes_selected", OneTimeCode.objects.get())
    assert level == "warning"
    assert DownloadRequest.objects.get().state == state


def test_no_page_of_the_questions_shows_a_code(household: Household, admin_client: Client) -> None:
    household.text(SAM, "please let me in")
    question, code = OneTimeCode.objects.get(), code_in(household.texts_to(OLIVIA)[0])
    pages = [
        admin_client.get(reverse("admin:smsbot_onetimecode_changelist")),
        admin_client.get(reverse("admin:smsbot_onetimecode_change", args=[question.pk])),
    ]
    assert not any(re.search(rf"\b{code}\b", page.content.decode()) for page in pages)


def test_a_title_is_blocked_and_freed_again(household: Household, admin_client: Client) -> None:
    member(SAM)
    add = reverse("admin:smsbot_blockedtitle_add")
    admin_client.post(add, {"title": "The Dark Knight", "tmdb_id": ""})
    assert household.text(SAM, ASK)[0].startswith("🙏 Sorry")
    row = BlockedTitle.objects.get()
    admin_client.post(reverse("admin:smsbot_blockedtitle_delete", args=[row.pk]), {"post": "yes"})
    assert household.text(SAM, ASK) == [ADDED]


def test_a_blocked_title_has_a_title_or_an_id(admin_client: Client) -> None:
    admin_client.post(reverse("admin:smsbot_blockedtitle_add"), {"title": " ", "tmdb_id": ""})
    assert not BlockedTitle.objects.exists()


def test_a_persons_terms_are_edited_and_nothing_else(admin_client: Client) -> None:
    kim = member(KIM, "Kim")
    path = reverse("admin:smsbot_contact_change", args=[kim.pk])
    admin_client.post(
        path,
        {"name": "Kim", "needs_approval": "on", "request_limit": "3", "standing": "blocked"},
    )
    kim.refresh_from_db()
    assert (kim.needs_approval, kim.request_limit, kim.standing) == (True, 3, "allowed")

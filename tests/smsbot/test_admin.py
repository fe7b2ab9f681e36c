"""The admin's pages of people and their texts: what they show, and what their actions do."""

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from smsbot.models import Contact, InboundMessage, OutboundAttempt, OutboundMessage
from tests.conftest import Household
from tests.fakes import FakeTwilio

pytestmark = pytest.mark.django_db

SAM = "+12025550142"
_serial = count(1)


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Settings) -> None:
    """A superuser for each test: a hash that takes its time would take minutes in all."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def sam() -> Contact:
    return Contact.objects.create(address=SAM, name="Sam")


def heard(contact: Contact, body: str, **more: Any) -> InboundMessage:
    """Make a text that came in and was answered."""
    fields = {"received_at": timezone.now(), "state": "handled", **more}
    sid = f"SM{next(_serial):032x}"
    return InboundMessage.objects.create(twilio_sid=sid, contact=contact, body=body, **fields)


def said(contact: Contact, text: str, **more: Any) -> OutboundMessage:
    """Make a text that went out and arrived."""
    fields = {"created_at": timezone.now(), "status": "delivered", "purpose": "answer", **more}
    return OutboundMessage.objects.create(contact=contact, text=text, **fields)


def act(client: Client, model: str, action: str, *rows: Any) -> list[tuple[str, str]]:
    """Run an action of a list; return what the page then says: (level, text)."""
    chosen = {"action": action, "sure": "yes", "_selected_action": [row.pk for row in rows]}
    response = client.post(reverse(f"admin:smsbot_{model}_changelist"), chosen, follow=True)
    assert response.status_code == 200
    return [(message.level_tag, str(message)) for message in response.context["messages"]]


def listed(client: Client, model: str, query: str = "") -> list[Any]:
    response = client.get(reverse(f"admin:smsbot_{model}_changelist") + query)
    return list(response.context["cl"].result_list)


# --- Contacts -----------------------------------------------------------------------------------


def test_contacts_are_allowed_and_blocked(admin_client: Client, sam: Contact) -> None:
    assert act(admin_client, "contact", "block_selected", sam) == [
        ("success", "Sam is blocked: no answers, and no texts.")
    ]
    sam.refresh_from_db()
    assert sam.standing == Contact.Standing.BLOCKED

    act(admin_client, "contact", "allow_selected", sam)
    sam.refresh_from_db()
    assert sam.standing == Contact.Standing.ALLOWED


def test_an_owner_is_not_blocked(admin_client: Client, sam: Contact, settings: Settings) -> None:
    settings.OWNER_PHONE_NUMBERS = [SAM]

    ((level, text),) = act(admin_client, "contact", "block_selected", sam)

    assert level == "warning"
    assert "OWNER_PHONE_NUMBERS" in text
    sam.refresh_from_db()
    assert sam.standing == Contact.Standing.NEW


def test_a_contact_is_renamed_and_nothing_else(admin_client: Client, sam: Contact) -> None:
    page = reverse("admin:smsbot_contact_change", args=[sam.pk])
    form = {"name": "Grandma", "address": "+1", "standing": "blocked", "opted_out_at": ""}

    assert admin_client.post(page, form).status_code == 302

    sam.refresh_from_db()
    assert (sam.name, sam.address, sam.standing) == ("Grandma", SAM, Contact.Standing.NEW)


def test_renaming_does_not_undo_a_stop_that_came_meanwhile(
    admin_client: Client, sam: Contact, monkeypatch: pytest.MonkeyPatch
) -> None:
    from smsbot.admin import ContactAdmin

    save = ContactAdmin.save_model

    def stop_first(*args: Any) -> None:
        Contact.objects.update(opted_out_at=timezone.now())
        save(*args)

    monkeypatch.setattr(ContactAdmin, "save_model", stop_first)
    admin_client.post(reverse("admin:smsbot_contact_change", args=[sam.pk]), {"name": "Rose"})

    sam.refresh_from_db()
    assert sam.name == "Rose"
    assert sam.opted_out_at is not None


def test_nobody_adds_or_deletes_a_contact(admin_client: Client, sam: Contact) -> None:
    delete = reverse("admin:smsbot_contact_delete", args=[sam.pk])

    assert admin_client.get(reverse("admin:smsbot_contact_add")).status_code == 403
    assert admin_client.post(delete, {"post": "yes"}).status_code == 403


def test_the_list_shows_who_may_what_and_when_they_last_wrote(
    admin_client: Client, sam: Contact, settings: Settings
) -> None:
    settings.REQUEST_POLICY = "allowlist"
    heard(sam, "earlier", received_at=timezone.now() - timedelta(days=9))
    last = heard(sam, "later")

    html = admin_client.get(reverse("admin:smsbot_contact_changelist")).content.decode()

    assert "stranger" in html
    assert last.received_at.strftime("%-d %b %Y, %H:%M") in html


def test_a_contact_leads_to_the_conversation(admin_client: Client, sam: Contact) -> None:
    page = admin_client.get(reverse("admin:smsbot_contact_change", args=[sam.pk]))
    assert reverse("dashboard:conversation", args=[sam.pk]) in page.content.decode()


# --- Inbound ------------------------------------------------------------------------------------


def test_a_message_that_was_given_up_is_answered_after_all(
    admin_client: Client, household: Household
) -> None:
    sam = Contact.objects.create(address=SAM)
    message = heard(sam, "get dune 2021", state="dead", attempts=5, failure="five faults")

    ((level, _),) = act(admin_client, "inboundmessage", "retry_selected", message)
    household.work()

    assert level == "success"
    message.refresh_from_db()
    assert (message.state, message.failure) == ("handled", "")
    assert "Dune (2021)" in household.texts_to(SAM)[-1]


def test_only_what_was_given_up_is_tried_again(admin_client: Client, sam: Contact) -> None:
    message = heard(sam, "hello")

    assert act(admin_client, "inboundmessage", "retry_selected", message) == [
        ("warning", "Sam: “hello” was not given up.")
    ]
    message.refresh_from_db()
    assert message.state == "handled"


def test_given_up_messages_and_their_answers_are_found(admin_client: Client, sam: Contact) -> None:
    heard(sam, "fine")
    dead = heard(sam, "the dog film", state="dead", failure="five faults")
    said(sam, "Sorry!", in_reply_to=dead, purpose="apology")

    assert listed(admin_client, "inboundmessage", "?state__exact=dead") == [dead]
    assert listed(admin_client, "inboundmessage", "?failure__isempty=0") == [dead]
    assert listed(admin_client, "inboundmessage", "?q=dog") == [dead]
    page = admin_client.get(reverse("admin:smsbot_inboundmessage_change", args=[dead.pk]))
    assert "Sorry!" in page.content.decode()


# --- Outbound -----------------------------------------------------------------------------------


def test_a_text_that_failed_is_sent_again_once(
    admin_client: Client, household: Household, twilio: FakeTwilio
) -> None:
    sam = Contact.objects.create(address=SAM, name="Sam")
    message = said(sam, "Dune is ready", status="failed", error_code=30005, failure="gone")

    first = act(admin_client, "outboundmessage", "resend_selected", message)
    household.work()
    second = act(admin_client, "outboundmessage", "resend_selected", message)

    assert first == [("success", "To Sam: goes out again within seconds.")]
    assert second == [("warning", "To Sam: was sent again already.")]
    assert twilio.to(SAM) == ["Dune is ready"]
    assert OutboundMessage.objects.get(resend_of=message).status == "sent"


def test_what_arrived_is_not_sent_again(admin_client: Client, sam: Contact) -> None:
    message = said(sam, "Dune is ready")

    assert act(admin_client, "outboundmessage", "resend_selected", message) == [
        ("warning", "To Sam: did not fail (delivered).")
    ]
    assert OutboundMessage.objects.count() == 1


def test_failed_messages_are_those_not_sent_again(admin_client: Client, sam: Contact) -> None:
    said(sam, "fine")
    failed = said(sam, "a", status="failed", error_code=30005, failure="gone")
    undelivered = said(sam, "b", status="undelivered", error_code=30007)
    said(sam, "b", resend_of=said(sam, "b", status="failed"))

    assert listed(admin_client, "outboundmessage", "?trouble=failed") == [undelivered, failed]
    page = admin_client.get(reverse("admin:smsbot_outboundmessage_changelist")).content.decode()
    for expected in ("gone", "(30005)", "(30007)"):
        assert expected in page


def test_a_texts_page_shows_its_attempts_and_its_copies(admin_client: Client, sam: Contact) -> None:
    first = said(sam, "Dune is ready", status="failed")
    copy = said(sam, "Dune is ready", resend_of=first)
    OutboundAttempt.objects.create(
        message=first,
        number=1,
        started_at=timezone.now(),
        outcome="rejected",
        detail="not a mobile number",
    )

    def page(message: OutboundMessage) -> str:
        path = reverse("admin:smsbot_outboundmessage_change", args=[message.pk])
        return admin_client.get(path).content.decode()

    assert "not a mobile number" in page(first)
    assert reverse("admin:smsbot_outboundmessage_change", args=[copy.pk]) in page(first)
    assert reverse("admin:smsbot_outboundmessage_change", args=[first.pk]) in page(copy)


@pytest.mark.parametrize("model", ["contact", "inboundmessage", "outboundmessage"])
def test_the_lists_take_few_queries_however_long_they_are(
    admin_client: Client, django_assert_max_num_queries: Any, model: str
) -> None:
    for number in range(30):
        contact = Contact.objects.create(address=f"+1202555{number:04}")
        heard(contact, "hello")
        said(contact, "hello yourself", status="failed", failure="gone")

    with django_assert_max_num_queries(9):
        response = admin_client.get(reverse(f"admin:smsbot_{model}_changelist"))
    assert response.status_code == 200

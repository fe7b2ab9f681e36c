"""The admin as a whole: every page opens, nobody edits what is for looking, and the overview."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from downloads.models import Download, DownloadEvent, DownloadRequest, MonitorState
from moviesms.models import ApiToken, Incident
from smsbot.models import (
    BlockedTitle,
    Contact,
    InboundMessage,
    Issue,
    OneTimeCode,
    OutboundAttempt,
    OutboundMessage,
)

pytestmark = pytest.mark.django_db

PAGES = list(admin.site._registry)
ACCOUNTS = [User, Group]
READ_ONLY = [model for model in PAGES if model not in (*ACCOUNTS, Contact, BlockedTitle)]


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Settings) -> None:
    """A superuser for each test: a hash that takes its time would take minutes in all."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def rows(admin_user: User) -> dict[type[Model], Model]:
    """One row of each kind, each as telling as it gets."""
    now = timezone.now()
    film = Download.objects.create(
        tmdb_id=438631,
        title="Dune",
        year=2021,
        status="downloading",
        problem="stalled",
        generation_started_at=now,
        status_changed_at=now,
    )
    request = DownloadRequest.objects.create(
        download=film, generation=1, requester="+12025550142", origin="SM1:0"
    )
    DownloadEvent.objects.create(
        download=film, generation=1, kind="started", new_status="downloading", created_at=now
    )
    contact = Contact.objects.create(address="+12025550142", name="Sam", opted_out_at=now)
    heard = InboundMessage.objects.create(
        twilio_sid="SM" + "1" * 32,
        contact=contact,
        body="get <b>Dune</b>",
        received_at=now,
        state="dead",
        failure="five faults",
        understanding={"intent": "request"},
    )
    said = OutboundMessage.objects.create(
        contact=contact,
        text="Sorry <b>Sam</b>",
        purpose="apology",
        in_reply_to=heard,
        request=request,
        status="failed",
        failure="no such number",
        error_code=21211,
        created_at=now,
        sent_at=now,
    )
    OutboundAttempt.objects.create(message=said, number=1, started_at=now, outcome="rejected")
    Incident.objects.create(key="over", summary="was bad", opened_at=now, closed_at=now)
    incident = Incident.objects.create(key="radarr", summary="Radarr refuses", opened_at=now)
    token, _ = ApiToken.issue("script", "write")
    question = OneTimeCode.objects.create(
        kind="join", code="4821", contact=contact, inbound=heard, created_at=now, expires_at=now
    )
    blocked = BlockedTitle.objects.create(title="Cats")
    made: list[Model] = [film, request, contact, heard, said, incident, token, admin_user]
    issue = Issue.objects.create(
        contact=contact, download=film, inbound=heard, kind="broken", created_at=now
    )
    made += [question, blocked, issue]
    made += [MonitorState.load(), Group.objects.create(name="Helpers")]
    return {type(row): row for row in made}


@pytest.fixture
def helper(client: Client) -> Client:
    """Somebody of the staff who may look at everything and act on nothing."""
    user = User.objects.create_user("helper", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(user)
    return client


def address(model: type[Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def said_by(client: Client, path: str, data: dict[str, Any]) -> list[str]:
    """Post to `path` and return the messages on the page that follows."""
    response = client.post(path, data, follow=True)
    if response.headers.get("HX-Redirect"):
        response = client.get(response.headers["HX-Redirect"])
    assert response.status_code == 200
    return [str(message) for message in response.context["messages"]]


@pytest.mark.parametrize("model", PAGES)
def test_every_list_opens_when_there_is_nothing(admin_client: Client, model: type[Model]) -> None:
    response = admin_client.get(address(model, "changelist"), follow=True)

    assert response.status_code == 200


@pytest.mark.parametrize("model", PAGES)
def test_every_list_and_page_opens_with_rows(
    admin_client: Client, rows: dict[type[Model], Model], model: type[Model]
) -> None:
    for path in (
        address(model, "changelist"),
        address(model, "change", rows[model].pk),
        f"{address(model, 'changelist')}?q=sam" if model is not MonitorState else "/admin/",
    ):
        response = admin_client.get(path, follow=True)
        html = response.content.decode()

        assert response.status_code == 200
        # What the content security policy would refuse, or a text's words as markup.
        assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>|\son\w+=", html)
        assert "<b>Dune" not in html
        assert "<b>Sam" not in html


@pytest.mark.parametrize("model", PAGES)
def test_every_filter_of_every_list_works(
    admin_client: Client, rows: dict[type[Model], Model], model: type[Model]
) -> None:
    response = admin_client.get(address(model, "changelist"))
    if model is MonitorState:
        assert response.status_code == 302
        return
    queries = [
        choice["query_string"]
        for spec in response.context["cl"].filter_specs
        for choice in spec.choices(response.context["cl"])
    ]

    for query in queries:
        assert admin_client.get(address(model, "changelist") + query).status_code == 200


@pytest.mark.parametrize("model", READ_ONLY)
def test_what_is_for_looking_is_not_edited(
    admin_client: Client, rows: dict[type[Model], Model], model: type[Model]
) -> None:
    row = rows[model]

    assert admin_client.get(address(model, "add")).status_code == 403
    assert admin_client.post(address(model, "add"), {}).status_code == 403
    assert admin_client.post(address(model, "change", row.pk), {"name": "x"}).status_code == 403
    assert admin_client.get(address(model, "delete", row.pk)).status_code == 403
    assert admin_client.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("model", ACCOUNTS)
def test_accounts_are_the_superusers_affair(
    client: Client, rows: dict[type[Model], Model], model: type[Model]
) -> None:
    user = User.objects.create_user("boss", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    client.force_login(user)

    assert client.get(address(model, "changelist")).status_code == 403
    assert client.get(address(model, "add")).status_code == 403
    assert client.post(address(model, "change", rows[model].pk), {}).status_code == 403


def test_a_superuser_adds_a_user_and_a_group(admin_client: Client) -> None:
    admin_client.post(
        address(User, "add"),
        {
            "username": "kim",
            "usable_password": "true",
            "password1": "quite-long-9",
            "password2": "quite-long-9",
        },
    )
    view = Permission.objects.get(codename="view_download")
    admin_client.post(address(Group, "add"), {"name": "Lookers", "permissions": [view.pk]})

    assert User.objects.get(username="kim").check_password("quite-long-9")
    assert list(Group.objects.get(name="Lookers").permissions.all()) == [view]


def test_a_group_is_offered_only_what_has_an_effect(admin_client: Client) -> None:
    form = admin_client.get(address(Group, "add")).context["adminform"].form
    offered = {permission.codename for permission in form.fields["permissions"].queryset}

    assert {"view_download", "change_download", "change_contact", "view_incident"} <= offered
    assert not offered & {"delete_download", "add_user", "change_user", "change_incident"}


def test_who_signs_in_lands_on_the_overview(client: Client, admin_user: User) -> None:
    page = client.get(reverse("admin:login")).content.decode()
    action = re.search(r'<form action="([^"]+)"', page)
    assert action is not None

    response = client.post(action.group(1), {"username": "admin", "password": "password"})

    assert response.status_code == 302
    assert response.headers["Location"] == reverse("admin:index")


# --- The side bar --------------------------------------------------------------


def test_who_may_see_nothing_sees_nothing(client: Client, rows: dict[type[Model], Model]) -> None:
    client.force_login(User.objects.create_user("new", password="x", is_staff=True))
    response = client.get(reverse("admin:index"))

    assert [item["title"] for item in all_items(response)] == ["Home"]
    for secret in (b"Dune", b"Radarr refuses", b"0142"):
        assert secret not in response.content


def all_items(response: Any) -> list[dict[str, Any]]:
    return [item for section in response.context["sidebar_navigation"] for item in section["items"]]


def test_the_side_bar_leads_to_pages_that_open_and_marks_the_one_that_is_open(
    admin_client: Client, rows: dict[type[Model], Model]
) -> None:
    items = all_items(admin_client.get(reverse("admin:index")))
    assert {"Failed texts", "Given-up texts", "Monitor", "Setup"} <= {i["title"] for i in items}

    for item in items:
        response = admin_client.get(item["link"], follow=True)
        active = [other["title"] for other in all_items(response) if other["active"]]
        assert active == [item["title"]]


# --- Actions ------------------------------------------------------------------------------------


def test_a_token_is_revoked_once(admin_client: Client, rows: dict[type[Model], Model]) -> None:
    token = rows[ApiToken]
    chosen = {"action": "revoke_selected", "sure": "yes", "_selected_action": [token.pk]}

    first = said_by(admin_client, address(ApiToken, "changelist"), chosen)
    token.refresh_from_db()
    revoked_at = token.revoked_at  # type: ignore[attr-defined]
    second = said_by(admin_client, address(ApiToken, "revoke", token.pk), {"_form_submitted": "1"})

    assert first == ["script was revoked: it opens nothing any more."]
    assert second == ["script had been revoked already."]
    token.refresh_from_db()
    assert revoked_at is not None
    assert token.revoked_at == revoked_at  # type: ignore[attr-defined]


def test_a_token_is_made_on_the_command_line_and_its_digest_stays_hidden(
    admin_client: Client, rows: dict[type[Model], Model]
) -> None:
    token = ApiToken.objects.get()
    page = admin_client.get(address(ApiToken, "changelist")).content.decode()
    detail = admin_client.get(address(ApiToken, "change", token.pk)).content.decode()

    assert "manage.py create_api_token" in page
    assert token.digest not in page + detail


def test_a_link_only_asks_and_does_nothing(
    admin_client: Client, rows: dict[type[Model], Model]
) -> None:
    response = admin_client.get(address(ApiToken, "revoke", rows[ApiToken].pk))

    assert response.status_code == 200
    assert "locked out at once" in response.content.decode()
    assert ApiToken.objects.get().revoked_at is None


def test_an_act_needs_a_csrf_token(rows: dict[type[Model], Model], admin_user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)

    response = client.post(address(ApiToken, "revoke", rows[ApiToken].pk), {})

    assert response.status_code == 403
    assert ApiToken.objects.get().revoked_at is None


def test_an_act_on_a_row_that_is_gone_says_so(admin_client: Client) -> None:
    response = admin_client.post(address(ApiToken, "revoke", 99), {"_form_submitted": "1"})

    assert response.status_code == 200
    assert admin_client.get(response.headers["HX-Redirect"], follow=True).status_code == 200


@pytest.mark.parametrize(
    ("model", "act"),
    [
        (Download, "cancel"),
        (Download, "retry"),
        (Contact, "allow"),
        (Contact, "block"),
        (InboundMessage, "retry"),
        (OutboundMessage, "resend"),
        (OneTimeCode, "yes"),
        (OneTimeCode, "no"),
        (ApiToken, "revoke"),
    ],
)
def test_who_may_only_look_cannot_act(
    helper: Client, rows: dict[type[Model], Model], model: type[Model], act: str
) -> None:
    row = rows[model]
    before = model._default_manager.values().get(pk=row.pk)
    chosen = {"action": f"{act}_selected", "sure": "yes", "_selected_action": [row.pk]}

    listed = helper.get(address(model, "changelist"))
    helper.post(address(model, "changelist"), chosen)
    button = helper.post(address(model, act, row.pk), {"_form_submitted": "1"})

    assert listed.status_code == 200
    assert f"{act}_selected" not in listed.content.decode()
    assert button.status_code == 403
    assert (
        address(model, act, row.pk)
        not in helper.get(address(model, "change", row.pk)).content.decode()
    )
    assert model._default_manager.values().get(pk=row.pk) == before


def test_who_may_only_look_cannot_rename_a_contact(
    helper: Client, rows: dict[type[Model], Model]
) -> None:
    path = address(Contact, "change", rows[Contact].pk)

    assert helper.post(path, {"name": "Eve"}).status_code == 403
    assert Contact.objects.get().name == "Sam"


def test_an_action_on_many_rows_is_asked_about_before_it_is_done(admin_client: Client) -> None:
    tokens = [ApiToken.issue(f"t{number}", "read")[0].pk for number in range(3)]
    chosen = {"action": "revoke_selected", "_selected_action": tokens[:2]}

    question = admin_client.post(address(ApiToken, "changelist"), chosen).content.decode()

    assert "Revoke: 2 " in question
    assert not ApiToken.objects.exclude(revoked_at=None).exists()
    said_by(admin_client, address(ApiToken, "changelist"), {**chosen, "sure": "yes"})
    assert ApiToken.objects.exclude(revoked_at=None).count() == 2


def test_buttons_that_would_do_nothing_are_not_shown(
    admin_client: Client, rows: dict[type[Model], Model]
) -> None:
    def shows(model: type[Model], act: str) -> bool:
        pk = rows[model].pk
        html = admin_client.get(address(model, "change", pk)).content.decode()
        return address(model, act, pk) in html

    idle = [(Download, "retry"), (Download, "cancel"), (Contact, "allow"), (ApiToken, "revoke")]
    idle += [(InboundMessage, "retry"), (OutboundMessage, "resend")]
    assert all(shows(model, act) for model, act in idle)

    Download.objects.update(status="completed")
    Contact.objects.update(standing="allowed")
    ApiToken.objects.update(revoked_at=timezone.now())
    InboundMessage.objects.update(state="handled")
    OutboundMessage.objects.update(status="delivered")

    assert [(model, act) for model, act in idle if shows(model, act)] == []


def test_an_empty_list_says_what_would_be_there(admin_client: Client) -> None:
    path = address(Download, "changelist")

    assert "Text one to your number" in admin_client.get(path).content.decode()
    assert "Nothing fits what you look for" in admin_client.get(f"{path}?q=x").content.decode()


def test_too_many_rows_at_once_are_refused(admin_client: Client) -> None:
    tokens = [ApiToken.issue(f"t{number}", "read")[0].pk for number in range(21)]
    chosen = {"action": "revoke_selected", "_selected_action": tokens}

    texts = said_by(admin_client, address(ApiToken, "changelist"), chosen)

    assert texts == ["Nothing was done: choose at most 20 at a time."]
    assert not ApiToken.objects.exclude(revoked_at=None).exists()

"""The pages of errors: plain words in the site's look, and a way home."""

import pytest
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.test import Client
from django.views import defaults

pytestmark = pytest.mark.django_db


def test_what_leads_nowhere(client: Client) -> None:
    response = client.get("/no-such-page")
    html = response.content.decode()
    assert (response.status_code, "There is nothing here" in html) == (404, True)
    assert 'href="/"' in html
    assert 'href="/static/moviesms/error.css"' in html


def test_a_form_that_was_open_for_too_long() -> None:
    response = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "admin"})
    assert response.status_code == 403
    assert "open for too long" in response.content.decode()


def test_who_may_not_see_a_page_is_told_so(client: Client) -> None:
    client.force_login(User.objects.create_user("helper", password="x", is_staff=True))
    response = client.get("/admin/setup/")
    assert (response.status_code, "You may not see this" in response.content.decode()) == (
        403,
        True,
    )


def test_a_fault_of_ours_needs_nothing_to_be_told() -> None:
    response = defaults.server_error(HttpRequest())
    assert (response.status_code, "No text is lost" in response.content.decode()) == (500, True)


def test_a_name_that_is_not_ours(client: Client) -> None:
    response = client.get("/admin/", headers={"host": "films.unknown.example"})
    assert (response.status_code, "ALLOWED_HOSTS" in response.content.decode()) == (400, True)

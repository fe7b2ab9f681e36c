"""What machines call is answered past the middleware of the pages, and is as safe as a page."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from moviesms import health
from tests.conftest import SAM, inbound_form, post_signed

pytestmark = pytest.mark.django_db

WEBHOOK = "/api/sms/webhook"


@pytest.fixture
def stranger() -> Client:
    """Who sends no CSRF token, and sees errors as others do."""
    return Client(enforce_csrf_checks=True, raise_request_exception=False)


def test_a_webhook_is_answered_with_its_length_and_no_cookie(stranger: Client) -> None:
    response = post_signed(stranger, WEBHOOK, inbound_form(SAM, "get Dune"))
    assert response.status_code == 200
    assert response.headers["Content-Length"] == str(len(response.content))
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert not response.cookies


@pytest.mark.parametrize("path", [WEBHOOK, "/healthz"])
def test_a_name_that_is_not_ours_is_refused(stranger: Client, path: str) -> None:
    response = stranger.generic("GET", path, headers={"host": "films.unknown.example"})
    assert (response.status_code, "ALLOWED_HOSTS" in response.content.decode()) == (400, True)


def test_a_fault_of_ours_is_told_in_plain_words(
    stranger: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "open_faults", lambda: 1 / 0)
    response = stranger.get("/healthz")
    assert (response.status_code, "No text is lost" in response.content.decode()) == (500, True)
    assert response.headers["Content-Length"] == str(len(response.content))


def test_plain_http_is_sent_on(stranger: Client, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    response = stranger.post(WEBHOOK)
    assert (response.status_code, response.headers["Location"]) == (
        301,
        f"https://testserver{WEBHOOK}",
    )


def test_an_address_beside_a_webhook_is_nothing(stranger: Client) -> None:
    assert stranger.post(f"{WEBHOOK}/other").status_code == 404
    assert stranger.post("/api/sms/status/no-uuid").status_code == 404


def test_a_page_has_all_that_a_page_needs(client: Client) -> None:
    client.force_login(User.objects.create_superuser("owner", password="x"))
    response = client.get("/admin/")
    assert response.status_code == 200
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Frame-Options"] == "DENY"

"""`manage.py connect` and `disconnect`: what they do at Radarr and Twilio, and what they say."""

from collections.abc import Callable
from io import StringIO
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from downloads.connecting import webhook_url
from smsbot import gateway
from tests.conftest import Household, inbound_form, sign
from tests.fakes import FakeRadarr, FakeTwilio, twilio_error

HOOK = "https://films.example.org/api/sms/radarr/webhook"
TEXTS = "https://films.example.org/api/sms/webhook"


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def fields(notification: dict[str, Any]) -> dict[str, Any]:
    return {field["name"]: field["value"] for field in notification["fields"]}


# --- Radarr -------------------------------------------------------------------------------------


def test_radarr_is_connected_once_however_often_it_is_asked(radarr: FakeRadarr) -> None:
    assert f"Radarr now posts to {HOOK}." in run("connect", "radarr")
    assert "nothing to change" in run("connect", "radarr")
    [made] = radarr.notifications
    assert (made["name"], made["implementation"]) == ("moviesms", "Webhook")
    assert fields(made)["url"] == HOOK
    secret = {"key": "X-Webhook-Secret", "value": "webhook-secret-for-tests"}
    assert fields(made)["headers"] == [secret]
    assert made["onGrab"] is made["onDownload"] is made["onHealthIssue"] is True
    assert "onMovieAdded" not in made
    assert radarr.count("POST", "notification") == 1
    assert radarr.count("PUT", "notification") == 0


def _other_secret(made: dict[str, Any]) -> None:
    for field in made["fields"]:
        if field["name"] == "headers":
            field["value"] = [{"key": "X-Webhook-Secret", "value": "old"}]


def _other_address(made: dict[str, Any]) -> None:
    for field in made["fields"]:
        if field["name"] == "url":
            field["value"] = "http://me:word@old.test/api/sms/radarr/webhook"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_other_secret, "did not send the secret"),
        (_other_address, "posted to http://old.test/api/sms/radarr/webhook."),
        (lambda made: made.update(onGrab=False), "did not post onGrab"),
    ],
)
def test_what_is_wrong_at_radarr_is_put_right_and_told(
    radarr: FakeRadarr, spoil: Callable[[dict[str, Any]], None], said: str
) -> None:
    run("connect", "radarr")
    spoil(radarr.notifications[0])
    radarr.notifications[0]["tags"] = []
    output = run("connect", "radarr")
    assert said in output
    assert "as it must" in output
    assert "nothing to change" in run("connect", "radarr")
    assert len(radarr.notifications) == 1


def test_a_webhook_made_by_hand_is_taken_over_and_keeps_its_name(radarr: FakeRadarr) -> None:
    run("connect", "radarr")
    radarr.notifications[0].update(name="Texts", onGrab=False)
    run("connect", "radarr")
    assert [one["name"] for one in radarr.notifications] == ["Texts"]


def test_disconnecting_radarr_leaves_what_is_not_ours(radarr: FakeRadarr) -> None:
    run("connect", "radarr")
    mail = {"id": 9, "name": "Mail", "implementation": "Email", "fields": []}
    radarr.notifications.append(mail)
    assert "no longer posts" in run("disconnect", "radarr")
    assert radarr.notifications == [mail]
    assert "nothing to remove" in run("disconnect", "radarr")


def test_a_dry_run_changes_nothing(radarr: FakeRadarr, twilio: FakeTwilio) -> None:
    assert "would post" in run("connect", "radarr", "--dry-run")
    assert "would post" in run("connect", "twilio", "--dry-run")
    assert radarr.notifications == []
    assert twilio.number == {"sid": "PN" + "0" * 32, "sms_url": ""}
    run("connect", "radarr")
    assert "would no longer post" in run("disconnect", "radarr", "--dry-run")
    assert len(radarr.notifications) == 1


def test_a_radarr_beside_us_is_given_the_loopback(settings: Settings, radarr: FakeRadarr) -> None:
    settings.RADARR_URL, settings.PORT = "http://127.0.0.1:7878/radarr", 8123
    assert webhook_url() == "http://127.0.0.1:8123/api/sms/radarr/webhook"
    assert webhook_url("http://box:1/") == "http://box:1/api/sms/radarr/webhook"


def _unreachable(radarr: FakeRadarr, settings: Settings) -> None:
    radarr.reaches_us = False


def _no_secret(radarr: FakeRadarr, settings: Settings) -> None:
    settings.RADARR_WEBHOOK_SECRET = ""


def _wrong_key(radarr: FakeRadarr, settings: Settings) -> None:
    settings.RADARR_API_KEY = "wrong"


def _no_radarr(radarr: FakeRadarr, settings: Settings) -> None:
    settings.RADARR_URL = ""


def _down(radarr: FakeRadarr, settings: Settings) -> None:
    radarr.fail_with((503, {}, ""))


@pytest.mark.parametrize(
    ("spoil", "fix"),
    [
        (_unreachable, "--address"),
        (_no_secret, "openssl rand"),
        (_wrong_key, "API Key"),
        (_no_radarr, "RADARR_URL and"),
        (_down, "Check RADARR_URL"),
    ],
)
def test_each_fault_of_radarr_says_what_to_do(
    radarr: FakeRadarr, settings: Settings, spoil: Callable[..., None], fix: str
) -> None:
    spoil(radarr, settings)
    with pytest.raises(CommandError, match=fix) as failed:
        run("connect", "radarr")
    assert "webhook-secret-for-tests" not in str(failed.value)
    assert radarr.notifications == []


@pytest.mark.parametrize("address", ["films.example.org", "ftp://box", "http://box/path"])
def test_an_address_is_scheme_and_host(address: str, radarr: FakeRadarr) -> None:
    with pytest.raises(CommandError, match="scheme and host alone"):
        run("connect", "radarr", "--address", address)


# --- Twilio -------------------------------------------------------------------------------------


def test_twilio_is_connected_with_its_fallback_and_retries(twilio: FakeTwilio) -> None:
    assert twilio.number is not None
    twilio.number["sms_application_sid"] = "AP" + "0" * 32
    twilio.number["sms_url"] = "https://demo.twilio.com/reply"
    output = run("connect", "twilio")
    assert f"Twilio now posts to {TEXTS}" in output
    assert "https://demo.twilio.com/reply" in output
    assert twilio.number["sms_url"] == twilio.number["sms_fallback_url"] == TEXTS + gateway.RETRIES
    assert twilio.number["sms_method"] == twilio.number["sms_fallback_method"] == "POST"
    assert twilio.number["sms_application_sid"] == ""
    assert "nothing to change" in run("connect", "twilio")
    assert twilio.count("POST", "IncomingPhoneNumbers") == 1


def test_disconnecting_twilio_leaves_what_leads_elsewhere(twilio: FakeTwilio) -> None:
    assert twilio.number is not None
    run("connect", "twilio")
    twilio.number["sms_fallback_url"] = "https://elsewhere.test/"
    assert "no longer posts" in run("disconnect", "twilio")
    assert (twilio.number["sms_url"], twilio.number["sms_fallback_url"]) == (
        "",
        "https://elsewhere.test/",
    )
    assert "nothing to remove" in run("disconnect", "twilio")


def _not_owned(twilio: FakeTwilio, settings: Settings) -> None:
    twilio.number = None


def _refused(twilio: FakeTwilio, settings: Settings) -> None:
    twilio.fail_with(twilio_error(401, 20003))


def _local(twilio: FakeTwilio, settings: Settings) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:8000"


def _away(twilio: FakeTwilio, settings: Settings) -> None:
    twilio.fail_with(twilio_error(503, None))


def _unset(twilio: FakeTwilio, settings: Settings) -> None:
    settings.TWILIO_AUTH_TOKEN = ""


@pytest.mark.parametrize(
    ("spoil", "fix"),
    [
        (_not_owned, "Active numbers"),
        (_refused, "Auth Token"),
        (_local, "https address"),
        (_away, "Try again"),
        (_unset, "Set TWILIO_ACCOUNT_SID"),
    ],
)
def test_each_fault_of_twilio_says_what_to_do(
    twilio: FakeTwilio, settings: Settings, spoil: Callable[..., None], fix: str
) -> None:
    spoil(twilio, settings)
    with pytest.raises(CommandError, match=fix):
        run("connect", "twilio")
    assert twilio.count("POST", "IncomingPhoneNumbers") == 0


@pytest.mark.parametrize("fragment", ["", gateway.RETRIES])
def test_a_text_is_taken_whether_or_not_twilio_signs_the_fragment(
    household: Household, fragment: str
) -> None:
    form = inbound_form("+12025550142", "commands")
    assert _post(household, form, fragment) == 200


def _post(household: Household, form: dict[str, str], fragment: str) -> int:
    return household.client.post(
        "/api/sms/webhook",
        urlencode(form),
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": sign("/api/sms/webhook" + fragment, form)},
    ).status_code

"""`manage.py demo_data`: a year to look at, where nothing is real, and all of it undone."""

from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from dashboard.models import DemoYear
from downloads import services
from downloads.models import Download, DownloadEvent, DownloadRequest
from moviesms.at_sandbox import mark
from smsbot.models import Contact, InboundMessage, OutboundMessage
from tests.dashboard.conftest import a_contact, a_film, came_in

pytestmark = pytest.mark.django_db

MODELS = [
    model
    for app in ("downloads", "smsbot", "moviesms", "dashboard")
    for model in apps.get_app_config(app).get_models()
]


def counts() -> dict[str, int]:
    return {
        m._meta.label: m._default_manager.count() for m in MODELS if m.__name__ != "MonitorState"
    }


@pytest.fixture
def no_twilio(settings: Settings) -> None:
    settings.TWILIO_ACCOUNT_SID = ""


@pytest.mark.usefixtures("no_twilio")
def test_it_makes_a_year_that_the_pages_show_and_nothing_that_is_sent(
    admin_client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("demo_data")

    asked = list(
        DownloadRequest.objects.order_by("created_at").values_list("created_at", flat=True)
    )
    assert (asked[-1] - asked[0]).days > 300
    assert services.on_their_way().count() >= 5
    assert services.need_attention(timezone.now()).count() >= 3
    assert not OutboundMessage.objects.filter(status__in=["queued", "sending"]).exists()
    assert not InboundMessage.objects.filter(state__in=["received", "processing"]).exists()
    assert not DownloadEvent.objects.filter(processed_at=None).exists()
    for path in ("", "conversations/", "films/", "statistics/?weeks=52", "setup/"):
        assert admin_client.get(f"/admin/{path}").status_code == 200
    said = capsys.readouterr().out
    assert "12 of 12 months" in said
    assert "--remove" in said


@pytest.mark.usefixtures("no_twilio")
def test_what_was_texted_in_the_sandbox_is_no_real_data(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    mark(tmp_path, "sandbox")
    came_in(a_contact(), "get Dune")
    call_command("demo_data")
    assert DemoYear.objects.exists()


@pytest.mark.usefixtures("no_twilio")
def test_remove_undoes_exactly_what_was_made() -> None:
    came_in(a_contact(), "get Dune")
    a_film(438631, "Dune")
    before = counts()

    call_command("demo_data", force=True)
    assert counts() != before
    call_command("demo_data", remove=True)

    assert counts() == before


@pytest.mark.usefixtures("no_twilio")
def test_what_real_rows_hold_on_to_stays(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("demo_data")
    film = Download.objects.order_by("id")[0]
    DownloadRequest.objects.create(
        download=film, generation=2, requester="+12025550142", origin="real"
    )

    call_command("demo_data", remove=True)

    assert list(Download.objects.all()) == [film]
    assert "1 stay, since real rows refer to them." in capsys.readouterr().out


@pytest.mark.usefixtures("no_twilio")
@pytest.mark.parametrize("real", ["a person", "a film"])
def test_it_refuses_beside_real_data(real: str) -> None:
    if real == "a person":
        a_contact()
    else:
        a_film(1, "Dune")
    before = counts()

    with pytest.raises(CommandError, match="real data"):
        call_command("demo_data")

    assert counts() == before


def test_it_refuses_where_texts_would_be_sent() -> None:
    with pytest.raises(CommandError, match="Twilio is configured"):
        call_command("demo_data")

    assert not Contact.objects.exists()


@pytest.mark.usefixtures("no_twilio")
def test_it_is_made_once_and_what_is_not_there_is_not_removed() -> None:
    with pytest.raises(CommandError, match="nothing of a made-up year"):
        call_command("demo_data", remove=True)
    DemoYear.objects.create(rows={})
    with pytest.raises(CommandError, match="there already"):
        call_command("demo_data", force=True)


def test_help_says_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("demo_data", "--help")
    assert "made-up household" in capsys.readouterr().out

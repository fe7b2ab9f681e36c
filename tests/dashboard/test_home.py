"""The home page: what is on its way, and what needs the owner with the button that solves it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from downloads import live
from downloads.control import beat
from downloads.models import Download, DownloadRequest, MonitorState
from moviesms.models import Incident
from smsbot.models import Contact, InboundMessage, Issue, OutboundMessage
from tests.conftest import Household
from tests.dashboard.conftest import ALEX, KIM, SAM, a_contact, a_film, an_ask, came_in, went_out

pytestmark = pytest.mark.django_db

HOME = "/admin/"


def page(client: Client, path: str = HOME) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return re.sub(r"\s+", " ", response.content.decode())


def do(client: Client, name: str, pk: int) -> list[str]:
    """Press a button of a page and return what the next page says."""
    response = client.post(reverse("dashboard:do", args=[name, pk]), {"next": HOME}, follow=True)
    assert response.redirect_chain[-1][0] == HOME
    return [str(message) for message in response.context["messages"]]


def test_the_address_without_a_path_leads_to_the_home_page_or_the_sign_in(client: Client) -> None:
    response = client.get("/", follow=True)

    assert response.redirect_chain[-1][0] == "/admin/login/?next=/admin/"


def test_films_on_their_way_show_how_far_they_are_and_for_whom(admin_client: Client) -> None:
    a_contact()
    dune = a_film(1, "Dune", year=2021)
    an_ask(dune, ALEX)
    eta = (timezone.now() + timedelta(minutes=12, seconds=10)).isoformat()
    live.store([(dune, live.Progress(41.7, 100, 58, eta), [])], now=timezone.now())

    html = page(admin_client)

    for expected in ("Dune (2021)", 'value="42"', "about 12 min left", ">Sam</a>", "+…0175"):
        assert expected in html


def test_a_home_page_with_nothing_on_it_says_what_to_do(admin_client: Client) -> None:
    beat({"at": timezone.now().isoformat()})

    html = page(admin_client)

    assert "Nothing needs you" in html
    assert "Nothing is on its way" in html


def test_the_monitors_state_is_told(admin_client: Client) -> None:
    assert "silent" in page(admin_client)
    beat({"at": timezone.now().isoformat(), "result": {}})
    assert "downloads are followed" in page(admin_client)
    beat({"at": timezone.now().isoformat(), "result": {"error": "Radarr is away"}})
    assert "Radarr is away" in page(admin_client)
    MonitorState.objects.update(wanted="stopped")
    assert "somebody stopped it" in page(admin_client)


def test_a_stranger_is_let_in_or_blocked(admin_client: Client, settings: Settings) -> None:
    settings.REQUEST_POLICY = "ask-owner"
    stranger = a_contact(KIM, "", standing="new")
    other = a_contact(ALEX, "", standing="new")
    for contact in (stranger, other):
        came_in(contact, "can i get Dune")
        went_out(contact, "This number is for members of one household")

    assert "“can i get Dune”" in page(admin_client)
    assert do(admin_client, "allow", stranger.pk)
    assert do(admin_client, "block", other.pk)

    assert Contact.objects.get(pk=stranger.pk).standing == "allowed"
    assert Contact.objects.get(pk=other.pk).standing == "blocked"
    assert "can i get Dune" not in page(admin_client)


def test_a_request_is_approved_or_declined_and_who_asked_is_told(
    household: Household, admin_client: Client
) -> None:
    a_contact(needs_approval=True)
    a_contact(ALEX, "Alex", needs_approval=True)
    household.text(SAM, "get Dune 2021")
    household.text(ALEX, "get Inception")
    dune, inception = DownloadRequest.objects.order_by("id")

    assert "asked for by Sam" in page(admin_client)
    assert do(admin_client, "approve", dune.pk) == ["Dune (2021) will be got; who asked is told."]
    assert do(admin_client, "decline", inception.pk)
    household.work()

    states = dict(DownloadRequest.objects.values_list("requester", "state"))
    assert states == {SAM: "active", ALEX: "declined"}
    assert "Dune (2021)" in household.texts_to(SAM)[-1]
    assert "Inception (2010)" in household.texts_to(ALEX)[-1]
    assert "Requests to approve" not in page(admin_client)


def test_a_problem_that_somebody_reports_is_solved(admin_client: Client) -> None:
    sam, film = a_contact(), a_film(1, "Dune", "completed")
    issue = Issue.objects.create(
        contact=sam,
        download=film,
        inbound=came_in(sam, "there is no sound in Dune"),
        kind="broken",
        created_at=timezone.now(),
    )

    assert "says Sam" in page(admin_client)
    assert do(admin_client, "solved", issue.pk) == ["Dune: solved; Sam is told."]

    assert Issue.objects.get().state == "solved"
    assert "says Sam" not in page(admin_client)


def test_a_stuck_import_is_explained_in_words_and_cancelled_after_a_question(
    admin_client: Client,
) -> None:
    film = a_film(1, "Dune", "importing", problem="import")

    html = page(admin_client)
    question = page(admin_client, reverse("dashboard:do", args=["cancel", film.pk]))

    assert "Radarr has the file and cannot import it" in html
    assert "import it by hand" in html
    assert "everybody who asked" in question
    assert Download.objects.get().status == "importing"  # asking does nothing
    assert do(admin_client, "cancel", film.pk) == ["Dune: cancelled."]
    assert Download.objects.get().status == "cancelled"


def test_a_failed_film_is_asked_for_again(household: Household, admin_client: Client) -> None:
    household.text(SAM, "get Dune 2021")
    film = Download.objects.get()
    Download.objects.update(status="failed", reason="missing articles")

    assert do(admin_client, "retry", film.pk) == ["Dune (2021): asked for again, now searching."]
    assert Download.objects.get().generation == 2


def test_texts_that_were_lost_are_tried_again(admin_client: Client) -> None:
    sam = a_contact()
    heard = came_in(sam, "get Dune", state="dead", failure="five faults")
    said = went_out(sam, "Dune is ready", status="undelivered", failure="phone off")

    html = page(admin_client)
    assert "five faults" in html
    assert "phone off" in html
    do(admin_client, "answer-again", heard.pk)
    do(admin_client, "send-again", said.pk)

    assert InboundMessage.objects.get().state == "received"
    assert OutboundMessage.objects.get(resend_of=said).status == "queued"
    assert "Nothing needs you" in page(admin_client)


def test_what_was_lost_long_ago_is_let_rest(admin_client: Client) -> None:
    long_ago = timezone.now() - timedelta(days=30)
    sam = a_contact()
    came_in(sam, "get Dune", state="dead", received_at=long_ago)
    went_out(sam, "Dune is ready", status="failed", created_at=long_ago)

    assert "Nothing needs you" in page(admin_client)


def test_an_open_incident_leads_to_the_card_that_mends_it(admin_client: Client) -> None:
    now = timezone.now()
    Incident.objects.create(key="radarr:unusable", summary="Radarr refuses our key", opened_at=now)
    Incident.objects.create(key="tmdb", summary="was bad", opened_at=now, closed_at=now)
    Incident.objects.create(key="stuck:1", summary="told by its film", opened_at=now)

    html = page(admin_client)

    assert "Radarr refuses our key" in html
    assert 'href="/admin/setup/#radarr"' in html
    assert "was bad" not in html
    assert "told by its film" not in html


def test_what_is_not_shown_is_counted_and_led_to(admin_client: Client) -> None:
    for number in range(7):
        a_film(number, f"Film {number}", problem="stalled")

    html = page(admin_client)
    rows = admin_client.get("/admin/downloads/download/?show=attention").context["cl"]

    assert '<a class="mm-link" href="/admin/downloads/download/?show=attention">All 7</a>' in html
    assert rows.result_count == 7


def test_who_may_only_look_gets_no_buttons_and_no_act(helper: Client) -> None:
    film = a_film(1, "Dune", problem="stalled")

    html = page(helper)
    response = helper.post(reverse("dashboard:do", args=["cancel", film.pk]))

    assert "The download stands still" in html
    assert "/admin/do/" not in html
    assert response.status_code == 403
    assert Download.objects.get().status == "downloading"


@pytest.mark.parametrize(
    ("wanted", "followed"),
    [
        ("/admin/films/", "/admin/films/"),
        ("//evil.example/", "/admin/"),
        ("https://evil.example/", "/admin/"),
        ("/\\evil.example", "/admin/"),
        ("", "/admin/"),
    ],
)
def test_a_button_leads_back_to_a_page_of_ours(
    admin_client: Client, wanted: str, followed: str
) -> None:
    sam = a_contact()

    response = admin_client.post(f"/admin/do/allow/{sam.pk}", {"next": wanted})

    assert response.headers["Location"] == followed


def test_an_act_or_a_row_that_there_is_not(admin_client: Client) -> None:
    assert admin_client.post("/admin/do/delete/1").status_code == 404
    assert admin_client.post("/admin/do/cancel/1").status_code == 404


def test_a_piece_is_sent_again_only_when_it_has_changed(admin_client: Client) -> None:
    film = a_film(1, "Dune")
    found = re.search(r"home/films\?seen=(\w+)", page(admin_client))
    assert found
    path = f"/admin/home/films?seen={found[1]}"

    unchanged = admin_client.get(path, headers={"HX-Request": "true"})
    live.store([(film, live.Progress(10.0, 100, 90), [])], now=timezone.now())
    changed = admin_client.get(path, headers={"HX-Request": "true"})

    assert unchanged.status_code == 204
    assert 'value="10"' in changed.content.decode()


def test_a_piece_has_its_page_sign_in_again_when_the_session_has_ended(client: Client) -> None:
    response = client.get("/admin/home/films", headers={"HX-Request": "true"})

    assert response.headers["HX-Refresh"] == "true"
    assert response.content == b""


def test_the_home_page_takes_few_queries_however_much_is_on_it(
    admin_client: Client, django_assert_max_num_queries: Any
) -> None:
    def fill(numbers: range) -> None:
        for number in numbers:
            contact = a_contact(f"+1202555{number:04}", f"P{number}", standing="new")
            came_in(contact, "hi", state="dead")
            went_out(contact, "hello", status="failed")
            a_film(number, f"Film {number}", requester=contact.address, problem="stalled")

    fill(range(8))
    with django_assert_max_num_queries(45):
        page(admin_client)
    fill(range(8, 40))
    with django_assert_max_num_queries(45):
        page(admin_client)


def test_what_happened_this_minute_happened_just_now(admin_client: Client) -> None:
    now = timezone.now()
    a_film(1, "Dune", status_changed_at=now)
    a_film(2, "Alien", status_changed_at=now - timedelta(minutes=3, seconds=5))
    html = page(admin_client, "/admin/films/").replace("\xa0", " ")
    assert "just now" in html
    assert "3 minutes ago" in html
    assert "0 minutes" not in html

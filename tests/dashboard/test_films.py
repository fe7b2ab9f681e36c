"""Films: asking on somebody's behalf, and one film's course from the text to ready."""

from html import unescape
from typing import Any

import pytest
import requests
from django.test import Client
from django.utils import timezone

from downloads.models import Download, DownloadRequest
from smsbot.models import Contact
from tests.conftest import Household
from tests.dashboard.conftest import ALEX, SAM, a_contact, a_film, happened, went_out
from tests.fakes import FakeTmdb

pytestmark = pytest.mark.django_db


def ask(client: Client, tmdb_id: int, contact: Contact, key: str = "k1") -> list[str]:
    fields = {"contact": contact.pk, "key": key}
    response = client.post(f"/admin/films/{tmdb_id}/ask", fields, follow=True)
    assert response.status_code == 200
    return [str(message) for message in response.context["messages"]]


def test_a_search_shows_what_tmdb_knows_and_whom_it_can_be_got_for(
    admin_client: Client, tmdb: FakeTmdb
) -> None:
    a_contact()
    a_contact(ALEX, "Alex", opted_out_at=timezone.now())
    a_film(438631, "Dune", "completed", year=2021)

    html = admin_client.get("/admin/films/?q=dune").content.decode()

    assert "Dune (2021)" in html
    assert "Dune (1984)" in html
    assert "Ready to watch" in html
    assert ">Sam</option>" in html
    assert ">Alex</option>" not in html  # texted STOP: would not hear of it


def test_asking_for_somebody_is_told_to_them_and_counts_once(
    household: Household, admin_client: Client
) -> None:
    sam = a_contact()

    first = ask(admin_client, 155, sam)
    again = ask(admin_client, 155, sam)
    household.work()

    assert first == ["The Dark Knight (2008) is on its way for Sam, who is told."]
    assert again == first  # the second click of the same page is the same ask
    assert DownloadRequest.objects.count() == 1
    [text] = household.texts_to(SAM)
    assert "I found 'The Dark Knight (2008)' and added it" in text
    html = admin_client.get("/admin/films/155/").content.decode()
    assert "Asked for on behalf of Sam, on the owner's page" in unescape(html)


def test_asking_for_what_somebody_waits_for_already_says_so(
    household: Household, admin_client: Client
) -> None:
    sam = a_contact()
    household.text(SAM, "get The Dark Knight")

    said = ask(admin_client, 155, sam)

    assert said == ["The Dark Knight (2008) was asked for already by Sam."]
    assert DownloadRequest.objects.count() == 1


def test_nothing_is_asked_for_somebody_who_may_not_or_is_not_there(
    household: Household, admin_client: Client
) -> None:
    stopped = a_contact(opted_out_at=timezone.now())
    blocked = a_contact(ALEX, "Alex", standing="blocked")

    assert "STOP" in ask(admin_client, 155, stopped)[0]
    assert "may not ask" in ask(admin_client, 155, blocked)[0]
    assert ask(admin_client, 155, Contact(pk=4711)) == ["Choose who it is for."]
    assert not Download.objects.exists()


def test_a_tmdb_that_is_away_is_said_and_nothing_breaks(
    household: Household, admin_client: Client, tmdb: FakeTmdb
) -> None:
    sam = a_contact()
    tmdb.fail_with(requests.ConnectionError())

    assert "Try again in a minute" in admin_client.get("/admin/films/?q=dune").content.decode()
    assert "Nothing was asked for" in ask(admin_client, 155, sam)[0]


def test_who_may_only_look_cannot_ask(helper: Client, household: Household) -> None:
    sam = a_contact()

    assert "Get it" not in helper.get("/admin/films/?q=dune").content.decode()
    assert helper.post("/admin/films/155/ask", {"contact": sam.pk}).status_code == 403
    assert not Download.objects.exists()


def test_a_films_page_tells_its_course_from_the_text_to_ready(
    household: Household, admin_client: Client
) -> None:
    household.text(SAM, "Can you get The Dark Knight for me?")
    film = Download.objects.get()
    happened(film, "started", -1)
    happened(film, "completed", -2)
    Download.objects.update(status="completed")

    html = admin_client.get("/admin/films/155/").content.decode()

    course = [
        "Can you get The Dark Knight for me?",
        "added it to your download queue",
        "Download started",
        "Ready to watch",
    ]
    places = [html.index(words, html.index("From text to ready")) for words in course]
    assert places == sorted(places)
    assert "/admin/do/" not in html  # a film that is ready has no buttons


def test_a_films_buttons_are_those_that_do_something(admin_client: Client) -> None:
    active = a_film(1, "Dune", "searching")
    failed = a_film(2, "Alien", "failed")

    on_its_way = admin_client.get("/admin/films/1/").content.decode()
    ended = admin_client.get("/admin/films/2/").content.decode()

    assert f"/admin/do/cancel/{active.pk}" in on_its_way
    assert f"/admin/do/retry/{active.pk}" in on_its_way
    assert f"/admin/do/retry/{failed.pk}" in ended
    assert f"/admin/do/cancel/{failed.pk}" not in ended


def test_a_film_nobody_asked_for_has_no_page(admin_client: Client) -> None:
    assert admin_client.get("/admin/films/155/").status_code == 404


def test_who_may_not_read_texts_does_not_read_them_here(
    client: Client, household: Household
) -> None:
    from django.contrib.auth.models import Permission, User

    household.text(SAM, "Can you get The Dark Knight for me?")
    user = User.objects.create_user("films-only", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_download"))
    client.force_login(user)

    html = client.get("/admin/films/155/").content.decode()

    assert "Can you get" not in html
    assert "asked for it by text" in html
    assert client.get("/admin/conversations/").status_code == 403
    assert client.get("/admin/setup/").status_code == 403


def test_the_list_and_a_films_page_take_few_queries(
    admin_client: Client, django_assert_max_num_queries: Any
) -> None:
    sam = a_contact()
    for number in range(40):
        film = a_film(number, f"Film {number}")
    for _ in range(30):
        happened(film, "stuck", 5, "stalled")
        went_out(sam, "slow", request=film.requests.get())

    with django_assert_max_num_queries(12):
        admin_client.get("/admin/films/")
    with django_assert_max_num_queries(18):
        admin_client.get(f"/admin/films/{film.tmdb_id}/")

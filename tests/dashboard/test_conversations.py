"""Conversations: who wrote last, a thread, and answers by hand: once, and never after STOP."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from smsbot.models import Contact, OutboundMessage
from tests.conftest import Household
from tests.dashboard.conftest import ALEX, SAM, a_contact, came_in, went_out

pytestmark = pytest.mark.django_db


def answer(client: Client, contact: Contact, words: str, key: str = "k1") -> Any:
    return client.post(
        f"/admin/conversations/{contact.pk}/", {"words": words, "key": key}, follow=True
    )


def test_the_list_has_the_latest_first_and_what_was_said(admin_client: Client) -> None:
    before = timezone.now() - timedelta(hours=1)
    came_in(a_contact(), "get Dune", received_at=before)
    went_out(a_contact(ALEX, "Alex"), "Dune is ready")
    a_contact("+12025550199", "Never wrote")

    html = admin_client.get("/admin/conversations/").content.decode()

    assert html.index("Alex") < html.index("Sam")
    assert "You: Dune is ready" in html
    assert "Never wrote" not in html


def test_people_are_found_by_name_and_number(admin_client: Client) -> None:
    came_in(a_contact(), "hi")
    came_in(a_contact(ALEX, "Alex"), "hi")

    by_name = admin_client.get("/admin/conversations/?q=ale").content.decode()
    by_number = admin_client.get("/admin/conversations/?q=0142").content.decode()
    nobody = admin_client.get("/admin/conversations/?q=zoe").content.decode()

    assert ("Alex" in by_name, "Sam" in by_name) == (True, False)
    assert ("Alex" in by_number, "Sam" in by_number) == (False, True)
    assert "Nobody is called" in nobody


def test_a_thread_shows_both_sides_in_order_and_what_each_text_is_billed(
    admin_client: Client,
) -> None:
    sam = a_contact()
    came_in(sam, "get <b>Dune</b>", received_at=timezone.now() - timedelta(minutes=2))
    went_out(sam, "🎬 " + "a" * 80)

    html = admin_client.get(f"/admin/conversations/{sam.pk}/").content.decode()

    assert html.index("get &lt;b&gt;Dune") < html.index("a" * 80)
    assert "2 segments" in html
    assert "<b>Dune" not in html


def test_an_answer_by_hand_arrives_once_however_often_the_button_is_pressed(
    household: Household, admin_client: Client
) -> None:
    household.text(SAM, "hello")
    sam = Contact.objects.get()
    before = len(household.texts_to(SAM))

    for _ in range(3):
        assert answer(admin_client, sam, " The disk is full, sorry! ").status_code == 200
        household.work()
    answer(admin_client, sam, "It works again.", key="k2")
    household.work()

    assert household.texts_to(SAM)[before:] == ["The disk is full, sorry!", "It works again."]


def test_nobody_who_texted_stop_or_is_blocked_is_written_to(admin_client: Client) -> None:
    stopped = a_contact(opted_out_at=timezone.now())
    blocked = a_contact(ALEX, "Alex", standing="blocked")

    for contact, why in ((stopped, "STOP"), (blocked, "blocked")):
        page = admin_client.get(f"/admin/conversations/{contact.pk}/").content.decode()
        response = answer(admin_client, contact, "hello")

        assert why in page
        assert "<textarea" not in page
        assert why in str(next(iter(response.context["messages"])))
    assert not OutboundMessage.objects.exists()


@pytest.mark.parametrize("words", ["", "   ", "a" * 1601])
def test_no_words_or_too_many_are_not_sent_and_not_lost(admin_client: Client, words: str) -> None:
    response = answer(admin_client, a_contact(), words)

    assert "1 to 1600 characters" in str(next(iter(response.context["messages"])))
    assert words in response.content.decode()
    assert not OutboundMessage.objects.exists()


def test_who_may_only_look_cannot_write(helper: Client) -> None:
    sam = a_contact()

    page = helper.get(f"/admin/conversations/{sam.pk}/").content.decode()

    assert "<textarea" not in page
    assert answer(helper, sam, "hello").status_code == 403
    assert not OutboundMessage.objects.exists()


def test_the_page_counts_segments_as_one_writes(admin_client: Client) -> None:
    def counted(words: str) -> str:
        response = admin_client.post("/admin/conversations/segments", {"words": words})
        return response.content.decode().strip()

    assert counted("") == "It goes out as a text from your number."
    assert counted("hello") == "5 characters, billed as 1 segment"
    assert counted("🎉" + "a" * 70) == "71 characters, billed as 2 segments"


def test_an_open_thread_gets_new_texts_and_else_nothing(admin_client: Client) -> None:
    sam = a_contact()
    came_in(sam, "first")
    html = admin_client.get(f"/admin/conversations/{sam.pk}/").content.decode()
    found = re.search(r'hx-get="([^"]+texts\?seen=\w+)"', html)
    assert found

    unchanged = admin_client.get(found[1])
    went_out(sam, "second")
    changed = admin_client.get(found[1])

    assert unchanged.status_code == 204
    assert "second" in changed.content.decode()


def test_a_text_that_failed_is_sent_again_from_its_thread(admin_client: Client) -> None:
    sam = a_contact()
    lost = went_out(sam, "Dune is ready", status="failed")

    path = f"/admin/do/send-again/{lost.pk}"
    assert path in admin_client.get(f"/admin/conversations/{sam.pk}/").content.decode()
    admin_client.post(path)
    assert path not in admin_client.get(f"/admin/conversations/{sam.pk}/").content.decode()


def test_lists_and_threads_take_few_queries_however_long_they_are(
    admin_client: Client, django_assert_max_num_queries: Any
) -> None:
    people = [a_contact(f"+1202555{number:04}", f"P{number}") for number in range(60)]
    for contact in people:
        came_in(contact, "hi")
    for _ in range(50):
        came_in(people[0], "hi")
        went_out(people[0], "hello", status="failed")

    with django_assert_max_num_queries(8):
        admin_client.get("/admin/conversations/")
    with django_assert_max_num_queries(8):
        admin_client.get(f"/admin/conversations/{people[0].pk}/")

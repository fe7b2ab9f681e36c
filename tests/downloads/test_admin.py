"""The admin's pages of the downloads: what they show, and what their actions do."""

from datetime import timedelta
from typing import Any

import pytest
import requests
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from downloads import live
from downloads.lifecycle import transition_to
from downloads.models import Download, DownloadRequest, MonitorState, Status
from tests.fakes import FakeRadarr

pytestmark = pytest.mark.django_db

LIST = "admin:downloads_download_changelist"
SAM, ALEX = "+12025550142", "+12025550175"


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Settings) -> None:
    """A superuser for each test: a hash that takes its time would take minutes in all."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def a_download(tmdb_id: int, title: str, status: str = "downloading", **more: Any) -> Download:
    """Make a download that Sam asked for."""
    now = timezone.now()
    fields = {"generation_started_at": now, "status_changed_at": now, "status": status, **more}
    download = Download.objects.create(tmdb_id=tmdb_id, title=title, **fields)
    DownloadRequest.objects.create(
        download=download,
        generation=1,
        requester=SAM,
        origin=f"SM{tmdb_id}:0",
        announced_at=now,
    )
    return download


def act(client: Client, action: str, *downloads: Download) -> list[tuple[str, str]]:
    """Run an action of the list; return what the page then says: (level, text)."""
    chosen = {
        "action": action,
        "sure": "yes",
        "_selected_action": [download.pk for download in downloads],
    }
    response = client.post(reverse(LIST), chosen, follow=True)
    assert response.status_code == 200
    return [(message.level_tag, str(message)) for message in response.context["messages"]]


def titles(client: Client, query: str) -> list[str]:
    return [row.title for row in client.get(reverse(LIST) + query).context["cl"].result_list]


# --- What is shown ------------------------------------------------------------------------------


def test_the_list_tells_how_far_a_film_is_and_who_asked(admin_client: Client) -> None:
    dune = a_download(1, "Dune", year=2021)
    live.store([(dune, live.Progress(percent=41.7, size=100), [])], now=timezone.now())
    DownloadRequest.objects.create(
        download=dune, generation=1, requester=ALEX, origin="x", state="withdrawn"
    )

    html = admin_client.get(reverse(LIST)).content.decode()

    for expected in ("Dune (2021)", "42 %", "+…0142"):
        assert expected in html
    # Masked in the list, and who left is no longer among those who asked.
    assert SAM not in html
    assert "0175" not in html


def test_the_list_takes_few_queries_however_long_it_is(
    admin_client: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        a_download(number, f"Film {number}")

    with django_assert_max_num_queries(9):
        assert admin_client.get(reverse(LIST)).status_code == 200
    with django_assert_max_num_queries(9):
        path = reverse("admin:downloads_downloadrequest_changelist")
        assert admin_client.get(path).status_code == 200


def test_films_are_found_by_title_and_by_tmdb_id(admin_client: Client) -> None:
    a_download(438631, "Dune")
    a_download(603, "The Matrix")

    assert titles(admin_client, "?q=matr") == ["The Matrix"]
    assert titles(admin_client, "?q=438631") == ["Dune"]
    assert titles(admin_client, "?q=nothing") == []


def test_the_filters_tell_trouble_from_the_rest(admin_client: Client) -> None:
    long_ago = timezone.now() - timedelta(days=30)
    a_download(1, "Fine")
    a_download(2, "Stuck", problem="no seeds")
    a_download(3, "Failed", "failed")
    a_download(4, "Failed long ago", "failed", status_changed_at=long_ago)
    a_download(5, "Ready", "completed")

    assert sorted(titles(admin_client, "?show=active")) == ["Fine", "Stuck"]
    assert titles(admin_client, "?show=problem") == ["Stuck"]
    assert sorted(titles(admin_client, "?show=attention")) == ["Failed", "Stuck"]
    assert titles(admin_client, "?status__exact=completed") == ["Ready"]


def test_a_films_page_shows_its_timeline_in_order(admin_client: Client) -> None:
    dune = a_download(1, "Dune", "requested")
    for status, reason in (
        (Status.SEARCHING, ""),
        (Status.DOWNLOADING, ""),
        (Status.FAILED, "missing articles"),
    ):
        transition_to(dune, status, now=timezone.now(), reason=reason)

    response = admin_client.get(reverse("admin:downloads_download_change", args=[dune.pk]))
    timeline = response.context["timeline"]
    html = response.content.decode()

    assert [(item["event"].old_status, item["event"].new_status) for item in timeline] == [
        ("requested", "searching"),
        ("searching", "downloading"),
        ("downloading", "failed"),
    ]
    assert html.count("missing articles") == 2
    assert "nobody is told" in html
    assert "is being told" in html


def test_the_monitors_page_shows_its_heartbeat(admin_client: Client) -> None:
    path = reverse("admin:downloads_monitorstate_change", args=[MonitorState.load().pk])

    assert "run_download_monitor" in admin_client.get(path).content.decode()
    MonitorState.objects.update(
        heartbeat={
            "at": timezone.now().isoformat(),
            "leader": "box:7",
            "last_tick": "2026-03-01T12:00:05Z",
            "result": {"error": "Radarr is away"},
        }
    )
    html = admin_client.get(path).content.decode()
    for expected in ("alive", "box:7", "12:00:05", "Radarr is away"):
        assert expected in html


# --- What the actions do ------------------------------------------------------------------------


def test_cancel_says_what_became_of_each(admin_client: Client) -> None:
    dune = a_download(1, "Dune")
    ready, failed = a_download(2, "Heat", "completed"), a_download(3, "Alien", "failed")

    said = act(admin_client, "cancel_selected", dune, ready, failed)

    assert sorted(said) == [
        ("success", "Dune: cancelled."),
        ("warning", "Alien: nothing to cancel, it has ended."),
        ("warning", "Heat: already completed."),
    ]
    dune.refresh_from_db()
    assert dune.status == Status.CANCELLED
    assert dune.events.get().kind == "cancelled"


def test_retry_asks_again_for_what_failed(admin_client: Client, radarr: FakeRadarr) -> None:
    dune = a_download(1, "Dune", "failed")

    said = act(admin_client, "retry_selected", dune)

    assert said == [("success", "Dune: asked for again, now searching.")]
    assert radarr.adds == 1
    dune.refresh_from_db()
    assert (dune.status, dune.generation) == (Status.SEARCHING, 2)


def test_retry_searches_anew_for_what_is_on_its_way(
    admin_client: Client, radarr: FakeRadarr
) -> None:
    movie = radarr.put(1, "Dune", 2021)
    dune = a_download(1, "Dune", "searching", radarr_id=movie["id"])

    assert act(admin_client, "retry_selected", dune) == [
        ("success", "Dune: is being searched for anew.")
    ]
    assert [command["name"] for command in radarr.commands] == ["MoviesSearch"]


def test_retry_leaves_alone_what_is_ready(admin_client: Client) -> None:
    heat = a_download(2, "Heat", "completed")

    assert act(admin_client, "retry_selected", heat) == [("warning", "Heat: already completed.")]


def test_retry_tells_of_a_refusal(admin_client: Client, radarr: FakeRadarr) -> None:
    radarr.excluded.add(1)
    dune = a_download(1, "Dune", "failed")

    assert act(admin_client, "retry_selected", dune) == [
        ("warning", "Dune: refused. On Radarr's exclusion list.")
    ]


def test_radarr_down_is_a_message_and_ends_the_action(
    admin_client: Client, radarr: FakeRadarr
) -> None:
    radarr.fail_with(requests.ConnectionError("refused"))
    films = [
        a_download(number, f"Film {number}", "searching", radarr_id=number) for number in (1, 2, 3)
    ]

    said = act(admin_client, "retry_selected", *films)

    assert [level for level, _ in said] == ["error", "warning"]
    assert "Radarr" in said[0][1]
    assert said[1][1] == "The 2 after it were left as they are."


def test_radarr_down_keeps_a_film_that_is_asked_for_again(
    admin_client: Client, radarr: FakeRadarr
) -> None:
    radarr.fail_with(requests.ConnectionError("refused"))
    dune = a_download(1, "Dune", "failed")

    ((level, text),) = act(admin_client, "retry_selected", dune)

    assert level == "error"
    assert "it is kept and tried again" in text
    dune.refresh_from_db()
    assert dune.status == Status.REQUESTED


def test_a_films_page_has_buttons_that_act(admin_client: Client) -> None:
    dune = a_download(1, "Dune")
    page = reverse("admin:downloads_download_change", args=[dune.pk])
    button = reverse("admin:downloads_download_cancel", args=[dune.pk])

    assert button in admin_client.get(page).content.decode()
    response = admin_client.post(button, {"_form_submitted": "1"})

    assert response.headers["HX-Redirect"] == page
    assert "Dune: cancelled." in admin_client.get(page).content.decode()
    dune.refresh_from_db()
    assert dune.status == Status.CANCELLED

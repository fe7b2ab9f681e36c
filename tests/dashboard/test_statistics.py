"""Statistics: the figures are right, and each leads to its rows."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from dashboard import figures
from downloads.models import Download, DownloadRequest
from moviesms.models import Quota
from tests.dashboard.conftest import (
    ALEX,
    SAM,
    a_contact,
    a_film,
    an_ask,
    came_in,
    happened,
    went_out,
)

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)  # a Wednesday


def a_course(
    tmdb_id: int, asked: float, *steps: tuple[str, float], person: str = SAM, reason: str = ""
) -> Download:
    """A film asked for `asked` minutes ago, and what happened to it since."""
    film = a_film(tmdb_id, f"Film {tmdb_id}", steps[-1][0] if steps else "requested", person)
    at = timezone.now() - timedelta(minutes=asked)
    DownloadRequest.objects.filter(download=film).update(created_at=at)
    for kind, minutes_ago in steps:
        happened(film, kind, minutes_ago, reason if kind == "failed" else "")
    return film


@pytest.fixture
def month() -> Any:
    """Four films: two ready (one in 60 min, one in 120), one failed, one on its way."""
    with time_machine.travel(NOON, tick=False) as clock:
        a_contact()
        a_contact(ALEX, "Alex")
        a_course(1, 500, ("started", 490), ("importing", 445), ("completed", 440))
        a_course(2, 300, ("started", 280), ("importing", 190), ("completed", 180), person=ALEX)
        a_course(3, 200, ("started", 190), ("failed", 100), reason="disk full")
        a_course(4, 30, ("started", 20))
        yield clock


def rows_behind(client: Client, link: str) -> list[list[str]]:
    response = client.get(f"{unescape(link)}&format=csv")
    assert response.status_code == 200
    return list(csv.reader(io.StringIO(response.content.decode())))[1:]


def test_the_tiles_count_requests_successes_and_the_time_in_the_middle(
    admin_client: Client, month: Any
) -> None:
    tiles = admin_client.get("/admin/statistics/").context["tiles"]

    assert [(tile.title, tile.value) for tile in tiles] == [
        ("Requests", "4"),
        ("Ready", "2"),
        ("Success", "67 %"),
        ("From text to ready", "60 min"),
    ]


def test_the_steps_have_their_median_and_their_slow_tenth(admin_client: Client, month: Any) -> None:
    steps = admin_client.get("/admin/statistics/").context["steps"]

    assert [[figure.value for figure in row] for row in steps] == [
        ["From text to ready", "60 min", "2.0 h", "2"],
        ["Radarr finds it", "10 min", "20 min", "2"],
        ["It downloads", "45 min", "1.5 h", "2"],
        ["It is imported", "5 min", "10 min", "2"],
    ]


def test_a_text_that_had_to_wait_counts_from_when_it_came_in(
    admin_client: Client, month: Any
) -> None:
    origin = DownloadRequest.objects.get(download__tmdb_id=1).origin
    came_in(
        a_contact("+12025550199"),
        "get it",
        twilio_sid=origin.partition(":")[0],
        received_at=NOON - timedelta(minutes=530),
    )

    steps = admin_client.get("/admin/statistics/").context["steps"]

    assert steps[0][1].value == "1.5 h"


def test_every_figure_leads_to_as_many_rows_as_it_says(admin_client: Client, month: Any) -> None:
    context = admin_client.get("/admin/statistics/").context
    counted = [*context["tiles"][:2], *context["outcomes"], *context["reasons"]]
    counted += [figure for row in context["weeks_table"] for figure in row[1:]]
    counted += [figure for row in context["people"] for figure in row[1:3]]
    counted += [row[3] for row in context["steps"]]

    assert len(counted) > 40
    for figure in counted:
        assert len(rows_behind(admin_client, figure.link)) == int(figure.value), figure


def test_reasons_and_people_are_named(admin_client: Client, month: Any) -> None:
    context = admin_client.get("/admin/statistics/").context

    assert [(f.title, f.value) for f in context["reasons"]] == [("disk full", "1")]
    assert [[f.value for f in row] for row in context["people"]] == [
        ["Sam", "3", "1", "50 %"],
        ["Alex", "1", "1", "100 %"],
    ]


def test_who_left_is_no_failure_and_what_was_there_took_no_time(
    admin_client: Client, month: Any
) -> None:
    film = Download.objects.get(tmdb_id=1)
    an_ask(film, ALEX)
    DownloadRequest.objects.filter(download__tmdb_id=3).update(state="withdrawn")

    context = admin_client.get("/admin/statistics/").context

    assert context["tiles"][2].value == "100 %"
    assert context["tiles"][3].value == "60 min"
    assert {f.title: f.value for f in context["outcomes"]}["Left by the person"] == "1"


def test_the_chosen_time_bounds_what_is_counted(admin_client: Client, month: Any) -> None:
    month.shift(timedelta(weeks=6))

    def requests(query: str) -> str:
        tiles = admin_client.get(f"/admin/statistics/{query}").context["tiles"]
        return str(tiles[0].value)

    assert [requests(q) for q in ("?weeks=4", "", "?weeks=52", "?weeks=x")] == ["0", "4", "4", "4"]


def test_texts_and_what_they_cost(admin_client: Client, month: Any, settings: Settings) -> None:
    settings.SMS_SEGMENT_COST = Decimal("0.01")
    settings.SMS_CURRENCY = "EUR"
    sam = a_contact("+12025550120", "Ben")
    went_out(sam, "hello", segments=3, sent_at=NOON - timedelta(minutes=1))
    went_out(sam, "hello again", segments=2, sent_at=NOON - timedelta(days=7))
    went_out(sam, "never went", segments=4, sent_at=None, status="suppressed")

    context = admin_client.get("/admin/statistics/").context

    assert [tile.value for tile in context["text_tiles"]] == ["2", "5", "0.05 EUR"]
    assert [figure.value for figure in context["segments_table"][-1]] == ["2 Mar", "3", "0.03 EUR"]
    [row] = rows_behind(admin_client, context["segments_table"][-1][1].link)
    assert row[1:] == ["Ben", "by hand", "delivered", "3", "0.0300"]


def test_without_a_price_no_cost_is_shown(admin_client: Client) -> None:
    tiles = admin_client.get("/admin/statistics/").context["text_tiles"]

    assert [tile.title for tile in tiles] == ["Texts sent", "Segments"]


def test_the_models_calls_and_tokens(admin_client: Client, month: Any) -> None:
    for key, used in (("openai:calls", 7), ("openai:tokens", 4200), ("sms", 99)):
        Quota.objects.create(key=key, day=NOON.date(), used=used)

    context = admin_client.get("/admin/statistics/").context

    assert [tile.value for tile in context["model_tiles"]] == ["7", "4,200"]
    [row] = rows_behind(admin_client, context["model_tiles"][0].link)
    assert row == ["2026-03-04", "7", "4200"]


def test_a_csv_holds_no_formula(admin_client: Client, month: Any) -> None:
    Download.objects.filter(tmdb_id=4).update(title='=HYPERLINK("http://evil")')

    rows = rows_behind(admin_client, "/admin/statistics/films?weeks=4")

    assert '\'=HYPERLINK("http://evil")' in {row[0] for row in rows}


def test_charts_are_drawn_from_files_of_ours_and_no_script_stands_in_the_page(
    admin_client: Client, month: Any
) -> None:
    html = admin_client.get("/admin/statistics/").content.decode()

    assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>|\son\w+=", html)
    assert not re.search(r'(?:src|href)="(?:https?:)?//(?!www\.themoviedb)', html)
    assert html.count("data-chart=") == 4


def test_a_year_takes_few_queries(
    admin_client: Client, month: Any, django_assert_max_num_queries: Any
) -> None:
    for number in range(100, 150):
        a_course(number, number, ("started", 50), ("completed", 40))
    with django_assert_max_num_queries(16):
        admin_client.get("/admin/statistics/?weeks=52")


def test_weeks_begin_on_mondays_of_the_household(settings: Settings) -> None:
    settings.TIME_ZONE = "America/Los_Angeles"
    with timezone.override("America/Los_Angeles"):
        sunday_evening = datetime(2026, 3, 2, 4, tzinfo=UTC)
        assert str(figures.week_of(sunday_evening)) == "2026-02-23"


def test_a_spread_of_nothing_and_of_ten() -> None:
    times = [timedelta(minutes=n) for n in range(1, 11)]

    assert figures.spread([]) == figures.Spread(0, None, None)
    assert figures.spread(times) == figures.Spread(10, times[4], times[8])

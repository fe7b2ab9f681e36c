"""The HTTP interface: who gets in, what it answers, and that each error has its stable code."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
import yaml
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from django_redis import get_redis_connection
from pytest_django import Settings

from downloads import control
from downloads.models import Download, DownloadRequest, MonitorState
from moviesms import health
from moviesms.embedded_redis import EmbeddedRedis
from moviesms.models import ApiToken, Incident
from smsbot.models import Contact
from tests.conftest import ALEX, SAM, Household
from tests.fakes import FakeRadarr, FakeTmdb

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIST = "/api/sms/downloads"
KNIGHT = f"{LIST}/155"
MONITOR = "/api/sms/download-monitor"
WEBHOOKS = {"api/sms/webhook", "api/sms/status/<uuid:public_id>", "api/sms/radarr/webhook"}
DOCS = Path(__file__).parents[2] / "docs" / "api.md"
ADDED = "🎬 Great! I found 'The Dark Knight (2008)' and added it to your download queue. "

pytestmark = pytest.mark.django_db


class Api:
    """The interface as a program sees it that holds a token."""

    def __init__(self, scope: str = "write", **headers: str) -> None:
        key = ApiToken.issue(f"{scope}-{uuid4()}", scope)[1]
        self.headers = headers or {"Authorization": f"Token {key}"}
        self.client = Client(raise_request_exception=False)

    def get(self, path: str, **query: str) -> Any:
        return self.client.get(path, query, headers=self.headers)

    def post(self, path: str, body: object = None) -> Any:
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        return self.client.post(path, text, content_type="application/json", headers=self.headers)

    def ask(self, **changes: object) -> Any:
        """Ask for The Dark Knight for Sam."""
        return self.post(LIST, {"phone_number": SAM, "tmdb_id": 155, **changes})


@pytest.fixture
def api() -> Api:
    return Api()


def make(tmdb_id: int = 155, **fields: Any) -> Download:
    defaults = {
        "title": "The Dark Knight",
        "generation_started_at": NOON,
        "status_changed_at": NOON,
        "status": "searching",
    }
    return Download.objects.create(tmdb_id=tmdb_id, **{**defaults, **fields})


def problem(response: Any) -> tuple[int, str]:
    """The answer's status and code; every error has exactly these two and perhaps its own more."""
    body = response.json()
    assert isinstance(body["detail"], str)
    assert body["detail"]
    assert set(body) <= {"code", "detail", "errors", "matches"}
    return response.status_code, body["code"]


# --- who gets in ----------------------------------------------------------------------------------


def routes(resolver: Any = None, prefix: str = "") -> Iterator[str]:
    for entry in (resolver or get_resolver()).url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry, path)
        elif isinstance(entry, URLPattern) and path.startswith("api/"):
            yield path


ROUTES = sorted(set(routes()))


def concrete(route: str) -> str:
    return "/" + route.replace("<int:tmdb_id>", "155").replace("<uuid:public_id>", str(uuid4()))


def test_the_walk_sees_the_whole_interface() -> None:
    assert len(ROUTES) >= 12
    assert set(ROUTES) >= WEBHOOKS | {"api/schema", "api/docs", "api/sms/downloads"}
    assert not any(route.endswith("/") or "(" in concrete(route) for route in ROUTES)


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options", "head"])
@pytest.mark.parametrize("route", ROUTES)
def test_nobody_gets_in_without_a_key(client: Client, route: str, method: str) -> None:
    make()
    form = "application/x-www-form-urlencoded"
    response = client.generic(method.upper(), concrete(route), "Body=hi", content_type=form)
    if route not in WEBHOOKS:
        assert response.status_code == 401
    elif method == "post":
        assert response.status_code == 403
    elif method != "options":  # which says what there is, and does nothing
        assert response.status_code in (403, 405)


BAD_KEYS = ["", "Token", "Token ", "Token a b", "Token wrong", "Token \x00", "Token é", "Bearer x"]
BAD_KEYS += ["Basic dXNlcjpwYXNz", "Token " + "x" * 5000, "garbage"]


@pytest.mark.parametrize("header", BAD_KEYS)
def test_a_wrong_key_is_no_key(header: str) -> None:
    status, code = problem(Api(Authorization=header).get(LIST))
    assert status == 401
    assert code in ("authentication_failed", "not_authenticated")


def test_a_key_opens_until_it_is_revoked() -> None:
    token, key = ApiToken.issue("mine", "read")
    api = Api(Authorization=f"token {key}")
    assert api.get(LIST).status_code == 200
    assert Client().get(LIST, {"token": key}).status_code == 401
    ApiToken.objects.filter(pk=token.pk).update(revoked_at=NOON)
    assert problem(api.get(LIST)) == (401, "authentication_failed")


def test_a_key_is_long_and_not_kept() -> None:
    keys = {ApiToken.issue(f"t{n}", "read")[1] for n in range(20)}
    assert len(keys) == 20
    assert min(map(len, keys)) * 6 >= 128
    kept = str(list(ApiToken.objects.values()))
    assert not any(key in kept for key in keys)


WRITES = [route for route in ROUTES if re.search("downloads$|cancel|retry|start|stop", route)]


@pytest.mark.parametrize("route", WRITES)
def test_a_reading_key_writes_nothing(route: str) -> None:
    make()
    before = (list(Download.objects.values()), list(MonitorState.objects.values()))
    response = Api("read").post(concrete(route), {"phone_number": SAM, "tmdb_id": 155})
    assert problem(response) == (403, "permission_denied")
    assert (list(Download.objects.values()), list(MonitorState.objects.values())) == before


@pytest.mark.parametrize("path", [LIST, KNIGHT, f"{MONITOR}/status", "/api/schema", "/api/docs"])
def test_a_reading_key_reads(path: str) -> None:
    make()
    assert Api("read").get(path).status_code == 200


def test_staff_read_and_write_with_their_session_and_a_csrf_token() -> None:
    make()
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create(username="owner", is_staff=True))
    assert client.get(LIST).status_code == 200
    assert problem(client.post(f"{KNIGHT}/cancel")) == (403, "permission_denied")
    assert Download.objects.get().status == "searching"
    client.cookies[django_settings.CSRF_COOKIE_NAME] = "a" * 32
    response = client.post(f"{KNIGHT}/cancel", headers={"X-CSRFToken": "a" * 32})
    assert response.status_code == 200


def test_who_is_signed_in_and_no_staff_stays_out(client: Client) -> None:
    client.force_login(User.objects.create(username="guest"))
    assert problem(client.get(LIST)) == (403, "permission_denied")


def test_a_person_can_look_with_a_browser(api: Api) -> None:
    response = api.client.get(LIST, headers={**api.headers, "Accept": "text/html"})
    assert (response.status_code, response["Content-Type"]) == (200, "text/html; charset=utf-8")


# --- the list -------------------------------------------------------------------------------------


def listed(api: Api, **query: str) -> list[int]:
    response = api.get(LIST, **query)
    assert response.status_code == 200, response.content
    return [row["tmdb_id"] for row in response.json()["results"]]


@pytest.fixture
def three(api: Api) -> Api:
    """Three films, the first changed last; Sam asked for two of them."""
    films = [(1, "Alien", 1979, "failed"), (2, "Brazil", 1985, "searching")]
    for number, title, year, status in [*films, (3, "Alien 3", 1992, "searching")]:
        changed = NOON - timedelta(minutes=number)
        row = make(number, title=title, year=year, status=status, status_changed_at=changed)
        asker = ALEX if number == 3 else SAM
        DownloadRequest.objects.create(
            download=row, generation=1, requester=asker, origin=str(number)
        )
    return api


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [1, 2, 3]),
        ({"status": "searching"}, [2, 3]),
        ({"status": "waiting"}, []),
        ({"requester": SAM}, [1, 2]),
        ({"requester": "+19995550000"}, []),
        ({"title": "alien"}, [1, 3]),
        ({"title": "%"}, []),
        ({"title": "' OR 1=1 --"}, []),
        ({"title": "alien", "status": "searching", "requester": ALEX}, [3]),
        ({"status": "", "requester": "", "title": "", "ordering": ""}, [1, 2, 3]),
        ({"ordering": "title"}, [1, 3, 2]),
        ({"ordering": "-title"}, [2, 3, 1]),
        ({"ordering": "-year"}, [3, 2, 1]),
        ({"ordering": "created_at"}, [1, 2, 3]),
        ({"ordering": "status_changed_at"}, [3, 2, 1]),
    ],
)
def test_the_list_is_filtered_and_ordered(
    three: Api, query: dict[str, str], found: list[int]
) -> None:
    assert listed(three, **query) == found


def test_the_list_comes_in_pages(api: Api, django_assert_max_num_queries: Any) -> None:
    for number in range(1, 61):
        make(number, status_changed_at=NOON - timedelta(minutes=number))
    with django_assert_max_num_queries(4):
        first = api.get(LIST).json()
    assert (first["count"], len(first["results"]), first["previous"]) == (60, 50, None)
    assert listed(api, page="2") == list(range(51, 61))
    assert api.get(first["next"]).json()["next"] is None
    assert problem(api.get(LIST, page="3")) == (404, "not_found")


def test_a_line_of_the_list(api: Api) -> None:
    make(year=2008, status="failed", reason="no luck")
    [line] = api.get(LIST).json()["results"]
    assert line.pop("created_at")
    assert line == {
        "tmdb_id": 155,
        "media_type": "movie",
        "title": "The Dark Knight",
        "year": 2008,
        "poster_path": "",
        "status": "failed",
        "reason": "no luck",
        "problem": "",
        "status_changed_at": "2026-03-01T12:00:00Z",
        "completed_at": None,
    }


# --- one ------------------------------------------------------------------------------------------


def test_one_shows_live_percent_and_eta_from_a_key_that_ends(
    api: Api, household: Household, radarr: FakeRadarr
) -> None:
    api.ask()
    item = radarr.grab(155, timezone.now())
    household.tick()
    eta = item["estimatedCompletionTime"]
    progress = {"percent": 25.0, "size": 8_000_000_000, "size_left": 6_000_000_000, "eta": eta}
    assert api.get(KNIGHT).json()["progress"] == progress
    week = 7 * 24 * 3600
    assert week - 60 < get_redis_connection("live").ttl("download:movie:155") <= week

    item["sizeleft"] = 2_000_000_000
    household.tick()
    assert api.get(KNIGHT).json()["progress"]["percent"] == 75.0


def test_one_tells_its_story_and_hides_the_numbers(api: Api, household: Household) -> None:
    for person in (SAM, ALEX):
        api.ask(phone_number=person)
    household.tick()
    response = api.get(KNIGHT)
    body = response.json()
    assert body["requesters"] == ["+…0142", "+…0175"]
    [line] = body["timeline"]
    assert (line["kind"], line["old_status"], line["new_status"]) == (
        "searching",
        "requested",
        "searching",
    )
    assert "2025550" not in response.content.decode()


def test_without_redis_one_is_shown_all_the_same(
    api: Api, household: Household, radarr: FakeRadarr, redis_server: EmbeddedRedis
) -> None:
    api.ask()
    radarr.grab(155, timezone.now())
    household.tick()
    redis_server.stop()
    try:
        body = api.get(KNIGHT).json()
    finally:
        redis_server.start()
    assert (body["status"], body["progress"]["percent"]) == ("downloading", None)


@pytest.mark.parametrize("path", [KNIGHT, f"{LIST}/0", f"{LIST}/99999999999999999999"])
def test_what_nobody_asked_for_is_not_found(api: Api, path: str) -> None:
    assert problem(api.get(path)) == (404, "not_found")
    for action in ("cancel", "retry"):
        assert problem(api.post(f"{path}/{action}")) == (404, "not_found")


# --- asking ---------------------------------------------------------------------------------------


def test_an_ask_creates_and_the_person_is_told_once(api: Api, household: Household) -> None:
    response = api.ask()
    assert (response.status_code, response.json()["status"]) == (201, "searching")
    for _ in range(3):
        household.work()
    household.tick(minutes=5)
    assert [text[: len(ADDED)] for text in household.texts_to(SAM)] == [ADDED]


def test_an_ask_for_what_is_on_its_way_joins(
    api: Api, household: Household, radarr: FakeRadarr
) -> None:
    answers = [api.ask(phone_number=person) for person in (SAM, SAM, "+1 (202) 555-0142", ALEX)]
    assert [answer.status_code for answer in answers] == [201, 200, 200, 200]
    assert (radarr.adds, Download.objects.count(), DownloadRequest.objects.count()) == (1, 1, 2)
    household.work()
    assert [len(household.texts_to(person)) for person in (SAM, ALEX)] == [1, 1]


def test_a_title_will_do_when_it_is_clear(api: Api, household: Household) -> None:
    response = api.post(LIST, {"phone_number": SAM, "title": "the matrix", "year": 1999})
    assert (response.status_code, response.json()["tmdb_id"]) == (201, 603)


def test_a_form_will_do_too(api: Api, household: Household) -> None:
    form = {"phone_number": SAM, "tmdb_id": "155"}
    assert api.client.post(LIST, form, headers=api.headers).status_code == 201


def test_several_films_of_one_title_are_offered(api: Api, household: Household) -> None:
    response = api.post(LIST, {"phone_number": SAM, "title": "Dune"})
    assert problem(response) == (409, "ambiguous")
    matches = response.json()["matches"]
    assert {(m["tmdb_id"], m["title"], m["year"]) for m in matches} == {
        (438631, "Dune", 2021),
        (841, "Dune", 1984),
    }
    assert not Download.objects.exists()


@pytest.mark.parametrize("wanted", [{"tmdb_id": 999}, {"title": "Zorbatron Nine"}])
def test_what_tmdb_does_not_know_is_an_unknown_film(
    api: Api, household: Household, wanted: dict[str, object]
) -> None:
    response = api.post(LIST, {"phone_number": SAM, **wanted})
    assert problem(response) == (404, "unknown_film")
    assert not Download.objects.exists()


@pytest.mark.parametrize(
    ("policy", "fields", "code"),
    [
        ("allowlist", {}, "not_allowed"),
        ("open", {"standing": Contact.Standing.BLOCKED}, "not_allowed"),
        ("open", {"opted_out_at": NOON}, "opted_out"),
    ],
)
def test_who_may_not_ask_is_refused_before_anything_is_paid_for(
    api: Api,
    household: Household,
    tmdb: FakeTmdb,
    settings: Any,
    policy: str,
    fields: dict[str, Any],
    code: str,
) -> None:
    settings.REQUEST_POLICY = policy
    if fields:
        Contact.objects.create(address=SAM, **fields)
    assert problem(api.ask()) == (403, code)
    assert tmdb.calls == []
    assert not Download.objects.exists()


@pytest.mark.parametrize(
    "broken",
    [(503, {}, ""), (401, {}, "{}"), requests.exceptions.ReadTimeout("timed out")],
    ids=["503", "401", "timeout"],
)
@pytest.mark.parametrize("wanted", [{"tmdb_id": 155}, {"title": "The Matrix"}])
def test_tmdb_away_is_said(
    api: Api, household: Household, tmdb: FakeTmdb, broken: Any, wanted: dict[str, object]
) -> None:
    tmdb.fail_with(broken)
    response = api.post(LIST, {"phone_number": SAM, **wanted})
    assert problem(response) == (503, "tmdb_unavailable")
    assert django_settings.TMDB_API_KEY not in response.content.decode()


def test_tmdb_not_set_up_is_said(api: Api, household: Household, settings: Any) -> None:
    settings.TMDB_API_KEY = ""
    assert problem(api.ask()) == (503, "tmdb_unavailable")


def test_radarr_away_keeps_the_request(api: Api, household: Household, radarr: FakeRadarr) -> None:
    radarr.fail_with(requests.exceptions.ConnectionError("refused"))
    response = api.ask()
    assert (response.status_code, response.json()["status"]) == (201, "requested")
    household.work()
    [text] = household.texts_to(SAM)
    assert "saved your request" in text


# --- cancelling, trying again ---------------------------------------------------------------------


def test_a_cancel_ends_it_for_all_and_tells_them(api: Api, household: Household) -> None:
    for person in (SAM, ALEX):
        api.ask(phone_number=person)
    household.work()
    for _ in range(2):
        response = api.post(f"{KNIGHT}/cancel")
        assert (response.status_code, response.json()["status"]) == (200, "cancelled")
    household.work()
    assert [len(household.texts_to(person)) for person in (SAM, ALEX)] == [2, 2]


def test_a_retry_asks_again(api: Api, household: Household) -> None:
    api.ask()
    household.work()
    Download.objects.update(status="failed")
    response = api.post(f"{KNIGHT}/retry")
    assert (response.status_code, response.json()["status"]) == (200, "searching")
    assert response.json()["requesters"] == ["+…0142"]


@pytest.mark.parametrize("action", ["cancel", "retry"])
def test_what_is_there_is_there(api: Api, action: str) -> None:
    make(status="completed")
    assert problem(api.post(f"{KNIGHT}/{action}")) == (409, "already_completed")
    assert Download.objects.get().status == "completed"


def test_a_retry_on_the_way_needs_radarr(
    api: Api, household: Household, radarr: FakeRadarr
) -> None:
    api.ask()
    radarr.fail_with((503, {"X-Application-Version": "6"}, "{}"))
    assert problem(api.post(f"{KNIGHT}/retry")) == (503, "radarr_unavailable")


# --- the monitor ----------------------------------------------------------------------------------


def test_the_monitors_state_without_a_process(api: Api) -> None:
    make()
    assert api.get(f"{MONITOR}/status").json() == {
        "wanted": "running",
        "alive": False,
        "leader": None,
        "last_heartbeat": None,
        "last_tick": None,
        "tick_seconds": None,
        "next_tick": None,
        "last_result": None,
        "error": None,
        "active": 1,
        "unprocessed_events": 0,
    }


def test_the_monitors_state_with_one(api: Api, household: Household, radarr: FakeRadarr) -> None:
    api.ask()
    radarr.fail_with((503, {"X-Application-Version": "6"}, "{}"))
    call_command("run_download_monitor", "--once")
    state = api.get(f"{MONITOR}/status").json()
    assert state["alive"] is True
    assert state["last_tick"] == "2026-03-01T12:00:00+00:00"
    assert state["next_tick"] == "2026-03-01T12:00:30+00:00"
    assert "Radarr" in state["error"]


@pytest.mark.parametrize(("action", "wanted"), [("start", "running"), ("stop", "stopped")])
def test_without_a_process_the_wish_is_kept_and_the_command_named(
    api: Api, action: str, wanted: str
) -> None:
    response = api.post(f"{MONITOR}/{action}")
    assert problem(response) == (503, "monitor_not_running")
    assert "run_download_monitor" in response.json()["detail"]
    assert MonitorState.load().wanted == wanted


@pytest.mark.parametrize(("action", "wanted"), [("start", "running"), ("stop", "stopped")])
def test_a_living_process_acknowledges(api: Api, action: str, wanted: str) -> None:
    control.beat({"at": timezone.now().isoformat(), "wanted_version": 99, "leader": "box:1"})
    response = api.post(f"{MONITOR}/{action}")
    assert response.status_code == 200
    state = response.json()
    assert (state["wanted"], state["alive"], state["acknowledged"]) == (wanted, True, True)


# --- bad input ------------------------------------------------------------------------------------

LONG = "9" * 1001
FIELDS: list[tuple[str, object, str]] = [
    ("phone_number", ..., "required"),
    ("phone_number", None, "null"),
    ("phone_number", "", "blank"),
    ("phone_number", "   ", "blank"),
    ("phone_number", "hello", "invalid_phone"),
    ("phone_number", "2025550142", "invalid_phone"),
    ("phone_number", "+1", "invalid_phone"),
    ("phone_number", "+1202555", "invalid_phone"),
    ("phone_number", "+12025550142000000", "invalid_phone"),
    ("phone_number", 12025550142, "invalid_phone"),
    ("phone_number", -5, "invalid_phone"),
    ("phone_number", "+1" + "2" * 40, "max_length"),
    ("phone_number", True, "invalid"),
    ("phone_number", [SAM], "invalid"),
    ("phone_number", {"a": 1}, "invalid"),
    ("phone_number", "+1202\x005550142", "null_characters_not_allowed"),
    ("tmdb_id", None, "null"),
    ("tmdb_id", "", "invalid"),
    ("tmdb_id", "the dark knight", "invalid"),
    ("tmdb_id", 1.5, "invalid"),
    ("tmdb_id", True, "invalid"),
    ("tmdb_id", [155], "invalid"),
    ("tmdb_id", {"id": 155}, "invalid"),
    ("tmdb_id", 0, "min_value"),
    ("tmdb_id", -155, "min_value"),
    ("tmdb_id", 2_000_000_001, "max_value"),
    ("tmdb_id", int("9" * 30), "max_value"),
    ("tmdb_id", LONG, "max_string_length"),
    ("title", None, "null"),
    ("title", "", "blank"),
    ("title", " \t", "blank"),
    ("title", "x" * 201, "max_length"),
    ("title", ["Dune"], "invalid"),
    ("title", False, "invalid"),
    ("title", "Du\x00ne", "null_characters_not_allowed"),
    ("title", "Dune \ud800", "surrogate_characters_not_allowed"),
    ("year", None, "null"),
    ("year", "soon", "invalid"),
    ("year", 19.84, "invalid"),
    ("year", 1869, "min_value"),
    ("year", -1984, "min_value"),
    ("year", 2101, "max_value"),
]


@pytest.mark.parametrize(("field", "value", "code"), FIELDS)
def test_each_field_says_what_is_wrong_with_it(
    api: Api, field: str, value: object, code: str
) -> None:
    body: dict[str, object] = {"phone_number": SAM}
    body |= {"title": "Dune", "year": 1984} if field in ("title", "year") else {"tmdb_id": 155}
    body[field] = value
    if value is ...:
        del body[field]
    response = api.post(LIST, body)
    assert problem(response) == (400, "invalid")
    errors = response.json()["errors"]
    assert [(name, [e["code"] for e in found]) for name, found in errors.items()] == [
        (field, [code])
    ]
    assert errors[field][0]["detail"]
    assert not Download.objects.exists()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"phone_number": SAM}, "tmdb_id_or_title_required"),
        ({"phone_number": SAM, "year": 1984}, "tmdb_id_or_title_required"),
        ({"phone_number": SAM, "tmdb_id": 155, "title": "Dune"}, "tmdb_id_or_title_required"),
        ({"phone_number": SAM, "tmdb_id": 155, "year": 2008}, "year_without_title"),
        ([], "invalid"),
        ("text", "invalid"),
        (155, "invalid"),
        (None, "null"),
    ],
)
def test_fields_that_do_not_go_together(api: Api, body: object, code: str) -> None:
    response = api.post(LIST, json.dumps(body))
    assert problem(response) == (400, "invalid")
    [error] = response.json()["errors"]["non_field_errors"]
    assert error["code"] == code


MALFORMED: list[tuple[str, str | bytes]] = [
    ("empty", b""),
    ("cut off", '{"phone_number": "+1'),
    ("single quotes", "{'tmdb_id': 155}"),
    ("a trailing comma", '{"tmdb_id": 155,}'),
    ("not a number", '{"tmdb_id": NaN}'),
    ("not UTF-8", b'{"title": "\xff"}'),
    ("a number without end", '{"tmdb_id": ' + "9" * 5000 + "}"),
    ("a well without end", "[" * 100_000),
]


@pytest.mark.parametrize("body", [m[1] for m in MALFORMED], ids=[m[0] for m in MALFORMED])
def test_what_is_not_json_is_said_to_be_none(api: Api, body: str | bytes) -> None:
    status, code = problem(api.post(LIST, body))
    assert (status, code) in ((400, "parse_error"), (400, "invalid"))
    assert code == "parse_error" or body == b""


def test_a_body_of_another_kind_is_refused(api: Api) -> None:
    for kind in ("text/plain", "application/xml", "image/png"):
        response = api.client.post(LIST, "x", content_type=kind, headers=api.headers)
        assert problem(response) == (415, "unsupported_media_type")


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
def test_a_huge_body_is_refused(api: Api, kind: str) -> None:
    body = json.dumps({"title": "x" * 2 * 1024 * 1024})
    response = api.client.post(LIST, body, content_type=kind, headers=api.headers)
    assert problem(response) == (413, "too_large")


def test_a_form_of_thousands_of_fields_is_refused(api: Api) -> None:
    kind = "application/x-www-form-urlencoded"
    response = api.client.post(LIST, "a=1&" * 5000, content_type=kind, headers=api.headers)
    assert problem(response) == (400, "parse_error")


@pytest.mark.parametrize(
    ("path", "name", "value", "code"),
    [
        (LIST, "status", "beaming", "invalid_choice"),
        (LIST, "requester", "+" + "1" * 30, "max_length"),
        (LIST, "title", "x" * 201, "max_length"),
        (LIST, "title", "\x00", "null_characters_not_allowed"),
        (LIST, "ordering", "radarr_id", "invalid_choice"),
        (LIST, "ordering", "--title", "invalid_choice"),
        (KNIGHT, "media_type", "tv", "invalid_choice"),
    ],
)
def test_each_query_parameter_says_what_is_wrong_with_it(
    api: Api, path: str, name: str, value: str, code: str
) -> None:
    response = api.get(path, **{name: value})
    assert problem(response) == (400, "invalid")
    [error] = response.json()["errors"][name]
    assert error["code"] == code


@pytest.mark.parametrize("action", ["cancel", "retry"])
def test_actions_check_their_query_too(api: Api, action: str) -> None:
    make()
    assert problem(api.post(f"{KNIGHT}/{action}?media_type=tv")) == (400, "invalid")


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999999999999999"])
def test_a_page_that_is_none_is_not_found(api: Api, page: str) -> None:
    assert problem(api.get(LIST, page=page)) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path"),
    [("delete", LIST), ("put", KNIGHT), ("get", f"{KNIGHT}/cancel"), ("get", f"{MONITOR}/stop")],
)
def test_a_method_that_is_none_is_refused(api: Api, method: str, path: str) -> None:
    response = getattr(api.client, method)(path, headers=api.headers)
    assert problem(response) == (405, "method_not_allowed")


def test_a_format_that_is_none_is_refused(api: Api) -> None:
    response = api.client.get(LIST, headers={**api.headers, "Accept": "application/xml"})
    assert problem(response) == (406, "not_acceptable")


# --- what is written about it ---------------------------------------------------------------------


def test_the_openapi_document_is_whole_and_without_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "openapi.yaml"
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(file))
    document = yaml.safe_load(file.read_text())
    served = {re.sub(r"<\w+:(\w+)>", r"{\1}", f"/{route}") for route in set(ROUTES) - WEBHOOKS}
    assert set(document["paths"]) == served - {"/api/schema", "/api/docs"}
    create = document["paths"][LIST]["post"]
    assert set(create["responses"]) >= {"200", "201", "400", "403", "404", "409", "503"}


def test_the_docs_name_every_route_and_every_code() -> None:
    text = DOCS.read_text()
    for route in ROUTES:
        assert re.sub(r"<\w+:(\w+)>", r"<\1>", f"/{route}") in text, route
    general = {"invalid", "parse_error", "too_large", "not_found", "unknown_film", "ambiguous"}
    general |= {"not_authenticated", "authentication_failed", "permission_denied", "not_allowed"}
    general |= {"opted_out", "already_completed", "method_not_allowed", "unsupported_media_type"}
    general |= {"not_acceptable", "tmdb_unavailable", "radarr_unavailable", "forbidden"}
    general |= {"monitor_not_running", "tmdb_id_or_title_required", "year_without_title"}
    for code in general | {code for *_, code in FIELDS} | {"invalid_choice"}:
        assert f"`{code}`" in text, code


# --- /healthz -------------------------------------------------------------------------------------


def test_health_for_anyone_and_without_secrets(client: Client) -> None:
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.json() == {
        "status": "degraded",  # no monitor is at work
        "database": "up",
        "redis": "up",
        "monitor": {"alive": False, "wanted": "running", "last_tick": None},
        "incidents": 0,
    }
    assert "no-store" in response["Cache-Control"]


def test_health_is_ok_while_all_is_well(client: Client) -> None:
    call_command("run_download_monitor", "--once")
    body = client.get("/healthz").json()
    assert (body["status"], body["monitor"]["alive"]) == ("ok", True)


def test_a_reported_film_is_no_ill_health(
    client: Client, household: Household, settings: Settings
) -> None:
    settings.REQUEST_POLICY = "open"
    settings.OWNER_PHONE_NUMBERS = []
    household.text(SAM, "get The Dark Knight")
    Download.objects.update(status="completed", completed_at=timezone.now())
    household.text(SAM, "no sound in The Dark Knight")
    assert Incident.objects.filter(closed_at=None).exists()
    call_command("run_download_monitor", "--once")
    body = client.get("/healthz").json()
    assert (body["status"], body["incidents"]) == ("ok", 0)


def test_health_holds_no_secret_and_no_number(
    client: Client, household: Household, radarr: FakeRadarr
) -> None:
    household.text(SAM, "get the dark knight")
    radarr.fail_with((401, {}, ""))
    household.tick()
    call_command("run_download_monitor", "--once")
    text = client.get("/healthz").content.decode()
    assert '"incidents": 1' in text
    names = [n for n in dir(django_settings) if re.search("KEY$|TOKEN$|SECRET$|PASSWORD$|_URL$", n)]
    values = [value for n in names if isinstance(value := getattr(django_settings, n), str)]
    assert len(values) >= 6
    assert not [value for value in values if len(value) > 8 and value in text]
    assert "2025550" not in text


def test_health_without_redis_is_degraded_and_alive(
    client: Client, redis_server: EmbeddedRedis
) -> None:
    redis_server.stop()
    try:
        response = client.get("/healthz")
    finally:
        redis_server.start()
    assert (response.status_code, response.json()["redis"]) == (200, "down")


def test_health_without_the_database_is_a_503(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Down:
        def cursor(self) -> None:
            raise OperationalError("no route to postgresql://user:secret@db")

    monkeypatch.setattr(health, "connection", Down())
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (503, {"status": "down", "database": "down"})

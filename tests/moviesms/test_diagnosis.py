"""`manage.py test_download_system`: a line for each check, and what to do about those that fail."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import httpx2
import openai
import pytest
import requests
import responses
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings
from redis.exceptions import ReadOnlyError

from downloads import control, services
from downloads.models import Download, DownloadEvent, DownloadRequest
from downloads.radarr import WEBHOOK_EVENTS
from moviesms import diagnosis, live
from moviesms.breaker import Breaker
from moviesms.diagnosis import GROUPS, Check, Result, examine
from smsbot import understanding

pytestmark = pytest.mark.django_db

RADARR = "http://radarr.test:7878"
TMDB = "https://api.themoviedb.org/3"
ACCOUNT = "AC" + "0" * 32
TWILIO = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}"
KEYS = {
    "RADARR_API_KEY": "0123456789abcdef-radarr",
    "RADARR_WEBHOOK_SECRET": "0123456789abcdef-webhook",
    "TMDB_API_KEY": "0123456789abcdef-tmdb",
    "TWILIO_AUTH_TOKEN": "0123456789abcdef-twilio",
    "OPENAI_API_KEY": "0123456789abcdef-openai",
}
NUMBER = "+12025550100"
READING = {
    "intent": "request",
    "titles": [{"title": "The Dark Knight", "year": None, "media": "movie"}],
    "choice": None,
    "language": "en",
}


@pytest.fixture(autouse=True)
def _configured(settings: Settings) -> None:
    for name, value in KEYS.items():
        setattr(settings, name, value)
    settings.RADARR_URL = RADARR
    settings.RADARR_ROOT_FOLDER = settings.RADARR_QUALITY_PROFILE = ""
    settings.TMDB_URL = "https://api.themoviedb.org"
    settings.TWILIO_API_URL = settings.OPENAI_BASE_URL = ""
    settings.TWILIO_ACCOUNT_SID = ACCOUNT
    settings.TWILIO_PHONE_NUMBER = NUMBER
    settings.PUBLIC_URL = "https://films.example.org"
    settings.PUBLIC_HOST = "films.example.org"
    settings.OWNER_PHONE_NUMBERS = ["+12025550101"]
    settings.REQUEST_POLICY = "ask-owner"


class World:
    """The services as they answer; a test changes an answer with `set`."""

    def __init__(self, mock: responses.RequestsMock) -> None:
        self.mock = mock
        self.radarr("system/status", {"appName": "Radarr", "version": "6.1.0"})
        self.radarr("rootfolder", [{"id": 1, "path": "/films", "freeSpace": 10**12}])
        self.radarr("qualityprofile", [{"id": 4, "name": "HD-1080p"}, {"id": 5, "name": "UHD"}])
        self.radarr("indexer", [{"id": 1, "name": "Prowlarr", "enableAutomaticSearch": True}])
        self.radarr("health", [])
        self.radarr("notification", [webhook()])
        self.set(f"{TMDB}/authentication", {"success": True})
        film = {"id": 155, "title": "The Dark Knight", "release_date": "2008-07-16"}
        self.set(f"{TMDB}/search/movie", {"results": [film]})
        self.set(f"{TWILIO}.json", {"sid": ACCOUNT, "status": "active"})
        self.number(sms_url="https://films.example.org/api/sms/webhook")

    def radarr(self, path: str, body: Any, status: int = 200, **headers: str) -> None:
        """Set what Radarr answers to a GET of `path`."""
        headers = headers or {"X-Application-Version": "6.1.0"}
        self.set(f"{RADARR}/api/v3/{path}", body, status, headers)

    def number(self, *, sms_url: str, sms_method: str = "POST") -> None:
        """Set how Twilio has our number set up."""
        number = {
            "sid": "PN" + "0" * 32,
            "sms_url": sms_url,
            "sms_method": sms_method,
            "sms_fallback_url": "",
        }
        self.numbers([number])

    def numbers(self, numbers: list[dict[str, str]]) -> None:
        """Set which numbers Twilio's account has."""
        page = {"page": 0, "page_size": 1, "next_page_uri": None}
        self.set(f"{TWILIO}/IncomingPhoneNumbers.json", {"incoming_phone_numbers": numbers, **page})

    def set(
        self, url: str, body: Any, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        """Answer a GET of `url` like this from now on; an exception is raised."""
        given = {"body": body} if isinstance(body, Exception) else {"json": body}
        self.mock.upsert("GET", url, status=status, headers=headers, **given)


def webhook(**changes: Any) -> dict[str, Any]:
    """Radarr's connection to us, as `manage.py connect radarr` makes it."""
    headers = [{"key": "X-Webhook-Secret", "value": KEYS["RADARR_WEBHOOK_SECRET"]}]
    fields = {"url": "https://films.example.org/api/sms/radarr/webhook", "method": 1}
    fields |= {"headers": headers, **changes}
    return {
        "id": 1,
        "name": "by hand",
        "implementation": "Webhook",
        "fields": [{"name": name, "value": value} for name, value in fields.items()],
        **dict.fromkeys(WEBHOOK_EVENTS, True),
    }


@pytest.fixture
def world() -> Iterator[World]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield World(mock)


@pytest.fixture(autouse=True)
def model(monkeypatch: pytest.MonkeyPatch) -> list[httpx2.Response | Exception]:
    """The model's answers; the last one stays."""
    answers: list[httpx2.Response | Exception] = [reading(READING)]

    def handler(request: httpx2.Request) -> httpx2.Response:
        if isinstance(answers[-1], Exception):
            raise answers[-1]
        return answers[-1]

    client = openai.OpenAI(
        api_key="key",
        max_retries=0,
        http_client=openai.DefaultHttpxClient(transport=httpx2.MockTransport(handler)),
    )
    monkeypatch.setattr(understanding, "client_for", lambda *_: client)
    monkeypatch.setattr(understanding, "breaker", Breaker("openai"))
    return answers


def reading(fields: dict[str, Any]) -> httpx2.Response:
    """Return a model's answer that holds `fields`."""
    message = {"role": "assistant", "content": json.dumps(fields)}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    facts = {"id": "1", "object": "chat.completion", "created": 1, "model": "m"}
    return httpx2.Response(200, json={**facts, "choices": [choice]})


@pytest.fixture
def monitor() -> None:
    """A monitor that ticked a moment ago."""
    beat(seconds=3)


def beat(*, seconds: float, **changes: Any) -> None:
    """Let the monitor have beaten so many seconds ago."""
    at = (timezone.now() - timedelta(seconds=seconds)).isoformat()
    facts = {"at": at, "leader": "box:1", "wanted": "running", "wanted_version": 1}
    control.beat({**facts, "last_tick": at, "next_tick": at, "result": None, **changes})


def results(*only: str) -> dict[str, Result]:
    """Return the results of some groups (all by default) by the checks' names."""
    return {result.name: result for result in examine(only)}


def failures(*only: str) -> dict[str, str]:
    """Return what is not ok, with its state; what was skipped is left out."""
    found = results(*only).values()
    return {one.name: one.state for one in found if one.state not in ("ok", "skipped")}


# --- All together -------------------------------------------------------------------------------


def run(*arguments: str) -> tuple[str, int]:
    """Return the command's output and its exit code."""
    out = StringIO()
    try:
        call_command("test_download_system", *arguments, stdout=out)
    except SystemExit as ended:
        return out.getvalue(), int(ended.code or 0)
    return out.getvalue(), 0


@pytest.mark.usefixtures("world", "monitor")
def test_a_household_in_order_is_all_ok(monkeypatch: pytest.MonkeyPatch) -> None:
    # The tests' database is in memory, which is not as durable as the checks ask.
    monkeypatch.setattr(diagnosis.household, "run_checks", lambda databases: run_checks())
    output, code = run()
    assert code == 0, output
    lines = output.splitlines()
    assert all(line.startswith("ok ") for line in lines[:-2]), output
    assert len(lines) - 2 == len(diagnosis.CHECKS)
    assert lines[-1] == f"{len(diagnosis.CHECKS)} ok, 0 failed, 0 warnings, 0 skipped."


def test_nothing_configured_fails_with_what_to_set(settings: Settings) -> None:
    for name in (*KEYS, "RADARR_URL", "TWILIO_ACCOUNT_SID", "TWILIO_PHONE_NUMBER"):
        setattr(settings, name, "")
    found = results("radarr", "tmdb", "twilio", "openai")
    assert {name: one.state for name, one in found.items() if one.state != "skipped"} == {
        "Radarr answers": "failed",
        "TMDB's key": "failed",
        "Twilio's account": "failed",
        "OpenAI": "warning",
    }
    assert "RADARR_URL" in found["Radarr answers"].fix
    assert "TMDB_API_KEY" in found["TMDB's key"].fix
    assert "TWILIO_AUTH_TOKEN" in found["Twilio's account"].fix
    assert "rules are used" in found["OpenAI"].detail
    assert run("--only", "openai")[1] == 0, "a warning is no failure"


def test_a_failure_is_exit_code_1_and_a_line_with_the_fix(world: World) -> None:
    world.radarr("system/status", None, 401)
    output, code = run("--only", "radarr,tmdb")
    assert code == 1
    assert "FAILED   Radarr's key" in output
    assert "→ Copy the key from Radarr" in output
    assert output.count("skipped  ") == 5
    assert "ok       TMDB's search" in output


def test_json_is_one_object(world: World) -> None:
    world.radarr("rootfolder", [])
    output, code = run("--only", "radarr", "--json")
    report = json.loads(output)
    assert code == 1
    assert report["ok"] is False
    assert {check["group"] for check in report["checks"]} == {"radarr"}
    assert [check["name"] for check in report["checks"] if check["state"] == "failed"] == [
        "Radarr's root folder"
    ]


def test_only_names_groups_that_there_are() -> None:
    with pytest.raises(CommandError, match="no check radar") as refused:
        run("--only", "radar,tmdb")
    assert refused.value.returncode == 2
    assert all(group in str(refused.value) for group in GROUPS)


class Terminal(StringIO):
    """An output that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("arguments", "no_color", "coloured"),
    [
        ([], None, True),
        ([], "1", False),
        ([], "", True),  # empty counts as not set (no-color.org)
        (["--no-color"], None, False),
        (["--force-color"], "1", True),
    ],
)
def test_colour_on_a_terminal_unless_it_is_unwanted(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], no_color: str | None, coloured: bool
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color is not None:
        monkeypatch.setenv("NO_COLOR", no_color)
    terminal = Terminal()
    call_command("test_download_system", "--only", "redis", *arguments, stdout=terminal)
    assert ("\033[32mok" in terminal.getvalue()) is coloured
    assert "\033" not in run("--only", "redis")[0]


BROKEN: list[Callable[[World, list[httpx2.Response | Exception]], None]] = [
    lambda world, model: None,
    lambda world, model: world.radarr(
        "health",
        [
            {
                "source": "DownloadClientCheck",
                "type": "error",
                "message": f"http://me:{KEYS['TMDB_API_KEY']}@nas/api?apikey=abcdefabcdef no. "
                f"{KEYS['RADARR_API_KEY']} {NUMBER}",
            }
        ],
    ),
    lambda world, model: world.set(
        f"{TMDB}/authentication", {"status_message": f"Bad {KEYS['TMDB_API_KEY']}"}, 401
    ),
    lambda world, model: world.set(
        f"{TWILIO}.json", {"code": 20003, "message": f"No {ACCOUNT} {NUMBER}", "status": 401}, 401
    ),
    lambda world, model: world.number(sms_url=f"https://me:{KEYS['OPENAI_API_KEY']}@x.example/y"),
    lambda world, model: model.append(
        httpx2.Response(401, json={"error": {"message": KEYS["OPENAI_API_KEY"]}})
    ),
]


@pytest.mark.parametrize("broken", BROKEN)
def test_no_key_and_no_whole_number_is_shown(
    world: World, model: list[httpx2.Response | Exception], broken: Callable[..., None]
) -> None:
    broken(world, model)
    output = run()[0] + run("--json")[0]
    for secret in (*KEYS.values(), ACCOUNT, NUMBER.removeprefix("+"), "abcdefabcdef"):
        assert secret not in output
    assert "+…0100" in output or broken is BROKEN[3]


def test_a_check_that_hangs_is_left_behind(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()
    settings.TMDB_DEADLINE = 0.01
    monkeypatch.setattr(diagnosis, "PATIENCE", 0.01)

    def hang() -> Result:
        over.wait(60)
        return Result("ok", "too late")

    checks = (Check("tmdb", "hangs", hang, "TMDB_DEADLINE", gate=True), Check("tmdb", "next", hang))
    monkeypatch.setattr(diagnosis, "CHECKS", checks)
    found = results()
    over.set()
    assert found["hangs"].state == "failed"
    assert "no answer within 0.02 s" in found["hangs"].detail
    assert found["next"].state == "skipped"


def test_an_error_that_nobody_thought_of_is_told_by_its_type(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> Result:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr(diagnosis, "CHECKS", (Check("tmdb", "fails", fail),))
    (result,) = examine()
    assert result.state == "failed"
    assert result.detail == "stopped by ZeroDivisionError"


def test_contradicting_settings_fail_with_their_hints(settings: Settings) -> None:
    settings.SMS_STYLE = "loud"
    result = results("settings")["settings"]
    assert result.state == "failed"
    assert "smsbot.E012" in result.detail
    assert "SMS_STYLE" in result.fix


# --- Radarr -------------------------------------------------------------------------------------

REFUSED = requests.ConnectionError("refused")


@pytest.mark.parametrize(
    ("path", "body", "status", "expected", "fix"),
    [
        ("system/status", None, 401, {"Radarr's key": "failed"}, "RADARR_API_KEY"),
        ("system/status", REFUSED, 200, {"Radarr answers": "failed"}, "RADARR_URL"),
        ("system/status", None, 503, {"Radarr answers": "failed"}, "Wait"),
        ("system/status", {"appName": "Sonarr"}, 200, {"Radarr answers": "failed"}, "RADARR_URL"),
        ("rootfolder", [], 200, {"Radarr's root folder": "failed"}, "Add one in Radarr"),
        (
            "rootfolder",
            [{"id": 1, "path": "/films", "accessible": False}],
            200,
            {"Radarr's root folder": "failed"},
            "Mount",
        ),
        (
            "rootfolder",
            [{"id": 1, "path": "/films", "freeSpace": 10**9}],
            200,
            {"Radarr's root folder": "warning"},
            "Make room",
        ),
        ("qualityprofile", [], 200, {"Radarr's quality profile": "failed"}, "Profiles"),
        ("indexer", [], 200, {"Radarr's indexers": "failed"}, "Indexers"),
        (
            "indexer",
            [{"id": 1, "name": "Manual", "enableInteractiveSearch": True}],
            200,
            {"Radarr's indexers": "failed"},
            "Automatic Search",
        ),
        (
            "health",
            [{"source": "IndexerStatusCheck", "type": "warning", "message": "Unavailable"}],
            200,
            {"Radarr's indexers": "warning"},
            "System",
        ),
        (
            "health",
            [{"source": "DownloadClientCheck", "type": "error", "message": "No client"}],
            200,
            {"Radarr's health": "failed"},
            "System",
        ),
        (
            "health",
            [{"source": "UpdateCheck", "type": "warning", "message": "New version"}],
            200,
            {},
            "",
        ),
        ("health", [{"source": "ProxyCheck", "type": "notice", "message": "Hm"}], 200, {}, ""),
    ],
)
def test_radarr(
    world: World, path: str, body: Any, status: int, expected: dict[str, str], fix: str
) -> None:
    world.radarr(path, body, status)
    assert failures("radarr") == expected
    found = results("radarr")
    assert all(fix in found[name].fix for name in expected)


@pytest.mark.parametrize(
    ("notifications", "state", "said"),
    [
        ([webhook(url="http://192.168.1.20:8000/api/sms/radarr/webhook")], "ok", "192.168.1.20"),
        ([], "warning", "does not post to us"),
        ([webhook(headers=[])], "warning", "did not send the secret"),
        ([webhook(url="http://other.test/hook")], "warning", "does not post to us"),
        ([webhook() | {"onDownload": False}], "warning", "onDownload"),
    ],
)
def test_radarrs_webhook_is_mended_by_a_command(
    world: World, notifications: list[dict[str, Any]], state: str, said: str
) -> None:
    world.radarr("notification", notifications)
    result = results("radarr")["Radarr's webhook"]
    assert result.state == state
    assert said in result.detail
    assert state == "ok" or result.fix == "Run manage.py connect radarr."


@pytest.mark.parametrize("wanted", ["/films", "/films/", "1", ""])
def test_a_root_folder_is_named_by_path_or_id(
    world: World, settings: Settings, wanted: str
) -> None:
    settings.RADARR_ROOT_FOLDER = wanted
    assert results("radarr")["Radarr's root folder"].detail == "/films, 1,000 GB free"


@pytest.mark.parametrize(("wanted", "name"), [("uhd", "UHD"), ("5", "UHD"), ("", "HD-1080p")])
def test_a_profile_is_named_by_name_or_id(
    world: World, settings: Settings, wanted: str, name: str
) -> None:
    settings.RADARR_QUALITY_PROFILE = wanted
    assert results("radarr")["Radarr's quality profile"].detail == name


def test_what_radarr_has_is_offered_in_place_of_what_it_lacks(
    world: World, settings: Settings
) -> None:
    settings.RADARR_ROOT_FOLDER, settings.RADARR_QUALITY_PROFILE = "/nowhere", "SD"
    found = results("radarr")
    assert found["Radarr's root folder"].fix == "Set RADARR_ROOT_FOLDER to one of: /films."
    profile = found["Radarr's quality profile"]
    assert profile.fix == "Set RADARR_QUALITY_PROFILE to one of: HD-1080p, UHD."


# --- TMDB, Twilio, OpenAI -----------------------------------------------------------------------


def test_tmdb_with_a_wrong_key(world: World) -> None:
    world.set(f"{TMDB}/authentication", {"status_code": 7, "status_message": "Invalid"}, 401)
    found = results("tmdb")
    assert found["TMDB's key"].state == "failed"
    assert "TMDB_API_KEY" in found["TMDB's key"].fix
    assert found["TMDB's search"].state == "skipped"


def test_tmdb_that_finds_nothing(world: World) -> None:
    world.set(f"{TMDB}/search/movie", {"results": []})
    assert failures("tmdb") == {"TMDB's search": "failed"}


@pytest.mark.parametrize(
    ("body", "status", "detail", "fix"),
    [
        ({"code": 20003, "message": "No", "status": 401}, 401, "does not accept", "Auth Token"),
        ({"code": 20404, "message": "No", "status": 404}, 404, "does not accept", "Account SID"),
        (REFUSED, 200, "cannot be asked", "network"),
        ({"sid": ACCOUNT, "status": "suspended"}, 200, "is suspended", "console"),
        ({"code": 20500, "message": "Oh", "status": 500}, 500, "a problem", "status.twilio.com"),
    ],
)
def test_twilio_account(world: World, body: Any, status: int, detail: str, fix: str) -> None:
    world.set(f"{TWILIO}.json", body, status)
    found = results("twilio")
    assert found["Twilio's account"].state == "failed"
    assert detail in found["Twilio's account"].detail
    assert fix in found["Twilio's account"].fix
    assert found["Twilio's number"].state == found["Twilio's webhook"].state == "skipped"


def test_twilio_without_our_number(world: World) -> None:
    world.numbers([])
    found = results("twilio")
    assert found["Twilio's number"].state == "failed"
    assert "TWILIO_PHONE_NUMBER" in found["Twilio's number"].fix
    assert found["Twilio's webhook"].state == "skipped"


OURS = "https://films.example.org/api/sms/webhook"


@pytest.mark.parametrize(
    ("url", "method", "state"),
    [
        (OURS, "POST", "ok"),
        (f"{OURS}#rc=2&rp=all", "post", "ok"),  # Twilio's own overrides
        (f"{OURS}/", "POST", "failed"),
        ("http://films.example.org/api/sms/webhook", "POST", "failed"),
        ("https://demo.twilio.com/welcome/sms/reply", "POST", "failed"),
        ("", "POST", "failed"),
        (OURS, "GET", "failed"),
    ],
)
def test_twilio_webhook(world: World, url: str, method: str, state: str) -> None:
    world.number(sms_url=url, sms_method=method)
    result = results("twilio")["Twilio's webhook"]
    assert result.state == state
    assert OURS in (result.detail if state == "ok" else result.fix)


def test_a_webhook_that_twilio_cannot_reach_is_a_warning(world: World, settings: Settings) -> None:
    settings.PUBLIC_URL, settings.PUBLIC_HOST = "http://127.0.0.1:8000", "127.0.0.1"
    assert failures("twilio") == {"Twilio's webhook": "warning"}


@pytest.mark.parametrize(
    ("answer", "state", "fix"),
    [
        (httpx2.Response(401, json={"error": {}}), "failed", "OPENAI_API_KEY"),
        (httpx2.Response(404, json={"error": {}}), "failed", "OPENAI_MODEL"),
        (httpx2.Response(429, json={"error": {}}), "failed", "billing"),
        (httpx2.ConnectError("refused"), "failed", "OPENAI_BASE_URL"),
        (httpx2.ReadTimeout("slow"), "failed", "OPENAI_DEADLINE"),
        (reading({"intent": "dance"}), "failed", "JSON"),
        (reading(READING | {"intent": "chat"}), "warning", "larger model"),
        (reading(READING | {"titles": []}), "warning", "larger model"),
    ],
)
def test_openai(
    model: list[httpx2.Response | Exception],
    answer: httpx2.Response | Exception,
    state: str,
    fix: str,
) -> None:
    model.append(answer)
    result = results("openai")["OpenAI"]
    assert result.state == state
    assert fix in result.fix


# --- Redis, requests, the monitor ---------------------------------------------------------------


def test_redis_leaves_nothing_behind() -> None:
    assert failures("redis") == {}
    assert live.call(lambda redis: redis.keys("*diagnosis*")) == []


def break_redis(
    monkeypatch: pytest.MonkeyPatch, failing: Callable[[Any], bool], error: Exception
) -> None:
    """Let `live.call` fail for the work that `failing` picks, as a Redis of that kind does."""
    real = live.call

    def call(work: Callable[[Any], Any]) -> Any:
        if failing(work):
            raise live.LiveStateDown(str(error)) from error
        return real(work)

    monkeypatch.setattr(live, "call", call)


def test_redis_that_is_down(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    break_redis(monkeypatch, lambda work: True, ConnectionError("refused"))
    found = results("redis")
    assert found["Redis answers"].state == "failed"
    assert "script/server" in found["Redis answers"].fix
    assert found["Redis keeps"].state == "skipped"
    settings.REDIS_HOST = "redis.test"
    assert "REDIS_PORT" in results("redis")["Redis answers"].fix


def test_redis_that_takes_no_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    def writes(work: Callable[[Any], Any]) -> bool:
        return work.__name__ == "write_and_read"

    break_redis(monkeypatch, writes, ReadOnlyError("You can't write against a read only replica."))
    assert failures("redis") == {"Redis keeps": "failed"}


def test_a_request_leaves_no_row_and_asks_nobody() -> None:
    with responses.RequestsMock() as nothing:
        assert failures("request") == {}
        assert len(nothing.calls) == 0
    for rows in (Download, DownloadRequest, DownloadEvent):
        assert not rows.objects.exists()


def test_a_request_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    def fail(*_: Any, **__: Any) -> None:
        raise OperationalError("no such table: downloads_download")

    monkeypatch.setattr(services, "write_pending", fail)
    result = results("request")["a download request"]
    assert result.state == "failed"
    assert "migrate" in result.fix


@pytest.mark.usefixtures("monitor")
def test_a_monitor_at_work() -> None:
    result = results("monitor")["the monitor"]
    assert (result.state, result.detail) == ("ok", "box:1, last tick 3 s ago")


def test_no_monitor_at_all() -> None:
    result = results("monitor")["the monitor"]
    assert (result.state, "last sign: never" in result.detail) == ("failed", True)
    assert "script/server" in result.fix


def test_a_monitor_that_fell_silent() -> None:
    beat(seconds=3600)
    result = results("monitor")["the monitor"]
    assert (result.state, "60 min ago" in result.detail) == ("failed", True)


def test_a_monitor_that_was_stopped() -> None:
    control.want("stopped")
    beat(seconds=1, wanted="stopped")
    result = results("monitor")["the monitor"]
    assert result.state == "warning"
    assert "download-monitor/start" in result.fix


def test_a_monitor_whose_ticks_fail() -> None:
    beat(seconds=1, result={"error": "Radarr does not accept the key"})
    result = results("monitor")["the monitor"]
    assert result.state == "failed"
    assert "does not accept the key" in result.detail


def test_a_monitor_that_cannot_be_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    break_redis(monkeypatch, lambda work: True, ConnectionError("refused"))
    result = results("monitor")["the monitor"]
    assert result.state == "failed"
    assert "cannot be told" in result.detail

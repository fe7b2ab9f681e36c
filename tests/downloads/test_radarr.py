"""The client of Radarr, against answers in the shape that Radarr gives."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from responses import matchers

from downloads import http, radarr
from downloads.http import ServiceError
from downloads.radarr import (
    AlreadyAdded,
    FolderInUse,
    HistoryItem,
    Misconfigured,
    Movie,
    QueueItem,
    Radarr,
    RadarrRejected,
    UnknownMovie,
)

FIXTURES = Path(__file__).parents[1] / "fixtures" / "radarr"
ROOT = "http://radarr.test:7878/radarr"
API = f"{ROOT}/api/v3"
KEY = "00112233445566778899aabbccddeeff"
OURS = {"X-Application-Version": "6.1.0.1"}
SINCE = datetime(2026, 11, 22, 9, tzinfo=UTC)


def add(client: Radarr) -> Movie:
    return client.add(
        tmdb_id=155,
        title="The Dark Knight",
        year=2008,
        quality_profile_id=4,
        root_folder_path="/films",
    )


READS: dict[str, Callable[[Radarr], object]] = {
    "status": lambda client: client.status(),
    "health": lambda client: client.health(),
    "quality_profiles": lambda client: client.quality_profiles(),
    "root_folders": lambda client: client.root_folders(),
    "indexers": lambda client: client.indexers(),
    "movie_by_tmdb_id": lambda client: client.movie_by_tmdb_id(155),
    "movie": lambda client: client.movie(7),
    "movies": lambda client: client.movies(),
    "lookup": lambda client: client.lookup(155),
    "queue": lambda client: client.queue(),
    "history_since": lambda client: client.history_since(SINCE),
    "notifications": lambda client: client.notifications(),
}
WEBHOOK: dict[str, Any] = {
    "name": "moviesms",
    "url": "http://moviesms.test/api/sms/radarr/webhook",
    "headers": {"X-Webhook-Secret": "w3bh00k"},
}
RETURNING: dict[str, Callable[[Radarr], object]] = {
    "add": add,
    "search": lambda client: client.search(7),
    "create_notification": lambda client: client.create_notification(**WEBHOOK),
    "update_notification": lambda client: client.update_notification(3, **WEBHOOK),
}
DELETES: dict[str, Callable[[Radarr], object]] = {
    "delete": lambda client: client.delete(7),
    "remove_from_queue": lambda client: client.remove_from_queue(900),
    "delete_notification": lambda client: client.delete_notification(3),
}
QUIET: dict[str, Callable[[Radarr], object]] = {
    "monitor_movie": lambda client: client.monitor_movie(7),
    **DELETES,
}
WRITES = {**RETURNING, **QUIET}
CALLS = {**READS, **WRITES}

every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
every_read = pytest.mark.parametrize("call", READS.values(), ids=READS.keys())
every_write = pytest.mark.parametrize("call", WRITES.values(), ids=WRITES.keys())


def recorded(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text())


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "pause", lambda seconds: None)


@pytest.fixture
def fake() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def client() -> Radarr:
    return Radarr(f"{ROOT}/", KEY, 5)


def everything_answers(fake: responses.RequestsMock, **answer: Any) -> None:
    """Make every path of Radarr's API answer the same."""
    fake.assert_all_requests_are_fired = False
    paths = (
        "system/status health qualityprofile rootfolder indexer movie movie/7 movie/lookup"
        " movie/editor command queue queue/900 history/since notification notification/3"
    )
    for path in paths.split():
        for method in ("GET", "POST", "PUT", "DELETE"):
            fake.add(method, f"{API}/{path}", **answer)


def failure_of(call: Callable[[Radarr], object], client: Radarr) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        call(client)
    assert caught.value.service == "Radarr"
    return caught.value


def body_of(fake: responses.RequestsMock) -> Any:
    return json.loads(fake.calls[-1].request.body or b"null")


# --- every call ----------------------------------------------------------------------------------


@every_call
def test_the_key_goes_in_the_header_alone(
    fake: responses.RequestsMock, client: Radarr, call: Callable[[Radarr], object]
) -> None:
    everything_answers(fake, status=401)
    failure_of(call, client)
    request = fake.calls[0].request
    assert request.headers["X-Api-Key"] == KEY
    assert "Authorization" not in request.headers
    assert KEY not in f"{request.url} {request.body!r}"


@pytest.mark.parametrize("url", ["http://radarr.test:7878", "http://radarr.test:7878/"])
def test_an_address_may_have_no_base(fake: responses.RequestsMock, url: str) -> None:
    fake.get("http://radarr.test:7878/api/v3/health", json=[], headers=OURS)
    assert Radarr(url, f"{KEY}\n", 5).health() == []


@every_call
@pytest.mark.parametrize("status", [401, 403])
def test_a_bad_key_is_unauthorized_for_good(
    fake: responses.RequestsMock, client: Radarr, call: Callable[[Radarr], object], status: int
) -> None:
    everything_answers(fake, status=status, body=b"", headers=OURS)
    error = failure_of(call, client)
    assert (error.code, error.permanent, error.status) == ("unauthorized", True, status)
    assert error.outcome_unknown is False


@every_call
@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("headers", [OURS, {}], ids=["Radarr", "proxy"])
def test_a_server_error_is_unavailable_and_leaves_a_write_unknown(
    fake: responses.RequestsMock,
    client: Radarr,
    call: Callable[[Radarr], object],
    status: int,
    headers: dict[str, str],
) -> None:
    trouble = {"message": "database is locked", "description": f"at NzbDrone.Core {KEY}"}
    everything_answers(fake, status=status, json=trouble, headers=headers)
    error = failure_of(call, client)
    assert (error.code, error.permanent, error.status) == ("unavailable", False, status)
    assert error.outcome_unknown is (call in WRITES.values())
    assert "database is locked" in str(error)
    assert "NzbDrone" not in str(error)


def test_starting_up_is_unavailable(fake: responses.RequestsMock, client: Radarr) -> None:
    starting = {"errorMessage": "Radarr is starting up"}
    fake.get(f"{API}/system/status", status=503, json=starting, headers={"Retry-After": "9"})
    error = failure_of(READS["status"], client)
    assert (error.code, error.permanent, error.retry_after) == ("unavailable", False, 9)
    assert "Radarr is starting up" in str(error)


def test_a_stack_trace_is_never_shown(fake: responses.RequestsMock, client: Radarr) -> None:
    trace = {"description": "System.Exception at NzbDrone.Core.Movies"}
    fake.get(f"{API}/health", status=500, json=trace, headers=OURS)
    error = failure_of(READS["health"], client)
    assert str(error) == "Radarr has a problem of its own (HTTP 500)"


def test_a_get_survives_a_locked_database(fake: responses.RequestsMock, client: Radarr) -> None:
    fake.get(f"{API}/health", status=500, json={"message": "database is locked"}, headers=OURS)
    fake.get(f"{API}/health", json=[], headers=OURS)
    assert client.health() == []


@every_call
@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_missing_url_base_is_a_redirect_for_good(
    fake: responses.RequestsMock, client: Radarr, call: Callable[[Radarr], object], status: int
) -> None:
    everything_answers(fake, status=status, headers={"Location": "/base/api/v3/x"})
    error = failure_of(call, client)
    assert (error.code, error.permanent, error.outcome_unknown) == ("redirected", True, False)
    assert len(fake.calls) == 1


@every_call
@pytest.mark.parametrize("body", ["<html>Log in</html>", "{}", "[]"])
@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_2xx_without_the_version_is_not_radarrs(
    fake: responses.RequestsMock,
    client: Radarr,
    call: Callable[[Radarr], object],
    body: str,
    status: int,
) -> None:
    everything_answers(fake, status=status, body=body)
    error = failure_of(call, client)
    assert (error.code, error.permanent) == ("unreadable", False)
    assert error.outcome_unknown is (call in WRITES.values())
    assert "proxy" in str(error)


@pytest.mark.parametrize("body", ["<html>Log in</html>", "", '"text"', "[1]", '[{"id": "x"}]'])
@pytest.mark.parametrize(
    "call", [*READS.values(), *RETURNING.values()], ids=[*READS.keys(), *RETURNING.keys()]
)
def test_a_2xx_that_is_not_the_expected_json_is_unreadable(
    fake: responses.RequestsMock, client: Radarr, call: Callable[[Radarr], object], body: str
) -> None:
    everything_answers(fake, body=body, headers=OURS)
    error = failure_of(call, client)
    assert error.code == "unreadable"
    assert error.outcome_unknown is (call in WRITES.values())


@every_call
@pytest.mark.parametrize("status", [400, 404, 405, 409, 418])
def test_a_4xx_without_the_version_is_not_radarrs(
    fake: responses.RequestsMock, client: Radarr, call: Callable[[Radarr], object], status: int
) -> None:
    already = [{"propertyName": "TmdbId", "errorCode": "MovieExistsValidator"}]
    everything_answers(fake, status=status, json=already)
    error = failure_of(call, client)
    assert (error.code, error.outcome_unknown) == ("unreadable", False)
    assert not isinstance(error, RadarrRejected)


@every_read
def test_a_read_that_never_arrives_is_unreachable(
    fake: responses.RequestsMock, client: Radarr, call: Callable[[Radarr], object]
) -> None:
    everything_answers(fake, body=requests.ConnectionError())
    error = failure_of(call, client)
    assert (error.code, error.outcome_unknown) == ("unreachable", False)


@every_write
def test_a_write_is_sent_once_and_unknown_when_no_answer_comes(
    fake: responses.RequestsMock, client: Radarr, call: Callable[[Radarr], object]
) -> None:
    everything_answers(fake, body=requests.ReadTimeout())
    error = failure_of(call, client)
    assert (error.code, error.outcome_unknown) == ("timeout", True)
    assert len(fake.calls) == 1


@every_call
@pytest.mark.parametrize("status", [400, 404, 409, 500])
def test_no_key_gets_into_an_error_or_a_log(
    fake: responses.RequestsMock,
    client: Radarr,
    caplog: pytest.LogCaptureFixture,
    call: Callable[[Radarr], object],
    status: int,
) -> None:
    caplog.set_level(logging.DEBUG)
    said = {"message": f"key {KEY}\n at X", "description": "at Y", "title": KEY}
    everything_answers(fake, status=status, json=said, headers=OURS)
    try:
        call(client)
    except ServiceError as error:
        scanned = f"{error} {error!r} {vars(error)} {error.__context__!r} {error.__cause__!r}"
        assert KEY not in scanned
        assert " at " not in scanned
    assert KEY not in f"{caplog.text} {client!r}"


# --- the server ----------------------------------------------------------------------------------


def test_status(fake: responses.RequestsMock, client: Radarr) -> None:
    fake.get(f"{API}/system/status", json=recorded("system_status"), headers=OURS)
    status = client.status()
    assert (status.app_name, status.version) == ("Radarr", "6.1.0.1")
    assert (status.url_base, status.instance_name) == ("/radarr", "Radarr")


def test_another_program_is_not_a_radarr(fake: responses.RequestsMock, client: Radarr) -> None:
    sonarr = {**recorded("system_status"), "appName": "Sonarr"}
    fake.get(f"{API}/system/status", json=sonarr, headers=OURS)
    error = failure_of(READS["status"], client)
    assert (error.code, error.permanent) == ("unreadable", True)
    assert "Sonarr" in str(error)


def test_health_profiles_folders_and_indexers(fake: responses.RequestsMock, client: Radarr) -> None:
    health = {"source": "IndexerStatusCheck", "type": "warning", "message": "m", "wikiUrl": "w"}
    folders = [{"id": 1, "path": "/films", "accessible": False}, {"id": 2, "path": "/b",
               "accessible": True, "freeSpace": 5_000_000_000, "unmappedFolders": []}]  # fmt: skip
    fake.get(f"{API}/health", json=[health], headers=OURS)
    fake.get(f"{API}/qualityprofile", json=[{"id": 4, "name": "HD", "items": []}], headers=OURS)
    fake.get(f"{API}/rootfolder", json=folders, headers=OURS)
    fake.get(f"{API}/indexer", json=recorded("indexer"), headers=OURS)
    assert [(h.source, h.type, h.message) for h in client.health()] == [
        ("IndexerStatusCheck", "warning", "m")
    ]
    assert [(p.id, p.name) for p in client.quality_profiles()] == [(4, "HD")]
    assert [(f.path, f.accessible, f.free_space) for f in client.root_folders()] == [
        ("/films", False, None),
        ("/b", True, 5_000_000_000),
    ]
    indexers = client.indexers()
    assert [(i.enable_rss, i.enable_interactive_search) for i in indexers] == [(True, False)]
    assert "1nd3x3r" not in repr(indexers)


# --- the library ---------------------------------------------------------------------------------


def test_a_film_of_the_library(fake: responses.RequestsMock, client: Radarr) -> None:
    fake.get(f"{API}/movie/7", json=recorded("movie"), headers=OURS)
    assert client.movie(7) == Movie(
        id=7,
        tmdb_id=155,
        imdb_id="tt0468569",
        title="The Dark Knight",
        year=2008,
        monitored=True,
        is_available=True,
        status="released",
        release_date=datetime(2008, 12, 8, tzinfo=UTC),
        in_cinemas=datetime(2008, 7, 16, tzinfo=UTC),
        digital_release=datetime(2008, 12, 9, tzinfo=UTC),
        physical_release=datetime(2008, 12, 8, tzinfo=UTC),
        added=datetime(2026, 11, 1, 18, 20, 31, tzinfo=UTC),
        path="/films/The Dark Knight (2008)",
    )


@pytest.mark.parametrize(
    ("told", "understood"),
    [
        ("2008-12-08T00:00:00Z", datetime(2008, 12, 8, tzinfo=UTC)),
        ("2008-12-08T02:00:00+02:00", datetime(2008, 12, 8, tzinfo=UTC)),
        ("2008-12-08T00:00:00", datetime(2008, 12, 8, tzinfo=UTC)),
        ("2008-12-08T00:00:00.1234567Z", datetime(2008, 12, 8, 0, 0, 0, 123456, UTC)),
        ("9999-12-31T00:00:00Z", datetime(9999, 12, 31, tzinfo=UTC)),
        ("0001-01-01T00:00:00+02:00", datetime(1, 1, 1, tzinfo=UTC)),
        (None, None),
    ],
)
def test_moments_are_utc(
    fake: responses.RequestsMock, client: Radarr, told: str | None, understood: datetime | None
) -> None:
    fake.get(f"{API}/movie/7", json={**recorded("movie"), "releaseDate": told}, headers=OURS)
    film = client.movie(7)
    assert film is not None
    assert film.release_date == understood
    assert understood is None or film.release_date.utcoffset() == timedelta(0)  # type: ignore[union-attr]


def test_a_film_with_nulls_and_news_is_still_a_film(
    fake: responses.RequestsMock, client: Radarr
) -> None:
    sparse = dict.fromkeys(recorded("movie"), None)
    fake.get(
        f"{API}/movie/7", json={**sparse, "id": 7, "tmdbId": 155, "status": "new"}, headers=OURS
    )
    assert client.movie(7) == Movie(id=7, tmdb_id=155, status="new")


def test_a_film_that_radarr_does_not_have_is_none(
    fake: responses.RequestsMock, client: Radarr
) -> None:
    fake.get(f"{API}/movie/7", status=404, json={"message": "NotFound"}, headers=OURS)
    assert client.movie(7) is None


@pytest.mark.parametrize(
    ("library", "found"),
    [([], None), ([{"id": 7, "tmdbId": 155}], 7), ([{"id": 8, "tmdbId": 156}], None)],
)
def test_a_film_by_tmdb_id(
    fake: responses.RequestsMock, client: Radarr, library: Any, found: int | None
) -> None:
    by_id = matchers.query_param_matcher({"tmdbId": "155"})
    fake.get(f"{API}/movie", json=library, headers=OURS, match=[by_id])
    film = client.movie_by_tmdb_id(155)
    assert (film and film.id) == found


def test_the_library_has_limits_of_its_own(fake: responses.RequestsMock, client: Radarr) -> None:
    many = [{"id": n, "tmdbId": n, "title": "x" * 90_000} for n in range(1, 101)]
    fake.get(f"{API}/movie", json=many, headers=OURS)
    assert len(client.movies()) == 100
    with pytest.raises(ServiceError) as caught:
        client.movies(max_bytes=1000)
    assert caught.value.code == "too_large"
    late = client.movies(deadline=0.5)
    assert len(late) == 100
    timeouts = [c.request.req_kwargs["timeout"].total for c in fake.calls]  # type: ignore[attr-defined]
    assert timeouts[0] > 50
    assert timeouts[2] <= 0.5


@pytest.mark.parametrize("broken", [{}, {"id": 9}, {"tmdbId": 9}, None, 5, {"id": "x"}])
def test_one_broken_film_makes_the_library_unreadable(
    fake: responses.RequestsMock, client: Radarr, broken: object
) -> None:
    fake.get(f"{API}/movie", json=[recorded("movie"), broken], headers=OURS)
    assert failure_of(READS["movies"], client).code == "unreadable"


@pytest.mark.parametrize(
    ("more", "radarr_id", "excluded"),
    [({}, None, False), ({"id": 7}, 7, False), ({"id": 0}, None, False),
     ({"isExcluded": True}, None, True)],
)  # fmt: skip
def test_a_look_up(
    fake: responses.RequestsMock, client: Radarr, more: Any, radarr_id: int | None, excluded: bool
) -> None:
    by_id = matchers.query_param_matcher({"term": "tmdb:155"})
    results = [{**recorded("lookup")[0], **more}]
    fake.get(f"{API}/movie/lookup", json=results, headers=OURS, match=[by_id])
    result = client.lookup(155)
    assert result is not None
    assert (result.tmdb_id, result.title, result.year) == (155, "The Dark Knight", 2008)
    assert (result.id, result.is_excluded) == (radarr_id, excluded)


def test_a_look_up_of_an_unknown_film_is_none(fake: responses.RequestsMock, client: Radarr) -> None:
    fake.get(f"{API}/movie/lookup", json=[], headers=OURS)
    assert client.lookup(155) is None


# --- adding --------------------------------------------------------------------------------------


def test_an_add_sends_all_that_radarr_needs(fake: responses.RequestsMock, client: Radarr) -> None:
    fake.post(f"{API}/movie", status=201, json=recorded("movie"), headers=OURS)
    assert add(client).id == 7
    assert body_of(fake) == {
        "tmdbId": 155,
        "title": "The Dark Knight",
        "year": 2008,
        "qualityProfileId": 4,
        "rootFolderPath": "/films",
        "monitored": True,
        "minimumAvailability": "released",
        "tags": [],
        "addOptions": {"monitor": "movieOnly", "searchForMovie": True, "addMethod": "manual"},
    }


def problem(field: str, code: str | None, message: str = "it says") -> dict[str, object]:
    told = {"propertyName": field, "errorMessage": message, "attemptedValue": "x",
            "severity": "error", "errorCode": code}  # fmt: skip
    return {key: value for key, value in told.items() if value is not None}


@pytest.mark.parametrize(
    ("problems", "kind", "subject"),
    [
        ([problem("TmdbId", "MovieExistsValidator")], AlreadyAdded, ""),
        ([problem("tmdbId", "MovieExistsValidator")], AlreadyAdded, ""),
        ([problem("TmdbId", None)], UnknownMovie, ""),
        ([problem("TmdbId", "SomethingElse")], RadarrRejected, ""),
        *[
            ([problem("RootFolderPath", code)], Misconfigured, "root_folder")
            for code in ("RootFolderExistsValidator", "NotEmptyValidator", "PathValidator",
                         "MovieFolderAsRootFolderValidator", None)
        ],
        *[
            ([problem("QualityProfileId", code)], Misconfigured, "quality_profile")
            for code in ("GreaterThanValidator", "QualityProfileExistsValidator")
        ],
        *[
            ([problem("Path", code)], FolderInUse, "")
            for code in ("MoviePathValidator", "RootFolderValidator", "MovieAncestorValidator",
                         "RecycleBinValidator", "SystemFolderValidator")
        ],
        ([problem("Title", "NotEmptyValidator")], RadarrRejected, ""),
        ([problem("Path", "MoviePathValidator"), problem("TmdbId", "MovieExistsValidator")],
         AlreadyAdded, ""),
    ],
)  # fmt: skip
def test_a_refused_add_says_what_is_wrong(
    fake: responses.RequestsMock, client: Radarr, problems: Any, kind: type, subject: str
) -> None:
    fake.post(f"{API}/movie", status=400, json=problems, headers=OURS)
    error = failure_of(add, client)
    assert type(error) is kind
    assert (error.code, error.permanent, error.outcome_unknown) == ("rejected", True, False)
    assert getattr(error, "subject", "") == subject
    assert "it says" in str(error)
    assert len(fake.calls) == 1


def test_two_adds_that_race_are_one_that_is_there(
    fake: responses.RequestsMock, client: Radarr
) -> None:
    fake.post(f"{API}/movie", status=409, json={"message": "UNIQUE failed"}, headers=OURS)
    assert isinstance(failure_of(add, client), AlreadyAdded)


def test_problem_details_are_a_refusal(fake: responses.RequestsMock, client: Radarr) -> None:
    details = {"title": "Validation errors.", "status": 400, "errors": {"$.year": ["not a number"]}}
    fake.post(f"{API}/movie", status=400, json=details, headers=OURS)
    error = failure_of(add, client)
    assert type(error) is RadarrRejected
    assert "Validation errors. $.year" in str(error)


def test_a_conflict_elsewhere_is_a_refusal(fake: responses.RequestsMock, client: Radarr) -> None:
    everything_answers(fake, status=409, json={"message": "no"}, headers=OURS)
    assert type(failure_of(WRITES["search"], client)) is RadarrRejected


# --- other writes --------------------------------------------------------------------------------


def test_monitoring_uses_the_editor(fake: responses.RequestsMock, client: Radarr) -> None:
    fake.put(f"{API}/movie/editor", status=202, json=[recorded("movie")], headers=OURS)
    client.monitor_movie(7)
    assert body_of(fake) == {"movieIds": [7], "monitored": True}


def test_a_search_is_a_command(fake: responses.RequestsMock, client: Radarr) -> None:
    command = {"id": 12, "name": "MoviesSearch", "status": "queued", "result": "unknown"}
    fake.post(f"{API}/command", status=201, json=command, headers=OURS)
    told = client.search(7)
    assert (told.id, told.status, told.result, told.message) == (12, "queued", "unknown", "")
    assert body_of(fake) == {"name": "MoviesSearch", "movieIds": [7]}


def test_a_delete_keeps_files_and_lists(fake: responses.RequestsMock, client: Radarr) -> None:
    careful = matchers.query_param_matcher({"deleteFiles": "false", "addImportExclusion": "false"})
    fake.delete(f"{API}/movie/7", json={}, headers=OURS, match=[careful])
    client.delete(7)


@pytest.mark.parametrize("call", DELETES.values(), ids=DELETES.keys())
@pytest.mark.parametrize(("status", "body"), [(404, '{"message": "NotFound"}'), (404, ""),
                                              (200, ""), (200, "{}")])  # fmt: skip
def test_what_is_gone_already_is_gone(
    fake: responses.RequestsMock,
    client: Radarr,
    call: Callable[[Radarr], object],
    status: int,
    body: str,
) -> None:
    everything_answers(fake, status=status, body=body, headers=OURS)
    call(client)


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({}, ("true", "false", "true")),
        (
            {"remove_from_client": False, "blocklist": True, "skip_redownload": False},
            ("false", "true", "false"),
        ),
    ],
)
def test_removing_from_the_queue(
    fake: responses.RequestsMock, client: Radarr, options: Any, sent: tuple[str, str, str]
) -> None:
    names = ("removeFromClient", "blocklist", "skipRedownload")
    exactly = matchers.query_param_matcher(dict(zip(names, sent, strict=True)))
    fake.delete(f"{API}/queue/900", json={}, headers=OURS, match=[exactly])
    client.remove_from_queue(900, **options)


# --- the queue -----------------------------------------------------------------------------------


def test_a_queue(fake: responses.RequestsMock, client: Radarr) -> None:
    fake.get(f"{API}/queue", json=recorded("queue"), headers=OURS)
    assert client.queue() == [
        QueueItem(
            id=900,
            movie_id=7,
            size=8_000_000_000,
            sizeleft=2_000_000_000,
            estimated_completion_time=datetime(2026, 11, 22, 10, 30, tzinfo=UTC),
            status="downloading",
            tracked_download_status="warning",
            tracked_download_state="importPending",
            download_id="ABCDEF0123",
        ),
        QueueItem(
            id=901,
            movie_id=8,
            size=1_500_000_000,
            estimated_completion_time=datetime(2026, 11, 23, tzinfo=UTC),
            status="delay",
        ),
    ]


def test_a_size_without_end_makes_the_queue_unreadable(
    fake: responses.RequestsMock, client: Radarr
) -> None:
    page = '{"totalRecords": 1, "records": [{"id": 1, "size": 1e999}]}'
    fake.get(f"{API}/queue", body=page, headers=OURS)
    assert failure_of(READS["queue"], client).code == "unreadable"


def pages(fake: responses.RequestsMock, *told: tuple[int, list[int]]) -> None:
    """Answer one page of (total, ids) after another."""
    for number, (total, ids) in enumerate(told, 1):
        page = matchers.query_param_matcher({"page": str(number)}, strict_match=False)
        records = [{"id": id_, "movieId": id_, "status": "queued"} for id_ in ids]
        answer = {"page": number, "totalRecords": total, "records": records}
        fake.get(f"{API}/queue", json=answer, headers=OURS, match=[page])


@pytest.mark.parametrize(
    ("told", "ids"),
    [
        ([(0, [])], []),
        ([(3, [1, 2, 3])], [1, 2, 3]),
        ([(4, [1, 2]), (4, [3, 4])], [1, 2, 3, 4]),
        ([(4, [1, 2]), (5, [2, 3]), (5, [4, 5])], [1, 2, 3, 4, 5]),  # it grew: 2 moved on
        ([(1, [1, 2, 2])], [1, 2]),
    ],
)
def test_a_queue_is_read_to_its_end(
    fake: responses.RequestsMock, client: Radarr, told: Any, ids: list[int]
) -> None:
    pages(fake, *told)
    assert [item.id for item in client.queue()] == ids


@pytest.mark.parametrize(
    "told",
    [
        [(4, [1, 2]), (3, [4]), (3, [4])],  # it shrank: 3 moved up to the first page, unseen
        [(3, [1, 2]), (3, [1, 2])],  # beyond its end Radarr repeats a page
        [(3, [])],
    ],
)
def test_a_queue_is_never_told_shorter_than_it_is(
    fake: responses.RequestsMock, client: Radarr, told: Any
) -> None:
    pages(fake, *told)
    error = failure_of(READS["queue"], client)
    assert (error.code, error.permanent) == ("unreadable", False)


def test_a_queue_without_end_ends(
    fake: responses.RequestsMock, client: Radarr, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(radarr, "QUEUE_PAGES", 3)
    pages(fake, (9, [1]), (9, [2]), (9, [3]))
    assert failure_of(READS["queue"], client).code == "unreadable"


def test_a_queue_is_asked_for_whole_and_in_a_still_order(
    fake: responses.RequestsMock, client: Radarr
) -> None:
    asked = {"page": "1", "pageSize": "1000", "sortKey": "title", "sortDirection": "ascending",
             "includeUnknownMovieItems": "false"}  # fmt: skip
    empty = {"totalRecords": 0, "records": []}
    exactly = matchers.query_param_matcher(asked)
    fake.get(f"{API}/queue", json=empty, headers=OURS, match=[exactly])
    assert client.queue() == []


@pytest.mark.parametrize(
    "page",
    [
        {"totalRecords": 1, "records": [{"movieId": 7}]},
        {"totalRecords": 1, "records": [None]},
        {"totalRecords": 0, "records": None},
        {"totalRecords": 0},
        {"records": []},
        {"totalRecords": 1, "records": [{"id": 1, "size": "big"}]},
    ],
)
def test_one_broken_item_makes_the_queue_unreadable(
    fake: responses.RequestsMock, client: Radarr, page: object
) -> None:
    fake.get(f"{API}/queue", json=page, headers=OURS)
    assert failure_of(READS["queue"], client).code == "unreadable"


# --- the history ---------------------------------------------------------------------------------


def test_the_history_is_oldest_first_and_holds_no_keys(
    fake: responses.RequestsMock, client: Radarr
) -> None:
    fake.get(f"{API}/history/since", json=recorded("history"), headers=OURS)
    items = client.history_since(SINCE)
    assert [item.id for item in items] == [30, 31, 32, 33]
    assert items[1] == HistoryItem(
        id=31,
        movie_id=7,
        event_type="downloadFailed",
        date=datetime(2026, 11, 22, 9, 10, 0, 123456, UTC),
        download_id="ABCDEF0123",
        message="Repair failed, not enough repair blocks",
    )
    assert [item.reason for item in items] == [None, None, "Upgrade", None]
    assert "1nd3x3r" not in f"{items!r} {[item.model_dump_json() for item in items]}"


@pytest.mark.parametrize(
    ("since", "sent"),
    [
        (SINCE, "2026-11-22T09:00:00.000Z"),
        (SINCE.astimezone(timezone(timedelta(hours=2))), "2026-11-22T09:00:00.000Z"),
        (SINCE + timedelta(microseconds=1999), "2026-11-22T09:00:00.001Z"),
    ],
)
def test_the_history_is_asked_for_in_utc(
    fake: responses.RequestsMock, client: Radarr, since: datetime, sent: str
) -> None:
    exactly = matchers.query_param_matcher({"date": sent})
    fake.get(f"{API}/history/since", json=[], headers=OURS, match=[exactly])
    assert client.history_since(since) == []


def test_the_history_needs_an_aware_moment(client: Radarr) -> None:
    with pytest.raises(ValueError, match="aware"):
        client.history_since(datetime(2026, 11, 22))  # noqa: DTZ001  # the point of the test


@pytest.mark.parametrize("field", ["id", "movieId", "eventType", "date"])
def test_one_broken_item_makes_the_history_unreadable(
    fake: responses.RequestsMock, client: Radarr, field: str
) -> None:
    items = recorded("history")
    del items[-1][field]
    fake.get(f"{API}/history/since", json=items, headers=OURS)
    assert failure_of(READS["history_since"], client).code == "unreadable"


# --- Connect -------------------------------------------------------------------------------------


def test_connections_hide_their_settings_from_logs(
    fake: responses.RequestsMock, client: Radarr
) -> None:
    fake.get(f"{API}/notification", json=[recorded("notification")], headers=OURS)
    (found,) = client.notifications()
    assert (found.id, found.name, found.implementation) == (3, "moviesms", "Webhook")
    assert found.fields["url"] == WEBHOOK["url"]
    assert found.fields["username"] is None
    assert found.events == {"onGrab", "onDownload"}
    assert "w3bh00k" not in f"{found!r} {found}"


@pytest.mark.parametrize(
    ("call", "method", "path", "id_", "force"),
    [
        ("create_notification", "POST", "", None, "true"),
        ("update_notification", "PUT", "/3", 3, "false"),
    ],
)
def test_a_connection_posts_with_our_header(
    fake: responses.RequestsMock,
    client: Radarr,
    call: str,
    method: str,
    path: str,
    id_: int | None,
    force: str,
) -> None:
    forced = matchers.query_param_matcher({"forceSave": force})
    fake.add(method, f"{API}/notification{path}", status=201, json=recorded("notification"),
             headers=OURS, match=[forced])  # fmt: skip
    WRITES[call](client)
    sent = body_of(fake)
    fields = {field["name"]: field["value"] for field in sent["fields"]}
    assert (sent["implementation"], sent["configContract"]) == ("Webhook", "WebhookSettings")
    assert (sent["name"], sent.get("id")) == ("moviesms", id_)
    assert (fields["url"], fields["method"]) == (WEBHOOK["url"], 1)
    assert fields["headers"] == [{"key": "X-Webhook-Secret", "value": "w3bh00k"}]
    assert sent["onGrab"] is sent["onDownload"] is sent["onManualInteractionRequired"] is True
    assert "onMovieAdded" not in sent  # Radarr would wait for us while it answers our add

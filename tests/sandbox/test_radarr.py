"""Radarr's protocol, and its downloads as the product sees them."""

import json
from typing import Any

import pytest
import responses

from sandbox.simulation import Outcome
from sandbox.state import Service

from .conftest import World


def queue(world: World) -> list[dict[str, Any]]:
    """The queue's items."""
    records: list[dict[str, Any]] = world.radarr("GET", "queue").json()["records"]
    return records


def history(world: World) -> list[tuple[str, str]]:
    """The history's events and messages, oldest first."""
    rows = world.radarr("GET", "history/since", date="2026-01-01T00:00:00Z").json()
    return [(row["eventType"], row["data"].get("message", "")) for row in rows]


def the_film(world: World) -> dict[str, Any]:
    """The Dark Knight, as the library has it."""
    (film,) = world.radarr("GET", "movie", tmdbId=155).json()
    return dict(film)


@pytest.mark.parametrize("key", [None, "wrong"])
def test_a_bad_key_is_an_empty_401(world: World, key: str | None) -> None:
    headers = {"X-Api-Key": key} if key else {}
    response = world.client.get("/radarr/api/v3/movie", headers=headers)
    assert (response.status_code, response.content) == (401, b"")
    assert response["X-Application-Version"]


def test_the_first_key_that_is_given_decides(world: World) -> None:
    headers = {"X-Api-Key": world.config.radarr_api_key}
    assert world.client.get("/radarr/api/v3/tag?apikey=wrong", headers=headers).status_code == 401
    bearer = {"Authorization": f"Bearer {world.config.radarr_api_key}"}
    assert world.client.get("/radarr/api/v3/tag", headers=bearer).status_code == 200


def test_ping_needs_no_key_and_the_status_names_radarr(world: World) -> None:
    assert world.client.get("/radarr/ping").json() == {"status": "OK"}
    assert world.radarr("GET", "system/status").json()["appName"] == "Radarr"


def test_an_added_film_is_answered_as_radarr_does(world: World) -> None:
    response = world.add()
    film = response.json()
    assert response.status_code == 201
    assert response["X-Application-Version"]
    assert (film["id"], film["tmdbId"], film["year"], film["hasFile"]) == (1, 155, 2008, False)
    assert film["isAvailable"] is True
    assert None not in film.values()
    assert world.radarr("GET", "movie/1").json() == film


@pytest.mark.parametrize(
    ("changes", "name", "code"),
    [
        ({"qualityProfileId": 0}, "QualityProfileId", "GreaterThanValidator"),
        ({"qualityProfileId": 77}, "QualityProfileId", "QualityProfileExistsValidator"),
        ({"rootFolderPath": ""}, "RootFolderPath", "NotEmptyValidator"),
        ({"rootFolderPath": "/elsewhere"}, "RootFolderPath", "RootFolderExistsValidator"),
        ({"tmdbId": 999_999_999}, "TmdbId", None),
    ],
)
def test_what_radarr_does_not_add(
    world: World, changes: dict[str, Any], name: str, code: str | None
) -> None:
    response = world.add(**changes)
    (failure,) = response.json()
    assert response.status_code == 400
    assert (failure["propertyName"], failure.get("errorCode")) == (name, code)


def test_a_film_is_added_once(world: World) -> None:
    world.add()
    response = world.add()
    assert response.status_code == 400
    assert response.json()[0]["errorCode"] == "MovieExistsValidator"


def test_malformed_json_and_unknown_words_are_problem_details(world: World) -> None:
    headers = {"X-Api-Key": world.config.radarr_api_key}
    response = world.client.post(
        "/radarr/api/v3/movie", "{", content_type="application/json", headers=headers
    )
    assert (response.status_code, response.json()["status"]) == (400, 400)
    assert world.add(minimumAvailability="soon").json()["errors"]


def test_a_download_runs_to_its_end(world: World) -> None:
    world.add()
    assert queue(world) == []
    world.steps(1)
    (item,) = queue(world)
    assert (item["status"], item["sizeleft"]) == ("queued", item["size"])
    world.steps(3)
    (item,) = queue(world)
    assert (item["status"], item["trackedDownloadState"]) == ("downloading", "downloading")
    assert item["sizeleft"] == item["size"] / 2
    assert (item["timeleft"], item["estimatedCompletionTime"]) == (
        "00:00:12",
        "2026-11-22T12:00:36Z",
    )
    world.steps(2)
    assert [(i["status"], i["trackedDownloadState"]) for i in queue(world)] == [
        ("completed", "importPending")
    ]
    world.steps(1)
    assert queue(world)[0]["trackedDownloadState"] == "importing"
    world.steps(1)
    assert queue(world) == []
    assert the_film(world)["hasFile"] is True
    assert the_film(world)["movieFile"]["size"] == item["size"]
    assert [event for event, _ in history(world)] == ["grabbed", "downloadFolderImported"]


def test_connect_webhooks_tell_of_every_stage(world: World) -> None:
    world.add()
    world.steps(10)
    added, grabbed, imported = world.webhooks()
    assert [post["eventType"] for post in (added, grabbed, imported)] == [
        "MovieAdded",
        "Grab",
        "Download",
    ]
    assert added["movie"]["tmdbId"] == 155
    assert grabbed["downloadId"] == imported["downloadId"]
    assert imported["movieFile"]["quality"] == "Bluray-1080p"
    assert imported["isUpgrade"] is False
    world.radarr("DELETE", "movie/1", deleteFiles="true")
    (deleted,) = world.webhooks()
    assert (deleted["eventType"], deleted["deletedFiles"]) == ("MovieDelete", True)


def test_webhooks_go_to_the_app_with_the_secret(world: World) -> None:
    world.add()
    (post,) = world.box.outbox.take_due(world.box.advance())
    assert post.url == "http://app.test/api/sms/radarr/webhook"
    assert post.headers["X-Webhook-Secret"] == world.config.radarr_webhook_secret


def test_a_failed_download_leaves_the_queue_and_a_reason(world: World) -> None:
    world.box.library.next_outcome = Outcome.FAIL
    world.add()
    world.steps(20)
    assert queue(world) == []
    assert history(world)[-1] == ("downloadFailed", "Download failed: missing articles")
    assert the_film(world)["hasFile"] is False


def test_a_stalled_download_stays_with_a_warning(world: World) -> None:
    world.box.library.next_outcome = Outcome.STALL
    world.add()
    world.steps(200)
    (item,) = queue(world)
    assert (item["status"], item["trackedDownloadStatus"]) == ("warning", "ok")
    assert item["sizeleft"] == pytest.approx(item["size"] * 0.6, abs=1)
    assert item["errorMessage"]


def test_a_blocked_import_asks_for_a_hand(world: World) -> None:
    world.box.library.next_outcome = Outcome.BLOCK
    world.add()
    world.steps(20)
    (item,) = queue(world)
    assert (item["status"], item["trackedDownloadState"]) == ("completed", "importBlocked")
    assert item["statusMessages"][0]["messages"]
    told = world.webhooks()[-1]
    assert told["eventType"] == "ManualInteractionRequired"
    assert told["downloadStatusMessages"] == item["statusMessages"]


@pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.STALL, Outcome.BLOCK])
def test_a_search_starts_a_fresh_download(world: World, outcome: Outcome) -> None:
    world.box.library.next_outcome = outcome
    world.add()
    world.steps(20)
    before = the_film(world)["lastSearchTime"]
    command = world.radarr("POST", "command", {"name": "MoviesSearch", "movieIds": [1]})
    assert (command.status_code, command.json()["status"]) == (201, "queued")
    world.steps(20)
    assert the_film(world)["hasFile"] is True
    assert the_film(world)["lastSearchTime"] > before
    done = world.radarr("GET", f"command/{command.json()['id']}").json()
    assert (done["status"], done["result"]) == ("completed", "successful")


def test_a_search_leaves_a_running_download_alone(world: World) -> None:
    world.add()
    world.steps(3)
    (before,) = queue(world)
    world.radarr("POST", "command", {"name": "MoviesSearch", "movieIds": [1]})
    assert queue(world)[0]["downloadId"] == before["downloadId"]


def test_a_waiting_command_is_not_queued_twice(world: World) -> None:
    posted = {"name": "MoviesSearch", "movieIds": [1]}
    first, second = (world.radarr("POST", "command", posted).json()["id"] for _ in range(2))
    assert first == second
    assert world.radarr("POST", "command", {"name": "Nonsense"}).status_code == 500


def test_a_film_that_is_not_out_waits_without_a_search(world: World) -> None:
    film = world.add(1003598).json()
    world.steps(50)
    assert (film["isAvailable"], film["monitored"]) == (False, True)
    assert film["releaseDate"] == "2028-03-14T00:00:00Z"
    assert film["status"] == "announced"
    assert queue(world) == []
    assert [post["eventType"] for post in world.webhooks()] == ["MovieAdded"]
    assert world.add(617127).json()["status"] == "tba"


def test_lookup_never_says_that_there_is_a_file(world: World) -> None:
    (found,) = world.radarr("GET", "movie/lookup", term="tmdb:155").json()
    assert "id" not in found
    world.add()
    world.steps(20)
    (found,) = world.radarr("GET", "movie/lookup", term="imdb:tt0468569").json()
    assert found["id"] == 1
    assert "hasFile" not in found
    assert world.radarr("GET", "movie/lookup", term="tmdb:1").json() == []
    assert world.radarr("GET", "movie/lookup", term="dune part two").json()[0]["tmdbId"] == 693134


def test_an_excluded_film_says_so(world: World) -> None:
    world.add()
    world.radarr("DELETE", "movie/1", addImportExclusion="true")
    (found,) = world.radarr("GET", "movie/lookup", term="tmdb:155").json()
    assert found["isExcluded"] is True
    assert world.add().status_code == 201


def test_a_removed_film_is_gone_with_its_history(world: World) -> None:
    world.add()
    world.steps(3)
    assert world.radarr("DELETE", "movie/1").status_code == 200
    assert world.radarr("DELETE", "movie/1").status_code == 404
    assert world.radarr("GET", "movie/1").status_code == 404
    assert world.radarr("GET", "movie", tmdbId=155).json() == []
    assert (queue(world), history(world)) == ([], [])


def test_the_queue_comes_in_pages_of_ten(world: World) -> None:
    ids = [film.tmdb_id for film in world.box.catalogue.films if film.votes > 10_000][:12]
    for tmdb_id in ids:
        world.add(tmdb_id)
    world.steps(2)
    first = world.radarr("GET", "queue").json()
    assert (len(first["records"]), first["totalRecords"], first["pageSize"]) == (10, 12, 10)
    assert len(world.radarr("GET", "queue", page=2).json()["records"]) == 2
    assert len(world.radarr("GET", "queue", pageSize=100).json()["records"]) == 12
    assert len(world.radarr("GET", "queue/details").json()) == 12
    assert len(world.radarr("GET", "queue/details", movieId=3).json()) == 1


@pytest.mark.parametrize(
    ("query", "events", "searches"),
    [
        ({}, ["grabbed"], False),
        ({"blocklist": "true"}, ["grabbed", "downloadFailed"], True),
        ({"blocklist": "true", "skipRedownload": "true"}, ["grabbed", "downloadFailed"], False),
    ],
)
def test_a_queue_item_can_be_removed(
    world: World, query: dict[str, str], events: list[str], searches: bool
) -> None:
    world.add()
    world.steps(3)
    (item,) = queue(world)
    assert world.radarr("DELETE", f"queue/{item['id']}", **query).status_code == 200
    assert queue(world) == []
    assert [event for event, _ in history(world)] == events
    world.steps(3)
    assert len(queue(world)) == searches


def test_history_since_is_inclusive_and_oldest_first(world: World) -> None:
    world.add()
    world.steps(20)
    all_rows = world.radarr("GET", "history/since", date="2026-11-22T12:00:06Z").json()
    assert [row["eventType"] for row in all_rows] == ["grabbed", "downloadFolderImported"]
    later = world.radarr("GET", "history/since", date="2026-11-22T12:00:07Z").json()
    assert [row["eventType"] for row in later] == ["downloadFolderImported"]
    newest = world.radarr("GET", "history/movie", movieId=1).json()
    assert [row["id"] for row in newest] == [2, 1]
    paged = world.radarr("GET", "history", eventType=3).json()
    assert [row["eventType"] for row in paged["records"]] == ["downloadFolderImported"]
    assert world.radarr("GET", "history/since", date="yesterday").status_code == 400


def test_the_editor_monitors_without_a_search(world: World) -> None:
    world.add(monitored=False)
    response = world.radarr("PUT", "movie/editor", {"movieIds": [1], "monitored": True})
    assert (response.status_code, response.json()[0]["monitored"]) == (202, True)
    world.steps(3)
    assert queue(world) == []


def test_a_radarr_that_is_down_says_nothing(world: World) -> None:
    world.box.down.add(Service.RADARR)
    response = world.radarr("GET", "movie")
    assert response.status_code == 503
    assert "X-Application-Version" not in response
    assert world.client.get("/radarr/ping").status_code == 503
    assert world.webhooks() == []


def connection(name: str = "moviesms", url: str = "http://app.test/hook") -> dict[str, Any]:
    """A Connect webhook, as the product makes it."""
    headers = [{"key": "X-Webhook-Secret", "value": "word"}]
    fields = [{"name": "url", "value": url}, {"name": "headers", "value": headers}]
    return {"name": name, "implementation": "Webhook", "fields": fields, "onGrab": True}


def test_a_connection_is_tried_kept_changed_and_removed(world: World) -> None:
    with responses.RequestsMock() as mock:
        mock.post("http://app.test/hook", json={})
        made = world.radarr("POST", "notification", connection())
        assert (made.status_code, made.json()["id"]) == (201, 2)
        test = json.loads(mock.calls[0].request.body or "")
        assert test["eventType"] == "Test"
        assert mock.calls[0].request.headers["X-Webhook-Secret"] == "word"
        again = world.radarr("POST", "notification", connection())
        assert again.json()[0]["errorCode"] == "UniqueNameValidator"
        world.radarr("PUT", "notification/2", connection(name="Texts"))
    kept = [one["name"] for one in world.radarr("GET", "notification").json()]
    assert kept == ["Sandbox", "Texts"]
    assert world.radarr("DELETE", "notification/2").status_code == 200
    assert world.radarr("DELETE", "notification/2").status_code == 404


def test_a_connection_that_nobody_takes_is_refused(world: World) -> None:
    with responses.RequestsMock() as mock:
        mock.post("http://app.test/hook", status=403)
        refused = world.radarr("POST", "notification", connection())
    assert (refused.status_code, refused.json()[0]["propertyName"]) == (400, "Url")
    assert [one["name"] for one in world.radarr("GET", "notification").json()] == ["Sandbox"]

"""The phone page, its JSON, and who may use them."""

from typing import Any

import pytest

from sandbox.simulation import Outcome
from sandbox.state import Service

from .conftest import SAM, World


def post(world: World, name: str, body: Any, **headers: str) -> Any:
    """Post to the control API."""
    return world.client.post(
        f"/sandbox/{name}", body, content_type="application/json", headers=headers
    )


def test_the_page_needs_nothing_from_elsewhere(world: World) -> None:
    response = world.client.get("/")
    page = response.content.decode()
    assert response.status_code == 200
    assert 'data-testid="compose"' in page
    assert "http://app.test/admin/" in page
    assert "default-src 'self'" in response["Content-Security-Policy"]
    for name in ("phone.css", "phone.js", "icon.svg"):
        assert f"/static/{name}" in page
        assert world.client.get(f"/static/{name}").status_code == 200
    assert world.client.get("/static/other").status_code == 404


def test_a_text_and_its_answer_are_in_the_conversation(world: World) -> None:
    response = post(world, "text", {"from": SAM, "body": "get Dune"})
    assert response.status_code == 202
    world.box.exchange.send(SAM, world.config.phone_number, "🎬 Great!", world.now)
    messages = world.client.get("/sandbox/state").json()["conversations"][SAM]
    assert [(m["direction"], m["body"]) for m in messages] == [
        ("inbound", "get Dune"),
        ("outbound-api", "🎬 Great!"),
    ]
    assert messages[0]["sid"] == response.json()["sid"]
    assert messages[0]["handed_over"] is None


@pytest.mark.parametrize(
    "body",
    [{}, {"from": "555", "body": "x"}, {"from": SAM, "body": ""}, {"from": SAM, "body": "x" * 1601},
     {"from": SAM, "body": "x", "sid": "SM1"}, []],
)  # fmt: skip
def test_texts_that_make_no_sense(world: World, body: Any) -> None:
    assert post(world, "text", body).status_code == 400
    assert world.box.exchange.messages == []


def test_the_state_follows_a_film(world: World) -> None:
    world.add()
    world.steps(4)
    (film,) = world.client.get("/sandbox/state").json()["films"]
    assert (film["title"], film["phase"], film["percent"]) == ("The Dark Knight", "downloading", 50)
    assert film["eta_seconds"] == 12
    world.add(1003598)
    newest = world.client.get("/sandbox/state").json()["films"][0]
    assert (newest["phase"], newest["available_from"]) == ("not released", "2028-03-14")


def test_the_next_outcome_counts_once(world: World) -> None:
    assert post(world, "next", {"outcome": "fail"}).status_code == 200
    assert world.client.get("/sandbox/state").json()["next"] == "fail"
    world.add()
    assert world.box.library.next_outcome is Outcome.OK
    assert post(world, "next", {"outcome": "explode"}).status_code == 400


def test_faults_are_switched_on_and_off(world: World) -> None:
    assert post(world, "faults", {"radarr": True, "tmdb": False}).json()["faults"] == {
        "radarr": True,
        "tmdb": False,
        "openai": False,
        "twilio": False,
    }
    post(world, "faults", {"radarr": False})
    assert world.box.down == set()
    assert post(world, "faults", {"sonarr": True}).status_code == 400


def test_reset_begins_anew(world: World) -> None:
    world.add()
    world.box.text(SAM, "stop")
    world.box.down.add(Service.TMDB)
    assert post(world, "reset", {}).status_code == 200
    state = world.client.get("/sandbox/state").json()
    assert (state["films"], state["conversations"][SAM], state["opted_out"]) == ([], [], [])
    assert not any(state["faults"].values())


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.test"},
        {"Origin": "null"},
        {"Origin": "http://localhost:9999"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_other_sites_may_not_post(world: World, headers: dict[str, str]) -> None:
    assert post(world, "text", {"from": SAM, "body": "x"}, **headers).status_code == 403
    assert world.box.exchange.messages == []


def test_the_page_itself_may_post(world: World) -> None:
    headers = {"Origin": "http://localhost:8900", "Sec-Fetch-Site": "same-origin"}
    assert post(world, "reset", {}, **headers).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8900", 200),
        ("127.0.0.1:8900", 200),
        ("[::1]:8900", 200),
        ("192.168.1.9", 200),
        ("rebound.evil.test", 403),
        ("127.0.0.1.evil.test", 403),
    ],
)
def test_names_that_could_be_rebound_are_refused(world: World, host: str, status: int) -> None:
    assert world.client.get("/sandbox/state", headers={"host": host}).status_code == status

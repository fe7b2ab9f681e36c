"""Twilio's protocol: sending, listing, what it posts to the product, and its signature."""

import base64
from typing import Any

import pytest
import requests
import responses
from twilio.request_validator import RequestValidator

from sandbox.courier import Courier, deliver
from sandbox.exchange import segments
from sandbox.outbox import Post
from sandbox.state import Service

from .conftest import ALEX, SAM, World

CALLBACK = "http://app.test/api/sms/status/5b2f?x=1"


def auth(world: World, token: str | None = None) -> dict[str, str]:
    """Basic authorization."""
    pair = f"{world.config.account_sid}:{token or world.config.auth_token}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def path(world: World, rest: str) -> str:
    """A path of the account."""
    return f"/2010-04-01/Accounts/{world.config.account_sid}{rest}"


def send(world: World, **changes: str) -> Any:
    """Send a text to Sam."""
    form = {"To": SAM, "From": world.config.phone_number, "Body": "🎬 Hello"} | changes
    return world.client.post(path(world, "/Messages.json"), form, headers=auth(world))


def listed(world: World, **query: Any) -> list[dict[str, Any]]:
    """The messages of a list."""
    response = world.client.get(path(world, "/Messages.json"), query, headers=auth(world))
    return list(response.json()["messages"])


def test_a_text_is_taken(world: World) -> None:
    response = send(world)
    body = response.json()
    assert response.status_code == 201
    assert (body["status"], body["direction"], body["to"]) == ("queued", "outbound-api", SAM)
    assert body["sid"].startswith("SM")
    assert len(body["sid"]) == 34
    assert body["num_segments"] == "1"
    world.seconds(0.5)
    one = world.client.get(path(world, f"/Messages/{body['sid']}.json"), headers=auth(world)).json()
    assert (one["status"], one["body"]) == ("sent", "🎬 Hello")
    world.seconds(1)
    assert listed(world)[0]["status"] == "delivered"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"To": ""}, 21604),
        ({"To": "555"}, 21211),
        ({"From": ""}, 21603),
        ({"From": "+12025550100"}, 21606),
        ({"Body": ""}, 21602),
        ({"Body": "x" * 1601}, 21617),
        ({"StatusCallback": "http://my_host/"}, 21609),
    ],
)
def test_what_twilio_does_not_take(world: World, changes: dict[str, str], code: int) -> None:
    response = send(world, **changes)
    assert (response.status_code, response.json()["code"]) == (400, code)
    assert world.box.exchange.messages == []


def test_bad_credentials_and_other_accounts(world: World) -> None:
    response = world.client.get(path(world, ".json"), headers=auth(world, "wrong"))
    assert (response.status_code, response.json()["code"]) == (401, 20003)
    other = "/2010-04-01/Accounts/AC" + "0" * 32 + ".json"
    assert world.client.get(other, headers=auth(world)).status_code == 404
    assert world.client.get(path(world, ".json"), headers=auth(world)).json()["status"] == "active"


def test_delivery_reports_are_signed_and_in_order(world: World) -> None:
    sid = send(world, StatusCallback=CALLBACK).json()["sid"]
    assert world.box.outbox.take_due(world.now) == []
    world.seconds(2)
    posts = world.box.outbox.take_due(world.now)
    forms = [dict(post.form or {}) for post in posts]
    assert [form["MessageStatus"] for form in forms] == ["sent", "delivered"]
    assert {form["MessageSid"] for form in forms} == {sid}
    validator = RequestValidator(world.config.auth_token)
    for post, form in zip(posts, forms, strict=True):
        assert validator.validate(CALLBACK, form, post.headers["X-Twilio-Signature"])


def test_a_text_from_a_phone_is_posted_signed(world: World) -> None:
    message = world.box.text(SAM, " get Dune ✓ ")
    (post,) = world.box.outbox.take_due(world.now)
    form = dict(post.form or {})
    assert post.url == "http://app.test/api/sms/webhook"
    assert (form["MessageSid"], form["SmsSid"]) == (message.sid, message.sid)
    assert (form["From"], form["To"]) == (SAM, world.config.phone_number)
    assert (form["Body"], form["NumMedia"], form["SmsStatus"]) == (" get Dune ✓ ", "0", "received")
    validator = RequestValidator(world.config.auth_token)
    assert validator.validate(post.url, form, post.headers["X-Twilio-Signature"])
    assert not validator.validate(
        post.url, form | {"Body": "x"}, post.headers["X-Twilio-Signature"]
    )


def test_the_same_sid_is_one_message_however_often_it_is_posted(world: World) -> None:
    sid = "SM" + "ab" * 16
    for _ in range(3):
        world.box.text(SAM, "get Dune", sid)
    assert [message["sid"] for message in listed(world)] == [sid]
    assert len(world.box.outbox.take_due(world.now)) == 3


def test_stop_refuses_texts_until_start(world: World) -> None:
    world.box.text(SAM, "please stop the film")
    assert send(world).status_code == 201
    world.box.text(SAM, " Stop ")
    response = send(world)
    assert (response.status_code, response.json()["code"]) == (400, 21610)
    assert send(world, To=ALEX).status_code == 201
    world.box.text(SAM, "START")
    assert send(world).status_code == 201


def test_lists_are_filtered_newest_first(world: World) -> None:
    world.box.text(SAM, "one")
    world.seconds(86_400)
    world.box.text(ALEX, "two")
    send(world, Body="three")
    ours = world.config.phone_number
    assert [m["body"] for m in listed(world)] == ["three", "two", "one"]
    assert [m["body"] for m in listed(world, To=ours)] == ["two", "one"]
    assert [m["body"] for m in listed(world, To=ours, From=ALEX)] == ["two"]
    assert [m["body"] for m in listed(world, DateSent="2026-11-22")] == ["one"]
    assert [m["body"] for m in listed(world, DateSent="2026-11-22T00:00:00Z")] == ["one"]
    assert [m["body"] for m in listed(world, **{"DateSent>": "2026-11-23"})] == ["three", "two"]
    assert [m["body"] for m in listed(world, **{"DateSent<": "2026-11-22"})] == ["one"]
    since = {"DateSent>": "2026-11-23T12:00:01Z"}
    assert listed(world, **since) == []


def test_lists_come_in_pages_that_lead_on(world: World) -> None:
    for count in range(5):
        world.box.text(SAM, str(count))
    uri: str | None = path(world, "/Messages.json?PageSize=2&To=%2B15005550006")
    bodies = []
    while uri:
        page = world.client.get(uri, headers=auth(world)).json()
        bodies += [message["body"] for message in page["messages"]]
        uri = page["next_page_uri"]
    assert bodies == ["4", "3", "2", "1", "0"]


def test_the_number_and_its_webhook(world: World) -> None:
    numbers = path(world, "/IncomingPhoneNumbers.json")
    ours = {"PhoneNumber": world.config.phone_number}
    (number,) = world.client.get(numbers, ours, headers=auth(world)).json()[
        "incoming_phone_numbers"
    ]
    assert number["sms_url"] == "http://app.test/api/sms/webhook"
    one = path(world, f"/IncomingPhoneNumbers/{number['sid']}.json")
    changed = world.client.post(one, {"SmsUrl": "http://new.test/x"}, headers=auth(world)).json()
    assert changed["sms_url"] == "http://new.test/x"
    world.box.text(SAM, "hello")
    assert world.box.outbox.take_due(world.now)[0].url == "http://new.test/x"
    none = world.client.get(numbers, {"PhoneNumber": SAM}, headers=auth(world)).json()
    assert none["incoming_phone_numbers"] == []


def test_what_follows_the_hash_is_neither_posted_nor_signed(world: World) -> None:
    world.box.exchange.setup["sms_url"] = "http://new.test/x#rc=3"
    world.box.text(SAM, "Hi")
    [post] = world.box.outbox.take_due(world.now)
    assert post.url == "http://new.test/x"
    assert post.form is not None
    validator = RequestValidator(world.config.auth_token)
    signature = post.headers["X-Twilio-Signature"]
    assert validator.validate(post.url, dict(post.form), signature)


def test_a_number_without_a_webhook_keeps_its_texts_in_the_list(world: World) -> None:
    world.box.exchange.setup["sms_url"] = ""
    world.box.text(SAM, "Hi")
    assert world.box.outbox.take_due(world.now) == []
    assert [message["body"] for message in listed(world)] == ["Hi"]


def test_down(world: World) -> None:
    world.box.down.add(Service.TWILIO)
    assert send(world).status_code == 503


@pytest.mark.parametrize(
    ("text", "count"),
    [("x" * 160, 1), ("x" * 161, 2), ("€" * 80, 1), ("🎬" + "x" * 68, 1), ("🎬" + "x" * 69, 2)],
)
def test_segments(text: str, count: int) -> None:
    assert segments(text) == count


@responses.activate
def test_a_text_the_app_did_not_take_is_picked_up_from_the_list(world: World) -> None:
    responses.post("http://app.test/api/sms/webhook", status=503)
    message = world.box.text(SAM, "hello")
    (post,) = world.box.outbox.take_due(world.now)
    Courier(world.box)._carry(post)
    assert message.handed_over is False
    assert (world.box.outbox.delivered, world.box.outbox.failed) == (0, 1)
    listed(world)
    assert message.handed_over is True


@responses.activate
def test_a_failed_connection_is_tried_once_more_and_an_error_is_not() -> None:
    responses.post("http://app.test/", body=requests.ConnectionError())
    responses.post("http://app.test/", status=200)
    assert deliver(Post("http://app.test/", {}, form={"a": "b"}, attempts=2)) is True
    responses.post("http://down.test/", status=503)
    assert deliver(Post("http://down.test/", {}, json={}, attempts=2)) is False
    assert len(responses.calls) == 3

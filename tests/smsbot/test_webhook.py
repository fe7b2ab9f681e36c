"""The inbound webhook: who gets in, what is stored, and what is never waited for."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode

import pytest
import responses
from django.conf import settings as django_settings
from django.db import (
    DatabaseError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    connection,
    connections,
    models,
    transaction,
)
from django.http import HttpResponse, QueryDict
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from redis.connection import AbstractConnection
from twilio.request_validator import RequestValidator

from downloads.models import DownloadRequest
from moviesms import live
from moviesms.embedded_redis import EmbeddedRedis
from smsbot import handover, inbound, policy, sweep
from smsbot.models import Contact, InboundMessage
from tests.conftest import NOON, SAM, Household, inbound_form, post_signed
from tests.fakes import FakeRadarr, FakeTmdb, FakeTwilio
from tests.test_main_job import ADDED, ASK

PATH = "/api/sms/webhook"
FORM_TYPE = "application/x-www-form-urlencoded"
FIXTURES = Path(__file__).parents[1] / "fixtures" / "twilio"
REQUIRED = ["MessageSid", "AccountSid", "From", "To", "Body"]
OTHER_SID = "SM" + "e" * 32

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def network(mock: responses.RequestsMock) -> responses.RequestsMock:
    """No webhook test lets a call out; one that tries fails."""
    return mock


def signature(query: str, url: str = "", token: str = "") -> str:
    """Sign an encoded form as Twilio does, by default as for us."""
    validator = RequestValidator(token or django_settings.TWILIO_AUTH_TOKEN)
    address = url or django_settings.PUBLIC_URL + PATH
    return str(validator.compute_signature(address, QueryDict(query)))


def post(client: Client, query: str, signed: str, **headers: str) -> HttpResponse:
    """Post an encoded form under a given signature."""
    response = client.post(
        PATH, query, content_type=FORM_TYPE, headers={"X-Twilio-Signature": signed, **headers}
    )
    return cast(HttpResponse, response)


def form_of(**changes: str) -> dict[str, str]:
    return inbound_form(SAM, "get Dune", **changes)


def assert_refused(response: HttpResponse, *statuses: int) -> None:
    """A refusal leaves nothing behind, and says nothing that Twilio would send on as a text."""
    assert response.status_code in statuses, response.content
    assert not InboundMessage.objects.exists()
    assert not Contact.objects.exists()


def assert_taken(response: HttpResponse) -> InboundMessage:
    assert response.status_code == 200, response.content
    return InboundMessage.objects.get()


# --- Who gets in ----------------------------------------------------------------------------------

HOST = "https://films.example.org"
FORGERIES: dict[str, Callable[[str], str]] = {
    "missing": lambda query: "",
    "garbage": lambda query: "c2lnbmVkIGJ5IG5vYm9keSE9PT0=",
    "not ascii": lambda query: "sígnäture",
    "another token": lambda query: signature(query, token="another"),
    "another host": lambda query: signature(query, url=f"https://evil.example.net{PATH}"),
    "another scheme": lambda query: signature(query, url=f"http://films.example.org{PATH}"),
    "another path": lambda query: signature(query, url=f"{HOST}/api/sms/status"),
    "a trailing slash": lambda query: signature(query, url=f"{HOST}{PATH}/"),
    "a query": lambda query: signature(query, url=f"{HOST}{PATH}?admin=1"),
    "another text": lambda query: signature(query.replace("Dune", "Jaws")),
    "no form": lambda query: signature(""),
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_what_twilio_did_not_sign_for_us_is_refused(
    client: Client, forge: Callable[[str], str]
) -> None:
    query = urlencode(form_of())
    assert_refused(post(client, query, forge(query)), 403)


def test_without_the_header_it_is_refused_too(client: Client) -> None:
    assert_refused(
        cast(HttpResponse, client.post(PATH, urlencode(form_of()), content_type=FORM_TYPE)), 403
    )


def test_without_a_token_of_ours_nobody_gets_in(client: Client, settings: Any) -> None:
    query = urlencode(form_of())
    signed = RequestValidator("").compute_signature(HOST + PATH, QueryDict(query))
    settings.TWILIO_AUTH_TOKEN = ""
    assert_refused(post(client, query, signed), 403)


FORWARDED = {
    "X-Forwarded-Host": "evil.example.net",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Port": "8080",
    "X-Original-URL": "/elsewhere",
    "Forwarded": "host=evil.example.net;proto=http",
}


def test_forwarded_headers_open_no_door(client: Client) -> None:
    query = urlencode(form_of())
    for url in (f"http://evil.example.net{PATH}", f"https://evil.example.net{PATH}"):
        assert_refused(post(client, query, signature(query, url=url), **FORWARDED), 403)


def test_forwarded_headers_close_no_door(client: Client) -> None:
    query = urlencode(form_of())
    assert_taken(post(client, query, signature(query), **FORWARDED))


def test_the_query_is_part_of_what_is_signed(client: Client) -> None:
    query = urlencode(form_of())
    response = client.post(
        f"{PATH}?from=console",
        query,
        content_type=FORM_TYPE,
        headers={"X-Twilio-Signature": signature(query, url=f"{HOST}{PATH}?from=console")},
    )
    assert_taken(cast(HttpResponse, response))


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "head"])
def test_other_methods_are_refused(client: Client, method: str) -> None:
    query = urlencode(form_of())
    headers = {"X-Twilio-Signature": signature(query)}
    response = client.generic(method.upper(), PATH, query, FORM_TYPE, headers=headers)
    assert_refused(cast(HttpResponse, response), 405)


@pytest.mark.parametrize(
    "content_type", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""]
)
def test_only_a_form_is_read(client: Client, content_type: str) -> None:
    query = urlencode(form_of())
    headers = {"X-Twilio-Signature": signature(query)}
    response = client.generic("POST", PATH, query, content_type, headers=headers)
    assert_refused(cast(HttpResponse, response), 415)


@pytest.mark.parametrize(("extra", "taken"), [(32 * 1024, False), (24 * 1024, True)])
def test_the_form_has_a_largest_size(client: Client, extra: int, taken: bool) -> None:
    query = urlencode(form_of(Filler="x" * extra))
    response = post(client, query, signature(query))
    if taken:
        assert_taken(response)
    else:
        assert_refused(response, 413)


# --- What the form must hold ----------------------------------------------------------------------


@pytest.mark.parametrize("name", REQUIRED)
def test_a_required_field_may_not_be_missing(client: Client, name: str) -> None:
    form = form_of()
    del form[name]
    assert_refused(post_signed(client, PATH, form), 400)


@pytest.mark.parametrize("name", [*REQUIRED, "NumMedia"])
@pytest.mark.parametrize("second", ["the same", "another"])
def test_a_field_may_not_stand_twice(client: Client, name: str, second: str) -> None:
    form = form_of()
    again = form[name] if second == "the same" else "0" + form[name]
    query = urlencode([*form.items(), (name, again)])
    assert_refused(post(client, query, signature(query)), 400)


MALFORMED = [
    ("MessageSid", "SM" + "0" * 31),
    ("MessageSid", "SM" + "0" * 33),
    ("MessageSid", "SM" + "0" * 31 + "G"),
    ("MessageSid", "SM" + "A" * 32),
    ("MessageSid", "XX" + "0" * 32),
    ("MessageSid", "SM" + "0" * 32 + "\n"),
    ("MessageSid", "SM" + "٣" * 32),
    ("MessageSid", ""),
    ("AccountSid", "AC" + "1" * 32),
    ("AccountSid", ""),
    ("To", "+15005550007"),
    ("To", " +15005550006"),
    ("To", ""),
    ("From", "2025550142"),
    ("From", "+0025550142"),
    ("From", "+1202555014x"),
    ("From", "+1 202 555 0142"),
    ("From", "+" + "1" * 16),
    ("From", "+12025550142\n"),
    ("From", "+1202555٠١٤٢"),
    ("From", "whatsapp:+12025550142"),
    ("From", "whatsapp:US.1234567890"),
    ("From", "Anonymous"),
    ("From", ""),
    ("NumMedia", "many"),
    ("NumMedia", "-1"),
    ("NumMedia", "1.5"),
    ("NumMedia", "²"),
    ("NumMedia", "99999999999999999999"),
    ("NumMedia", ""),
]


@pytest.mark.parametrize(("name", "value"), MALFORMED)
def test_a_malformed_field_is_refused(client: Client, name: str, value: str) -> None:
    assert_refused(post_signed(client, PATH, form_of(**{name: value})), 400)


@pytest.mark.parametrize("sender", ["12345", "+12345", "888111", "777", "+15005550006"])
def test_machines_and_ourselves_are_never_answered(client: Client, sender: str) -> None:
    response = post_signed(client, PATH, inbound_form(sender, "Your code is 1234"))
    assert_refused(response, 200)
    assert response.content == b"<Response/>"


def test_no_number_media_is_none(client: Client) -> None:
    form = form_of()
    del form["NumMedia"]
    assert assert_taken(post_signed(client, PATH, form)).num_media == 0


# --- Folded fields: the signature has no delimiters -----------------------------------------------


def regrouped(form: dict[str, str], **changes: str | None) -> dict[str, str]:
    """Change a form, None for a field that goes, so that its signature stays what it was."""
    changed = {**form, **changes}
    other = {name: value for name, value in changed.items() if value is not None}
    assert signature(urlencode(other)) == signature(urlencode(form)), "not a regrouping"
    return other


FOLDED: dict[str, Callable[[dict[str, str]], dict[str, str]]] = {
    "the body into the version": lambda form: regrouped(
        form, ApiVersion=f"{form['ApiVersion']}Body{form['Body']}", Body=None
    ),
    "the sender into the body": lambda form: regrouped(
        form, Body=f"{form['Body']}From{form['From']}", From=None
    ),
    "our number into the status": lambda form: regrouped(
        form, SmsStatus=f"{form['SmsStatus']}To{form['To']}", To=None
    ),
    "the SID into the sender": lambda form: regrouped(
        form, From=f"{form['From']}MessageSid{form['MessageSid']}", MessageSid=None
    ),
    "the number of media into the SID": lambda form: regrouped(
        form, MessageSid=f"{form['MessageSid']}NumMedia0", NumMedia=None
    ),
    "half the body into a name": lambda form: regrouped(form, Body=None, Bodyget=" Dune"),
    "half the sender into a name": lambda form: regrouped(
        form, From=None, **{"From+1": form["From"][2:]}
    ),
    "the country into our number": lambda form: regrouped(
        form, To=f"{form['To']}ToCountryUS", ToCountry=None
    ),
}


@pytest.mark.parametrize("fold", FOLDED.values(), ids=FOLDED)
def test_a_replay_with_folded_fields_is_refused(
    client: Client, fold: Callable[[dict[str, str]], dict[str, str]]
) -> None:
    form = form_of()
    query = urlencode(fold(form))
    assert_refused(post(client, query, signature(urlencode(form))), 400, 403)


VICTIM = "+12025550999"
TAKEN = f"From{VICTIM}MessageSid{OTHER_SID}To+15005550006"


def unfolded(form: dict[str, str], lead: str, names: list[str]) -> dict[str, str]:
    """Cut a form anew: the fields that its text holds, and the rest under these names."""
    rest = lead + "".join(name + form[name] for name in sorted(form) if name > "Body")
    starts: list[int] = []
    behind = 0
    for name in names:
        starts.append(rest.index(name, behind))
        behind = starts[-1] + len(name)
    ends = [*starts[1:], len(rest)]
    return {
        "AccountSid": form["AccountSid"],
        "ApiVersion": form["ApiVersion"],
        "Body": "get Dune",
        "From": VICTIM,
        "MessageSid": OTHER_SID,
        "To": form["To"],
        **{n: rest[a + len(n) : b] for n, a, b in zip(names, starts, ends, strict=True)},
    }


@pytest.mark.parametrize(
    ("lead", "names"),
    [
        pytest.param("Zz", ["Zz"], id="into a value"),
        pytest.param("Zz", ["ZzFrom"], id="into a name"),
        pytest.param(
            "Toz",
            ["TozFrom", "essageSid", "ssageSid", "tusreceivedTo"],
            id="within words",
        ),
    ],
)
def test_a_text_cannot_be_unfolded_into_somebody_elses(
    client: Client, lead: str, names: list[str]
) -> None:
    """Whoever reads the signature of one of their own texts must not write another's with it."""
    form = inbound_form(SAM, f"get Dune{TAKEN}{lead}")
    signed = signature(urlencode(form))
    forged = urlencode(unfolded(form, lead, names))
    assert signature(forged) == signed, "not a regrouping"
    assert_refused(post(client, forged, signed), 400, 403)


# --- What is stored -------------------------------------------------------------------------------

BODIES = {
    "empty": "",
    "spaces": "  get Dune \n",
    "emoji": "🎬 get Dune 🍿👨‍👩‍👧‍👦",
    "four bytes": "𝔇𝔲𝔫𝔢 𠜎𠜱",
    "right to left": "\u202eenuD\u202c",
    "longest": "x" * 1600,
    "longest emoji": "🎬" * 1600,
    "markup": "<b>Dune</b> & 'co' \"%(x)s {{ x }}\"",
    "plus and percent": "1+1=2 100% ?a=b&c=d",
    "curly": "can’t find “Dune” — really…",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_is_stored_as_it_came(client: Client, body: str) -> None:
    row = assert_taken(post_signed(client, PATH, inbound_form(SAM, body)))
    assert (row.body, row.contact.address) == (body, SAM)


def test_a_nul_is_left_out(client: Client) -> None:
    form = inbound_form(SAM, "get\x00 Dune\x00")
    assert assert_taken(post_signed(client, PATH, form)).body == "get Dune"


def test_unknown_fields_are_fine(client: Client) -> None:
    form = form_of(RcsVersion="9", NewIn2027="yes", OptOutType="HELP", MediaUrl99="https://x.test/")
    assert_taken(post_signed(client, PATH, form))


@pytest.mark.parametrize(
    ("name", "media", "body"),
    [("inbound_sms", 0, "Can you get The Dark Knight for me?"), ("inbound_mms", 1, "")],
)
def test_whole_forms_of_twilios_shape_are_taken(
    client: Client, name: str, media: int, body: str
) -> None:
    query = (FIXTURES / f"{name}.form.txt").read_text()
    row = assert_taken(post(client, query, signature(query)))
    sent = dict(parse_qsl(query))
    assert row.twilio_sid == sent["MessageSid"]
    assert (row.contact.address, row.num_media, row.body) == (sent["From"], media, body)


def test_the_answer_is_empty_xml_and_sets_no_cookie(client: Client) -> None:
    response = post_signed(client, PATH, form_of())
    assert_taken(response)
    assert response.content == b"<Response/>"
    assert response.headers["Content-Type"].split(";")[0] == "text/xml"
    assert not response.cookies


# --- Once -----------------------------------------------------------------------------------------


def test_a_text_that_comes_again_has_one_effect(household: Household, radarr: FakeRadarr) -> None:
    form = inbound_form(SAM, ASK)
    household.deliver(form)
    household.deliver(form)
    household.work()
    household.deliver(form)
    household.work()
    assert household.texts_to(SAM) == [ADDED]
    assert InboundMessage.objects.count() == DownloadRequest.objects.count() == radarr.adds == 1


def test_a_sid_that_comes_again_with_other_words_changes_nothing(household: Household) -> None:
    form = inbound_form(SAM, ASK)
    household.deliver(form)
    household.deliver({**form, "Body": "get Inception"})
    household.work()
    assert household.texts_to(SAM) == [ADDED]


@pytest.mark.django_db(transaction=True)
def test_one_sid_from_many_threads_is_one_row() -> None:
    form, threads = form_of(), 6
    barrier = threading.Barrier(threads)
    statuses: list[int] = []

    def deliver() -> None:
        barrier.wait(timeout=10)
        # SQLite in memory does not wait for a lock: Twilio is asked to come again, and does.
        for _ in range(200):
            status = post_signed(Client(), PATH, form).status_code
            if status != 503:
                break
        statuses.append(status)
        connections.close_all()

    runners = [threading.Thread(target=deliver) for _ in range(threads)]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join(timeout=30)
    assert statuses == [200] * threads
    assert InboundMessage.objects.count() == Contact.objects.count() == 1


# --- Not stored is never 200 ----------------------------------------------------------------------


def failing(error: Exception) -> Callable[..., Any]:
    def fail(*args: object, **kwargs: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(OperationalError("database is locked"), id="locked"),
        pytest.param(DatabaseError("disk full"), id="full"),
        pytest.param(InterfaceError("connection already closed"), id="closed"),
    ],
)
@pytest.mark.parametrize("model", [Contact, InboundMessage])
@pytest.mark.parametrize("known", [True, False])
def test_what_cannot_be_stored_is_asked_for_again(
    client: Client, error: Exception, model: type[models.Model], known: bool
) -> None:
    form = form_of()
    if known:
        Contact.objects.create(address=SAM)
    tried: list[str] = []

    def refuse(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if model._meta.db_table in sql:
            tried.append(sql)
            raise error
        return execute(sql, *rest)

    with connection.execute_wrapper(refuse):
        assert post_signed(client, PATH, form).status_code == 503
    assert tried
    assert_taken(post_signed(client, PATH, form))


def test_a_person_that_cannot_be_stored_is_asked_for_again(client: Client) -> None:
    def refuse(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.startswith('INSERT INTO "smsbot_contact"'):
            raise OperationalError("database is locked")
        return execute(sql, *rest)

    with connection.execute_wrapper(refuse):
        assert_refused(post_signed(client, PATH, form_of()), 503)
    assert_taken(post_signed(client, PATH, form_of()))


def test_what_breaks_another_rule_is_no_repetition() -> None:
    """A SID that is there already is a success; nothing else that the database refuses is."""
    impossible = inbound.Incoming(form_of()["MessageSid"], SAM, "get Dune", num_media=-1)
    with pytest.raises(IntegrityError):
        inbound.store(impossible, now=timezone.now())
    assert not InboundMessage.objects.exists()


@pytest.mark.parametrize("known", [True, False])
def test_the_id_given_back_is_that_of_the_one_row_stored(known: bool) -> None:
    if known:
        Contact.objects.create(address=SAM)
    incoming = inbound.Incoming(form_of()["MessageSid"], SAM, "Stop", num_media=2)
    for created in (True, False):
        stored = inbound.store(incoming, now=NOON, dead="" if known else "too old")
        message = InboundMessage.objects.get()
        assert stored == (message.pk, created)
        assert (message.contact.address, message.body, message.attempts) == (SAM, "Stop", 0)
        assert (message.received_at, message.skips_line, message.num_media) == (NOON, True, 2)
        assert message.failure == ("" if known else "too old")


@pytest.mark.django_db(transaction=True)
def test_a_commit_that_fails_is_asked_for_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = form_of()
    handed_over: list[object] = []
    monkeypatch.setattr(handover, "inbound", lambda *args: handed_over.append(args))
    with monkeypatch.context() as broken:
        broken.setattr(connection, "_commit", failing(OperationalError("disk I/O error")))
        assert_refused(post_signed(client, PATH, form), 503)
    assert handed_over == []
    assert_taken(post_signed(client, PATH, form))


# In SQLite whoever writes locks everybody: there is no row to lock. `script/with_postgres` runs it.
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite locks no rows")
@pytest.mark.django_db(transaction=True)
def test_a_person_whose_row_is_locked_keeps_no_text_waiting(settings: Settings) -> None:
    settings.REQUEST_APPROVAL = "all"
    Contact.objects.create(address=SAM)
    stored: list[tuple[int, bool]] = []

    def store() -> None:
        incoming = inbound.Incoming(form_of()["MessageSid"], SAM, "get Dune", num_media=0)
        stored.append(inbound.store(incoming, now=NOON))
        connection.close()

    with transaction.atomic():
        policy._waits_for_approval(SAM, NOON)
        webhook = threading.Thread(target=store)
        webhook.start()
        webhook.join(5)
        assert len(stored) == 1, "it waited for the row"


# --- Nothing before the row is safe; nothing waited for after it ----------------------------------


def test_the_row_is_safe_before_anything_else_is_touched(
    client: Client, monkeypatch: pytest.MonkeyPatch, network: responses.RequestsMock
) -> None:
    seen: list[str] = []
    store, send = inbound.store, cast(Any, AbstractConnection).send_packed_command

    def spy_store(*args: Any, **kwargs: Any) -> Any:
        stored = store(*args, **kwargs)
        seen.append("stored")
        return stored

    def spy_redis(self: Any, *args: Any, **kwargs: Any) -> None:
        seen.append("redis")
        send(self, *args, **kwargs)

    monkeypatch.setattr(inbound, "store", spy_store)
    monkeypatch.setattr(AbstractConnection, "send_packed_command", spy_redis)
    assert_taken(post_signed(client, PATH, form_of()))
    assert seen[0] == "stored"
    assert "redis" in seen, "the id was not handed over, or the spy looks at the wrong place"
    assert len(network.calls) == 0


@pytest.mark.parametrize("refuse", ["unsigned", "malformed"])
def test_a_refusal_touches_neither_redis_nor_network(
    client: Client, monkeypatch: pytest.MonkeyPatch, refuse: str
) -> None:
    touch = failing(AssertionError("Redis was touched"))
    monkeypatch.setattr(AbstractConnection, "send_packed_command", touch)
    query = urlencode(form_of() if refuse == "unsigned" else form_of(To="+15005550007"))
    assert_refused(post(client, query, "" if refuse == "unsigned" else signature(query)), 400, 403)


def test_a_broker_that_breaks_changes_no_answer(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AbstractConnection, "send_packed_command", failing(OSError("broken pipe")))
    assert_taken(post_signed(client, PATH, form_of()))


@pytest.fixture
def redis_stopped(redis_server: EmbeddedRedis) -> Iterator[None]:
    redis_server.stop()
    yield
    redis_server.start()
    live.breaker.succeeded()


@pytest.fixture
def inline_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the sweep's threads be this one, which holds the test's transaction."""

    class Inline:
        def __init__(self, **kwargs: object) -> None: ...

        def __enter__(self) -> "Inline":
            return self

        def __exit__(self, *args: object) -> None: ...

        map = staticmethod(map)

    monkeypatch.setattr(sweep, "ThreadPoolExecutor", Inline)
    monkeypatch.setattr(connections, "close_all", lambda: None)


def test_without_redis_the_row_is_stored_and_the_sweep_answers_it(
    household: Household, redis_stopped: None, inline_sweep: None
) -> None:
    household.deliver(inbound_form(SAM, ASK))
    assert InboundMessage.objects.get().state == InboundMessage.State.RECEIVED
    household.clock.shift(timedelta(seconds=django_settings.SWEEP_INTERVAL))
    sweep.work(timezone.now(), threading.Event())
    assert household.texts_to(SAM) == [ADDED]


def test_the_webhook_asks_nobody(
    client: Client, radarr: FakeRadarr, tmdb: FakeTmdb, twilio: FakeTwilio
) -> None:
    post_signed(client, PATH, inbound_form(SAM, ASK))
    assert radarr.calls == tmdb.calls == twilio.calls == []

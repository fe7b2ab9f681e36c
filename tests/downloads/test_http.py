"""The session: time, size, redirects, retries, and silence about keys."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
import time_machine
from pydantic import TypeAdapter
from urllib3.exceptions import (
    InvalidHeader,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
)

from downloads import http
from downloads.http import Answer, JsonSession, ServiceError
from tests.local_server import (
    HEAD,
    answering,
    dripping,
    hanging_up,
    resetting,
    saying,
    server,
    silent,
)

KEY = "s3cr3t-k3y/+"
ROOT = "http://service.test:81"
URL = f"{ROOT}/thing"


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Note the waits between tries, and take none."""
    waits: list[float] = []
    monkeypatch.setattr(http, "pause", waits.append)
    return waits


@pytest.fixture
def fake() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def session(url: str = ROOT, deadline: float = 5, **more: Any) -> JsonSession:
    return JsonSession("Radarr", url, deadline=deadline, secrets=(KEY,), **more)


def failure_of(call: Callable[[], object]) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        call()
    return caught.value


def never_connected() -> requests.ConnectionError:
    return requests.ConnectionError(NewConnectionError(None, f"refused {KEY}"))  # type: ignore[arg-type]


def unknown_name() -> requests.ConnectionError:
    return requests.ConnectionError(
        NameResolutionError("service.test", None, socket.gaierror(-2, "unknown"))  # type: ignore[arg-type]
    )


# --- answers -------------------------------------------------------------------------------------


def test_an_answer_has_status_headers_and_body(fake: responses.RequestsMock) -> None:
    fake.get(URL, json={"a": 1}, headers={"X-Thing": "yes"})
    answer = session().get("/thing")
    assert (answer.status, answer.headers["x-thing"], answer.ok) == (200, "yes", True)
    assert session().read(answer, TypeAdapter(dict[str, int])) == {"a": 1}


def test_headers_and_parameters_of_the_session_are_sent(fake: responses.RequestsMock) -> None:
    fake.get(URL, json={})
    session(f" {ROOT}/ ", headers={"X-Api-Key": KEY}, params={"k": "v"}).get("/thing", {"p": 1})
    request = fake.calls[0].request
    assert request.url == f"{URL}?k=v&p=1"
    assert request.headers["X-Api-Key"] == KEY


@pytest.mark.parametrize(
    ("status", "code", "permanent", "unknown"),
    [
        (400, "rejected", True, False),
        (401, "unauthorized", True, False),
        (403, "forbidden", True, False),
        (404, "not_found", True, False),
        (408, "timeout", False, True),
        (418, "rejected", True, False),
        (422, "rejected", True, False),
        (429, "rate_limited", False, False),
        (500, "unavailable", False, True),
        (501, "unavailable", False, True),
        (502, "unavailable", False, True),
        (503, "unavailable", False, True),
        (504, "unavailable", False, True),
    ],
)
def test_a_status_has_one_reading(status: int, code: str, permanent: bool, unknown: bool) -> None:
    written, read = (
        session().error(Answer(status, {}, b"", write=write)) for write in (True, False)
    )
    assert (written.code, written.permanent, written.status) == (code, permanent, status)
    assert (written.outcome_unknown, read.outcome_unknown) == (unknown, False)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("3", 3),
        ("0.5", 0.5),
        ("Sun, 01 Mar 2026 13:00:00 GMT", 3600),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date(
    clock: time_machine.Traveller, value: str, seconds: float
) -> None:
    assert Answer(429, {"Retry-After": value}, b"", write=False).retry_after == seconds


@pytest.mark.parametrize("value", ["", "soon", "-1", "nan", "inf"])
def test_a_retry_after_without_sense_is_none(value: str) -> None:
    assert Answer(429, {"Retry-After": value}, b"", write=False).retry_after is None


def test_a_null_counts_as_an_absent_field_however_deep() -> None:
    body = b'{"page": {"total": 1, "next": null}, "other": null}'
    read = session().read(Answer(200, {}, body, False), TypeAdapter(dict[str, dict[str, int]]))
    assert read == {"page": {"total": 1}}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"<html>login</html>", "not JSON"),
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"a": "s3cr3t-k3y/+ is no number"}', "unexpected shape at a"),
        (b"[1]", "unexpected shape"),
        (b'{"a": [null]}', "unexpected shape at a"),
    ],
)
@pytest.mark.parametrize("write", [True, False])
def test_what_is_not_the_json_we_expect_is_unreadable(body: bytes, says: str, write: bool) -> None:
    shape = TypeAdapter(dict[str, int])
    error = failure_of(lambda: session().read(Answer(200, {}, body, write), shape))
    assert (error.code, error.permanent, error.outcome_unknown) == ("unreadable", False, write)
    assert says in str(error)
    assert KEY not in str(error)
    assert error.__context__ is None
    assert error.__cause__ is None


# --- failures ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cause", "code", "permanent", "unknown"),
    [
        (never_connected(), "unreachable", False, False),
        (unknown_name(), "unreachable", False, False),
        (requests.ConnectTimeout(KEY), "timeout", False, False),
        (requests.ReadTimeout(KEY), "timeout", False, True),
        (requests.ConnectionError(ReadTimeoutError(None, KEY, KEY)), "timeout", False, True),  # type: ignore[arg-type]
        (requests.ConnectionError(ConnectionResetError(KEY)), "unreachable", False, True),
        (requests.exceptions.ChunkedEncodingError(KEY), "unreachable", False, True),
        (requests.exceptions.ContentDecodingError(KEY), "unreadable", False, True),
        (requests.exceptions.InvalidHeader(InvalidHeader(KEY)), "unreadable", False, True),
        (requests.exceptions.SSLError(ssl.SSLCertVerificationError(KEY)), "unreachable", True,
         False),
        (requests.exceptions.SSLError(ssl.SSLError(KEY)), "unreachable", False, True),
        (OSError(KEY), "unreachable", False, True),
    ],
)  # fmt: skip
def test_a_failed_write_says_whether_it_may_have_arrived(
    fake: responses.RequestsMock, cause: Exception, code: str, permanent: bool, unknown: bool
) -> None:
    fake.post(URL, body=cause)
    error = failure_of(lambda: session().write("POST", "/thing"))
    assert (error.code, error.permanent, error.outcome_unknown) == (code, permanent, unknown)
    assert len(fake.calls) == 1


def test_a_failed_read_has_no_outcome_to_wonder_about(fake: responses.RequestsMock) -> None:
    fake.get(URL, body=requests.ReadTimeout())
    assert failure_of(lambda: session().get("/thing")).outcome_unknown is False


@pytest.mark.parametrize("url", ["radarr:7878", "nonsense", "ftp://radarr", "http://[::1", ""])
def test_an_address_that_is_none_is_rejected_for_good(url: str) -> None:
    error = failure_of(lambda: session(url).write("POST", "/thing"))
    assert (error.code, error.permanent, error.outcome_unknown) == ("rejected", True, False)


def test_a_key_that_no_header_can_carry_is_rejected_and_not_shown() -> None:
    broken = session(headers={"X-Api-Key": f"{KEY}\nX"})
    error = failure_of(lambda: broken.get("/thing"))
    assert (error.code, error.permanent) == ("rejected", True)
    assert KEY not in str(error)


# --- redirects and size --------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_redirect_is_never_followed(
    fake: responses.RequestsMock, status: int, method: str
) -> None:
    inside = "http://169.254.169.254/latest/meta-data"
    fake.add(method, URL, status=status, headers={"Location": inside})
    calls = {"GET": session().get, "POST": lambda path: session().write("POST", path)}
    error = failure_of(lambda: calls[method]("/thing"))
    assert (error.code, error.permanent, error.status) == ("redirected", True, status)
    assert [call.request.url for call in fake.calls] == [URL]
    assert "169.254" not in str(error)


@pytest.mark.parametrize(("size", "fits"), [(1000, True), (1001, False)])
def test_a_body_has_a_cap(fake: responses.RequestsMock, size: int, fits: bool) -> None:
    fake.get(URL, body=b"x" * size)
    if fits:
        assert len(session(max_bytes=1000).get("/thing").body) == size
    else:
        error = failure_of(lambda: session(max_bytes=1000).get("/thing"))
        assert (error.code, error.permanent, error.outcome_unknown) == ("too_large", True, False)


def test_one_call_can_have_a_cap_of_its_own(fake: responses.RequestsMock) -> None:
    fake.get(URL, body=b"x" * 1001)
    assert len(session(max_bytes=1000).get("/thing", max_bytes=2000).body) == 1001


def test_the_cap_counts_decoded_bytes(fake: responses.RequestsMock) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    fake.post(URL, body=bomb, headers={"Content-Encoding": "gzip"})
    error = failure_of(lambda: session(max_bytes=100_000).write("POST", "/thing"))
    assert (error.code, error.outcome_unknown) == ("too_large", True)
    assert len(bomb) < 100_000


def test_gzip_that_is_not_gzip_is_unreadable(fake: responses.RequestsMock) -> None:
    fake.get(URL, body=b"plain", headers={"Content-Encoding": "gzip"})
    assert failure_of(lambda: session().get("/thing")).code == "unreadable"


# --- retries -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_get_is_tried_again_on_a_passing_failure(
    fake: responses.RequestsMock, pauses: list[float], status: int
) -> None:
    fake.get(URL, status=status)
    fake.get(URL, body=never_connected())
    fake.get(URL, json={})
    assert session().get("/thing").ok
    assert pauses == [0.1, 0.3]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_get_is_tried_three_times_at_most(fake: responses.RequestsMock, status: int) -> None:
    fake.get(URL, status=status)
    assert session().get("/thing").status == status
    assert len(fake.calls) == 3


@pytest.mark.parametrize("status", [400, 401, 404, 429, 501])
def test_a_get_is_not_tried_again_on_other_statuses(
    fake: responses.RequestsMock, status: int
) -> None:
    fake.get(URL, status=status)
    assert session().get("/thing").status == status
    assert len(fake.calls) == 1


@pytest.mark.parametrize(
    "cause",
    [
        requests.ReadTimeout(),
        requests.exceptions.SSLError(ssl.SSLCertVerificationError()),
    ],
)
def test_a_get_is_not_tried_again_where_that_cannot_help(
    fake: responses.RequestsMock, cause: Exception
) -> None:
    fake.get(URL, body=cause)
    failure_of(lambda: session().get("/thing"))
    assert len(fake.calls) == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("status", [500, 503])
def test_a_write_is_never_tried_again(
    fake: responses.RequestsMock, method: Any, status: int
) -> None:
    fake.add(method, URL, status=status)
    assert session().write(method, "/thing").status == status
    assert len(fake.calls) == 1


@pytest.mark.parametrize(("after", "waits"), [("2", [2.0, 0.3]), ("0", [0.1, 0.3]), ("60", [])])
def test_retry_after_is_kept_where_it_fits_in_the_deadline(
    fake: responses.RequestsMock, pauses: list[float], after: str, waits: list[float]
) -> None:
    fake.get(URL, status=503, headers={"Retry-After": after})
    fake.get(URL, status=503)
    fake.get(URL, status=503)
    if not waits:
        fake.assert_all_requests_are_fired = False
    session(deadline=5).get("/thing")
    assert pauses == waits


# --- the environment -----------------------------------------------------------------------------


def test_netrc_and_proxies_of_the_environment_are_not_used(
    fake: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine service.test login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.test:3128")
    fake.get(URL, json={})
    session(headers={"Authorization": "Bearer ours"}).get("/thing")
    request: Any = fake.calls[0].request
    assert request.headers["Authorization"] == "Bearer ours"
    assert not request.req_kwargs.get("proxies")


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_ca_bundle_of_the_environment_is_used(
    fake: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for other in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, "/etc/ours.pem")
    fake.get(URL, json={})
    session().get("/thing")
    request: Any = fake.calls[0].request
    assert request.req_kwargs["verify"] == "/etc/ours.pem"


def test_a_ca_bundle_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ours.pem")
    ours = session("https://service.test")
    error = failure_of(lambda: ours.write("POST", "/thing"))
    assert (error.code, error.permanent, error.outcome_unknown) == ("unreachable", True, False)
    assert "REQUESTS_CA_BUNDLE" in str(error)


def test_certificates_are_verified_by_default(
    fake: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    fake.get(URL, json={})
    session().get("/thing")
    request: Any = fake.calls[0].request
    assert request.req_kwargs["verify"] is True


def test_no_cookie_is_kept(fake: responses.RequestsMock) -> None:
    fake.get(URL, json={}, headers={"Set-Cookie": "a=b; Path=/"})
    ours = session()
    ours.get("/thing")
    ours.get("/thing")
    assert "Cookie" not in fake.calls[1].request.headers


# --- silence about keys --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"bad key {KEY}", "bad key ***"),
        ("bad key s3cr3t-k3y%2F%2B", "bad key ***"),
        ("see http://u:p@ix.test:80/x/passkey1?apikey=abc now", "see http://ix.test:80/… now"),
        ("apikey=abcdef&t=1", "apikey=***&t=1"),
        ('{"api_key": abcdef}', '{"api_key": ***'),
        ("Boom\n   at NzbDrone.Core.Movies", "Boom"),
        ("  \n spaced \t out", "spaced \t out"),
        ("x" * 500, "x" * 199 + "…"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_a_service_says_is_made_fit_for_a_log(said: str, shown: str) -> None:
    error = session().error(Answer(400, {}, b"", write=False), said)
    assert str(error) == "Radarr refused this (HTTP 400)" + (f": {shown}" if shown else "")


@pytest.mark.parametrize(
    "cause",
    [
        never_connected(),
        requests.ConnectionError(f"/x?api_key={KEY}"),
        requests.ReadTimeout(f"/x?api_key={KEY}"),
        requests.exceptions.SSLError(f"/x?api_key={KEY}"),
    ],
)
def test_no_secret_gets_into_an_error(fake: responses.RequestsMock, cause: Exception) -> None:
    root = "http://user:pa55w0rd@service.test:81"
    fake.get(f"{root}/thing", body=cause)
    ours = session(root, params={"api_key": KEY})
    error = failure_of(lambda: ours.get("/thing"))
    scanned = f"{error} {error!r} {error.args} {vars(error)} {ours!r}"
    assert not [word for word in (KEY, "s3cr3t", "pa55w0rd", "api_key") if word in scanned]
    assert error.__cause__ is None
    assert error.__context__ is None


# --- real sockets, through the whole session -----------------------------------------------------


@pytest.mark.processes
@pytest.mark.enable_socket
@pytest.mark.parametrize(
    "behave",
    [
        pytest.param(silent, id="silent"),
        pytest.param(dripping(HEAD + b"X-Long: ", b"x"), id="a header drips"),
        pytest.param(dripping(b"HTTP/1.1 100 Continue\r\n", b"X: y\r\n"), id="an early head drips"),
        pytest.param(dripping(HEAD + b"Content-Length: 9999\r\n\r\n", b"1"), id="a body drips"),
        pytest.param(
            dripping(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n1\r\n"), id="chunks drip"
        ),
    ],
)
def test_no_server_holds_us_beyond_the_deadline(behave: Any) -> None:
    with server(behave) as url:
        started = time.monotonic()
        error = failure_of(lambda: session(url, deadline=0.15).write("POST", "/thing"))
        took = time.monotonic() - started
    assert (error.code, error.outcome_unknown) == ("timeout", True)
    assert 0.1 < took < 2


@pytest.mark.processes
@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("behave", "code"),
    [(silent, "timeout"), (hanging_up, "unreachable"), (answering, "unreachable")],
)
def test_tls_that_fails_ends_by_the_deadline_and_sends_nothing(behave: Any, code: str) -> None:
    with server(behave) as url:
        started = time.monotonic()
        secure = url.replace("http:", "https:")
        error = failure_of(lambda: session(secure, deadline=0.15).write("POST", "/thing"))
        took = time.monotonic() - started
    assert (error.code, error.permanent, error.outcome_unknown) == (code, False, False)
    assert took < 2


@pytest.mark.processes
@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("behave", "code"),
    [
        (hanging_up, "unreachable"),
        (resetting, "unreachable"),
        (saying(b"SMTP ready\r\n\r\n"), "unreachable"),
    ],
    ids=["hangs up", "resets", "another protocol"],
)
def test_a_connection_broken_after_the_request_leaves_a_write_unknown(
    behave: Any, code: str
) -> None:
    with server(behave) as url:
        error = failure_of(lambda: session(url).write("POST", "/thing"))
    assert (error.code, error.permanent, error.outcome_unknown) == (code, False, True)


@pytest.mark.processes
@pytest.mark.enable_socket
def test_a_refused_connection_leaves_nothing_unknown() -> None:
    with server(answering) as url:
        pass
    error = failure_of(lambda: session(url).write("POST", "/thing"))
    assert (error.code, error.outcome_unknown) == ("unreachable", False)


def test_a_name_server_that_hangs_ends_by_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args: over.wait(5) and [])
    started = time.monotonic()
    error = failure_of(lambda: session(deadline=0.1).write("POST", "/thing"))
    over.set()
    assert (error.code, error.outcome_unknown) == ("timeout", False)
    assert time.monotonic() - started < 2

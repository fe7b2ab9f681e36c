"""The transport: one exchange ends by its deadline, and what a failure proves."""

from __future__ import annotations

import gc
import gzip
import logging
import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from urllib3.exceptions import (
    ConnectTimeoutError,
    InvalidHeader,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)

from moviesms import transport
from moviesms.transport import BoundedAdapter, NoCertificates, Reply, TooLarge, never_sent
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

URL = "http://service.test:81/thing"
SECRET = "s3cr3t"
SECURE = "https://service.test/thing"

real_sockets = [pytest.mark.processes, pytest.mark.enable_socket]
CA_NAMES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.fixture
def fake() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def adapter() -> Iterator[BoundedAdapter]:
    bounded = BoundedAdapter(pool_connections=2, pool_maxsize=16)
    yield bounded
    bounded.close()


@pytest.fixture(autouse=True)
def _no_bundle_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CA_NAMES:
        monkeypatch.delenv(name, raising=False)


def exchange(
    adapter: BoundedAdapter,
    url: str = URL,
    *,
    method: str = "POST",
    seconds: float = 5,
    max_bytes: int = 1_000,
) -> Reply:
    request = requests.Request(method, url, data={"a": "b"}).prepare()
    return adapter.exchange(request, ends=time.monotonic() + seconds, max_bytes=max_bytes)


def failure_of(adapter: BoundedAdapter, url: str = URL, **options: Any) -> Exception:
    with pytest.raises(transport.FAILURES) as caught:
        exchange(adapter, url, **options)
    return caught.value


# --- answers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 400, 404, 429, 500, 503])
def test_any_answer_is_returned_whole(
    fake: responses.RequestsMock, adapter: BoundedAdapter, status: int
) -> None:
    fake.post(URL, status=status, body=b"said", headers={"X-Thing": "yes"})
    reply = exchange(adapter)
    assert (reply.status, reply.headers["x-thing"], reply.body) == (status, "yes", b"said")
    assert len(fake.calls) == 1
    assert "said" not in repr(reply)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_redirect_is_neither_followed_nor_read(
    fake: responses.RequestsMock, adapter: BoundedAdapter, status: int, method: str
) -> None:
    fake.add(method, URL, status=status, headers={"Location": "http://x.test"}, body=b"x" * 2_000)
    reply = exchange(adapter, method=method)
    assert (reply.status, reply.body) == (status, b"")
    assert len(fake.calls) == 1


@pytest.mark.parametrize(("size", "fits"), [(1_000, True), (1_001, False)])
def test_a_body_has_a_cap(
    fake: responses.RequestsMock, adapter: BoundedAdapter, size: int, fits: bool
) -> None:
    fake.post(URL, status=201, body=b"x" * size)
    if fits:
        assert len(exchange(adapter).body) == size
    else:
        error = failure_of(adapter)
        assert isinstance(error, TooLarge)
        assert (error.status, never_sent(error)) == (201, False)


def test_the_cap_counts_decoded_bytes(
    fake: responses.RequestsMock, adapter: BoundedAdapter
) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    fake.post(URL, body=bomb, headers={"Content-Encoding": "gzip"})
    assert isinstance(failure_of(adapter, max_bytes=100_000), TooLarge)
    assert len(bomb) < 100_000


def test_a_deadline_that_has_passed_sends_nothing(
    fake: responses.RequestsMock, adapter: BoundedAdapter
) -> None:
    assert never_sent(failure_of(adapter, seconds=0))
    assert len(fake.calls) == 0


# --- the environment -----------------------------------------------------------------------------


def test_netrc_proxies_and_cookies_are_not_used(
    fake: responses.RequestsMock,
    adapter: BoundedAdapter,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine service.test login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://proxy.test:3128")
    fake.post(URL, headers={"Set-Cookie": "a=b; Path=/"})
    for _ in range(2):
        exchange(adapter)
    request: Any = fake.calls[1].request
    assert not {"Authorization", "Cookie"} & set(request.headers)
    assert not request.req_kwargs.get("proxies")


@pytest.mark.parametrize("name", CA_NAMES)
def test_a_ca_bundle_of_the_environment_is_used(
    fake: responses.RequestsMock,
    adapter: BoundedAdapter,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    monkeypatch.setenv(name, "/etc/ours.pem")
    fake.post(URL)
    exchange(adapter)
    request: Any = fake.calls[0].request
    assert request.req_kwargs["verify"] == "/etc/ours.pem"


def test_certificates_are_verified_by_default(
    fake: responses.RequestsMock, adapter: BoundedAdapter
) -> None:
    fake.post(URL)
    exchange(adapter)
    request: Any = fake.calls[0].request
    assert request.req_kwargs["verify"] is True


@pytest.mark.parametrize("name", CA_NAMES)
def test_a_bundle_that_is_not_there_sends_nothing(
    adapter: BoundedAdapter, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "/nowhere/ours.pem")
    error = failure_of(adapter, SECURE)
    assert isinstance(error, NoCertificates)
    assert never_sent(error)


# --- what a failure proves -----------------------------------------------------------------------


def wrapped(cause: Exception) -> requests.ConnectionError:
    return requests.ConnectionError(cause)


ANYTHING: Any = None


@pytest.mark.parametrize(
    ("error", "proven"),
    [
        (wrapped(NewConnectionError(ANYTHING, "refused")), True),
        (wrapped(NameResolutionError("x", ANYTHING, socket.gaierror(-2, "unknown"))), True),
        (wrapped(ConnectTimeoutError(ANYTHING, "slow")), True),
        (requests.ConnectTimeout(), True),
        (requests.exceptions.SSLError(ssl.SSLCertVerificationError()), True),
        (requests.exceptions.InvalidURL(), True),
        (requests.exceptions.MissingSchema(), True),
        (requests.exceptions.InvalidSchema(), True),
        (requests.exceptions.InvalidHeader("ours"), True),
        (LocationParseError("x"), True),
        (UnicodeEncodeError("latin-1", "…", 0, 1, "ours"), True),
        (requests.exceptions.InvalidHeader(InvalidHeader("theirs")), False),
        (requests.exceptions.SSLError(ssl.SSLError()), False),
        (requests.ReadTimeout(), False),
        (wrapped(ReadTimeoutError(ANYTHING, "/", "slow")), False),
        (wrapped(ProtocolError("broken", ConnectionResetError())), False),
        (wrapped(ProtocolError("broken", TimeoutError())), False),
        (requests.exceptions.ChunkedEncodingError(), False),
        (requests.exceptions.ContentDecodingError(), False),
        (TooLarge(200), False),
        (OSError(), False),
        (ValueError(), False),
    ],
    ids=repr,
)
def test_a_failure_proves_that_nothing_was_sent_or_does_not(error: Exception, proven: bool) -> None:
    assert never_sent(error) is proven


def test_causes_that_go_round_in_circles_end() -> None:
    one, other = OSError(), OSError()
    one.args, other.args = (other,), (one,)
    assert set(transport.causes(one)) == {one, other}


@pytest.mark.parametrize(
    "url", ["service:81", "nonsense", "ftp://service.test", "http://[::1", "http://%zz", ""]
)
def test_an_address_that_is_none_sends_nothing(adapter: BoundedAdapter, url: str) -> None:
    assert never_sent(failure_of(adapter, url))


def test_a_name_too_long_for_dns_sends_nothing(
    adapter: BoundedAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise UnicodeError("label too long")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert never_sent(failure_of(adapter))


def test_an_unknown_name_sends_nothing(
    adapter: BoundedAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert never_sent(failure_of(adapter))


# --- silence -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["urllib3.connectionpool", "urllib3.connection"])
def test_no_query_gets_into_the_log_of_urllib3(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    path = f"/3/x?a='b'&api_key={SECRET}&To=(%2B1)&page=1"
    logging.getLogger(name).debug('"%s %s" %s', "GET", path, 200)
    assert '"GET /3/x?…" 200' in caplog.text
    assert SECRET not in caplog.text


# --- real sockets --------------------------------------------------------------------------------


DRIPS = [
    pytest.param(silent, id="silent"),
    pytest.param(dripping(HEAD + b"X-Long: ", b"x"), id="a header drips"),
    pytest.param(dripping(b"HTTP/1.1 100 Continue\r\n", b"X: y\r\n"), id="an early head drips"),
    pytest.param(dripping(HEAD + b"Content-Length: 9999\r\n\r\n", b"1"), id="a body drips"),
    pytest.param(
        dripping(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n1\r\n"), id="chunks drip"
    ),
]


class TestRealSockets:
    """Against a server that misbehaves, on the loopback address."""

    pytestmark = real_sockets

    @pytest.mark.parametrize("behave", DRIPS)
    def test_no_server_holds_us_beyond_the_deadline(
        self, adapter: BoundedAdapter, behave: Any
    ) -> None:
        with server(behave) as url:
            started = time.monotonic()
            error = failure_of(adapter, url, seconds=0.15, max_bytes=9_999)
            took = time.monotonic() - started
        assert not never_sent(error)
        assert 0.1 < took < 2

    def test_a_late_byte_does_not_buy_a_fresh_timeout(self, adapter: BoundedAdapter) -> None:
        def late(talk: socket.socket, over: threading.Event) -> None:
            over.wait(0.4)
            talk.sendall(HEAD)
            over.wait(5)

        with server(late) as url:
            started = time.monotonic()
            failure_of(adapter, url, seconds=0.5)
            took = time.monotonic() - started
        assert took < 0.8

    @pytest.mark.parametrize(
        "behave",
        [silent, hanging_up, resetting, saying(b"HTTP/1.1 400 Bad Request\r\n\r\n")],
        ids=["silent", "hangs up", "resets", "speaks HTTP"],
    )
    def test_tls_that_fails_sends_nothing_and_ends_by_the_deadline(
        self, adapter: BoundedAdapter, behave: Any
    ) -> None:
        with server(behave) as url:
            started = time.monotonic()
            error = failure_of(adapter, url.replace("http:", "https:"), seconds=0.15)
            took = time.monotonic() - started
        assert never_sent(error)
        assert took < 2

    def test_a_bundle_that_holds_no_certificates_sends_nothing(
        self, adapter: BoundedAdapter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "ours.pem").write_text("nothing")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ours.pem"))
        with server(silent) as url:
            assert never_sent(failure_of(adapter, url.replace("http:", "https:")))

    @pytest.mark.parametrize(
        "behave",
        [
            hanging_up,
            resetting,
            saying(b"SMTP ready\r\n\r\n"),
            dripping(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"zz\r\n"),
        ],
        ids=["hangs up", "resets", "another protocol", "bad chunks"],
    )
    def test_what_breaks_after_the_request_leaves_it_open(
        self, adapter: BoundedAdapter, behave: Any
    ) -> None:
        with server(behave) as url:
            assert not never_sent(failure_of(adapter, url))

    @pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
    def test_an_answer_with_two_lengths_leaves_it_open(self, adapter: BoundedAdapter) -> None:
        def twice(talk: socket.socket, over: threading.Event) -> None:
            talk.sendall(HEAD + b"Content-Length: 2, 3\r\n\r\n{}")

        with server(twice) as url:
            assert not never_sent(failure_of(adapter, url))
        gc.collect()  # urllib3 leaves that answer's socket to the collector

    def test_a_body_cut_short_leaves_it_open(self, adapter: BoundedAdapter) -> None:
        def cut(talk: socket.socket, over: threading.Event) -> None:
            talk.sendall(HEAD + b"Content-Length: 99\r\n\r\n{")

        with server(cut) as url:
            assert not never_sent(failure_of(adapter, url))

    def test_a_refused_connection_sends_nothing(self, adapter: BoundedAdapter) -> None:
        with server(answering) as url:
            pass
        assert never_sent(failure_of(adapter, url))

    def test_sixteen_threads_share_an_adapter_and_no_query_is_logged(
        self, adapter: BoundedAdapter, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        statuses: queue.SimpleQueue[int] = queue.SimpleQueue()

        def work(url: str) -> None:
            for _ in range(5):
                statuses.put(exchange(adapter, f"{url}/x?api_key={SECRET}", method="GET").status)

        with server(answering) as url:
            threads = [threading.Thread(target=work, args=(url,)) for _ in range(16)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(5)
            adapter.close()
        assert [statuses.get(timeout=1) for _ in range(80)] == [200] * 80
        assert "/x?…" in caplog.text
        assert SECRET not in caplog.text


def test_a_name_server_that_hangs_ends_by_the_deadline(
    adapter: BoundedAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args: over.wait(5) and [])
    started = time.monotonic()
    error = failure_of(adapter, seconds=0.1)
    over.set()
    assert never_sent(error)
    assert time.monotonic() - started < 2


def test_many_addresses_share_one_deadline(
    adapter: BoundedAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = [(2, 1, 6, "", (f"192.0.2.{n}", 81)) for n in range(8)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args: addresses)
    granted: list[float] = []

    def blackhole(address: object, seconds: float, **options: object) -> None:
        granted.append(seconds)
        raise TimeoutError

    monkeypatch.setattr(transport, "create_connection", blackhole)
    error = failure_of(adapter, seconds=8)
    assert isinstance(error, requests.ConnectTimeout)
    assert len(granted) == 8
    assert granted[0] < 1.1  # an equal share; what one leaves, the next ones get

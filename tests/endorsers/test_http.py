"""HTTP against servers that answer well, badly, slowly, too much or not at all."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
from pathlib import Path

import pytest
from wasmtime_attestation.endorsers.http import HttpClient, Limits
from wasmtime_attestation.errors import UnavailableError

from tests.emulation.web import HOST, Handler, WebAuthority, WebRequest, WebServer, always, answer

QUICK = Limits(size=1000, seconds=5, attempts=3, redirects=2)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> WebAuthority:
    return WebAuthority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def context(authority: WebAuthority) -> ssl.SSLContext:
    return authority.context(HOST, "localhost")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, authority: WebAuthority) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))


def plain(limits: Limits = QUICK, hosts: frozenset[str] | None = None) -> HttpClient:
    return HttpClient(limits, hosts=hosts, plain=True)


def test_an_answer_over_tls(context: ssl.SSLContext) -> None:
    with WebServer(always(answer("200 OK", b"hello", x_thing="1")), context) as server:
        got = HttpClient(QUICK).get(f"{server.url}/a?b=c", headers={"X-Mine": "2"})
    assert (got.status, got.body, got.headers["x-thing"]) == (200, b"hello", "1")
    assert got.url == f"{server.url}/a?b=c"
    [request] = server.requests
    assert (request.method, request.target) == ("GET", "/a?b=c")
    assert (request.headers["x-mine"], request.headers["accept-encoding"]) == ("2", "identity")


def test_post_sends_its_body(context: ssl.SSLContext) -> None:
    with WebServer(always(answer("200 OK", b"yes")), context) as server:
        got = HttpClient(QUICK).post(server.url, b"ask", headers={"Content-Type": "a/b"})
    assert got.body == b"yes"
    [request] = server.requests
    assert (request.method, request.body) == ("POST", b"ask")
    assert request.headers["content-type"] == "a/b"


def test_a_foreign_authority_is_not_believed(
    tmp_path: Path, context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = WebAuthority(tmp_path, "Another CA")
    monkeypatch.setenv("SSL_CERT_FILE", str(other.file))
    with (
        WebServer(always(answer("200 OK")), context) as server,
        pytest.raises(UnavailableError, match=r"not believed to be itself.*SSL_CERT_FILE"),
    ):
        HttpClient(QUICK).get(server.url)
    assert server.requests == []


def test_the_name_must_be_the_one_that_was_asked(authority: WebAuthority) -> None:
    with (
        WebServer(always(answer("200 OK")), authority.context("kds.example")) as server,
        pytest.raises(UnavailableError, match="not believed to be itself"),
    ):
        HttpClient(QUICK).get(server.url)
    assert server.requests == []


def test_plain_http_only_where_it_was_asked_for() -> None:
    with WebServer(always(answer("200 OK", b"x"))) as server:
        with pytest.raises(UnavailableError, match="only https"):
            HttpClient(QUICK).get(server.url)
        assert server.requests == []
        assert plain().get(server.url).body == b"x"


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("ftp://127.0.0.1/", "only https"),
        ("https://name:secret@127.0.0.1/", "no host, or a name and a password"),
        ("https:///path", "no host"),
        ("https://[::1", "cannot be asked"),
        ("nonsense", "only https"),
    ],
)
def test_addresses_that_are_not_asked(url: str, complaint: str) -> None:
    with pytest.raises(UnavailableError, match=complaint):
        HttpClient(QUICK).get(url)


def test_hosts_are_limited() -> None:
    with (
        WebServer(always(answer("200 OK"))) as server,
        pytest.raises(UnavailableError, match="not a host that may be asked"),
    ):
        plain(hosts=frozenset({"kds.example"})).get(server.url)
    assert server.requests == []


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ({}, b"x" * 1001),
        ({"content_length": "1000000000"}, b"x"),
    ],
)
def test_an_answer_that_is_too_large(head: dict[str, str], body: bytes) -> None:
    with (
        WebServer(always(answer("200 OK", body, **head))) as server,
        pytest.raises(UnavailableError, match="larger than 1000 bytes"),
    ):
        plain().get(server.url)


def test_an_answer_without_end_is_cut() -> None:
    sent = 0

    def endless(_: WebRequest, connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)
            sent += 65536

    with (
        WebServer(endless) as server,
        pytest.raises(UnavailableError, match="larger than 1000 bytes"),
    ):
        plain().get(server.url)
    assert sent < 100 << 20


def test_exactly_the_limit_is_fine() -> None:
    with WebServer(always(answer("200 OK", b"x" * 1000))) as server:
        assert len(plain().get(server.url).body) == 1000


def test_a_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(b"\0" * 500_000)
    assert len(bomb) < 1000
    with (
        WebServer(always(answer("200 OK", bomb, content_encoding="gzip"))) as server,
        pytest.raises(UnavailableError, match="compressed"),
    ):
        plain().get(server.url)


def _hang(_: WebRequest, connection: socket.socket) -> None:
    connection.recv(1)


def _drip_head(_: WebRequest, connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nx: ")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


def _drip_body(_: WebRequest, connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("slow", [_hang, _drip_head, _drip_body])
def test_a_server_that_takes_its_time(slow: Handler, context: ssl.SSLContext, secure: bool) -> None:
    client = plain(Limits(size=1000, seconds=0.6, attempts=3))
    began = time.monotonic()
    with (
        WebServer(slow, context if secure else None) as server,
        pytest.raises(UnavailableError, match=r"no whole answer within 0\.6 seconds"),
    ):
        client.get(server.url)
    assert time.monotonic() - began < 2
    _wait_for_threads()


def _wait_for_threads() -> None:
    for thread in threading.enumerate():
        if thread.name == "http-exchange":
            thread.join(2)
            assert not thread.is_alive(), "the exchange was left behind"


def test_a_resolver_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def resolve(*_: object, **__: object) -> list[object]:
        released.wait(10)
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    began = time.monotonic()
    with pytest.raises(UnavailableError, match=r"no whole answer within 0\.3 seconds"):
        HttpClient(Limits(1000, seconds=0.3)).get("https://kds.example/")
    # The thread cannot be woken; one second is what it is waited for.
    assert time.monotonic() - began < 2.5
    released.set()


def test_a_handshake_that_hangs() -> None:
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
        began = time.monotonic()
        with pytest.raises(UnavailableError, match=r"within 0\.3 seconds"):
            HttpClient(Limits(1000, seconds=0.3)).get(f"https://{HOST}:{port}/")
        assert time.monotonic() - began < 2


def test_nobody_listens() -> None:
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(UnavailableError, match=r"cannot be reached: .*refused.*HTTPS_PROXY"):
        plain(Limits(1000, seconds=2, attempts=2)).get(f"http://{HOST}:{port}/")


@pytest.mark.parametrize("status", ["429 Too Many Requests", "502 Bad Gateway", "503 x", "504 x"])
def test_what_may_pass_is_tried_again(status: str) -> None:
    with WebServer(always(answer(status), answer("200 OK", b"now"))) as server:
        assert plain().get(server.url).body == b"now"
    assert len(server.requests) == 2


def test_a_connection_that_breaks_is_tried_again() -> None:
    with WebServer(always(b"", b"HTTP/1.1 200", answer("200 OK", b"now"))) as server:
        assert plain().get(server.url).body == b"now"
    assert len(server.requests) == 3


def test_a_body_that_breaks_off_is_no_answer() -> None:
    cut = answer("200 OK", b"half", content_length="100")
    with (
        WebServer(always(cut)) as server,
        pytest.raises(UnavailableError, match="cannot be reached"),
    ):
        plain().get(server.url)
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 415, 500])
def test_what_does_not_pass_is_asked_once(status: int) -> None:
    with (
        WebServer(always(answer(f"{status} x", b"because\n\x1b[31m" + b"y" * 900))) as server,
        pytest.raises(UnavailableError, match=f"HTTP {status} .because") as caught,
    ):
        plain().get(server.url)
    assert len(server.requests) == 1
    assert "\x1b" not in caught.value.message
    assert len(caught.value.message) < 500


def test_a_status_that_is_an_answer() -> None:
    with WebServer(always(answer("404 Not Found", b"none"))) as server:
        assert plain().get(server.url, accept=(200, 404)).status == 404


def test_retry_after_is_respected() -> None:
    with WebServer(always(answer("429 x", retry_after="1"), answer("200 OK"))) as server:
        began = time.monotonic()
        plain().get(server.url)
    assert 1 <= time.monotonic() - began < 3


@pytest.mark.parametrize(
    "date",
    [
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "Mon, 01 Jan 2026 00:00:00 +99999999999999",
        "Mon, 01 Jan 2026 99999999999999999999:00:00 GMT",
    ],
)
def test_a_date_that_there_is_not_asks_for_nothing(date: str) -> None:
    with WebServer(always(answer("200 OK", b"here", retry_after=date))) as server:
        assert plain().get(server.url).body == b"here"


def test_nobody_waits_longer_than_allowed() -> None:
    began = time.monotonic()
    with (
        WebServer(always(answer("429 x", retry_after="3600"))) as server,
        pytest.raises(UnavailableError, match="HTTP 429, to be asked again after 3600; it was"),
    ):
        plain().get(server.url)
    assert time.monotonic() - began < 1
    assert len(server.requests) == 1


def test_a_redirect_on_the_same_host() -> None:
    moved = answer("301 Moved", location="/there?x=1")
    with WebServer(always(moved, answer("200 OK", b"there"))) as server:
        got = plain().get(server.url)
    assert (got.body, got.url) == (b"there", f"{server.url}/there?x=1")


@pytest.mark.parametrize(
    "location",
    ["http://localhost:{port}/", "//evil.example/", "http://169.254.169.254/latest/meta-data"],
)
def test_a_redirect_to_another_host(location: str) -> None:
    def redirect(_: WebRequest, connection: socket.socket) -> None:
        connection.sendall(answer("302 x", location=location.format(port=server.port)))

    with (
        WebServer(redirect) as server,
        pytest.raises(UnavailableError, match="redirects to another host"),
    ):
        plain().get(server.url)
    assert len(server.requests) == 1


def test_a_redirect_to_a_host_that_may_be_asked(context: ssl.SSLContext) -> None:
    hosts = frozenset({HOST, "localhost"})
    with WebServer(always(answer("200 OK", b"there")), context) as target:
        moved = answer("308 x", location=f"https://localhost:{target.port}/")
        with WebServer(always(moved), context) as server:
            assert HttpClient(QUICK, hosts=hosts).get(server.url).body == b"there"
            with pytest.raises(UnavailableError, match="another host"):
                HttpClient(QUICK).get(server.url)


def test_a_redirect_away_from_tls(context: ssl.SSLContext) -> None:
    with (
        WebServer(always(answer("302 x", location=f"http://{HOST}/")), context) as server,
        pytest.raises(UnavailableError, match="redirects from https to http"),
    ):
        HttpClient(QUICK, plain=True).get(server.url)


def test_a_loop_of_redirects() -> None:
    with (
        WebServer(always(answer("302 x", location="/again"))) as server,
        pytest.raises(UnavailableError, match="redirects more than 2 times"),
    ):
        plain().get(server.url)
    assert len(server.requests) == 3


def test_post_is_not_redirected() -> None:
    with (
        WebServer(always(answer("307 x", location="/there"))) as server,
        pytest.raises(UnavailableError, match="HTTP 307"),
    ):
        plain().post(server.url, b"secret")


def test_no_http_at_all() -> None:
    with (
        WebServer(always(b"SSH-2.0-OpenSSH_9.6\r\n")) as server,
        pytest.raises(UnavailableError, match="cannot be reached"),
    ):
        plain().get(server.url)


def test_a_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with WebServer(always(answer("200 OK", b"by proxy"))) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert plain().get("http://kds.example/x").body == b"by proxy"
        assert proxy.requests[0].target == "http://kds.example/x"
        monkeypatch.setenv("NO_PROXY", HOST)
        with WebServer(always(answer("200 OK", b"direct"))) as server:
            assert plain().get(server.url).body == b"direct"
            monkeypatch.delenv("NO_PROXY")
            client = HttpClient(QUICK, proxies=False, plain=True)
            assert client.get(server.url).body == b"direct"


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "gopher://127.0.0.1", "http://[::1"])
def test_a_proxy_that_cannot_be_used(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(UnavailableError):
        HttpClient(Limits(10, seconds=2, attempts=1)).get("https://kds.example/")


@pytest.mark.parametrize("content", [None, b"no PEM"])
def test_authorities_that_cannot_be_read(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with pytest.raises(UnavailableError, match=r"SSL_CERT_FILE=.*correct it or leave it out"):
        HttpClient(QUICK).get("https://kds.example/")


def test_connections_are_kept_within_a_with(context: ssl.SSLContext) -> None:
    def keep(_: WebRequest, connection: socket.socket) -> None:
        for _number in range(2):
            connection.sendall(answer("200 OK", b"x", connection="keep-alive"))
            connection.recv(65536)

    with WebServer(keep, context) as server, HttpClient(QUICK) as client:
        client.get(server.url)
        assert client.get(server.url).body == b"x"
    # The second request came over the first connection, which the handler had read itself.
    assert len(server.requests) == 1

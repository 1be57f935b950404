"""When the cache answers and when the service, and what becomes of a service that does not."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from wasmtime_attestation.endorsers.disk_cache import DiskCache
from wasmtime_attestation.endorsers.question import Question
from wasmtime_attestation.endorsers.source import Source
from wasmtime_attestation.errors import UnavailableError

from tests.emulation.web import HOST, WebAuthority, WebServer, always, answer
from tests.endorsers.questions import BEGIN, END, crl, question
from tests.fakes.amd import AT

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FOUND = answer("200 OK", crl())
NEWER = answer("200 OK", crl(begin=AT, end=END + DAY))
Serve = Callable[..., "Service"]


class Service:
    """A service, a client's cache, and a clock that the test sets."""

    def __init__(self, folder: Path, context: ssl.SSLContext, *answers: bytes) -> None:
        self.server = WebServer(always(*answers), context)
        self.cache = DiskCache(folder)
        self.now = AT

    @property
    def count(self) -> int:
        return len(self.server.requests)

    def question(self, **changes: object) -> Question:
        return question(f"{self.server.url}/crl", **changes)  # type: ignore[arg-type]

    def ask(self, at: datetime = AT, *, offline: bool = False, **changes: object) -> bytes:
        with Source(self.cache, offline=offline, clock=lambda: self.now) as source:
            return source.ask(self.question(**changes), at).pieces[0].data


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    authority = WebAuthority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    monkeypatch.setenv("NO_PROXY", HOST)
    started: list[Service] = []

    def start(*answers: bytes) -> Service:
        service = Service(tmp_path / "cache", authority.context(HOST), *answers)
        service.server.__enter__()
        started.append(service)
        return service

    yield start
    for service in started:
        service.server.__exit__()


def test_an_answer_is_asked_for_once(serve: Serve) -> None:
    service = serve(FOUND)
    assert service.ask() == service.ask() == crl_of(FOUND)
    assert service.count == 1


def crl_of(served: bytes) -> bytes:
    return served.partition(b"\r\n\r\n")[2]


def test_an_old_answer_is_asked_for_again(serve: Serve) -> None:
    service = serve(FOUND, NEWER)
    service.ask()
    service.now += DAY
    assert service.ask() == crl_of(NEWER)
    assert service.count == 2
    assert service.ask() == crl_of(NEWER)
    assert service.count == 2


def test_an_old_answer_is_better_than_none(serve: Serve) -> None:
    service = serve(FOUND, answer("500 Internal Server Error"))
    service.ask()
    service.now += DAY
    assert service.ask() == crl_of(FOUND)
    assert service.count == 2


def test_no_answer_counts_after_its_end(serve: Serve) -> None:
    service = serve(FOUND, answer("500 Internal Server Error"))
    service.ask()
    service.now = END + HOUR
    with pytest.raises(UnavailableError, match="HTTP 500"):
        service.ask(END + HOUR)
    with pytest.raises(UnavailableError, match="offline"):
        service.ask(END + HOUR, offline=True)


def test_offline_takes_an_old_answer(serve: Serve) -> None:
    service = serve(FOUND)
    service.ask()
    service.now += 20 * DAY
    assert service.ask(offline=True) == crl_of(FOUND)
    assert service.count == 1


def test_what_does_not_say_its_end_has_a_lifetime(serve: Serve) -> None:
    service = serve(FOUND)
    service.ask(lifetime=HOUR)
    service.now += HOUR
    with pytest.raises(UnavailableError, match="nothing is fetched offline"):
        service.ask(offline=True, lifetime=HOUR)


def test_an_answer_from_the_future_is_of_unknown_age(serve: Serve) -> None:
    service = serve(FOUND)
    service.ask()
    service.now -= HOUR
    service.ask()
    assert service.count == 2


def test_the_past_is_not_asked_for_again_and_again(serve: Serve) -> None:
    service = serve(FOUND)
    for _ in range(3):
        with pytest.raises(UnavailableError, match=r"the present one is for .* not for 2026-02-0"):
            service.ask(BEGIN - 20 * DAY)
    assert service.count == 1
    assert service.ask() == crl_of(FOUND)


def test_what_will_not_do_any_more_is_asked_for_again(serve: Serve) -> None:
    service = serve(FOUND, NEWER)
    service.ask()
    assert service.ask(still_fits=lambda _: False) == crl_of(NEWER)


def test_none_is_believed_for_a_while(serve: Serve) -> None:
    service = serve(answer("404 Not Found"), FOUND)
    for _ in range(2):
        with pytest.raises(UnavailableError, match=r"404|had none 0 s ago"):
            service.ask()
    assert service.count == 1
    service.now += timedelta(minutes=10)
    assert service.ask() == crl_of(FOUND)


@pytest.mark.parametrize("body", [b"", b"<html>sign in</html>", b"{}", b"\x30\x82", crl()[:-1]])
def test_something_else_is_no_answer_and_is_not_kept(body: bytes, serve: Serve) -> None:
    service = serve(answer("200 OK", body), FOUND)
    with pytest.raises(UnavailableError, match="answers something else"):
        service.ask()
    assert service.ask() == crl_of(FOUND)


def test_a_service_that_is_not_there_is_not_asked_again(serve: Serve) -> None:
    service = serve(answer("429 Too Many Requests", retry_after="600"))
    with Source(None) as source:
        for number, says in enumerate(["HTTP 429", *["failed just now"] * 2]):
            with pytest.raises(UnavailableError, match=says):
                source.ask(question(f"{service.server.url}/{number}"), AT)
    assert service.count == 1


def test_what_a_service_does_not_have_says_nothing_of_the_rest(serve: Serve) -> None:
    service = serve(answer("404 Not Found"), answer("400 Bad Request"), FOUND)
    with Source(None) as source:
        for number in range(2):
            with pytest.raises(UnavailableError, match="HTTP 40"):
                source.ask(question(f"{service.server.url}/{number}"), AT)
        assert source.ask(service.question(), AT).endorsements.crls


def test_headers_that_belong_to_an_answer_are_kept_and_keys_are_not(
    serve: Serve, tmp_path: Path
) -> None:
    service = serve(answer("200 OK", crl(), x_issuer="chain", set_cookie="a=b"))
    service.ask()
    assert service.server.requests[0].headers["x-key"] == "secret"
    (file,) = (tmp_path / "cache").iterdir()
    content = file.read_bytes()
    assert b'{"x-issuer":"chain"}' in content
    assert b"secret" not in content
    assert b"cookie" not in content


def test_questions_are_counted(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wasmtime_attestation.endorsers.source.MAX_QUESTIONS", 2)
    service = serve(FOUND)
    with Source(None) as source:
        for number in range(2):
            source.ask(question(f"{service.server.url}/{number}"), AT)
        with pytest.raises(UnavailableError, match="more than 2 questions"):
            source.ask(service.question(), AT)
    assert service.count == 2

"""Services that answer late, too much, with a no, or with a key that nobody should see."""

from __future__ import annotations

import json
import logging
import pickle
import time
import traceback
from dataclasses import replace
from pathlib import Path

import pytest
from wasmtime_attestation.errors import AttestationError, RejectedError, UnavailableError
from wasmtime_attestation.evidence.envelope import Evidence
from wasmtime_attestation.services import Collector
from wasmtime_attestation.services.api import MAX_ANSWER
from wasmtime_attestation.services.ita import ItaService
from wasmtime_attestation.services.ita_settings import Settings as ItaSettings
from wasmtime_attestation.services.secret import Secret, SecretPlace
from wasmtime_attestation.services.trustee import TrusteeService
from wasmtime_attestation.services.trustee_settings import Settings as TrusteeSettings

from tests.emulation.ita_service import KEY, ItaMiniature
from tests.emulation.nras_service import SERVICE_KEY, NrasMiniature
from tests.emulation.web import WebAuthority, answer
from tests.services.cases import CASES, ITA, MAA, NRAS, TRUSTEE, Case, Running, key_place

every = pytest.mark.parametrize("case", CASES, ids=str)


def flipped(right: Collector) -> Collector:
    """A collector whose evidence was altered in one bit that is signed."""

    def alter(evidence: Evidence) -> Evidence:
        data = bytearray(evidence.data)
        data[len(data) // 3] ^= 1
        return Evidence(evidence.type, bytes(data), evidence.endorsements)

    return Collector(
        right.info,
        lambda data, nonce: alter(right.vm(data, nonce)),
        lambda index, nonce: alter(right.gpu(index, nonce)),
        right.devices,
    )


@pytest.mark.parametrize("case", [ITA, TRUSTEE], ids=str)
def test_evidence_that_the_service_does_not_take(
    case: Case, authority: WebAuthority, tmp_path: Path
) -> None:
    with (
        case.started(authority, tmp_path) as running,
        pytest.raises(RejectedError) as caught,
    ):
        running.service.issue(flipped(case.machine().collector), case.request())
    (finding,) = caught.value.findings
    assert finding.check == "service.evidence"
    assert "HTTP 40" in finding.detail
    # What the service said, and what that means.
    assert "tdx.qe-signature: the PCK did not sign" in finding.detail
    assert "it means the" in finding.detail
    assert running.asked() == 1


def test_azure_names_the_part(authority: WebAuthority, tmp_path: Path) -> None:
    no = {"error": {"code": "InvalidParameter", "message": "VcekCertChain could not be parsed"}}
    body = json.dumps(no).encode()
    with MAA.started(authority, tmp_path) as running:
        running.miniature.script = [
            answer("400 Bad Request", body, x_ms_error_code="E1", x_ms_request_id="R1")
        ]
        with pytest.raises(RejectedError) as caught:
            running.issue()
    text = str(caught.value)
    assert "HTTP 400 (InvalidParameter: VcekCertChain could not be parsed)" in text
    assert "it means the VCEK and its chain" in text
    assert "x-ms-error-code E1; x-ms-request-id R1" in text


def test_intels_operator_finds_the_request(authority: WebAuthority, tmp_path: Path) -> None:
    with ITA.started(authority, tmp_path) as running:
        with pytest.raises(RejectedError) as caught:
            running.service.issue(flipped(ITA.machine().collector), ITA.request())
        ids = {request.headers["request-id"] for request in running.miniature.requests}
    assert len(ids) == 1
    assert f"request id {ids.pop()}" in str(caught.value)
    assert "request-id r-1; trace-id t-1" in str(caught.value)


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        ("401 Unauthorized", "key"),
        ("403 Forbidden", "key"),
        ("404 Not Found", "address"),
        ("302 Found", "leads elsewhere"),
        ("500 Internal Server Error", "it fails"),
        ("418 I'm a teapot", "does not take the request"),
    ],
)
@pytest.mark.parametrize("case", [ITA, NRAS], ids=str)
def test_what_a_status_means(
    case: Case, status: str, advice: str, authority: WebAuthority, tmp_path: Path
) -> None:
    with case.started(authority, tmp_path) as running:
        running.miniature.script = [answer(status, b"no\r\n\x1b[31m", location="https://x.example")]
        running.miniature.script *= 3
        with pytest.raises(UnavailableError) as caught:
            running.issue()
    assert advice in str(caught.value)
    assert str(caught.value).isprintable()


@every
def test_asked_again_when_the_service_says_when(
    case: Case, authority: WebAuthority, tmp_path: Path
) -> None:
    for status in ("429 Too Many Requests", "503 Service Unavailable"):
        with case.started(authority, tmp_path) as running:
            running.miniature.script = [answer(status, b"{}", retry_after="1")]
            began = time.monotonic()
            running.issue()
            assert time.monotonic() - began >= 1


@pytest.mark.parametrize("case", [MAA, NRAS, TRUSTEE], ids=str)
def test_not_asked_again_unless_it_says_so(
    case: Case, authority: WebAuthority, tmp_path: Path
) -> None:
    for status in ("429 Too Many Requests", "503 Service Unavailable", "500 Internal Server Error"):
        with case.started(authority, tmp_path) as running:
            running.miniature.script = [answer(status, b"{}")]
            with pytest.raises(UnavailableError, match=status[:3]):
                running.issue()
            assert len(running.miniature.requests) == 1


def test_intel_allows_one_more_attempt(authority: WebAuthority, tmp_path: Path) -> None:
    """For 500, 503 and 504, as its own clients do."""
    for status in ("500 Internal Server Error", "503 Unavailable", "504 Gateway Timeout"):
        with ITA.started(authority, tmp_path) as running:
            running.miniature.script = [answer(status, b"{}")]
            running.issue()
            running.miniature.script = [answer(status, b"{}"), answer(status, b"{}")]
            before = len(running.miniature.requests)
            with pytest.raises(UnavailableError):
                running.issue()
            assert len(running.miniature.requests) == before + 2


@every
def test_it_does_not_wait_for_longer_than_it_may(
    case: Case, authority: WebAuthority, tmp_path: Path
) -> None:
    with case.started(authority, tmp_path) as running:
        running.miniature.script = [answer("429 Too Many Requests", b"{}", retry_after="3600")]
        began = time.monotonic()
        with pytest.raises(UnavailableError, match="to be asked again after 3600"):
            running.issue()
        assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b"{}",
        b'{"token": 1}',
        b'{"token": "a", "token": "b"}',
        b"\xff",
        b"[" * 100_000,
        b'[["JWT", "a"], {"GPU-0": 1}]',
    ],
    ids=range(9),
)
@every
def test_answers_that_are_none(
    case: Case, body: bytes, authority: WebAuthority, tmp_path: Path
) -> None:
    with case.started(authority, tmp_path) as running:
        running.miniature.script = [answer("200 OK", body)]
        with pytest.raises(UnavailableError, match="does not answer as it should"):
            running.issue()


def _tokens(case: Case, token: str) -> bytes:
    if case is NRAS:
        return json.dumps([["JWT", token], {"GPU-0": token}]).encode()
    return json.dumps({"token": token}).encode()


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "bm8.bm8.bm8", "e30.e30.", "x" * 1000])
@every
def test_tokens_that_are_none(
    case: Case, token: str, authority: WebAuthority, tmp_path: Path
) -> None:
    """An attacker between us and the service would still need its key."""
    with case.started(authority, tmp_path) as running:
        real = running.miniature.respond

        def respond(request: object) -> object:
            reply = real(request)  # type: ignore[arg-type]
            is_attestation = request in running.miniature.asked(case.attest_path)
            return ("200 OK", _tokens(case, token)) if is_attestation else reply

        running.miniature.respond = respond  # type: ignore[method-assign, assignment]
        with pytest.raises(RejectedError):
            running.issue()


@every
def test_answers_that_are_too_large(case: Case, authority: WebAuthority, tmp_path: Path) -> None:
    with case.started(authority, tmp_path) as running:
        running.miniature.script = [answer("200 OK", b" " * (MAX_ANSWER + 1))]
        with pytest.raises(UnavailableError, match="larger than"):
            running.issue()


def test_a_service_that_does_not_answer(authority: WebAuthority, tmp_path: Path) -> None:
    place = key_place(tmp_path, KEY)
    with ItaMiniature(authority) as miniature:
        settings = ItaSettings(place, url=miniature.url, portal=miniature.url, seconds=1)
        real = miniature.respond

        def late(request: object) -> object:
            time.sleep(3)
            return real(request)  # type: ignore[arg-type]

        miniature.respond = late  # type: ignore[method-assign, assignment]
        began = time.monotonic()
        with pytest.raises(UnavailableError, match="within"):
            ItaService(settings).issue(ITA.machine().collector, ITA.request())
        assert time.monotonic() - began < 2.5


@every
def test_keys_that_cannot_be_fetched(case: Case, authority: WebAuthority, tmp_path: Path) -> None:
    with case.started(authority, tmp_path) as running:
        real = running.miniature.respond

        def respond(request: object) -> object:
            is_keys = request in running.miniature.asked(case.keys_path)
            return ("200 OK", {"keys": []}) if is_keys else real(request)  # type: ignore[arg-type]

        running.miniature.respond = respond  # type: ignore[method-assign, assignment]
        with pytest.raises(UnavailableError, match="does not answer as it should"):
            running.issue()


@every
def test_another_certification_authority(
    case: Case,
    authority: WebAuthority,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = WebAuthority(tmp_path, "Another CA")
    monkeypatch.setenv("SSL_CERT_FILE", str(other.file))
    with case.started(authority, tmp_path) as running:
        with pytest.raises(UnavailableError, match="not believed to be itself"):
            running.issue()
        assert running.miniature.requests == []


@pytest.mark.parametrize(("case", "key"), [(ITA, KEY), (NRAS, SERVICE_KEY)], ids=str)
def test_a_key_is_seen_by_the_service_alone(
    case: Case,
    key: str,
    authority: WebAuthority,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    with case.started(authority, tmp_path) as running:
        running.issue()
        assert any(key in str(request.headers) for request in running.miniature.requests)
        # A service that repeats what it was sent.
        echo = json.dumps({"error": f"key {key} is not good"}).encode()
        for status in ("400 Bad Request", "401 Unauthorized", "403 Forbidden"):
            running.miniature.script = [answer(status, echo, request_id=key, trace_id=key)]
            with pytest.raises(AttestationError) as caught:
                running.issue()
            assert key not in str(caught.value)
            assert "<secret>" in str(caught.value)
        assert key not in repr(running.service)
        assert key not in repr(vars(running.service))
    assert key not in caplog.text


def test_half_a_key_is_not_seen_either(authority: WebAuthority, tmp_path: Path) -> None:
    """What a service says is cut to a line, but not within a key that it repeats."""
    key = "nvapi-" + "k3y" * 500
    with NRAS.started(authority, tmp_path) as running:
        key_place(tmp_path, key)
        for before in (0, 290, 1195):
            text = "x" * before + key
            for body in (text.encode(), json.dumps({"error": text}).encode()):
                running.miniature.script = [answer("403 Forbidden", body, x_request_id=text)]
                with pytest.raises(UnavailableError) as caught:
                    running.issue()
                assert "k3y" not in str(caught.value)


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 999 No\r\n\r\n%s",
        b"HTTP/1.1 %s\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n%s\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s\r\n",
    ],
    ids=["status", "status line", "header", "chunk"],
)
@pytest.mark.parametrize("key", [SERVICE_KEY, "nvapi-" + "k3y" * 500], ids=["short", "long"])
def test_a_key_in_an_answer_that_is_none(
    raw: bytes, key: str, authority: WebAuthority, tmp_path: Path
) -> None:
    with NRAS.started(authority, tmp_path) as running:
        key_place(tmp_path, key)
        running.miniature.script = [raw % key.encode()]
        with pytest.raises(UnavailableError) as caught:
            running.issue()
    shown = "".join(traceback.format_exception(caught.value))
    assert key[:12] not in shown
    assert key[-8:] not in shown


def test_nvidia_wants_a_key(authority: WebAuthority, tmp_path: Path) -> None:
    with NRAS.started(authority, tmp_path) as running:
        assert isinstance(running.miniature, NrasMiniature)
        running.miniature.wants_key = True
        running.issue()
        key_place(tmp_path, "another")
        with pytest.raises(UnavailableError, match="403"):
            running.issue()
        key_place(tmp_path, SERVICE_KEY)
        running.issue()


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret("abc")
    assert "abc" not in f"{secret}{secret!r}{secret!s:>20}"
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert secret.reveal() == "abc"
    assert secret.hidden_in("xabcx") == "x<secret>x"
    repeating = Secret("abcdefgh" * 3 + "Y")
    assert repeating.hidden_in("q" + "abcdefgh" * 3 + "Yz") == "q<secret>z"
    assert repeating.hidden_in("q" + "abcdefgh" * 2 + "ab") == "q<secret>"


@pytest.mark.parametrize("text", ["", "\n", "two words", "two\nlines", "\xe9", "\x00", "a" * 5000])
def test_keys_that_are_none(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "key"
    file.write_bytes(text.encode())
    with pytest.raises(UnavailableError) as caught:
        SecretPlace(str(file)).read()
    assert not text.strip() or text not in str(caught.value)
    if "\x00" not in text:
        monkeypatch.setenv("A_KEY", text)
        with pytest.raises(UnavailableError):
            SecretPlace(variable="A_KEY").read()


def test_keys_that_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("A_KEY", raising=False)
    with pytest.raises(UnavailableError, match="variable A_KEY"):
        SecretPlace(variable="A_KEY").read()
    with pytest.raises(UnavailableError, match="No such file"):
        SecretPlace(str(tmp_path / "none")).read()


def test_intels_keys_are_base64(authority: WebAuthority, tmp_path: Path) -> None:
    with ItaMiniature(authority) as miniature:
        place = key_place(tmp_path, "not-base64!")
        service = ItaService(ItaSettings(place, url=miniature.url, portal=miniature.url))
        with pytest.raises(UnavailableError, match="base64") as caught:
            service.issue(ITA.machine().collector, ITA.request())
        assert miniature.requests == []
    assert "not-base64!" not in str(caught.value)


def test_trustee_without_a_session(authority: WebAuthority, tmp_path: Path) -> None:
    for headers, body in (
        ({}, b'{"nonce": "AAAA", "extra-params": ""}'),
        ({"set_cookie": "other=1"}, b'{"nonce": "AAAA", "extra-params": ""}'),
        ({"set_cookie": "kbs-session-id=a b; Path=/"}, b'{"nonce": "AAAA", "extra-params": ""}'),
        ({"set_cookie": "kbs-session-id=" + "a" * 300}, b'{"nonce": "AAAA", "extra-params": ""}'),
        ({"set_cookie": "kbs-session-id="}, b'{"nonce": "AAAA", "extra-params": ""}'),
        ({"set_cookie": "kbs-session-id=a"}, b'{"nonce": "", "extra-params": ""}'),
        ({"set_cookie": "kbs-session-id=a"}, b'{"extra-params": ""}'),
        (
            {"set_cookie": "kbs-session-id=a"},
            b'{"nonce": "A", "extra-params": {"selected-hash-algorithm": "sha512"}}',
        ),
    ):
        with TRUSTEE.started(authority, tmp_path) as running:
            running.miniature.script = [answer("200 OK", body, **headers)]
            with pytest.raises(UnavailableError, match="does not answer as it should"):
                running.issue()
            assert running.asked() == 0


def test_trustees_version(authority: WebAuthority, tmp_path: Path) -> None:
    with TRUSTEE.started(authority, tmp_path) as running:
        settings = TrusteeSettings(running.miniature.url, keys_url=f"{running.miniature.url}/jwks")
        old = TrusteeService(replace(settings, version="0.1.1"))
        with pytest.raises(UnavailableError, match=r"Version Mismatch.*protocol-version"):
            old.issue(TRUSTEE.machine().collector, TRUSTEE.request())


def test_running(authority: WebAuthority, tmp_path: Path) -> None:
    """The cases are right: what tests of failures change is what makes them fail."""
    for case in CASES:
        with case.started(authority, tmp_path) as running:
            assert isinstance(running, Running)
            assert running.issue()

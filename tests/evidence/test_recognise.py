"""Input is recognised by its content."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.evidence.recognise import MAX_SIZE, Token, recognise

from tests.fakes.amd import MILAN, TURIN

REPORT = MILAN.report()
EVIDENCE = Evidence(EvidenceType.AMD_SEV_SNP, REPORT)
HEX = REPORT.hex().encode()
BASE64 = base64.b64encode(REPORT)


def wrapped(text: bytes, width: int) -> bytes:
    return b"\r\n".join(text[i : i + width] for i in range(0, len(text), width)) + b"\n"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(REPORT, id="binary"),
        pytest.param(HEX, id="hex"),
        pytest.param(HEX.upper(), id="upper-case hex"),
        pytest.param(wrapped(HEX, 60), id="hex in lines"),
        pytest.param(b"0x" + HEX, id="hex with its prefix"),
        pytest.param(b"\xef\xbb\xbf" + HEX, id="hex with a byte order mark"),
        pytest.param(BASE64, id="base64"),
        pytest.param(BASE64.rstrip(b"="), id="base64 without padding"),
        pytest.param(base64.urlsafe_b64encode(REPORT), id="base64url"),
        pytest.param(wrapped(BASE64, 76), id="base64 in lines"),
    ],
)
def test_a_report_is_recognised_in_every_form(data: bytes) -> None:
    assert recognise(data) == (EVIDENCE,)


@pytest.mark.parametrize("text", ["a.b.c", "e30.e30.", "...", "eyJh-_.x.y"])
def test_what_has_dots_is_meant_as_a_token(text: str) -> None:
    assert recognise(f"\n {text} \n".encode()) == Token(text)


@pytest.mark.parametrize("member", ["quote", "attestation_report", "hcl_report", "evidence"])
def test_what_is_a_token_and_evidence_is_neither(member: str) -> None:
    assert recognise(b'{"token":"a.b.c","tee_keypair":"x"}') == Token("a.b.c")
    with pytest.raises(RejectedError, match="a token and evidence"):
        recognise(f'{{"token":"a.b.c","{member}":"{REPORT.hex()}"}}'.encode())


@pytest.mark.parametrize("data", [REPORT[:-1], REPORT + b"\0", REPORT[:8], TURIN.report()[:600]])
def test_a_report_of_the_wrong_size_is_still_meant_as_one(data: bytes) -> None:
    """So that the message is about the report and not about the kind of input."""
    assert recognise(data) == (Evidence(EvidenceType.AMD_SEV_SNP, data),)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b" \n", id="blanks"),
        pytest.param(b"\x02\x00\x00", id="too short for a version"),
        pytest.param(b"\x7fELF" + bytes(100), id="a program"),
        pytest.param(b"\0asm\x01\0\0\0", id="a guest"),
        pytest.param(b"-----BEGIN CERTIFICATE-----\nMII=\n", id="a certificate"),
        pytest.param(b"a" * 5, id="base64 of no size there is"),
        pytest.param(b"QQ=Q", id="base64 with padding within"),
        pytest.param("\u00e9.a.b".encode(), id="not ASCII"),
    ],
)
def test_anything_else_is_rejected_with_what_is_known(data: bytes) -> None:
    with pytest.raises(RejectedError) as caught:
        recognise(data)

    (finding,) = caught.value.findings
    assert finding.check == "input.format"
    assert "SEV-SNP attestation reports (1184 bytes)" in finding.detail


def test_the_size_is_limited() -> None:
    with pytest.raises(RejectedError, match="larger than 4194304 bytes"):
        recognise(b"." * (MAX_SIZE + 1))
    assert recognise(b"." * MAX_SIZE) == Token("." * MAX_SIZE)


@given(st.binary(max_size=200) | st.text(alphabet="0aF-_=+/. \n", max_size=40).map(str.encode))
def test_arbitrary_bytes_are_recognised_or_rejected(data: bytes) -> None:
    assert failed_checks(data) <= {"input.format"}


def failed_checks(data: bytes) -> set[str]:
    try:
        recognise(data)
    except RejectedError as error:
        return {finding.check for finding in error.findings}
    return set()

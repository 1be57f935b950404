"""The TDX quote is decoded by its declared lengths, and anything else is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.evidence.recognise import recognise
from wasmtime_attestation.evidence.tdx import decode
from wasmtime_attestation.summary import MAX_SIZE, summarise

from tests.fakes.intel import EXTENDED, LAYOUT, PLATFORM, PLATFORM_15

V4, V5 = PLATFORM.quote(), PLATFORM_15.quote()
V5_EX = replace(PLATFORM_15, body_type=4).quote()
# Offsets in a quote of version 4: header 48, body 584, length 4, signature 64, key 64.
LENGTH_4 = 48 + 584
CERTIFICATION = LENGTH_4 + 4 + 128
QE_AUTH = CERTIFICATION + 6 + 384 + 64
QE_CERTIFICATION = QE_AUTH + 2 + 32


def refusal(data: bytes) -> str:
    with pytest.raises(RejectedError) as caught:
        decode(data)
    (finding,) = caught.value.findings
    assert finding.check == "tdx.format"
    return finding.detail


def patched(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value) :]


@pytest.mark.parametrize(("quote", "start"), [(V4, 48), (V5, 54)], ids=["v4", "v5"])
def test_every_field_is_read_from_its_place(quote: bytes, start: int) -> None:
    report = decode(quote).report
    for name, (offset, size) in LAYOUT.items():
        expected = quote[start + offset : start + offset + size]
        actual = getattr(report, name)
        if start == 48 and offset >= 584:
            assert actual is None
        else:
            assert (actual.raw if name == "td_attributes" else actual) == expected


def test_the_signed_part_is_header_and_body() -> None:
    assert decode(V4).signed_bytes == V4[: 48 + 584]
    assert decode(V5).signed_bytes == V5[: 48 + 6 + 648]
    assert decode(V4).size == len(V4)
    assert decode(V4 + b"tail").trailing_bytes == 4


@pytest.mark.parametrize(
    ("at", "value", "reason"),
    [
        (0, b"\3\0", "its version is 3"),
        (0, b"\6\0", "its version is 6"),
        (2, b"\3\0", "attestation key type is 3"),
        (4, b"\0\0\0\0", "TEE type is 0x0"),
        (8, b"\1", "reserved bytes of the header"),
        (11, b"\1", "reserved bytes of the header"),
        (12, b"\0", "QE vendor"),
        (LENGTH_4, (5).to_bytes(4, "little"), "declared lengths disagree"),
        (CERTIFICATION, b"\5\0", "the certification data is of type 5"),
        (CERTIFICATION + 2, b"\0\0\0\0", "declared lengths disagree"),
        (QE_AUTH, b"\xff\xff", "it ends at byte"),
        (QE_CERTIFICATION, b"\4\0", "the QE certification data is of type 4"),
        (QE_CERTIFICATION, b"\3\0", "data of type 3 has 404 bytes, not"),
        (QE_CERTIFICATION + 2, b"\0\0\0\0", "declared lengths disagree"),
        (QE_CERTIFICATION + 2, b"\xff\xff\xff\xff", "65536 is the most"),
    ],
)
def test_what_the_table_does_not_allow(at: int, value: bytes, reason: str) -> None:
    assert reason in refusal(patched(V4, at, value))


@pytest.mark.parametrize(
    ("body_type", "reason"),
    [
        (1, "body type is 1"),
        (2, "has 584 bytes, not 648"),
        (4, "a body of type 4 has 885 bytes, not 648"),
        (5, "body type is 5"),
    ],
)
def test_the_body_of_version_5_is_of_a_known_type_and_its_size(body_type: int, reason: str) -> None:
    assert reason in refusal(PLATFORM_15.quote(body_type=body_type))


def test_the_extended_report_tells_of_the_service_td() -> None:
    fields: dict[str, Any] = {
        name: bytes([at % 251]) * size for name, (at, size) in EXTENDED.items()
    }
    quote = replace(PLATFORM_15, body_type=4).quote(**fields)

    report = decode(quote).report

    assert report.service_td is not None
    assert report.service_td.vmid == 648 % 251
    for name, value in fields.items():
        if name != "vmid":
            assert getattr(report.service_td, name) == value
    assert report.tee_tcb_svn_2 == PLATFORM_15.tee_tcb_svn_2
    assert decode(V5).report.service_td is None


def test_every_cut_is_refused() -> None:
    for quote in (V4, V5, V5_EX):
        for size in range(0, len(quote), 7):
            assert "it ends at byte" in refusal(quote[:size])


@given(st.binary(max_size=1500))
def test_arbitrary_bytes_are_decoded_or_refused(data: bytes) -> None:
    with pytest.raises(RejectedError):
        decode(V4[:48] + data)


@pytest.mark.parametrize("data", [V4, V5, V5 + bytes(99), V4.hex().encode(), V4[:8]])
def test_a_quote_is_recognised(data: bytes) -> None:
    subject = recognise(data)
    assert isinstance(subject, tuple)
    (evidence,) = subject
    assert evidence.type is EvidenceType.INTEL_TDX


def test_an_sgx_quote_is_nothing_known() -> None:
    with pytest.raises(RejectedError, match=r"input\.format"):
        recognise(patched(V4, 4, b"\0\0\0\0"))


def test_a_quote_is_summarised() -> None:
    text = summarise(Evidence(EvidenceType.INTEL_TDX, V5))

    assert len(text) <= MAX_SIZE
    assert f'"mrtd":"{bytes(range(1, 49)).hex()}"' in text

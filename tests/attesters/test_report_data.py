"""REPORT_DATA counts at its place alone, in reports and in quotes of every known version."""

from __future__ import annotations

import pytest
from wasmtime_attestation.attesters.report_data import carries
from wasmtime_attestation.evidence.envelope import EvidenceType

from tests.fakes import amd, intel

DATA = bytes(range(64))
SNP, TDX = EvidenceType.AMD_SEV_SNP, EvidenceType.INTEL_TDX


@pytest.mark.parametrize(
    ("kind", "evidence", "place"),
    [
        (SNP, amd.MILAN.report(report_data=DATA), 0x50),
        (TDX, intel.PLATFORM.quote(report_data=DATA), 568),
        (TDX, intel.PLATFORM_15.quote(report_data=DATA), 574),
    ],
    ids=["report", "quote 4", "quote 5"],
)
def test_its_place(kind: EvidenceType, evidence: bytes, place: int) -> None:
    assert evidence[place : place + 64] == DATA
    assert carries(kind, evidence, DATA)
    # Somebody else's evidence, with what was asked for elsewhere in it.
    other = evidence[:place] + bytes(64) + evidence[place + 64 :]
    for moved in (other + DATA, DATA.join((other[:8], other[72:])), other[:place]):
        assert not carries(kind, moved, DATA)
    assert not carries(kind, b"", DATA)
    assert not carries(kind, evidence[: place + 63], DATA)


def test_a_quote_of_a_form_to_come() -> None:
    assert carries(TDX, b"\6\0" + bytes(700) + DATA, DATA)
    assert not carries(TDX, b"\6\0" + bytes(700), DATA)

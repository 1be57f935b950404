"""Quotes of real machines come out as they should, with Intel's own collateral."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from wasmtime_attestation.appraisal import appraise
from wasmtime_attestation.checks import Outcome
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.intel import TcbStatus
from wasmtime_attestation.evidence.envelope import EvidenceType
from wasmtime_attestation.evidence.recognise import recognise
from wasmtime_attestation.policy import HARDWARE_ONLY
from wasmtime_attestation.wit import Status

from tests import vectors
from tests.verifier.tdx_verification import INTEL, Verified, missing, rejection, verify

SOLANA = (
    "tdx/automata_solana_tcb_info_tdx.json",
    "tdx/automata_solana_qe_identity.json",
    "tdx/automata_solana_pck_platform_crl.der",
    "tdx/automata_solana_root_ca_crl.der",
    "tdx/ars_tcb_signing_chain.pem",
)
SET_B = ("tdx/dcapqvl_tdx_quote_v4.collateral.json",)
SET_C = ("tdx/dcapqvl_tdx_quote_v5_outdated.collateral.json",)
SET_D = ("tdx/dcapqvl_near_quote_v4.collateral.json",)
# Instants within the windows of the sets, as COLLATERAL_SETS.tsv has them.
AT_B = datetime(2025, 7, 4, tzinfo=UTC)
AT_C = datetime(2026, 3, 5, tzinfo=UTC)
AT_D = datetime(2025, 9, 17, tzinfo=UTC)
AT_E1 = datetime(2025, 7, 22, tzinfo=UTC)


def quote(name: str) -> bytes:
    subject = recognise(vectors.read(name))
    assert isinstance(subject, tuple)
    (evidence,) = subject
    assert evidence.type is EvidenceType.INTEL_TDX
    return evidence.data


def real(name: str, files: tuple[str, ...], at: datetime) -> Verified:
    return verify(quote(name), vectors.endorsements(*files), at=at, anchors=INTEL)


@pytest.mark.parametrize(
    ("name", "files", "at", "fmspc", "status", "trailing"),
    [
        ("tdx/dcapqvl_tdx_quote_v4.bin", SET_B, AT_B, "b0c06f000000", "UpToDate", 70),
        ("tdx/dcapqvl_near_quote_v4.hex", SET_D, AT_D, "20a06f000000", "UpToDate", 70),
        ("tdx/gotdx_quote_v5.dat", SET_C, AT_C, "90c06f000000", "UpToDate", 0),
        # Up to date only if the SVNs of a module with a major version are left to its identity.
        ("tdx/gotdx_cos113_quote_v4_8000.dat", SOLANA, AT_E1, "00806f050000", "UpToDate", 3065),
        ("azure/trustee_tdx_td_quote.bin", SOLANA, AT_E1, "00806f050000", "OutOfDate", 70),
    ],
)
def test_a_real_quote_is_authentic(
    name: str, files: tuple[str, ...], at: datetime, fmspc: str, status: str, trailing: int
) -> None:
    verified = real(name, files, at)

    undone = [c.id for c in verified.checks if c.outcome is not Outcome.PASSED]
    assert undone == ["evidence.binding"]
    assert verified.claims.anchor == "Intel SGX Root CA"
    assert not verified.claims.debug
    tdx = verified.tdx
    assert tdx.pck.fmspc.hex() == fmspc
    assert tdx.tcb_status == status
    assert tdx.trailing_bytes == trailing
    data = quote(name)
    start = 48 if tdx.quote_version == 4 else 54
    assert tdx.report.mrtd == data[start + 136 : start + 184]
    assert verified.claims.report_data == data[start + 520 : start + 584]


def test_the_nonce_of_a_real_quote_is_bound() -> None:
    verify(
        quote("tdx/gotdx_cos113_quote_v4_8000.dat"),
        vectors.endorsements(*SOLANA),
        at=AT_E1,
        anchors=INTEL,
        report_data=vectors.read("tdx/gotdx_cos113_nonce.dat"),
    )


def test_a_real_platform_below_every_level() -> None:
    data, files = quote("tdx/dcapqvl_tdx_quote_v5_outdated.bin"), vectors.endorsements(*SET_C)

    finding = rejection(data, files, at=AT_C, anchors=INTEL)

    assert finding.check == "tdx.tcb"
    assert "no TCB level matches" in finding.detail


def test_collateral_of_another_real_platform() -> None:
    data, files = quote("tdx/gotdx_quote_v5.dat"), vectors.endorsements(*SOLANA)
    late = vectors.endorsements(*SET_C)
    mixed = Endorsements(files.certificates, late.crls, files.statements)

    finding = rejection(data, mixed, at=AT_C, anchors=INTEL)

    assert finding.check == "intel.tcb-info"
    assert "none is of the quote's platform: FMSPC 00806f050000" in finding.detail


def test_outdated_collateral() -> None:
    data, files = quote("tdx/dcapqvl_tdx_quote_v4.bin"), vectors.endorsements(*SET_B)

    finding = rejection(data, files, at=datetime(2025, 8, 1, tzinfo=UTC), anchors=INTEL)

    assert finding.check == "intel.pck-crl"
    assert "fetch a current one" in finding.detail


def test_without_collateral() -> None:
    message = missing(quote("tdx/dcapqvl_tdx_quote_v4.bin"), Endorsements(), at=AT_B, anchors=INTEL)

    assert "the TDX TCB info of FMSPC b0c06f000000" in message


def test_sets_for_several_platforms_may_stand_in_one_folder() -> None:
    everything = vectors.endorsements(*SOLANA, *SET_B, *SET_C, *SET_D)
    data = quote("tdx/gotdx_cos113_quote_v4_8000.dat")

    assert verify(data, everything, at=AT_E1, anchors=INTEL).tdx.tcb_status is TcbStatus.UP_TO_DATE


def test_hardware_only_warns_of_a_real_platform_that_is_out_of_date() -> None:
    claims = real("azure/trustee_tdx_td_quote.bin", SOLANA, AT_E1).claims

    result = appraise(claims, HARDWARE_ONLY, at=AT_E1, guest_digest=None)

    assert result.status is Status.WARNING
    assert {"policy.tcb-status", "policy.sept-ve-disable"} <= {f.check for f in result.findings}

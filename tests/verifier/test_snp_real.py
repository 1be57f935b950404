"""Reports of real machines verify, with AMD's chains, and name what they lack without them."""

from __future__ import annotations

import json

import pytest
from wasmtime_attestation.checks import Outcome
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.wit import TeeType

from tests import vectors
from tests.verifier.snp_verification import AMD, missing, rejection, verify

REAL = pytest.mark.parametrize("vector", vectors.SNP, ids=str)
# In the order in which they are done.
CHECKS = [
    "evidence.endorsements",
    "snp.format",
    "snp.signer",
    "amd.vek",
    "amd.ask",
    "amd.ark",
    "amd.validity",
    "amd.revocation",
    "snp.signature",
    "snp.product",
    "snp.tcb",
    "snp.chip-id",
    "evidence.binding",
]


@REAL
def test_a_real_report_is_authentic(vector: vectors.SnpVector) -> None:
    verified = verify(vector.report(), vector.chain(), at=vectors.AT, anchors=AMD)

    assert [check.id for check in verified.checks] == CHECKS
    undone = [c.id for c in verified.checks if c.outcome is not Outcome.PASSED]
    assert undone == ["amd.revocation", "evidence.binding"]
    claims = verified.claims
    assert claims.tee_type is claims.platform is TeeType.AMD_SEV_SNP
    assert not claims.simulated
    assert not verified.snp.revocation_checked
    assert verified.snp.csp_id is None


@pytest.mark.parametrize(
    ("vector", "anchor", "name", "debug"),
    [
        (vectors.MILAN_V2, "AMD ARK-Milan", "Milan-B0", True),
        (vectors.MILAN_V3, "AMD ARK-Milan", "Milan-B0", False),
        (vectors.TURIN_V5, "AMD ARK-Turin", "Turin", False),
        (vectors.AZURE_V3, "AMD ARK-Milan", "Milan-B0", False),
    ],
    ids=str,
)
def test_what_the_real_reports_claim(
    vector: vectors.SnpVector, anchor: str, name: str, *, debug: bool
) -> None:
    verified = verify(vector.report(), vector.chain(), at=vectors.AT, anchors=AMD)
    claims = verified.claims

    assert claims.anchor == anchor
    assert verified.snp.product_name == name
    assert claims.debug is debug
    assert claims.report_data == vector.report()[0x50:0x90]


@REAL
def test_a_real_report_is_bound_to_its_report_data(vector: vectors.SnpVector) -> None:
    report, chain = vector.report(), vector.chain()
    bound = report[0x50:0x90]

    verified = verify(report, chain, at=vectors.AT, anchors=AMD, report_data=bound)
    assert verified.outcome("evidence.binding") is Outcome.PASSED
    for other in (b"\xff" * 64, bound[:-1], bound + b"\0", b""):
        finding = rejection(report, chain, at=vectors.AT, anchors=AMD, report_data=other)
        assert finding.check == "evidence.binding"
        assert bound.hex() in finding.detail


@pytest.mark.parametrize(
    ("vector", "foreign", "own_ask", "foreign_ask"),
    [
        (vectors.MILAN_V2, "genoa", "SEV-Milan", "SEV-Genoa"),
        (vectors.MILAN_V3, "turin", "SEV-Milan", "SEV-Turin"),
        (vectors.TURIN_V5, "milan", "SEV-Turin", "SEV-Milan"),
    ],
    ids=str,
)
def test_another_generations_chain_is_rejected_with_the_link_that_failed(
    vector: vectors.SnpVector, foreign: str, own_ask: str, foreign_ask: str
) -> None:
    (vcek, *_), chain = vector.chain().certificates, f"snp/chain_{foreign}_vcek.pem"
    endorsements = Endorsements((vcek,)) + vectors.endorsements(chain)

    finding = rejection(vector.report(), endorsements, at=vectors.AT, anchors=AMD)

    assert finding.check == "amd.vek"
    expected = f"SEV-VCEK must be signed by {own_ask}, and none of {foreign_ask} signed it"
    assert finding.detail == expected


def test_the_vlek_chain_of_the_same_line_does_not_endorse_a_vcek() -> None:
    vector = vectors.MILAN_V3
    (vcek, *_) = vector.chain().certificates
    endorsements = Endorsements((vcek,)) + vectors.endorsements("snp/chain_milan_vlek.pem")

    finding = rejection(vector.report(), endorsements, at=vectors.AT, anchors=AMD)

    assert finding.check == "amd.vek"
    assert "none of SEV-VLEK-Milan signed it" in finding.detail


def test_the_vcek_of_another_real_chip_is_rejected() -> None:
    report, endorsements = vectors.azure_report_without_vcek(), vectors.MILAN_V3.chain()

    finding = rejection(report, endorsements, at=vectors.AT, anchors=AMD)

    assert finding.check == "snp.signature"


@REAL
def test_what_is_missing_is_named(vector: vectors.SnpVector) -> None:
    report = vector.report()
    vcek, ask, ark = vector.chain().certificates
    line = "Turin" if vector is vectors.TURIN_V5 else "Milan"

    for given, name in (
        ([], "the VCEK that signed the report"),
        ([ask, ark], "the VCEK that signed the report"),
        ([vcek], f"SEV-{line}, which signs SEV-VCEK,"),
        ([vcek, ark], f"SEV-{line}, which signs SEV-VCEK,"),
        ([vcek, ask], f"ARK-{line}, which signs SEV-{line},"),
    ):
        message = missing(report, given, at=vectors.AT, anchors=AMD)
        assert f"{name} is missing; give it with --endorsements" in message


@REAL
def test_the_claims_of_a_real_report_are_json(vector: vectors.SnpVector) -> None:
    report = vector.report()
    claims = verify(report, vector.chain(), at=vectors.AT, anchors=AMD).claims

    members = json.loads(json.dumps(claims.to_json()))

    assert members["tee_type"] == "amd-sev-snp"
    snp = members["amd-sev-snp"]
    # Offsets of 56860, table "ATTESTATION_REPORT Structure".
    assert snp["measurement"] == report[0x90:0xC0].hex()
    assert snp["chip_id"] == report[0x1A0:0x1E0].hex()
    assert snp["policy"]["debug_allowed"] is bool(report[0x0A] & 1 << 3)
    assert snp["reported_tcb"]["microcode"] == report[0x187]
    assert snp["signer"] == "VCEK"
    assert snp["revocation_checked"] is False
    assert not {"signature_r", "signature_s", "signed_bytes", "keys"} & snp.keys()

"""Attempts to have something accepted that no machine of AMD's signed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from wasmtime_attestation.attesters.miniature_amd import ReportSigner
from wasmtime_attestation.checks import Ledger, Outcome
from wasmtime_attestation.endorsements import amd
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.x509 import der
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence.envelope import (
    EndorsementType,
    Evidence,
    EvidenceType,
    RawEndorsement,
)

from tests import vectors
from tests.fakes.amd import AT, LAYOUT, MILAN, VLEK, real_anchors, sign
from tests.fakes.certificates import crl, reissue
from tests.verifier.alike import verify as verify_evidence
from tests.verifier.snp_verification import AMD, missing, rejection, verify

# The order of P-384 (FIPS 186-4, D.1.2.4).
N = 2**384 - 0x389CB27E0BC8D220A7E5F24DB74F58851313E695333AD68D
FORGER = replace(MILAN, owner="forger")
"""Everything as at AMD, names included, but for the keys."""


def with_signature(report: bytes, r: int, s: int) -> bytes:
    changed = bytearray(report)
    for name, value in (("signature_r", r), ("signature_s", s)):
        offset, size = LAYOUT[name]
        changed[offset : offset + size] = value.to_bytes(size, "little")
    return bytes(changed)


def signature_of(report: bytes) -> tuple[int, int]:
    return (
        int.from_bytes(report[0x2A0:0x2E8], "little"),
        int.from_bytes(report[0x2E8:0x330], "little"),
    )


@pytest.mark.parametrize("r", [0, 1, N - 1, N, 2**384 - 1])
@pytest.mark.parametrize("s", [0, 1, N - 1, N, 2**384 - 1])
def test_numbers_that_are_no_signature(r: int, s: int) -> None:
    assert rejection(with_signature(MILAN.report(), r, s), MILAN.chain()).check == "snp.signature"


def test_r_and_s_in_each_others_place() -> None:
    report = MILAN.report()
    r, s = signature_of(report)

    assert rejection(with_signature(report, s, r), MILAN.chain()).check == "snp.signature"


def test_the_other_s_of_a_signature_is_valid_too() -> None:
    """ECDSA is malleable, so nothing may take the bytes of a report for its identity.

    Whoever holds a report can make a second one that says the same; no one can
    make one that says something else.
    """
    report = MILAN.report()
    r, s = signature_of(report)

    other = verify(with_signature(report, r, N - s), MILAN.chain())

    signed = other.snp.report.signed_bytes
    assert signed == report[:0x2A0]


@pytest.mark.parametrize("algorithm", [SHA256(), SHA512()], ids=["SHA-256", "SHA-512"])
def test_a_signature_over_another_digest(algorithm: SHA256 | SHA512) -> None:
    body = MILAN.body()
    r, s = decode_dss_signature(MILAN.key.key.sign(body, ec.ECDSA(algorithm)))

    report = with_signature(body.ljust(1184, b"\0"), r, s)

    assert rejection(report, MILAN.chain()).check == "snp.signature"


def test_the_signature_of_another_report() -> None:
    one, other = MILAN.report(), MILAN.report(report_data=b"\1" * 64)

    assert rejection(one[:0x2A0] + other[0x2A0:], MILAN.chain()).check == "snp.signature"


def test_a_forgers_whole_chain_under_amds_names() -> None:
    assert rejection(FORGER.report(), FORGER.chain()).check == "amd.ark"


def test_a_forgers_chain_that_is_completed_with_amds_certificates() -> None:
    """Each way to join the forger's part to AMD's breaks at the joint."""
    vcek, ask, ark = FORGER.chain()
    _, real_ask, real_ark = MILAN.chain()
    report = FORGER.report()

    assert rejection(report, (vcek, real_ask, real_ark)).check == "amd.vek"
    assert rejection(report, (vcek, ask, real_ark)).check == "amd.ask"
    assert rejection(report, (vcek, ask, ark, real_ask, real_ark)).check == "amd.ark"
    assert rejection(report, (vcek, real_ask, ark, real_ark)).check == "amd.vek"


def test_a_forger_signs_and_shows_the_vcek_of_a_real_chip() -> None:
    assert rejection(FORGER.report(), MILAN.chain()).check == "snp.signature"


def test_a_forgers_root_with_the_pinned_name_beside_the_real_one() -> None:
    """Issuers are found by their key, so a namesake neither helps nor hurts."""
    _, ask, ark = FORGER.chain()
    vcek, real_ask, real_ark = MILAN.chain()

    verified = verify(MILAN.report(), (ark, ask, vcek, real_ask, real_ark))

    assert verified.claims.anchor == "test ARK-Milan"


@pytest.mark.parametrize("first", [True, False])
def test_a_forgers_vcek_beside_the_real_one_is_never_used_to_say_yes(*, first: bool) -> None:
    """It may win the choice, since it says what the real one says: then the answer is no."""
    forged, (vcek, *authorities) = FORGER.key.certificate, MILAN.chain()
    veks = (forged, vcek) if first else (vcek, forged)

    finding = rejection(FORGER.report(), (*veks, *authorities))

    assert finding.check in {"amd.vek", "snp.signature"}


def test_an_authority_is_no_signer_of_reports() -> None:
    """The ASK is signed by the ARK, but its subject is not a VCEK's."""
    _, ask, ark = MILAN.chain()
    key = ec.generate_private_key(ec.SECP384R1())
    posing = reissue(ask, MILAN.amd.ark.key, public_key=key.public_key())
    report = sign(MILAN.body(), ReportSigner(posing, key))

    assert "the VCEK that signed the report is missing" in missing(report, (posing, ask, ark))


def test_a_vlek_poses_as_a_vcek_to_hide_its_chip() -> None:
    """Without the hardware id there is nothing to compare CHIP_ID with."""
    vlek = VLEK.key
    for name in ("SEV-VCEK", "SEV-VLEK"):
        posing = reissue(vlek.certificate, VLEK.issuer_key, subject=name)
        report = sign(MILAN.body(), ReportSigner(posing, vlek.key))
        assert rejection(report, (posing, *VLEK.chain()[1:])).check == "snp.signer"


def test_a_vcek_poses_as_a_vlek_to_escape_the_comparison_of_chips() -> None:
    """The ASK would have to call it a VLEK, and then it is none of the ASVK's."""
    vcek = MILAN.key
    extensions = {amd.CSP_ID: b"\x16\x05Cloud"}
    posing = reissue(vcek.certificate, MILAN.issuer_key, subject="SEV-VLEK", extensions=extensions)
    report = sign(MILAN.body(key_information=1 << 2), ReportSigner(posing, vcek.key))

    assert rejection(report, (posing, *MILAN.chain()[1:])).check == "snp.signer"


@pytest.mark.parametrize("vector", vectors.SNP, ids=str)
def test_a_real_report_under_a_forgers_certificates(vector: vectors.SnpVector) -> None:
    """The forger certifies the real chip's key, as AMD does, but is not AMD."""
    (vcek, *_), (_, ask, ark) = vector.chain().certificates, FORGER.chain()
    posing = reissue(vcek, FORGER.issuer_key, issuer="SEV-Milan", serial=1)
    report = vector.report()

    finding = rejection(report, (posing, ask, ark), anchors=AMD)

    assert finding.check == "amd.ark"


def evidence(*endorsements: RawEndorsement) -> Evidence:
    return Evidence(EvidenceType.AMD_SEV_SNP, MILAN.report(), endorsements)


def outcome_of(offered: Evidence, endorsements: Endorsements) -> tuple[str, ...]:
    """Returns what fails when evidence brings endorsements of its own."""
    ledger = Ledger()
    with pytest.raises(RejectedError):
        verify_evidence(
            offered,
            endorsements,
            nonce=None,
            report_data=None,
            at=AT,
            anchors=real_anchors(),
            ledger=ledger,
        )
    return tuple(check.id for check in ledger.checks if check.outcome is Outcome.FAILED)


@pytest.mark.parametrize("kind", EndorsementType)
@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"junk", MILAN.report()])
def test_evidence_that_brings_rubbish(kind: EndorsementType, data: bytes) -> None:
    offered = evidence(RawEndorsement(kind, data))

    assert outcome_of(offered, MILAN.endorsements()) == ("evidence.endorsements",)


def test_evidence_that_brings_a_list_in_amds_name() -> None:
    """A forged list can make evidence fail, and its owner could do that without one."""
    forged = crl(MILAN.amd.ark.certificate, FORGER.amd.ark.key)
    offered = evidence(RawEndorsement(EndorsementType.CRL, der(forged)))

    assert outcome_of(offered, MILAN.endorsements()) == ("amd.revocation",)


def test_a_list_that_came_with_evidence_does_not_replace_one_that_revokes() -> None:
    ask = MILAN.chain()[1]
    ark = MILAN.amd.ark
    offered = evidence(RawEndorsement(EndorsementType.CRL, der(crl(ark.certificate, ark.key))))
    revoking = crl(ark.certificate, ark.key, revoked=[ask.serial_number])

    assert outcome_of(offered, MILAN.endorsements(revoking)) == ("amd.revocation",)

"""The chain leads in three certificates, each valid and each an authority, to a pinned root."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from wasmtime_attestation.attesters.miniature_amd import ReportSigner
from wasmtime_attestation.endorsements import amd
from wasmtime_attestation.evidence.snp_fields import SignerKind

from tests.fakes.amd import GENOA, MILAN, NOT_AFTER, NOT_BEFORE, VLEK, sign
from tests.fakes.certificates import (
    BASIC_CONSTRAINTS,
    IS_AUTHORITY,
    IS_NO_AUTHORITY,
    KEY_USAGE,
    SIGNS_DATA_ONLY,
    reissue,
    signed_with_sha1,
)
from tests.verifier.snp_verification import rejection, verify

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("extensions", "critical"),
    [
        pytest.param({BASIC_CONSTRAINTS: IS_NO_AUTHORITY}, (), id="CA false"),
        pytest.param({BASIC_CONSTRAINTS: None}, (), id="no basicConstraints"),
        pytest.param({KEY_USAGE: SIGNS_DATA_ONLY}, (), id="may not sign certificates"),
        pytest.param({KEY_USAGE: None}, (), id="no keyUsage"),
        pytest.param(
            {"1.2.3.4": b"\x05\x00"}, ("1.2.3.4",), id="a critical extension that nobody knows"
        ),
    ],
)
@pytest.mark.parametrize("which", ["ask", "ark"])
def test_an_authority_that_is_none(
    which: str, extensions: dict[str, bytes | None], critical: tuple[str, ...]
) -> None:
    vcek, ask, ark = MILAN.chain()
    ark_key = MILAN.amd.ark.key
    forged = reissue(
        {"ask": ask, "ark": ark}[which], ark_key, extensions=extensions, critical=critical
    )
    chain = (vcek, forged, ark) if which == "ask" else (vcek, ask, forged)

    finding = rejection(MILAN.report(), chain)

    assert finding.check == f"amd.{which}"
    assert "certification authority" in finding.detail


def test_a_root_that_did_not_sign_itself() -> None:
    """The pinned key, and a certificate that somebody else made for it."""
    vcek, ask, ark = MILAN.chain()
    forged = reissue(ark, GENOA.amd.ark.key)

    finding = rejection(MILAN.report(), (vcek, ask, forged))

    assert finding.check == "amd.ark"
    assert "ARK-Milan is no self-signed certification authority" in finding.detail


def test_a_root_that_is_not_pinned() -> None:
    foreign = replace(MILAN, owner="somebody")

    finding = rejection(foreign.report(), foreign.chain())

    assert finding.check == "amd.ark"
    fingerprint = foreign.amd.root_fingerprint.hex()
    assert f"SPKI SHA-256 {fingerprint}), which is no root of AMD's" in finding.detail


@pytest.mark.parametrize("position", range(3), ids=["vcek", "ask", "ark"])
def test_every_certificate_must_be_valid_to_the_second(position: int) -> None:
    chain = list(MILAN.chain())
    key = MILAN.issuer_key if position == 0 else MILAN.amd.ark.key
    begin, end = NOT_BEFORE + timedelta(days=10), NOT_AFTER - timedelta(days=10)
    chain[position] = reissue(chain[position], key, not_before=begin, not_after=end)

    verify(MILAN.report(), chain, at=begin)
    verify(MILAN.report(), chain, at=end)
    early = rejection(MILAN.report(), chain, at=begin - SECOND)
    late = rejection(MILAN.report(), chain, at=end + SECOND)

    name = ("SEV-VCEK", "SEV-Milan", "ARK-Milan")[position]
    assert early.check == late.check == "amd.validity"
    assert f"{name} is not valid before 2026-01-11T00:00:00+00:00" in early.detail
    assert f"{name} expired at 2048-12-22T00:00:00+00:00" in late.detail


def test_of_two_certificates_for_one_key_the_valid_one_is_taken() -> None:
    """AMD issues a VLEK again each year; a folder of endorsements keeps the old one."""
    vlek, *authorities = VLEK.chain()
    expired = reissue(vlek, VLEK.issuer_key, not_after=NOT_BEFORE + SECOND)

    verify(VLEK.report(), (expired, vlek, *authorities))
    verify(VLEK.report(), (vlek, expired, *authorities))


@pytest.mark.parametrize("position", [1, 2], ids=["ask", "ark"])
def test_of_two_certificates_for_one_authority_the_valid_one_is_taken(position: int) -> None:
    chain = MILAN.chain()
    expired = reissue(chain[position], MILAN.amd.ark.key, not_after=NOT_BEFORE + SECOND)

    verify(MILAN.report(), (expired, *chain))
    verify(MILAN.report(), (*chain, expired))


def test_of_several_vceks_the_one_for_chip_and_tcb_is_taken() -> None:
    other_tcb = replace(MILAN, tcb=replace(MILAN.tcb, snp=23)).key.certificate
    other_chip = replace(MILAN, hwid=bytes(64)).key.certificate
    vcek, *authorities = MILAN.chain()

    for veks in ((other_tcb, other_chip, vcek), (vcek, other_chip, other_tcb)):
        verify(MILAN.report(), (*veks, *authorities))
    finding = rejection(MILAN.report(), (other_chip, other_tcb, *authorities))
    assert finding.check == "snp.signature"


def test_one_unusable_vcek_does_not_spoil_the_others() -> None:
    vcek, *authorities = MILAN.chain()
    unusable = reissue(vcek, MILAN.issuer_key, extensions={amd.HWID: None})

    verify(MILAN.report(), (unusable, VLEK.key.certificate, vcek, *authorities))


def test_the_signer_must_be_certified_by_the_authority_of_its_kind() -> None:
    """A VCEK under the ASVK, or a VLEK under the ASK, is none of AMD's."""
    for machine, wrong in ((MILAN, SignerKind.VLEK), (VLEK, SignerKind.VCEK)):
        authority = machine.amd.issuer(wrong)
        name = amd.issuer_name(wrong, machine.line)
        vek = reissue(machine.key.certificate, authority.key, issuer=name)

        finding = rejection(
            machine.report(), (vek, authority.certificate, machine.amd.ark.certificate)
        )

        assert finding.check == "snp.signer"
        assert f"is not issued by {name}" in finding.detail


def test_a_vcek_may_not_be_signed_by_the_root_itself() -> None:
    vcek, ask, ark = MILAN.chain()
    direct = reissue(vcek, MILAN.amd.ark.key, issuer="ARK-Milan")

    for chain in ((direct, ark), (direct, ask, ark)):
        finding = rejection(MILAN.report(), chain)
        assert finding.check == "snp.signer"
        assert "is not issued by ARK-Milan" in finding.detail


def test_a_chain_has_three_certificates_and_no_more() -> None:
    """An authority below the ASK may carry its name, and leads to no root."""
    vcek, ask, ark = MILAN.chain()
    key = rsa.generate_private_key(65537, 2048)
    below = reissue(ask, MILAN.issuer_key, issuer="SEV-Milan", public_key=key.public_key())
    chain = (reissue(vcek, key), below, ask, ark)

    finding = rejection(MILAN.report(), chain)

    assert finding.check == "amd.ark"
    assert "SEV-Milan is no self-signed certification authority" in finding.detail


@pytest.mark.parametrize("issuer", ["SEV-VCEK", "SEV-Milan"])
def test_a_vcek_that_is_an_authority_too_certifies_nothing(issuer: str) -> None:
    vcek, ask, ark = MILAN.chain()
    authority = reissue(vcek, MILAN.issuer_key, extensions={BASIC_CONSTRAINTS: IS_AUTHORITY})
    forger = ec.generate_private_key(ec.SECP384R1())
    below = reissue(vcek, MILAN.key.key, issuer=issuer, public_key=forger.public_key())
    report = sign(MILAN.body(), ReportSigner(below, forger))

    for chain in ((below, authority, ask, ark), (below, ask, ark)):
        assert rejection(report, chain).check in {"amd.vek", "snp.signer", "snp.signature"}


def test_names_that_nobody_vouched_for_stay_out_of_messages() -> None:
    """A terminal would obey them."""
    vcek, ask, ark = MILAN.chain()
    hostile = "\x1b[2J\x1b]0;owned\x07"
    renamed = reissue(ask, MILAN.amd.ark.key, subject=hostile)
    foreign_root = reissue(ark, MILAN.amd.ark.key, subject=hostile, issuer=hostile)

    for chain in ((vcek, renamed, ark), (vcek, ask, foreign_root)):
        finding = rejection(MILAN.report(), chain)
        assert finding.detail.isprintable()
        assert "unnamed" in finding.detail


def test_sha1_certifies_nothing() -> None:
    """Its collisions let one certificate stand for another."""
    vcek, ask, ark = MILAN.chain()
    weak_vcek = signed_with_sha1(vcek, MILAN.issuer_key)
    weak_ask = signed_with_sha1(ask, MILAN.amd.ark.key)

    assert rejection(MILAN.report(), (weak_vcek, ask, ark)).check == "amd.vek"
    assert rejection(MILAN.report(), (vcek, weak_ask, ark)).check == "amd.ask"

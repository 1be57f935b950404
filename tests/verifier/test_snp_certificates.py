"""Certificates that are not what AMD specifies are rejected, each with the check that says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtensionOID
from wasmtime_attestation.attesters.miniature_amd import ReportSigner
from wasmtime_attestation.endorsements import amd
from wasmtime_attestation.evidence.snp_fields import SignerKind

from tests.fakes.amd import GENOA, MILAN, NOT_AFTER, NOT_BEFORE, TURIN, VLEK, Machine, sign
from tests.fakes.certificates import (
    IS_AUTHORITY,
    IS_NO_AUTHORITY,
    SIGNS_DATA_ONLY,
    patched,
    reissue,
)
from tests.verifier.snp_verification import rejection, verify

SECOND = timedelta(seconds=1)
BASIC_CONSTRAINTS = ExtensionOID.BASIC_CONSTRAINTS.dotted_string
KEY_USAGE = ExtensionOID.KEY_USAGE.dotted_string
NAME_CONSTRAINTS = ExtensionOID.NAME_CONSTRAINTS.dotted_string


def ask_key(machine: Machine) -> rsa.RSAPrivateKey:
    return machine.amd.issuer(machine.signer).key


def with_vek_extensions(
    machine: Machine, extensions: dict[str, bytes | None]
) -> tuple[x509.Certificate, ...]:
    """Returns the machine's chain with other extensions in its VCEK or VLEK."""
    vek, *authorities = machine.chain()
    return reissue(vek, ask_key(machine), extensions=extensions), *authorities


@pytest.mark.parametrize(
    ("machine", "oid"),
    [
        *((MILAN, oid) for oid in (amd.PRODUCT_NAME, amd.BOOT_LOADER_SPL, amd.TEE_SPL)),
        *((MILAN, oid) for oid in (amd.SNP_SPL, amd.MICROCODE_SPL, amd.HWID)),
        (TURIN, amd.FMC_SPL),
        (TURIN, amd.HWID),
        (VLEK, amd.CSP_ID),
    ],
)
def test_a_missing_extension(machine: Machine, oid: str) -> None:
    finding = rejection(machine.report(), with_vek_extensions(machine, {oid: None}))

    assert finding.check == "snp.signer"
    assert f"extension {oid} is missing" in finding.detail


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="empty"),
        pytest.param("02", id="tag alone"),
        pytest.param("0200", id="INTEGER without content"),
        pytest.param("0a0118", id="ENUMERATED"),
        pytest.param("02020018", id="not minimal"),
        pytest.param("0201e8", id="negative: 0xE8 is -24"),
        pytest.param("02020100", id="256"),
        pytest.param("02810118", id="length in the long form"),
        pytest.param("020118ff", id="something behind it"),
        pytest.param("020218", id="too long"),
        pytest.param("3003020118", id="in a SEQUENCE"),
        pytest.param("18", id="raw"),
    ],
)
def test_a_badly_encoded_security_version_number(value: str) -> None:
    """SNP_SPL is 24, 0x18; only 02 01 18 says so."""
    raw = bytes.fromhex(value)

    finding = rejection(MILAN.report(), with_vek_extensions(MILAN, {amd.SNP_SPL: raw}))

    assert finding.check == "snp.signer"
    assert f"extension {amd.SNP_SPL} is" in finding.detail


@pytest.mark.parametrize("delta", [-1, 1])
@pytest.mark.parametrize("oid", [amd.BOOT_LOADER_SPL, amd.SNP_SPL, amd.MICROCODE_SPL])
def test_a_tcb_extension_that_is_off_by_one(oid: str, delta: int) -> None:
    svn = {amd.BOOT_LOADER_SPL: 4, amd.SNP_SPL: 24, amd.MICROCODE_SPL: 219}[oid] + delta
    raw = b"\x02\x02\0" + bytes([svn]) if svn > 0x7F else b"\x02\x01" + bytes([svn])

    finding = rejection(MILAN.report(), with_vek_extensions(MILAN, {oid: raw}))

    assert finding.check == "snp.tcb"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"\x0c\x05Milan", "not encoded as AMD specifies"),
        (b"\x16\x06Milan", "not encoded as AMD specifies"),
        (b"\x16\x04Milan", "not encoded as AMD specifies"),
        (b"\x16\x06Milan\x1b", "no printable text"),
        (b"\x16\x06Milan\xff", "no printable text"),
    ],
)
@pytest.mark.parametrize(
    ("machine", "oid"), [(MILAN, amd.PRODUCT_NAME), (VLEK, amd.CSP_ID)], ids=["VCEK", "VLEK"]
)
def test_a_text_that_is_badly_encoded(
    machine: Machine, oid: str, value: bytes, reason: str
) -> None:
    finding = rejection(machine.report(), with_vek_extensions(machine, {oid: value}))

    assert finding.check == "snp.signer"
    assert reason in finding.detail


@pytest.mark.parametrize("name", ["Milan", "Milan-B1", "Siena"])
def test_the_product_name_is_a_claim(name: str) -> None:
    """It varies within a line, which the issuer's name tells."""
    value = b"\x16" + bytes([len(name)]) + name.encode()

    details = verify(MILAN.report(), with_vek_extensions(MILAN, {amd.PRODUCT_NAME: value}))

    assert details.claims.details.product_name == name


@pytest.mark.parametrize("size", [0, 7, 9, 32, 63, 65])
def test_a_hardware_id_of_another_size(size: int) -> None:
    for value in (bytes(size), bytes([4, size]) + bytes(size)):
        if len(value) in (8, 64):
            continue
        finding = rejection(MILAN.report(), with_vek_extensions(MILAN, {amd.HWID: value}))
        assert finding.check == "snp.signer"


@pytest.mark.parametrize("issuer", ["SEV-Genoa", "SEV-Turin", "SEV-Venice", "SEV-VLEK-Milan", ""])
def test_a_vcek_that_names_another_issuer_than_the_one_that_signed_it(issuer: str) -> None:
    vcek, ask, ark = MILAN.chain()
    chain = (reissue(vcek, ask_key(MILAN), issuer=issuer or " "), ask, ark)

    finding = rejection(MILAN.report(), (*chain, *GENOA.chain()[1:]))

    # Turin's certificates have one extension more, which this one lacks.
    known = issuer == "SEV-Genoa"
    assert finding.check == ("amd.vek" if known else "snp.signer")


def test_a_report_of_another_line_than_the_certificate() -> None:
    report = replace(GENOA, line=MILAN.line, product_name="Milan-B0")

    finding = rejection(report.report(), report.chain())

    assert finding.check == "snp.product"
    assert "(Genoa), the certificate for Milan" in finding.detail


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(ec.generate_private_key(ec.SECP256R1()).public_key(), id="P-256"),
        pytest.param(ec.generate_private_key(ec.SECP521R1()).public_key(), id="P-521"),
        pytest.param(MILAN.amd.ark.key.public_key(), id="RSA"),
    ],
)
def test_a_vcek_with_another_kind_of_key(
    key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
) -> None:
    vcek, *authorities = MILAN.chain()
    forged = reissue(vcek, ask_key(MILAN), public_key=key)

    finding = rejection(MILAN.report(), (forged, *authorities))

    assert finding.check == "snp.signer"
    assert "its key is not a P-384 key" in finding.detail


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


def test_a_vcek_with_a_critical_extension_that_nobody_knows() -> None:
    vcek, *authorities = MILAN.chain()
    forged = reissue(
        vcek, ask_key(MILAN), extensions={"1.2.3.4": b"\x05\x00"}, critical=["1.2.3.4"]
    )

    finding = rejection(MILAN.report(), (forged, *authorities))

    assert finding.check == "snp.signer"
    assert "extension 1.2.3.4 is critical and unknown" in finding.detail


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
    key = ask_key(MILAN) if position == 0 else MILAN.amd.ark.key
    begin, end = NOT_BEFORE + timedelta(days=10), NOT_AFTER - timedelta(days=10)
    chain[position] = reissue(chain[position], key, not_before=begin, not_after=end)

    verify(MILAN.report(), chain, at=begin)
    verify(MILAN.report(), chain, at=end)
    early = rejection(MILAN.report(), chain, at=begin - SECOND)
    late = rejection(MILAN.report(), chain, at=end + SECOND)

    name = ("SEV-VCEK", "SEV-Milan", "ARK-Milan")[position]
    assert early.check == late.check == "amd.validity"
    assert f"{name} is not valid before 2026-01-11T00:00:00+00:00" in early.detail
    assert f"{name} expired at 2026-12-22T00:00:00+00:00" in late.detail


def test_of_two_certificates_for_one_key_the_valid_one_is_taken() -> None:
    """AMD issues a VLEK again each year; a folder of endorsements keeps the old one."""
    vlek, *authorities = VLEK.chain()
    expired = reissue(vlek, ask_key(VLEK), not_after=NOT_BEFORE + SECOND)

    verify(VLEK.report(), (expired, vlek, *authorities))
    verify(VLEK.report(), (vlek, expired, *authorities))


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
    unusable = with_vek_extensions(MILAN, {amd.HWID: None})[0]

    verify(MILAN.report(), (unusable, VLEK.key.certificate, vcek, *authorities))


def test_the_order_of_extensions_does_not_matter() -> None:
    vcek, *authorities = MILAN.chain()
    # Taken out and added again, they come last and in reverse.
    values = {
        e.oid.dotted_string: e.value.value
        for e in reversed(list(vcek.extensions))
        if isinstance(e.value, x509.UnrecognizedExtension)
    }
    stripped = reissue(vcek, ask_key(MILAN), extensions=dict.fromkeys(values))
    again = reissue(stripped, ask_key(MILAN), extensions=dict(values))
    assert [e.oid for e in again.extensions] == [e.oid for e in reversed(list(vcek.extensions))]

    verify(MILAN.report(), (again, *authorities))


def test_amds_serial_number_zero_is_no_obstacle() -> None:
    """RFC 5280 forbids it, and every VCEK and VLEK has it."""
    vcek, *authorities = MILAN.chain()
    serial = b"\x02\x01"
    zero = patched(vcek, serial + b"\x01", serial + b"\x00", ask_key(MILAN))

    verify(MILAN.report(), (x509.load_der_x509_certificate(zero), *authorities))


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


def test_a_root_under_the_asks_name_is_still_no_ask() -> None:
    """ARK's key, the ASK's name: nothing that the ARK signed for its own key is an authority."""
    vcek, _, ark = MILAN.chain()
    ark_key = MILAN.amd.ark.key
    posing = reissue(ark, ark_key, subject="SEV-Milan")
    direct = reissue(vcek, ark_key, issuer="SEV-Milan")

    verified = verify(MILAN.report(), (direct, posing, ark))

    # Only the holder of the pinned key can make these; it is trusted to say so.
    assert verified.claims.anchor == "test ARK-Milan"


def test_a_chain_has_three_certificates_and_no_more() -> None:
    """An authority below the ASK may carry its name, and leads to no root."""
    vcek, ask, ark = MILAN.chain()
    key = rsa.generate_private_key(65537, 2048)
    below = reissue(ask, ask_key(MILAN), issuer="SEV-Milan", public_key=key.public_key())
    chain = (reissue(vcek, key), below, ask, ark)

    finding = rejection(MILAN.report(), chain)

    assert finding.check == "amd.ark"
    assert "SEV-Milan is no self-signed certification authority" in finding.detail


@pytest.mark.parametrize("issuer", ["SEV-VCEK", "SEV-Milan"])
def test_a_vcek_that_is_an_authority_too_certifies_nothing(issuer: str) -> None:
    vcek, ask, ark = MILAN.chain()
    authority = reissue(vcek, ask_key(MILAN), extensions={BASIC_CONSTRAINTS: IS_AUTHORITY})
    forger = ec.generate_private_key(ec.SECP384R1())
    below = reissue(vcek, MILAN.key.key, issuer=issuer, public_key=forger.public_key())
    report = sign(MILAN.body(), ReportSigner(below, forger))

    for chain in ((below, authority, ask, ark), (below, ask, ark)):
        assert rejection(report, chain).check in {"amd.vek", "snp.signer", "snp.signature"}

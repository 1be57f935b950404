"""A VCEK or VLEK that is not what AMD specifies is rejected, with what is wrong with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from wasmtime_attestation.endorsements import amd

from tests.fakes.amd import GENOA, MILAN, TURIN, VLEK, Machine
from tests.fakes.certificates import (
    patched,
    reissue,
)
from tests.verifier.snp_verification import rejection, verify

SECOND = timedelta(seconds=1)


def with_vek_extensions(
    machine: Machine, extensions: dict[str, bytes | None]
) -> tuple[x509.Certificate, ...]:
    """Returns the machine's chain with other extensions in its VCEK or VLEK."""
    vek, *authorities = machine.chain()
    return reissue(vek, machine.issuer_key, extensions=extensions), *authorities


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

    assert details.snp.product_name == name


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
    chain = (reissue(vcek, MILAN.issuer_key, issuer=issuer or " "), ask, ark)

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
    forged = reissue(vcek, MILAN.issuer_key, public_key=key)

    finding = rejection(MILAN.report(), (forged, *authorities))

    assert finding.check == "snp.signer"
    assert "its key is not a P-384 key" in finding.detail


def test_a_vcek_with_a_critical_extension_that_nobody_knows() -> None:
    vcek, *authorities = MILAN.chain()
    forged = reissue(
        vcek, MILAN.issuer_key, extensions={"1.2.3.4": b"\x05\x00"}, critical=["1.2.3.4"]
    )

    finding = rejection(MILAN.report(), (forged, *authorities))

    assert finding.check == "snp.signer"
    assert "extension 1.2.3.4 is critical and unknown" in finding.detail


def test_the_order_of_extensions_does_not_matter() -> None:
    vcek, *authorities = MILAN.chain()
    # Taken out and added again, they come last and in reverse.
    values = {
        e.oid.dotted_string: e.value.value
        for e in reversed(list(vcek.extensions))
        if isinstance(e.value, x509.UnrecognizedExtension)
    }
    stripped = reissue(vcek, MILAN.issuer_key, extensions=dict.fromkeys(values))
    again = reissue(stripped, MILAN.issuer_key, extensions=dict(values))
    assert [e.oid for e in again.extensions] == [e.oid for e in reversed(list(vcek.extensions))]

    verify(MILAN.report(), (again, *authorities))


def test_amds_serial_number_zero_is_no_obstacle() -> None:
    """RFC 5280 forbids it, and every VCEK and VLEK has it."""
    vcek, *authorities = MILAN.chain()
    serial = b"\x02\x01"
    zero = patched(vcek, serial + b"\x01", serial + b"\x00", MILAN.issuer_key)

    verify(MILAN.report(), (x509.load_der_x509_certificate(zero), *authorities))

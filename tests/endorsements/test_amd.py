"""VCEKs and VLEKs are decoded as AMD's publication 57230 describes them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from wasmtime_attestation.endorsements import amd
from wasmtime_attestation.evidence.snp_fields import ProductLine, SignerKind, TcbVersion

from tests import vectors
from tests.fakes.amd import BERGAMO, GENOA, MILAN, TURIN, VLEK, Machine, octet_string


@pytest.mark.parametrize(
    ("vector", "line", "name", "tcb"),
    [
        (vectors.MILAN_V2, ProductLine.MILAN, "Milan-B0", TcbVersion(2, 0, 5, 68)),
        (vectors.MILAN_V3, ProductLine.MILAN, "Milan-B0", TcbVersion(4, 0, 24, 219)),
        (vectors.TURIN_V5, ProductLine.TURIN, "Turin", TcbVersion(1, 1, 4, 81, fmc=1)),
        (vectors.AZURE_V3, ProductLine.MILAN, "Milan-B0", TcbVersion(4, 0, 24, 219)),
    ],
    ids=str,
)
def test_a_real_vcek(
    vector: vectors.SnpVector, line: ProductLine, name: str, tcb: TcbVersion
) -> None:
    vcek = amd.decode(vector.chain().certificates[0])

    assert vcek.kind is SignerKind.VCEK
    assert (vcek.product_line, vcek.product_name, vcek.tcb) == (line, name, tcb)
    # CHIP_ID at 0x1A0 of the report that it signed.
    chip_id = vector.report()[0x1A0:0x1E0]
    assert vcek.hwid == (chip_id[:8] if line is ProductLine.TURIN else chip_id)
    assert vcek.csp_id is None


@pytest.mark.parametrize("machine", [MILAN, GENOA, BERGAMO, TURIN], ids=lambda m: m.product_name)
def test_a_vcek(machine: Machine) -> None:
    vcek = amd.decode(machine.key.certificate)

    assert vcek.kind is SignerKind.VCEK
    assert vcek.product_line is machine.line
    assert vcek.product_name == machine.product_name
    assert vcek.tcb == machine.tcb
    assert vcek.hwid == machine.hwid
    assert vcek.key.public_numbers() == machine.key.key.public_key().public_numbers()


def test_a_vlek_is_of_a_cloud_provider_and_of_no_chip() -> None:
    vlek = amd.decode(VLEK.key.certificate)

    assert vlek.kind is SignerKind.VLEK
    assert (vlek.csp_id, vlek.hwid) == ("Cloud", None)


@pytest.mark.parametrize(("machine", "size"), [(MILAN, 64), (TURIN, 8)])
def test_the_hardware_id_in_an_octet_string(machine: Machine, size: int) -> None:
    hwid = machine.chip_id[:size]

    assert amd.decode(replace(machine, hwid=octet_string(hwid)).key.certificate).hwid == hwid


@pytest.mark.parametrize("svn", [0, 1, 127, 128, 255])
def test_security_version_numbers_up_to_a_byte(svn: int) -> None:
    """128 and more take two bytes in DER, since an INTEGER has a sign."""
    machine = replace(MILAN, tcb=TcbVersion(svn, svn, svn, svn))

    assert amd.decode(machine.key.certificate).tcb == machine.tcb


def test_what_is_no_versioned_key() -> None:
    vcek, *authorities = MILAN.chain()

    assert amd.is_versioned_key(vcek)
    assert amd.is_versioned_key(VLEK.key.certificate)
    for authority in authorities:
        assert not amd.is_versioned_key(authority)
        with pytest.raises(ValueError, match="neither SEV-VCEK nor SEV-VLEK"):
            amd.decode(authority)


@pytest.mark.parametrize(
    ("kind", "line", "name"),
    [
        (SignerKind.VCEK, ProductLine.MILAN, "SEV-Milan"),
        (SignerKind.VCEK, ProductLine.TURIN, "SEV-Turin"),
        (SignerKind.VLEK, ProductLine.GENOA, "SEV-VLEK-Genoa"),
    ],
)
def test_the_authority_of_each_kind(kind: SignerKind, line: ProductLine, name: str) -> None:
    real = vectors.endorsements(f"snp/chain_{line.lower()}_{kind.name.lower()}.pem")

    assert amd.issuer_name(kind, line) == name
    assert f"CN={name}," in real.certificates[0].subject.rfc4514_string()

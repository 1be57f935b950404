"""A report verifies if report, certificate and root fit together; each misfit is rejected."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from wasmtime_attestation.checks import Outcome
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.evidence.snp_fields import ProductLine, SignerKind, TcbVersion

from tests.fakes.amd import (
    BERGAMO,
    GENOA,
    MACHINES,
    MILAN,
    MILAN_V2,
    TURIN,
    VLEK,
    Machine,
    encode_tcb,
    octet_string,
    sign,
)
from tests.verifier.snp_verification import rejection, verify


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: f"{m.product_name}-v{m.version}")
def test_miniature_machines_verify(machine: Machine) -> None:
    verified = verify(machine.report(), machine.endorsements(), report_data=bytes(64))

    assert verified.snp.product_line is machine.line
    assert verified.snp.report.reported_tcb == machine.tcb
    assert verified.claims.anchor == f"test ARK-{machine.line}"


@pytest.mark.parametrize("version", [2, 3, 4, 5])
@pytest.mark.parametrize("machine", [MILAN, GENOA], ids=["Milan", "Genoa"])
def test_every_version_of_the_report_verifies(machine: Machine, version: int) -> None:
    details = verify(machine.report(version=version, **no_cpuid(version)), machine.chain()).snp

    assert details.report.version == version


def no_cpuid(version: int) -> dict[str, int]:
    names = ("cpuid_fam_id", "cpuid_mod_id", "cpuid_step")
    return dict.fromkeys(names, 0) if version == 2 else {}


@pytest.mark.parametrize(
    ("machine", "hwid"),
    [
        (MILAN, MILAN.chip_id),
        (MILAN, octet_string(MILAN.chip_id)),
        (TURIN, TURIN.chip_id[:8]),
        (TURIN, octet_string(TURIN.chip_id[:8])),
    ],
    ids=["raw 64", "OCTET STRING 64", "raw 8", "OCTET STRING 8"],
)
def test_the_hardware_id_in_every_encoding(machine: Machine, hwid: bytes) -> None:
    machine = replace(machine, hwid=hwid)

    verified = verify(machine.report(), machine.chain())

    assert verified.outcome("snp.chip-id") is Outcome.PASSED


def test_a_report_by_a_vlek_names_the_cloud_and_no_chip() -> None:
    verified = verify(VLEK.report(), VLEK.chain())

    assert verified.snp.csp_id == "Cloud"
    assert verified.outcome("snp.chip-id") is Outcome.NOT_CHECKED


def test_the_kind_of_signer_is_the_one_that_the_report_names() -> None:
    vcek_for_vlek = rejection(VLEK.report(), MILAN.chain())
    vlek_for_vcek = rejection(MILAN.report(), VLEK.chain())
    # The signature is the VLEK's, and the report says that a VCEK made it.
    relabelled = rejection(VLEK.report(key_information=SignerKind.VCEK << 2), VLEK.chain())

    assert {vcek_for_vlek.check, vlek_for_vcek.check, relabelled.check} == {"snp.signer"}
    assert "signed by a VLEK: a VCEK was given" in vcek_for_vlek.detail
    assert "signed by a VCEK: a VLEK was given" in vlek_for_vcek.detail


@pytest.mark.parametrize("keys", [0b00010, 0b11100, 0b11110, 0b00110])
def test_a_report_that_is_not_signed_is_rejected(keys: int) -> None:
    finding = rejection(MILAN.report(key_information=keys), MILAN.chain())

    assert finding.check == "snp.signer"
    assert "its host masks the chip key" in finding.detail


@pytest.mark.parametrize("component", ["boot_loader", "tee", "snp", "microcode"])
@pytest.mark.parametrize("machine", [MILAN, TURIN, VLEK], ids=["Milan", "Turin", "VLEK"])
def test_every_part_of_the_tcb_must_be_the_certificates(machine: Machine, component: str) -> None:
    other = replace(machine.tcb, **{component: getattr(machine.tcb, component) + 1})

    finding = rejection(machine.report(reported_tcb=encode_tcb(other)), machine.chain())

    assert finding.check == "snp.tcb"
    assert f"the certificate is for {machine.tcb}, the report says {other}" in finding.detail


def test_the_fmc_of_turin_is_part_of_the_tcb() -> None:
    other = replace(TURIN.tcb, fmc=2)

    assert rejection(TURIN.report(reported_tcb=encode_tcb(other)), TURIN.chain()).check == "snp.tcb"


@pytest.mark.parametrize("field", ["current_tcb", "committed_tcb", "launch_tcb"])
def test_the_other_tcb_versions_are_claims(field: str) -> None:
    lower = encode_tcb(TcbVersion(1, 0, 2, 3))

    report = verify(MILAN.report(**{field: lower}), MILAN.chain()).snp.report

    assert getattr(report, field) == TcbVersion(1, 0, 2, 3)
    assert report.firmware_is_provisional is (field != "launch_tcb")


def test_provisional_firmware_is_a_claim() -> None:
    """The trustee's real reports are like this: authentic, and the firmware not committed."""
    report = MILAN.report(committed_tcb=encode_tcb(TcbVersion(4, 0, 23, 219)))

    claims = verify(report, MILAN.chain()).claims.to_json()

    snp = claims["amd-sev-snp"]
    assert isinstance(snp, dict)
    assert snp["provisional_firmware"] is True


def test_the_chip_is_the_one_in_the_vcek() -> None:
    other = rejection(MILAN.report(chip_id=bytes(range(1, 65))), MILAN.chain())
    masked = rejection(MILAN.report(chip_id=bytes(64)), MILAN.chain())
    # Turin's id has eight bytes, and what follows is zero.
    surplus = rejection(TURIN.report(chip_id=TURIN.chip_id[:8] + b"\1" * 56), TURIN.chain())

    assert {other.check, masked.check, surplus.check} == {"snp.chip-id"}
    assert "its host masks the chip id" in masked.detail
    assert "masks" not in other.detail


def test_a_short_hardware_id_exists_on_turin_alone() -> None:
    machine = replace(MILAN, hwid=MILAN.chip_id[:8], chip_id=MILAN.chip_id[:8].ljust(64, b"\0"))

    finding = rejection(machine.report(), machine.chain())

    assert finding.check == "snp.chip-id"
    assert "8 bytes, not 64" in finding.detail


@pytest.mark.parametrize(
    ("machine", "family", "model"),
    [
        (MILAN, 0x19, 0x11),
        (GENOA, 0x19, 0x01),
        (BERGAMO, 0x19, 0x20),
        (MILAN, 0x17, 0x31),
        (MILAN, 0, 0),
        (TURIN, 0x1A, 0x50),
        (TURIN, 0x1B, 0x02),
    ],
)
def test_the_processor_is_of_the_certificates_line(
    machine: Machine, family: int, model: int
) -> None:
    report = machine.report(cpuid_fam_id=family, cpuid_mod_id=model)

    finding = rejection(report, machine.chain())

    assert finding.check == "snp.product"
    assert f"family 0x{family:x} and model 0x{model:x}" in finding.detail


def test_version_2_does_not_exist_on_turin() -> None:
    """Its layout would be read wrongly, so it must not come to a comparison."""
    body = TURIN.body(version=2, **no_cpuid(2), launch_mit_vector=0, current_mit_vector=0)
    # As TCB_VERSION is laid out before Turin.
    body = body.replace(encode_tcb(TURIN.tcb), encode_tcb(replace(TURIN.tcb, fmc=None)))

    finding = rejection(sign(body, TURIN.key), TURIN.chain())

    assert finding.check == "snp.product"
    assert "version 2 does not exist on Turin" in finding.detail


def test_version_2_leaves_the_line_to_certificate_and_root() -> None:
    details = verify(MILAN_V2.report(), MILAN_V2.chain()).snp

    assert details.product_line is ProductLine.MILAN
    assert details.report.cpuid is None


def test_the_instant_needs_a_time_zone() -> None:
    with pytest.raises(InvalidArgumentError, match="names no time zone"):
        verify(MILAN.report(), MILAN.chain(), at=datetime(2026, 3, 1))  # noqa: DTZ001


def test_order_and_repetition_of_endorsements_do_not_matter() -> None:
    vcek, ask, ark = MILAN.chain()
    unrelated = (*GENOA.chain()[1:], *TURIN.chain())

    verify(MILAN.report(), (ark, ask, vcek))
    verify(MILAN.report(), (*unrelated, ark, ark, vcek, ask, vcek))

"""Manifests: found by version, signed by NVIDIA, valid; and what is measured is golden."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from wasmtime_attestation.checks import Outcome
from wasmtime_attestation.endorsements.bundle import Endorsements

from tests.fakes import nvidia_rim
from tests.fakes.nvidia import (
    AT,
    BLACKWELL,
    DRIVER_INDICES,
    HOPPER,
    NOT_AFTER,
    OCSP_SIGNING,
    RIM_ROOT,
    VBIOS_INDICES,
    certificate,
    chain_of,
    golden,
    key_of,
)
from tests.fakes.nvidia_rim import DRIVER, SIGNER_NAMES, VBIOS, Manifest, measurement, minimum_svn
from tests.verifier.nvidia_verification import missing, rejection, verify

DEVICE = HOPPER.endorsements()
REPORT = HOPPER.report()


def rims(*manifests: Manifest | bytes) -> Endorsements:
    return DEVICE + nvidia_rim.endorsements(*manifests)


def test_both_manifests_are_missing() -> None:
    lack = missing(REPORT, DEVICE)

    assert "nvidia.driver-rim: the manifest (RIM) NV_GPU_DRIVER_GH100_550.90.07" in lack
    assert "nvidia.vbios-rim: the manifest (RIM) NV_GPU_VBIOS_1010_0200_882_96009F0001" in lack


@pytest.mark.parametrize(
    ("given", "lacks"),
    [
        (DRIVER, "NV_GPU_VBIOS_1010_0200_882_96009F0001"),
        (VBIOS, "NV_GPU_DRIVER_GH100_550.90.07"),
    ],
)
def test_one_manifest_is_missing(given: Manifest, lacks: str) -> None:
    lack = missing(REPORT, rims(given))

    assert lacks in lack
    assert lack.count("(RIM)") == 1


def test_manifests_of_other_versions_are_not_the_ones() -> None:
    others = (replace(DRIVER, version="550.90.08"), replace(VBIOS, version="96.00.9F.00.02"))

    assert missing(REPORT, rims(*others)).count("(RIM)") == 2


def test_a_manifest_with_the_right_name_and_another_version() -> None:
    name = "NV_GPU_DRIVER_GH100_550.90.07.xml"
    wrong = Endorsements.from_files([(name, replace(DRIVER, version="550.90.08").xml())])
    finding = rejection(REPORT, rims(VBIOS) + wrong)

    assert finding.check == "nvidia.driver-rim"
    assert 'is about version "550.90.08", not 550.90.07' in finding.detail


def test_the_name_tells_two_boards_of_one_version_apart() -> None:
    """The other board's manifest has other golden values, and is as good in everything else."""
    other = replace(VBIOS, records=[measurement(0, golden(99))])
    files = {
        "NV_GPU_VBIOS_1010_0999_882_96009F0001.xml": other.xml(),
        "NV_GPU_VBIOS_1010_0200_882_96009F0001.xml": VBIOS.xml(),
    }
    named = Endorsements.from_files(files.items())

    assert verify(REPORT, rims(DRIVER) + named).gpu.measurements_matched == 7


def test_a_manifest_that_is_named_after_another_board_is_not_the_one() -> None:
    name = "NV_GPU_VBIOS_1010_0999_882_96009F0001.xml"
    other = Endorsements.from_files([(name, VBIOS.xml())])

    assert "NV_GPU_VBIOS_1010_0200_882_96009F0001" in missing(REPORT, rims(DRIVER) + other)


@pytest.mark.parametrize("note", ["", "_PROD", "-signed-again"])
def test_a_note_may_follow_the_name(note: str) -> None:
    name = f"NV_GPU_VBIOS_1010_0200_882_96009F0001{note}.swidtag"
    named = Endorsements.from_files([(name, VBIOS.xml())])

    assert verify(REPORT, rims(DRIVER) + named).gpu.measurements_matched == 7


def test_an_index_that_stands_twice_in_a_manifest() -> None:
    records = (*nvidia_rim.records(VBIOS_INDICES), measurement(0, golden(0)))
    finding = rejection(REPORT, rims(DRIVER, replace(VBIOS, records=records)))

    assert finding.check == "nvidia.vbios-rim"
    assert "index 0 stands twice" in finding.detail


def test_a_manifest_without_a_signature() -> None:
    finding = rejection(REPORT, rims("".join(DRIVER.parts()).encode(), VBIOS))

    assert finding.check == "nvidia.driver-rim"
    assert "it has 0 signatures" in finding.detail


def test_a_signed_manifest_in_another_ones_clothes() -> None:
    """The file says the right version, and what is signed within it another."""
    old = replace(DRIVER, version="550.90.06")
    before, after = DRIVER.parts()
    wrapped = before + f"<ns0:Link>{old.xml().decode()}</ns0:Link>" + after

    assert "it has 1 signatures, not one within its root" in (
        rejection(REPORT, rims(wrapped.encode(), VBIOS)).detail
    )


def test_the_chip_tells_two_drivers_of_one_version_apart() -> None:
    other = replace(DRIVER, product="GB100", records=[measurement(7, golden(99))])

    assert verify(REPORT, rims(other, DRIVER, VBIOS)).gpu.measurements_matched == 7


def test_a_manifest_of_another_architecture_is_not_the_one() -> None:
    """It has the version, and golden values that fit: drivers of two chips have one version."""
    finding = rejection(REPORT, rims(replace(DRIVER, product="GB100"), VBIOS))

    assert finding.check == "nvidia.driver-rim"
    assert "what is signed is about GB100, and this is a GH100" in finding.detail


def test_versions_compare_without_regard_to_case() -> None:
    lower = rims(DRIVER, replace(VBIOS, version="96.00.9f.00.01"))

    assert verify(REPORT, lower).gpu.measurements_matched == 7


def test_an_altered_manifest() -> None:
    altered = DRIVER.xml().replace(golden(21).hex().encode(), golden(22).hex().encode())
    finding = rejection(REPORT, rims(altered, VBIOS))

    assert finding.check == "nvidia.driver-rim"
    assert "the manifest was altered: its digest" in finding.detail


def test_a_manifest_whose_digest_was_made_to_fit() -> None:
    evil = replace(DRIVER, records=[measurement(7, golden(99))]).xml()
    good = DRIVER.xml()
    value = good.split(b"<ds:SignatureValue>")[1].split(b"<")[0]
    old = evil.split(b"<ds:SignatureValue>")[1].split(b"<")[0]

    finding = rejection(REPORT, rims(evil.replace(old, value), VBIOS))

    assert "the manifest's signer did not sign it" in finding.detail


@pytest.mark.parametrize("size", [95, 97, 0])
def test_a_signature_has_96_bytes(size: int) -> None:
    xml = DRIVER.xml()
    value = xml.split(b"<ds:SignatureValue>")[1].split(b"<")[0]
    other = base64.b64encode((base64.b64decode(value) + b"\0")[:size])

    assert "did not sign it" in rejection(REPORT, rims(xml.replace(value, other), VBIOS)).detail


def test_a_manifest_of_somebody_else() -> None:
    finding = rejection(REPORT, rims(replace(DRIVER, owner="somebody"), VBIOS))

    assert finding.check == "nvidia.driver-rim"
    assert "not NVIDIA's root for reference integrity manifests" in finding.detail


def test_a_device_signs_no_manifests() -> None:
    """Its chain is as genuine as that of a signer, and ends at another root."""
    signer = replace(DRIVER, names=HOPPER.names)

    assert "not NVIDIA's root for reference" in rejection(REPORT, rims(signer, VBIOS)).detail


def test_an_authority_signs_no_manifests() -> None:
    chain = chain_of("NVIDIA", SIGNER_NAMES[1:])
    own = certificate(
        SIGNER_NAMES[0], key_of("NVIDIA", SIGNER_NAMES[0]),
        SIGNER_NAMES[1], key_of("NVIDIA", SIGNER_NAMES[1]), is_ca=True,
    )  # fmt: skip
    finding = rejection(REPORT, rims(replace(DRIVER, chain=[own, *chain]), VBIOS))

    assert finding.check == "nvidia.driver-rim"
    assert "no certificate for signing data" in finding.detail


def test_an_ocsp_responder_signs_no_manifests() -> None:
    """The authorities above the signers issue their responders' certificates too."""
    chain = chain_of("NVIDIA", SIGNER_NAMES)
    own = certificate(
        SIGNER_NAMES[0], key_of("NVIDIA", SIGNER_NAMES[0]),
        SIGNER_NAMES[1], key_of("NVIDIA", SIGNER_NAMES[1]), purposes=[OCSP_SIGNING],
    )  # fmt: skip
    finding = rejection(REPORT, rims(replace(DRIVER, chain=[own, *chain[1:]]), VBIOS))

    assert finding.check == "nvidia.driver-rim"
    assert "is for signing OCSP responses" in finding.detail


@pytest.mark.parametrize(
    ("order", "says"),
    [
        ([0, 1, 2], "not NVIDIA's root|is not signed by"),
        ([0, 2, 3], "is not signed by"),
        ([0, 2, 1, 3], "is not signed by"),
        ([0], "has 1 certificates"),
    ],
)
def test_the_chain_is_whole_and_in_order(order: list[int], says: str) -> None:
    chain = DRIVER.path()
    finding = rejection(REPORT, rims(replace(DRIVER, chain=[chain[i] for i in order]), VBIOS))

    assert finding.check == "nvidia.driver-rim"
    assert any(part in finding.detail for part in says.split("|"))


def _renewed(days: int, records: Sequence[str] = DRIVER.records) -> Manifest:
    """Returns the driver's manifest whose signer's certificate expires after some days."""
    chain = DRIVER.path()
    signer = certificate(
        SIGNER_NAMES[0], key_of("NVIDIA", SIGNER_NAMES[0]),
        SIGNER_NAMES[1], key_of("NVIDIA", SIGNER_NAMES[1]), not_after=AT + timedelta(days=days),
    )  # fmt: skip
    return replace(DRIVER, chain=[signer, *chain[1:]], records=records)


def test_an_expired_manifest() -> None:
    finding = rejection(REPORT, rims(_renewed(-1), VBIOS))

    assert finding.check == "nvidia.driver-rim"
    assert "HCC RIM L4 Signer expired at 2026-02-28" in finding.detail


def test_a_manifest_that_was_signed_again_replaces_the_expired_one() -> None:
    verified = verify(REPORT, rims(_renewed(-1), _renewed(1), VBIOS))

    assert verified.gpu.rims_expire == AT + timedelta(days=1)
    assert verified.gpu.rims_expire < NOT_AFTER


def test_a_manifests_root_is_pinned_by_name_of_its_role() -> None:
    assert RIM_ROOT in verify(REPORT).detail("nvidia.driver-rim")


def mismatch(report: bytes, endorsements: Endorsements | None = None) -> str:
    finding = rejection(report, endorsements)
    assert finding.check == "nvidia.measurements"
    return finding.detail


def test_a_measurement_that_is_not_golden() -> None:
    detail = mismatch(HOPPER.report(changes={21: golden(99)}))

    assert detail.startswith("6 of 7 golden measurements match")
    assert f"index 21 (Measurement_21) is {golden(99).hex()}, not {golden(21).hex()}" in detail


def test_every_mismatch_is_listed() -> None:
    detail = mismatch(HOPPER.report(changes={0: golden(99), 7: golden(98), 21: None}))

    assert detail.startswith("4 of 7 golden measurements match")
    assert f"index 0 (Measurement_0) is {golden(99).hex()}, not {golden(0).hex()};" in detail
    assert f"is {golden(98).hex()}, not {bytes(48).hex()} or 1 others" in detail
    assert f"index 21 (Measurement_21) is not in the report, not {golden(21).hex()}" in detail


@pytest.mark.parametrize("value", [golden(7), bytes(48)])
def test_any_alternative_will_do(value: bytes) -> None:
    assert verify(HOPPER.report(changes={7: value})).gpu.measurements_matched == 7


@pytest.mark.parametrize("value", [golden(21)[:47], golden(21) + b"\0", b""])
def test_a_measurement_of_another_size_is_another(value: bytes) -> None:
    assert "index 21" in mismatch(HOPPER.report(changes={21: value}))


def test_what_has_no_golden_value_does_not_count() -> None:
    assert verify(HOPPER.report(changes={50: golden(99), 60: None})).gpu.measurements_matched == 7


def test_inactive_measurements_do_not_count() -> None:
    records = (*nvidia_rim.records(VBIOS_INDICES), measurement(40, golden(99), active="False"))

    verified = verify(REPORT, rims(DRIVER, replace(VBIOS, records=records)))

    assert verified.gpu.measurements_matched == 7


def test_an_index_that_is_active_in_both_manifests() -> None:
    records = (*nvidia_rim.records(VBIOS_INDICES), measurement(21, golden(21)))

    detail = mismatch(REPORT, rims(DRIVER, replace(VBIOS, records=records)))

    assert "index 21 is active in both manifests" in detail


def test_index_35_is_skipped_where_its_decoder_is_disabled() -> None:
    report = HOPPER.report(fields={11: b"\x55"}, changes={35: golden(99)})
    verified = verify(report)

    assert verified.gpu.measurements_skipped == (35,)
    assert verified.gpu.measurements_matched == 6
    assert verified.detail("nvidia.measurements") == (
        "6 of 7 golden measurements match; index 35 is skipped: NVDEC0 is disabled"
    )


def test_index_35_counts_where_its_decoder_is_enabled() -> None:
    assert "index 35" in mismatch(HOPPER.report(changes={35: golden(99)}))


def test_a_report_that_does_not_speak_of_the_decoder() -> None:
    assert "NVDEC0" in mismatch(HOPPER.report(fields={11: None}))
    without = [i for i in DRIVER_INDICES if i != 35]
    manifest = replace(DRIVER, records=nvidia_rim.records(without))
    verified = verify(HOPPER.report(fields={11: None}), rims(manifest, VBIOS))
    assert verified.gpu.measurements_matched == 6


def blackwell(*records: str) -> Endorsements:
    driver, vbios = nvidia_rim.BLACKWELL
    manifest = replace(driver, records=nvidia_rim.records(DRIVER_INDICES, records))
    return BLACKWELL.endorsements() + nvidia_rim.endorsements(manifest, vbios)


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (minimum_svn(37, 6), "FSP_UCODE_MIN_SVN is 5, less than 6"),
        (minimum_svn(40, 0), "FSP_UCODE_MIN_SVN is not in the report"),
        (minimum_svn(36, 0), "FSP_UCODE_MIN_SVN is not in the report"),  # of another value type
    ],
)
def test_security_versions_have_a_minimum(record: str, says: str) -> None:
    finding = rejection(BLACKWELL.report(), blackwell(record))

    assert finding.check == "nvidia.minimum-svn"
    assert says in finding.detail


@pytest.mark.parametrize("least", [0, 4, 5])
def test_a_security_version_that_is_high_enough(least: int) -> None:
    verified = verify(BLACKWELL.report(), blackwell(minimum_svn(37, least)))

    assert verified.gpu.security_versions == {"FSP_UCODE_MIN_SVN": 5}
    assert verified.outcome("nvidia.minimum-svn") is Outcome.PASSED


@pytest.mark.parametrize("value", [b"\5", b"\5\0\0", b""])
def test_a_security_version_has_two_bytes(value: bytes) -> None:
    report = BLACKWELL.report(fields={37: value})

    assert rejection(report, blackwell(minimum_svn(37, 5))).check == "nvidia.minimum-svn"


def test_the_legacy_layout_has_no_security_versions() -> None:
    old = replace(BLACKWELL, value_types=None, fields={**BLACKWELL.fields, 34: b"\0\0"})

    assert rejection(old.report(), blackwell(minimum_svn(37, 5))).check == "nvidia.minimum-svn"


@pytest.mark.parametrize(
    ("field", "name", "says"),
    [(37, "OTHER", "a field has two"), (40, "FSP_UCODE_MIN_SVN", "a name has two")],
)
def test_a_minimum_that_both_manifests_set(field: int, name: str, says: str) -> None:
    driver, vbios = nvidia_rim.BLACKWELL
    both = replace(
        vbios, records=nvidia_rim.records(VBIOS_INDICES, [minimum_svn(field, 5, name=name)])
    )
    given = BLACKWELL.endorsements() + nvidia_rim.endorsements(driver, both)

    finding = rejection(BLACKWELL.report(), given)

    assert finding.check == "nvidia.minimum-svn"
    assert says in finding.detail

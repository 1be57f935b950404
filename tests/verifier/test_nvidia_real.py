"""Reports of real GPUs verify as NVIDIA's own verifiers have it, and with nothing of others."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from wasmtime_attestation.checks import Outcome
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.nvidia import Architecture
from wasmtime_attestation.errors import UnavailableError
from wasmtime_attestation.wit import TeeType

from tests import vectors
from tests.verifier.nvidia_verification import Verified, missing, rejection, verify

VENDORS = Anchors.of_vendors()
DRIVER = "nvidia/gonvattest_NV_GPU_DRIVER_GH100_550.90.07.xml"
VBIOS = "nvidia/gonvattest_NV_GPU_VBIOS_1010_0200_882_96009F0001.xml"
CHAIN = "nvidia/gonvattest_test_gpu_attestation_certificate_chain.dat"
DEVICE_OCSP = tuple(
    f"nvidia/gonvattest_test_gpu_certificate_l{n}_base64encoded_ocsp_response.dat"
    for n in (2, 3, 4)
)
RIM_OCSP = tuple(
    f"nvidia/gonvattest_test_gpu_{name}_base64encoded_ocsp_response.dat"
    for name in ("driver_rim_l3", "driver_rim_l4", "rim_l2", "vbios_l4")
)
# The responses are good for a day: those about the device's chain on the first of these, those
# about the manifests' on the second.
DEVICE_DAY = datetime(2025, 8, 21, 12, tzinfo=UTC)
RIM_DAY = datetime(2025, 10, 24, 12, tzinfo=UTC)
NONCE = bytes.fromhex("931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb")


def hopper() -> bytes:
    return vectors.read("nvidia/gonvattest_test_raw_gpu_attestation_report.dat")


def blackwell() -> bytes:
    return bytes.fromhex(vectors.read("nvidia/nvsdk_blackwellAttestationReport.txt").decode())


def everything() -> Endorsements:
    return vectors.endorsements(DRIVER, VBIOS, CHAIN, *DEVICE_OCSP, *RIM_OCSP)


def verify_hopper(at: datetime) -> Verified:
    return verify(hopper(), everything(), nonce=NONCE, at=at, anchors=VENDORS)


def test_a_hopper_gpu() -> None:
    """Values from NVIDIA's attestation service, which verified the same GPU and versions."""
    verified = verify_hopper(DEVICE_DAY)

    assert verified.detail("nvidia.measurements") == (
        "32 of 33 golden measurements match; index 35 is skipped: NVDEC0 is disabled"
    )
    assert verified.claims.tee_type is TeeType.NVIDIA_GPU
    assert verified.claims.anchor == "NVIDIA Device Identity CA"
    assert verified.gpu.ueid == "478176379286082186618948445787393647364802107249"
    assert verified.gpu.hardware_model == "GH100 A01 GSP BROM"
    assert verified.gpu.driver_version == "550.90.07"
    assert verified.gpu.vbios_version == "96.00.9F.00.01"
    assert verified.gpu.rims_expire == datetime(2026, 2, 22, 23, 17, 58, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "device", "rims"),
    [
        (DEVICE_DAY, Outcome.PASSED, Outcome.NOT_CHECKED),
        (RIM_DAY, Outcome.NOT_CHECKED, Outcome.PASSED),
    ],
)
def test_real_responses_cover_their_day(at: datetime, device: Outcome, rims: Outcome) -> None:
    verified = verify_hopper(at)

    assert verified.outcome("nvidia.device-revocation") is device
    assert verified.outcome("nvidia.rim-revocation") is rims


def test_a_manifest_whose_signer_has_expired() -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)

    finding = rejection(hopper(), everything(), at=at, anchors=VENDORS)

    assert finding.check == "nvidia.vbios-rim"
    assert "HCC RIM L4 Signer expired at 2026-02-22T23:17:58" in finding.detail


def test_a_blackwell_gpu_is_authentic_up_to_its_manifests() -> None:
    chain = vectors.endorsements("nvidia/nvsdk_blackwellCertChain.txt")
    with pytest.raises(UnavailableError) as caught:
        verify(blackwell(), chain + everything(), at=DEVICE_DAY, anchors=VENDORS)
    assert "NV_GPU_CC_DRIVER_GB100_575.32" in str(caught.value)
    assert "NV_GPU_VBIOS_G525_0220_886_970088000F" in str(caught.value)


def test_one_gpus_certificates_are_not_anothers() -> None:
    finding = rejection(blackwell(), everything(), at=DEVICE_DAY, anchors=VENDORS)

    assert finding.check == "nvidia.signature"


def test_the_miniatures_roots_do_not_speak_for_real_gpus() -> None:
    assert rejection(hopper(), everything(), at=DEVICE_DAY).check == "nvidia.device-root"


def test_a_real_architecture() -> None:
    assert verify_hopper(RIM_DAY).gpu.architecture is Architecture.HOPPER


def test_without_certificates() -> None:
    assert "certificate chain is missing" in missing(hopper(), Endorsements())

"""A report verifies if device, chain, manifests and measurements fit; each misfit is rejected."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from wasmtime_attestation.checks import Ledger, Outcome
from wasmtime_attestation.endorsements.anchors import Anchor, Anchors, Role
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.nvidia import Architecture
from wasmtime_attestation.endorsements.x509 import spki_sha256
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.verifier import verify as verify_evidence
from wasmtime_attestation.wit import TeeType

from tests.fakes import nvidia_rim, ocsp
from tests.fakes.nvidia import (
    AT,
    BLACKWELL,
    DEVICE_ROOT,
    HOPPER,
    NONCE,
    NOT_AFTER,
    NOT_BEFORE,
    PDIS,
    RIM_ROOT,
    SWITCH,
    TCB_INFO,
    Device,
    certificate,
    device_id,
    key_of,
    real_anchors,
    serial_of,
    tcb_info,
)
from tests.verifier.nvidia_verification import missing, rejection, verify

SECOND = timedelta(seconds=1)
RIMS = nvidia_rim.endorsements()
BLACKWELL_RIMS = nvidia_rim.endorsements(*nvidia_rim.BLACKWELL)
SWITCH_RIMS = nvidia_rim.endorsements(*nvidia_rim.SWITCH)
LEAF, BROM, PROVISIONER, IDENTITY, ROOT = HOPPER.chain()


def of(*certificates: x509.Certificate) -> Endorsements:
    return Endorsements(certificates=certificates) + RIMS


def test_a_hopper_gpu_verifies() -> None:
    covered = Endorsements(
        ocsp=(*ocsp.about_path(HOPPER.chain()[1:]), *ocsp.about_path(nvidia_rim.DRIVER.path()))
    )
    verified = verify(HOPPER.report(), HOPPER.endorsements() + RIMS + covered, nonce=NONCE)

    assert {check.outcome for check in verified.checks} == {Outcome.PASSED}
    assert verified.claims.platform is verified.claims.tee_type is TeeType.NVIDIA_GPU
    assert not verified.claims.debug
    assert not verified.claims.simulated
    assert verified.gpu.revocation_checked


def test_a_blackwell_gpu_verifies() -> None:
    gpu = verify(BLACKWELL.report(), BLACKWELL.endorsements() + BLACKWELL_RIMS).gpu

    assert gpu.architecture is Architecture.BLACKWELL
    assert gpu.driver_rim == "NV_GPU_CC_DRIVER_GB10X_620.12"
    assert gpu.vbios_rim == "NV_GPU_VBIOS_G520_0201_884_9700D9000F"
    assert gpu.security_versions == {"FSP_UCODE_MIN_SVN": 5}
    assert gpu.mode == "mpt"


def test_a_switch_verifies() -> None:
    verified = verify(SWITCH.report(), SWITCH.endorsements() + SWITCH_RIMS)

    assert verified.claims.tee_type is TeeType.OTHER
    assert verified.gpu.device == "switch"
    assert verified.gpu.vbios_rim == "NV_SWITCH_BIOS_5612_0002_890_9610550001"
    assert (verified.gpu.driver_rim, verified.gpu.driver_version) == (None, None)
    assert verified.gpu.pdi == bytes.fromhex("203eb31ad9ed0008")
    assert verified.gpu.peer_pdis == PDIS
    assert verified.outcome("nvidia.fwid") is Outcome.NOT_CHECKED
    assert "nvidia.driver-rim" not in {check.id for check in verified.checks}
    assert "nvidia-switch" in verified.claims.to_json()


def test_what_the_report_says_is_a_claim() -> None:
    members = verify(HOPPER.report(fields={36: b"\2\0", 21: b"\xaa"})).claims.to_json()[
        "nvidia-gpu"
    ]

    assert isinstance(members, dict)
    assert members["ueid"] == str(serial_of("GH100 A01 GSP FMC LF"))
    assert members["hardware_model"] == "GH100 A01 GSP BROM"
    assert members["driver_version"] == "550.90.07"
    assert members["vbios_version"] == "96.00.9F.00.01"
    assert members["driver_rim"] == "NV_GPU_DRIVER_GH100_550.90.07"
    assert members["vbios_rim"] == "NV_GPU_VBIOS_1010_0200_882_96009F0001"
    assert (members["mode"], members["protected_pcie"]) == ("ppcie", True)
    assert members["nonce"] == NONCE.hex()
    assert members["fwid"] == HOPPER.fwid.hex()
    assert members["measurements_matched"] == 7
    assert members["rims_expire"] == "2049-01-01T00:00:00Z"
    assert members["revocation_checked"] is False


def test_blackwells_driver_without_a_chips_name_is_that_of_gb100() -> None:
    report = BLACKWELL.report(fields={35: None})

    gpu = verify(report, BLACKWELL.endorsements() + BLACKWELL_RIMS).gpu

    assert gpu.driver_rim == "NV_GPU_CC_DRIVER_GB100_620.12"


@pytest.mark.parametrize("tail", [b"\0", b"junk" * 100])
def test_trailing_bytes_are_counted_and_say_nothing(tail: bytes) -> None:
    verified = verify(HOPPER.report() + tail)

    assert verified.gpu.trailing_bytes == len(tail)
    assert f"{len(tail)} bytes follow" in verified.detail("nvidia.format")


def test_the_nonce() -> None:
    assert verify(HOPPER.report(), nonce=NONCE).outcome("nvidia.nonce") is Outcome.PASSED
    assert verify(HOPPER.report()).outcome("nvidia.nonce") is Outcome.NOT_CHECKED


@pytest.mark.parametrize("nonce", [bytes(32), NONCE[:31], NONCE + b"\0", bytes(8)])
def test_another_nonce_is_a_replay(nonce: bytes) -> None:
    finding = rejection(HOPPER.report(), nonce=nonce)

    assert finding.check == "nvidia.nonce"
    assert NONCE.hex() in finding.detail


def test_a_report_has_no_report_data() -> None:
    evidence = Evidence(EvidenceType.NVIDIA_GPU, HOPPER.report())
    with pytest.raises(InvalidArgumentError, match="has a nonce"):
        verify_evidence(
            evidence,
            Endorsements(),
            report_data=bytes(64),
            nonce=None,
            at=AT,
            anchors=real_anchors(),
            ledger=Ledger(),
        )


def test_a_report_that_nobody_signed() -> None:
    other = rejection(HOPPER.report(key=key_of("NVIDIA", "another device")))
    assert other.check == "nvidia.signature"
    assert "no device's certificate that was given signed this report" in other.detail


def test_the_certificates_of_another_device() -> None:
    finding = rejection(BLACKWELL.report(), HOPPER.endorsements() + RIMS)

    assert finding.check == "nvidia.signature"


def test_the_right_device_is_found_among_many() -> None:
    everything = BLACKWELL.endorsements() + SWITCH.endorsements() + HOPPER.endorsements()

    verified = verify(HOPPER.report(), everything + RIMS)

    assert verified.gpu.hardware_model == "GH100 A01 GSP BROM"


def test_without_certificates_the_chain_is_missing() -> None:
    assert "certificate chain is missing" in missing(HOPPER.report(), RIMS)


def test_a_leaf_alone_lacks_its_issuer() -> None:
    lack = missing(HOPPER.report(), of(LEAF))

    assert "nvidia.device-chain: GH100 A01 GSP BROM, which signs GH100 A01 GSP FMC LF" in lack


def test_a_chain_with_a_gap() -> None:
    finding = rejection(HOPPER.report(), of(LEAF, BROM, IDENTITY, ROOT))

    assert finding.check == "nvidia.device-chain"
    assert "must be signed by NVIDIA GH100 Provisioner ICA 1" in finding.detail


def test_the_order_of_certificates_does_not_matter() -> None:
    assert verify(HOPPER.report(), of(ROOT, PROVISIONER, LEAF, IDENTITY, BROM)).gpu.device == "gpu"


def _brom(**changes: object) -> x509.Certificate:
    """Issues the second certificate again."""
    arguments = {"is_ca": True, **changes}
    name, issuer = HOPPER.names[1], HOPPER.names[2]
    return certificate(name, HOPPER.key(1), issuer, HOPPER.key(2), **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("chain", "says"),
    [
        ((LEAF, _brom(is_ca=False), PROVISIONER, IDENTITY, ROOT), "no certification authority"),
        (
            (LEAF, Device(owner="x").chain()[1], PROVISIONER, IDENTITY, ROOT),
            "GSP FMC LF is not signed by GH100 A01 GSP BROM",
        ),
        ((LEAF, BROM, PROVISIONER, Device(owner="x").chain()[3], ROOT), "is not signed by"),
        ((LEAF, BROM, PROVISIONER, IDENTITY, Device(owner="x").chain()[4]), "is not signed by"),
    ],
    ids=["no authority", "another's BROM", "another's identity", "another's root"],
)
def test_every_link_of_the_chain_holds(chain: tuple[x509.Certificate, ...], says: str) -> None:
    finding = rejection(HOPPER.report(), of(*chain))

    assert finding.check == "nvidia.device-chain"
    assert says in finding.detail


def test_a_path_length_counts() -> None:
    name = HOPPER.names[2]
    short = certificate(
        name, HOPPER.key(2), HOPPER.names[3], HOPPER.key(3), is_ca=True, path_length=0
    )
    finding = rejection(HOPPER.report(), of(LEAF, BROM, short, IDENTITY, ROOT))

    assert finding.check == "nvidia.device-chain"
    assert "Provisioner ICA 1 is no certification authority for this chain" in finding.detail
    long = certificate(
        name, HOPPER.key(2), HOPPER.names[3], HOPPER.key(3), is_ca=True, path_length=1
    )
    assert verify(HOPPER.report(), of(LEAF, BROM, long, IDENTITY, ROOT)).gpu.device == "gpu"


def test_a_leaf_must_be_for_signing_data() -> None:
    own = {"2.23.133.5.4.1": device_id(HOPPER.key(), HOPPER.fwid)}
    leaf = certificate(
        HOPPER.names[0], HOPPER.key(), HOPPER.names[1], HOPPER.key(1),
        signs_data=False, extensions=own,
    )  # fmt: skip
    finding = rejection(HOPPER.report(), of(leaf, BROM, PROVISIONER, IDENTITY, ROOT))

    assert finding.check == "nvidia.device-chain"
    assert "no certificate for signing data" in finding.detail


def test_another_vendor_of_the_same_names_is_not_nvidia() -> None:
    impostor = Device(owner="somebody")
    finding = rejection(impostor.report(), impostor.endorsements() + RIMS)

    assert finding.check == "nvidia.device-root"
    assert "which is not NVIDIA's root for devices" in finding.detail


def test_the_root_for_manifests_is_none_for_devices() -> None:
    """And the other way round: each root speaks for one thing."""
    roots = {role: spki_sha256(ROOT) for role in (Role.NVIDIA_RIM, None)}
    for role, fingerprint in roots.items():
        anchors = Anchors([Anchor("a root", fingerprint, role=role)])
        assert rejection(HOPPER.report(), anchors=anchors).check == "nvidia.device-root"
    only_devices = Anchors([
        Anchor("devices", spki_sha256(ROOT), role=Role.NVIDIA_DEVICE),
        Anchor("devices", spki_sha256(nvidia_rim.DRIVER.path()[-1]), role=Role.NVIDIA_DEVICE),
    ])  # fmt: skip
    assert rejection(HOPPER.report(), anchors=only_devices).check == "nvidia.driver-rim"


@pytest.mark.parametrize("named", [{DEVICE_ROOT, RIM_ROOT}, {DEVICE_ROOT}, {RIM_ROOT}])
def test_what_ends_at_a_root_that_a_user_named_is_simulated(named: set[str]) -> None:
    roots = {DEVICE_ROOT: ROOT, RIM_ROOT: nvidia_rim.DRIVER.path()[-1]}
    anchors = real_anchors().trusting(spki_sha256(roots[name]) for name in named)

    claims = verify(HOPPER.report(), anchors=anchors).claims

    assert claims.simulated
    assert claims.tee_type is TeeType.SIMULATED


@pytest.mark.parametrize(
    ("at", "says"),
    [(NOT_BEFORE - SECOND, "is not valid before"), (NOT_AFTER + SECOND, "expired at")],
)
def test_every_certificate_is_valid(at: object, says: str) -> None:
    finding = rejection(HOPPER.report(), at=at)  # type: ignore[arg-type]

    assert finding.check == "nvidia.device-validity"
    assert says in finding.detail


@pytest.mark.parametrize("at", [NOT_BEFORE, NOT_AFTER])
def test_the_ends_of_validity_count(at: object) -> None:
    assert verify(HOPPER.report(), at=at).gpu.device == "gpu"  # type: ignore[arg-type]


def test_a_chip_that_is_not_known() -> None:
    rubin = replace(HOPPER, chip="GR100")

    finding = rejection(rubin.report(), rubin.endorsements() + RIMS)

    assert finding.check == "nvidia.device"
    assert "GR100 A01 GSP BROM is no chip of a known architecture" in finding.detail


@pytest.mark.parametrize(
    "device",
    [replace(HOPPER, fields=SWITCH.fields), replace(SWITCH, fields=HOPPER.fields)],
    ids=["a GPU with a switch's fields", "a switch with a GPU's fields"],
)
def test_a_gpu_is_no_switch(device: Device) -> None:
    finding = rejection(device.report(), device.endorsements() + RIMS + SWITCH_RIMS)

    assert finding.check == "nvidia.device"


def test_the_envelope_may_not_say_otherwise() -> None:
    with pytest.raises(Exception, match="the evidence is nvidia-gpu") as caught:
        verify_evidence(
            Evidence(EvidenceType.NVIDIA_GPU, SWITCH.report()),
            SWITCH.endorsements() + SWITCH_RIMS,
            report_data=None, nonce=None, at=AT, anchors=real_anchors(), ledger=Ledger(),
        )  # fmt: skip
    assert "nvidia.device" in str(caught.value)


@pytest.mark.parametrize(
    ("extensions", "says"),
    [
        ({"2.23.133.5.4.1": device_id(HOPPER.key(), bytes(48))}, "in the certificate"),
        ({TCB_INFO: tcb_info(bytes(48), HOPPER.fwid)}, "in the certificate"),
        ({}, "does not say what its firmware is"),
        ({"2.23.133.5.4.1": b"junk"}, "cannot be read"),
    ],
)
def test_the_firmware_is_the_certified_one(extensions: dict[str, bytes], says: str) -> None:
    finding = rejection(HOPPER.report(), of(*HOPPER.chain(extensions)))

    assert finding.check == "nvidia.fwid"
    assert says in finding.detail


def test_old_drivers_do_not_report_the_firmware() -> None:
    verified = verify(HOPPER.report(fields={20: None}))

    assert verified.outcome("nvidia.fwid") is Outcome.NOT_CHECKED
    assert verified.gpu.fwid is None

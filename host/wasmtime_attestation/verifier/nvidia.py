"""NVIDIA GPUs and NVSwitches: from a report to NVIDIA's roots, and to its golden measurements.

Sources: DMTF DSP0274 1.1.0; NVIDIA attestation SDK (local verifier).
"""

from __future__ import annotations

import hmac
from datetime import datetime

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.claims.gpu import NvidiaClaims
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.nvidia import Architecture, architecture
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence import nvidia, spdm
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.evidence.nvidia import NvidiaReport
from wasmtime_attestation.memo import Memo, recall
from wasmtime_attestation.verifier import (
    nvidia_device,
    nvidia_measurements,
    nvidia_revocation,
    rim,
)
from wasmtime_attestation.verifier.nvidia_device import Device
from wasmtime_attestation.verifier.nvidia_measurements import Comparison
from wasmtime_attestation.verifier.rim import VerifiedRim, Wanted
from wasmtime_attestation.wit import TeeType

CHECKS = (
    "nvidia.format",
    *nvidia_device.CHECKS,
    "nvidia.nonce",
    "nvidia.device-revocation",
    "nvidia.driver-rim",
    "nvidia.vbios-rim",
    "nvidia.rim-revocation",
    "nvidia.measurements",
    "nvidia.minimum-svn",
)


def verify(
    evidence: Evidence,
    endorsements: Endorsements,
    *,
    nonce: bytes | None,
    at: datetime,
    anchors: Anchors,
    ledger: Ledger,
    memo: Memo | None = None,
) -> Claims:
    """Verifies the report of a GPU or a switch.

    Args:
        evidence: the SPDM request and response; what follows is counted and left alone.
        endorsements: the device's certificates, the manifests (RIM) of its driver and VBIOS,
            and OCSP responses or revocation lists, in any order.
        nonce: what the request must carry, 32 bytes; None to report it as not checked.
        at: the instant at which certificates and responses must be valid.
        anchors: the roots to trust.
        ledger: records each check.
        memo: remembers what was verified before of the same device and manifests; it only saves
            time.

    Raises:
        RejectedError: a check failed.
        UnavailableError: the device's certificates or a manifest are missing.
    """
    ledger.plan([id_ for id_ in CHECKS if _concerns(evidence.type, id_)])
    report = _decode(evidence.data, ledger)
    device = nvidia_device.verify(
        evidence.type,
        report,
        endorsements,
        at=at,
        anchors=anchors,
        ledger=ledger,
        memo=memo,
    )
    _check_nonce(report, nonce, ledger)
    device_covered = recall(
        memo, _check_device_revocation, device, endorsements, at=at, ledger=ledger
    )
    rims = _check_rims(wanted_rims(report, device.chip), endorsements, at, anchors, ledger, memo)
    by_check = {wanted.check: verified for wanted, verified in rims.items()}
    rims_covered = recall(
        memo,
        _check_rim_revocation,
        by_check.get("nvidia.driver-rim"),
        by_check["nvidia.vbios-rim"],
        endorsements,
        at=at,
        ledger=ledger,
    )
    comparison = nvidia_measurements.check(report, [r.rim for r in rims.values()], ledger)
    covered = device_covered and rims_covered
    return _claims(report, device, rims, comparison, revocation_checked=covered)


def _concerns(type_: EvidenceType, check: str) -> bool:
    """A switch has no driver."""
    return type_ is EvidenceType.NVIDIA_GPU or check != "nvidia.driver-rim"


def _decode(data: bytes, ledger: Ledger) -> NvidiaReport:
    try:
        report = nvidia.decode(data)
    except RejectedError as error:
        ledger.record(error.findings[0])
        raise
    signed = report.signed
    tail = (
        f"; {signed.trailing_bytes} bytes follow and say nothing" if signed.trailing_bytes else ""
    )
    ledger.passed(
        "nvidia.format", f"{len(signed.measurements)} measurements, {signed.size} bytes{tail}"
    )
    return report


def _check_nonce(report: NvidiaReport, expected: bytes | None, ledger: Ledger) -> None:
    check, actual = "nvidia.nonce", report.signed.nonce
    if expected is None:
        ledger.not_checked(check, "no nonce was given: freshness and purpose are open")
    elif len(expected) != spdm.NONCE_SIZE or not hmac.compare_digest(actual, expected):
        ledger.reject(
            check,
            f"the nonce is {actual.hex()}, not {expected.hex()}: the report answers another "
            "challenge",
        )
    else:
        ledger.passed(check, "the report answers the given nonce")


def wanted_rims(report: NvidiaReport, chip: str) -> list[Wanted]:
    """Names the manifests that a report needs, as NVIDIA does.

    Args:
        report: the report.
        chip: the chip's name, such as `GH100`.
    """
    vbios = report.vbios_version.replace(".", "").upper()
    if report.is_switch:
        board = "NV_SWITCH_BIOS_5612_0002_890"
    else:
        board = f"NV_GPU_VBIOS_{report.project}_{report.project_sku}_{report.chip_sku}"
    wanted = [Wanted("nvidia.vbios-rim", f"{board}_{vbios}", report.vbios_version, chip)]
    if report.driver_version is None:
        return wanted
    line = (
        "NV_GPU_DRIVER_GH100"
        if architecture(chip) is Architecture.HOPPER
        else f"NV_GPU_CC_DRIVER_{report.chip_info or 'GB100'}"
    )
    version = report.driver_version
    return [Wanted("nvidia.driver-rim", f"{line}_{version}", version, chip), *wanted]


def _check_rims(
    wanted: list[Wanted],
    endorsements: Endorsements,
    at: datetime,
    anchors: Anchors,
    ledger: Ledger,
    memo: Memo | None,
) -> dict[Wanted, VerifiedRim]:
    found = {item: rim.candidates(item, endorsements.rims, ledger) for item in wanted}
    missing = {
        item.check: f"the manifest (RIM) {item.id}" for item, rims in found.items() if not rims
    }
    if missing:
        ledger.unavailable_all(missing)
    return {
        item: recall(memo, rim.verify, item, rims, anchors, at=at, ledger=ledger)
        for item, rims in found.items()
    }


def _check_device_revocation(
    device: Device, endorsements: Endorsements, at: datetime, ledger: Ledger
) -> bool:
    check = "nvidia.device-revocation"
    return nvidia_revocation.check(check, [device.path[1:]], endorsements, at=at, ledger=ledger)


def _check_rim_revocation(
    driver: VerifiedRim | None,
    vbios: VerifiedRim,
    endorsements: Endorsements,
    at: datetime,
    ledger: Ledger,
) -> bool:
    paths = [verified.path for verified in (driver, vbios) if verified is not None]
    return nvidia_revocation.check(
        "nvidia.rim-revocation", paths, endorsements, at=at, ledger=ledger
    )


def _claims(
    report: NvidiaReport,
    device: Device,
    rims: dict[Wanted, VerifiedRim],
    comparison: Comparison,
    *,
    revocation_checked: bool,
) -> Claims:
    ids = {wanted.check: wanted.id for wanted in rims}
    anchors = [device.anchor, *(verified.anchor for verified in rims.values())]
    certificates = [certificate for verified in rims.values() for certificate in verified.path]
    return Claims(
        platform=TeeType.OTHER if report.is_switch else TeeType.NVIDIA_GPU,
        anchor=device.anchor.name,
        simulated=any(anchor.simulated for anchor in anchors),
        report_data=report.signed.nonce,
        debug=False,
        details=NvidiaClaims(
            device="switch" if report.is_switch else "gpu",
            architecture=device.architecture,
            hardware_model=device.model,
            ueid=str(device.path[0].serial_number),
            nonce=report.signed.nonce,
            driver_version=report.driver_version,
            vbios_version=report.vbios_version,
            driver_rim=ids.get("nvidia.driver-rim"),
            vbios_rim=ids["nvidia.vbios-rim"],
            mode=report.mode,
            protected_pcie=report.protected_pcie,
            project=report.project,
            project_sku=report.project_sku,
            chip_sku=report.chip_sku,
            pdi=report.pdi,
            peer_pdis=report.peer_pdis,
            opaque_data_version=report.opaque.version,
            fwid=report.fwid,
            measurements_matched=len(comparison.matched),
            measurements_skipped=comparison.skipped,
            security_versions=comparison.security_versions,
            rims_expire=min(certificate.not_valid_after_utc for certificate in certificates),
            revocation_checked=revocation_checked,
            trailing_bytes=report.signed.trailing_bytes,
        ),
    )

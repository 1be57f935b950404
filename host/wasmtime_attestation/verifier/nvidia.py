"""NVIDIA GPUs and NVSwitches: from a report to NVIDIA's roots, and to its golden measurements.

Sources: DMTF DSP0274 1.1.0; NVIDIA attestation SDK (local verifier).
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.claims.gpu import NvidiaClaims
from wasmtime_attestation.endorsements import nvidia as devices
from wasmtime_attestation.endorsements import x509 as certs
from wasmtime_attestation.endorsements.anchors import Anchor, Anchors, Role
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.nvidia import Architecture
from wasmtime_attestation.errors import RejectedError, UnavailableError
from wasmtime_attestation.evidence import nvidia, spdm
from wasmtime_attestation.evidence.envelope import EvidenceType
from wasmtime_attestation.evidence.nvidia import NvidiaReport
from wasmtime_attestation.verifier import (
    nvidia_measurements,
    nvidia_path,
    nvidia_revocation,
    p384,
    rim,
)
from wasmtime_attestation.verifier.nvidia_measurements import Comparison
from wasmtime_attestation.verifier.rim import VerifiedRim, Wanted
from wasmtime_attestation.wit import TeeType

CHECKS = (
    "nvidia.format",
    "nvidia.signature",
    "nvidia.device-chain",
    "nvidia.device-root",
    "nvidia.device-validity",
    "nvidia.device",
    "nvidia.fwid",
    "nvidia.nonce",
    "nvidia.device-revocation",
    "nvidia.driver-rim",
    "nvidia.vbios-rim",
    "nvidia.rim-revocation",
    "nvidia.measurements",
    "nvidia.minimum-svn",
)


@dataclass(frozen=True, slots=True)
class _Device:
    """A device whose chain is verified."""

    path: tuple[x509.Certificate, ...]
    anchor: Anchor
    model: str
    chip: str

    @property
    def architecture(self) -> Architecture:
        return devices.architecture(self.chip)


def verify(
    type_: EvidenceType,
    data: bytes,
    endorsements: Endorsements,
    *,
    nonce: bytes | None,
    at: datetime,
    anchors: Anchors,
    ledger: Ledger,
) -> Claims:
    """Verifies the report of a GPU or a switch.

    Args:
        type_: which of them it is meant to be.
        data: the SPDM request and response; what follows is counted and left alone.
        endorsements: the device's certificates, the manifests (RIM) of its driver and VBIOS,
            and OCSP responses or revocation lists, in any order.
        nonce: what the request must carry, 32 bytes; None to report it as not checked.
        at: the instant at which certificates and responses must be valid.
        anchors: the roots to trust.
        ledger: records each check.

    Raises:
        RejectedError: a check failed.
        UnavailableError: the device's certificates or a manifest are missing.
    """
    ledger.plan([id_ for id_ in CHECKS if _concerns(type_, id_)])
    report = _decode(data, ledger)
    leaf = _check_signature(report, endorsements.certificates, ledger)
    device = _check_device(leaf, endorsements.certificates, at, anchors, ledger)
    _check_kind(type_, report, device, ledger)
    _check_fwid(report, leaf, ledger)
    _check_nonce(report, nonce, ledger)
    device_covered = nvidia_revocation.check(
        "nvidia.device-revocation", [device.path[1:]], endorsements, at=at, ledger=ledger
    )
    rims = _check_rims(_wanted(report, device), endorsements, at, anchors, ledger)
    rims_covered = nvidia_revocation.check(
        "nvidia.rim-revocation", [r.path for r in rims.values()], endorsements, at=at, ledger=ledger
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


def _check_signature(
    report: NvidiaReport, certificates: Sequence[x509.Certificate], ledger: Ledger
) -> x509.Certificate:
    """Returns the certificate of the device: the one whose key signed."""
    check, signed = "nvidia.signature", report.signed
    leaves = [c for c in certificates if not certs.is_authority(c) and p384.is_p384(c.public_key())]
    # Those that say what firmware was measured come first; others are of no device.
    leaves.sort(key=lambda leaf: not devices.is_device_leaf(leaf))
    if not leaves:
        ledger.unavailable(
            check, "the device's certificate chain is missing; give it with --endorsements"
        )
    for leaf in leaves:
        if p384.is_signed(leaf.public_key(), signed.signature, signed.signed_bytes):
            ledger.passed(check, f"ECDSA P-384 by {certs.common_name(leaf.subject)}")
            return leaf
    ledger.reject(
        check,
        "no device's certificate that was given signed this report: it was altered, or is of "
        "another device",
    )


def _check_device(
    leaf: x509.Certificate,
    certificates: Sequence[x509.Certificate],
    at: datetime,
    anchors: Anchors,
    ledger: Ledger,
) -> _Device:
    check = "nvidia.device-chain"
    try:
        path = nvidia_path.build(leaf, certificates, at)
        nvidia_path.check(path)
        check = "nvidia.device-root"
        anchor = nvidia_path.anchor_of(path[-1], Role.NVIDIA_DEVICE, anchors)
    except UnavailableError as error:
        ledger.unavailable(check, f"{error}; give it with --endorsements")
    except ValueError as error:
        ledger.reject(check, str(error))
    ledger.passed("nvidia.device-chain", f"{len(path)} certificates, each signed by the next")
    ledger.passed(
        "nvidia.device-root", f"{anchor.name}{', SIMULATED' if anchor.simulated else ''}"
    )
    fault = certs.invalid_at(path, at)
    if fault is not None:
        ledger.reject("nvidia.device-validity", f"at {at.isoformat()}, {fault}")
    ledger.passed("nvidia.device-validity", f"all valid at {at.isoformat()}")
    return _named(tuple(path), anchor, ledger)


def _named(path: tuple[x509.Certificate, ...], anchor: Anchor, ledger: Ledger) -> _Device:
    model = devices.hardware_model(path)
    try:
        return _Device(path, anchor, model, devices.chip(model))
    except ValueError as error:
        ledger.reject("nvidia.device", f"the device's model: {error}")


def _check_kind(
    type_: EvidenceType, report: NvidiaReport, device: _Device, ledger: Ledger
) -> None:
    """A switch is no GPU: chain, report and envelope agree about it."""
    is_switch = device.architecture is Architecture.LS10
    if not is_switch == report.is_switch == (type_ is EvidenceType.NVIDIA_SWITCH):
        ledger.reject(
            "nvidia.device",
            f"{device.model} is {'a switch' if is_switch else 'a GPU'}, the report is a "
            f"{'switch' if report.is_switch else 'GPU'}'s, and the evidence is {type_}",
        )
    ledger.passed("nvidia.device", f"{device.model}, {device.architecture}")


def _check_fwid(report: NvidiaReport, leaf: x509.Certificate, ledger: Ledger) -> None:
    check = "nvidia.fwid"
    if report.fwid is None:
        ledger.not_checked(check, "the report has no FWID, as those of old drivers and switches")
        return
    try:
        certified = devices.fwid(leaf)
    except ValueError as error:
        ledger.reject(check, f"the device's certificate cannot be read: {error}")
    if certified is None:
        ledger.reject(check, "the device's certificate does not say what its firmware is")
    if not hmac.compare_digest(report.fwid, certified):
        ledger.reject(
            check,
            f"the firmware is {report.fwid.hex()} in the report, and {certified.hex()} in the "
            "certificate",
        )
    ledger.passed(check, f"{report.fwid.hex()[:16]}... in report and certificate")


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


def _wanted(report: NvidiaReport, device: _Device) -> list[Wanted]:
    """Names the manifests that a report needs, as NVIDIA does."""
    vbios = report.vbios_version.replace(".", "").upper()
    if report.is_switch:
        board = "NV_SWITCH_BIOS_5612_0002_890"
    else:
        board = f"NV_GPU_VBIOS_{report.project}_{report.project_sku}_{report.chip_sku}"
    wanted = [
        Wanted("nvidia.vbios-rim", f"{board}_{vbios}", report.vbios_version, device.chip)
    ]
    if report.driver_version is None:
        return wanted
    line = (
        "NV_GPU_DRIVER_GH100"
        if device.architecture is Architecture.HOPPER
        else f"NV_GPU_CC_DRIVER_{report.chip_info or 'GB100'}"
    )
    version = report.driver_version
    return [Wanted("nvidia.driver-rim", f"{line}_{version}", version, device.chip), *wanted]


def _check_rims(
    wanted: list[Wanted],
    endorsements: Endorsements,
    at: datetime,
    anchors: Anchors,
    ledger: Ledger,
) -> dict[Wanted, VerifiedRim]:
    found = {item: rim.candidates(item, endorsements.rims, ledger) for item in wanted}
    missing = {
        item.check: f"the manifest (RIM) {item.id}" for item, rims in found.items() if not rims
    }
    if missing:
        ledger.unavailable_all(missing)
    return {
        item: rim.verify(item, rims, at=at, anchors=anchors, ledger=ledger)
        for item, rims in found.items()
    }


def _claims(
    report: NvidiaReport,
    device: _Device,
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

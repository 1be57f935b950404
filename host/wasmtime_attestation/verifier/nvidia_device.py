"""Who signed a report: an NVIDIA device, its certificates, and the firmware they were made for.

Sources: NVIDIA attestation SDK (local verifier); TCG, "DICE Attestation Architecture".
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.endorsements import nvidia as devices
from wasmtime_attestation.endorsements import x509 as certs
from wasmtime_attestation.endorsements.anchors import Anchor, Anchors, Role
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.nvidia import Architecture
from wasmtime_attestation.errors import UnavailableError
from wasmtime_attestation.evidence.envelope import EvidenceType
from wasmtime_attestation.evidence.nvidia import NvidiaReport
from wasmtime_attestation.memo import Memo, recall
from wasmtime_attestation.verifier import nvidia_path, p384

CHECKS = (
    "nvidia.signature",
    "nvidia.device-chain",
    "nvidia.device-root",
    "nvidia.device-validity",
    "nvidia.device",
    "nvidia.fwid",
)


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A certificate that may be a device's own, and SHA-256 of it."""

    certificate: x509.Certificate
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Device:
    """A device whose chain is verified.

    Attributes:
        path: the certificates, from the device's own to the root's.
        anchor: the root.
        model: the hardware model, such as `GH100 A01 GSP BROM`.
        chip: its first word.
        fingerprint: SHA-256 of the path and the anchor, of which everything else is a part.
    """

    path: tuple[x509.Certificate, ...]
    anchor: Anchor
    model: str
    chip: str
    fingerprint: bytes

    @property
    def architecture(self) -> Architecture:
        """The architecture of the chip."""
        return devices.architecture(self.chip)


def verify(
    type_: EvidenceType,
    report: NvidiaReport,
    endorsements: Endorsements,
    *,
    at: datetime,
    anchors: Anchors,
    ledger: Ledger,
    memo: Memo | None = None,
) -> Device:
    """Verifies the signature of a report and the chain of the device that made it.

    Args:
        type_: whether it is meant to be of a GPU or a switch.
        report: the report.
        endorsements: the device's certificates, in any order, and any others.
        at: the instant at which the chain must be valid.
        anchors: the roots to trust.
        ledger: records each check.
        memo: remembers what was verified before of the same device; it only saves time.

    Raises:
        RejectedError: a check failed.
        UnavailableError: certificates of the device are missing.
    """
    leaves = recall(memo, _leaves, endorsements, at=at, ledger=ledger)
    leaf = _check_signature(report, leaves, ledger)
    device = recall(memo, _check_device, leaf, endorsements, anchors, at=at, ledger=ledger)
    _check_kind(type_, report, device, ledger)
    _check_fwid(report, leaf.certificate, ledger)
    return device


def _leaves(endorsements: Endorsements, at: datetime, ledger: Ledger) -> tuple[_Leaf, ...]:
    """Returns the certificates whose keys may sign reports.

    Those that say what firmware was measured come first; others are of no device.
    """
    del at, ledger
    fit = [
        c
        for c in endorsements.certificates
        if not certs.is_authority(c) and p384.is_p384(c.public_key())
    ]
    fit.sort(key=lambda certificate: not devices.is_device_leaf(certificate))
    return tuple(_Leaf(c, hashlib.sha256(certs.der(c)).digest()) for c in fit)


def _check_signature(report: NvidiaReport, leaves: tuple[_Leaf, ...], ledger: Ledger) -> _Leaf:
    """Returns the certificate of the device: the one whose key signed."""
    check, signed = "nvidia.signature", report.signed
    if not leaves:
        ledger.unavailable(
            check, "the device's certificate chain is missing; give it with --endorsements"
        )
    for leaf in leaves:
        certificate = leaf.certificate
        if p384.is_signed(certificate.public_key(), signed.signature, signed.signed_bytes):
            ledger.passed(check, f"ECDSA P-384 by {certs.common_name(certificate.subject)}")
            return leaf
    ledger.reject(
        check,
        "no device's certificate that was given signed this report: it was altered, or is of "
        "another device",
    )


def _check_device(
    leaf: _Leaf, endorsements: Endorsements, anchors: Anchors, at: datetime, ledger: Ledger
) -> Device:
    check = "nvidia.device-chain"
    try:
        path = nvidia_path.build(
            leaf.certificate, endorsements.certificates, at, anchors, Role.NVIDIA_DEVICE
        )
        nvidia_path.check(path)
        check = "nvidia.device-root"
        anchor = nvidia_path.anchor_of(path[-1], Role.NVIDIA_DEVICE, anchors)
    except UnavailableError as error:
        ledger.unavailable(check, f"{error}; give it with --endorsements")
    except ValueError as error:
        ledger.reject(check, str(error))
    ledger.passed("nvidia.device-chain", f"{len(path)} certificates, each signed by the next")
    ledger.passed("nvidia.device-root", f"{anchor.name}{', SIMULATED' if anchor.simulated else ''}")
    fault = certs.invalid_at(path, at)
    if fault is not None:
        ledger.reject("nvidia.device-validity", f"at {at.isoformat()}, {fault}")
    begins = max(certificate.not_valid_before_utc for certificate in path)
    ends = min(certificate.not_valid_after_utc for certificate in path)
    ledger.passed(
        "nvidia.device-validity", f"all valid from {begins.isoformat()} to {ends.isoformat()}"
    )
    return _named(tuple(path), anchor, ledger)


def _named(path: tuple[x509.Certificate, ...], anchor: Anchor, ledger: Ledger) -> Device:
    model = devices.hardware_model(path)
    encoded = b"".join(map(certs.der, path))
    fingerprint = hashlib.sha256(encoded + repr(anchor).encode()).digest()
    try:
        return Device(path, anchor, model, devices.chip(model), fingerprint)
    except ValueError as error:
        ledger.reject("nvidia.device", f"the device's model: {error}")


def _check_kind(type_: EvidenceType, report: NvidiaReport, device: Device, ledger: Ledger) -> None:
    """A switch is no GPU: chain, report and envelope agree about it."""
    is_switch = device.architecture is Architecture.LS10
    if {report.is_switch, type_ is EvidenceType.NVIDIA_SWITCH} != {is_switch}:
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

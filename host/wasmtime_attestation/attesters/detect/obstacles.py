"""What stands between a machine and its evidence, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wasmtime_attestation.attesters.detect.files import Outcome
from wasmtime_attestation.attesters.detect.signs import (
    OLD_TDX_GUEST,
    REPORTS,
    TPM,
    TSM,
    Inspection,
    Probe,
)
from wasmtime_attestation.wit import TeeType

CONFIGFS = "/sys/kernel/config"
_MODULES = {TeeType.AMD_SEV_SNP: "sev-guest", TeeType.INTEL_TDX: "tdx-guest"}
_NODES = {TeeType.AMD_SEV_SNP: "/dev/sev-guest", TeeType.INTEL_TDX: "/dev/tdx_guest"}


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What stands in the way.

    Attributes:
        text: what it is and what to do, for people; empty where nothing is known.
        is_denied: whether it is a permission or a device that did not answer.
    """

    text: str
    is_denied: bool


def find(kind: TeeType, probes: Iterable[Probe], inspection: Inspection) -> Obstacle:
    """Returns what stands in the way of evidence from a machine that has no provider."""
    by_id = {probe.sign.id: probe for probe in probes}
    denied = [p for p in by_id.values() if p.outcome is Outcome.DENIED and p.sign.provider]
    is_azure = inspection.surroundings.cloud == "azure"
    # A TPM that we may not read says something only where a paravisor may be behind it.
    denied = [p for p in denied if p.sign.path != TPM or is_azure]
    if denied:
        return Obstacle(" ".join(_permission(p) for p in denied), is_denied=True)
    failed = [p for p in by_id.values() if p.outcome is Outcome.FAILED and p.detail]
    if kind in _NODES:
        reasons = (_absent(kind, inspection), *(f"{p.sign.path}: {p.detail}." for p in failed))
        return Obstacle(" ".join(reasons), is_denied=bool(failed))
    if is_azure:
        return _azure(by_id["azure-vtpm"])
    if kind is TeeType.NONE and failed:
        return Obstacle(" ".join(f"{p.sign.path}: {p.detail}." for p in failed), is_denied=False)
    return Obstacle(_unknown(kind), is_denied=False)


def _permission(probe: Probe) -> str:
    remedy = {
        TPM: "add this user to the group tss, or run as root",
        TSM: "configfs lets root alone make reports: run as root",
    }.get(probe.sign.path, "run as root, or give this user the device (udev, chgrp)")
    return f"{probe.sign.path} is there, but this user may not use it: {remedy}."


def _absent(kind: TeeType, inspection: Inspection) -> str:
    """The hardware is there, and no way to it."""
    node, module = _NODES[kind], _MODULES[kind]
    container = inspection.surroundings.container
    if container:
        return (
            f"The machine is such a guest, but this container ({container}) has neither {node} "
            f"nor {TSM}: pass the device (--device {node}), or mount {CONFIGFS} of the host "
            "into it and run as root."
        )
    if inspection.files.has(OLD_TDX_GUEST):
        return (
            f"{OLD_TDX_GUEST} belongs to a driver from before Linux 6.2, whose calls are others: "
            "use a kernel of 6.7 or later."
        )
    if not inspection.files.has(CONFIGFS):
        mounting = f"mount configfs (mount -t configfs none {CONFIGFS})"
    else:
        mounting = f"{CONFIGFS} has no tsm: use a kernel of 6.7 or later"
    return (
        f"The machine is such a guest, but neither {node} nor {TSM} is there: load the driver "
        f"(modprobe {module}), and {mounting}."
    )


def _azure(probe: Probe) -> Obstacle:
    if probe.outcome is Outcome.FAILED:
        text = f"The vTPM of this Azure VM: {probe.detail}."
        return Obstacle(text, is_denied=probe.is_silent)
    return Obstacle(
        f"This is an Azure VM, and {TPM} is not there: only sizes with confidential computing "
        "(DC and EC series) have a paravisor, and a container needs --device /dev/tpmrm0.",
        is_denied=False,
    )


def _unknown(kind: TeeType) -> str:
    if kind in (TeeType.NONE, TeeType.AMD_SEV):
        return ""
    return f"Nothing here collects evidence of {kind}, by {REPORTS.id} or otherwise."

"""The kernel's ways to reports: configfs-tsm, and the devices before it."""

from __future__ import annotations

import os

from wasmtime_attestation.attesters import boot_log as logs
from wasmtime_attestation.attesters.detect.files import Outcome as Looked
from wasmtime_attestation.attesters.detect.signs import TSM, Probe
from wasmtime_attestation.doctor.diagnosis import Finding, failed, not_applicable, ok, warning
from wasmtime_attestation.doctor.facts import Facts
from wasmtime_attestation.wit import TeeType

CONFIGFS_TSM = (6, 7)
"""The first Linux with configfs-tsm reports."""
_MOUNTS = "/proc/self/mounts"
_CONFIGFS = "/sys/kernel/config"
_MOUNT = f"mount -t configfs none {_CONFIGFS}, as root"
_MODULES = {TeeType.AMD_SEV_SNP: "sev-guest", TeeType.INTEL_TDX: "tdx-guest"}


def version(facts: Facts) -> Finding:
    """The kernel has configfs-tsm."""
    release, found = facts.detection.surroundings.kernel, _kernel(facts)
    if found is None:
        return warning(f"the kernel's release is {release or 'not readable'}", "see uname -r")
    if not _is_bare(facts) or found >= CONFIGFS_TSM:
        return ok(f"Linux {release}")
    detail = f"Linux {release} has no configfs-tsm, which came with 6.7"
    return _unless_another_way(facts, detail, "use a kernel of 6.7 or later")


def configfs(facts: Facts) -> Finding:
    """Configfs is mounted at its place."""
    if not _is_bare(facts):
        return not_applicable(_no_bare(facts))
    mounts = (line.split() for line in facts.files.text(_MOUNTS).splitlines())
    if any(len(m) > 2 and m[1] == _CONFIGFS for m in mounts) or facts.files.has(TSM):
        return ok(f"something is mounted at {_CONFIGFS}")
    return _unless_another_way(facts, f"configfs is not mounted at {_CONFIGFS}", _MOUNT)


def tsm(facts: Facts) -> Finding:
    """Configfs-tsm has a provider, and this user may use it."""
    if not _is_bare(facts):
        return not_applicable(_no_bare(facts))
    probe = _probe(facts, "configfs-tsm")
    module = _MODULES[facts.detection.tee_type]
    match probe.outcome:
        case Looked.FOUND:
            return ok(f"{TSM} has a provider for {probe.tee_type}")
        case Looked.ABSENT:
            detail, remedy = f"{TSM} is not there", f"modprobe {module}, and see doctor.configfs"
        case Looked.DENIED:
            detail, remedy = f"this user may not make entries in {TSM}", "run as root"
        case _:
            detail, remedy = probe.detail or f"{TSM} cannot be used", f"modprobe {module}"
    return _unless_another_way(facts, detail, remedy)


def sev_guest(facts: Facts) -> Finding:
    """/dev/sev-guest is there, and this user may use it."""
    return _device(facts, TeeType.AMD_SEV_SNP, "sev-guest")


def tdx_guest(facts: Facts) -> Finding:
    """/dev/tdx_guest is there, and this user may use it; quotes then come by vsock."""
    finding = _device(facts, TeeType.INTEL_TDX, "tdx-guest")
    only = facts.detection.providers == ("tdx-guest",)
    if only and not facts.files.has("/dev/vsock"):
        return failed(
            "without configfs-tsm, quotes come from the host's service by vsock, and there is no "
            "/dev/vsock",
            "modprobe vsock (vmw_vsock_virtio_transport), or use a kernel of 6.7 or later",
        )
    return finding


def boot_log(facts: Facts) -> Finding:
    """The boot log can be read, for those who ask for it."""
    kind = facts.detection.tee_type
    is_azure = "azure-vtpm" in facts.detection.providers
    if not is_azure and kind is not TeeType.INTEL_TDX:
        return not_applicable("this kind of machine has no registers that a boot log explains")
    path = str(logs.TPM_LOG if is_azure else logs.CCEL)
    if not facts.files.has(path):
        return warning(f"there is no {path}", "needed for --boot-log alone; see docs/collecting.md")
    if not facts.files.may(path, os.R_OK):
        return warning(f"this user may not read {path}", "needed for --boot-log alone: run as root")
    return ok(path)


def _device(facts: Facts, kind: TeeType, id_: str) -> Finding:
    probe = _probe(facts, id_)
    path = probe.sign.path
    if not _is_bare(facts) or facts.detection.tee_type is not kind:
        return not_applicable(f"for {kind} without a paravisor")
    match probe.outcome:
        case Looked.FOUND:
            return ok(f"{path} can be opened")
        case Looked.ABSENT if facts.detection.providers:
            return not_applicable(f"{path} is not there, nor needed: configfs-tsm serves")
        case Looked.ABSENT:
            detail, remedy = f"{path} is not there", f"modprobe {_MODULES[kind]}"
            if facts.detection.surroundings.container:
                remedy = f"start the container with --device {path}"
        case _:
            detail = f"{path} is there, but this user may not use it"
            remedy = "run as root, or give this user the device (udev, chgrp)"
    return _unless_another_way(facts, detail, remedy)


def _unless_another_way(facts: Facts, detail: str, remedy: str) -> Finding:
    """What one way lacks is a failure only where there is no other."""
    if facts.detection.providers:
        return warning(f"{detail}; {facts.detection.providers[0]} serves instead", remedy)
    return failed(detail, remedy)


def _is_bare(facts: Facts) -> bool:
    """Whether the guest's kernel reaches the hardware itself."""
    is_paravised = "azure-vtpm" in facts.detection.providers
    return facts.detection.tee_type in _MODULES and not is_paravised


def _no_bare(facts: Facts) -> str:
    if "azure-vtpm" in facts.detection.providers:
        return "the paravisor has the hardware; evidence comes from its vTPM"
    return "this is no TDX or SEV-SNP guest"


def _probe(facts: Facts, id_: str) -> Probe:
    return next(probe for probe in facts.detection.probes if probe.sign.id == id_)


def _kernel(facts: Facts) -> tuple[int, int] | None:
    return facts.detection.surroundings.kernel_version

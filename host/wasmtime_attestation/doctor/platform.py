"""What kind of machine this is, and where it stands."""

from __future__ import annotations

from wasmtime_attestation.doctor.diagnosis import Finding, failed, not_applicable, ok, warning
from wasmtime_attestation.doctor.facts import Facts
from wasmtime_attestation.wit import TeeType

_CONFIDENTIAL = (
    "to attest the machine, use a confidential VM: TDX or SEV-SNP, on Azure the DC and EC series; "
    "to develop, use --tee simulated"
)


def tee(facts: Facts) -> Finding:
    """There is a trusted execution environment with evidence to give."""
    detection = facts.detection
    if detection.providers:
        return ok(f"{detection.tee_type} through {', then '.join(detection.providers)}")
    if detection.tee_type is TeeType.NONE and not detection.is_denied:
        return warning(detection.refusal.message, _CONFIDENTIAL)
    remedy = _CONFIDENTIAL if detection.tee_type is TeeType.AMD_SEV else detection.obstacle
    return failed(detection.refusal.message, remedy)


def cpu(facts: Facts) -> Finding:
    """What the processor is, and what it says of encryption."""
    cpu = facts.detection.processor
    kind = "a virtual processor" if cpu.is_virtual else "no hypervisor below, as the CPU says"
    signs = ("tdx_guest", "sev", "sev_es", "sev_snp")
    flags = " ".join(flag for flag in signs if flag in cpu.flags)
    named = cpu.model or cpu.vendor or "a processor that the kernel does not name"
    return ok(f"{named}, {kind}{f', flags {flags}' if flags else ''}")


def container(facts: Facts) -> Finding:
    """A container has what the machine offers."""
    name = facts.detection.surroundings.container
    if not name:
        return not_applicable("this is no container")
    if facts.detection.providers or facts.detection.tee_type is TeeType.NONE:
        return ok(f"a container ({name})")
    return failed(f"a container ({name}) without the devices", facts.detection.obstacle)

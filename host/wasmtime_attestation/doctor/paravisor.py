"""Azure's paravisor: the vTPM, the report in it, and the metadata service beside it."""

from __future__ import annotations

from wasmtime_attestation.attesters.detect.files import Outcome as Looked
from wasmtime_attestation.attesters.detect.signs import TPM
from wasmtime_attestation.doctor.diagnosis import Finding, failed, not_applicable, ok, warning
from wasmtime_attestation.doctor.facts import Facts
from wasmtime_attestation.errors import AttestationError
from wasmtime_attestation.wit import TeeType

_ELSEWHERE = "this is no Azure VM"


def tpm(facts: Facts) -> Finding:
    """The vTPM is there, and this user may use it."""
    if not _is_azure(facts):
        return not_applicable(_ELSEWHERE)
    match _outcome(facts):
        case Looked.ABSENT:
            remedy = "choose a size with confidential computing (DC and EC series)"
            if facts.detection.surroundings.container:
                remedy = f"start the container with --device {TPM}"
            return _failed_unless_bare(facts, f"there is no {TPM}", remedy)
        case Looked.DENIED:
            remedy = "add this user to the group tss (usermod -aG tss USER), or run as root"
            return _failed_unless_bare(facts, f"this user may not use {TPM}", remedy)
        case _:
            return ok(f"{TPM} can be opened")


def report(facts: Facts) -> Finding:
    """The vTPM has a report of the hardware, and the owner's password is empty."""
    if not _is_azure(facts):
        return not_applicable(_ELSEWHERE)
    if "azure-vtpm" in facts.detection.providers:
        kind = facts.detection.tee_type
        return ok(f"the vTPM has a report of {kind}, read with the owner's empty password")
    probe = next(p for p in facts.detection.probes if p.sign.id == "azure-vtpm")
    if probe.outcome is not Looked.FAILED:
        return not_applicable("see doctor.tpm")
    remedy = (
        "a VM without confidential computing has none: choose the DC or EC series; a password of "
        "the TPM's owner has to go (tpm2_changeauth -c owner -p OLD)"
    )
    return _failed_unless_bare(facts, probe.detail, remedy)


def metadata_service(facts: Facts) -> Finding:
    """Azure's metadata service answers: TD quotes come from it, and VCEKs."""
    answer = facts.metadata_service
    if answer is None:
        return not_applicable(_ELSEWHERE)
    if not isinstance(answer, AttestationError):
        return ok(f"{answer.url} answered within {answer.seconds:.1f} s")
    remedy = "let 169.254.169.254 through the firewall; in a container, use the host's network"
    if facts.detection.tee_type is TeeType.INTEL_TDX:
        return failed(f"{answer.message}; without it there is no TD quote", remedy)
    return warning(f"{answer.message}; without it the VCEK comes from AMD's service", remedy)


def _is_azure(facts: Facts) -> bool:
    paravised = "azure-vtpm" in facts.detection.providers
    return paravised or facts.detection.surroundings.cloud == "azure"


def _outcome(facts: Facts) -> Looked:
    return next(p.outcome for p in facts.detection.probes if p.sign.id == "azure-vtpm")


def _failed_unless_bare(facts: Facts, detail: str, remedy: str) -> Finding:
    """A container instance on Azure has the bare devices, and an ordinary VM needs nothing."""
    kind = facts.detection.tee_type
    if facts.detection.providers:
        serving = facts.detection.providers[0]
        return not_applicable(f"{detail}; {serving} serves instead")
    if kind is TeeType.NONE and not facts.detection.is_denied:
        return warning(detail, remedy)
    return failed(detail, remedy)

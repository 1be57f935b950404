"""The vendors' services, where endorsements come from; a verifier needs them, or a cache."""

from __future__ import annotations

from wasmtime_attestation.doctor.diagnosis import Finding, not_applicable, ok, warning
from wasmtime_attestation.doctor.facts import Facts, Gpus
from wasmtime_attestation.errors import AttestationError
from wasmtime_attestation.wit import TeeType

_REMEDY = (
    "let it through the firewall, name a proxy (HTTPS_PROXY) or a mirror (docs/collecting.md); "
    "evidence is collected without it, and verified elsewhere or with --endorsements"
)


def amd_kds(facts: Facts) -> Finding:
    """AMD's Key Distribution Service answers."""
    return _service(facts, "amd_kds", facts.detection.tee_type is TeeType.AMD_SEV_SNP)


def intel_pcs(facts: Facts) -> Finding:
    """Intel's Provisioning Certification Service, or a cache of it, answers."""
    return _service(facts, "intel_pcs", facts.detection.tee_type is TeeType.INTEL_TDX)


def nvidia_rim(facts: Facts) -> Finding:
    """NVIDIA's service of reference values answers."""
    return _service(facts, "nvidia_rim", isinstance(facts.gpus, Gpus))


def nvidia_ocsp(facts: Facts) -> Finding:
    """NVIDIA's OCSP responder answers."""
    return _service(facts, "nvidia_ocsp", isinstance(facts.gpus, Gpus))


def _service(facts: Facts, name: str, needed: bool) -> Finding:
    if facts.offline:
        return not_applicable("not asked: offline")
    answer = facts.services[name]
    if not isinstance(answer, AttestationError):
        return ok(f"{answer.url} answered within {answer.seconds:.1f} s")
    if not needed:
        return not_applicable(f"{answer.message}; this machine has no use for it")
    return warning(answer.message, _REMEDY)

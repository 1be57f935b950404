"""What a policy demands and a service's token does not state: it is not met."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from wasmtime_attestation.appraisal import gpu
from wasmtime_attestation.claims.verdict import Environment
from wasmtime_attestation.errors import Finding
from wasmtime_attestation.policy import AppraisalPolicy
from wasmtime_attestation.policy.gpu import GpuPolicy
from wasmtime_attestation.policy.snp import SnpPolicy
from wasmtime_attestation.wit import TeeType

# Settings of which no service's token says anything, and the finding for each.
UNSTATED: Mapping[type, Mapping[str, str]] = MappingProxyType(
    {
        SnpPolicy: {
            "allow_provisional_firmware": "policy.provisional-firmware",
            "minimum_launch_tcb": "policy.launch-tcb",
            "minimum_committed_tcb": "policy.committed-tcb",
            "required_launch_mitigations": "policy.mitigations",
            "required_current_mitigations": "policy.mitigations",
            "required_platform": "policy.platform-info",
            "denied_platform": "policy.platform-info",
            "required_restrictions": "policy.guest-policy",
            "family_ids": "policy.family-id",
            "image_ids": "policy.image-id",
            "csp_ids": "policy.csp-id",
        },
        GpuPolicy: {
            "architectures": "policy.gpu-architecture",
            "modes": "policy.gpu-mode",
            "require_revocation_check": "policy.gpu-revocation",
        },
    }
)


def snp(environment: Environment, policy: SnpPolicy) -> Iterator[Finding]:
    """Returns what is demanded of a SEV-SNP report and not stated."""
    if not policy.allow_smt and "smt" not in environment.settings:
        detail = f"{environment.name}: the token does not say whether it may share a core (SMT)"
        yield Finding("policy.smt", detail)
    yield from _demanded(environment, policy)


def of_machine(environment: Environment, policy: AppraisalPolicy) -> Iterator[Finding]:
    """Returns what every policy demands of a virtual machine and the service does not state.

    Not for attestation results (EAR), whose Verifier judges these things itself.
    """
    is_snp = environment.tee_type is TeeType.AMD_SEV_SNP
    allowed = policy.snp.unsafe_allow_debug if is_snp else policy.tdx.unsafe_allow_debug
    if environment.debug is None and not allowed:
        detail = f"{environment.name}: the token does not say whether the host can read the memory"
        yield Finding("policy.debug", detail)
    if is_snp and "vmpl" not in environment.measurements and policy.snp.vmpls != {0, 1, 2, 3}:
        yield Finding("policy.vmpl", f"{environment.name}: the token does not state the VMPL")
    if not is_snp and environment.tcb_status is None:
        yield Finding("policy.tcb-status", f"{environment.name}: the token states no TCB status")


def device(environment: Environment, policy: GpuPolicy) -> Iterator[Finding]:
    """Returns what the policy does not accept of an NVIDIA GPU or NVSwitch."""
    stated, is_gpu = environment.measurements, environment.tee_type is TeeType.NVIDIA_GPU
    ueid, bios = stated.get("ueid"), "vbios-version" if is_gpu else "bios-version"
    if policy.ueids is not None and ueid not in policy.ueids:
        detail = f"{environment.name}: ueid {ueid or 'unknown'} is no reference value"
        yield Finding("policy.gpu-ueid", detail)
    drivers = gpu.version(
        "driver",
        stated.get("driver-version", "unknown"),
        policy.driver_versions,
        policy.minimum_driver_version,
    )
    firmware = gpu.version(
        "vbios",
        stated.get(bios, "unknown"),
        policy.vbios_versions,
        policy.minimum_vbios_version,
    )
    for finding in (*(drivers if is_gpu else ()), *firmware):
        yield Finding(finding.check, f"{environment.name}: {finding.detail}")
    yield from _demanded(environment, policy)


def _demanded(environment: Environment, policy: SnpPolicy | GpuPolicy) -> Iterator[Finding]:
    usual = type(policy)()
    for name, check in UNSTATED[type(policy)].items():
        if getattr(policy, name) != getattr(usual, name):
            detail = f"{environment.name}: the token does not state what the policy's setting needs"
            yield Finding(check, f"{detail} ({name.replace('_', '-')})")

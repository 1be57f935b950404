"""Appraisal of NVIDIA GPUs and NVSwitches: what a policy does not accept of a device."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wasmtime_attestation.claims import Claims
from wasmtime_attestation.claims.gpu import NvidiaClaims
from wasmtime_attestation.errors import Finding
from wasmtime_attestation.policy.gpu import GpuPolicy, version_key


def violations(gpu: NvidiaClaims, policy: GpuPolicy) -> Iterator[Finding]:
    """Returns what the policy does not accept."""
    yield from _device(gpu, policy)
    yield from _firmware(gpu, policy)
    if policy.require_revocation_check and not gpu.revocation_checked:
        yield Finding(
            "policy.gpu-revocation",
            "revocation was not checked: give current OCSP responses for the device's and the "
            "manifests' certificates",
        )


def is_switch(claims: Claims) -> bool:
    """Whether claims are authentic ones of a switch; a simulated one is not."""
    details = claims.details
    return not claims.simulated and isinstance(details, NvidiaClaims) and details.device == "switch"


def miscounted(claims: Claims, policy: GpuPolicy, beside: Sequence[Claims]) -> Iterator[Finding]:
    """Returns what is wrong with the number of GPUs; see `appraise.appraise`."""
    counted = _count(beside or [claims])
    # Of several pieces of evidence, those of GPUs say it, or all where there is none.
    if counted == 0 or isinstance(claims.hardware, NvidiaClaims):
        yield from count_violations(counted, policy)


def count_violations(counted: int, policy: GpuPolicy) -> Iterator[Finding]:
    """Returns what a policy does not accept of a number of GPUs."""
    expected = policy.expected_count
    if expected is not None and counted != expected:
        yield Finding(
            "policy.gpu-count", f"evidence of {counted} GPUs; the policy expects {expected}"
        )


def _count(claims: Sequence[Claims]) -> int:
    """Returns of how many distinct GPUs claims are; switches do not count."""
    devices = (c.hardware for c in claims)
    return len({d.ueid for d in devices if isinstance(d, NvidiaClaims) and d.device == "gpu"})


def _device(gpu: NvidiaClaims, policy: GpuPolicy) -> Iterator[Finding]:
    if policy.architectures is not None and gpu.architecture not in policy.architectures:
        accepted = ", ".join(sorted(policy.architectures)) or "none"
        yield Finding(
            "policy.gpu-architecture",
            f"the architecture is {gpu.architecture}; accepted: {accepted}",
        )
    if policy.ueids is not None and gpu.ueid not in policy.ueids:
        yield Finding("policy.gpu-ueid", f"ueid {gpu.ueid} is no reference value")
    # A switch is not passed through in a mode of its own.
    if policy.modes is not None and gpu.device == "gpu" and gpu.mode not in policy.modes:
        accepted = ", ".join(sorted(policy.modes)) or "none"
        yield Finding(
            "policy.gpu-mode", f"the mode is {gpu.mode or 'not reported'}; accepted: {accepted}"
        )


def _firmware(gpu: NvidiaClaims, policy: GpuPolicy) -> Iterator[Finding]:
    # A switch has no driver of its own in its report.
    if gpu.driver_version is not None:
        yield from version(
            "driver", gpu.driver_version, policy.driver_versions, policy.minimum_driver_version
        )
    yield from version(
        "vbios", gpu.vbios_version, policy.vbios_versions, policy.minimum_vbios_version
    )


def version(
    name: str, actual: str, accepted: frozenset[str] | None, minimum: str | None
) -> Iterator[Finding]:
    """Returns what is not accepted of a version; one that is of no known form meets no minimum."""
    check = f"policy.gpu-{name}-version"
    if accepted is not None and actual not in accepted:
        yield Finding(check, f"{name} version {actual} is no reference value")
    if minimum is None:
        return
    key, least = version_key(actual), version_key(minimum)
    if key is None or least is None or key < least:
        yield Finding(check, f"{name} version {actual} is not at least {minimum}")

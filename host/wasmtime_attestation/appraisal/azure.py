"""Appraisal of Azure confidential VMs: what a policy does not accept, and what it warns of."""

from __future__ import annotations

import hmac
from collections.abc import Iterator

from wasmtime_attestation.claims.azure import AzureClaims
from wasmtime_attestation.errors import Finding
from wasmtime_attestation.policy.azure import AzurePolicy

_NO_QUOTE = "there is no quote of the vTPM: its PCRs and the evidence's freshness are open"


def violations(azure: AzureClaims, policy: AzurePolicy) -> Iterator[Finding]:
    """Returns what the policy does not accept."""
    if azure.tpm is None and policy.require_quote:
        yield Finding("policy.tpm-quote", _NO_QUOTE)
    if policy.require_secure_boot and not azure.secure_boot:
        yield Finding("policy.secure-boot", "the paravisor does not state that secure boot is on")
    if azure.console_enabled and not policy.allow_console:
        yield Finding("policy.console", "a console may be attached to the VM")
    if policy.vm_ids is not None and azure.vm_id not in policy.vm_ids:
        yield Finding("policy.vm-id", f"VM {_printable(azure.vm_id)} is no reference value")
    yield from _pcrs(azure, policy)


def warnings(azure: AzureClaims) -> Iterator[Finding]:
    """Returns what deserves attention where the policy accepts it."""
    if azure.tpm is None:
        yield Finding("policy.tpm-quote", f"{_NO_QUOTE}, and the policy accepts it")


def missing(policy: AzurePolicy) -> Iterator[Finding]:
    """Returns what the policy does not accept of evidence that is of something else."""
    if policy.required:
        yield Finding("policy.azure", "the evidence is not of an Azure confidential VM")


def _pcrs(azure: AzureClaims, policy: AzurePolicy) -> Iterator[Finding]:
    quoted = {} if azure.tpm is None else azure.tpm.pcrs
    for index, accepted in sorted(policy.pcrs.items()):
        value = quoted.get(index)
        if value is None:
            yield Finding("policy.pcrs", f"PCR {index} has reference values and was not quoted")
        elif not any(hmac.compare_digest(value, known) for known in accepted):
            yield Finding("policy.pcrs", f"PCR {index} {value.hex()} is no reference value")


def _printable(text: str | None) -> str:
    return "without an id" if text is None else ascii(text[:64])

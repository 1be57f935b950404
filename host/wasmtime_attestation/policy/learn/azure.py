"""What a policy learns from Azure confidential VMs: the tables `azure` and `azure.pcrs`."""

from __future__ import annotations

from collections.abc import Sequence

from wasmtime_attestation.claims.azure import AzureClaims
from wasmtime_attestation.policy.learn.section import Section

_SOFTWARE = {
    0: "the vTPM's firmware",
    2: "the firmware's extensions",
    4: "the boot loader",
    7: "secure boot: whether it is on, and the keys",
    8: "the boot loader's commands and the kernel's command line",
    9: "what the boot loader read: kernel and initial RAM disk",
    11: "a unified kernel image",
    12: "what was given to a unified kernel image",
}
"""PCRs that stay the same for the same software, and what is in them."""


def sections(known: Sequence[AzureClaims]) -> list[Section]:
    """Returns the tables that accept these VMs and no other software."""
    azure = Section("azure")
    azure.set("required", "Evidence of something else has no PCRs to compare.", to=True)
    if not all(claims.secure_boot for claims in known):
        azure.weaken("require-secure-boot", "secure boot is off in some VM", to=False)
    if not any(claims.console_enabled for claims in known):
        azure.set("allow-console", "No VM had a console.", to=False)
    if any(claims.tpm is None for claims in known):
        azure.weaken("require-tpm-quote", "some evidence had no quote of the vTPM", to=False)
    return [azure, *_pcrs(known)]


def _pcrs(known: Sequence[AzureClaims]) -> list[Section]:
    quoted = [claims.tpm.pcrs for claims in known if claims.tpm is not None]
    common = set.intersection(*(set(pcrs) for pcrs in quoted)) if len(quoted) == len(known) else ()
    section = Section("azure.pcrs")
    for index in sorted(common):
        values = {pcrs[index] for pcrs in quoted}
        # A register that nothing extended says nothing of the software.
        if not any(value.strip(b"\0") and value.strip(b"\xff") for value in values):
            continue
        if index in _SOFTWARE:
            section.values(str(index), values, f"PCR {index}: {_SOFTWARE[index]}.")
        else:
            section.suggest(str(index), values, f"PCR {index} may differ from boot to boot:")
    return [section]

"""What a policy learns from Azure confidential VMs: the tables `azure` and `azure.pcrs`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
    13: "the system extensions of a unified kernel image",
    14: "keys and digests that shim accepts",
}
"""PCRs that stay the same for the same software, and what is in them.

One that nothing extended counts too: what a unified kernel image is given on top, such as a
command line, shows in PCR 12 alone, which is zero without it.
"""


def sections(known: Sequence[AzureClaims]) -> list[Section]:
    """Returns the tables that accept these VMs and no other software."""
    azure = Section("azure")
    azure.set("required", "Evidence of something else has no PCRs to compare.", to=True)
    if not all(claims.secure_boot for claims in known):
        azure.weaken("require-secure-boot", "secure boot is off in some VM", to=False)
    if not any(claims.console_enabled for claims in known):
        azure.set("allow-console", "No VM had a console.", to=False)
    return [azure, _pcrs([quoted(claims) for claims in known])]


def quoted(claims: AzureClaims) -> Mapping[int, bytes]:
    """Returns the PCRs that were quoted; none without a quote of the vTPM."""
    return {} if claims.tpm is None else claims.tpm.pcrs


def says_nothing_of_the_guest(claims: AzureClaims) -> bool:
    """Whether no PCR was quoted that stands for the guest's software."""
    return not _SOFTWARE.keys() & quoted(claims).keys()


def _pcrs(known: Sequence[Mapping[int, bytes]]) -> Section:
    section = Section("azure.pcrs")
    common = set.intersection(*(set(pcrs) for pcrs in known))
    for index in sorted(common | _SOFTWARE.keys()):
        values = {pcrs[index] for pcrs in known if index in pcrs}
        if index in _SOFTWARE and index in common:
            section.values(str(index), values, f"PCR {index}: {_SOFTWARE[index]}.")
        elif index in _SOFTWARE:
            section.remark(str(index), f"not quoted everywhere, so any value: {_SOFTWARE[index]}")
        # Of the others, one that nothing extended says nothing.
        elif any(value.strip(b"\0") and value.strip(b"\xff") for value in values):
            section.suggest(str(index), values, f"PCR {index} may differ from boot to boot:")
    return section

"""What a policy accepts of an Azure confidential VM: the table `azure` (`docs/policy.md`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wasmtime_attestation.evidence.tpm import DIGEST_SIZE, PCR_COUNT
from wasmtime_attestation.policy.table import Json, Table

_DEMANDS = {"require-secure-boot", "allow-console", "vm-ids", "pcrs"}


@dataclass(frozen=True, slots=True)
class AzurePolicy:
    """What is accepted of an Azure confidential VM, beside its hardware report.

    Attributes:
        required: whether evidence must be of one; so it is wherever anything is demanded of it,
            unless the policy says otherwise.
        require_quote: whether a quote of the vTPM must be there.
        require_secure_boot: whether the paravisor must state that secure boot is on.
        allow_console: whether a console may be attached to the VM.
        vm_ids: accepted ids of VMs, in the lower case; None accepts any.
        pcrs: reference values by index; a PCR that is not named is not constrained.
    """

    required: bool = False
    require_quote: bool = True
    require_secure_boot: bool = False
    allow_console: bool = True
    vm_ids: frozenset[str] | None = None
    pcrs: Mapping[int, frozenset[bytes]] = field(default_factory=dict)


def as_demanded(inherited: Mapping[str, Json], own: Mapping[str, Json]) -> Mapping[str, Json]:
    """Returns settings without a preset's `required = false`, where a text itself demands more.

    Else the hardware report within an HCL report would pass alone, past PCRs that it does not have.

    Args:
        inherited: what a text says, over what its preset says.
        own: what the text says.
    """
    demanded, azure = own.get("azure"), inherited.get("azure")
    if not isinstance(demanded, Mapping) or not isinstance(azure, Mapping):
        return inherited
    if "required" in demanded or azure.get("required") is not False or not _DEMANDS & {*demanded}:
        return inherited
    return {**inherited, "azure": {k: v for k, v in azure.items() if k != "required"}}


def read(table: Table) -> AzurePolicy:
    """Reads the table.

    Raises:
        ValueError: a setting is unknown or not of its kind.
    """
    quote = table.boolean(
        "require-tpm-quote", default=True, about="Whether a quote of the vTPM must be there."
    )
    secure_boot = table.boolean(
        "require-secure-boot",
        default=False,
        about="Whether the paravisor must state that secure boot is on.",
    )
    console = table.boolean(
        "allow-console", default=True, about="Whether a console may be attached to the VM."
    )
    vm_ids = table.names("vm-ids", "Ids of VMs that are accepted.")
    pcrs = _pcrs(table.table("pcrs", "Reference values of the SHA-256 bank, by index."))
    # Evidence of something else must not slip past what is demanded here.
    demanding = secure_boot or not console or vm_ids is not None or bool(pcrs)
    policy = AzurePolicy(
        required=table.boolean(
            "required",
            default=demanding,
            about="Whether evidence must be of an Azure confidential VM; so without it wherever "
            "secure boot, no console, ids or PCRs are demanded.",
        ),
        require_quote=quote,
        require_secure_boot=secure_boot,
        allow_console=console,
        vm_ids=None if vm_ids is None else frozenset(map(str.lower, vm_ids)),
        pcrs=pcrs,
    )
    table.end()
    return policy


def _pcrs(table: Table) -> Mapping[int, frozenset[bytes]]:
    values = {
        index: table.byte_strings(str(index), DIGEST_SIZE, f"Reference values for PCR {index}.")
        for index in range(PCR_COUNT)
    }
    table.end()
    # No proxy: policies travel to other processes.
    return {i: accepted for i, accepted in values.items() if accepted is not None}

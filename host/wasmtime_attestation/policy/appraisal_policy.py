"""What a policy is, how it is read, and those that come with this package.

`docs/policy.md` describes the TOML form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from wasmtime_attestation.policy import azure, gpu, presets, snp, tdx
from wasmtime_attestation.policy.azure import AzurePolicy
from wasmtime_attestation.policy.gpu import GpuPolicy
from wasmtime_attestation.policy.presets import TEXTS
from wasmtime_attestation.policy.snp import SnpPolicy
from wasmtime_attestation.policy.source import MAX_SIZE as MAX_SIZE
from wasmtime_attestation.policy.source import Source
from wasmtime_attestation.policy.table import Json, SettingError, Table
from wasmtime_attestation.policy.tdx import TdxPolicy
from wasmtime_attestation.verifier import intel_collateral
from wasmtime_attestation.wit import TeeType

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class AppraisalPolicy:
    """A policy for evidence and for tokens.

    Attributes:
        name: for messages and results.
        accept: the kinds of environment that are accepted.
        snp: what is accepted of SEV-SNP reports.
        tdx: what is accepted of TDX quotes.
        gpu: what is accepted of NVIDIA GPUs and NVSwitches.
        azure: what is accepted of Azure confidential VMs, beside their hardware report.
        guest_digests: SHA-256 of each guest that is accepted; None accepts any, and none.
        issuers: whose tokens are accepted; None accepts any, and raw evidence.
        maximum_age: seconds that may have passed since a token was issued; None for any.
        require_reference_values: whether a platform without reference values is refused.
    """

    name: str
    accept: frozenset[TeeType] = frozenset()
    snp: SnpPolicy = field(default_factory=SnpPolicy)
    guest_digests: frozenset[bytes] | None = None
    tdx: TdxPolicy = field(default_factory=TdxPolicy)
    gpu: GpuPolicy = field(default_factory=GpuPolicy)
    issuers: frozenset[str] | None = None
    maximum_age: int | None = None
    require_reference_values: bool = False
    azure: AzurePolicy = field(default_factory=AzurePolicy)

    @property
    def waived(self) -> tuple[str, ...]:
        """The checks whose endorsements may be missing (`Endorsements.waiving`)."""
        return intel_collateral.LISTS if self.tdx.unsafe_allow_missing_lists else ()

    def has_reference_values_for(self, platform: TeeType, *, paravisor: bool = False) -> bool:
        """Whether it says which software evidence of a platform must be of.

        Args:
            platform: the hardware.
            paravisor: whether the hardware measures a paravisor, and a vTPM the guest.
        """
        if paravisor and not self.azure.pcrs:
            return False
        if platform is TeeType.INTEL_TDX:
            return self.tdx.mrtd is not None
        if platform in (TeeType.NVIDIA_GPU, TeeType.OTHER):
            return False  # a device says nothing about its host's software
        return self.snp.measurements is not None


def load(name: str, data: bytes, file: str | None = None) -> AppraisalPolicy:
    """Reads a policy.

    Args:
        name: the policy's name where the text gives none.
        data: the TOML text.
        file: where it came from, for messages; its name where nothing is given.

    Raises:
        InvalidArgumentError: it is no policy; the message says where: file, line and column.
    """
    return read(name, Source.of(file or name, data))[0]


def read(name: str, source: Source) -> tuple[AppraisalPolicy, Table]:
    """Returns a policy, and every setting that is in force.

    Raises:
        InvalidArgumentError: the text is no policy; the message says where.
    """
    table = Table(_inherited(source.values))
    try:
        policy = _policy(name, table)
        table.end()
    except SettingError as error:
        raise source.error(error) from error
    return policy, table


def preset(name: str) -> Source:
    """Returns the text of a preset.

    Raises:
        KeyError: there is none of that name.
    """
    return Source.of(f"preset {name}", TEXTS[name].encode())


def _inherited(values: Mapping[str, Json]) -> Mapping[str, Json]:
    """What a text says, over what the preset says that it extends."""
    base = values.get("extends")
    # Anything else is refused where the setting is read.
    if not isinstance(base, str) or base not in TEXTS:
        return values
    return azure.as_demanded(_over(_inherited(preset(base).values), values), values)


def _over(base: Mapping[str, Json], own: Mapping[str, Json]) -> dict[str, Json]:
    """Tables add to tables; any other value replaces the one before."""
    both = {
        key: _over(base[key], own[key])
        for key in base.keys() & own.keys()
        if isinstance(base[key], dict) and isinstance(own[key], dict)
    }
    return {**base, **own, **both}


def _policy(name: str, table: Table) -> AppraisalPolicy:
    table.version("schema", SCHEMA, "The version of this form.")
    table.choice("extends", TEXTS, "The preset whose settings hold where this text has none.")
    return AppraisalPolicy(
        name=table.optional_string("name", "The policy's name in messages.") or name,
        accept=table.choices("accept", TeeType, about="Kinds of environment that are accepted."),
        guest_digests=table.byte_strings(
            "guest-digests", 32, "SHA-256 of each guest that is accepted."
        ),
        issuers=table.names("issuers", "Issuers whose tokens are accepted."),
        maximum_age=table.limit(
            "maximum-age-seconds", about="How long ago a token may have been issued."
        ),
        require_reference_values=table.boolean(
            "require-reference-values",
            default=False,
            about="Whether a platform without reference values for its software is refused.",
        ),
        snp=snp.read(table.table("snp", "What is accepted of SEV-SNP reports.")),
        tdx=tdx.read(table.table("tdx", "What is accepted of TDX quotes.")),
        azure=azure.read(
            table.table("azure", "What is accepted of Azure confidential VMs beside the hardware.")
        ),
        gpu=gpu.read(table.table("gpu", "What is accepted of NVIDIA GPUs and NVSwitches.")),
    )


PRESETS: Mapping[str, AppraisalPolicy] = MappingProxyType(
    {name: read(name, preset(name))[0] for name in TEXTS}
)
HARDWARE_ONLY = PRESETS[presets.HARDWARE_ONLY]
AZURE_CVM = PRESETS[presets.AZURE_CVM]

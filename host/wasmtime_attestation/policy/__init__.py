"""Appraisal policies: which claims a relying party accepts. A policy is data, and empty denies.

`docs/policy.md` describes the TOML form.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from wasmtime_attestation.endorsements.intel import TcbStatus
from wasmtime_attestation.endorsements.nvidia import Architecture
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.policy import gpu, snp, tdx
from wasmtime_attestation.policy.gpu import GpuPolicy
from wasmtime_attestation.policy.snp import SnpPolicy
from wasmtime_attestation.policy.table import Table
from wasmtime_attestation.policy.tdx import TdxPolicy
from wasmtime_attestation.wit import TeeType

SCHEMA = 1
MAX_SIZE = 1 << 20
"""Bytes in a policy file."""
MAX_DOTS = 32
"""Dots in a line, and so in a key: tomllib's time and memory grow with their square."""


@dataclass(frozen=True, slots=True)
class AppraisalPolicy:
    """A policy for evidence and for tokens.

    Attributes:
        name: for messages and results.
        accept: the kinds of environment that are accepted.
        snp: what is accepted of SEV-SNP reports.
        tdx: what is accepted of TDX quotes.
        gpu: what is accepted of NVIDIA GPUs and NVSwitches.
        guest_digests: SHA-256 of each guest that is accepted; None accepts any, and none.
    """

    name: str
    accept: frozenset[TeeType] = frozenset()
    snp: SnpPolicy = field(default_factory=SnpPolicy)
    guest_digests: frozenset[bytes] | None = None
    tdx: TdxPolicy = field(default_factory=TdxPolicy)
    gpu: GpuPolicy = field(default_factory=GpuPolicy)

    def has_reference_values_for(self, platform: TeeType) -> bool:
        """Whether it says which software evidence of a platform must be of."""
        if platform is TeeType.INTEL_TDX:
            return self.tdx.mrtd is not None
        if platform in (TeeType.NVIDIA_GPU, TeeType.OTHER):
            return False  # a device says nothing about its host's software
        return self.snp.measurements is not None


# Simulated evidence reaches appraisal only where its root was named as trusted.
HARDWARE_ONLY = AppraisalPolicy(
    name="hardware-only",
    accept=frozenset(
        {TeeType.AMD_SEV_SNP, TeeType.INTEL_TDX, TeeType.NVIDIA_GPU, TeeType.SIMULATED}
    ),
    snp=SnpPolicy(allow_migration_agent=True),
    tdx=TdxPolicy(
        tcb_statuses=frozenset(TcbStatus) - {TcbStatus.REVOKED},
        allow_migration=True,
        allow_service_td=True,
        require_sept_ve_disable=False,
    ),
)
GPU = AppraisalPolicy(
    name="gpu",
    accept=frozenset({TeeType.NVIDIA_GPU, TeeType.SIMULATED}),
    gpu=GpuPolicy(
        architectures=frozenset({Architecture.HOPPER, Architecture.BLACKWELL}),
        require_revocation_check=True,
    ),
)
PRESETS: Mapping[str, AppraisalPolicy] = MappingProxyType(
    {policy.name: policy for policy in (HARDWARE_ONLY, GPU)}
)


def load(name: str, data: bytes) -> AppraisalPolicy:
    """Reads a policy.

    Args:
        name: the policy's name where the text gives none.
        data: the TOML text.

    Raises:
        InvalidArgumentError: it is no policy; the message names the setting.
    """
    if len(data) > MAX_SIZE:
        raise InvalidArgumentError(f"policy {name}: it is larger than {MAX_SIZE} bytes")
    try:
        table = Table("", _toml(data.decode("utf-8-sig")))
        policy = _policy(name, table)
    except (ValueError, RecursionError) as error:
        raise InvalidArgumentError(f"policy {name}: {error}") from error
    return policy


def _toml(text: str) -> dict[str, Any]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > MAX_DOTS and not line.lstrip().startswith("#"):
            raise ValueError(f"line {number} has more than {MAX_DOTS} dots")
    return tomllib.loads(text)


def _policy(name: str, table: Table) -> AppraisalPolicy:
    if table.integer("schema", 0) != SCHEMA:
        raise ValueError(f"schema must be {SCHEMA}")
    policy = AppraisalPolicy(
        name=table.string("name", name),
        accept=frozenset(_tee_type(label) for label in table.strings("accept")),
        snp=snp.read(table.table("snp")),
        tdx=tdx.read(table.table("tdx")),
        gpu=gpu.read(table.table("gpu")),
        guest_digests=table.byte_strings("guest-digests", 32),
    )
    table.end()
    return policy


def _tee_type(label: str) -> TeeType:
    try:
        return TeeType(label)
    except ValueError as error:
        raise ValueError(f"accept has {label!r}; known are {', '.join(TeeType)}") from error

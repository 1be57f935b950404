"""What a policy accepts of a SEV-SNP report: the table `snp` (`docs/policy.md`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from wasmtime_attestation.evidence.snp_fields import ProductLine
from wasmtime_attestation.policy.table import Table


@dataclass(frozen=True, slots=True)
class MinimumTcb:
    """The lowest security version numbers that are accepted, for one product line."""

    boot_loader: int
    tee: int
    snp: int
    microcode: int
    fmc: int = 0


@dataclass(frozen=True, slots=True)
class SnpPolicy:
    """What is accepted of a SEV-SNP report.

    A set of reference values that is None does not constrain; one that is empty
    accepts nothing.
    """

    vmpls: frozenset[int] = frozenset({0})
    unsafe_allow_debug: bool = False
    allow_migration_agent: bool = False
    allow_smt: bool = True
    require_revocation_check: bool = False
    minimum_guest_svn: int = 0
    minimum_tcb: Mapping[ProductLine, MinimumTcb] = field(default_factory=dict)
    measurements: frozenset[bytes] | None = None
    host_data: frozenset[bytes] | None = None
    id_key_digests: frozenset[bytes] | None = None
    author_key_digests: frozenset[bytes] | None = None
    chip_ids: frozenset[bytes] | None = None


def read(table: Table) -> SnpPolicy:
    """Reads the table.

    Raises:
        ValueError: a setting is unknown or not of its kind.
    """
    policy = SnpPolicy(
        vmpls=frozenset(table.integers("vmpl", [0], 3)),
        unsafe_allow_debug=table.boolean("unsafe-allow-debug", default=False),
        allow_migration_agent=table.boolean("allow-migration-agent", default=False),
        allow_smt=table.boolean("allow-smt", default=True),
        require_revocation_check=table.boolean("require-revocation-check", default=False),
        minimum_guest_svn=table.integer("minimum-guest-svn", 0),
        minimum_tcb=_minimum_tcb(table.table("minimum-tcb")),
        measurements=table.byte_strings("measurements", 48),
        host_data=table.byte_strings("host-data", 32),
        id_key_digests=table.byte_strings("id-key-digests", 48),
        author_key_digests=table.byte_strings("author-key-digests", 48),
        chip_ids=table.byte_strings("chip-ids", 64),
    )
    table.end()
    return policy


def _minimum_tcb(table: Table) -> Mapping[ProductLine, MinimumTcb]:
    minimum = {line: _tcb(table.table(line)) for line in ProductLine if line in table}
    table.end()
    return MappingProxyType(minimum)


def _tcb(table: Table) -> MinimumTcb:
    tcb = MinimumTcb(
        boot_loader=table.integer("boot-loader", 0, 0xFF),
        tee=table.integer("tee", 0, 0xFF),
        snp=table.integer("snp", 0, 0xFF),
        microcode=table.integer("microcode", 0, 0xFF),
        fmc=table.integer("fmc", 0, 0xFF),
    )
    table.end()
    return tcb

"""What a policy accepts of a SEV-SNP report: the table `snp` (`docs/policy.md`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
    require_minimum_tcb: bool = False
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
        vmpls=frozenset(
            table.integers("vmpl", [0], 3, "Privilege levels that may ask for the report.")
        ),
        unsafe_allow_debug=table.boolean(
            "unsafe-allow-debug",
            default=False,
            about="Whether the host may read the guest's memory.",
        ),
        allow_migration_agent=table.boolean(
            "allow-migration-agent",
            default=False,
            about="Whether a migration agent may move the guest.",
        ),
        allow_smt=table.boolean(
            "allow-smt", default=True, about="Whether the guest may share a core with others (SMT)."
        ),
        require_revocation_check=table.boolean(
            "require-revocation-check",
            default=False,
            about="Whether a current revocation list of AMD's must be among the endorsements.",
        ),
        minimum_guest_svn=table.integer(
            "minimum-guest-svn", 0, about="The lowest GUEST_SVN that is accepted."
        ),
        require_minimum_tcb=table.boolean(
            "require-minimum-tcb",
            default=False,
            about="Whether a product line without a minimum TCB is refused.",
        ),
        minimum_tcb=_minimum_tcb(
            table.table("minimum-tcb", "The lowest REPORTED_TCB, by product line.")
        ),
        measurements=table.byte_strings("measurements", 48, "Reference values for MEASUREMENT."),
        host_data=table.byte_strings("host-data", 32, "Reference values for HOST_DATA."),
        id_key_digests=table.byte_strings(
            "id-key-digests", 48, "Reference values for ID_KEY_DIGEST."
        ),
        author_key_digests=table.byte_strings(
            "author-key-digests", 48, "Reference values for AUTHOR_KEY_DIGEST."
        ),
        chip_ids=table.byte_strings("chip-ids", 64, "Reference values for CHIP_ID."),
    )
    table.end()
    return policy


def _minimum_tcb(table: Table) -> Mapping[ProductLine, MinimumTcb]:
    about = "The lowest versions of this line; where one line has them, others are refused."
    minimum = table.each(ProductLine, _tcb, about)
    table.end()
    return {ProductLine(line): tcb for line, tcb in minimum.items()}


def _tcb(table: Table) -> MinimumTcb:
    tcb = MinimumTcb(
        boot_loader=table.integer("boot-loader", 0, 0xFF, "AMD's boot loader."),
        tee=table.integer("tee", 0, 0xFF, "The operating system of AMD's secure processor."),
        snp=table.integer("snp", 0, 0xFF, "The SEV-SNP firmware."),
        microcode=table.integer("microcode", 0, 0xFF, "The microcode of the cores."),
        fmc=table.integer("fmc", 0, 0xFF, "The FMC firmware, which Turin has."),
    )
    table.end()
    return tcb

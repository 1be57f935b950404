"""What a policy accepts of a SEV-SNP report: the table `snp` (`docs/policy.md`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from wasmtime_attestation.evidence.snp_fields import ProductLine
from wasmtime_attestation.policy.table import Table

_MAX_VECTOR = (1 << 63) - 1
"""The largest integer of TOML; a mitigation vector has 64 bits, of which AMD defined six."""


@dataclass(frozen=True, slots=True)
class MinimumTcb:
    """The lowest security version numbers that are accepted, for one product line."""

    boot_loader: int
    tee: int
    snp: int
    microcode: int
    fmc: int = 0


class PlatformProperty(StrEnum):
    """What PLATFORM_INFO says of a machine."""

    SMT_ENABLED = "smt-enabled"
    TSME_ENABLED = "tsme-enabled"
    ECC_ENABLED = "ecc-enabled"
    RAPL_DISABLED = "rapl-disabled"
    CIPHERTEXT_HIDING_ENABLED = "ciphertext-hiding-enabled"
    ALIAS_CHECK_COMPLETE = "alias-check-complete"
    TIO_ENABLED = "tio-enabled"


class GuestRestriction(StrEnum):
    """What a guest's POLICY forbids its host."""

    SINGLE_SOCKET_ONLY = "single-socket-only"
    AES_256_XTS_REQUIRED = "aes-256-xts-required"
    RAPL_DISABLED = "rapl-disabled"
    CIPHERTEXT_HIDING_REQUIRED = "ciphertext-hiding-required"
    PAGE_SWAP_DISABLED = "page-swap-disabled"


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
    allow_provisional_firmware: bool = True
    minimum_launch_tcb: Mapping[ProductLine, MinimumTcb] = field(default_factory=dict)
    minimum_committed_tcb: Mapping[ProductLine, MinimumTcb] = field(default_factory=dict)
    required_launch_mitigations: int = 0
    required_current_mitigations: int = 0
    required_platform: frozenset[PlatformProperty] = frozenset()
    denied_platform: frozenset[PlatformProperty] = frozenset()
    required_restrictions: frozenset[GuestRestriction] = frozenset()
    family_ids: frozenset[bytes] | None = None
    image_ids: frozenset[bytes] | None = None
    csp_ids: frozenset[str] | None = None


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
        allow_provisional_firmware=table.boolean(
            "allow-provisional-firmware",
            default=True,
            about="Whether firmware may run that can still be rolled back (CURRENT above "
            "COMMITTED).",
        ),
        minimum_launch_tcb=_minimum_tcb(
            table.table("minimum-launch-tcb", "The lowest LAUNCH_TCB, by product line.")
        ),
        minimum_committed_tcb=_minimum_tcb(
            table.table("minimum-committed-tcb", "The lowest COMMITTED_TCB, by product line.")
        ),
        required_launch_mitigations=table.integer(
            "required-launch-mitigations",
            0,
            _MAX_VECTOR,
            "Bits that LAUNCH_MIT_VECTOR must have (report version 5).",
        ),
        required_current_mitigations=table.integer(
            "required-current-mitigations",
            0,
            _MAX_VECTOR,
            "Bits that CURRENT_MIT_VECTOR must have (report version 5).",
        ),
        required_platform=table.choices(
            "required-platform-info", PlatformProperty, about="What PLATFORM_INFO must say."
        ),
        denied_platform=table.choices(
            "denied-platform-info", PlatformProperty, about="What PLATFORM_INFO must not say."
        ),
        required_restrictions=table.choices(
            "required-guest-policy", GuestRestriction, about="What the guest's POLICY must demand."
        ),
        family_ids=table.byte_strings("family-ids", 16, "Reference values for FAMILY_ID."),
        image_ids=table.byte_strings("image-ids", 16, "Reference values for IMAGE_ID."),
        csp_ids=table.names("csp-ids", "Cloud providers (CSP_ID) whose VLEKs are accepted."),
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

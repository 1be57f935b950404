"""What an appraisal finds of SEV-SNP."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wasmtime_attestation.checks.rule import Rule

REPORT = "AMD 56860, ATTESTATION_REPORT Structure"


def _reference(field: str, setting: str, says: str) -> Rule:
    return Rule(
        requirement=f"{field} is one of `snp.{setting}`.",
        meaning=f"{says} is not one that you know.",
        remedy=f"If you know the value in the detail, add it to `snp.{setting}`.",
        source=REPORT,
    )


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "policy.migration-agent": Rule(
            requirement="No migration agent may move the guest; a warning where "
            "`snp.allow-migration-agent` is set and one is attached.",
            meaning="A migration agent holds the guest's keys: it must be trusted as the guest is.",
            remedy="Launch the guest without MIGRATE_MA in its policy, or verify the agent too.",
            source="AMD 56860, Guest Policy (MIGRATE_MA)",
        ),
        "policy.smt": Rule(
            requirement="The guest does not allow simultaneous multithreading.",
            meaning="A thread of somebody else may share the core, and its caches, with the guest.",
            remedy="Launch the guest with SMT clear in its policy on a host without SMT, or set "
            "`snp.allow-smt`.",
            source="AMD 56860, Guest Policy (SMT)",
        ),
        "policy.vmpl": Rule(
            requirement="The report was asked for at one of the privilege levels in `snp.vmpl`.",
            meaning="Software with fewer rights than you expect asked for the report: it speaks "
            "for itself, not for what runs above it (0 is the highest level).",
            remedy="Ask for the report from VMPL 0; with an SVSM, accept the kernel's level and "
            "measure the SVSM.",
            source=f"{REPORT} (VMPL); AMD 24593, Virtual Machine Privilege Levels",
        ),
        "policy.revocation": Rule(
            requirement="AMD's revocation list was checked.",
            meaning="The ASK or ASVK may have been revoked, and nobody looked.",
            remedy="Give the list of the product line with --endorsements (AMD's key service, "
            "/vcek/v1/{line}/crl or /vlek/v1/{line}/crl).",
            source="AMD 57230, certificate revocation list; RFC 5280 section 6.3",
        ),
        "policy.guest-svn": Rule(
            requirement="GUEST_SVN is at least `snp.minimum-guest-svn`.",
            meaning="An older version of the guest than you accept was launched.",
            remedy="Launch the current version of the guest.",
            source=f"{REPORT} (GUEST_SVN)",
        ),
        "policy.tcb": Rule(
            requirement="Each version in REPORTED_TCB is at least the minimum of the product line.",
            meaning="Firmware or microcode is older than you accept, or the policy has no minimum "
            "for the product line: flaws that AMD has mended may be open there.",
            remedy="Have the machine's firmware updated, or name a minimum for its product line "
            "under `snp.minimum-tcb`.",
            source="AMD 56860, TCB Version",
        ),
        "policy.host-data": _reference(
            "HOST_DATA", "host-data", "What the host put there at launch"
        ),
        "policy.id-key-digest": _reference(
            "ID_KEY_DIGEST", "id-key-digests", "The key that signed the ID block"
        ),
        "policy.author-key-digest": _reference(
            "AUTHOR_KEY_DIGEST", "author-key-digests", "The author's key"
        ),
        "policy.chip-id": _reference("CHIP_ID", "chip-ids", "The processor"),
    }
)

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
            requirement="The vendor's revocation lists were checked: AMD's where "
            "`snp.require-revocation-check` is set, Intel's always; a warning where "
            "`tdx.unsafe-allow-missing-revocation-lists` is set and one was missing.",
            meaning="The key of the platform, or of who certified it, may have been revoked, and "
            "nobody looked.",
            remedy="Give the lists with --endorsements: of AMD's key service (/vcek/v1/{line}/crl "
            "or /vlek/v1/{line}/crl), or of Intel's PCS (pckcrl and rootcacrl).",
            source="AMD 57230, certificate revocation list; Intel PCK certificate profile; "
            "RFC 5280 section 6.3",
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
        "policy.launch-tcb": Rule(
            requirement="Each version in LAUNCH_TCB is at least the minimum of the product line.",
            meaning="The guest was launched on firmware older than you accept; an update since "
            "does not mend what was done then.",
            remedy="Launch the guest anew on current firmware, or lower `snp.minimum-launch-tcb`.",
            source=f"{REPORT} (LAUNCH_TCB)",
        ),
        "policy.committed-tcb": Rule(
            requirement="Each version in COMMITTED_TCB is at least the minimum of the product "
            "line.",
            meaning="The host can roll the firmware back to a version older than you accept.",
            remedy="Have the host commit its firmware (SNP_COMMIT).",
            source=f"{REPORT} (COMMITTED_TCB)",
        ),
        "policy.provisional-firmware": Rule(
            requirement="The firmware that runs is committed, unless "
            "`snp.allow-provisional-firmware` is set.",
            meaning="The host can still roll the firmware back.",
            remedy="Have the host commit its firmware (SNP_COMMIT).",
            source="AMD 56860, SNP_COMMIT; ATTESTATION_REPORT Structure (CURRENT_TCB, "
            "COMMITTED_TCB)",
        ),
        "policy.mitigations": Rule(
            requirement="The mitigation vectors have every bit of "
            "`snp.required-launch-mitigations` and `snp.required-current-mitigations`.",
            meaning="A flaw that AMD has a mitigation for is open, or the report is of a version "
            "that does not say (below 5).",
            remedy="Have the firmware updated and the mitigation verified on the host "
            "(SNP_VERIFY_MITIGATION).",
            source=f"{REPORT} (LAUNCH_MIT_VECTOR, CURRENT_MIT_VECTOR)",
        ),
        "policy.platform-info": Rule(
            requirement="PLATFORM_INFO says all of `snp.required-platform-info` and nothing of "
            "`snp.denied-platform-info`.",
            meaning="The machine is set up otherwise than you accept.",
            remedy="Change the machine's firmware settings, or judge the property and accept it.",
            source="AMD 56860, PLATFORM_INFO",
        ),
        "policy.guest-policy": Rule(
            requirement="The guest's POLICY demands all of `snp.required-guest-policy`.",
            meaning="The host was free to do what you want the guest to forbid.",
            remedy="Launch the guest with these bits of its policy set.",
            source="AMD 56860, Guest Policy",
        ),
        "policy.family-id": _reference("FAMILY_ID", "family-ids", "The guest's family"),
        "policy.image-id": _reference("IMAGE_ID", "image-ids", "The guest's image"),
        "policy.csp-id": Rule(
            requirement="The report is signed by the VLEK of one of `snp.csp-ids`.",
            meaning="The machine belongs to another cloud provider than you accept, or to none "
            "(a VCEK is of a chip, not of a provider).",
            remedy="If you know the provider in the detail, add it to `snp.csp-ids`.",
            source="AMD 57230, X.509 Extensions (cspID)",
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

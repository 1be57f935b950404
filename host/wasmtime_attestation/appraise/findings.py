"""What an appraisal finds: the identifiers are public and stable, as those of checks are."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

FINDINGS: Mapping[str, str] = MappingProxyType(
    {
        "policy.accept": "The policy does not accept this kind of environment.",
        "policy.simulated": "A warning: the evidence is simulated and proves nothing.",
        "policy.debug": "The host can read the guest's memory; a warning where it is allowed.",
        "policy.migration-agent": "A migration agent may move the guest; a warning where allowed.",
        "policy.smt": "The guest may share a core with others.",
        "policy.vmpl": "The report was asked for at a privilege level that is not accepted.",
        "policy.revocation": "The policy demands a revocation check, and no list was given.",
        "policy.guest-svn": "GUEST_SVN is below the minimum.",
        "policy.tcb": "A version in REPORTED_TCB is below the minimum, or has none to compare.",
        "policy.measurement": "MEASUREMENT is no reference value, or the policy has none for the "
        "platform (MEASUREMENT, MRTD).",
        "policy.host-data": "HOST_DATA is no reference value.",
        "policy.id-key-digest": "ID_KEY_DIGEST is no reference value.",
        "policy.author-key-digest": "AUTHOR_KEY_DIGEST is no reference value.",
        "policy.chip-id": "CHIP_ID is no reference value.",
        "policy.tcb-status": "The TCB status is not accepted; a warning where it is not UpToDate.",
        "policy.advisory": "An advisory that applies to the platform is denied.",
        "policy.tcb-evaluation": "TCB info or QE identity is of too early an evaluation.",
        "policy.migration": "The TD may be migrated; a warning where allowed.",
        "policy.service-td": "Service TDs are bound to the TD; a warning where allowed.",
        "policy.sept-ve-disable": "SEPT_VE_DISABLE is clear; a warning where allowed.",
        "policy.mrtd": "MRTD is no reference value.",
        "policy.rtmr0": "RTMR0 is no reference value.",
        "policy.rtmr1": "RTMR1 is no reference value.",
        "policy.rtmr2": "RTMR2 is no reference value.",
        "policy.rtmr3": "RTMR3 is no reference value.",
        "policy.mrseam": "MRSEAM is no reference value.",
        "policy.mrconfigid": "MRCONFIGID is no reference value.",
        "policy.mrowner": "MROWNER is no reference value.",
        "policy.mrownerconfig": "MROWNERCONFIG is no reference value.",
        "policy.mrservicetd": "MRSERVICETD is no reference value, or the quote has none.",
        "policy.xfam": "XFAM is no reference value.",
        "policy.fmspc": "FMSPC is no reference value.",
        "policy.gpu-architecture": "The architecture of the GPU or switch is not accepted.",
        "policy.gpu-ueid": "The device is no reference value.",
        "policy.gpu-mode": "The mode of passing GPUs through is not accepted, or not reported.",
        "policy.gpu-driver-version": "The driver's version is no reference value or too low.",
        "policy.gpu-vbios-version": "The VBIOS's version is no reference value or too low.",
        "policy.gpu-revocation": "The policy demands a revocation check of the device's and the "
        "manifests' certificates.",
        "policy.guest-digest": "The guest is no reference value, or none is named.",
        "policy.reference-values": "Another host's token needs a policy with measurements.",
    }
)
"""Every finding that an appraisal reports, and what it says."""

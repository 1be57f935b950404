"""What an appraisal finds of Intel TDX."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wasmtime_attestation.checks.rule import Rule

_REGISTERS = {
    "mrtd": "what the TD was built from",
    "rtmr0": "the virtual firmware's configuration",
    "rtmr1": "the boot loader and kernel",
    "rtmr2": "the kernel's command line and the initial RAM disk",
    "rtmr3": "what the software measured while it ran",
    "mrseam": "the TDX module",
    "mrconfigid": "the configuration that the TD's owner chose",
    "mrowner": "the TD's owner",
    "mrownerconfig": "the configuration that depends on the owner",
    "mrservicetd": "the service TDs",
    "xfam": "the processor's features that the TD may use",
    "fmspc": "the platform's family, model and stepping",
}


def _register(name: str, what: str) -> Rule:
    absent = ", or the quote has none (TDX 1.0)" if name == "mrservicetd" else ""
    return Rule(
        requirement=f"{name.upper()} is one of `tdx.{name}`.",
        meaning=f"The value, which says {what}, is not one that you know{absent}.",
        remedy=f"If you know the value in the detail, add it to `tdx.{name}`.",
        source="Intel PCK certificate profile, section SGX Extensions (FMSPC)"
        if name == "fmspc"
        else "Intel TDX DCAP Quoting Library API appendix A.3 (TD Quote Body)",
    )


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "policy.tcb-status": Rule(
            requirement="Intel's TCB status is one of `tdx.tcb-statuses`, or the TCB is within "
            "`tdx.grace-period-days`; so too that of the TDX module of now, where it is worse than "
            "that of the launch; a warning where it is accepted and not UpToDate.",
            meaning="Intel knows of flaws in the platform, its TDX module or its Quoting Enclave, "
            "or of a configuration that it must have; the advisories name them.",
            remedy="Have firmware and TDX module updated and the TD launched anew; or judge the "
            "advisories and accept the status.",
            source="Intel PCS API version 4, Get TDX TCB Info (tcbStatus); Intel DCAP Quote "
            "Verification Library, TcbLevelCheck",
        ),
        "policy.advisory": Rule(
            requirement="No advisory of `tdx.denied-advisories` applies to the platform, at launch "
            "or now.",
            meaning="The platform is open to a flaw that you do not accept.",
            remedy="Have the platform updated as Intel's advisory says.",
            source="Intel PCS API version 4, Get TDX TCB Info (advisoryIDs)",
        ),
        "policy.tcb-evaluation": Rule(
            requirement="TCB info and QE identity are of evaluation "
            "`tdx.minimum-tcb-evaluation` at least.",
            meaning="Older collateral is still valid, and does not know of flaws found since.",
            remedy="Fetch collateral of a later evaluation (PCS: update=early or "
            "tcbEvaluationDataNumber).",
            source="Intel PCS API version 4, Get TDX TCB Info (tcbEvaluationDataNumber)",
        ),
        "policy.collateral-age": Rule(
            requirement="TCB info and QE identity were issued at most "
            "`tdx.maximum-collateral-age-seconds` ago.",
            meaning="Intel may have changed its mind about the platform since.",
            remedy="Fetch current collateral.",
            source="Intel PCS API version 4, Get TDX TCB Info (issueDate)",
        ),
        "policy.migration": Rule(
            requirement="The TD cannot be migrated; a warning where `tdx.allow-migration` is set.",
            meaning="A migration TD may move the TD to another platform, at another TCB.",
            remedy="Launch the TD with MIGRATABLE clear, or trust the migration TD and name it in "
            "`tdx.mrservicetd`.",
            source="Intel TDX Module 1.5 ABI specification, TDCS.ATTRIBUTES (MIGRATABLE)",
        ),
        "policy.service-td": Rule(
            requirement="No service TD is or was bound to the TD, or `tdx.mrservicetd` names those "
            "that are; a warning where `tdx.allow-service-td` is set.",
            meaning="Another TD has rights over this one.",
            remedy="Launch the TD without service TDs, or name those that you trust in "
            "`tdx.mrservicetd`.",
            source="Intel TDX Module 1.5 ABI specification, TDINFO_STRUCT (SERVTD_HASH); extended "
            "TD report (INIT_SERVTD_HASH, CURR_SERVTD_HASH)",
        ),
        "policy.sept-ve-disable": Rule(
            requirement="SEPT_VE_DISABLE is set; a warning where "
            "`tdx.require-sept-ve-disable` is not.",
            meaning="The host can make memory accesses of the TD raise exceptions, and so steer "
            "software that handles them.",
            remedy="Launch the TD with SEPT_VE_DISABLE set, as current kernels demand.",
            source="Intel TDX Module 1.5 ABI specification, TDCS.ATTRIBUTES (SEPT_VE_DISABLE)",
        ),
        "policy.td-attributes": Rule(
            requirement="Every bit of TDATTRIBUTES that is set has a known meaning; a warning "
            "where `tdx.allow-reserved-attributes` is set.",
            meaning="A TDX module later than this release gave the bit a meaning, which may be "
            "a weakness.",
            remedy="Look the bit up in the module's specification; accept it if it does not "
            "matter, or update this software.",
            source="Intel TDX Module 1.5 ABI specification, TDCS.ATTRIBUTES",
        ),
        **{f"policy.{name}": _register(name, what) for name, what in _REGISTERS.items()},
    }
)

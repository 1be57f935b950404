"""What an appraisal finds of Azure confidential VMs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wasmtime_attestation.checks.rule import Rule

_DESIGN = "Microsoft, Azure confidential VMs guest attestation design"

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "policy.azure": Rule(
            requirement="The evidence is of an Azure confidential VM, where `azure.required` is "
            "set or anything else in `azure` is demanded.",
            meaning="What the policy demands of PCRs and of the paravisor cannot be held against "
            "this evidence.",
            remedy="Give the evidence of an Azure confidential VM. For other evidence write a "
            "policy of its own: with `azure.required` false, the hardware report of any such VM "
            "passes without its PCRs.",
            source=_DESIGN,
        ),
        "policy.tpm-quote": Rule(
            requirement="There is a quote of the vTPM; a warning where `azure.require-tpm-quote` "
            "is not set.",
            meaning="Nothing says what the guest booted, nor when the evidence was made.",
            remedy="Give the HCL report together with a quote of the vTPM.",
            source="TCG, TPM 2.0 Library, part 1, Attestation",
        ),
        "policy.secure-boot": Rule(
            requirement="The paravisor states that secure boot is on "
            "(`azure.require-secure-boot`).",
            meaning="The VM starts any boot loader.",
            remedy="Turn secure boot on for the VM, or compare PCR 7 with reference values.",
            source=f"{_DESIGN}, vm-configuration (secure-boot)",
        ),
        "policy.console": Rule(
            requirement="The paravisor states that there is no console, where "
            "`azure.allow-console` is false.",
            meaning="Whoever owns the VM in Azure may attach to its console and type there.",
            remedy="Turn the console off for the VM.",
            source=f"{_DESIGN}, vm-configuration (console-enabled)",
        ),
        "policy.vm-id": Rule(
            requirement="The VM's id is one of `azure.vm-ids`.",
            meaning="The evidence is of another VM, or its paravisor names none.",
            remedy="If you know the id in the detail, add it to `azure.vm-ids`.",
            source=f"{_DESIGN}, vm-configuration (vmUniqueId)",
        ),
        "policy.pcrs": Rule(
            requirement="Each PCR that `azure.pcrs` names was quoted, with one of its values.",
            meaning="The VM booted something that you do not know, or did not quote it.",
            remedy="Look into the boot log (--boot-log) for what was measured; if you know the "
            "value in the detail, add it to `azure.pcrs`.",
            source="TCG, PC Client Platform Firmware Profile Specification, PCR Usage",
        ),
    }
)

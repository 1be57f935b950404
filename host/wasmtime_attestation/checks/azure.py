"""The checks of Azure confidential VMs and of their vTPM's quotes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wasmtime_attestation.checks.rule import Rule

_HCL = "Microsoft, Azure confidential VMs guest attestation design"
_TPM = "TCG, TPM 2.0 Library, part 2, TPMS_ATTEST; part 1, Attestation"

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "azure.format": Rule(
            "The evidence has an HCL report of a known version and type, by its declared sizes; "
            "reserved and unused bytes are zero, and its runtime claims are strict JSON with one "
            "attestation key.",
            "It was cut, altered, or comes from a paravisor of a kind that is not known.",
            "Read the vTPM's index 0x01400001 again, in full.",
            _HCL,
        ),
        "azure.runtime-claims": Rule(
            "The digest of the runtime claims' bytes is the hardware report's report data, and "
            "nothing else is in it.",
            "The runtime claims, with the attestation key in them, are not those of the hardware "
            "report: they were altered, or two reports were mixed.",
            "Collect again; one report must be read in one go.",
            _HCL,
        ),
        "azure.paravisor": Rule(
            "The SEV-SNP report was asked for at VMPL 0, where the paravisor runs and the guest "
            "does not.",
            "The guest itself made the report and may have invented the runtime claims.",
            "Take the report from the vTPM, not from the guest's own device.",
            f"{_HCL}; AMD 56860, VMPL",
        ),
        "azure.td-report": Rule(
            "The TDREPORT in the HCL report and the TD quote say the same of the TD.",
            "The quote is of another TD, or the TDREPORT was altered: only the quote is signed.",
            "Ask for a quote of the TDREPORT that is in the report.",
            "Intel, TDX Module ABI Specification, TDREPORT_STRUCT",
        ),
        "tpm.format": Rule(
            "The quote is a TPMS_ATTEST of type quote with one selection in the SHA-256 bank.",
            "It is no quote, or one of other registers.",
            "Quote the SHA-256 bank.",
            _TPM,
        ),
        "tpm.signature": Rule(
            "The quote is signed (RSASSA-PKCS1-v1_5, SHA-256) by the attestation key in the "
            "runtime claims.",
            "The quote was altered or is of another VM's vTPM.",
            "Quote with the key at 0x81000003.",
            _TPM,
        ),
        "tpm.nonce": Rule(
            "The quote's extraData is the expected nonce.",
            "The quote was made for somebody else or is a replay.",
            "Quote again, with the nonce.",
            _TPM,
        ),
        "tpm.pcrs": Rule(
            "The quote selects exactly the PCRs that are given, and its digest is that of their "
            "values in ascending order.",
            "The values are not those that were quoted.",
            "Read the PCRs again; they may have been extended between reading and quoting.",
            _TPM,
        ),
    }
)

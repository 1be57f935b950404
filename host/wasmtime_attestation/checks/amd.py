"""The checks of AMD SEV-SNP."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wasmtime_attestation.checks.rule import Rule

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "snp.format": Rule(
            "The bytes are a SEV-SNP attestation report of a known version; every "
            "reserved byte is zero."
        ),
        "snp.signer": Rule(
            "The VCEK or VLEK is of the kind that the report names, with a P-384 key and "
            "AMD's extensions."
        ),
        "amd.vek": Rule("The VCEK or VLEK is signed by the ASK or ASVK."),
        "amd.ask": Rule("The ASK or ASVK is a certification authority, signed by the ARK."),
        "amd.ark": Rule("The ARK is self-signed and a pinned root, or one given as trusted."),
        "amd.validity": Rule("Every certificate of the chain is valid at the given instant."),
        "amd.revocation": Rule(
            "The ARK's revocation list is authentic, current and does not name the ASK or ASVK."
        ),
        "snp.signature": Rule("The report is signed by the VCEK or VLEK."),
        "snp.product": Rule(
            "The processor in the report, the certificate and the root are of one product line."
        ),
        "snp.tcb": Rule("The TCB version in the certificate equals REPORTED_TCB."),
        "snp.chip-id": Rule("The hardware id in the VCEK equals CHIP_ID."),
    }
)

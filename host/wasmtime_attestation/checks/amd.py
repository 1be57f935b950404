"""The checks of AMD SEV-SNP."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wasmtime_attestation.checks.rule import Rule

_REPORT = "AMD 56860, ATTESTATION_REPORT Structure"
_CHAIN = "AMD 57230, certificate chain"
_FETCH = (
    "Give the chain of the processor's product line and signing key with --endorsements (AMD's "
    "key service, /vcek/v1/{line}/cert_chain or /vlek/v1/{line}/cert_chain)."
)
_ALTERED = "Collect the report anew; if that fails too, do not trust the machine."

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "snp.format": Rule(
            requirement="The bytes are a SEV-SNP attestation report of a known version; every "
            "reserved byte is zero.",
            meaning="The report was cut or altered, or is of a version that is not known: what "
            "its fields mean is not certain.",
            remedy="Give the 1,184 bytes of the report alone; take a newer release for a newer "
            "report version.",
            source=_REPORT,
        ),
        "snp.signer": Rule(
            requirement="The VCEK or VLEK is of the kind that the report names, with a P-384 key "
            "and AMD's extensions.",
            meaning="The certificate of the key that signed the report is missing, or is not "
            "AMD's kind of certificate.",
            remedy="Give the certificate with --endorsements: of this chip and this TCB (AMD's "
            "key service, /vcek/v1/{line}/{chip id}), or the cloud's VLEK.",
            source=f"{_REPORT} (SIGNING_KEY); AMD 57230, X.509 Extensions",
        ),
        "amd.vek": Rule(
            requirement="The VCEK or VLEK is signed by the ASK or ASVK.",
            meaning="The certificate is not of that intermediate: it is of another product line, "
            "of the other kind of key, or forged.",
            remedy=_FETCH,
            source=f"{_CHAIN}; RFC 5280 section 6.1",
        ),
        "amd.ask": Rule(
            requirement="The ASK or ASVK is a certification authority, signed by the ARK.",
            meaning="The intermediate is missing, not AMD's, or may not sign certificates.",
            remedy=_FETCH,
            source=f"{_CHAIN}; RFC 5280 sections 4.2.1.3, 4.2.1.9 and 6.1",
        ),
        "amd.ark": Rule(
            requirement="The ARK is self-signed and a pinned root, or one given as trusted.",
            meaning="The chain ends at a root that nobody here trusts: the evidence is of a "
            "simulation, of hardware that is not known yet, or forged.",
            remedy="Give AMD's own chain; for a simulation of your own, name its root with "
            "--trust (the result then says SIMULATED).",
            source=f"{_CHAIN}; docs/threat-model.md (Who is trusted)",
        ),
        "amd.validity": Rule(
            requirement="Every certificate of the chain is valid at the given instant.",
            meaning="A certificate has expired or is not valid yet: AMD no longer vouches for it.",
            remedy="Fetch current certificates; for old evidence, verify --at an instant when "
            "they were valid.",
            source="RFC 5280 section 4.1.2.5",
        ),
        "amd.revocation": Rule(
            requirement="The ARK's revocation list is authentic, current and does not name the "
            "ASK or ASVK.",
            meaning="Failed: AMD has revoked the intermediate, or the list is old or not AMD's. "
            "Not checked: nobody looked.",
            remedy="Give the current list with --endorsements (AMD's key service, "
            "/vcek/v1/{line}/crl or /vlek/v1/{line}/crl); trust nothing under a revoked key.",
            source="AMD 57230, certificate revocation list; RFC 5280 sections 5 and 6.3",
        ),
        "snp.signature": Rule(
            requirement="The report is signed by the VCEK or VLEK.",
            meaning="The report was altered or forged, or is of another chip or TCB than the "
            "certificate.",
            remedy=f"Give the certificate of this chip and TCB. {_ALTERED}",
            source=f"{_REPORT} (SIGNATURE); AMD 56860, Digital Signatures",
        ),
        "snp.product": Rule(
            requirement="The processor in the report, the certificate and the root are of one "
            "product line.",
            meaning="The report names another processor than the certificates are for.",
            remedy=_FETCH,
            source=f"{_REPORT} (CPUID_FAM_ID, CPUID_MOD_ID); AMD 57230, product names",
        ),
        "snp.tcb": Rule(
            requirement="The TCB version in the certificate equals REPORTED_TCB.",
            meaning="The key is of another firmware version than the report claims: it says "
            "nothing about this one.",
            remedy="Fetch the VCEK for the versions in REPORTED_TCB, or a current VLEK.",
            source="AMD 57230, X.509 Extensions (blSPL, teeSPL, snpSPL, ucodeSPL, fmcSPL); "
            "AMD 56860, TCB Version",
        ),
        "snp.chip-id": Rule(
            requirement="The hardware id in the VCEK equals CHIP_ID.",
            meaning="Failed: the certificate is of another chip. Not checked: a VLEK hides the "
            "chip, which is no fault.",
            remedy="Fetch the VCEK for the CHIP_ID in the report.",
            source=f"AMD 57230, X.509 Extensions (hwID); {_REPORT} (CHIP_ID)",
        ),
    }
)

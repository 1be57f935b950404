"""The checks of Intel TDX."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wasmtime_attestation.checks.rule import Rule

_QUOTE = "Intel TDX DCAP Quoting Library API appendix A.3"
_PROFILE = "Intel SGX PCK Certificate and CRL Profile Specification"
_PCS = "Intel PCS API version 4"
_QVL = "Intel DCAP Quote Verification Library"
_FETCH = (
    "Give current collateral with --endorsements: TCB info, QE identity, their issuer chain, root "
    "CRL and PCK CRL, as Intel's PCS or a PCCS answers or in one bundle."
)
_ALTERED = "Collect the quote anew; if that fails too, do not trust the machine."

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "tdx.format": Rule(
            requirement="The bytes are a TDX quote of a known version (4 or 5) and body type, by "
            "its declared lengths; reserved bytes of the header are zero, and bytes after it are "
            "counted.",
            meaning="The quote was cut or altered, or is of a version that is not known: what its "
            "fields mean is not certain.",
            remedy="Give the whole quote as the machine made it; take a newer release for a newer "
            "quote version.",
            source=f"{_QUOTE} (Version 4 and Version 5 Quote Format)",
        ),
        "tdx.signature": Rule(
            requirement="Header and body of the quote are signed by the attestation key.",
            meaning="The quote was altered or forged.",
            remedy=_ALTERED,
            source=f"{_QUOTE} (ECDSA 256-bit Quote Signature Data Structure)",
        ),
        "tdx.qe-binding": Rule(
            requirement="The Quoting Enclave's REPORTDATA holds the attestation key and the "
            "authentication data.",
            meaning="The key that signed the quote is not the Quoting Enclave's.",
            remedy=_ALTERED,
            source=f"{_QUOTE} (QE Report Certification Data)",
        ),
        "intel.pck": Rule(
            requirement="The quote has a canonical chain of three certificates, or says which "
            "PCK it is and the endorsements have its certificate; this has Intel's SGX "
            "extensions and a P-256 key, and is signed by a PCK CA.",
            meaning="Nothing says which platform made the quote, or what says so is not Intel's.",
            remedy="Have the quote made with its certification data (type 5): the platform needs "
            "its PCK certificate from a PCCS or registration. Or fetch the certificate of the PCK "
            "in the detail (Intel's PCS, Get PCK Certificate).",
            source=f"{_PROFILE}, PCK Certificate and SGX Extensions; {_QUOTE} (certification "
            "data of types 1 to 3 and 5)",
        ),
        "intel.pck-ca": Rule(
            requirement="The PCK Platform or Processor CA is a certification authority, signed by "
            "the root.",
            meaning="The intermediate is not Intel's, or may not sign certificates.",
            remedy=_ALTERED,
            source=f"{_PROFILE}, Intermediate Certificates; RFC 5280 section 6.1",
        ),
        "intel.root": Rule(
            requirement="The root is self-signed and Intel's pinned root, or one given as trusted.",
            meaning="The chain ends at a root that nobody here trusts: the evidence is of a "
            "simulation or of pre-production hardware, or forged.",
            remedy="Do not trust it; for a simulation of your own, name its root with --trust "
            "(the result then says SIMULATED).",
            source=f"{_PROFILE}, Root Certificate; docs/threat-model.md (Who is trusted)",
        ),
        "intel.validity": Rule(
            requirement="Every certificate of the PCK chain is valid at the given instant.",
            meaning="A certificate has expired or is not valid yet: Intel no longer vouches for "
            "it.",
            remedy="Have the platform fetch its PCK certificate anew; for old evidence, verify "
            "--at an instant when it was valid.",
            source="RFC 5280 section 4.1.2.5",
        ),
        "tdx.qe-signature": Rule(
            requirement="The Quoting Enclave's report is signed by the PCK.",
            meaning="The Quoting Enclave did not run on the platform that the PCK certificate is "
            "for.",
            remedy=_ALTERED,
            source=f"{_QUOTE} (QE Report Certification Data); {_QVL}, Verify Quote",
        ),
        "intel.tcb-signer": Rule(
            requirement="A TCB signing certificate is issued by the root and valid.",
            meaning="Nothing vouches for the key that signed TCB info and QE identity.",
            remedy="Give the issuer chain that came with them (the headers "
            "TCB-Info-Issuer-Chain, SGX-Enclave-Identity-Issuer-Chain).",
            source=f"{_PCS}, Get TDX TCB Info; {_PROFILE}, TCB Signing Certificate",
        ),
        "intel.root-crl": Rule(
            requirement="The root's revocation list is authentic, current and names neither the "
            "PCK CA nor the TCB signing certificate.",
            meaning="Intel has revoked one of them, or nobody can tell: the list is missing, old, "
            "or not Intel's.",
            remedy="Give Intel's current root CRL; trust nothing under a revoked key.",
            source=f"{_PROFILE}, Root CA CRL; RFC 5280 section 6.3",
        ),
        "intel.pck-crl": Rule(
            requirement="The PCK CA's revocation list is authentic, current and does not name the "
            "PCK certificate.",
            meaning="Intel has revoked the platform (its keys may be stolen), or nobody can tell: "
            "the list is missing, old, or not the CA's.",
            remedy="Give the current PCK CRL of the same CA (platform or processor); do not trust "
            "a revoked platform.",
            source=f"{_PROFILE}, PCK CRL; {_PCS}, Get Revocation List; RFC 5280 section 6.3",
        ),
        "intel.tcb-info": Rule(
            requirement="The TDX TCB info is signed by the TCB signing certificate, current, and "
            "of the FMSPC and PCEID in the PCK certificate.",
            meaning="What Intel says of this kind of platform is missing, old, altered, or of "
            "another kind.",
            remedy=_FETCH,
            source=f"{_PCS}, Get TDX TCB Info; {_QVL}, Verify TCB Info",
        ),
        "intel.qe-identity": Rule(
            requirement="The TD QE identity is signed by the TCB signing certificate and current.",
            meaning="What Intel says of its Quoting Enclave is missing, old or altered.",
            remedy=_FETCH,
            source=f"{_PCS}, Get TDX Quoting Enclave Identity; {_QVL}, Verify QE Identity",
        ),
        "tdx.module": Rule(
            requirement="MRSIGNERSEAM and SEAMATTRIBUTES are those of a TDX module that the TCB "
            "info names.",
            meaning="The TDX module is not one that Intel signed for production.",
            remedy="Have the platform load a production TDX module; a newer one may need newer "
            "TCB info.",
            source=f"{_PCS}, Get TDX TCB Info (tdxModule, tdxModuleIdentities); {_QVL}, Verify "
            "TDX Module",
        ),
        "tdx.qe": Rule(
            requirement="The enclave that made the quote is the one of the TD QE identity, and "
            "not under debug.",
            meaning="Another enclave than Intel's TD Quoting Enclave made the quote, or one for "
            "debugging.",
            remedy="Have the platform use Intel's signed TD QE; do not trust the quote.",
            source=f"{_PCS}, Get TDX Quoting Enclave Identity; {_QVL}, Verify Enclave Report",
        ),
        "tdx.tcb": Rule(
            requirement="A TCB level matches the platform, its TDX module and its Quoting "
            "Enclave; the status of that level is a claim.",
            meaning="The platform is older than anything that Intel still rates, or newer than "
            "the TCB info.",
            remedy="Fetch current TCB info; if no level matches then, have the platform updated.",
            source=f"{_PCS}, Get TDX TCB Info (comparing TCBs); {_QVL}, Evaluate TDX TCB and "
            "Check for Relaunch",
        ),
    }
)

"""The checks of Intel TDX."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wasmtime_attestation.checks.rule import Rule

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "tdx.format": Rule(
            "The bytes are a TDX quote of a known version (4 or 5) and body type, by its "
            "declared lengths; reserved bytes of the header are zero, and bytes after it are "
            "counted."
        ),
        "tdx.signature": Rule("Header and body of the quote are signed by the attestation key."),
        "tdx.qe-binding": Rule(
            "The Quoting Enclave's REPORTDATA holds the attestation key and the "
            "authentication data."
        ),
        "intel.pck": Rule(
            "The quote has a canonical chain of three certificates; the PCK certificate "
            "has Intel's SGX extensions, a P-256 key, and is signed by a PCK CA."
        ),
        "intel.pck-ca": Rule(
            "The PCK Platform or Processor CA is a certification authority, signed by the root."
        ),
        "intel.root": Rule(
            "The root is self-signed and Intel's pinned root, or one given as trusted."
        ),
        "intel.validity": Rule("Every certificate of the PCK chain is valid at the given instant."),
        "tdx.qe-signature": Rule("The Quoting Enclave's report is signed by the PCK."),
        "intel.tcb-signer": Rule("A TCB signing certificate is issued by the root and valid."),
        "intel.root-crl": Rule(
            "The root's revocation list is authentic, current and names neither the "
            "PCK CA nor the TCB signing certificate."
        ),
        "intel.pck-crl": Rule(
            "The PCK CA's revocation list is authentic, current and does not name "
            "the PCK certificate."
        ),
        "intel.tcb-info": Rule(
            "The TDX TCB info is signed by the TCB signing certificate, current, and "
            "of the FMSPC and PCEID in the PCK certificate."
        ),
        "intel.qe-identity": Rule(
            "The TD QE identity is signed by the TCB signing certificate and current."
        ),
        "tdx.module": Rule(
            "MRSIGNERSEAM and SEAMATTRIBUTES are those of a TDX module that the TCB info names."
        ),
        "tdx.qe": Rule("The enclave that made the quote is the one of the TD QE identity."),
        "tdx.tcb": Rule(
            "A TCB level matches the platform, its TDX module and its Quoting Enclave; the "
            "status of that level is a claim."
        ),
    }
)

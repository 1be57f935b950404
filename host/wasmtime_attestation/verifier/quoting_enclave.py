"""Who vouches for the attestation key of a quote: the Quoting Enclave, and Intel for that.

Source: Intel, "Intel TDX DCAP Quoting Library API", appendix A.3, "QE Report Certification Data".
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.evidence.tdx_fields import QE_REPORT_DATA, PckReference
from wasmtime_attestation.verifier import intel_chain, p256
from wasmtime_attestation.verifier.intel_chain import IntelChain

CHECKS = ("tdx.qe-binding", *intel_chain.CHECKS, "tdx.qe-signature")


def verify(
    attestation_key: bytes,
    auth_data: bytes,
    pck_chain: bytes,
    reference: PckReference | None,
    endorsements: Endorsements,
    qe_report: bytes,
    qe_signature: bytes,
    anchors: Anchors,
    at: datetime,
    ledger: Ledger,
) -> IntelChain:
    """Verifies who vouches for an attestation key; the same for all quotes that it signs.

    Args:
        attestation_key: X and Y, 64 bytes.
        auth_data: what the Quoting Enclave binds to its report beside the key.
        pck_chain: PEM text of the PCK certificate and its authorities; empty with a reference.
        reference: which PCK it is, where the quote has no certificates.
        endorsements: where they are looked for then.
        qe_report: the Quoting Enclave's report, 384 bytes.
        qe_signature: R and S, 64 bytes, by the PCK.
        anchors: the roots to trust.
        at: the instant at which each certificate must be valid.
        ledger: records each check.

    Raises:
        RejectedError: a check failed.
        UnavailableError: the PCK certificate or an authority is missing.
    """
    _check_qe_binding(attestation_key, auth_data, qe_report, ledger)
    if reference is None:
        certificates = intel_chain.load(pck_chain, ledger)
    else:
        certificates = intel_chain.find(
            reference,
            endorsements.certificates,
            lambda pck: p256.is_signed(pck.key, qe_signature, qe_report),
            ledger,
        )
    chain = intel_chain.verify(certificates, at=at, anchors=anchors, ledger=ledger)
    if not p256.is_signed(chain.pck.key, qe_signature, qe_report):
        ledger.reject("tdx.qe-signature", "the PCK did not sign the Quoting Enclave's report")
    ledger.passed("tdx.qe-signature", "ECDSA P-256 by the PCK")
    return chain


def _check_qe_binding(
    attestation_key: bytes, auth_data: bytes, qe_report: bytes, ledger: Ledger
) -> None:
    """The QE's REPORTDATA is SHA-256 of key and authentication data, and zeros."""
    digest = hashlib.sha256(attestation_key + auth_data).digest()
    if not hmac.compare_digest(qe_report[QE_REPORT_DATA:], digest.ljust(64, b"\0")):
        ledger.reject(
            "tdx.qe-binding", "the Quoting Enclave does not vouch for this attestation key"
        )
    ledger.passed("tdx.qe-binding", "the Quoting Enclave's report holds the attestation key")

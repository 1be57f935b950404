"""Intel's certificate chain of a quote: PCK, PCK Platform or Processor CA, root.

Source: Intel, "Intel SGX PCK Certificate and Certificate Revocation List Profile Specification".
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.endorsements import intel_pck
from wasmtime_attestation.endorsements import x509 as certs
from wasmtime_attestation.endorsements.anchors import Anchor, Anchors
from wasmtime_attestation.endorsements.intel_pck import PckCertificate
from wasmtime_attestation.verifier import p256

CHECKS = ("intel.pck", "intel.pck-ca", "intel.root", "intel.validity")
_BEGIN = b"-----BEGIN CERTIFICATE-----"
_LENGTH = 3


@dataclass(frozen=True, slots=True)
class IntelChain:
    """A verified chain; revocation is another check.

    Attributes:
        pck: the platform's certificate.
        ca: the PCK Platform CA or PCK Processor CA.
        root: the root.
        anchor: what makes the root one.
        fingerprint: SHA-256 of the three certificates.
    """

    pck: PckCertificate
    ca: x509.Certificate
    root: x509.Certificate
    anchor: Anchor
    fingerprint: bytes


def verify(text: bytes, *, at: datetime, anchors: Anchors, ledger: Ledger) -> IntelChain:
    """Verifies the chain that stands in a quote.

    Args:
        text: the PCK certificate, its CA and the root, in PEM and in this order.
        at: the instant at which each must be valid.
        anchors: the roots to trust.
        ledger: records each check.

    Raises:
        RejectedError: a link, the root or a validity check failed.
    """
    try:
        leaf, ca, root = _load(text)
        pck = intel_pck.decode(leaf)
    except ValueError as error:
        ledger.reject("intel.pck", f"the quote has no valid PCK certificate chain: {error}")
    _check_pck(pck, ca, ledger)
    _check_ca(ca, root, ledger)
    anchor = _check_root(root, anchors, ledger)
    chain = (leaf, ca, root)
    fault = certs.invalid_at(chain, at)
    if fault is not None:
        ledger.reject("intel.validity", f"at {at.isoformat()}, {fault}")
    begins = max(certificate.not_valid_before_utc for certificate in chain)
    ends = min(certificate.not_valid_after_utc for certificate in chain)
    ledger.passed("intel.validity", f"all valid from {begins.isoformat()} to {ends.isoformat()}")
    fingerprint = hashlib.sha256(b"".join(map(certs.der, chain))).digest()
    return IntelChain(pck, ca, root, anchor, fingerprint)


def _load(text: bytes) -> tuple[x509.Certificate, x509.Certificate, x509.Certificate]:
    """Loads the three certificates; the text must be the one that they make.

    Raises:
        ValueError: it is not.
    """
    blocks = [_BEGIN + block for block in text.rstrip(b"\0").split(_BEGIN)[1:]]
    if len(blocks) != _LENGTH:
        raise ValueError(f"it has {len(blocks)} certificates, not {_LENGTH}")
    chain = [*map(certs.load_pem_certificate, blocks)]
    canonical = b"".join(map(certs.pem, chain))
    if text.rstrip(b"\0") not in (canonical, canonical.removesuffix(b"\n")):
        raise ValueError("its PEM text is not canonical")
    if not all(map(certs.has_whole_signature, chain)):
        raise ValueError("a certificate's signature is not a whole number of bytes")
    leaf, ca, root = chain
    return leaf, ca, root


def _check_pck(pck: PckCertificate, ca: x509.Certificate, ledger: Ledger) -> None:
    name = certs.common_name(ca.subject)
    if name not in intel_pck.AUTHORITIES:
        ledger.reject("intel.pck", f"the PCK certificate is followed by {name or 'an unnamed CA'}")
    if not p256.is_p256(ca.public_key()) or not certs.is_issued_by(pck.certificate, ca):
        ledger.reject("intel.pck", f"the PCK certificate is not signed by {name}")
    ledger.passed("intel.pck", f"of platform {pck.fmspc.hex()}, signed by {name}")


def _check_ca(ca: x509.Certificate, root: x509.Certificate, ledger: Ledger) -> None:
    name = certs.common_name(ca.subject)
    if not certs.is_authority(ca):
        ledger.reject("intel.pck-ca", f"{name} is no certification authority")
    if not p256.is_p256(root.public_key()) or not certs.is_issued_by(ca, root):
        ledger.reject("intel.pck-ca", f"{name} is not signed by the root that follows it")
    ledger.passed("intel.pck-ca", f"{name} is signed by {certs.common_name(root.subject)}")


def _check_root(root: x509.Certificate, anchors: Anchors, ledger: Ledger) -> Anchor:
    name = certs.common_name(root.subject)
    if not certs.is_authority(root, below=1) or not certs.is_issued_by(root, root):
        ledger.reject("intel.root", f"{name} is no self-signed certification authority")
    fingerprint = certs.spki_sha256(root)
    anchor = anchors.find(fingerprint)
    if anchor is None:
        ledger.reject(
            "intel.root",
            f"the chain ends at {name} (SPKI SHA-256 {fingerprint.hex()}), which is not Intel's "
            "root and was not given as trusted",
        )
    ledger.passed("intel.root", f"{anchor.name}{', SIMULATED' if anchor.simulated else ''}")
    return anchor

"""Intel's certificate chain of a quote: PCK, PCK Platform or Processor CA, root.

Most quotes have it with them; others only say which PCK signed, and it comes with the
endorsements.

Source: Intel, "Intel SGX PCK Certificate and Certificate Revocation List Profile Specification".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from cryptography import x509

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.endorsements import intel_pck
from wasmtime_attestation.endorsements import x509 as certs
from wasmtime_attestation.endorsements.anchors import Anchor, Anchors
from wasmtime_attestation.endorsements.intel_pck import PckCertificate
from wasmtime_attestation.evidence import pem
from wasmtime_attestation.evidence.tdx_fields import PckReference
from wasmtime_attestation.verifier import p256

CHECKS = ("intel.pck", "intel.pck-ca", "intel.root", "intel.validity")
_BEGIN = b"-----BEGIN CERTIFICATE-----"
_LENGTH = 3


class Certificates(NamedTuple):
    """A chain that is not verified.

    Attributes:
        leaf: the PCK certificate.
        ca: its PCK CA.
        root: the root.
        encoded: the three in DER, one after the other.
    """

    leaf: x509.Certificate
    ca: x509.Certificate
    root: x509.Certificate
    encoded: bytes


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


def load(text: bytes, ledger: Ledger) -> Certificates:
    """Loads the chain that stands in a quote.

    Args:
        text: the PCK certificate, its CA and the root, in PEM and in this order.
        ledger: records the check.

    Raises:
        RejectedError: it is no such text.
    """
    try:
        return _load(text)
    except ValueError as error:
        ledger.reject("intel.pck", f"the quote has no valid PCK certificate chain: {error}")


def verify(
    certificates: Certificates, *, at: datetime, anchors: Anchors, ledger: Ledger
) -> IntelChain:
    """Verifies a chain.

    Args:
        certificates: the chain.
        at: the instant at which each must be valid.
        anchors: the roots to trust.
        ledger: records each check.

    Raises:
        RejectedError: a link, the root or a validity check failed.
    """
    leaf, ca, root, encoded = certificates
    try:
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
    return IntelChain(pck, ca, root, anchor, hashlib.sha256(encoded).digest())


def find(
    reference: PckReference,
    certificates: Sequence[x509.Certificate],
    signed: Callable[[PckCertificate], bool],
    ledger: Ledger,
) -> Certificates:
    """Finds the chain of a quote that only says which PCK it is.

    Args:
        reference: what the quote says.
        certificates: what was given, in any order.
        signed: whether a PCK made the signature in question.
        ledger: records the check.

    Raises:
        RejectedError: every PCK certificate that was given is another.
        UnavailableError: there is none, or an authority is missing.
    """
    given = [c for c in certificates if certs.common_name(c.subject) == intel_pck.NAME]
    if not given:
        ledger.unavailable_all({
            "intel.pck": f"the PCK certificate for {_described(reference)}, which is not in the "
                         "quote, and its authorities",
        })  # fmt: skip
    fitting = [pck for pck in _decoded(given, ledger) if fits(pck, reference)]
    if not fitting:
        ledger.reject(
            "intel.pck",
            f"the quote is of the PCK certificate for {_described(reference)}, and none of the "
            f"{len(given)} that were given is it",
        )
    # An encrypted PPID tells no platform from another; the signature does.
    leaf = next(filter(signed, fitting), fitting[0]).certificate
    ca, root = _authorities(leaf, certificates, ledger)
    return Certificates(leaf, ca, root, b"".join(map(certs.der, (leaf, ca, root))))


def _decoded(given: list[x509.Certificate], ledger: Ledger) -> list[PckCertificate]:
    decoded, faults = [], []
    for certificate in given:
        try:
            decoded.append(intel_pck.decode(certificate))
        except ValueError as error:
            faults.append(str(error))
    if not decoded:
        ledger.reject("intel.pck", f"no PCK certificate can be used: {'; '.join(faults)}")
    return decoded


def fits(pck: PckCertificate, reference: PckReference) -> bool:
    """Whether a PCK certificate is the one that a quote names, as far as it says it plainly."""
    actual = (pck.cpu_svn, pck.pce_svn, pck.pce_id)
    is_of_platform = reference.ppid in (None, pck.ppid)
    return is_of_platform and actual == (reference.cpu_svn, reference.pce_svn, reference.pce_id)


def _described(reference: PckReference) -> str:
    ppid = "an encrypted PPID" if reference.ppid is None else f"PPID {reference.ppid.hex()}"
    return (
        f"{ppid}, CPUSVN {reference.cpu_svn.hex()}, PCESVN {reference.pce_svn} and PCEID "
        f"{reference.pce_id.hex()}"
    )


def _authorities(
    leaf: x509.Certificate, certificates: Sequence[x509.Certificate], ledger: Ledger
) -> tuple[x509.Certificate, x509.Certificate]:
    """Finds who issued a certificate, and who issued that; whether they did is checked later."""
    ca = _issuer(leaf, certificates)
    if ca is None:
        name = certs.common_name(leaf.issuer)
        ledger.unavailable_all({"intel.pck-ca": f"the certificate of {name} and the root's"})
    root = _issuer(ca, certificates)
    if root is None:
        ledger.unavailable_all({"intel.root": f"the certificate of {certs.common_name(ca.issuer)}"})
    return ca, root


def _issuer(
    certificate: x509.Certificate, certificates: Sequence[x509.Certificate]
) -> x509.Certificate | None:
    named = [c for c in certificates if c.subject == certificate.issuer]
    return max(named, key=lambda c: certs.is_issued_by(certificate, c), default=None)


def _load(text: bytes) -> Certificates:
    """Loads the three certificates; the text must be the one that they make.

    Raises:
        ValueError: it is not.
    """
    blocks = [_BEGIN + block for block in text.rstrip(b"\0").split(_BEGIN)[1:]]
    if len(blocks) != _LENGTH:
        raise ValueError(f"it has {len(blocks)} certificates, not {_LENGTH}")
    chain = [*map(certs.load_pem_certificate, blocks)]
    encoded = [*map(certs.der, chain)]
    canonical = b"".join(map(pem.encode, encoded))
    if text.rstrip(b"\0") not in (canonical, canonical.removesuffix(b"\n")):
        raise ValueError("its PEM text is not canonical")
    if not all(map(certs.has_whole_signature, chain, encoded)):
        raise ValueError("a certificate's signature is not a whole number of bytes")
    leaf, ca, root = chain
    return Certificates(leaf, ca, root, b"".join(encoded))


def _check_pck(pck: PckCertificate, ca: x509.Certificate, ledger: Ledger) -> None:
    name = certs.common_name(ca.subject)
    if name not in intel_pck.AUTHORITIES:
        ledger.reject("intel.pck", f"the PCK certificate is followed by {name or 'an unnamed CA'}")
    if not p256.is_p256(ca.public_key()) or not certs.is_issued_by(pck.certificate, ca):
        ledger.reject("intel.pck", f"the PCK certificate is not signed by {name}")
    if not certs.signs_data(pck.certificate):
        ledger.reject("intel.pck", "the PCK certificate's key is not one that signs data alone")
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

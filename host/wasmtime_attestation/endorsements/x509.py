"""X.509 certificates and revocation lists (RFC 5280), as far as vendors' chains use them."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.utils import CryptographyDeprecationWarning

MAX_SIZE = 1 << 20
"""Bytes in one file or blob of endorsements."""
MAX_ITEMS = 64
"""Certificates and revocation lists that one verification takes."""

# AMD gives every VCEK and VLEK the serial number 0, which RFC 5280 forbids.
warnings.filterwarnings(
    "ignore", message="Parsed a serial number", category=CryptographyDeprecationWarning
)


UNREADABLE: tuple[type[Exception], ...] = (
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What cryptography raises besides ValueError for a certificate that it does not read."""


def load_certificate(der: bytes) -> x509.Certificate:
    """Loads one DER certificate that is nothing but the certificate.

    Raises:
        ValueError: it is not one.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        # Forces what cryptography decodes late, so that it fails here and not in a check.
        _ = (certificate.extensions, certificate.subject, certificate.issuer)
        _ = certificate.public_key()
    except UNREADABLE as error:
        raise ValueError(str(error)) from error
    return certificate


def load_crl(der: bytes) -> x509.CertificateRevocationList:
    """Loads one DER certificate revocation list.

    Raises:
        ValueError: it is not one.
    """
    try:
        crl = x509.load_der_x509_crl(der)
        _ = (crl.extensions, crl.issuer, crl.last_update_utc, crl.next_update_utc)
    except UNREADABLE as error:
        raise ValueError(str(error)) from error
    return crl


def der(certificate: x509.Certificate | x509.CertificateRevocationList) -> bytes:
    """Returns the DER form."""
    return certificate.public_bytes(Encoding.DER)


def pem(certificate: x509.Certificate) -> bytes:
    """Returns the PEM form."""
    return certificate.public_bytes(Encoding.PEM)


def spki_sha256(certificate: x509.Certificate) -> bytes:
    """Returns SHA-256 of the certificate's SubjectPublicKeyInfo in DER."""
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).digest()


def common_name(name: x509.Name) -> str:
    """Returns the single common name, or "" where there is none or more than one."""
    values = [str(a.value) for a in name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    return values[0] if len(values) == 1 else ""


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the names match and the issuer's key made the signature."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether the certificate may sign certificates (basicConstraints, keyUsage)."""
    extensions = certificate.extensions
    try:
        constraints = extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return constraints.ca and usage.key_cert_sign


def is_signed_by(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    """Whether the issuer, which is an RSA authority here, signed a revocation list."""
    key = issuer.public_key()
    if crl.issuer != issuer.subject or not isinstance(key, rsa.RSAPublicKey):
        return False
    try:
        return crl.is_signature_valid(key)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


def invalid_at(certificates: Iterable[x509.Certificate], at: datetime) -> str | None:
    """Names the first certificate that is not valid at an instant, or returns None."""
    for certificate in certificates:
        name = common_name(certificate.subject)
        if at < certificate.not_valid_before_utc:
            return f"{name} is not valid before {certificate.not_valid_before_utc.isoformat()}"
        if at > certificate.not_valid_after_utc:
            return f"{name} expired at {certificate.not_valid_after_utc.isoformat()}"
    return None

"""X.509 certificates and revocation lists (RFC 5280), as far as vendors' chains use them.

Paths of any shape are for `x509_path.verify_path`; the predicates here are for the verifier of a
vendor whose chains have a fixed form, and hold each link to the same rules.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeAlias, cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtensionOID

MAX_SIZE = 1 << 20
"""Bytes in one file or blob of endorsements."""
MAX_ITEMS = 64
"""Certificates and revocation lists that one verification takes."""
MAX_NAME = 64
"""Characters in a common name (RFC 5280 appendix A.1, ub-common-name)."""

# AMD gives every VCEK and VLEK the serial number 0, which RFC 5280 forbids.
warnings.filterwarnings(
    "ignore", message="Parsed a serial number", category=CryptographyDeprecationWarning
)
# Of a name that is never used; nothing to tell the user of.
warnings.filterwarnings("ignore", message="Attribute's length must be", category=UserWarning)
_Key: TypeAlias = "rsa.RSAPublicKey | ec.EllipticCurvePublicKey"
_UNDERSTOOD = (ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE)
_HASHES = (SHA256, SHA384, SHA512)
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_RESTRICTIONS = (ExtensionOID.NAME_CONSTRAINTS, ExtensionOID.POLICY_CONSTRAINTS)
MIN_RSA_BITS = 2048
STRONG_KEYS = f"RSA from {MIN_RSA_BITS} bits, P-256, P-384 and P-521"

UNREADABLE: tuple[type[Exception], ...] = (
    ValueError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    TypeError,  # for a name with a BIT STRING in it
)
"""What cryptography raises for a certificate that it does not read."""


def load_certificate(der: bytes) -> x509.Certificate:
    """Loads one DER certificate that is nothing but the certificate.

    Raises:
        ValueError: it is not one.
    """
    return _whole(x509.load_der_x509_certificate, der)


def load_pem_certificate(pem: bytes) -> x509.Certificate:
    """Loads one PEM certificate.

    Raises:
        ValueError: it is not one.
    """
    return _whole(x509.load_pem_x509_certificate, pem)


def _whole(load: Callable[[bytes], x509.Certificate], data: bytes) -> x509.Certificate:
    """Forces what cryptography decodes late, so that it fails here and not in a check."""
    try:
        certificate = load(data)
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
    """Returns the single common name, or "" where there is none, more than one, or no such text.

    Names that nobody vouched for get into messages, so what RFC 5280 does not
    allow (more than 64 characters) or a terminal would obey is no name.
    """
    values = [str(a.value) for a in name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    is_name = len(values) == 1 and len(values[0]) <= MAX_NAME and values[0].isprintable()
    return values[0] if is_name else ""


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the names match and the issuer's key made the signature.

    The certificate is of version 3 and names one signature algorithm, inside and out, with
    SHA-256, SHA-384 or SHA-512; the issuer's key is one of `STRONG_KEYS`.
    """
    try:
        strong = isinstance(certificate.signature_hash_algorithm, _HASHES)
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return strong and certificate.version is x509.Version.v3 and has_strong_key(issuer)


def has_strong_key(certificate: x509.Certificate) -> bool:
    """Whether the certificate's key is one of `STRONG_KEYS`."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= MIN_RSA_BITS
    return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES)


def unknown_critical_extension(
    item: x509.Certificate | x509.CertificateRevocationList,
) -> str | None:
    """Returns the OID of an extension that must be understood and is not (RFC 5280 section 4.2)."""
    for extension in item.extensions:
        if extension.critical and extension.oid not in _UNDERSTOOD:
            oid: str = extension.oid.dotted_string
            return oid
    return None


def is_authority(certificate: x509.Certificate, *, below: int = 0) -> bool:
    """Whether the certificate may sign certificates, and constrains nothing but the length.

    Basic constraints are critical, as RFC 5280 section 4.2.1.9 has it. No chain of a fixed form
    has name constraints, so an authority that has any is refused rather than half obeyed.

    Args:
        certificate: the certificate.
        below: how many authorities stand between it and the end of the chain
            (RFC 5280 section 4.2.1.9, pathLenConstraint).
    """
    extensions = certificate.extensions
    try:
        basic = extensions.get_extension_for_class(x509.BasicConstraints)
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return False
    constraints = basic.value
    long_enough = constraints.path_length is None or constraints.path_length >= below
    may_sign = basic.critical and constraints.ca and usage.key_cert_sign
    return may_sign and long_enough and not _restricts(certificate)


def signs_data(certificate: x509.Certificate) -> bool:
    """Whether the certificate's key may sign data, and is no certification authority's."""
    extensions = certificate.extensions
    try:
        constraints = extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return usage.digital_signature and not usage.key_cert_sign and not constraints.ca


def _restricts(certificate: x509.Certificate) -> bool:
    """Whether there is an extension that narrows what counts below, and is not processed."""
    named = any(extension.oid in _RESTRICTIONS for extension in certificate.extensions)
    return named or unknown_critical_extension(certificate) is not None


def is_signed_by(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    """Whether the issuer, which may sign lists (RFC 5280 section 6.3.3 (f)), signed one.

    Its key is one of `STRONG_KEYS`, and the hash SHA-256, SHA-384 or SHA-512.
    """
    key = issuer.public_key()
    if crl.issuer != issuer.subject or not (has_strong_key(issuer) and _may_sign_lists(issuer)):
        return False
    try:
        strong = isinstance(crl.signature_hash_algorithm, _HASHES)
        return strong and crl.is_signature_valid(cast("_Key", key))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


def _may_sign_lists(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return usage.crl_sign


def is_current(crl: x509.CertificateRevocationList, at: datetime) -> bool:
    """Whether an instant is between thisUpdate and nextUpdate; a list without the latter is not."""
    return crl.next_update_utc is not None and crl.last_update_utc <= at <= crl.next_update_utc


def invalid_at(certificates: Iterable[x509.Certificate], at: datetime) -> str | None:
    """Names the first certificate that is not valid at an instant, or returns None."""
    for certificate in certificates:
        begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        if at < begins:
            return f"{common_name(certificate.subject)} is not valid before {begins.isoformat()}"
        if at > ends:
            return f"{common_name(certificate.subject)} expired at {ends.isoformat()}"
    return None


def has_whole_signature(certificate: x509.Certificate, encoded: bytes) -> bool:
    """Whether the signature's BIT STRING says that no bit of it is unused.

    Where the last bits are zero, another count would mean the same signature, so that
    one bit of a certificate could be turned and nobody would notice.

    Args:
        certificate: the certificate.
        encoded: its DER form.
    """
    return encoded[-len(certificate.signature) - 1] == 0

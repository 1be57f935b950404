"""Certificates and revocation lists with any defect that a test wants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512
from cryptography.x509.oid import NameOID
from wasmtime_attestation.endorsements.x509 import der

from tests.fakes.amd import AT, NOT_AFTER, NOT_BEFORE

PSS = padding.PSS(padding.MGF1(SHA384()), salt_length=48)
BASIC_CONSTRAINTS = "2.5.29.19"
KEY_USAGE = "2.5.29.15"
# BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE } (RFC 5280 section 4.2.1.9)
IS_AUTHORITY = bytes.fromhex("30030101ff")
IS_NO_AUTHORITY = bytes.fromhex("3000")
# KeyUsage ::= BIT STRING with digitalSignature alone (section 4.2.1.3)
SIGNS_DATA_ONLY = bytes.fromhex("03020780")


def name(common_name: str) -> x509.Name:
    """Returns a name that is a common name alone."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def reissue(
    original: x509.Certificate,
    issuer_key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    *,
    subject: str | x509.Name | None = None,
    issuer: str | None = None,
    not_before: datetime = NOT_BEFORE,
    not_after: datetime = NOT_AFTER,
    serial: int | None = None,
    public_key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey | None = None,
    extensions: Mapping[str, bytes | None] | None = None,
    critical: Iterable[str] = (),
    hash_algorithm: SHA256 | SHA384 | SHA512 | None = None,
    rsa_padding: padding.PSS | padding.PKCS1v15 = PSS,
) -> x509.Certificate:
    """Issues a certificate again, with what shall be different.

    Args:
        original: what is issued again.
        issuer_key: what signs it.
        subject, issuer: common names, or the whole name.
        not_before, not_after, serial, public_key: what they say.
        extensions: values by OID; None leaves the extension out.
        critical: OIDs of extensions that become critical.
        hash_algorithm, rsa_padding: how it is signed; SHA-384 and PSS where nothing is said.
    """
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject, original.subject))
        .issuer_name(_name(issuer, original.issuer))
        .serial_number(serial or original.serial_number)
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .public_key(public_key or _public_key(original))
    )
    changes = dict(extensions or {})
    for extension in original.extensions:
        oid = extension.oid.dotted_string
        value = extension.value
        if oid in changes:
            raw = changes.pop(oid)
            if raw is None:
                continue
            value = x509.UnrecognizedExtension(extension.oid, raw)
        builder = builder.add_extension(value, extension.critical or oid in critical)
    for oid, raw in changes.items():
        if raw is not None:
            added = x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), raw)
            builder = builder.add_extension(added, oid in critical)
    if isinstance(issuer_key, ec.EllipticCurvePrivateKey):
        return builder.sign(issuer_key, SHA384())
    return builder.sign(issuer_key, hash_algorithm or SHA384(), rsa_padding=rsa_padding)


def patched(
    original: x509.Certificate, old: bytes, new: bytes, issuer_key: rsa.RSAPrivateKey
) -> bytes:
    """Returns a certificate, in DER, that no builder makes: bytes replaced before it is signed.

    Args:
        original: a certificate that the same key signed.
        old: what is replaced, where it occurs first.
        new: as many bytes.
        issuer_key: what signs it.
    """
    assert len(old) == len(new)
    before = original.tbs_certificate_bytes
    assert old in before
    after = before.replace(old, new, 1)
    signature = issuer_key.sign(after, PSS, SHA384())
    return der(original).replace(before, after)[: -len(signature)] + signature


def signed_with_sha1(original: x509.Certificate, issuer_key: rsa.RSAPrivateKey) -> x509.Certificate:
    """Issues a certificate again with RSASSA-PKCS1-v1_5 and SHA-1, which no builder does."""
    # The algorithm's OID, 1.2.840.113549.1.1, ends in 11 for SHA-256 and in 5 for SHA-1.
    sha256, sha1 = (bytes.fromhex(f"06092a864886f70d0101{last}") for last in ("0b", "05"))
    model = reissue(original, issuer_key, hash_algorithm=SHA256(), rsa_padding=padding.PKCS1v15())
    body = model.tbs_certificate_bytes.replace(sha256, sha1)
    signature = issuer_key.sign(body, padding.PKCS1v15(), SHA1())  # noqa: S303
    data = der(model).replace(model.tbs_certificate_bytes, body).replace(sha256, sha1)
    return x509.load_der_x509_certificate(data[: -len(signature)] + signature)


def crl(
    issuer_certificate: x509.Certificate,
    key: rsa.RSAPrivateKey,
    *,
    revoked: Iterable[int] = (),
    begin: datetime = AT - timedelta(days=1),
    end: datetime = AT + timedelta(days=30),
    critical_extension: x509.ExtensionType | None = None,
) -> x509.CertificateRevocationList:
    """Returns a revocation list.

    Args:
        issuer_certificate: whose list it says it is.
        key: what signs it.
        revoked: serial numbers.
        begin, end: thisUpdate and nextUpdate.
        critical_extension: an extension of the list.
    """
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer_certificate.subject)
        .last_update(begin)
        .next_update(end)
    )
    for serial in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(begin)
        builder = builder.add_revoked_certificate(entry.build())
    if critical_extension is not None:
        builder = builder.add_extension(critical_extension, critical=True)
    return builder.sign(key, SHA384(), rsa_padding=PSS)


def crl_without_next_update(
    issuer_certificate: x509.Certificate, key: rsa.RSAPrivateKey
) -> x509.CertificateRevocationList:
    """Returns a list with no nextUpdate, which RFC 5280 section 5.1.2.5 forbids."""
    original = crl(issuer_certificate, key)
    body = original.tbs_certlist_bytes
    # The second UTCTime: tag 0x17, length 13, YYMMDDHHMMSSZ.
    at = body.index(b"\x17\x0d", body.index(b"\x17\x0d") + 15)
    header = 2 if body[1] < 0x80 else 2 + (body[1] & 0x7F)
    shortened = _sequence(body[header:at] + body[at + 15 :])
    algorithm = der(original).split(body, 1)[1][: -(len(original.signature) + 5)]
    signature = key.sign(shortened, PSS, SHA384())
    bit_string = b"\x03\x82" + (len(signature) + 1).to_bytes(2, "big") + b"\0" + signature
    return x509.load_der_x509_crl(_sequence(shortened + algorithm + bit_string))


def _name(wanted: str | x509.Name | None, otherwise: x509.Name) -> x509.Name:
    if wanted is None:
        return otherwise
    return name(wanted) if isinstance(wanted, str) else wanted


def _sequence(content: bytes) -> bytes:
    return b"\x30" + _length(len(content)) + content


def _length(size: int) -> bytes:
    """Writes a DER length (X.690 section 8.1.3)."""
    if size < 0x80:
        return bytes([size])
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def _public_key(
    certificate: x509.Certificate,
) -> ec.EllipticCurvePublicKey | rsa.RSAPublicKey:
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey)
    return key

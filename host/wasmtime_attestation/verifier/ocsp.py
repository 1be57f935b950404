"""OCSP (RFC 6960): whether somebody entitled says that a certificate is good, and when.

A response is good for a day or so, and not every verifier has one at hand: one that is not
current says nothing, unless it says that the certificate is revoked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.x509.ocsp import OCSPCertStatus
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from wasmtime_attestation.endorsements import x509 as certs
from wasmtime_attestation.endorsements.ocsp import Answer, OcspResponse

_DIGESTS = {"sha256": SHA256(), "sha384": SHA384(), "sha512": SHA512()}
_HOLD = x509.ReasonFlags.certificate_hold.value
_KNOWN_EXTENSIONS = {
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.EXTENDED_KEY_USAGE,
}


def missing(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    responses: Sequence[OcspResponse],
    at: datetime,
) -> str | None:
    """Returns None if a current response says that a certificate is good, else what is missing.

    Args:
        certificate: whose standing is asked.
        issuer: who made it, verified.
        responses: what there is, about any certificate.
        at: the instant at which a response must be current.

    Raises:
        ValueError: the certificate is revoked, suspended or unknown to its issuer, or a
            response about it is not authentic.
    """
    name = certs.common_name(certificate.subject)
    answers = list(_answers(certificate, issuer, responses, at))
    if not answers:
        return f"an OCSP response about {name}"
    for answer in _counting(answers, at):
        if not _is_good(answer):
            reason = f" ({answer.reason})" if answer.reason else ""
            raise ValueError(f"{name} is {answer.status.name.lower()}{reason}")
    if not any(_is_good(answer) and answer.is_current(at) for answer in answers):
        return (
            f"a current OCSP response about {name}: the newest is of "
            f"{max(answers, key=_newer).this_update.isoformat()}"
        )
    return None


def _counting(answers: Sequence[Answer], at: datetime) -> Iterator[Answer]:
    """Yields the answers that a bad word in counts: revocations, and the newest.

    A revocation is for ever; a suspension (certificateHold) may end (RFC 5280 section 5.3.1), so
    of it counts the newest word of all, and of those that were said by then.
    """
    for answer in answers:
        if answer.status is OCSPCertStatus.REVOKED and answer.reason != _HOLD:
            yield answer
    yield max(answers, key=_newer)
    if said := [answer for answer in answers if answer.this_update <= at]:
        yield max(said, key=_newer)


def _newer(answer: Answer) -> tuple[datetime, bool]:
    """Orders answers; of two of one instant, the bad one counts."""
    return answer.this_update, not _is_good(answer)


def _is_good(answer: Answer) -> bool:
    return answer.status is OCSPCertStatus.GOOD


def _answers(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    responses: Sequence[OcspResponse],
    at: datetime,
) -> list[Answer]:
    """Returns what authentic responses say of a certificate."""
    found = []
    for response in responses:
        about = [answer for answer in response.answers if answer.is_about(certificate, issuer)]
        if not about:
            continue
        current = any(answer.is_current(at) for answer in about)
        if not _is_authentic(response, issuer, at if current else None):
            names = [certs.common_name(c.subject) for c in (certificate, issuer)]
            raise ValueError(
                f"an OCSP response about {names[0]} is not signed by {names[1]} or a responder of "
                "its"
            )
        found += about
    return found


def _is_authentic(response: OcspResponse, issuer: x509.Certificate, at: datetime | None) -> bool:
    """Whether the issuer or a responder that it names signed (section 4.2.2.2)."""
    if _is_signed(response, issuer):
        return True
    return any(
        _is_responder(certificate, issuer, at) and _is_signed(response, certificate)
        for certificate in response.certificates
    )


def _is_responder(
    certificate: x509.Certificate, issuer: x509.Certificate, at: datetime | None
) -> bool:
    """Whether an issuer made a certificate for signing OCSP responses."""
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    unknown = any(e.critical and e.oid not in _KNOWN_EXTENSIONS for e in certificate.extensions)
    return (
        ExtendedKeyUsageOID.OCSP_SIGNING in usages
        and not unknown
        and (at is None or certs.invalid_at([certificate], at) is None)
        and certs.is_issued_by(certificate, issuer)
    )


def _is_signed(response: OcspResponse, signer: x509.Certificate) -> bool:
    key, digest = signer.public_key(), _DIGESTS.get(response.digest)
    if not isinstance(key, ec.EllipticCurvePublicKey) or digest is None:
        return False
    try:
        key.verify(response.signature, response.tbs, ec.ECDSA(digest))
    except InvalidSignature:
        return False
    return True

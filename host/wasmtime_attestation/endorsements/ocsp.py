"""OCSP responses (RFC 6960): what a certification authority says of certificates one by one.

Decoded, not verified.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.ocsp import OCSPCertStatus, OCSPResponseStatus

from wasmtime_attestation.endorsements import der
from wasmtime_attestation.endorsements import x509 as certs

MAX_ANSWERS = 64
_DIGESTS = {"sha1", "sha256", "sha384", "sha512"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said of one certificate.

    Attributes:
        digest: the name of the hash function of the next two.
        issuer_name_hash: of the issuer's name.
        issuer_key_hash: of the issuer's public key.
        serial_number: of the certificate.
        status: good, revoked or unknown.
        this_update, next_update: when it is so; the second may be absent.
        reason: why it was revoked; "" where nothing is said.
    """

    digest: str
    issuer_name_hash: bytes
    issuer_key_hash: bytes
    serial_number: int
    status: OCSPCertStatus
    this_update: datetime
    next_update: datetime | None
    reason: str

    def is_about(self, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
        """Whether it is about a certificate that an issuer made (section 4.1.1, CertID)."""
        if self.serial_number != certificate.serial_number:
            return False
        name = hashlib.new(self.digest, issuer.subject.public_bytes()).digest()
        key = hashlib.new(self.digest, _key_bits(issuer)).digest()
        return hmac.compare_digest(self.issuer_name_hash, name) and hmac.compare_digest(
            self.issuer_key_hash, key
        )

    def is_current(self, at: datetime) -> bool:
        """Whether an instant is between thisUpdate and nextUpdate; both must be there."""
        return self.next_update is not None and self.this_update <= at <= self.next_update


@dataclass(frozen=True, slots=True)
class OcspResponse:
    """A decoded response.

    Attributes:
        data: the whole, in DER.
        tbs: what is signed.
        signature: over it.
        digest: the name of the signature's hash function; "" if it has none.
        certificates: the responder's.
        answers: what is said, of one certificate each.
    """

    data: bytes
    tbs: bytes = field(compare=False)
    signature: bytes = field(compare=False)
    digest: str = field(compare=False)
    certificates: tuple[x509.Certificate, ...] = field(compare=False)
    answers: tuple[Answer, ...] = field(compare=False)


def decode(data: bytes) -> OcspResponse:
    """Decodes a response; one that is not successful, such as `unauthorized`, answers nothing.

    Raises:
        ValueError: it is none.
    """
    try:
        response = ocsp.load_der_ocsp_response(data)
        if response.public_bytes(Encoding.DER) != data:
            raise ValueError("the response is no canonical DER")
        if response.response_status is not OCSPResponseStatus.SUCCESSFUL:
            return OcspResponse(data, b"", b"", "", (), ())
        return _decode(data, response)
    except certs.UNREADABLE as error:
        raise ValueError(str(error)) from error


def _decode(data: bytes, response: ocsp.OCSPResponse) -> OcspResponse:
    if any(extension.critical for extension in response.extensions):
        raise ValueError("the response has a critical extension")
    answers: list[Answer] = []
    for single in response.responses:
        if len(answers) == MAX_ANSWERS:
            raise ValueError(f"the response has more than {MAX_ANSWERS} answers")
        answers.append(_answer(single))
    digest = response.signature_hash_algorithm
    return OcspResponse(
        data=data,
        tbs=response.tbs_response_bytes,
        signature=response.signature,
        digest="" if digest is None else digest.name,
        certificates=tuple(certs.load_certificate(certs.der(c)) for c in response.certificates),
        answers=tuple(answers),
    )


def _answer(single: ocsp.OCSPSingleResponse) -> Answer:
    if single.hash_algorithm.name not in _DIGESTS:
        raise ValueError("an answer has an unknown hash function")
    reason = single.revocation_reason
    return Answer(
        digest=single.hash_algorithm.name,
        issuer_name_hash=single.issuer_name_hash,
        issuer_key_hash=single.issuer_key_hash,
        serial_number=single.serial_number,
        status=single.certificate_status,
        this_update=single.this_update_utc,
        next_update=single.next_update_utc,
        reason="" if reason is None else reason.value,
    )


def _key_bits(certificate: x509.Certificate) -> bytes:
    """Returns the content of the BIT STRING subjectPublicKey (RFC 6960 section 4.1.1)."""
    spki = der.decode(
        certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )
    # The first octet counts unused bits, of which a key has none.
    return der.pair(spki)[1].content[1:]

"""NVIDIA's OCSP responder: whether a certificate is revoked.

Without a nonce, so that a response serves everybody until it ends; by SHA-384, as NVIDIA asks.

Source: RFC 6960 section 4.1, appendix A.1 (POST); NVIDIA attestation SDK.
"""

from __future__ import annotations

from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.ocsp import OCSPRequestBuilder

from wasmtime_attestation.endorsements import x509 as certs
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsers.question import Piece, Question


def standing(base: str, certificate: x509.Certificate, issuer: x509.Certificate) -> Question:
    """Asks for an OCSP response about a certificate."""
    builder = OCSPRequestBuilder().add_certificate(certificate, issuer, SHA384())
    file = f"nvidia-ocsp-{certificate.serial_number:x}.der"

    def is_about(found: Endorsements) -> bool:
        answers = (answer for response in found.ocsp for answer in response.answers)
        return any(answer.is_about(certificate, issuer) for answer in answers)

    return Question(
        what=f"an OCSP response about {certs.common_name(certificate.subject)}",
        url=base,
        pieces=lambda reply: (Piece(file, reply.body),),
        fits=is_about,
        max_age=timedelta(hours=1),
        body=builder.build().public_bytes(Encoding.DER),
        headers={
            "Content-Type": "application/ocsp-request",
            "Accept": "application/ocsp-response",
        },
    )

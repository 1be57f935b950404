"""OCSP responders with any defect that a test wants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from wasmtime_attestation.endorsements import ocsp as decoder
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.ocsp import OcspResponse
from wasmtime_attestation.endorsements.x509 import common_name

from tests.fakes.nvidia import AT, NOT_AFTER, OCSP_SIGNING, certificate, key_of

ISSUED, NEXT_UPDATE = AT - timedelta(hours=12), AT + timedelta(hours=12)
GOOD = ocsp.OCSPCertStatus.GOOD


@dataclass(frozen=True)
class Responder:
    """Who answers for an issuer, and how.

    Attributes:
        owner: who has the keys.
        is_delegated: whether it signs with a certificate of its own; else with the issuer's key.
        purposes: what that certificate is for.
        not_after: when it expires.
        issued_by: who issued it, if that is not the issuer.
    """

    owner: str = "NVIDIA"
    is_delegated: bool = True
    purposes: Sequence[x509.ObjectIdentifier] = (OCSP_SIGNING,)
    not_after: datetime = NOT_AFTER
    issued_by: str | None = None

    def respond(
        self,
        subject: x509.Certificate,
        issuer: x509.Certificate,
        *,
        status: ocsp.OCSPCertStatus = GOOD,
        begin: datetime = ISSUED,
        end: datetime | None = NEXT_UPDATE,
        reason: x509.ReasonFlags | None = None,
        digest: SHA256 | SHA384 | None = None,
    ) -> bytes:
        """Returns a response about a certificate, in DER."""
        is_revoked = status is ocsp.OCSPCertStatus.REVOKED
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=subject,
            issuer=issuer,
            algorithm=digest or SHA384(),
            cert_status=status,
            this_update=begin,
            next_update=end,
            revocation_time=begin if is_revoked else None,
            revocation_reason=reason if is_revoked else None,
        )
        signer, key = self._signer(issuer)
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer)
        if self.is_delegated:
            builder = builder.certificates([signer])
        return builder.sign(key, SHA384()).public_bytes(Encoding.DER)

    def _signer(
        self, issuer: x509.Certificate
    ) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        name = common_name(issuer.subject)
        issuer_key = key_of(self.owner, self.issued_by or name)
        if not self.is_delegated:
            # The library wants a certificate of the key that signs; the response has it not.
            return certificate(name, issuer_key, name, issuer_key, is_ca=True), issuer_key
        own = f"NVIDIA OCSP Responder {name}"
        key = key_of(self.owner, own)
        return (
            certificate(
                own, key, name, issuer_key, not_after=self.not_after, purposes=self.purposes
            ),
            key,
        )


def responses(*data: bytes) -> Endorsements:
    """Returns responses for a verifier."""
    return Endorsements(ocsp=tuple(map(decoder.decode, data)))


def about_path(
    path: Sequence[x509.Certificate], responder: Responder | None = None
) -> Iterable[OcspResponse]:
    """Returns a good response for each certificate of a path but the last."""
    for subject, issuer in pairwise(path):
        yield decoder.decode((responder or Responder()).respond(subject, issuer))

"""A host that holds itself to a policy: evidence of its own, verified as any relying party does."""

from __future__ import annotations

import secrets

from wasmtime_attestation import wit
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.issuer import NONCE_SIZE
from wasmtime_attestation.service import AttestationService


def check_self(service: AttestationService, policy: str, guest_digest: bytes | None) -> wit.Status:
    """Collects fresh evidence of the host, GPUs and all, verifies and appraises it.

    Args:
        service: the host.
        policy: the name of a policy that the service holds.
        guest_digest: SHA-256 of the guest that is to run, which the policy may name.

    Returns:
        the status, which the policy accepts.

    Raises:
        PolicyError, RejectedError: the host does not satisfy the policy.
        UnsupportedError: this machine has nothing that can be attested.
        UnavailableError: that cannot be established now.
    """
    if service.replays:
        raise RejectedError.of(
            "token.profile", "a recording is replayed, which says nothing about this machine"
        )
    nonce = secrets.token_bytes(NONCE_SIZE)
    result = service.attest(guest_digest, service.everything(), wit.Challenge(nonce))
    return service.verify(result.token, wit.Expectations(nonce=nonce, policy=policy)).status

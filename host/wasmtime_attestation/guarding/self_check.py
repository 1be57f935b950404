"""A host that holds itself to a policy: evidence of its own, verified as any relying party does."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass

from wasmtime_attestation import wit
from wasmtime_attestation.errors import RejectedError, UnsupportedError
from wasmtime_attestation.issuer import NONCE_SIZE
from wasmtime_attestation.policy import AppraisalPolicy
from wasmtime_attestation.service import AttestationService

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SelfCheck:
    """What a host must satisfy.

    Attributes:
        service: the host.
        policy: what it must satisfy.
        expected_gpus: how many GPUs the machine must have; None for as many as there are.
        replays: whether the host replays a recording.
    """

    service: AttestationService
    policy: AppraisalPolicy
    expected_gpus: int | None = None
    replays: bool = False

    def check(self, guest_digest: bytes | None) -> wit.Status:
        """Collects fresh evidence of the host, GPUs and all, verifies and appraises it.

        Args:
            guest_digest: SHA-256 of the guest that is to run, which the policy may name.

        Returns:
            the status; the policy accepts the host.

        Raises:
            PolicyError, RejectedError: the host does not satisfy the policy.
            UnsupportedError: this machine has nothing that can be attested.
            UnavailableError: that cannot be established now.
        """
        if self.replays:
            raise RejectedError.of(
                "token.profile", "a recording is replayed, which says nothing about this machine"
            )
        nonce = secrets.token_bytes(NONCE_SIZE)
        result = self.service.attest_host(guest_digest, self._target(), wit.Challenge(nonce))
        return self.service.verify_under(self.policy, result.token, nonce)

    def _target(self) -> wit.Target:
        """Everything: a GPU that cannot be attested must not be left out."""
        if self.expected_gpus is not None:
            return wit.TargetAll()
        try:
            return wit.TargetAll() if self.service.gpus() else wit.TargetVm()
        except UnsupportedError as error:
            log.info("no GPU: %s", error)
            return wit.TargetVm()

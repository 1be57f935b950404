"""Remembers which tokens a guest got, for the outcome of its run."""

from __future__ import annotations

import hashlib

from wasmtime_attestation import wit
from wasmtime_attestation.capabilities.rule import target_name
from wasmtime_attestation.world.issued_token import IssuedToken

MOST = 1000
"""Tokens that are remembered of one run; how often a guest asked is in `Outcome.calls`."""


class TokenRecorder:
    """The world of one run of a guest; each token is remembered once.

    Args:
        world: what answers.
    """

    def __init__(self, world: wit.World) -> None:
        self._world = world
        self._last: wit.AttestationResult | None = None
        self._tokens: dict[bytes, IssuedToken] = {}
        self.detect_tee = world.detect_tee
        self.verify_token = world.verify_token
        self.verify = world.verify
        self.clear_cache = world.clear_cache
        self.gpus = world.gpus

    @property
    def tokens(self) -> tuple[IssuedToken, ...]:
        """The tokens, in the order in which the guest first got them."""
        return tuple(self._tokens.values())

    def attest_vm(self) -> wit.AttestationResult:
        """Attests the virtual machine; see `wit.World`."""
        result = self._world.attest_vm()
        return result if result is self._last else self._record(result, "vm")

    def attest_gpu(self, gpu_index: int) -> wit.AttestationResult:
        """Attests a GPU; see `wit.World`."""
        result = self._world.attest_gpu(gpu_index)
        if result is self._last:
            return result
        return self._record(result, target_name(wit.TargetGpu(gpu_index)))

    def attest(self, target: wit.Target, challenge: wit.Challenge) -> wit.AttestationResult:
        """Answers a challenge; see `wit.World`."""
        return self._record(self._world.attest(target, challenge), target_name(target))

    def _record(self, result: wit.AttestationResult, target: str) -> wit.AttestationResult:
        self._last = result
        digest = hashlib.sha256(result.token.encode()).digest()
        if digest not in self._tokens and len(self._tokens) < MOST:
            service, expires_at = _claims_of(result.token)
            self._tokens[digest] = IssuedToken(
                digest, service, target, result.tee_type, result.timestamp, expires_at
            )
        return result


def _claims_of(token: str) -> tuple[str | None, int | None]:
    """Returns `iss` and `exp`; a service may write what is no JWT of a known form."""
    # Most guests get no token.
    from wasmtime_attestation.evidence import jwt
    from wasmtime_attestation.evidence.token import PROFILE, REPLAYED_PROFILE

    try:
        issued = jwt.issued(token)
        claims = jwt.decode(token).claims() if issued is None else issued[1]
    except (ValueError, RecursionError):
        return None, None
    issuer, expires_at = claims.get("iss"), claims.get("exp")
    is_own = claims.get("eat_profile") in (PROFILE, REPLAYED_PROFILE)
    service = issuer if isinstance(issuer, str) and not is_own else None
    return service, expires_at if isinstance(expires_at, int) else None

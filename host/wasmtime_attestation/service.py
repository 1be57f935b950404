"""The world in plain Python: what each function of the WIT does, without any wasm."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime

from wasmtime_attestation import wit
from wasmtime_attestation.appraisal.token import check_issuers_result
from wasmtime_attestation.attesters.machine import Machine
from wasmtime_attestation.cache.kept import Kept
from wasmtime_attestation.cache.key import VM, Key, ServiceName, own_key
from wasmtime_attestation.cache.tokens import TokenCache
from wasmtime_attestation.cache.verdicts import Verdicts
from wasmtime_attestation.challenge import check_challenge
from wasmtime_attestation.checked_world import CheckedWorld
from wasmtime_attestation.claims.verdict import Verdict
from wasmtime_attestation.config.host_settings import SERVICES
from wasmtime_attestation.errors import AttestationError, InvalidArgumentError
from wasmtime_attestation.evidence.token import PROFILE, REPLAYED_PROFILE
from wasmtime_attestation.issuer import TokenIssuer
from wasmtime_attestation.issuing import Order, Source
from wasmtime_attestation.issuing.own import EvidenceSource
from wasmtime_attestation.judge import Judge
from wasmtime_attestation.nonces.once import use_once
from wasmtime_attestation.policy import AppraisalPolicy
from wasmtime_attestation.service_settings import Settings as Settings
from wasmtime_attestation.summary import summarise
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.wit import Status

log = logging.getLogger(__name__)


class AttestationService:
    """One host: a machine, a signing key, and the tokens that are still good.

    Args:
        machine: where evidence comes from.
        settings: what is trusted and accepted.
        clock: the time, in seconds since the Unix epoch.
        issuer: what signs tokens; a new key where none is given.
        source: where guests' tokens come from; the issuer where none is given.
    """

    def __init__(
        self,
        machine: Machine,
        settings: Settings,
        clock: Callable[[], float],
        issuer: TokenIssuer | None = None,
        source: Source | None = None,
    ) -> None:
        self._machine = machine
        self._settings = settings
        self._clock = clock
        profile = PROFILE if settings.recorded is None else REPLAYED_PROFILE
        self.issuer = self._issuer = issuer or TokenIssuer(profile=profile)
        self._own = EvidenceSource(machine, self._issuer, clock)
        self._source = source or self._own
        self._judge = Judge(settings, self._issuer)
        self._verdicts = Verdicts(*(() if settings.recorded is None else (0,)))
        self._cache = TokenCache.of(settings.cache, clock, self._accepts)

    def for_guest(self, digest: bytes | None) -> CheckedWorld:
        """Returns the world as one guest sees it.

        Args:
            digest: SHA-256 of the guest's bytes, which its tokens will state;
                None where the host does not know the guest.
        """
        return _GuestWorld(self, digest)

    def detect_tee(self) -> wit.TeeInfo:
        """Says which trusted execution environment was found."""
        return self._machine.info()

    def gpus(self) -> tuple[wit.GpuInfo, ...]:
        """Lists the GPUs that the host can see."""
        return self._machine.gpus()

    def attest_cached(self, guest_digest: bytes | None) -> wit.AttestationResult:
        """Returns a token about the virtual machine, a former one while it is fresh."""
        return self._cached(guest_digest, VM, wit.TargetVm())

    def attest_gpu_cached(self, guest_digest: bytes | None, index: int) -> wit.AttestationResult:
        """Returns a token about a GPU, a former one of the same device while it is fresh."""
        gpu = self._machine.gpu(index)
        return self._cached(guest_digest, gpu.uuid, wit.TargetGpu(index))

    def _cached(
        self, guest_digest: bytes | None, target: str, asked: wit.Target
    ) -> wit.AttestationResult:
        key = self._key(guest_digest, target)
        return self._cache.token(key, lambda: self._issue(guest_digest, asked, None))

    def _key(self, guest_digest: bytes | None, target: str) -> Key:
        """A service's tokens outlive this process; what falls back may be ours, and does not."""
        kind = self._source.kind
        if kind not in SERVICES:
            return own_key(target, guest_digest, self._issuer.key_thumbprint)
        names = sorted(name for issuer in self._source.issuers for name in issuer.names)
        return Key(kind, target, guest_digest, service=ServiceName(kind, " ".join(names)))

    def clear_cache(self, guest_digest: bytes | None) -> None:
        """Forgets the tokens kept for a guest, and those that it had accepted."""
        self._verdicts.clear(guest_digest)
        self._cache.clear(guest_digest)

    def attest(
        self, guest_digest: bytes | None, target: wit.Target, challenge: wit.Challenge
    ) -> wit.AttestationResult:
        """Returns a token with fresh evidence about a target.

        Args:
            guest_digest: SHA-256 of the guest.
            target: what the evidence is about.
            challenge: what it answers.
        """
        check_challenge(challenge)
        # Never from the cache: a challenge is answered by fresh evidence.
        return self._issue(guest_digest, target, challenge).result

    def attest_host(
        self, guest_digest: bytes | None, target: wit.Target, challenge: wit.Challenge
    ) -> wit.AttestationResult:
        """Returns an evidence token whatever kind guests get: it alone attests this host's key."""
        check_challenge(challenge)
        return self._issue(guest_digest, target, challenge, self._own).result

    def check_token(self, token: str, guest_digest: bytes | None = None) -> Status:
        """Returns the status of a token of this host or a configured service under its policy.

        A token that a guest had accepted is not verified again while that would come out the same.

        Raises:
            AttestationError: it is not accepted.
        """
        # Of the terms of a verdict only these change: a service may have new keys.
        return self._verdicts.status(
            guest_digest, token, self._source.issuers, int(self._clock()), self._judge.status
        )

    def _accepts(self, token: str) -> bool:
        try:
            # Keys on a disk would prove nothing: whoever writes tokens there could write them too.
            self._source.learn_keys()
            self.check_token(token)
        except AttestationError as error:
            log.info("a token from the disk is not used: %s", error)
            return False
        return True

    def verify_once(
        self, guest_digest: bytes | None, token: str, expected: wit.Expectations
    ) -> wit.Verdict:
        """Verifies a token for a guest, and accepts each nonce once where a record is kept."""
        verdict = self.verify(token, expected)
        if self._settings.nonces is not None and expected.nonce is not None:
            use_once(self._settings.nonces, expected.nonce, verdict.expires_at, guest_digest)
        return verdict

    def verify(self, token: str, expected: wit.Expectations) -> wit.Verdict:
        """Verifies a token of any host or configured service against what a guest expects."""
        verdict, status = self._verified(token, expected, self._policy(expected.policy))
        return wit.Verdict(
            issuer=verdict.issuer,
            tee_type=verdict.tee_type,
            status=status,
            issued_at=verdict.issued_at,
            expires_at=verdict.expires_at,
            guest_digest=verdict.guest_digest,
            claims=json.dumps(verdict.to_json(), separators=(",", ":")),
        )

    def verify_under(self, policy: AppraisalPolicy, token: str, nonce: bytes) -> Status:
        """Returns the status of a token that answers the host's own challenge, under a policy."""
        return self._verified(token, wit.Expectations(nonce=nonce), policy)[1]

    def _verified(
        self, token: str, expected: wit.Expectations, policy: AppraisalPolicy | None
    ) -> tuple[Verdict, Status]:
        at = datetime.fromtimestamp(self._now(), UTC)
        wanted = Expected(expected.nonce, expected.audience, expected.max_age_seconds)
        verdict = self._judge.verify(token, wanted, policy, self._source.issuers, at)
        check_issuers_result(verdict)
        return verdict, Status.NONE if policy is None else self._judge.appraise(verdict, policy, at)

    def _issue(
        self,
        guest_digest: bytes | None,
        target: wit.Target,
        challenge: wit.Challenge | None,
        source: Source | None = None,
    ) -> Kept:
        asked = challenge or wit.Challenge(b"", None, None)
        issued = (source or self._source).issue(
            Order(target, asked.nonce or None, guest_digest, asked.user_data, asked.audience)
        )
        summary = summarise(issued.evidence) if self._settings.evidence_summary else None
        result = wit.AttestationResult(
            token=issued.text,
            evidence=summary,
            timestamp=issued.issued_at,
            tee_type=self._tee_type(target),
        )
        return Kept(result, issued.expires_at, issued.issued_at)

    def _tee_type(self, target: wit.Target) -> wit.TeeType:
        vm = self._machine.vm.info().tee_type
        if isinstance(target, wit.TargetGpu) and vm is not wit.TeeType.SIMULATED:
            return wit.TeeType.NVIDIA_GPU
        return vm

    def _policy(self, name: str | None) -> AppraisalPolicy | None:
        if name is None:
            return None
        try:
            return self._settings.policies[name]
        except KeyError:
            known = ", ".join(sorted(self._settings.policies))
            raise InvalidArgumentError(
                f"this host has no policy of that name; it has {known}"
            ) from None

    def _now(self) -> int:
        return int(self._clock())


class _GuestWorld:
    """`wit.World` for one guest."""

    def __init__(self, service: AttestationService, digest: bytes | None) -> None:
        self._service = service
        self._digest = digest

    def detect_tee(self) -> wit.TeeInfo:
        return self._service.detect_tee()

    def attest_vm(self) -> wit.AttestationResult:
        return self._service.attest_cached(self._digest)

    def attest_gpu(self, gpu_index: int) -> wit.AttestationResult:
        return self._service.attest_gpu_cached(self._digest, gpu_index)

    def verify_token(self, token: str) -> bool:
        try:
            self._service.check_token(token, self._digest)
        except AttestationError as error:
            log.info("verify-token answers false: %s", error)
            return False
        return True

    def check_token(self, token: str) -> Status:
        return self._service.check_token(token, self._digest)

    def clear_cache(self) -> None:
        self._service.clear_cache(self._digest)

    def gpus(self) -> list[wit.GpuInfo]:
        return list(self._service.gpus())

    def attest(self, target: wit.Target, challenge: wit.Challenge) -> wit.AttestationResult:
        return self._service.attest(self._digest, target, challenge)

    def verify(self, token: str, expected: wit.Expectations) -> wit.Verdict:
        return self._service.verify_once(self._digest, token, expected)

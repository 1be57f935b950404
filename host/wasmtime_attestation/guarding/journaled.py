"""The world of one guest, each of whose calls is recorded in the journal."""

from __future__ import annotations

import functools
import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Protocol, Self

from wasmtime_attestation import wit
from wasmtime_attestation.capabilities.rule import target_name
from wasmtime_attestation.capabilities.terms import GuestIdentity
from wasmtime_attestation.checked_world import CheckedWorld
from wasmtime_attestation.errors import AttestationError, InternalError
from wasmtime_attestation.journal.decision import (
    Decision,
    Function,
    Verdict,
    findings_of,
    sha256,
    verdict_of,
)

log = logging.getLogger(__name__)
EVIDENCE = "evidence"
"""Who issued an evidence token: no service."""


class Recorder(Protocol):
    """Keeps decisions; a `Journal` is one."""

    def record(self, decision: Decision) -> None:
        """Records a decision.

        Raises:
            InternalError: it cannot be written, and calls must fail then.
        """


class Entry:
    """One decision that is being made: it is recorded at the end of a `with` block.

    Attributes:
        decision: what is known of it; the block may add to it.

    Args:
        recorder: where to record it.
        decision: what is known before.
        clock: a monotonic time in nanoseconds.
    """

    def __init__(
        self,
        recorder: Recorder,
        decision: Decision,
        clock: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self._recorder, self._clock = recorder, clock
        self.decision = decision

    def __enter__(self) -> Self:
        self._begin = self._clock()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        duration = (self._clock() - self._begin) // 1000
        self._recorder.record(replace(self._decided(error), duration=duration))

    def _decided(self, error: BaseException | None) -> Decision:
        if error is None:
            return self.decision
        if not isinstance(error, AttestationError):
            # Only its class: its text may hold anything.
            error = InternalError(f"the host failed: {type(error).__name__}; its log says why")
        return replace(self.decision, verdict=verdict_of(error), findings=findings_of(error))


class Journaled:
    """A world that records each call, also one that is refused or fails.

    Where the journal cannot be written and calls must fail then, they raise `InternalError`;
    `verify_token` says false.

    Args:
        world: what answers.
        recorder: the journal.
        guest: who calls.
    """

    def __init__(self, world: CheckedWorld, recorder: Recorder, guest: GuestIdentity) -> None:
        self._world = world
        self._recorder = recorder
        self._guest = guest

    def detect_tee(self) -> wit.TeeInfo:
        """Says what was found; see `wit.World`."""
        with self._entry(Function.DETECT_TEE):
            return self._world.detect_tee()

    def attest_vm(self) -> wit.AttestationResult:
        """Attests the virtual machine; see `wit.World`."""
        with self._entry(Function.ATTEST_VM, target="vm") as entry:
            return _issued(entry, self._world.attest_vm())

    def attest_gpu(self, gpu_index: int) -> wit.AttestationResult:
        """Attests a GPU; see `wit.World`."""
        target = target_name(wit.TargetGpu(gpu_index))
        with self._entry(Function.ATTEST_GPU, target=target) as entry:
            return _issued(entry, self._world.attest_gpu(gpu_index))

    def attest(self, target: wit.Target, challenge: wit.Challenge) -> wit.AttestationResult:
        """Answers a challenge; see `wit.World`."""
        with self._entry(
            Function.ATTEST,
            target=target_name(target),
            nonce_sha256=sha256(challenge.nonce),
            audience=challenge.audience,
        ) as entry:
            return _issued(entry, self._world.attest(target, challenge))

    def verify_token(self, token: str) -> bool:
        """Whether the host accepts a token; the journal has the reason."""
        try:
            self.check_token(token)
        except AttestationError as error:
            log.info("verify-token says false: %s", error)
            return False
        return True

    def check_token(self, token: str) -> wit.Status:
        """Returns the token's status; raises why `verify_token` says false."""
        with self._entry(Function.VERIFY_TOKEN, token_sha256=_digest(token)):
            return self._world.check_token(token)

    def verify(self, token: str, expected: wit.Expectations) -> wit.Verdict:
        """Verifies a token; see `wit.World`."""
        with self._entry(
            Function.VERIFY,
            token_sha256=_digest(token),
            nonce_sha256=sha256(expected.nonce),
            audience=expected.audience,
            policy=expected.policy,
        ) as entry:
            verdict = self._world.verify(token, expected)
            entry.decision = replace(entry.decision, service=verdict.issuer)
            return verdict

    def clear_cache(self) -> None:
        """Forgets the guest's tokens; see `wit.World`."""
        with self._entry(Function.CLEAR_CACHE):
            self._world.clear_cache()

    def gpus(self) -> list[wit.GpuInfo]:
        """Lists the GPUs; see `wit.World`."""
        with self._entry(Function.GPUS):
            return self._world.gpus()

    def _entry(
        self,
        function: Function,
        *,
        target: str | None = None,
        nonce_sha256: bytes | None = None,
        audience: str | None = None,
        token_sha256: bytes | None = None,
        policy: str | None = None,
    ) -> Entry:
        decision = Decision(
            function,
            Verdict.OK,
            guest=self._guest.name,
            guest_digest=self._guest.digest,
            target=target,
            nonce_sha256=nonce_sha256,
            audience=audience,
            token_sha256=token_sha256,
            policy=policy,
        )
        return Entry(self._recorder, decision)


def _issued(entry: Entry, result: wit.AttestationResult) -> wit.AttestationResult:
    token, service, evidence = _described(result.token)
    entry.decision = replace(
        entry.decision, token_sha256=token, service=service, evidence_sha256=evidence
    )
    return result


@functools.lru_cache(maxsize=16)
def _described(token: str) -> tuple[bytes, str | None, tuple[bytes, ...]]:
    """Returns a token's digest, who issued it, and the digests of the evidence in it.

    A guest gets the same token again and again, so that the last ones are remembered.
    """
    # Most guests get no token, and most hosts keep no journal.
    from wasmtime_attestation.evidence import jwt
    from wasmtime_attestation.evidence.token import EvidenceToken

    digest = _digest(token)
    try:
        issued = jwt.issued(token)
        if issued is not None:
            issuer = issued[1].get("iss")
            return digest, issuer if isinstance(issuer, str) else None, ()
        payload = EvidenceToken.from_payload(jwt.decode(token).claims())
    except (AttestationError, ValueError, RecursionError):
        return digest, None, ()
    pieces = tuple(hashlib.sha256(piece.data).digest() for piece in payload.evidence)
    return digest, EVIDENCE, pieces


def _digest(token: str) -> bytes:
    """Returns a token's digest; a guest may pass what UTF-8 cannot encode."""
    return hashlib.sha256(token.encode("utf-8", "backslashreplace")).digest()

"""The world of one guest under a rule."""

from __future__ import annotations

import logging

from wasmtime_attestation import wit
from wasmtime_attestation.capabilities.rate import Rates
from wasmtime_attestation.capabilities.rule import Rule
from wasmtime_attestation.capabilities.terms import CLASSES, GuestFunction, IssuedKind
from wasmtime_attestation.checked_world import CheckedWorld
from wasmtime_attestation.errors import AttestationError, DeniedError

log = logging.getLogger(__name__)


class Guarded:
    """A world that does what a rule allows.

    What the rule forbids raises `DeniedError`, but `verify_token` says false. The ABIs have no
    error for `detect-tee` and `clear-cache`: guests are told `none`, and nothing.

    Args:
        world: what the guest would have without the rule.
        rule: what it may do.
        rates: what it has left of the calls that it may make.
        kinds: the kinds of token that the host may issue.
    """

    def __init__(
        self, world: CheckedWorld, rule: Rule, rates: Rates, kinds: frozenset[IssuedKind]
    ) -> None:
        self._world = world
        self._rule = rule
        self._rates = rates
        self._kinds = kinds
        self._warned = False

    def detect_tee(self) -> wit.TeeInfo:
        """Says what was found; see `wit.World`."""
        self._check(GuestFunction.DETECT_TEE)
        return self._world.detect_tee()

    def attest_vm(self) -> wit.AttestationResult:
        """Attests the virtual machine; see `wit.World`."""
        self._check_attestation(GuestFunction.ATTEST_VM, wit.TargetVm())
        return self._world.attest_vm()

    def attest_gpu(self, gpu_index: int) -> wit.AttestationResult:
        """Attests a GPU; see `wit.World`."""
        self._check_attestation(GuestFunction.ATTEST_GPU, wit.TargetGpu(gpu_index))
        return self._world.attest_gpu(gpu_index)

    def attest(self, target: wit.Target, challenge: wit.Challenge) -> wit.AttestationResult:
        """Answers a challenge; see `wit.World`."""
        self._check_attestation(
            GuestFunction.ATTEST, target, challenge.audience, challenge.user_data or b""
        )
        return self._world.attest(target, challenge)

    def verify_token(self, token: str) -> bool:
        """Whether the guest may ask, and the host accepts the token, as well as the rule wants."""
        try:
            self.check_token(token)
        except AttestationError as error:
            self._tell(error)
            return False
        return True

    def check_token(self, token: str) -> wit.Status:
        """Returns the token's status; raises why `verify_token` says false."""
        self._check(GuestFunction.VERIFY_TOKEN)
        status = self._world.check_token(token)
        self._rule.check_status(status)
        return status

    def verify(self, token: str, expected: wit.Expectations) -> wit.Verdict:
        """Verifies a token, which must reach the rule's status; see `wit.World`."""
        self._check(GuestFunction.VERIFY)
        verdict = self._world.verify(token, expected)
        self._rule.check_status(verdict.status)
        return verdict

    def clear_cache(self) -> None:
        """Forgets the guest's tokens; see `wit.World`."""
        self._check(GuestFunction.CLEAR_CACHE)
        self._world.clear_cache()

    def gpus(self) -> list[wit.GpuInfo]:
        """Lists the GPUs; see `wit.World`."""
        self._check(GuestFunction.GPUS)
        return self._world.gpus()

    def _check(self, function: GuestFunction) -> None:
        self._rule.check_function(function)
        self._rates.take(CLASSES[function])

    def _check_attestation(
        self,
        function: GuestFunction,
        target: wit.Target,
        audience: str | None = None,
        user_data: bytes = b"",
    ) -> None:
        self._rule.check_function(function)
        self._rule.check_bound(function, audience, user_data)
        self._rule.check_tokens(self._kinds)
        # Counted before the driver is asked for a UUID.
        self._rates.take(CLASSES[function])
        self._rule.check_target(target, self._uuid(target))

    def _uuid(self, target: wit.Target) -> str | None:
        if not (self._rule.names_devices and isinstance(target, wit.TargetGpu)):
            return None
        found = [gpu.uuid for gpu in self._world.gpus() if gpu.index == target.value]
        return found[0] if found else None

    def _tell(self, error: AttestationError) -> None:
        """Warns of the first denial that the guest cannot be told; it must not fill the log."""
        is_news = isinstance(error, DeniedError) and not self._warned
        self._warned = self._warned or is_news
        log.log(logging.WARNING if is_news else logging.INFO, "verify-token says false: %s", error)

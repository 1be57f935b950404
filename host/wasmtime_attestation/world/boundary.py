"""The last line before a guest: whatever the host does wrong, a guest sees an error of the world.

Both ABIs call the service through `Boundary`, so neither needs a policy of its
own about unexpected exceptions. `KeyboardInterrupt`, `SystemExit` and their
like are not the guest's business and pass.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from wasmtime_attestation import wit
from wasmtime_attestation.errors import CASES, AttestationError, InternalError

log = logging.getLogger(__name__)
T = TypeVar("T")


class Boundary:
    """A `wit.World` that raises nothing but `AttestationError`.

    Args:
        world: what to call.
    """

    def __init__(self, world: wit.World) -> None:
        self._world = world

    def detect_tee(self) -> wit.TeeInfo:
        """`attestation.detect-tee`; `none` where the host failed."""
        nothing = wit.TeeInfo(
            wit.TeeType.NONE, supports_attestation=False, provider="", gpu_count=0
        )
        return self._or(nothing, self._world.detect_tee)

    def attest_vm(self) -> wit.AttestationResult:
        """`attestation.attest-vm`."""
        return self._call(self._world.attest_vm)

    def attest_gpu(self, gpu_index: int) -> wit.AttestationResult:
        """`attestation.attest-gpu`."""
        return self._call(lambda: self._world.attest_gpu(gpu_index))

    def verify_token(self, token: str) -> bool:
        """`attestation.verify-token`; false where the host failed."""
        return self._or(otherwise=False, function=lambda: self._world.verify_token(token))

    def clear_cache(self) -> None:
        """`attestation.clear-cache`."""
        self._or(None, self._world.clear_cache)

    def gpus(self) -> list[wit.GpuInfo]:
        """`attester.gpus`."""
        return self._call(self._world.gpus)

    def attest(self, target: wit.Target, challenge: wit.Challenge) -> wit.AttestationResult:
        """`attester.attest`."""
        return self._call(lambda: self._world.attest(target, challenge))

    def verify(self, token: str, expected: wit.Expectations) -> wit.Verdict:
        """`verifier.verify`."""
        return self._call(lambda: self._world.verify(token, expected))

    def _call(self, function: Callable[[], T]) -> T:
        try:
            return function()
        except CASES:
            raise
        except Exception as error:
            log.exception("the host failed while it served a guest")
            raise InternalError("the host failed; its log says why") from error

    def _or(self, otherwise: T, function: Callable[[], T]) -> T:
        try:
            return self._call(function)
        except AttestationError as error:
            log.warning("answered a guest with %r: %s", otherwise, error)
            return otherwise

"""The world of one guest whose service starts with the first call that needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from wasmtime_attestation import wit
from wasmtime_attestation.checked_world import CheckedWorld

if TYPE_CHECKING:
    from wasmtime_attestation.service import AttestationService


class Host(Protocol):
    """What a world asks of its host."""

    @property
    def service(self) -> AttestationService:
        """What serves guests; asking for it starts it."""

    def detect_tee(self) -> wit.TeeInfo:
        """Says what was found, without a service where that is possible."""

    def gpus(self) -> tuple[wit.GpuInfo, ...]:
        """Lists the GPUs, without a service where that is possible."""


class LazyWorld:
    """`wit.World` for one guest; threads may share it.

    Args:
        host: has the service.
        digest: SHA-256 of the guest; None where the host does not know it.
    """

    def __init__(self, host: Host, digest: bytes | None) -> None:
        self._host, self._digest = host, digest
        self._started: CheckedWorld | None = None

    def detect_tee(self) -> wit.TeeInfo:
        """Says what was found; see `wit.World`."""
        return self._host.detect_tee()

    def attest_vm(self) -> wit.AttestationResult:
        """Attests the virtual machine; see `wit.World`."""
        return (self._started or self._start()).attest_vm()

    def attest_gpu(self, gpu_index: int) -> wit.AttestationResult:
        """Attests a GPU; see `wit.World`."""
        return (self._started or self._start()).attest_gpu(gpu_index)

    def verify_token(self, token: str) -> bool:
        """Whether the host accepts a token; see `wit.World`."""
        return (self._started or self._start()).verify_token(token)

    def check_token(self, token: str) -> wit.Status:
        """Returns the token's status; raises why `verify_token` says false."""
        return (self._started or self._start()).check_token(token)

    def clear_cache(self) -> None:
        """Forgets the guest's tokens; see `wit.World`."""
        (self._started or self._start()).clear_cache()

    def gpus(self) -> list[wit.GpuInfo]:
        """Lists the GPUs; see `wit.World`."""
        return list(self._host.gpus())

    def attest(self, target: wit.Target, challenge: wit.Challenge) -> wit.AttestationResult:
        """Answers a challenge; see `wit.World`."""
        return (self._started or self._start()).attest(target, challenge)

    def verify(self, token: str, expected: wit.Expectations) -> wit.Verdict:
        """Verifies a token; see `wit.World`."""
        return (self._started or self._start()).verify(token, expected)

    def _start(self) -> CheckedWorld:
        self._started = self._host.service.for_guest(self._digest)
        return self._started

"""A world that answers what a test wrote down, and remembers what it was asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from wasmtime_attestation import wit
from wasmtime_attestation.errors import UnsupportedError

T = TypeVar("T")

NO_TEE = (
    "No TEE attestation available. Not running in a Confidential VM (Intel TDX or AMD SEV-SNP)?"
)
"""The text that guests in the field know."""

TOKEN = "eyJhbGciOiJFUzM4NCJ9.eyJpYXQiOjE3NjcyMjU2MDB9.c2lnbmF0dXJl"  # noqa: S105
ATTESTED = wit.AttestationResult(TOKEN, None, 1_767_225_600, wit.TeeType.AMD_SEV_SNP)
GPU_ATTESTED = wit.AttestationResult(TOKEN, None, 1_767_225_601, wit.TeeType.NVIDIA_GPU)
SNP = wit.TeeInfo(wit.TeeType.AMD_SEV_SNP, True, "configfs-tsm", 1)  # noqa: FBT003
NOTHING = wit.TeeInfo(wit.TeeType.NONE, False, "", 0)  # noqa: FBT003
VERDICT = wit.Verdict(
    "host", wit.TeeType.INTEL_TDX, wit.Status.AFFIRMING, 1, 301, bytes(range(250, 256)), '{"a":1}'
)


@dataclass
class ScriptedWorld:
    """A `wit.World`; an answer that is an exception is raised."""

    tee: wit.TeeInfo | BaseException = SNP
    vm: wit.AttestationResult | BaseException = ATTESTED
    gpu: wit.AttestationResult | BaseException = GPU_ATTESTED
    fresh: wit.AttestationResult | BaseException = ATTESTED
    listed: list[wit.GpuInfo] | BaseException = field(default_factory=list)
    verdict: wit.Verdict | BaseException = VERDICT
    accepted: str | BaseException = TOKEN
    cleared: BaseException | None = None
    calls: list[tuple[object, ...]] = field(default_factory=list)

    def detect_tee(self) -> wit.TeeInfo:
        return self._answer(self.tee, "detect_tee")

    def attest_vm(self) -> wit.AttestationResult:
        return self._answer(self.vm, "attest_vm")

    def attest_gpu(self, gpu_index: int) -> wit.AttestationResult:
        return self._answer(self.gpu, "attest_gpu", gpu_index)

    def verify_token(self, token: str) -> bool:
        return self._answer(self.accepted, "verify_token", token) == token

    def clear_cache(self) -> None:
        self._answer(self.cleared, "clear_cache")

    def gpus(self) -> list[wit.GpuInfo]:
        return self._answer(self.listed, "gpus")

    def attest(self, target: wit.Target, challenge: wit.Challenge) -> wit.AttestationResult:
        return self._answer(self.fresh, "attest", target, challenge)

    def verify(self, token: str, expected: wit.Expectations) -> wit.Verdict:
        return self._answer(self.verdict, "verify", token, expected)

    def _answer(self, answer: T | BaseException, *call: object) -> T:
        self.calls.append(call)
        if isinstance(answer, BaseException):
            raise answer
        return answer


def without_tee() -> ScriptedWorld:
    """Returns the world of a machine that has no confidential hardware."""
    error = UnsupportedError(NO_TEE)
    return ScriptedWorld(tee=NOTHING, vm=error, gpu=error, fresh=error, listed=error)

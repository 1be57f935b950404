"""A world whose answers fit their WIT types, whatever the service returned."""

from __future__ import annotations

from wasmtime_attestation import wit
from wasmtime_attestation.world import values


class Checked:
    """A `wit.World` that raises `values.MisfitError` where an answer is not of its WIT type.

    Args:
        world: what to call.
    """

    def __init__(self, world: wit.World) -> None:
        self._world = world

    def detect_tee(self) -> wit.TeeInfo:
        """`attestation.detect-tee`."""
        info = values.instance(wit.TeeInfo, self._world.detect_tee(), "tee-info")
        values.instance(wit.TeeType, info.tee_type, "tee-type")
        values.boolean(info.supports_attestation, "supports-attestation")
        values.string(info.provider, "provider")
        values.u32(info.gpu_count, "gpu-count")
        return info

    def attest_vm(self) -> wit.AttestationResult:
        """`attestation.attest-vm`."""
        return _attestation_result(self._world.attest_vm())

    def attest_gpu(self, gpu_index: int) -> wit.AttestationResult:
        """`attestation.attest-gpu`."""
        return _attestation_result(self._world.attest_gpu(gpu_index))

    def verify_token(self, token: str) -> bool:
        """`attestation.verify-token`."""
        return values.boolean(self._world.verify_token(token), "verify-token's answer")

    def clear_cache(self) -> None:
        """`attestation.clear-cache`."""
        self._world.clear_cache()

    def gpus(self) -> list[wit.GpuInfo]:
        """`attester.gpus`."""
        return [_gpu_info(gpu) for gpu in values.instance(list, self._world.gpus(), "gpus")]

    def attest(self, target: wit.Target, challenge: wit.Challenge) -> wit.AttestationResult:
        """`attester.attest`."""
        return _attestation_result(self._world.attest(target, challenge))

    def verify(self, token: str, expected: wit.Expectations) -> wit.Verdict:
        """`verifier.verify`."""
        return _verdict(self._world.verify(token, expected))


def _attestation_result(answer: object) -> wit.AttestationResult:
    result = values.instance(wit.AttestationResult, answer, "attestation-result")
    values.string(result.token, "token")
    values.option(values.string, result.evidence, "evidence")
    values.u64(result.timestamp, "timestamp")
    values.instance(wit.TeeType, result.tee_type, "tee-type")
    return result


def _gpu_info(answer: object) -> wit.GpuInfo:
    gpu = values.instance(wit.GpuInfo, answer, "gpu-info")
    values.u32(gpu.index, "index")
    values.string(gpu.uuid, "uuid")
    values.string(gpu.name, "name")
    values.boolean(gpu.confidential, "confidential")
    return gpu


def _verdict(answer: object) -> wit.Verdict:
    verdict = values.instance(wit.Verdict, answer, "verdict")
    values.string(verdict.issuer, "issuer")
    values.instance(wit.TeeType, verdict.tee_type, "tee-type")
    values.instance(wit.Status, verdict.status, "status")
    values.u64(verdict.issued_at, "issued-at")
    values.u64(verdict.expires_at, "expires-at")
    values.option(values.octets, verdict.guest_digest, "guest-digest")
    values.string(verdict.claims, "claims")
    return verdict

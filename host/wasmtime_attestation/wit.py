"""The types and the functions of the WIT world, in plain Python.

Each class stands for the item of the same name in `wit/`, which documents it;
labels are WIT's own. `World` is what a guest may call: the service implements
it, and each ABI translates to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

PACKAGE = "wasmtime:attestation"
VERSION = "0.1.0"


class TeeType(StrEnum):
    """`types.tee-type`."""

    NONE = "none"
    INTEL_TDX = "intel-tdx"
    INTEL_SGX = "intel-sgx"
    AMD_SEV = "amd-sev"
    AMD_SEV_SNP = "amd-sev-snp"
    ARM_CCA = "arm-cca"
    IBM_SE = "ibm-se"
    NVIDIA_GPU = "nvidia-gpu"
    SIMULATED = "simulated"
    OTHER = "other"


class Status(StrEnum):
    """`verifier.status`; the names are those of draft-ietf-rats-ear."""

    NONE = "none"
    AFFIRMING = "affirming"
    WARNING = "warning"
    CONTRAINDICATED = "contraindicated"


@dataclass(frozen=True, slots=True)
class TeeInfo:
    """`types.tee-info`."""

    tee_type: TeeType
    supports_attestation: bool
    provider: str
    gpu_count: int


@dataclass(frozen=True, slots=True)
class GpuInfo:
    """`types.gpu-info`."""

    index: int
    uuid: str
    name: str
    confidential: bool


@dataclass(frozen=True, slots=True)
class AttestationResult:
    """`types.attestation-result`; `timestamp` in seconds since the Unix epoch."""

    token: str
    evidence: str | None
    timestamp: int
    tee_type: TeeType


class TargetKind(StrEnum):
    """The cases of `attester.target`."""

    VM = "vm"
    GPU = "gpu"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Target:
    """`attester.target`; `gpu` is the index, and only the case `gpu` has one."""

    kind: TargetKind
    gpu: int | None = None

    def __post_init__(self) -> None:
        if (self.gpu is not None) != (self.kind is TargetKind.GPU):
            raise ValueError(f"target {self.kind}: a GPU index belongs to the case gpu alone")


@dataclass(frozen=True, slots=True)
class Challenge:
    """`attester.challenge`."""

    nonce: bytes
    user_data: bytes | None = None
    audience: str | None = None


@dataclass(frozen=True, slots=True)
class Expectations:
    """`verifier.expectations`."""

    nonce: bytes | None = None
    audience: str | None = None
    max_age_seconds: int | None = None
    policy: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`verifier.verdict`; `claims` is JSON, times are seconds since the Unix epoch."""

    issuer: str
    tee_type: TeeType
    status: Status
    issued_at: int
    expires_at: int
    guest_digest: bytes | None
    claims: str


class World(Protocol):
    """The functions of the world `imports`, as one guest sees them.

    What is a `result` in WIT returns its ok value or raises the
    `AttestationError` whose `case` is the WIT case. `detect_tee`,
    `verify_token` and `clear_cache` never raise one.
    """

    def detect_tee(self) -> TeeInfo:
        """`attestation.detect-tee`."""

    def attest_vm(self) -> AttestationResult:
        """`attestation.attest-vm`."""

    def attest_gpu(self, gpu_index: int) -> AttestationResult:
        """`attestation.attest-gpu`."""

    def verify_token(self, token: str) -> bool:
        """`attestation.verify-token`."""

    def clear_cache(self) -> None:
        """`attestation.clear-cache`."""

    def gpus(self) -> list[GpuInfo]:
        """`attester.gpus`."""

    def attest(self, target: Target, challenge: Challenge) -> AttestationResult:
        """`attester.attest`."""

    def verify(self, token: str, expected: Expectations) -> Verdict:
        """`verifier.verify`."""

"""A recording of a miniature machine with two GPUs, as its file has it."""

from __future__ import annotations

from wasmtime_attestation.attesters.recording import Recording
from wasmtime_attestation.evidence.envelope import (
    EndorsementType,
    Evidence,
    EvidenceType,
    RawEndorsement,
)
from wasmtime_attestation.evidence.token import PROFILE, Binding
from wasmtime_attestation.verifier.replayed import Recorded
from wasmtime_attestation.wit import GpuInfo, TeeInfo, TeeType

RECORDED = 1_772_323_200  # 2026-03-01T00:00:00Z


def of_machine() -> Recording:
    """Returns the recording; its evidence is none that could be decoded."""
    gpus = tuple(GpuInfo(i, f"GPU-{i}", "NVIDIA H100", confidential=True) for i in range(2))
    certificate = RawEndorsement(EndorsementType.CERTIFICATE, b"certificate")
    evidence = (
        Evidence(EvidenceType.INTEL_TDX, b"quote", (certificate,), boot_log=b"log"),
        Evidence(EvidenceType.NVIDIA_GPU, b"first"),
        Evidence(EvidenceType.NVIDIA_GPU, b"second"),
    )
    return Recording(
        info=TeeInfo(
            TeeType.INTEL_TDX, supports_attestation=True, provider="configfs-tsm", gpu_count=2
        ),
        gpus=gpus,
        recorded=Recorded(
            evidence,
            Binding(PROFILE, b"challenge", bytes(32), bytes(32), b"data", "you"),
            RECORDED,
            ("nothing",),
        ),
        endorsements=(certificate,),
        simulated_root=bytes(32),
        context={"cloud": "azure"},
    )

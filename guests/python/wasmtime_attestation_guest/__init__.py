"""Prove where this guest runs, and check such proof.

A guest imports the interfaces of `wasmtime:attestation`; the types and calls
here are theirs, with exceptions for errors and WIT's labels for enums. Only a
guest can import this package: componentize-py makes the bindings below it when
it builds the guest.
"""

from wasmtime_attestation_guest.calls import (
    attest,
    attest_gpu,
    attest_vm,
    clear_cache,
    detect_tee,
    gpus,
    verify,
    verify_token,
)
from wasmtime_attestation_guest.values import (
    ALL,
    VM,
    Attestation,
    AttestationError,
    Finding,
    Gpu,
    GpuInfo,
    TeeInfo,
    Verdict,
)

__all__ = [
    "ALL",
    "VM",
    "Attestation",
    "AttestationError",
    "Finding",
    "Gpu",
    "GpuInfo",
    "TeeInfo",
    "Verdict",
    "attest",
    "attest_gpu",
    "attest_vm",
    "clear_cache",
    "detect_tee",
    "gpus",
    "verify",
    "verify_token",
]

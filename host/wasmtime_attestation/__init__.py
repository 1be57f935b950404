"""WebAssembly guests prove that they run on confidential hardware; anyone can check the proof.

Hosts: `AttestationHost` serves guests of a linker of your own; `Runtime` runs guests for you.
Relying parties: `verify`, `appraise`, `fetch_endorsements`. Attesters: `collect`.
`docs/embedding.md` shows them at work, `docs/versioning.md` says what stays as it is.

Names are imported when they are first asked for: this module by itself imports nothing.
"""

from __future__ import annotations

# As type checkers know it; `typing` takes longer to import than all that is here.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from wasmtime_attestation.claims import Claims
    from wasmtime_attestation.claims.verdict import Verdict
    from wasmtime_attestation.config import Configuration
    from wasmtime_attestation.embedding.collecting import collect, fetch_endorsements
    from wasmtime_attestation.embedding.host import AttestationHost
    from wasmtime_attestation.embedding.runtime import NotRun, Run, Runtime
    from wasmtime_attestation.embedding.verification import Verified, appraise, verify
    from wasmtime_attestation.endorsements.bundle import Endorsements
    from wasmtime_attestation.errors import (
        AttestationError,
        DeniedError,
        Finding,
        InternalError,
        InvalidArgumentError,
        PolicyError,
        RejectedError,
        UnavailableError,
        UnsupportedError,
    )
    from wasmtime_attestation.evidence.envelope import Evidence
    from wasmtime_attestation.policy import AppraisalPolicy
    from wasmtime_attestation.result import AttestationResult
    from wasmtime_attestation.wit import (
        Challenge,
        GpuInfo,
        Status,
        TargetAll,
        TargetGpu,
        TargetVm,
        TeeInfo,
        TeeType,
        World,
    )
    from wasmtime_attestation.world.failures import StartError
    from wasmtime_attestation.world.guest import Guest
    from wasmtime_attestation.world.host_calls import call_guest
    from wasmtime_attestation.world.issued_token import IssuedToken
    from wasmtime_attestation.world.limits import LimitKind, Limits
    from wasmtime_attestation.world.outcome import Ended, GuestError, Outcome
    from wasmtime_attestation.world.sandbox import Directory
    from wasmtime_attestation.world.stdio import Stdio

__all__ = [
    "AppraisalPolicy",
    "AttestationError",
    "AttestationHost",
    "AttestationResult",
    "Challenge",
    "Claims",
    "Configuration",
    "DeniedError",
    "Directory",
    "Ended",
    "Endorsements",
    "Evidence",
    "Finding",
    "GpuInfo",
    "Guest",
    "GuestError",
    "InternalError",
    "InvalidArgumentError",
    "IssuedToken",
    "LimitKind",
    "Limits",
    "NotRun",
    "Outcome",
    "PolicyError",
    "RejectedError",
    "Run",
    "Runtime",
    "StartError",
    "Status",
    "Stdio",
    "TargetAll",
    "TargetGpu",
    "TargetVm",
    "TeeInfo",
    "TeeType",
    "UnavailableError",
    "UnsupportedError",
    "Verdict",
    "Verified",
    "World",
    "appraise",
    "call_guest",
    "collect",
    "fetch_endorsements",
    "verify",
]

_MODULES = {
    ".claims": "Claims",
    ".claims.verdict": "Verdict",
    ".config": "Configuration",
    ".embedding.collecting": "collect fetch_endorsements",
    ".embedding.host": "AttestationHost",
    ".embedding.runtime": "NotRun Run Runtime",
    ".embedding.verification": "Verified appraise verify",
    ".endorsements.bundle": "Endorsements",
    ".errors": (
        "AttestationError DeniedError Finding InternalError InvalidArgumentError PolicyError "
        "RejectedError UnavailableError UnsupportedError"
    ),
    ".evidence.envelope": "Evidence",
    ".policy": "AppraisalPolicy",
    ".result": "AttestationResult",
    ".wit": "Challenge GpuInfo Status TargetAll TargetGpu TargetVm TeeInfo TeeType World",
    ".world.failures": "StartError",
    ".world.guest": "Guest",
    ".world.host_calls": "call_guest",
    ".world.issued_token": "IssuedToken",
    ".world.limits": "LimitKind Limits",
    ".world.outcome": "Ended GuestError Outcome",
    ".world.sandbox": "Directory",
    ".world.stdio": "Stdio",
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names.split()}


def __getattr__(name: str) -> object:
    """Imports a public name (PEP 562)."""
    module = _HOMES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # costs a millisecond

    value = getattr(import_module(module, __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

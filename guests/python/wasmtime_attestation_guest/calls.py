"""The calls of `wasmtime:attestation`, over the bindings that componentize-py makes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from componentize_py_types import Err

from wasmtime_attestation_guest.bindings.imports import attestation, attester, verifier
from wasmtime_attestation_guest.values import (
    VM,
    All,
    Attestation,
    AttestationError,
    Finding,
    Gpu,
    GpuInfo,
    Target,
    TeeInfo,
    Verdict,
    Vm,
)

_Bound: TypeAlias = Any
"""A value of the bindings, which exist only within a guest."""


def detect_tee() -> TeeInfo:
    """Says which trusted execution environment this guest runs in; never fails."""
    info = attestation.detect_tee()
    return TeeInfo(_label(info.tee_type), info.supports_attestation, info.provider, info.gpu_count)


def attest_vm() -> Attestation:
    """Returns a token about the virtual machine that this guest runs in.

    The host chooses the nonce; use `attest` to answer somebody's challenge.

    Raises:
        AttestationError: there is none.
    """
    with _errors():
        return _attestation(attestation.attest_vm())


def attest_gpu(index: int) -> Attestation:
    """Returns a token about one GPU; such a token identifies no host.

    Raises:
        AttestationError: there is none.
    """
    with _errors():
        return _attestation(attestation.attest_gpu(index))


def verify_token(token: str) -> bool:
    """Whether the host accepts a token."""
    return bool(attestation.verify_token(token))


def clear_cache() -> None:
    """Forgets the tokens that the host keeps for this guest."""
    attestation.clear_cache()


def gpus() -> list[GpuInfo]:
    """Lists the GPUs that the host can see.

    Raises:
        AttestationError: it cannot say.
    """
    with _errors():
        found = attester.gpus()
    return [GpuInfo(gpu.index, gpu.uuid, gpu.name, gpu.confidential) for gpu in found]


def attest(
    nonce: bytes,
    target: Target = VM,
    *,
    user_data: bytes | None = None,
    audience: str | None = None,
) -> Attestation:
    """Collects fresh evidence for a challenge and returns it in a token.

    Args:
        nonce: the relying party's: 8 to 64 bytes, never used before.
        target: what the evidence is to be about.
        user_data: what to bind to the evidence, such as the hash of a public key.
        audience: whom the token is for.

    Raises:
        AttestationError: there is none.
    """
    about: object
    match target:
        case Vm():
            about = attester.Target_Vm()
        case Gpu(index):
            about = attester.Target_Gpu(index)
        case All():
            about = attester.Target_All()
    with _errors():
        return _attestation(attester.attest(about, attester.Challenge(nonce, user_data, audience)))


def verify(
    token: str,
    *,
    nonce: bytes | None = None,
    audience: str | None = None,
    max_age_seconds: int | None = None,
    policy: str | None = None,
) -> Verdict:
    """Returns what a token says, if it is authentic and meets every expectation.

    Args:
        token: anybody's token.
        nonce: what it must answer.
        audience: whom it must be for.
        max_age_seconds: how long ago it may have been issued.
        policy: the name of a policy that the host's configuration holds.

    Raises:
        AttestationError: it is not, or does not.
    """
    expected = verifier.Expectations(nonce, audience, max_age_seconds, policy)
    with _errors():
        verdict = verifier.verify(token, expected)
    return Verdict(
        verdict.issuer,
        _label(verdict.tee_type),
        _label(verdict.status),
        verdict.issued_at,
        verdict.expires_at,
        verdict.guest_digest,
        verdict.claims,
    )


def _attestation(result: _Bound) -> Attestation:
    token, evidence = result.token, result.evidence
    return Attestation(token, evidence, result.timestamp, _label(result.tee_type))


def _label(case: _Bound) -> str:
    """Returns the WIT name of an enum's case."""
    return str(case.name).lower().replace("_", "-")


@contextmanager
def _errors() -> Iterator[None]:
    """Turns the WIT error into an exception of this package."""
    try:
        yield
    except Err as error:
        raise _error(error.value) from None


def _error(value: _Bound) -> AttestationError:
    # componentize-py calls the class of the case `invalid-argument` `Error_InvalidArgument`.
    name = type(value).__name__.removeprefix("Error_")
    case = "".join(f"-{c.lower()}" if c.isupper() else c for c in name).removeprefix("-")
    if isinstance(value.value, str):
        return AttestationError(case, value.value)
    findings = [Finding(finding.check, finding.detail) for finding in value.value]
    message = "; ".join(f"{finding.check}: {finding.detail}" for finding in findings)
    return AttestationError(case, message, findings)

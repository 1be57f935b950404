"""The service's errors as the WIT has them, and what a guest gets where there is none to be had."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from wasmtime_attestation import wit
from wasmtime_attestation.errors import (
    CASES,
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
from wasmtime_attestation.world.binding.failure import Failure

if TYPE_CHECKING:
    from wasmtime_attestation.world.binding.shapes import Function

log = logging.getLogger(__name__)

NO_TEE = wit.TeeInfo(wit.TeeType.NONE, supports_attestation=False, provider="", gpu_count=0)
"""What a guest is told where the host failed to look."""
_WITHOUT_RESULT: dict[str, object] = {
    "detect-tee": NO_TEE,
    "verify-token": False,
    "clear-cache": None,
}
_MESSAGES: dict[type[AttestationError], Callable[[str], wit.Error]] = {
    UnsupportedError: wit.ErrorUnsupported,
    UnavailableError: wit.ErrorUnavailable,
    DeniedError: wit.ErrorDenied,
    InvalidArgumentError: wit.ErrorInvalidArgument,
    InternalError: wit.ErrorInternal,
}


def instead(function: Function, error: Exception) -> object:
    """Returns what a guest gets where the service raised, or answered what does not fit.

    Args:
        function: the function that the guest called.
        error: what was raised.

    Raises:
        Failure: with a `wit.Error`, where the function has a result to put it in.
        MemoryError: as it is, since a host without memory has no answer, and ends the run.
    """
    if isinstance(error, MemoryError):
        raise error
    known = error if isinstance(error, CASES) else _internal(error)
    if function.name not in _WITHOUT_RESULT:
        raise Failure(to_wit(known)) from error
    answer = _WITHOUT_RESULT[function.name]
    log.warning("answered a guest with %r: %s", answer, known)
    return answer


def to_wit(error: AttestationError) -> wit.Error:
    """Returns one of the closed set of errors as the WIT has it.

    What UTF-8 cannot encode in it is escaped.
    """
    match error:
        case RejectedError():
            return wit.ErrorRejected(_findings(error.findings))
        case PolicyError():
            return wit.ErrorPolicy(_findings(error.findings))
        case _:
            case = next(case for class_, case in _MESSAGES.items() if isinstance(error, class_))
            return case(_escaped(error.message))


def _findings(findings: Sequence[Finding]) -> list[wit.Finding]:
    return [wit.Finding(_escaped(found.check), _escaped(found.detail)) for found in findings]


def _escaped(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()


def _internal(error: Exception) -> InternalError:
    log.error("the host failed while it served a guest", exc_info=error)
    internal = InternalError("the host failed; its log says why")
    internal.__cause__ = error
    return internal

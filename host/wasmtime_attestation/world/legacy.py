"""The world for core modules: pointers, lengths and JSON instead of a component model.

`docs/legacy-abi.md` has all of it. Five functions are older than the world and
keep their types.
"""

from __future__ import annotations

import logging

from wasmtime import Linker

from wasmtime_attestation import wit
from wasmtime_attestation.errors import CASES, InternalError
from wasmtime_attestation.world import _generated_legacy, legacy_functions
from wasmtime_attestation.world.core_calls import Define
from wasmtime_attestation.world.legacy_functions import IMPORT_MODULE
from wasmtime_attestation.world.wit_errors import NO_TEE

log = logging.getLogger(__name__)

__all__ = ["IMPORT_MODULE", "link_legacy"]

_ADVICE = {
    "detect_tee": "let the host give its provider a shorter name",
    "gpus": "attest the GPUs one by one",
    "verify": "have the token made without boot logs",
}


def link_legacy(linker: Linker, world: wit.World, *, define: Define | None = None) -> None:
    """Defines every function of the world for core modules.

    The linker may serve several instances and stores. `KeyboardInterrupt`,
    `SystemExit` and their like that the world raises end the guest's run and
    come out of it.

    Args:
        linker: where to define them.
        world: what they call.
        define: how to define one; None for the fastest way that works.

    Raises:
        WasmtimeError: the linker has one of them already.
    """
    functions = _generated_legacy.functions(world, world, world)
    legacy_functions.link(linker, functions, define=define, advise=_advise, otherwise=_otherwise)


def _advise(name: str, answer: object) -> str:
    if isinstance(answer, wit.AttestationResult):
        if answer.evidence:
            return "have the host leave out the evidence summary, which the token makes redundant"
        return "attest one target at a time, or pass less user data"
    return _ADVICE[name]


def _otherwise(name: str, error: Exception) -> wit.TeeInfo:
    """Answers for a host that fails; `detect_tee` never does."""
    if isinstance(error, MemoryError):
        raise error
    if not isinstance(error, CASES):
        log.error("the host failed while it answered %s", name, exc_info=error)
    if name == "detect_tee":
        return NO_TEE
    if isinstance(error, CASES):
        raise error
    raise InternalError("the host failed; its log says why") from error

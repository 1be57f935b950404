"""The world for core modules: pointers, lengths and JSON instead of a component model.

Functions are imported from the module `wasmtime_attestation`. One that answers
in text returns the address of `[u32 little-endian length][UTF-8 JSON]`, or 0
where it fails. Five of them are older than the world and keep their types.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from wasmtime import Caller, FuncType, Linker, ValType

from wasmtime_attestation import wit
from wasmtime_attestation.errors import AttestationError
from wasmtime_attestation.world import legacy_json, legacy_parameters
from wasmtime_attestation.world.boundary import Boundary
from wasmtime_attestation.world.checked import Checked
from wasmtime_attestation.world.memory import (
    FAILURE,
    GuestMemories,
    GuestMemory,
    OutOfBoundsError,
)

log = logging.getLogger(__name__)

IMPORT_MODULE = "wasmtime_attestation"
"""The module that core modules import the world from."""


def link_legacy(linker: Linker, world: wit.World) -> None:
    """Defines every function of the world for core modules.

    The linker may serve several instances and stores. `KeyboardInterrupt`,
    `SystemExit` and their like that the world raises end the guest's run and
    come out of it.

    Args:
        linker: where to define them.
        world: what they call.

    Raises:
        WasmtimeError: the linker has one of them already.
    """
    boundary, memories = Boundary(Checked(world)), GuestMemories()
    for function in _functions(_Answers(boundary)):
        _define(linker, function, memories)
    linker.define_func(IMPORT_MODULE, "clear_cache", FuncType([], []), boundary.clear_cache)


@dataclass(frozen=True, slots=True)
class _Function:
    """A function that reads or writes the guest's memory.

    Attributes:
        name: the WIT name in snake_case.
        parameters: how many it takes; all are i32, and so is its result.
        answer: gives the JSON to place in memory, or the result itself.
        failure: gives the JSON for an error; None where the answer has no room for one.
    """

    name: str
    parameters: int
    answer: Callable[..., bytes | int]
    failure: Callable[[AttestationError], bytes] | None

    def call(self, guest: GuestMemory, arguments: tuple[int, ...]) -> int:
        """Returns what the guest gets."""
        result = self._result(guest, arguments)
        return guest.place(result) if isinstance(result, bytes) else result

    def _result(self, guest: GuestMemory, arguments: tuple[int, ...]) -> bytes | int:
        try:
            return self.answer(guest, *arguments)
        except AttestationError as error:
            log.info("%s answers a guest: %s: %s", self.name, error.case, error)
            if self.failure is None or isinstance(error, OutOfBoundsError):
                return FAILURE
            return self.failure(error)


def _functions(answers: _Answers) -> list[_Function]:
    envelope, result = legacy_json.attestation_failure, legacy_json.err
    return [
        _Function("detect_tee", 0, answers.detect_tee, None),
        _Function("attest_vm", 0, answers.attest_vm, envelope),
        _Function("attest_gpu", 1, answers.attest_gpu, envelope),
        _Function("verify_token", 2, answers.verify_token, None),
        _Function("gpus", 0, answers.gpus, result),
        _Function("attest", 4, answers.attest, envelope),
        _Function("verify", 4, answers.verify, result),
    ]


def _define(linker: Linker, function: _Function, memories: GuestMemories) -> None:
    def call(caller: Caller, *arguments: int) -> int:
        guest = memories.of(caller)
        return FAILURE if guest is None else function.call(guest, arguments)

    type_ = FuncType([ValType.i32()] * function.parameters, [ValType.i32()])
    linker.define_func(IMPORT_MODULE, function.name, type_, call, access_caller=True)


class _Answers:
    """What each function says, given its core parameters."""

    def __init__(self, world: Boundary) -> None:
        self._world = world

    def detect_tee(self, _guest: GuestMemory) -> bytes:
        return legacy_json.tee_info(self._world.detect_tee())

    def attest_vm(self, _guest: GuestMemory) -> bytes:
        return legacy_json.attestation_result(self._world.attest_vm())

    def attest_gpu(self, _guest: GuestMemory, index: int) -> bytes:
        return legacy_json.attestation_result(self._world.attest_gpu(index & 0xFFFF_FFFF))

    def verify_token(self, guest: GuestMemory, pointer: int, length: int) -> int:
        return int(self._world.verify_token(guest.read_text(pointer, length)))

    def gpus(self, _guest: GuestMemory) -> bytes:
        return legacy_json.ok(self._world.gpus(), "attest the GPUs one by one")

    def attest(
        self, guest: GuestMemory, target: int, target_length: int, challenge: int, length: int
    ) -> bytes:
        about = guest.read(target, target_length)
        asked = guest.read(challenge, length)
        return legacy_json.attestation_result(
            self._world.attest(legacy_parameters.target(about), legacy_parameters.challenge(asked))
        )

    def verify(
        self, guest: GuestMemory, token: int, token_length: int, expected: int, length: int
    ) -> bytes:
        text = guest.read_text(token, token_length)
        demands = guest.read(expected, length)
        verdict = self._world.verify(text, legacy_parameters.expectations(demands))
        return legacy_json.ok(verdict, "have the token made without boot logs")

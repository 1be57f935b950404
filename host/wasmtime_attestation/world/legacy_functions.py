"""Functions of the legacy ABI, as the generated code describes them, in a linker.

One that answers in JSON returns the address of `[u32 little-endian length][UTF-8
JSON]`, or 0 where it fails.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from wasmtime import Engine, FuncType, Linker, ValType

from wasmtime_attestation.errors import AttestationError, UnsupportedError
from wasmtime_attestation.world import core_definition
from wasmtime_attestation.world.binding.failure import Failure
from wasmtime_attestation.world.binding.kept import KeptForms
from wasmtime_attestation.world.core_calls import Caller, Define, HostFunction
from wasmtime_attestation.world.legacy_json import MAX_ANSWER, attestation_error_of, shortened
from wasmtime_attestation.world.memory import (
    FAILURE,
    GuestMemories,
    OutOfBoundsError,
)

log = logging.getLogger(__name__)

IMPORT_MODULE = "wasmtime_attestation"
"""The module that core modules import every function from."""


class TooLargeError(UnsupportedError):
    """An answer that the legacy ABI cannot carry."""


@dataclass(frozen=True, slots=True)
class LegacyFunction:
    """A function of the legacy ABI.

    Attributes:
        name: the WIT name in snake_case.
        params: its core parameters, such as `i32 i32`.
        result: its core result; empty where it has none.
        call: calls the world, given the guest's memory if `reads`, and the core
            parameters; returns a core value, or what `write` takes.
        reads: whether a parameter is in memory.
        write: gives the JSON of an answer; None where the result is a core value.
        keeps: whether an answer is a value that cannot change.
        failure: gives the JSON for an error; None where the answer has no room for one.
        raises: the errors that `failure` takes; an `AttestationError` may come as a `Failure` too.
    """

    name: str
    params: str
    result: str
    call: Callable[..., Any]
    reads: bool = False
    write: Callable[[Any], str] | None = None
    keeps: bool = False
    failure: Callable[[Any], str] | None = None
    raises: type[Exception] = AttestationError


Advise = Callable[[str, object], str]
"""Says what to leave out of an answer that is too large, given the function's name and it."""
Otherwise = Callable[[str, Exception], object]
"""Returns, or raises as an `AttestationError`, what a guest gets where there is no answer, given
the function's name and what was raised."""
_Core = float | None


def _ask_for_less(_name: str, _answer: object) -> str:
    return "ask for less"


def link(
    linker: Linker,
    functions: Iterable[LegacyFunction],
    *,
    define: Define | None = None,
    advise: Advise = _ask_for_less,
    otherwise: Otherwise | None = None,
) -> None:
    """Defines functions for core modules.

    The linker may serve several instances and stores. `Failure` and
    `AttestationError` go to the guest. Whatever else an implementation raises
    ends the guest's run and comes out of it, unless `otherwise` takes it; no
    answer that does not fit its type leaves the host.

    Args:
        linker: where to define them.
        functions: what to define.
        define: how to define one; None for the fastest way that works.
        advise: what to say of answers that are too large.
        otherwise: what to do where a host fails, or an error has no room.

    Raises:
        WasmtimeError: the linker has one of them already.
    """
    define, memories = define or core_definition.define, GuestMemories()
    types = _engine_types.setdefault(linker.engine, {})
    for function in functions:
        type_ = _type(types, function.params, function.result)
        call = _host_function(function, memories, _Answers(function, advise, otherwise))
        define(linker, IMPORT_MODULE, function.name, type_, call)


_EngineTypes = dict[tuple[str, str], FuncType]
_engine_types: WeakKeyDictionary[Engine, _EngineTypes] = WeakKeyDictionary()
"""A type belongs to the engine that it was first used with."""


def _type(types: _EngineTypes, params: str, result: str) -> FuncType:
    type_ = types.get((params, result))
    if type_ is None:
        type_ = types[params, result] = FuncType(_types(params), _types(result))
    return type_


def _types(names: str) -> list[ValType]:
    return [getattr(ValType, name)() for name in names.split()]


def _host_function(
    function: LegacyFunction, memories: GuestMemories, answers: _Answers
) -> HostFunction:
    reads, nothing = function.reads, answers.nothing

    def answer(caller: Caller, *arguments: Any) -> _Core:  # noqa: ANN401 - core values
        guest = memories.of(caller)
        if guest is None:
            return nothing
        block = answers.block((guest, *arguments) if reads else arguments)
        return nothing if block is None else guest.place(block)

    if function.write is not None:
        return answer
    call = function.call

    def direct_answer(caller: Caller, *arguments: Any) -> _Core:  # noqa: ANN401 - core values
        if reads:
            guest = memories.of(caller)
            if guest is None:
                return nothing
            arguments = (guest, *arguments)
        try:
            value: _Core = call(*arguments)
        except Exception as error:  # noqa: BLE001 - `failed` raises what is not the guest's
            answers.failed(error)
            return nothing
        return value

    return direct_answer


class _Answers:
    """What a function answers; what was written of answers that cannot change is kept."""

    def __init__(
        self, function: LegacyFunction, advise: Advise, otherwise: Otherwise | None
    ) -> None:
        self._function = function
        self._call = function.call
        self._advise = advise
        self._otherwise = otherwise
        self._kept: KeptForms[bytes] = KeptForms()
        self.nothing = FAILURE if function.result else None
        """What says failure where nothing can be said about it."""

    def failed(self, error: Exception) -> None:
        """Raises an error that no guest may be told of."""
        with suppress(AttestationError, Failure):
            self._instead(error)

    def block(self, arguments: tuple[Any, ...]) -> bytes | None:
        """Returns what to place in memory; None for FAILURE."""
        try:
            answer = self._call(*arguments)
            return self._kept.get(answer) or self._written(answer)
        except Exception as error:  # noqa: BLE001 - `_instead` raises what is not the guest's
            try:
                return self._written(self._instead(error))
            except (AttestationError, Failure) as known:
                return self._failure(known)

    def _instead(self, error: Exception) -> object:
        """Returns an answer for where there is none, or raises the error that the guest gets."""
        name, is_known = self._function.name, isinstance(error, AttestationError | Failure)
        if is_known:
            log.info("%s answers a guest: %s", name, error)
        has_room = is_known and self._function.failure is not None
        is_final = isinstance(error, OutOfBoundsError | TooLargeError)
        if self._otherwise is None or has_room or is_final:
            raise error
        return self._otherwise(name, error)

    def _written(self, answer: object) -> bytes:
        write = self._function.write
        if write is None:
            raise TypeError(f"{self._function.name} answers no JSON")
        json = write(answer).encode()
        if len(json) > MAX_ANSWER:
            raise TooLargeError(
                f"the answer is {len(json)} bytes long and the legacy ABI carries at most "
                f"{MAX_ANSWER}: {self._advise(self._function.name, answer)}, or call through the "
                "component model"
            )
        block = _block(json)
        if self._function.keeps and _is_frozen(answer):
            self._kept.put(answer, block)
        return block

    def _failure(self, error: AttestationError | Failure[Any]) -> bytes | None:
        write = self._function.failure
        if isinstance(error, Failure) and self._function.raises is AttestationError:
            error = attestation_error_of(error)
        if write is None or not isinstance(error, self._function.raises):
            return None
        if isinstance(error, OutOfBoundsError):
            return None
        json = _encoded(write(error))
        if len(json) > MAX_ANSWER and isinstance(error, AttestationError):
            json = _encoded(write(shortened(error, len(json))))
        return _block(json) if len(json) <= MAX_ANSWER else None


def _is_frozen(answer: object) -> bool:
    """Whether an answer is a frozen record, and not something that only looks like one."""
    parameters = vars(type(answer)).get("__dataclass_params__")
    return parameters is not None and bool(parameters.frozen)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")  # an error's lone surrogate has no UTF-8


def _block(json: bytes) -> bytes:
    return len(json).to_bytes(4, "little") + json

"""Host functions on the fast path: from a component's call to Python's answer and back.

wasmtime knows one function, `_enter`, and calls it with the number of a
handler. A handler lifts the arguments, calls the implementation, and lowers
what it returns or the `Failure` that it raises.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
from collections.abc import Callable, Sequence
from ctypes import c_void_p, string_at
from typing import Any, TypeAlias

from wasmtime import WasmtimeError
from wasmtime.component import LinkerInstance

from wasmtime_attestation.world import host_calls
from wasmtime_attestation.world.binding import capi, lift, lower, shapes
from wasmtime_attestation.world.binding.failure import Failure
from wasmtime_attestation.world.binding.handles import Handles
from wasmtime_attestation.world.binding.kept import KeptForms
from wasmtime_attestation.world.binding.misfit import MisfitError
from wasmtime_attestation.world.binding.scope import NO_HANDLES, Scope
from wasmtime_attestation.world.binding.shapes import Function, Shape

Implementation: TypeAlias = Callable[..., Any]
Otherwise: TypeAlias = Callable[[Function, Exception], Any]
"""What a guest gets where an implementation failed, or answered what does not fit: the value that
this returns, or the `Failure` that it raises; with another exception the guest traps."""
_Handler: TypeAlias = Callable[[int, int, int, int], None]

_handlers: dict[int, tuple[_Handler, str]] = {}
_numbers = itertools.count(1)


def link(
    instance: LinkerInstance,
    function: Function,
    implementation: Implementation,
    handles: Handles,
    otherwise: Otherwise | None,
) -> None:
    """Defines a host function in a linker.

    Raises:
        WasmtimeError: the linker has one of that name already.
    """
    name, number = function.name.encode(), next(_numbers)
    _handlers[number] = _handler(function, implementation, handles, otherwise), function.name
    place = ctypes.cast(instance.ptr(), c_void_p)
    error = capi.add_func(place, name, len(name), _enter, number, _forget)
    if error:
        raise capi.error(error)


def _enter_handler(
    number: int, context: int, _type: int, args: int, count: int, results: int, _results: int
) -> int:
    call = host_calls.current()
    try:
        handler, name = _handlers[number]
        if call.meter is not None:
            call.meter.called(name)
        handler(context, args, count, results)
    except BaseException as error:  # noqa: BLE001 - it is kept, and ends the run
        call.keep(error)
    # The handler may call its guest and take an exception within for the guest's fault.
    if call.raised is None:
        return 0
    message: int = capi.error_new(call.message.encode())
    return message


def _forget_handler(number: int) -> None:
    _handlers.pop(number, None)


_enter, _forget = capi.CALLBACK(_enter_handler), capi.FINALIZER(_forget_handler)


def _handler(
    function: Function,
    implementation: Implementation,
    handles: Handles,
    otherwise: Otherwise | None,
) -> _Handler:
    arguments, answers = _arguments(function), _Answers(function.result)
    if any(map(shapes.mentions_resources, function.shapes)):
        return _with_resources(arguments, answers, function, implementation, handles, otherwise)
    nothing, answer, clone = Scope(0, NO_HANDLES), answers.of, capi.clone

    def handle(_context: int, args: int, count: int, results: int) -> None:
        values = arguments(args, count, nothing)
        try:
            val, memory = answer(implementation, values)
        except Exception as error:
            if otherwise is None:
                raise
            val, memory = answer(otherwise, (function, error))
        if val is not None:
            clone(val, results)
        del memory  # not before now

    return handle


def _with_resources(
    arguments: _Arguments,
    answers: _Answers,
    function: Function,
    implementation: Implementation,
    handles: Handles,
    otherwise: Otherwise | None,
) -> _Handler:
    def handle(context: int, args: int, count: int, results: int) -> None:
        scope = Scope(context, handles)
        try:
            values = arguments(args, count, scope)
            try:
                val = answers.lowered(implementation, values, scope)
            except Exception as error:
                if otherwise is None:
                    raise
                val = answers.lowered(otherwise, (function, error), scope)
            if val is not None:
                capi.clone(val, results)
        finally:
            scope.close()

    return handle


_Arguments: TypeAlias = Callable[[int, int, Scope], Sequence[Any]]


@functools.cache
def _arguments(function: Function) -> _Arguments:
    """Returns what lifts arguments, given the address of their vals and how many there are."""
    params = [
        (name, lift.lifter(shape), index * capi.VAL)
        for index, (name, shape) in enumerate(function.params.items())
    ]

    def lift_all(args: int, count: int, scope: Scope) -> Sequence[Any]:
        if count != len(params):
            raise WasmtimeError(f"{function.name}: the guest passes {count} arguments")
        if not count:
            return ()
        block = string_at(args, count * capi.VAL)
        try:
            return [lifter(block, at, scope) for name, lifter, at in params]
        except MisfitError as error:
            raise WasmtimeError(f"{function.name}: {error}") from error

    return lift_all


class _Answers:
    """What a function answers, lowered; the lowered forms of immutable answers are kept.

    Args:
        result: the function's result.
    """

    def __init__(self, result: Shape | None) -> None:
        self._ok, self._err = _outcomes(result)
        ok = result.ok if isinstance(result, shapes.Result) else result
        self._keeps = ok is not None and _is_immutable(ok)
        self._kept: KeptForms[tuple[bytes | None, Scope]] = KeptForms()

    def of(
        self, implementation: Implementation, arguments: Sequence[Any]
    ) -> tuple[bytes | None, Scope]:
        """Returns the val that a function answers, and the memory that it points into."""
        try:
            answer = implementation(*arguments)
        except Failure as failure:
            scope = Scope(0, NO_HANDLES)
            return self._err(failure.error, scope), scope
        kept = self._kept.get(answer)
        if kept is not None:
            return kept
        scope = Scope(0, NO_HANDLES)
        lowered = self._ok(answer, scope), scope
        if self._keeps:
            self._kept.put(answer, lowered)
        return lowered

    def lowered(
        self, implementation: Implementation, arguments: Sequence[Any], scope: Scope
    ) -> bytes | None:
        """Returns the val that a function answers, in a scope of the caller's."""
        try:
            return self._ok(implementation(*arguments), scope)
        except Failure as failure:
            return self._err(failure.error, scope)


_Lower: TypeAlias = Callable[[Any, Scope], bytes | None]


@functools.cache
def _outcomes(result: Shape | None) -> tuple[_Lower, _Lower]:
    if result is None:
        return _nothing, _no_failure
    if isinstance(result, shapes.Result):
        return lower.outcome_lowerer(result, is_ok=True), lower.outcome_lowerer(result, is_ok=False)
    return lower.lowerer(result), _no_failure


def _nothing(_answer: object, _scope: Scope) -> None:
    return None


def _no_failure(error: object, _scope: Scope) -> bytes:
    raise TypeError(f"a function that returns no result cannot fail with {error!r}")


@functools.cache
def _is_immutable(shape: Shape) -> bool:
    """Whether values of a shape are objects that cannot change."""
    if isinstance(shape, shapes.List | shapes.Map | shapes.Own | shapes.Borrow):
        return False
    return all(map(_is_immutable, shapes.parts(shape)))

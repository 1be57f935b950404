"""Host functions on the slow path, through wasmtime-py's own `add_func`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wasmtime import WasmtimeError
from wasmtime.component import LinkerInstance

from wasmtime_attestation.world import host_calls
from wasmtime_attestation.world.binding import shapes, stock, stock_cases
from wasmtime_attestation.world.binding.failure import Failure
from wasmtime_attestation.world.binding.functions import Implementation, Otherwise
from wasmtime_attestation.world.binding.handles import Handles
from wasmtime_attestation.world.binding.shapes import Function, Shape
from wasmtime_attestation.world.binding.stock import Call, Converter


def link(
    instance: LinkerInstance,
    function: Function,
    implementation: Implementation,
    handles: Handles,
    otherwise: Otherwise | None,
) -> None:
    """Defines a host function in a linker.

    Raises:
        TypeError: wasmtime-py cannot carry one of its types.
        WasmtimeError: the linker has one of that name already.
    """
    for shape in function.shapes:
        problem = stock_cases.problem(shape)
        if problem is not None:
            raise TypeError(f"wasmtime-py cannot carry the types of {function.name}: {problem}")
    call = _function(function, implementation, handles, otherwise)
    instance.add_func(function.name, host_calls.shielded(call, function.name))


def _function(
    function: Function,
    implementation: Implementation,
    handles: Handles,
    otherwise: Otherwise | None,
) -> Callable[..., Any]:
    lifters = [stock.checked_lifter(shape) for shape in function.params.values()]
    ok, err = _outcomes(function.result)

    def answer(implementation: Implementation, arguments: Sequence[Any], call: Call) -> object:
        try:
            return ok(implementation(*arguments), call)
        except Failure as failure:
            return err(failure.error, call)

    def serve(store: Any, *args: Any) -> object:  # noqa: ANN401 - wasmtime-py's
        call = Call(store, handles)
        try:
            values = [lift(arg, call) for lift, arg in zip(lifters, args, strict=True)]
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise WasmtimeError(
                f"{function.name}: the guest has another type than its host: {error}"
            ) from error
        try:
            return answer(implementation, values, call)
        except Exception as error:
            if otherwise is None:
                raise
            return answer(otherwise, (function, error), call)

    return serve


def _outcomes(result: Shape | None) -> tuple[Converter, Converter]:
    if result is None:
        return _nothing, _no_failure
    if isinstance(result, shapes.Result):
        return stock.outcome_lowerer(result, "ok"), stock.outcome_lowerer(result, "err")
    return stock.lowerer(result), _no_failure


def _nothing(_answer: object, _call: Call) -> None:
    return None


def _no_failure(error: object, _call: Call) -> object:
    raise TypeError(f"a function that returns no result cannot fail with {error!r}")

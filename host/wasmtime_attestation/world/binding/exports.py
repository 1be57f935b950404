"""Typed calls of what a guest exports: what generated classes stand on."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from ctypes import byref, c_char, c_void_p
from typing import Any, ClassVar, TypeAlias, TypeVar

from wasmtime import Store, WasmtimeError
from wasmtime.component import Instance

from wasmtime_attestation.world import variant_cases as variant_cases
from wasmtime_attestation.world.binding import capi, lift, lower, shapes
from wasmtime_attestation.world.binding.failure import Failure
from wasmtime_attestation.world.binding.handles import Exports, Handle, Handles
from wasmtime_attestation.world.binding.misfit import MisfitError
from wasmtime_attestation.world.binding.scope import Scope
from wasmtime_attestation.world.binding.shapes import Function, Resource, Shape
from wasmtime_attestation.world.host_calls import call_guest

T = TypeVar("T")

HandleClasses: TypeAlias = Mapping[Resource, type[Handle]]


class GuestExports:
    """An interface that an instance exports; what is generated adds a method for each function.

    A function whose result is an error raises `Failure`; one whose guest traps
    raises `WasmtimeError`; what a host function raised meanwhile comes out
    unchanged. After a trap the store is dead.

    Args:
        store: the instance's store.
        instance: the instance.
        resources: what `link_imports` returned, where functions take resources of the host.

    Raises:
        WasmtimeError: the instance does not export the interface.
    """

    # No function of a WIT interface has a name that begins with an underscore.
    _interface: ClassVar[str]
    _handles: ClassVar[HandleClasses] = {}

    def __init__(self, store: Store, instance: Instance, resources: Handles | None = None) -> None:
        self._calls = _Calls(
            store, instance, resources or Handles(), self._interface, self._handles
        )


class _Calls:
    """How an interface is called: `Exports` for `binding.handles`."""

    def __init__(
        self,
        store: Store,
        instance: Instance,
        resources: Handles,
        interface: str,
        handles: HandleClasses,
    ) -> None:
        self._store = store
        self._instance = instance
        self._resources = resources
        self._interface = interface
        self._handles = handles
        self._index = instance.get_export_index(store, interface) if interface else None
        if interface and self._index is None:
            raise WasmtimeError(f"the guest does not export {interface}")
        self._functions: dict[Function, Callable[..., Any]] = {}

    def handle(self, resource: Resource, address: int) -> Handle:
        """Returns a handle for a resource of the guest's; it owns what is at the address."""
        return self._handles[resource](self, address)

    def drop(self, address: int) -> None:
        """Runs the guest's destructor for a resource."""
        context = ctypes.cast(self._store._context(), c_void_p)  # noqa: SLF001 - the only way
        call_guest(_check, lambda: capi.any_drop(context, address))

    def function(self, function: Function) -> Callable[..., Any]:
        """Returns what calls a function.

        Raises:
            WasmtimeError: the instance does not export it.
        """
        call = self._functions.get(function)
        if call is None:
            call = self._functions[function] = self._caller(function)
        return call

    def _caller(self, function: Function) -> Callable[..., Any]:
        index = self._instance.get_export_index(self._store, function.name, self._index)
        found = None if index is None else self._instance.get_func(self._store, index)
        if found is None:
            raise WasmtimeError(f"the guest does not export {function.name} of {self._interface}")
        pointer = byref(found._func)  # noqa: SLF001 - the only way
        arguments, answer = _lower_all(function), _answer(function.result)
        count = 0 if function.result is None else 1

        def call(*values: Any) -> Any:  # noqa: ANN401 - of any class
            context = ctypes.cast(self._store._context(), c_void_p)  # noqa: SLF001 - the only way
            scope = Scope(context.value or 0, self._resources, self)
            slot = (c_char * capi.VAL)()
            try:
                vals = arguments(values, scope)
                call_guest(
                    _check,
                    lambda: capi.func_call(
                        pointer, context, vals, len(vals) // capi.VAL, slot, count
                    ),
                )
                return answer(slot.raw, scope)
            finally:
                capi.delete(slot)
                scope.close()

        return call


def invoke(exports: GuestExports | Handle, function: Function, *arguments: object) -> T:  # type: ignore[type-var] # the caller, which is generated too, knows the type
    """Calls a function of an interface, or of a handle's.

    Args:
        exports: what has the function, or a handle of it.
        function: the function.
        arguments: its arguments.

    Raises:
        MisfitError: an argument does not fit its type.
        Failure: the function's result is an error.
        WasmtimeError: the guest trapped, or does not export the function.
        BaseException: what a host function raised meanwhile.
    """
    owner: Exports = (
        exports.exports if isinstance(exports, Handle) else exports._calls  # noqa: SLF001 - for this alone
    )
    answer: T = owner.function(function)(*arguments)
    return answer


def _check(call: Callable[[], int | None]) -> None:
    error = call()
    if error:
        raise capi.error(error)


def _lower_all(function: Function) -> Callable[[tuple[Any, ...], Scope], bytes]:
    lowerers = [(name, lower.lowerer(shape)) for name, shape in function.params.items()]

    def lower_all(values: tuple[Any, ...], scope: Scope) -> bytes:
        name, vals = "", []
        try:
            for (name, lowerer), value in zip(lowerers, values, strict=True):  # noqa: B007
                vals.append(lowerer(value, scope))
        except MisfitError as error:
            raise error.within(name) from error
        return b"".join(vals)

    return lower_all


def _answer(result: Shape | None) -> Callable[[bytes, Scope], Any]:
    if result is None:
        return lambda _val, _scope: None
    if not isinstance(result, shapes.Result):
        lifter = lift.lifter(result)
        return lambda val, scope: lifter(val, 0, scope)
    outcome = lift.outcome_lifter(result)

    def answer(val: bytes, scope: Scope) -> Any:  # noqa: ANN401 - of any class
        is_ok, payload = outcome(val, 0, scope)
        if not is_ok:
            raise Failure(payload)
        return payload

    return answer

"""Host functions for core modules over wasmtime's C API, past wasmtime-py's conversions.

A call's arguments are read from wasmtime's own array of 32-byte values
(`wasmtime_val_t` in wasmtime's `val.h`), where wasmtime-py builds type
descriptions anew for each. Results have an array of their own, which begins as
zeros: a call that is lost before it answers says 0, never one of its arguments.
Whatever happens once an instance stays with wasmtime-py. `obstacle` says whether
the installed wasmtime is as expected here.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from ctypes import c_void_p
from itertools import count
from struct import Struct

from wasmtime import FuncType, Linker, Trap, WasmtimeError, _ffi, _func

from wasmtime_attestation.world.core_calls import HostFunction
from wasmtime_attestation.world.core_instance import (
    EXTERN_SIZE,
    HANDLE,
    UncheckedCaller,
    kinds,
)
from wasmtime_attestation.world.host_calls import ShieldedLinker, current

_SLOTS = {0: "i20x", 1: "q16x", 2: "f20x", 3: "d16x"}
"""What follows the kind in `wasmtime_val_t`, as `struct` writes it: i32, i64, f32, f64."""
_VALUE = 8
"""Where the value begins after the kind."""

_Raw = Callable[[int, int, int], None]
_functions: dict[int, tuple[_Raw, bool, str]] = {}
"""What each is, whether it is shielded (see `host_calls`), and its WIT name."""
_keys = count(1)


def define(linker: Linker, module: str, name: str, type_: FuncType, function: HostFunction) -> None:
    """Defines a host function; see `core_calls.Define`."""
    key = next(_keys)
    is_shielded = isinstance(linker, ShieldedLinker)
    _functions[key] = _raw(type_, function), is_shielded, name.replace("_", "-")
    where, what = module.encode(), name.encode()
    error = _ffi.wasmtime_linker_define_func(
        linker.ptr(), where, len(where), what, len(what), type_.ptr(), _trampoline, key, _forget
    )
    if error:  # type: ignore[truthy-bool]
        raise WasmtimeError._from_ptr(error)  # noqa: SLF001


def _raw(type_: FuncType, function: HostFunction) -> _Raw:
    """Returns a function of a caller and the addresses of its arguments and of its results."""
    parameters = _parameters(kinds(_ffi.wasm_functype_params(type_.ptr())))
    answers = kinds(_ffi.wasm_functype_results(type_.ptr()))
    unpack, block = parameters.unpack_from, (ctypes.c_char * parameters.size).from_address

    def call(caller: int, values: int, _results: int) -> None:
        function(UncheckedCaller(caller), *(unpack(block(values)) if values else ()))

    def answer(caller: int, values: int, results: int) -> None:
        result = function(UncheckedCaller(caller), *(unpack(block(values)) if values else ()))
        pack(place(results), 0, kind, result)

    if not answers:
        return call
    (kind,) = answers
    pack, place = _slot(kind).pack_into, (ctypes.c_char * _slot(kind).size).from_address
    return answer


@functools.cache
def _parameters(types: tuple[int, ...]) -> Struct:
    return Struct("=" + "".join(f"{_VALUE}x{_SLOTS[kind]}" for kind in types))


@functools.cache
def _slot(kind: int) -> Struct:
    return Struct(f"=B{_VALUE - 1}x{_SLOTS[kind]}")


def _enter(key: int, caller: int, values: int, _count: int, results: int, _results: int) -> int:
    function, is_shielded, name = _functions[key]
    try:
        meter = current().meter
        if meter is not None:
            meter.called(name)
        function(caller, values, results)
    except BaseException as error:  # noqa: BLE001 - nothing crosses the guest's frames
        return _kept(error) if is_shielded else _handed_over(error)
    # The function may call its guest and take an exception within for the guest's fault.
    if is_shielded and (call := current()).raised is not None:
        return _trap(call.message)
    return 0


def _drop(key: int) -> None:
    _functions.pop(key, None)


# wasmtime calls these two as long as a linker or a store has the function, so they stay.
_Trampoline = ctypes.CFUNCTYPE(
    ctypes.c_size_t, c_void_p, c_void_p, c_void_p, ctypes.c_size_t, c_void_p, ctypes.c_size_t
)
_entrance = _Trampoline(_enter)
_trampoline = ctypes.cast(_entrance, _ffi.wasmtime_func_callback_t)
_forget = ctypes.CFUNCTYPE(None, c_void_p)(_drop)


def _kept(error: BaseException) -> int:
    """Keeps an exception for `call_guest`, and returns the address of a trap."""
    call = current()
    call.keep(error)
    return _trap(call.message)


def _handed_over(error: BaseException) -> int:
    """Hands an exception over as wasmtime-py does, and returns the address of a trap."""
    _func.LAST_EXCEPTION = error  # type: ignore[assignment]
    return _trap("python exception")


def _trap(message: str) -> int:
    """Returns the address of a trap, which becomes wasmtime's."""
    return ctypes.cast(Trap(message)._consume(), c_void_p).value or 0  # noqa: SLF001


def obstacle() -> str | None:
    """Returns what of the installed wasmtime is not as expected; None if all is.

    The sizes are those that wasmtime-py took from wasmtime's headers.
    """
    sizes = {
        "wasmtime_val_t": 32,
        "wasmtime_memory_t": 24,
        "wasmtime_func_t": 16,
        "wasmtime_extern_t": EXTERN_SIZE,
    }
    for name, size in sizes.items():
        found = getattr(_ffi, name, None)
        if found is None or ctypes.sizeof(found) != size:
            return f"{name} is not {size} bytes large"
    if _ffi.wasmtime_val_t.of.offset != _VALUE:
        return f"a value is not at byte {_VALUE} of wasmtime_val_t"
    if _ffi.wasmtime_extern_t.of.offset != HANDLE:
        return f"a handle is not at byte {HANDLE} of wasmtime_extern_t"
    if not hasattr(_func, "LAST_EXCEPTION"):
        return "exceptions of host functions are handed over otherwise"
    return None

"""The instance that calls, over wasmtime's C API; see `core_direct`."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import CFUNCTYPE, PYFUNCTYPE, c_bool, c_char_p, c_size_t, c_void_p, py_object
from struct import Struct
from typing import Any

import wasmtime
from wasmtime import Trap, WasmtimeError, _ffi, _func

from wasmtime_attestation.world.core_stock import StockCaller

# `wasmtime_extern_t`: its kind; then the handle, a store's number and what is meant within it.
EXTERN_SIZE, HANDLE = 32, 8
_MEMORY_EXTERN = Struct("<B7xQI4xI4x").unpack
_FUNC_EXTERN = Struct("<B7xQQ8x").unpack
_Extern = ctypes.c_char * EXTERN_SIZE
_MEMORY = _ffi.WASMTIME_EXTERN_MEMORY.value
_FUNC = _ffi.WASMTIME_EXTERN_FUNC.value
_I32 = 0  # `WASM_I32`
# The parameters of `cabi_realloc` as `wasmtime_val_raw_t`, the first of which its result replaces;
# then the address of a trap.
_ARGUMENTS = Struct("<i12xi12xi12xI12xQ").pack
_RESULT = Struct("<i60xQ").unpack
_TRAP = 64
_Values = ctypes.c_char * (_TRAP + 8)

_library = _ffi.dll
# These return at once and run no guest, so they keep the interpreter's lock.
_context_of = PYFUNCTYPE(c_void_p, c_void_p)(("wasmtime_caller_context", _library))
_export_of = PYFUNCTYPE(c_bool, c_void_p, c_char_p, c_size_t, c_void_p)(
    ("wasmtime_caller_export_get", _library)
)
_delete_extern = PYFUNCTYPE(None, c_void_p)(("wasmtime_extern_delete", _library))
_data_of = PYFUNCTYPE(c_void_p, c_void_p, c_void_p)(("wasmtime_memory_data", _library))
_size_of = PYFUNCTYPE(c_size_t, c_void_p, c_void_p)(("wasmtime_memory_data_size", _library))
_run = CFUNCTYPE(c_void_p, c_void_p, c_void_p, c_void_p, c_size_t, c_void_p)(
    ("wasmtime_func_call_unchecked", _library)
)
_memory_type_of = PYFUNCTYPE(c_void_p, c_void_p, c_void_p)(("wasmtime_memory_type", _library))
_is_64 = PYFUNCTYPE(c_bool, c_void_p)(("wasmtime_memorytype_is64", _library))
_delete_memory_type = PYFUNCTYPE(None, c_void_p)(("wasm_memorytype_delete", _library))
_func_type_of = PYFUNCTYPE(c_void_p, c_void_p, c_void_p)(("wasmtime_func_type", _library))
_delete_func_type = PYFUNCTYPE(None, c_void_p)(("wasm_functype_delete", _library))
_kind_of: Callable[[Any], int] = _ffi.wasm_valtype_kind  # type: ignore[assignment] # a c_ubyte is read as an int
# Who keeps the lock while it copies a token need not wait for it afterwards.
copy = PYFUNCTYPE(None, c_void_p, c_void_p, c_size_t)(
    ctypes.cast(ctypes.memmove, c_void_p).value or 0
)
"""As `ctypes.memmove`, which lets other threads run meanwhile."""
bytes_at = PYFUNCTYPE(py_object, c_void_p, ctypes.c_ssize_t)(
    ("PyBytes_FromStringAndSize", ctypes.pythonapi)
)
"""Returns a copy of the bytes at an address; `ctypes.string_at` with one call less."""

MAX_KNOWN = 4096
"""How many exports' types are remembered; one that was forgotten is looked at again."""
_Handle = tuple[int, ...]
_AnyExtern = ctypes.Array[ctypes.c_char]
_Fits = Callable[[int, int], bool]
_contexts: dict[_Handle, int] = {}
"""The context of each export's store, or 0 where the export has not the type that is needed.

No handle ever means another export: stores have numbers that are not used twice, and keep what is
in them until they are gone. A context is where a store is, for as long as it is.
"""


class UncheckedCaller:
    """The calling instance, and its memory once that was looked up: see `core_calls`.

    Args:
        address: that of its `wasmtime_caller_t`, which is gone after the call.
    """

    __slots__ = ("_address", "_context", "_extern", "_handle", "identity")

    identity: _Handle
    _context: int
    _extern: _AnyExtern
    _handle: int

    def __init__(self, address: int) -> None:
        self._address = address

    def memory(self) -> UncheckedCaller | None:
        """Returns its export `memory`; None where that is no ordinary 32-bit memory."""
        extern = _Extern()
        if not _export_of(self._address, b"memory", 6, extern):
            return None
        handle = _MEMORY_EXTERN(extern)
        context = _contexts.get(handle)
        if context is None:
            context = self._context_of(handle, _MEMORY, extern, _is_ordinary)
        if not context:
            _delete_extern(extern)
            return None
        self.identity, self._context = handle, context
        self._extern = extern  # what the handle's address leads to
        self._handle = ctypes.addressof(extern) + HANDLE
        return self

    def realloc(self, size: int) -> int | None:
        """Returns what its export `cabi_realloc` says; None where that is no such function."""
        extern = _Extern()
        if not _export_of(self._address, b"cabi_realloc", 12, extern):
            return None
        handle = _FUNC_EXTERN(extern)
        context = _contexts.get(handle)
        if context is None:
            context = self._context_of(handle, _FUNC, extern, _is_realloc)
        if not context:
            _delete_extern(extern)
            return None
        values = _Values.from_buffer_copy(_ARGUMENTS(0, 0, 1, size, 0))
        at = ctypes.addressof(values)
        error = _run(context, ctypes.addressof(extern) + HANDLE, at, 4, at + _TRAP)
        address: int
        address, trap = _RESULT(values)
        if error or trap:
            _func.maybe_raise_last_exn()
            raise _failure(error, trap)
        return address

    def size(self) -> int:
        """Returns how many bytes the memory has now."""
        size: int = _size_of(self._context, self._handle)
        return size

    def read(self, start: int, size: int) -> bytes:
        """Returns a copy of `size` bytes, which are in memory."""
        data: bytes = bytes_at(_data_of(self._context, self._handle) + start, size) if size else b""
        return data

    def write(self, start: int, data: bytes) -> None:
        """Writes bytes that have room in memory."""
        copy(_data_of(self._context, self._handle) + start, data, len(data))

    def grow(self, size: int) -> int:
        """Adds at least `size` bytes to the memory and returns the address of the first."""
        memory = self._slowly().memory()
        if memory is None:
            raise WasmtimeError("the memory is gone")
        return memory.grow(size)

    def _slowly(self) -> StockCaller:
        """Returns the same through wasmtime-py, for what happens once an instance."""
        pointer = ctypes.cast(self._address, ctypes.POINTER(_ffi.wasmtime_caller_t))
        return StockCaller(wasmtime.Caller(pointer))

    def _context_of(self, handle: _Handle, kind: int, extern: _AnyExtern, fits: _Fits) -> int:
        """Returns the context of an export that is of a kind, and fits; 0 of any other."""
        context: int = _context_of(self._address)
        if handle[0] != kind or not fits(context, ctypes.addressof(extern) + HANDLE):
            context = 0
        if len(_contexts) >= MAX_KNOWN:
            _contexts.clear()
        _contexts[handle] = context
        return context


def _is_ordinary(context: int, memory: int) -> bool:
    """Whether a memory has 32-bit addresses."""
    type_ = _memory_type_of(context, memory)
    is_64 = _is_64(type_)
    _delete_memory_type(type_)
    return not is_64


def _is_realloc(context: int, function: int) -> bool:
    """Whether a function has the type of `cabi_realloc`."""
    address = _func_type_of(context, function)
    type_ = ctypes.cast(address, ctypes.POINTER(_ffi.wasm_functype_t))
    found = kinds(_ffi.wasm_functype_params(type_)), kinds(_ffi.wasm_functype_results(type_))
    _delete_func_type(address)
    return found == ((_I32,) * 4, (_I32,))


def kinds(types: Any) -> tuple[int, ...]:  # noqa: ANN401 - a pointer of ctypes
    """Returns the kinds of types; wasmtime-py would make several objects for each."""
    found = types.contents
    return tuple(_kind_of(found.data[index]) for index in range(found.size))


def _failure(error: int | None, trap: int) -> Trap | WasmtimeError:
    """Returns why a call failed, as wasmtime-py has it."""
    if error is None:
        return Trap._from_ptr(ctypes.cast(trap, ctypes.POINTER(_ffi.wasm_trap_t)))  # noqa: SLF001
    pointer = ctypes.cast(error, ctypes.POINTER(_ffi.wasmtime_error_t))
    return WasmtimeError._from_ptr(pointer)  # noqa: SLF001

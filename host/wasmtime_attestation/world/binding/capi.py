"""wasmtime's C API for component values: its layouts, and whether they are what this code expects.

wasmtime-py builds and reads each value through dozens of ctypes objects. This
package moves whole blocks of memory instead, which is an order of magnitude
faster and leans on the layouts of wasmtime's `component/val.h`:

    wasmtime_component_val      32 bytes: kind (u8), 7 bytes of padding, a union of 24
    string, enumeration         size, address of UTF-8
    list, tuple                 size, address of vals
    record                      size, address of entries: size and address of the name, a val
    flags                       size, address of names
    variant                     size and address of the case's name, address of a val or 0
    option                      address of a val or 0
    result                      is_ok (u8), 7 bytes of padding, address of a val or 0
    map                         size, address of pairs of vals
    resource                    address of a wasmtime_component_resource_any

`problem` compares them with what wasmtime-py declares.
"""

from __future__ import annotations

import ctypes
import functools
import sys
from ctypes import CFUNCTYPE, PYFUNCTYPE, c_bool, c_char_p, c_size_t, c_uint32, c_void_p, py_object
from struct import Struct
from typing import Any

from wasmtime import WasmtimeError, _ffi

VAL = 32
"""The size of a val."""
ENTRY = 48
"""The size of a record's entry."""
ENTRY_VAL = 16
"""Where in an entry its val is."""
NAME = 16
"""The size of a name: size and address."""

BOOL, S8, U8, S16, U16, S32, U32, S64, U64, F32, F64, CHAR = range(12)
STRING, LIST, RECORD, TUPLE, VARIANT, ENUM, OPTION, RESULT, FLAGS, RESOURCE, MAP = range(12, 23)

SEQUENCE = Struct("<B7xQQ8x")
"""A val of a kind that is a size and an address."""
CASE = Struct("<B7xQQQ")
"""A variant."""
ADDRESS = Struct("<B7xQ16x")
"""An option or a resource."""
OUTCOME = Struct("<B7x?7xQ8x")
"""A result."""
PAIR = Struct("<QQ")
"""A name, or whatever else is a size and an address."""

MAX_ITEMS = (1 << 26) - 1
"""The most vals that ctypes reads at once: their bytes are counted in a C int."""

CALLBACK = CFUNCTYPE(c_size_t, c_void_p, c_void_p, c_void_p, c_void_p, c_size_t, c_void_p, c_size_t)
FINALIZER = CFUNCTYPE(None, c_void_p)


def _function(name: str, result: Any, *parameters: Any) -> Any:  # noqa: ANN401 - ctypes' own
    # A function object of its own: those of wasmtime-py have its argument types.
    return CFUNCTYPE(result, *parameters)((name, _ffi.dll))


# It copies, and returns at once: whoever let other threads run meanwhile would wait for them.
clone = PYFUNCTYPE(None, c_void_p, c_void_p)(("wasmtime_component_val_clone", _ffi.dll))
delete = _function("wasmtime_component_val_delete", None, c_void_p)
error_new = _function("wasmtime_error_new", c_size_t, c_char_p)
add_func = _function(
    "wasmtime_component_linker_instance_add_func",
    c_void_p,
    c_void_p,
    c_char_p,
    c_size_t,
    CALLBACK,
    c_void_p,
    FINALIZER,
)
func_call = _function(
    "wasmtime_component_func_call",
    c_void_p,
    c_void_p,
    c_void_p,
    c_void_p,
    c_size_t,
    c_void_p,
    c_size_t,
)
host_new = _function("wasmtime_component_resource_host_new", c_void_p, c_bool, c_uint32, c_uint32)
host_delete = _function("wasmtime_component_resource_host_delete", None, c_void_p)
host_rep = _function("wasmtime_component_resource_host_rep", c_uint32, c_void_p)
host_type = _function("wasmtime_component_resource_host_type", c_uint32, c_void_p)
host_to_any = _function(
    "wasmtime_component_resource_host_to_any", c_void_p, c_void_p, c_void_p, c_void_p
)
any_to_host = _function(
    "wasmtime_component_resource_any_to_host", c_void_p, c_void_p, c_void_p, c_void_p
)
any_clone = _function("wasmtime_component_resource_any_clone", c_void_p, c_void_p)
any_delete = _function("wasmtime_component_resource_any_delete", None, c_void_p)
any_drop = _function("wasmtime_component_resource_any_drop", c_void_p, c_void_p, c_void_p)

address = PYFUNCTYPE(c_void_p, py_object)(("PyBytes_AsString", ctypes.pythonapi))
"""Returns where the content of a `bytes` object is, for as long as the object lives."""

text_address = PYFUNCTYPE(c_void_p, py_object)(("PyUnicode_AsUTF8", ctypes.pythonapi))
"""Returns where the UTF-8 of a `str` is, for as long as the object lives."""
text_at = PYFUNCTYPE(py_object, c_void_p, ctypes.c_ssize_t, c_char_p)(
    ("PyUnicode_DecodeUTF8", ctypes.pythonapi)
)
"""Returns the text at an address, given its bytes in UTF-8, and None for no leniency."""


def error(pointer: int) -> WasmtimeError:
    """Returns an error of the C API as wasmtime-py's, which owns what is at the address."""
    typed = ctypes.cast(pointer, ctypes.POINTER(_ffi.wasmtime_error_t))
    return WasmtimeError._from_ptr(typed)  # noqa: SLF001 - there is no other way to make one


@functools.cache
def problem() -> str | None:
    """Returns why the layouts that this package relies on cannot be used, or None."""
    if sys.byteorder != "little":
        return f"this machine is {sys.byteorder}-endian"
    try:
        expected = _declared()
    except AttributeError as error:
        return f"wasmtime-py has other names: {error}"
    wrong = [name for name, (found, ours) in expected.items() if found != ours]
    return f"wasmtime-py lays out {', '.join(wrong)} otherwise" if wrong else None


def _declared() -> dict[str, tuple[int, int]]:
    """Returns what wasmtime-py declares, and what this module says, by name."""
    val, entry = _ffi.wasmtime_component_val, _ffi.wasmtime_component_valrecord_entry
    pairs = {
        "addresses": (ctypes.sizeof(c_void_p), 8),
        "val": (ctypes.sizeof(val), VAL),
        "val.of": (val.of.offset, 8),
        "entry": (ctypes.sizeof(entry), ENTRY),
        "entry.val": (entry.val.offset, ENTRY_VAL),
        "name": (ctypes.sizeof(_ffi.wasm_name_t), NAME),
        "map entry": (ctypes.sizeof(_ffi.wasmtime_component_valmap_entry), 2 * VAL),
    }
    offsets = {"variant.val": 16, "result.is_ok": 0, "result.val": 8}
    for name, offset in offsets.items():
        owner, _, member = name.partition(".")
        structure = getattr(_ffi, f"wasmtime_component_val{owner}")
        pairs[name] = (getattr(structure, member).offset, offset)
    for name in ("wasm_byte_vec_t", *(f"wasmtime_component_val{items}" for items in _SEQUENCES)):
        sequence = getattr(_ffi, name)
        pairs[f"{name}.size"] = (sequence.size.offset, 0)
        pairs[f"{name}.data"] = (sequence.data.offset, 8)
    for number, kind in enumerate(_KINDS):
        pairs[f"kind {kind}"] = (getattr(_ffi, f"WASMTIME_COMPONENT_{kind}").value, number)
    return pairs


_SEQUENCES = ("list", "tuple", "record", "flags", "map")
_KINDS = (
    *("BOOL", "S8", "U8", "S16", "U16", "S32", "U32", "S64", "U64", "F32", "F64", "CHAR"),
    *("STRING", "LIST", "RECORD", "TUPLE", "VARIANT", "ENUM", "OPTION", "RESULT", "FLAGS"),
    "RESOURCE",
)

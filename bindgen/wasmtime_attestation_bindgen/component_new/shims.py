"""The two small core modules that close a circle.

A module's imports must be there before its instance, and those that pass
values through memory need the memory of that instance. So the module gets
functions that call through a table, and the table is filled afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wasmtime_attestation_bindgen.component_new.module import CoreFunction
from wasmtime_attestation_bindgen.component_type.values import s33, section, string, u32, vector

TABLE = "$imports"
"""The name of the table."""
INITIALIZE = "_initialize"
"""The name of the function that runs once the table is filled."""

_MODULE = b"\0asm\1\0\0\0"
_TYPES, _IMPORTS, _FUNCTIONS, _TABLES, _EXPORTS, _START, _ELEMENTS, _CODE = 1, 2, 3, 4, 7, 8, 9, 10
_FUNCTION_TYPE, _FUNCREF, _WITH_MAXIMUM = b"\x60", b"\x70", b"\1"
_FUNCTION_KIND, _TABLE_KIND = b"\0", b"\1"
_LOCAL_GET, _I32_CONST, _CALL_INDIRECT, _END = b"\x20", b"\x41", b"\x11", b"\x0b"
_NO_LOCALS, _TABLE_0, _ACTIVE = b"\0", b"\0", b"\0"
_VALUE_TYPES = {"i32": b"\x7f", "i64": b"\x7e", "f32": b"\x7d", "f64": b"\x7c"}


def shim(types: Sequence[CoreFunction]) -> bytes:
    """Returns a module whose functions, named by their numbers, call through a table.

    Args:
        types: the functions' types, with numbers only.
    """
    count = len(types)
    exports = [_export(str(n), _FUNCTION_KIND, n) for n in range(count)]
    return (
        _MODULE
        + section(_TYPES, vector([_function_type(type_) for type_ in types]))
        + section(_FUNCTIONS, vector([u32(n) for n in range(count)]))
        + section(_TABLES, vector([_table_type(count)]))
        + section(_EXPORTS, vector([*exports, _export(TABLE, _TABLE_KIND, 0)]))
        + section(_CODE, vector([_body(n, len(type_[0])) for n, type_ in enumerate(types)]))
    )


def fix_up(types: Sequence[CoreFunction], *, initialize: bool) -> bytes:
    """Returns a module that fills the table with the functions that it imports.

    Args:
        types: the functions' types, with numbers only.
        initialize: whether a function runs after that.
    """
    count = len(types)
    imports = [_import(str(n), _FUNCTION_KIND + u32(n)) for n in range(count)]
    if initialize:
        imports.append(_import(INITIALIZE, _FUNCTION_KIND + u32(count)))
    if count:
        imports.append(_import(TABLE, _TABLE_KIND + _table_type(count)))
    offset = _I32_CONST + s33(0) + _END
    filled = _ACTIVE + offset + vector([u32(n) for n in range(count)])
    all_types = [*types, ((), ())]
    return (
        _MODULE
        + section(_TYPES, vector([_function_type(type_) for type_ in all_types]))
        + section(_IMPORTS, vector(imports))
        + (section(_START, u32(count)) if initialize else b"")
        + (section(_ELEMENTS, vector([filled])) if count else b"")
    )


def _function_type(type_: CoreFunction) -> bytes:
    params, results = type_
    return _FUNCTION_TYPE + _value_types(params) + _value_types(results)


def _value_types(types: Iterable[str]) -> bytes:
    return vector([_VALUE_TYPES[type_] for type_ in types])


def _table_type(count: int) -> bytes:
    return _FUNCREF + _WITH_MAXIMUM + u32(count) + u32(count)


def _export(name: str, kind: bytes, index: int) -> bytes:
    return string(name) + kind + u32(index)


def _import(name: str, description: bytes) -> bytes:
    return string("") + string(name) + description


def _body(number: int, params: int) -> bytes:
    code = (
        _NO_LOCALS
        + b"".join(_LOCAL_GET + u32(n) for n in range(params))
        + (_I32_CONST + s33(number))
        + (_CALL_INDIRECT + u32(number) + _TABLE_0)
        + _END
    )
    return u32(len(code)) + code

"""Value and function types (component-model, Binary.md, "Type Definitions")."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from wasmtime_attestation_bindgen import kinds
from wasmtime_attestation_bindgen.component_type.values import s33, string, u32, vector
from wasmtime_attestation_bindgen.kinds import Kind, Primitive, Type, TypeId
from wasmtime_attestation_bindgen.model import Function

PRIMITIVES = {
    Primitive.BOOL: b"\x7f",
    Primitive.S8: b"\x7e",
    Primitive.U8: b"\x7d",
    Primitive.S16: b"\x7c",
    Primitive.U16: b"\x7b",
    Primitive.S32: b"\x7a",
    Primitive.U32: b"\x79",
    Primitive.S64: b"\x78",
    Primitive.U64: b"\x77",
    Primitive.F32: b"\x76",
    Primitive.F64: b"\x75",
    Primitive.CHAR: b"\x74",
    Primitive.STRING: b"\x73",
    Primitive.ERROR_CONTEXT: b"\x64",
}
_ABSENT, _PRESENT = b"\0", b"\1"
_RESULT, _NO_RESULT = b"\0", b"\1\0"
_NO_REFINED_CASE = b"\0"

IndexOf: TypeAlias = Callable[[TypeId], int]
"""The index of a type in the scope at hand, where it is defined first if need be."""


class Definitions:
    """Encodes types that mention others by index.

    Args:
        index_of: what knows the indices.
    """

    def __init__(self, index_of: IndexOf) -> None:
        self._index_of = index_of

    def function(self, function: Function) -> bytes:
        """Returns a function's type."""
        params = [string(param.name) + self._value(param.type) for param in function.params]
        result = function.result
        return (
            (b"\x43" if function.kind.is_async else b"\x40")
            + vector(params)
            + (_NO_RESULT if result is None else _RESULT + self._value(result))
        )

    def value(self, kind: Kind) -> bytes:
        """Returns the type of a kind."""
        match kind:
            case kinds.Record() | kinds.Variant() | kinds.Enum() | kinds.Flags():
                return self._members(kind)
            case kinds.Own(resource):
                return b"\x69" + u32(self._index_of(resource))
            case kinds.Borrow(resource):
                return b"\x68" + u32(self._index_of(resource))
            case kinds.Future(payload):
                return b"\x65" + self._maybe(payload)
            case kinds.Stream(payload):
                return b"\x66" + self._maybe(payload)
            case kinds.Resource() | kinds.Alias() | kinds.Unknown():
                raise AssertionError("what only names a type has no definition of its own")
            case _:
                return self._container(kind)

    def _members(self, kind: kinds.Record | kinds.Variant | kinds.Enum | kinds.Flags) -> bytes:
        match kind:
            case kinds.Record(fields):
                return b"\x72" + vector([string(f.name) + self._value(f.type) for f in fields])
            case kinds.Variant(cases):
                return b"\x71" + vector([self._case(case) for case in cases])
            case kinds.Flags(labels):
                return b"\x6e" + _labels(labels)
            case kinds.Enum(labels):
                return b"\x6d" + _labels(labels)

    def _container(
        self,
        kind: kinds.Tuple
        | kinds.Option
        | kinds.Result
        | kinds.List
        | kinds.FixedLengthList
        | kinds.Map,
    ) -> bytes:
        match kind:
            case kinds.List(element):
                return b"\x70" + self._value(element)
            case kinds.FixedLengthList(element, length):
                return b"\x67" + self._value(element) + u32(length)
            case kinds.Tuple(types):
                return b"\x6f" + vector([self._value(type_) for type_ in types])
            case kinds.Option(type_):
                return b"\x6b" + self._value(type_)
            case kinds.Result(ok, error):
                return b"\x6a" + self._maybe(ok) + self._maybe(error)
            case kinds.Map(key, value):
                return b"\x63" + self._value(key) + self._value(value)

    def _case(self, case: kinds.Case) -> bytes:
        return string(case.name) + self._maybe(case.type) + _NO_REFINED_CASE

    def _value(self, type_: Type) -> bytes:
        if isinstance(type_, Primitive):
            return PRIMITIVES[type_]
        return s33(self._index_of(type_))

    def _maybe(self, type_: Type | None) -> bytes:
        return _ABSENT if type_ is None else _PRESENT + self._value(type_)


def _labels(labels: Iterable[kinds.Label]) -> bytes:
    return vector([string(label.name) for label in labels])

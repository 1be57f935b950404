"""The type of a component or of an instance while it grows (component-model, Binary.md)."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from wasmtime_attestation_bindgen.component_type.values import string, u32, vector

_TYPE, _ALIAS = b"\1", b"\2"
_TYPE_SORT = b"\3"
_ALIAS_OF_EXPORT, _ALIAS_OF_OUTER = b"\0", b"\2"
_EQUAL, _SUB_RESOURCE = b"\0", b"\1"


class ScopeForm(Enum):
    """What a scope is the type of; the value is its code."""

    COMPONENT = b"\x41"
    INSTANCE = b"\x42"


class Declaration(Enum):
    """Which way a name goes; the value is its code."""

    IMPORT = b"\3"
    EXPORT = b"\4"


class Sort(Enum):
    """What a name stands for, types apart; the value is its code."""

    FUNCTION = b"\1"
    COMPONENT = b"\4"
    INSTANCE = b"\5"


class TypeScope(Protocol):
    """What types can be defined and named in: a type that grows, or a component."""

    def define(self, type_: bytes) -> int:
        """Adds a type and returns its index."""

    def alias_export(self, instance: int, name: str) -> int:
        """Adds a type that an imported or exported instance holds, and returns its index here."""

    def name_type(self, way: Declaration, name: bytes, index: int) -> int:
        """Gives a type a name, and returns the index of the type with that name."""

    def name_resource(self, way: Declaration, name: bytes) -> int:
        """Adds a resource and returns its index."""

    def name(self, way: Declaration, name: bytes, sort: Sort, index: int) -> None:
        """Imports or exports something whose type stands at an index."""


class Scope:
    """Declarations, and the index space of types that they fill.

    Args:
        form: what the scope is the type of.
    """

    def __init__(self, form: ScopeForm) -> None:
        self._form = form
        self._declarations: list[bytes] = []
        self._types = 0

    def define(self, type_: bytes) -> int:
        """Adds a type and returns its index."""
        return self._add_type(_TYPE + type_)

    def alias_export(self, instance: int, name: str) -> int:
        """Adds a type that an imported or exported instance holds, and returns its index here."""
        target = _ALIAS_OF_EXPORT + u32(instance) + string(name)
        return self._add_type(_ALIAS + _TYPE_SORT + target)

    def alias_outer(self, index: int) -> int:
        """Adds a type of the scope around this one, and returns its index here."""
        target = _ALIAS_OF_OUTER + u32(1) + u32(index)
        return self._add_type(_ALIAS + _TYPE_SORT + target)

    def name_type(self, way: Declaration, name: bytes, index: int) -> int:
        """Gives a type a name, and returns the index of the type with that name."""
        return self._add_type(way.value + name + _TYPE_SORT + _EQUAL + u32(index))

    def name_resource(self, way: Declaration, name: bytes) -> int:
        """Adds a resource and returns its index."""
        return self._add_type(way.value + name + _TYPE_SORT + _SUB_RESOURCE)

    def name(self, way: Declaration, name: bytes, sort: Sort, index: int) -> None:
        """Imports or exports something whose type stands at an index."""
        self._declarations.append(way.value + name + sort.value + u32(index))

    def encode(self) -> bytes:
        """Returns the type."""
        return self._form.value + vector(self._declarations)

    def _add_type(self, declaration: bytes) -> int:
        self._declarations.append(declaration)
        self._types += 1
        return self._types - 1

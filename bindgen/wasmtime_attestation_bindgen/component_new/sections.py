"""A component while it is written (component-model, Binary.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import Enum

from wasmtime_attestation_bindgen.component_type.scope import Declaration, Sort
from wasmtime_attestation_bindgen.component_type.values import section, string, u32, vector

_COMPONENT = b"\0asm\x0d\0\1\0"
_TYPE_SORT = b"\3"
_EQUAL, _SUB_RESOURCE = b"\0", b"\1"
_ALIAS_OF_EXPORT, _ALIAS_OF_CORE_EXPORT = b"\0", b"\1"
_INSTANTIATE, _BUNDLE, _CORE_INSTANCE_ARGUMENT = b"\0", b"\1", b"\x12"
_LIFT, _LOWER = b"\0\0", b"\1\0"
_RESOURCE, _REP_I32, _NO_DESTRUCTOR, _DESTRUCTOR = b"\x3f", b"\x7f", b"\0", b"\1"
_NOT_ASCRIBED, _ASCRIBED = b"\0", b"\1"


class Section(Enum):
    """A component's sections, whose items are numbered together; the value is the code."""

    CORE_INSTANCES = 2
    INSTANCES = 5
    ALIASES = 6
    TYPES = 7
    CANONICALS = 8
    IMPORTS = 10
    EXPORTS = 11


class CoreSort(Enum):
    """What core modules hold; the value is its code."""

    FUNCTION = b"\0"
    TABLE = b"\1"
    MEMORY = b"\2"


class CanonicalOption(Enum):
    """How values pass between a component and its module; the value is its code."""

    MEMORY = b"\3"
    REALLOC = b"\4"
    POST_RETURN = b"\5"


class _Space(Enum):
    CORE_MODULES = 0
    CORE_INSTANCES = 1
    TYPES = 2


class Sections:
    """Sections in order, and the index spaces that they fill.

    Every method that adds something returns its index.
    """

    def __init__(self) -> None:
        self._written = bytearray(_COMPONENT)
        self._open: Section | None = None
        self._items: list[bytes] = []
        self._counts: Counter[Sort | CoreSort | _Space] = Counter()

    def finish(self) -> bytes:
        """Returns the component."""
        self._close()
        return bytes(self._written)

    def define(self, type_: bytes) -> int:
        """Adds a type."""
        return self._add(Section.TYPES, type_, _Space.TYPES)

    def define_resource(self, destructor: int | None) -> int:
        """Adds a resource that the module implements; its destructor is a core function."""
        end = _NO_DESTRUCTOR if destructor is None else _DESTRUCTOR + u32(destructor)
        return self.define(_RESOURCE + _REP_I32 + end)

    def name_type(self, way: Declaration, name: bytes, index: int) -> int:
        """Imports a type that equals one, or exports that one."""
        if way is Declaration.IMPORT:
            return self._import(name + _TYPE_SORT + _EQUAL + u32(index), _Space.TYPES)
        exported = name + _TYPE_SORT + u32(index) + _NOT_ASCRIBED
        return self._add(Section.EXPORTS, exported, _Space.TYPES)

    def name_resource(self, way: Declaration, name: bytes) -> int:
        """Imports a resource."""
        if way is not Declaration.IMPORT:
            raise AssertionError("a resource is exported as the type that it is")
        return self._import(name + _TYPE_SORT + _SUB_RESOURCE, _Space.TYPES)

    def name(self, way: Declaration, name: bytes, sort: Sort, index: int) -> None:
        """Imports a function or an instance of a type."""
        if way is not Declaration.IMPORT:
            raise AssertionError("an export is of what there is, not of a type")
        self._import(name + sort.value + u32(index), sort)

    def count(self, sort: Sort) -> int:
        """Returns how many functions, instances or components there are so far."""
        return self._counts[sort]

    def _import(self, import_: bytes, space: Sort | _Space) -> int:
        return self._add(Section.IMPORTS, import_, space)

    def export(self, name: bytes, sort: Sort, index: int, type_: int | None = None) -> int:
        """Exports a function or an instance; a function as one of a type, if one is given."""
        ascribed = _NOT_ASCRIBED if type_ is None else _ASCRIBED + sort.value + u32(type_)
        return self._add(Section.EXPORTS, name + sort.value + u32(index) + ascribed, sort)

    def alias_export(self, instance: int, name: str) -> int:
        """Adds a type that an instance holds."""
        alias = _TYPE_SORT + _ALIAS_OF_EXPORT + u32(instance) + string(name)
        return self._add(Section.ALIASES, alias, _Space.TYPES)

    def alias_function(self, instance: int, name: str) -> int:
        """Adds a function that an instance holds."""
        alias = Sort.FUNCTION.value + _ALIAS_OF_EXPORT + u32(instance) + string(name)
        return self._add(Section.ALIASES, alias, Sort.FUNCTION)

    def alias_core(self, instance: int, sort: CoreSort, name: str) -> int:
        """Adds what a core instance holds."""
        alias = b"\0" + sort.value + _ALIAS_OF_CORE_EXPORT + u32(instance) + string(name)
        return self._add(Section.ALIASES, alias, sort)

    def lower(self, function: int, options: Iterable[bytes]) -> int:
        """Adds the core function that calls a function."""
        lowered = _LOWER + u32(function) + vector(list(options))
        return self._add(Section.CANONICALS, lowered, CoreSort.FUNCTION)

    def lift(self, core: int, options: Iterable[bytes], type_: int) -> int:
        """Adds the function of a type that a core function implements."""
        lifted = _LIFT + u32(core) + vector(list(options)) + u32(type_)
        return self._add(Section.CANONICALS, lifted, Sort.FUNCTION)

    def intrinsic(self, code: bytes, resource: int) -> int:
        """Adds the core function that does something with a resource."""
        return self._add(Section.CANONICALS, code + u32(resource), CoreSort.FUNCTION)

    def core_module(self, module: bytes) -> int:
        """Adds a core module."""
        self._close()
        self._written += section(1, module)
        return self._next(_Space.CORE_MODULES)

    def component(self, component: bytes) -> int:
        """Adds a component."""
        self._close()
        self._written += section(4, component)
        return self._next(Sort.COMPONENT)

    def core_bundle(self, exports: Iterable[tuple[str, CoreSort, int]]) -> int:
        """Adds a core instance made of things that are there already."""
        parts = [string(name) + sort.value + u32(index) for name, sort, index in exports]
        return self._core_instance(_BUNDLE + vector(parts))

    def instantiate_core(self, module: int, arguments: Iterable[tuple[str, int]]) -> int:
        """Adds a core module's instance, whose imports come from core instances."""
        parts = [string(name) + _CORE_INSTANCE_ARGUMENT + u32(index) for name, index in arguments]
        return self._core_instance(_INSTANTIATE + u32(module) + vector(parts))

    def _core_instance(self, instance: bytes) -> int:
        return self._add(Section.CORE_INSTANCES, instance, _Space.CORE_INSTANCES)

    def instantiate(self, component: int, arguments: Iterable[tuple[str, bytes, int]]) -> int:
        """Adds a component's instance; an argument has a name, the code of its sort, an index."""
        parts = [string(name) + sort + u32(index) for name, sort, index in arguments]
        instance = _INSTANTIATE + u32(component) + vector(parts)
        return self._add(Section.INSTANCES, instance, Sort.INSTANCE)

    def _add(self, section_: Section, item: bytes, space: Sort | CoreSort | _Space) -> int:
        if section_ is not self._open:
            self._close()
            self._open = section_
        self._items.append(item)
        return self._next(space)

    def _next(self, space: Sort | CoreSort | _Space) -> int:
        self._counts[space] += 1
        return self._counts[space] - 1

    def _close(self) -> None:
        if self._open is not None:
            self._written += section(self._open.value, vector(self._items))
        self._open, self._items = None, []

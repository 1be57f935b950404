"""The types of components and instances: worlds and interfaces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from wasmtime_attestation_bindgen import syntax
from wasmtime_attestation_bindgen.binary import types
from wasmtime_attestation_bindgen.binary.items import Items
from wasmtime_attestation_bindgen.binary.names import ExternName, Names, read_extern_name
from wasmtime_attestation_bindgen.binary.reader import Reader
from wasmtime_attestation_bindgen.syntax import Direction

DEEPEST_SCOPE = 8
"""A package's component holds worlds, which hold instances; nothing needs more."""

_COMPONENT_TYPE, _INSTANCE_TYPE = 0x41, 0x42
_TYPE, _ALIAS, _IMPORT, _EXPORT = 0x01, 0x02, 0x03, 0x04
_FUNC_SORT, _TYPE_SORT, _COMPONENT_SORT, _INSTANCE_SORT = 0x01, 0x03, 0x04, 0x05
_ALIAS_OF_EXPORT, _ALIAS_OF_OUTER = 0x00, 0x02
_EQUAL, _SUB_RESOURCE = 0x00, 0x01


@dataclass(frozen=True, slots=True)
class Instance:
    """What stands in an interface."""

    items: tuple[syntax.InterfaceItem, ...]


@dataclass(frozen=True, slots=True)
class Component:
    """What stands in a world, or around an interface or a world.

    Attributes:
        items: types, imports and exports, in order.
        imported: the interfaces among the imports that have a path.
        exported: the interfaces among the exports that have a path.
        components: the components among the exports, by name.
    """

    items: tuple[syntax.WorldItem, ...]
    imported: tuple[tuple[syntax.Path, Instance], ...]
    exported: tuple[tuple[syntax.Path, Instance], ...]
    components: tuple[tuple[str, Component], ...]


Entry: TypeAlias = types.Entry | Instance | Component


class Scope:
    """A component's or an instance's type while it is read; or a whole component.

    Args:
        reader: where it stands.
        names: what makes names.
        parent: the scope around it.
    """

    def __init__(self, reader: Reader, names: Names, parent: Scope | None = None) -> None:
        self._reader = reader
        self._names = names
        self.parent = parent
        self.depth: int = 1 if parent is None else parent.depth + 1
        if self.depth > DEEPEST_SCOPE:
            raise reader.error("types nest too deep")
        self._types: list[Entry] = []
        self._instances: list[syntax.Path | None] = []
        self._items = Items(reader, names)
        self._interfaces: dict[Direction, list[tuple[syntax.Path, Instance]]] = {
            direction: [] for direction in Direction
        }
        self._components: list[tuple[str, Component]] = []

    def component(self) -> Component:
        """Returns the component type whose declarations come next.

        Raises:
            WitError: one is malformed.
        """
        for _ in range(self._reader.count()):
            self._declaration(is_component=True)
        return Component(
            tuple(i for i in self._items.finish() if not isinstance(i, syntax.Function)),
            tuple(self._interfaces[Direction.IMPORT]),
            tuple(self._interfaces[Direction.EXPORT]),
            tuple(self._components),
        )

    def instance(self) -> Instance:
        """Returns the instance type whose declarations come next.

        Raises:
            WitError: one is malformed.
        """
        for _ in range(self._reader.count()):
            self._declaration(is_component=False)
        return Instance(tuple(i for i in self._items.finish() if not isinstance(i, syntax.Extern)))

    def _declaration(self, *, is_component: bool) -> None:
        code = self._reader.byte()
        if code == _TYPE:
            self.define()
        elif code == _ALIAS:
            self._alias()
        elif code == _IMPORT and is_component:
            self._extern(Direction.IMPORT)
        elif code == _EXPORT:
            self._extern(Direction.EXPORT if is_component else None)
        else:
            raise self._reader.error(f"the unknown declaration {code:#04x}")

    def define(self) -> None:
        """Reads the type's definition that comes next.

        Raises:
            WitError: it is malformed.
        """
        self._types.append(self._definition(self._reader.byte()))

    def _definition(self, code: int) -> Entry:
        if code == _COMPONENT_TYPE:
            return Scope(self._reader, self._names, self).component()
        if code == _INSTANCE_TYPE:
            return Scope(self._reader, self._names, self).instance()
        reader = types.TypeReader(self._reader, self._names, self._plain)
        if code in (types.SYNC_FUNCTION, types.ASYNC_FUNCTION):
            return reader.signature(code)
        return reader.definition(code)

    def entry(self, index: int) -> Entry:
        """Returns the type at an index.

        Raises:
            WitError: there is none.
        """
        if not 0 <= index < len(self._types):
            raise self._reader.error(f"there is no type {index}")
        return self._types[index]

    def export(self, index: int) -> Entry:
        """Returns the type at an index, which gets one more index by being exported.

        Raises:
            WitError: there is none.
        """
        self._types.append(self.entry(index))
        return self._types[-1]

    def _plain(self, index: int) -> types.Entry:
        entry = self.entry(index)
        if isinstance(entry, Instance | Component):
            raise self._reader.error(f"type {index} is no type of values")
        return entry

    def _alias(self) -> None:
        sort, target = self._reader.byte(), self._reader.byte()
        if sort == _TYPE_SORT and target == _ALIAS_OF_EXPORT:
            self._types.append(self._used(self._reader.u32(), self._reader.text()))
        elif sort == _TYPE_SORT and target == _ALIAS_OF_OUTER:
            self._types.append(self._outer(self._reader.u32(), self._reader.u32()))
        else:
            raise self._reader.error("an alias of something that a WIT package does not hold")

    def _used(self, instance: int, name: str) -> types.Used:
        path = self._instances[instance] if instance < len(self._instances) else None
        if path is None:
            raise self._reader.error(f"instance {instance} is no interface with a name")
        return types.Used(path, self._names.name(self._reader, name))

    def _outer(self, count: int, index: int) -> Entry:
        scope: Scope | None = self
        for _ in range(min(count, DEEPEST_SCOPE)):
            scope = None if scope is None else scope.parent
        entry = None if scope is None else scope.entry(index)
        # A name means something else in another scope; an interface's type does not.
        if not isinstance(entry, types.Used):
            raise self._reader.error("an alias of something that no `use` can express")
        return entry

    def _extern(self, direction: Direction | None) -> None:
        name, sort = read_extern_name(self._reader), self._reader.byte()
        if sort == _TYPE_SORT:
            self._types.append(self._type_bound(name))
            return
        entry = self.entry(self._reader.u32())
        if sort == _FUNC_SORT and isinstance(entry, types.Signature):
            self._items.add_function(name, entry, direction)
        elif sort == _INSTANCE_SORT and isinstance(entry, Instance) and direction is not None:
            self._interface(name, entry, direction)
        elif sort == _COMPONENT_SORT and isinstance(entry, Component):
            self._components.append((name.text, entry))
        else:
            raise self._reader.error(f"{name.text!r} is nothing that a WIT package holds")

    def _type_bound(self, name: ExternName) -> types.Local:
        bound = self._reader.byte()
        if bound == _SUB_RESOURCE:
            return self._items.add_resource(name)
        entry = self._plain(self._reader.u32()) if bound == _EQUAL else None
        if entry is None or isinstance(entry, types.Signature):
            raise self._reader.error(f"{name.text!r} is no type of values")
        return self._items.add_type(name, entry)

    def _interface(self, name: ExternName, instance: Instance, direction: Direction) -> None:
        path = self._items.add_interface(name, instance.items, direction)
        self._instances.append(path)
        if path is not None:
            self._interfaces[direction].append((path, instance))

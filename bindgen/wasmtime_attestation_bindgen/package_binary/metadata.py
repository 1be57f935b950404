"""Documentation and gates of a package (wit-parser, metadata.rs, version 1).

The types of a component cannot hold them, so they stand in a custom section:
a version, then JSON whose members are left out where there is nothing to say.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias, TypeVar

from wasmtime_attestation_bindgen import kinds
from wasmtime_attestation_bindgen.component_type.names import qualified
from wasmtime_attestation_bindgen.model import (
    Function,
    FunctionItem,
    InterfaceId,
    InterfaceItem,
    Resolve,
    TypeItem,
    WorldId,
    WorldItems,
    WorldKey,
)
from wasmtime_attestation_bindgen.model_json import stability_json

SECTION = "package-docs"
"""The name of the custom section."""
VERSION = 1
"""The version of the format that is written."""

_Json: TypeAlias = Mapping[str, object]
K = TypeVar("K")
T = TypeVar("T")


def package_metadata(resolve: Resolve) -> bytes:
    """Returns the contents of the main package's `package-docs` section."""
    package = resolve.packages[resolve.main]
    return bytes([VERSION]) + _dumps(
        {
            "docs": package.docs,
            "worlds": _each(package.worlds.items(), lambda id_: _world(resolve, id_)),
            "interfaces": _each(package.interfaces.items(), lambda id_: _interface(resolve, id_)),
        }
    )


def _dumps(value: _Json) -> bytes:
    return json.dumps(_said(value), ensure_ascii=False, separators=(",", ":")).encode()


def _said(members: _Json) -> _Json:
    """Returns the members that say anything."""
    return {name: value for name, value in members.items() if value not in (None, {})}


def _each(items: Iterable[tuple[K, T]], describe: Callable[[T], object]) -> dict[K, object]:
    described = ((name, describe(item)) for name, item in items)
    return {name: value for name, value in described if value not in (None, {})}


def _world(resolve: Resolve, id_: WorldId) -> _Json:
    world = resolve.worlds[id_]
    imports, exports = _Items(resolve, world.imports), _Items(resolve, world.exports)
    return _said(
        {
            "docs": world.docs,
            "stability": stability_json(world.stability),
            "interfaces": imports.inline(),
            "types": imports.types(),
            "funcs": imports.functions(),
            "interface_exports": exports.inline(),
            "func_exports": exports.functions(),
            "interface_import_stability": imports.stability(),
            "interface_export_stability": exports.stability(),
            "interface_import_docs": imports.docs(),
            "interface_export_docs": exports.docs(),
        }
    )


class _Items:
    """What a world imports, or what it exports."""

    def __init__(self, resolve: Resolve, items: WorldItems) -> None:
        self._resolve = resolve
        self._items = items

    def inline(self) -> dict[str, object]:
        """Returns the interfaces that the world itself defines."""
        interfaces = ((key, item.id) for key, item in self._interfaces(inline=True))
        return _each(interfaces, lambda id_: _interface(self._resolve, id_))

    def types(self) -> dict[str, object]:
        """Returns the types."""
        types = [(str(k), i.id) for k, i in self._items.items() if isinstance(i, TypeItem)]
        return _each(types, lambda id_: _type(self._resolve, id_))

    def functions(self) -> dict[str, object]:
        """Returns the functions."""
        items = self._items.items()
        functions = [(str(k), i.function) for k, i in items if isinstance(i, FunctionItem)]
        return _each(functions, _function)

    def stability(self) -> dict[str, object]:
        """Returns the gates of interfaces that are defined elsewhere."""
        return _each(self._interfaces(inline=False), lambda item: stability_json(item.stability))

    def docs(self) -> dict[str, object]:
        """Returns the documentation at interfaces that are defined elsewhere."""
        return _each(self._interfaces(inline=False), lambda item: item.docs)

    def _interfaces(self, *, inline: bool) -> list[tuple[str, InterfaceItem]]:
        return [
            (self._name(key), item)
            for key, item in self._items.items()
            if isinstance(item, InterfaceItem)
            and inline == (self._resolve.interfaces[item.id].name is None)
        ]

    def _name(self, key: WorldKey) -> str:
        if isinstance(key, str):
            return key
        interface = self._resolve.interfaces[key]
        return qualified(self._resolve, interface.package, str(interface.name))


def _interface(resolve: Resolve, id_: InterfaceId) -> _Json:
    interface = resolve.interfaces[id_]
    return _said(
        {
            "docs": interface.docs,
            "stability": stability_json(interface.stability),
            "funcs": _each(interface.functions.items(), _function),
            "types": _each(interface.types.items(), lambda type_: _type(resolve, type_)),
        }
    )


def _function(function: Function) -> _Json:
    return _said({"docs": function.docs, "stability": stability_json(function.stability)})


def _type(resolve: Resolve, id_: kinds.TypeId) -> _Json:
    definition = resolve.types[id_]
    return _said(
        {
            "docs": definition.docs,
            "stability": stability_json(definition.stability),
            "items": _members(definition.kind),
        }
    )


def _members(kind: kinds.Kind) -> _Json:
    match kind:
        case kinds.Record(members) | kinds.Variant(members) | kinds.Enum(members):
            return {member.name: member.docs for member in members if member.docs is not None}
        case kinds.Flags(flags):
            return {flag.name: flag.docs for flag in flags if flag.docs is not None}
        case _:
            return {}

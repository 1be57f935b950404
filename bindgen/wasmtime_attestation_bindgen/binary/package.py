"""A whole WIT package in binary form."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from wasmtime_attestation_bindgen import syntax
from wasmtime_attestation_bindgen.binary.documentation import document
from wasmtime_attestation_bindgen.binary.local import localize
from wasmtime_attestation_bindgen.binary.metadata import SECTION, Metadata, read_metadata
from wasmtime_attestation_bindgen.binary.names import Names, read_extern_name
from wasmtime_attestation_bindgen.binary.reader import Reader
from wasmtime_attestation_bindgen.binary.scopes import Component, Scope
from wasmtime_attestation_bindgen.model import PackageName
from wasmtime_attestation_bindgen.source import Source, Span
from wasmtime_attestation_bindgen.syntax import Attributes, Docs, PackageId, Path

_COMPONENT = b"\0asm\x0d\0\1\0"
_CUSTOM, _TYPES, _EXPORTS = 0, 7, 11
_TYPE_SORT, _NOT_ASCRIBED = 0x03, 0x00


Views: TypeAlias = dict[PackageName, dict[str, dict[str, syntax.InterfaceItem]]]
"""What packages show of others: by package, interface and item."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A package, and what it shows of those that it depends on."""

    package: syntax.Package
    views: Views


def decode_package(path: str, data: bytes) -> Decoded:
    """Returns the package in a file.

    Args:
        path: what errors call the file.
        data: the file.

    Raises:
        WitError: it is not a WIT package in binary form.
    """
    reader = Reader(path, data)
    if reader.take(min(len(data), len(_COMPONENT))) != _COMPONENT:
        raise reader.error("this is not a component")
    packages = _Packages(reader)
    while not reader.done:
        packages.read_section()
    return packages.finish()


class _Packages:
    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._names = Names(reader)
        self._scope = Scope(reader, self._names)
        self._main: PackageId | None = None
        self._items: list[syntax.Interface | syntax.World] = []
        self._views: Views = {}
        self._metadata: Metadata | None = None

    def read_section(self) -> None:
        section, size = self._reader.byte(), self._reader.u32()
        end = self._reader.position + size
        if section == _CUSTOM:
            self._custom(end)
        elif section == _TYPES:
            for _ in range(self._reader.count()):
                self._scope.define()
        elif section == _EXPORTS:
            for _ in range(self._reader.count()):
                self._export()
        else:
            raise self._reader.error("this is a component, not a WIT package")
        if self._reader.position != end:
            raise self._reader.error("a section has another size than it says")

    def _custom(self, end: int) -> None:
        name = self._reader.text()
        contents = self._reader.take(max(0, end - self._reader.position))
        if name != SECTION:
            return
        if self._metadata is not None:
            raise self._reader.error(f"the file has two sections {SECTION}")
        self._metadata = read_metadata(self._reader, contents)

    def _export(self) -> None:
        name, sort = read_extern_name(self._reader), self._reader.byte()
        entry = self._scope.export(self._reader.u32())
        if sort != _TYPE_SORT or self._reader.byte() != _NOT_ASCRIBED:
            raise self._reader.error("this is a component, not a WIT package")
        if not isinstance(entry, Component):
            raise self._reader.error(f"{name.text!r} is neither an interface nor a world")
        self._add(entry)

    def _add(self, wrapper: Component) -> None:
        self._show(wrapper)
        if len(wrapper.exported) == 1 and not wrapper.components:
            path, instance = wrapper.exported[0]
            self._own(path)
            self._items.append(_interface(path.name, instance.items))
        elif len(wrapper.components) == 1 and not wrapper.exported:
            text, world = wrapper.components[0]
            named = self._names.path(self._reader, text)
            if named is None:
                raise self._reader.error(f"{text!r} is not the name of a world")
            self._own(named)
            self._show(world)
            items = world.items
            self._items.append(syntax.World(named.name, items, Docs(), Attributes()))
        else:
            raise self._reader.error("a type is neither an interface nor a world")

    def _own(self, path: Path) -> None:
        """Notes which package the file is."""
        if None not in (self._main, path.package) and self._main != path.package:
            raise self._reader.error("the file holds more than one package")
        self._main = path.package

    def _show(self, component: Component) -> None:
        """Notes what a component shows of other packages' interfaces."""
        for path, instance in (*component.imported, *component.exported):
            if path.package is not None:
                interfaces = self._views.setdefault(path.package.name, {})
                items = interfaces.setdefault(path.name.text, {})
                for item in instance.items:
                    items.setdefault(_key(item), item)

    def finish(self) -> Decoded:
        if self._main is None:
            raise self._reader.error("the file holds no interface and no world")
        there = {item.name.text for item in self._items}
        shown = self._views.pop(self._main.name, {})
        items = (*_interfaces(shown, self._names.span, there), *self._items)
        package = syntax.Package(self._main, Docs(), items)
        if self._metadata is not None:
            package = document(package, self._metadata)
        return Decoded(localize(package, self._main.name), self._views)


def viewed_packages(
    views: Iterable[Views], known: Collection[PackageName]
) -> Iterator[syntax.Package]:
    """Yields packages made of what others show of them.

    Args:
        views: what packages show.
        known: the packages that are there in full.
    """
    merged: Views = {}
    for view in views:
        for package, interfaces in view.items():
            for name, items in interfaces.items():
                seen = merged.setdefault(package, {}).setdefault(name, {})
                seen.update((key, item) for key, item in items.items() if key not in seen)
    for package, interfaces in merged.items():
        if package not in known:
            yield _viewed(package, interfaces)


def _viewed(
    package: PackageName, interfaces: dict[str, dict[str, syntax.InterfaceItem]]
) -> syntax.Package:
    span = Span(Source(f"what is known of {package}", ""), 0, 0)
    items = tuple(_interfaces(interfaces, span))
    return localize(syntax.Package(PackageId(package, span), Docs(), items), package)


def _interfaces(
    interfaces: dict[str, dict[str, syntax.InterfaceItem]],
    span: Span,
    there: Collection[str] = (),
) -> Iterator[syntax.Interface]:
    for name, items in interfaces.items():
        if name not in there:
            yield _interface(syntax.Name(name, span), tuple(items.values()))


def _interface(name: syntax.Name, items: tuple[syntax.InterfaceItem, ...]) -> syntax.Interface:
    return syntax.Interface(name, items, Docs(), Attributes())


def _key(item: syntax.InterfaceItem) -> str:
    return item.names[0].new.text if isinstance(item, syntax.Use) else item.name.text

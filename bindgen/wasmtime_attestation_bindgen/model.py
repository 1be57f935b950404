"""Resolved WIT: packages, worlds, interfaces and types that refer to each other by index.

The shape is that of wit-parser's `Resolve`, whose order of items it keeps:
every type comes after the types that it mentions. Items that say the same in two
places are not equal: `model_json` has what they say alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, NewType, TypeAlias

from wasmtime_attestation_bindgen.kinds import Kind, Type, TypeId
from wasmtime_attestation_bindgen.source import Span
from wasmtime_attestation_bindgen.versions import SortKey, Version

InterfaceId = NewType("InterfaceId", int)
WorldId = NewType("WorldId", int)
PackageId = NewType("PackageId", int)

WorldKey: TypeAlias = str | InterfaceId
"""What names an item of a world: a name of its own, or the interface that it is."""


@dataclass(frozen=True, slots=True)
class PackageName:
    """`namespace:name@version`."""

    namespace: str
    name: str
    version: Version | None = None

    def __str__(self) -> str:
        version = "" if self.version is None else f"@{self.version}"
        return f"{self.namespace}:{self.name}{version}"

    @property
    def sort_key(self) -> tuple[str, str, tuple[SortKey, ...]]:
        """What orders package names: the one without a version comes first."""
        version = () if self.version is None else (self.version.sort_key,)
        return self.namespace, self.name, version


@dataclass(frozen=True, slots=True)
class Stability:
    """What `@since`, `@unstable` and `@deprecated` say; at most one of the first two is given."""

    since: Version | None = None
    feature: str | None = None
    deprecated: Version | None = None

    @property
    def known(self) -> bool:
        """Whether anything is said."""
        return self != UNKNOWN


UNKNOWN = Stability()


@dataclass(frozen=True, slots=True)
class InterfaceRef:
    """An interface, where a world could stand too."""

    id: InterfaceId


@dataclass(frozen=True, slots=True)
class WorldRef:
    """A world, where an interface could stand too."""

    id: WorldId


Owner: TypeAlias = InterfaceRef | WorldRef | None
"""Where a type is defined; None for types without a name, such as `list<u8>`."""


class TypeDef(NamedTuple):
    """A type's definition."""

    name: str | None
    kind: Kind
    owner: Owner = None
    docs: str | None = None
    stability: Stability = UNKNOWN
    external_id: str | None = None
    span: Span | None = None


class Form(StrEnum):
    """How a function is called; the value is WIT's own word where it has one."""

    FREESTANDING = "freestanding"
    METHOD = "method"
    STATIC = "static"
    CONSTRUCTOR = "constructor"


class FunctionKind(NamedTuple):
    """How a function is called, and the resource that it belongs to, if any."""

    form: Form = Form.FREESTANDING
    resource: TypeId | None = None
    is_async: bool = False


class Param(NamedTuple):
    """A parameter."""

    name: str
    type: Type


class Function(NamedTuple):
    """A function; `name` tells form and resource too, as in `[method]file.read`."""

    name: str
    kind: FunctionKind
    params: tuple[Param, ...]
    result: Type | None
    docs: str | None = None
    stability: Stability = UNKNOWN
    external_id: str | None = None
    span: Span | None = None


class Interface(NamedTuple):
    """An interface; without a name where a world defines it inline."""

    name: str | None
    types: Mapping[str, TypeId]
    functions: Mapping[str, Function]
    package: PackageId
    docs: str | None = None
    stability: Stability = UNKNOWN
    external_id: str | None = None
    span: Span | None = None


class InterfaceItem(NamedTuple):
    """An interface that a world imports or exports; `docs` are those of the statement."""

    id: InterfaceId
    stability: Stability = UNKNOWN
    external_id: str | None = None
    docs: str | None = None
    span: Span | None = None


class FunctionItem(NamedTuple):
    """A function that a world imports or exports by itself."""

    function: Function


class TypeItem(NamedTuple):
    """A type that a world defines or uses."""

    id: TypeId


WorldItem: TypeAlias = InterfaceItem | FunctionItem | TypeItem
WorldItems: TypeAlias = Mapping[WorldKey, WorldItem]


class World(NamedTuple):
    """A world with everything it imports and exports, including what follows from the rest."""

    name: str
    imports: WorldItems
    exports: WorldItems
    package: PackageId
    docs: str | None = None
    stability: Stability = UNKNOWN
    external_id: str | None = None
    span: Span | None = None


class Package(NamedTuple):
    """A package."""

    name: PackageName
    interfaces: Mapping[str, InterfaceId]
    worlds: Mapping[str, WorldId]
    docs: str | None = None


class Resolve(NamedTuple):
    """Everything that a set of packages defines; `main` is the one that was asked for."""

    worlds: tuple[World, ...]
    interfaces: tuple[Interface, ...]
    types: tuple[TypeDef, ...]
    packages: tuple[Package, ...]
    main: PackageId

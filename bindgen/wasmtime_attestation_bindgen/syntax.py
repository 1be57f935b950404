"""The syntax tree: what the text says before any name is looked up."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, TypeAlias

from wasmtime_attestation_bindgen.kinds import Primitive
from wasmtime_attestation_bindgen.model import UNKNOWN, Form, PackageName, Stability
from wasmtime_attestation_bindgen.source import Span


class Name(NamedTuple):
    """An identifier, without `%`."""

    text: str
    span: Span


class Docs(NamedTuple):
    """Comments before an item, as documentation."""

    text: str | None = None
    span: Span | None = None


class Attributes(NamedTuple):
    """What the `@` attributes before an item say; `span` is that of the first one."""

    stability: Stability = UNKNOWN
    external_id: str | None = None
    span: Span | None = None


class PackageId(NamedTuple):
    """A package's name where the text gives it."""

    name: PackageName
    span: Span


class Path(NamedTuple):
    """`name`, or `namespace:package/name@version`."""

    package: PackageId | None
    name: Name


class PrimitiveType(NamedTuple):
    """A primitive type."""

    primitive: Primitive
    span: Span


class NamedType(NamedTuple):
    """A type by its name."""

    name: Name

    @property
    def span(self) -> Span:
        """Where it stands."""
        return self.name.span


class HandleType(NamedTuple):
    """`own<resource>` or `borrow<resource>`."""

    owned: bool
    resource: Name

    @property
    def span(self) -> Span:
        """Where the resource stands."""
        return self.resource.span


class Constructor(StrEnum):
    """What builds a type from others; the value is WIT's own word."""

    LIST = "list"
    MAP = "map"
    OPTION = "option"
    RESULT = "result"
    TUPLE = "tuple"
    FUTURE = "future"
    STREAM = "stream"


class BuiltType(NamedTuple):
    """`list<…>` and its like.

    Attributes:
        constructor: what builds the type.
        arguments: two for `map` and `result`, any number for `tuple`, else
            one; None only for `result`, `future` and `stream`.
        span: where the constructor stands.
        length: of a fixed-length list.
    """

    constructor: Constructor
    arguments: tuple[TypeExpr | None, ...]
    span: Span
    length: int | None = None


TypeExpr: TypeAlias = PrimitiveType | NamedType | HandleType | BuiltType


class MembersForm(StrEnum):
    """What lists members; the value is WIT's own word."""

    RECORD = "record"
    VARIANT = "variant"
    ENUM = "enum"
    FLAGS = "flags"


class Member(NamedTuple):
    """A field, a case or a flag."""

    name: Name
    type: TypeExpr | None
    docs: Docs


class Members(NamedTuple):
    """The body of a record, variant, enum or flags; `span` is where the type's name stands."""

    form: MembersForm
    members: tuple[Member, ...]
    span: Span


class Function(NamedTuple):
    """A function; a constructor's name is the keyword."""

    name: Name
    form: Form
    is_async: bool
    params: tuple[tuple[Name, TypeExpr], ...]
    result: TypeExpr | None
    span: Span
    docs: Docs
    attributes: Attributes


class Resource(NamedTuple):
    """The body of a resource."""

    functions: tuple[Function, ...]


TypeBody: TypeAlias = TypeExpr | Members | Resource


class TypeDef(NamedTuple):
    """A type's definition."""

    name: Name
    body: TypeBody
    docs: Docs
    attributes: Attributes


class Renamed(NamedTuple):
    """`name as other`; `new` is the name itself where it keeps it."""

    name: Name
    new: Name


class Use(NamedTuple):
    """`use path.{names};`."""

    path: Path
    names: tuple[Renamed, ...]
    attributes: Attributes


class Include(NamedTuple):
    """`include path with { names }`."""

    path: Path
    names: tuple[Renamed, ...]
    attributes: Attributes


InterfaceItem: TypeAlias = TypeDef | Function | Use


class Inline(NamedTuple):
    """`name: interface { … }` in a world."""

    name: Name
    items: tuple[InterfaceItem, ...]


class Named(NamedTuple):
    """An interface by its path in a world, under a name of its own where `label` gives one."""

    label: Name | None
    path: Path


class Direction(StrEnum):
    """Which way a world's item goes."""

    IMPORT = "import"
    EXPORT = "export"


class Extern(NamedTuple):
    """`import …` or `export …`."""

    direction: Direction
    what: Inline | Named | Function
    docs: Docs
    attributes: Attributes

    @property
    def span(self) -> Span:
        """Where its name stands."""
        if isinstance(self.what, Named):
            return (self.what.label or self.what.path.name).span
        return self.what.name.span


WorldItem: TypeAlias = TypeDef | Use | Include | Extern


class Interface(NamedTuple):
    """`interface name { … }`."""

    name: Name
    items: tuple[InterfaceItem, ...]
    docs: Docs
    attributes: Attributes


class World(NamedTuple):
    """`world name { … }`."""

    name: Name
    items: tuple[WorldItem, ...]
    docs: Docs
    attributes: Attributes


class TopLevelUse(NamedTuple):
    """`use path as name;` outside of interfaces and worlds."""

    path: Path
    name: Name
    span: Span
    attributes: Attributes


class Package(NamedTuple):
    """A file, or a nested `package name { … }`; a file need not say its package."""

    id: PackageId | None
    docs: Docs
    items: tuple[PackageItem, ...]


PackageItem: TypeAlias = Interface | World | TopLevelUse | Package

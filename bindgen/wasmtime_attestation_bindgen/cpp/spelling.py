"""How C++ spells WIT types."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import NamedTuple

from wasmtime_attestation_bindgen import kinds
from wasmtime_attestation_bindgen.cpp.placement import Path, Placement, Side
from wasmtime_attestation_bindgen.kinds import Kind, Primitive, Type, TypeId
from wasmtime_attestation_bindgen.layout import CoreType, Layout
from wasmtime_attestation_bindgen.model import Resolve

_PRIMITIVES = {
    Primitive.BOOL: "bool",
    Primitive.U8: "std::uint8_t",
    Primitive.U16: "std::uint16_t",
    Primitive.U32: "std::uint32_t",
    Primitive.U64: "std::uint64_t",
    Primitive.S8: "std::int8_t",
    Primitive.S16: "std::int16_t",
    Primitive.S32: "std::int32_t",
    Primitive.S64: "std::int64_t",
    Primitive.F32: "float",
    Primitive.F64: "double",
    Primitive.CHAR: "char32_t",
    Primitive.STRING: "std::string",
}
CORE = {
    CoreType.I32: "std::int32_t",
    CoreType.I64: "std::int64_t",
    CoreType.F32: "float",
    CoreType.F64: "double",
}
"""The C++ type of each core type."""


def qualified(path: Path, name: str) -> str:
    """Returns a name that means the same everywhere."""
    return "::" + "::".join((*path, name))


class Spelling(NamedTuple):
    """Spells types at one place in the header.

    Attributes:
        resolve: the model.
        placement: where types stand.
        here: the namespace that the text is in.
        side: which side of the world it is about.
        own: the names of this namespace, which hide other namespaces of these names.
        hidden: names that mean something else here.
    """

    resolve: Resolve
    placement: Placement
    here: Path
    side: Side
    own: AbstractSet[str] = frozenset()
    hidden: AbstractSet[str] = frozenset()

    def hiding(self, names: AbstractSet[str]) -> Spelling:
        """Returns the same where further names mean something else."""
        return self._replace(hidden=self.hidden | names)

    def named(self, id_: TypeId) -> str:
        """Returns the name of a named type."""
        path, name = self.placement.type(id_, self.side)
        if path == self.here and name not in self.hidden:
            return name
        inner = path[len(self.placement.root) :]
        visible = inner and self.side is Side.IMPORT and inner[0] not in self.hidden | self.own
        return "::".join((*inner, name)) if visible else qualified(path, name)

    def value(self, type_: Type | None) -> str:
        """Returns the type of a value that is owned; `void` for none."""
        if type_ is None:
            return "void"
        if isinstance(type_, Primitive):
            return _PRIMITIVES[type_]
        definition = self.resolve.types[type_]
        return self.named(type_) if definition.name else self.content(definition.kind)

    def content(self, kind: Kind) -> str:
        """Returns the type of a value, by what it is made of."""
        match kind:
            case kinds.List(element):
                return f"std::vector<{self.value(element)}>"
            case kinds.Option(type_):
                return f"std::optional<{self.value(type_)}>"
            case kinds.Result(ok, error):
                return f"wit::result<{self.value(ok)}, {self.value(error)}>"
            case kinds.Tuple(types):
                return f"std::tuple<{', '.join(map(self.value, types))}>"
            case kinds.FixedLengthList(element, length):
                return f"std::array<{self.value(element)}, {length}>"
            case kinds.Map(key, item):
                return f"std::vector<{self._pair(key, item)}>"
            case kinds.Own(resource):
                return (
                    f"wit::owned<{self.named(resource)}>"
                    if self._is_own(resource)
                    else (self.named(resource))
                )
            case kinds.Borrow(resource):
                form = "lent" if self._is_own(resource) else "borrow"
                return f"wit::{form}<{self.named(resource)}>"
            case kinds.Alias(type_):
                return self.value(type_)
            case _:
                raise TypeError(f"{type(kind).__name__} has no structure to spell")

    def param(self, type_: Type) -> str:
        """Returns the type of a parameter of an imported function."""
        kind = Layout(self.resolve).kind(type_)
        if self.placement.owns(type_) or isinstance(kind, kinds.Borrow | kinds.Enum | kinds.Flags):
            return self.value(type_)
        if isinstance(kind, Primitive) and kind is not Primitive.STRING:
            return self.value(type_)
        view = self._view(kind)
        if view is None and isinstance(kind, kinds.Option):
            view = self._view(Layout(self.resolve).kind(kind.type))
            view = view and f"std::optional<{view}>"
        return view or f"const {self.value(type_)}&"

    def _view(self, kind: Primitive | Kind) -> str | None:
        """Returns the type that refers to a string or list without owning it."""
        match kind:
            case Primitive.STRING:
                return "std::string_view"
            case kinds.List(element) if Layout(self.resolve).kind(element) is not Primitive.BOOL:
                return f"std::span<const {self.value(element)}>"
            case kinds.Map(key, item):
                return f"std::span<const {self._pair(key, item)}>"
            case _:
                return None

    def _pair(self, key: Type, item: Type) -> str:
        return f"std::pair<{self.value(key)}, {self.value(item)}>"

    def _is_own(self, resource: TypeId) -> bool:
        """Whether a resource is one that this guest makes."""
        return self.side is Side.EXPORT and self.placement.is_local(resource)

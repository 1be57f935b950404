"""Rust's types for WIT's."""

from __future__ import annotations

from collections.abc import Mapping

from wasmtime_attestation_bindgen import kinds
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.kinds import Kind, Primitive, Type, TypeId
from wasmtime_attestation_bindgen.layout import Layout
from wasmtime_attestation_bindgen.model import Resolve
from wasmtime_attestation_bindgen.rust.identifiers import lent_name, type_name
from wasmtime_attestation_bindgen.rust.places import Place, Places
from wasmtime_attestation_bindgen.rust.traits import Traits

_PRIMITIVES = {
    Primitive.BOOL: "bool",
    Primitive.U8: "u8",
    Primitive.U16: "u16",
    Primitive.U32: "u32",
    Primitive.U64: "u64",
    Primitive.S8: "i8",
    Primitive.S16: "i16",
    Primitive.S32: "i32",
    Primitive.S64: "i64",
    Primitive.F32: "f32",
    Primitive.F64: "f64",
    Primitive.CHAR: "char",
}
_ELSEWHERE = {
    "String": "abi::String",
    "Vec": "abi::Vec",
    "Option": "::core::option::Option",
    "Result": "::core::result::Result",
}
"""Where Rust's own types are, for modules that give their names to other things."""
_IMPORTED = frozenset({"String", "Vec"})


class Types:
    """Writes types as one module sees them.

    Args:
        resolve: the model.
        layout: of the model's types.
        places: where everything is.
        place: the module.
        names: the names of the module's own types.

    Attributes:
        used: which of the types that are not in Rust's core prelude were written.
        traits: what types are capable of.
    """

    def __init__(
        self,
        resolve: Resolve,
        layout: Layout,
        places: Places,
        place: Place,
        names: Mapping[str, TypeId],
    ) -> None:
        self._resolve = resolve
        self._layout = layout
        self._places = places
        self._place = place
        self._taken = frozenset(map(type_name, names))
        self.used: set[str] = set()
        self.traits = Traits(layout)

    def owned(self, type_: Type, life: str = "'_") -> str:
        """Returns the type of a value that is owned, such as `String`.

        Args:
            type_: the type.
            life: how long resources in it are lent for.
        """
        if isinstance(type_, Primitive):
            return self._standard("String") if type_ is Primitive.STRING else _PRIMITIVES[type_]
        definition = self._resolve.types[type_]
        if definition.name is not None:
            lent = f"<{life}>" if self.traits.lends(type_) else ""
            return f"{type_name(definition.name)}{lent}"
        return self._anonymous(definition.kind, life)

    def argument(self, type_: Type) -> str:
        """Returns the type of what is passed to the host, such as `&str`."""
        kind = self._layout.kind(type_)
        if self.traits.owns(type_):
            return self._given(kind) or self.owned(type_)
        match kind:
            case Primitive.STRING:
                return "&str"
            case kinds.List(element):
                return f"&[{self._element(element)}]"
            case kinds.Map(key, value):
                return f"&[({self._element(key)}, {self._element(value)})]"
            case _:
                return self._passed(type_, kind)

    def _passed(self, type_: Type, kind: Primitive | Kind) -> str:
        if self.traits.is_copy(type_):
            return self.owned(type_)
        return self._given(kind) or f"&{self.owned(type_)}"

    def target(self, kind: Kind) -> str:
        """Returns what a type is another name for."""
        return self._anonymous(kind, "'a")

    def result(self, type_: Type | None) -> str:
        """Returns the arrow and the type of a function's result; nothing where there is none."""
        return "" if type_ is None else f" -> {self.owned(type_)}"

    def _given(self, kind: Primitive | Kind) -> str | None:
        """What has no name is given with its members as arguments of their own."""
        match kind:
            case kinds.Borrow(resource):
                return f"&{self._name(resource)}"
            case kinds.Option(inner):
                return f"{self._standard('Option')}<{self.argument(inner)}>"
            case kinds.Result(ok, error):
                cases = (self.argument(t) if t is not None else "()" for t in (ok, error))
                return f"{self._standard('Result')}<{', '.join(cases)}>"
            case kinds.Tuple(types):
                return self._tuple([self.argument(t) for t in types])
            case _:
                return None

    def _element(self, type_: Type) -> str:
        # A slice's elements lie as the guest has them, so only what is lent becomes a reference.
        kind = self._layout.kind(type_)
        return (
            f"&{self._name(kind.resource)}" if isinstance(kind, kinds.Borrow) else self.owned(type_)
        )

    def _anonymous(self, kind: Kind, life: str) -> str:
        match kind:
            case kinds.List(element):
                return f"{self._standard('Vec')}<{self.owned(element, life)}>"
            case kinds.Map(key, value):
                pair = f"({self.owned(key, life)}, {self.owned(value, life)})"
                return f"{self._standard('Vec')}<{pair}>"
            case kinds.FixedLengthList(element, length):
                return f"[{self.owned(element, life)}; {length}]"
            case kinds.Option(inner):
                return f"{self._standard('Option')}<{self.owned(inner, life)}>"
            case kinds.Result(ok, error):
                cases = (self.owned(t, life) if t is not None else "()" for t in (ok, error))
                return f"{self._standard('Result')}<{', '.join(cases)}>"
            case kinds.Tuple(types):
                return self._tuple([self.owned(t, life) for t in types])
            case kinds.Own(resource):
                return self._name(resource)
            case kinds.Borrow(resource):
                return self._lent(resource, life)
            case kinds.Alias(target):
                return self.owned(target, life)
            case _:
                raise WitError(f"a {type(kind).__name__.lower()} without a name has no Rust form")

    def _lent(self, resource: TypeId, life: str) -> str:
        if self._places.own_resource(resource, self._place):
            return f"{lent_name(self._name(resource))}<{life}>"
        return f"resource::Borrowed<{life}, {self._name(resource)}>"

    def _name(self, id_: TypeId) -> str:
        return type_name(self._resolve.types[id_].name or "")

    def _standard(self, name: str) -> str:
        if name in self._taken:
            return _ELSEWHERE[name]
        if name in _IMPORTED:
            self.used.add(name)
        return name

    def _tuple(self, members: list[str]) -> str:
        return f"({members[0]},)" if len(members) == 1 else f"({', '.join(members)})"

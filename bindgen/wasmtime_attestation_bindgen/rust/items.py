"""Rust definitions of a module's types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from wasmtime_attestation_bindgen import kinds
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.kinds import Kind, Type, TypeId
from wasmtime_attestation_bindgen.layout import Layout
from wasmtime_attestation_bindgen.model import Resolve, Stability, TypeDef
from wasmtime_attestation_bindgen.rust import text
from wasmtime_attestation_bindgen.rust.identifiers import (
    check_distinct,
    constant_name,
    type_name,
    value_name,
)
from wasmtime_attestation_bindgen.rust.types import Types

MOST_FLAGS = 32
"""Of one type; the component model allows no more."""


@dataclass(slots=True)
class Item:
    """A definition.

    Attributes:
        lines: what guest authors read.
        abi: how it travels.
    """

    lines: list[str]
    abi: list[str] = field(default_factory=list)


class Items:
    """Defines types in one module.

    Args:
        resolve: the model.
        layout: of its types.
        types: writes types as the module sees them.
    """

    def __init__(self, resolve: Resolve, layout: Layout, types: Types) -> None:
        self._resolve = resolve
        self._layout = layout
        self._types = types

    def define(self, name: str, id_: TypeId) -> Item:
        """Returns the definition of a type that is no resource.

        Raises:
            WitError: it has no Rust form.
        """
        definition = self._resolve.types[id_]
        kind = definition.kind
        match kind:
            case kinds.Record():
                return self._record(name, id_, definition, kind)
            case kinds.Variant():
                return self._variant(name, id_, definition, kind)
            case kinds.Enum():
                return self._enum(name, definition, kind)
            case kinds.Flags():
                return self._flags(name, definition, kind)
            case _:
                return self._alias(name, id_, definition, kind)

    def _record(self, name: str, id_: TypeId, definition: TypeDef, kind: kinds.Record) -> Item:
        fields = [(value_name(f.name), self._types.owned(f.type, "'a"), f) for f in kind.fields]
        check_distinct(
            [(f.name, rust) for rust, _, f in fields], f"record `{name}`", definition.span
        )
        head = f"pub struct {type_name(name)}{self._life(id_)} {{"
        members = [
            line
            for rust, type_, f in fields
            for line in (*text.documentation(f.docs), f"pub {rust}: {type_},")
        ]
        body = [head, *text.indented(members), "}"] if members else [f"{head}}}"]
        life = "['a] " if self._types.traits.lends(id_) else ""
        abi = text.macro(
            f"abi::record! {{ {life}{type_name(name)} {{",
            [f"{rust}: {type_}" for rust, type_, _ in fields],
        )
        return Item([*_attributes(definition), *self._derives(id_), *body], abi)

    def _variant(self, name: str, id_: TypeId, definition: TypeDef, kind: kinds.Variant) -> Item:
        cases = [
            (type_name(c.name), None if c.type is None else self._types.owned(c.type, "'a"), c)
            for c in kind.cases
        ]
        check_distinct(
            [(c.name, rust) for rust, _, c in cases], f"variant `{name}`", definition.span
        )
        members = [
            line
            for rust, type_, c in cases
            for line in (*text.documentation(c.docs), f"{_case(rust, type_)},")
        ]
        body = [f"pub enum {type_name(name)}{self._life(id_)} {{", *text.indented(members), "}"]
        life = "['a] " if self._types.traits.lends(id_) else ""
        abi = text.macro(
            f"abi::variant! {{ {life}{type_name(name)} {{",
            [
                f"{tag} {_case(rust, type_ and f'value: {type_}')}"
                for tag, (rust, type_, _) in enumerate(cases)
            ],
        )
        return Item([*_attributes(definition), *self._derives(id_), *body], abi)

    def _enum(self, name: str, definition: TypeDef, kind: kinds.Enum) -> Item:
        rust = [type_name(c.name) for c in kind.cases]
        check_distinct(
            [(c.name, r) for c, r in zip(kind.cases, rust, strict=True)],
            f"enum `{name}`",
            definition.span,
        )
        members = [
            line
            for r, c in zip(rust, kind.cases, strict=True)
            for line in (*text.documentation(c.docs), f"{r},")
        ]
        number = f"u{8 * self._layout.discriminant(len(rust))}"
        body = [
            "#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]",
            f"pub enum {type_name(name)} {{",
            *text.indented(members),
            "}",
        ]
        abi = text.macro(
            f"abi::enumeration! {{ {type_name(name)} as {number} {{",
            [f"{tag} {r}" for tag, r in enumerate(rust)],
        )
        return Item([*_attributes(definition), *body], abi)

    def _flags(self, name: str, definition: TypeDef, kind: kinds.Flags) -> Item:
        if len(kind.flags) > MOST_FLAGS:
            raise WitError(
                f"flags `{name}` has {len(kind.flags)} flags, where the component model allows "
                f"{MOST_FLAGS}",
                definition.span,
                help="split it in two",
            )
        rust = [constant_name(f.name) for f in kind.flags]
        check_distinct(
            [(f.name, r) for f, r in zip(kind.flags, rust, strict=True)],
            f"flags `{name}`",
            definition.span,
        )
        bits = next(size for size in (8, 16, 32) if len(rust) <= size)
        members = [
            line
            for bit, (r, f) in enumerate(zip(rust, kind.flags, strict=True))
            for line in (
                *text.documentation(f.docs),
                f"pub const {r}: Self = Self(1 << {bit});",
            )
        ]
        head = type_name(name)
        body = [
            "#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]",
            f"pub struct {head}(u{bits});",
            "",
            *(
                [f"impl {head} {{", *text.indented(members), "}"]
                if members
                else [f"impl {head} {{}}"]
            ),
        ]
        abi = text.macro(f"abi::flags! {{ {head} as u{bits} {{", rust)
        return Item([*_attributes(definition), *body], abi)

    def _alias(self, name: str, id_: TypeId, definition: TypeDef, kind: Kind) -> Item:
        life = self._life(id_)
        target = self._types.target(kind)
        lines = [f"pub type {type_name(name)}{life} = {target};"]
        return Item([*_attributes(definition), *lines])

    def _life(self, type_: Type) -> str:
        return "<'a>" if self._types.traits.lends(type_) else ""

    def _derives(self, type_: Type) -> list[str]:
        return [f"#[derive({', '.join(self._derived(type_))})]"]

    def _derived(self, type_: Type) -> Iterator[str]:
        traits = self._types.traits
        yield "Debug"
        if traits.has_resource(type_):
            return
        yield "Clone"
        if traits.is_copy(type_):
            yield "Copy"
        yield "PartialEq"
        if not traits.has_float(type_):
            yield from ("Eq", "Hash")


def _case(name: str, payload: str | None) -> str:
    return name if payload is None else f"{name}({payload})"


def _attributes(definition: TypeDef) -> list[str]:
    return [*text.documentation(definition.docs), *deprecation(definition.stability)]


def deprecation(stability: Stability) -> Sequence[str]:
    """Returns the attribute of what is deprecated."""
    if stability.deprecated is None:
        return ()
    return (f'#[deprecated(since = "{stability.deprecated}")]',)

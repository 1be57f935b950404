"""Readable texts for the types that functions fail with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wasmtime_attestation_bindgen import kinds
from wasmtime_attestation_bindgen.kinds import Primitive, Type, TypeId
from wasmtime_attestation_bindgen.layout import Layout
from wasmtime_attestation_bindgen.model import Function, Resolve
from wasmtime_attestation_bindgen.names import words
from wasmtime_attestation_bindgen.rust.identifiers import type_name, value_name
from wasmtime_attestation_bindgen.rust.text import indented
from wasmtime_attestation_bindgen.surface import Surface


class Displays:
    """Knows which types are errors, and writes how they read.

    Args:
        resolve: the model.
        layout: of its types.
        world: whose functions fail.
    """

    def __init__(self, resolve: Resolve, layout: Layout, world: Surface) -> None:
        self._resolve = resolve
        self._layout = layout
        functions = (f for i in (*world.imports, *world.exports) for f in i.functions)
        self._errors = frozenset(self._failures(functions))
        self._parts = frozenset(part for error in self._errors for part in self._texts(error))

    def lines(self, id_: TypeId) -> list[str]:
        """Returns the `Display` and `Error` of a type; nothing where it needs neither."""
        if id_ in self._errors:
            name = type_name(self._resolve.types[id_].name or "")
            return [*self._display(id_), "", f"impl ::core::error::Error for {name} {{}}"]
        return self._display(id_) if id_ in self._parts else []

    def _failures(self, functions: Iterable[Function]) -> Iterator[TypeId]:
        for function in functions:
            kind = None if function.result is None else self._layout.kind(function.result)
            if isinstance(kind, kinds.Result) and kind.error is not None:
                id_ = self._defined(kind.error)
                shown = kinds.Record | kinds.Variant | kinds.Enum | kinds.Flags
                if id_ is not None and isinstance(self._layout.kind(id_), shown):
                    yield id_

    def _texts(self, error: TypeId) -> Iterator[TypeId]:
        """What an error's cases hold and that is nothing but texts."""
        for payload in self._layout.cases(self._layout.kind(error)) or ():
            if payload is not None:
                id_ = self._text(payload)
                if id_ is not None:
                    yield id_

    def _text(self, payload: Type) -> TypeId | None:
        kind = self._layout.kind(payload)
        item = kind.element if isinstance(kind, kinds.List) else payload
        record = self._layout.kind(item)
        if not isinstance(record, kinds.Record):
            return None
        texts = all(self._layout.kind(f.type) is Primitive.STRING for f in record.fields)
        return self._defined(item) if texts and record.fields else None

    def _defined(self, type_: Type) -> TypeId | None:
        while not isinstance(type_, Primitive):
            kind = self._resolve.types[type_].kind
            if not isinstance(kind, kinds.Alias):
                return type_
            type_ = kind.type
        return None

    def _display(self, id_: TypeId) -> list[str]:
        name = type_name(self._resolve.types[id_].name or "")
        head = f"impl ::core::fmt::Display for {name} {{"
        method = "fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {"
        body = [method, *indented(self._body(id_)), "}"]
        return [head, *indented(body), "}"]

    def _body(self, id_: TypeId) -> list[str]:
        kind = self._layout.kind(id_)
        match kind:
            case kinds.Variant(cases):
                arms = [self._arm(case.name, case.type) for case in cases]
                return ["match self {", *indented(arms), "}"] if arms else ["match *self {}"]
            case kinds.Enum(cases):
                labels = [f'Self::{type_name(c.name)} => "{_read(c.name)}",' for c in cases]
                return ["f.write_str(match self {", *indented(labels), "})"]
            case kinds.Record(fields) if id_ in self._parts:
                values = ", ".join(f"self.{value_name(field.name)}" for field in fields)
                places = ": ".join("{}" for _ in fields)
                return [f'write!(f, "{places}", {values})']
            case _:
                return ["::core::fmt::Debug::fmt(self, f)"]

    def _arm(self, name: str, payload: Type | None) -> str:
        case = f"Self::{type_name(name)}"
        if payload is None:
            return f'{case} => f.write_str("{_read(name)}"),'
        kind = self._layout.kind(payload)
        if isinstance(kind, kinds.List) and self._text(payload) is not None:
            return f'{case}(value) => write!(f, "{_read(name)}: {{}}", abi::Joined(value)),'
        plain = isinstance(kind, Primitive) or self._defined(payload) in self._parts | self._errors
        shown = "{value}" if plain else "{value:?}"
        return f'{case}(value) => write!(f, "{_read(name)}: {shown}"),'


def _read(name: str) -> str:
    return " ".join(words(name))

"""The page that says how a core module calls the world: `docs/legacy-abi.md`.

Tables come from the model; the prose and the examples stand in the template.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import jinja2

from wasmtime_attestation_bindgen import kinds
from wasmtime_attestation_bindgen.kinds import Kind, Primitive, Type, TypeId
from wasmtime_attestation_bindgen.layout import Layout
from wasmtime_attestation_bindgen.legacy import (
    DISPLAY_NAMES,
    MAX_ANSWER,
    MODULE,
    LegacyFunction,
    LegacyParam,
    ParamForm,
    ResultForm,
    is_tee_type,
    legacy_functions,
)
from wasmtime_attestation_bindgen.model import Resolve, WorldId
from wasmtime_attestation_bindgen.names import snake

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("wasmtime_attestation_bindgen", "templates/docs"),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701 - it is Markdown, not HTML
)
_NUMBERS = {Primitive.U64, Primitive.S64}


@dataclass(frozen=True, slots=True)
class Row:
    """A function in the table."""

    name: str
    core: str
    wit: str
    answer: str


@dataclass(frozen=True, slots=True)
class Section:
    """A type: what it is, and its members as rows of name, JSON and meaning."""

    name: str
    kind: str
    docs: str
    members: tuple[tuple[str, str, str], ...]


def legacy_page(resolve: Resolve, world_id: WorldId) -> str:
    """Returns the page for a world.

    Args:
        resolve: the model.
        world_id: the world.

    Raises:
        WitError: the world has something without a legacy form.
    """
    functions = legacy_functions(resolve, world_id)
    page = _Page(resolve)
    return _ENVIRONMENT.get_template("legacy-abi.md.jinja").render(
        module=MODULE,
        max_answer=f"{MAX_ANSWER:,}",
        functions=[page.row(function) for function in functions],
        types=list(page.sections(functions)),
        display_names=DISPLAY_NAMES,
    )


class _Page:
    """What the page says of a model."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._layout = Layout(resolve)

    def row(self, function: LegacyFunction) -> Row:
        params = ", ".join(self._param(param) for param in function.params)
        result = ", ".join(function.core_results) or "()"
        mentioned = [param.type for param in function.function.params]
        pairs = zip(function.function.params, map(self._wit, mentioned), strict=True)
        wit = ", ".join(f"{param.name}: {type_}" for param, type_ in pairs)
        answered = function.function.result
        arrow = "" if answered is None else f" -> {self._wit(answered)}"
        return Row(
            function.name, f"({params}) -> {result}", f"({wit}){arrow}", self._answer(function)
        )

    def _param(self, param: LegacyParam) -> str:
        name = snake(param.name)
        if param.form is ParamForm.DIRECT:
            return f"{name}: {param.core[0]}"
        what = {ParamForm.TEXT: "text", ParamForm.BYTES: "bytes", ParamForm.JSON: "json"}
        return f"{name}_{what[param.form]}: i32, {name}_length: i32"

    def _answer(self, function: LegacyFunction) -> str:
        match function.result:
            case ResultForm.NOTHING:
                return "nothing"
            case ResultForm.DIRECT:
                return "the value; 0 where it fails"
            case ResultForm.ENVELOPE:
                return "the envelope"
            case ResultForm.JSON:
                return f"JSON: {self._json(function.function.result)}"

    def sections(self, functions: tuple[LegacyFunction, ...]) -> Iterator[Section]:
        """Yields every type with a name that functions mention, each before what mentions it."""
        done: set[TypeId] = set()
        for function in functions:
            for param in function.function.params:
                yield from self._mentioned(param.type, done)
            if function.function.result is not None:
                yield from self._mentioned(function.function.result, done)

    def _mentioned(self, type_: Type, done: set[TypeId]) -> Iterator[Section]:
        if isinstance(type_, Primitive) or type_ in done:
            return
        done.add(type_)
        definition = self._resolve.types[type_]
        for inner in kinds.references(definition.kind):
            yield from self._mentioned(inner, done)
        members = tuple(self._members(type_, definition.kind))
        if members:
            kind = type(definition.kind).__name__.lower()
            yield Section(str(definition.name), kind, _line(definition.docs), members)

    def _members(self, type_: Type, kind: Kind) -> Iterator[tuple[str, str, str]]:
        match kind:
            case kinds.Record(fields):
                for field in fields:
                    yield snake(field.name), self._json(field.type), _line(field.docs)
            case kinds.Variant(cases):
                for case in cases:
                    value = "" if case.type is None else self._json(case.type)
                    yield case.name, value, _line(case.docs)
            case kinds.Enum(labels) | kinds.Flags(labels):
                named = DISPLAY_NAMES if is_tee_type(self._resolve, type_) else {}
                for label in labels:
                    yield label.name, f'`"{named.get(label.name, label.name)}"`', _line(label.docs)
            case _:
                return

    def _json(self, type_: Type | None) -> str:
        """Says what the JSON of a type is."""
        if type_ is None:
            return "null"
        kind = self._layout.kind(type_)
        if isinstance(kind, Primitive):
            return _primitive(kind)
        match kind:
            case kinds.List(element) if self._layout.kind(element) is Primitive.U8:
                return "base64url"
            case kinds.List(element):
                return f"array of {self._json(element)}"
            case kinds.Option(some):
                return f"{self._json(some)}, or null"
            case kinds.Result(ok, error):
                return f'`{{"ok":`{self._json(ok)}`}}` or `{{"err":`{self._json(error)}`}}`'
            case _:
                return self._wit(type_)

    def _wit(self, type_: Type) -> str:
        """Writes a type as WIT does."""
        if isinstance(type_, Primitive):
            return type_.value
        definition = self._resolve.types[type_]
        if definition.name is not None:
            return definition.name
        match definition.kind:
            case kinds.Result(ok, error):
                parts = ["_" if part is None else self._wit(part) for part in (ok, error)]
                return f"result<{', '.join(parts)}>"
            case kind:
                inner = ", ".join(map(self._wit, kinds.references(kind)))
                return f"{type(kind).__name__.lower()}<{inner}>"


def _primitive(kind: Primitive) -> str:
    if kind in _NUMBERS:
        return "integer, large"
    if kind is Primitive.BOOL:
        return "true or false"
    return "string" if kind in (Primitive.STRING, Primitive.CHAR) else "integer"


def _line(docs: str | None) -> str:
    """Returns documentation as one cell of a table."""
    first = (docs or "").partition("\n\n")[0]
    return " ".join(first.split()).replace("|", "\\|")

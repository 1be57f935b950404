"""The conversions between a world's values and JSON: one Python callable for each type.

A type that has no name of its own gets one from what it is made of. What is
mentioned comes before what mentions it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from wasmtime_attestation_bindgen import kinds
from wasmtime_attestation_bindgen.host.annotations import Annotations
from wasmtime_attestation_bindgen.host.identifiers import attribute
from wasmtime_attestation_bindgen.host.naming import Naming
from wasmtime_attestation_bindgen.kinds import Kind, Primitive, Type, TypeId
from wasmtime_attestation_bindgen.layout import Layout
from wasmtime_attestation_bindgen.legacy import DISPLAY_NAMES, is_tee_type
from wasmtime_attestation_bindgen.model import Resolve
from wasmtime_attestation_bindgen.names import screaming, snake

PRIMITIVES = {
    Primitive.BOOL: "boolean",
    Primitive.CHAR: "char",
    Primitive.STRING: "text",
}
"""What converts a primitive, where that is not called as WIT calls the type."""


class Part(NamedTuple):
    """A field, case, label or member of a type.

    Attributes:
        key: its key or label in JSON.
        python: its attribute, class or member in Python.
        convert: what converts its value; None where it has none.
        optional: whether null stands for a value of it.
    """

    key: str
    python: str = ""
    convert: str | None = None
    optional: bool = False


class Conversion(NamedTuple):
    """A definition of a callable.

    Attributes:
        name: its name.
        form: what it converts: record, variant, result, tuple, enum, flags or call.
        annotation: the Python type.
        parts: what the type is made of.
        call: for the form call, the expression that makes it.
    """

    name: str
    form: str
    annotation: str
    parts: tuple[Part, ...] = ()
    call: str = ""


class Conversions:
    """The callables that convert in one direction.

    Args:
        resolve: the model.
        naming: its names in Python.
        types: what the module of its types is called.
        module: the module of the ready-made ones: `write` or `read`.
    """

    def __init__(self, resolve: Resolve, naming: Naming, types: str, module: str) -> None:
        self._resolve = resolve
        self._layout = Layout(resolve)
        self._naming = naming
        self._types = types
        self._annotations = Annotations(naming, f"{types}.")
        self._module = module
        self._known: dict[object, str] = {}
        self._taken: set[str] = set()
        self.definitions: list[Conversion] = []

    def of(self, type_: Type) -> str:
        """Returns the expression for what converts a type."""
        kind = self._layout.kind(type_)
        if isinstance(kind, Primitive):
            return f"{self._module}.{PRIMITIVES.get(kind, kind.value)}"
        if isinstance(kind, kinds.List) and self._layout.kind(kind.element) is Primitive.U8:
            return f"{self._module}.octets"
        if isinstance(kind, kinds.Enum) and not is_tee_type(self._resolve, type_):
            if self._module == "write":
                return "write.label"
            return f"read.label({self._annotations.of(type_)})"
        key = self._key(type_)
        if key not in self._known:
            definition = self._definition(type_, kind)
            self.definitions.append(definition)
            self._known[key] = definition.name
        return self._known[key]

    def envelope(self, type_: Type) -> str:
        """Returns what writes the envelope of a success, given the type of what succeeded."""
        parts = tuple(self._parts(type_, self._naming.typedef(self._named(type_)).kind))
        return self._once(
            Conversion("_write_envelope", "envelope", self._annotations.of(type_), parts)
        )

    def index(self, type_: Type) -> str:
        """Returns the expression for what reads an enum that is passed as a core value."""
        name = f"_core_{self._described(type_)}"
        call = f"core.enumeration({self._annotations.of(type_)})"
        return self._once(Conversion(name, "call", "", call=call))

    def _once(self, definition: Conversion) -> str:
        if definition not in self.definitions:
            self.definitions.append(definition)
        return definition.name

    def _definition(self, type_: Type, kind: Kind) -> Conversion:
        parts = tuple(self._parts(type_, kind))
        form = _FORMS.get(type(kind), "call")
        call = "" if form != "call" else self._call(kind)
        return Conversion(self._name(type_), form, self._annotations.of(type_), parts, call)

    def _parts(self, type_: Type, kind: Kind) -> Iterator[Part]:
        match kind:
            case kinds.Record(fields):
                for field in fields:
                    yield self._part(snake(field.name), attribute(field.name), field.type)
            case kinds.Variant(cases):
                classes = self._naming.cases[self._named(type_)]
                for class_, case in zip(classes, cases, strict=True):
                    yield self._part(case.name, f"{self._types}.{class_}", case.type)
            case kinds.Enum(labels) | kinds.Flags(labels):
                class_ = self._naming.types[self._named(type_)]
                for label in labels:
                    python = f"{self._types}.{class_}.{screaming(label.name)}"
                    yield Part(self._label(type_, label.name), python)
            case kinds.Tuple(types):
                for index, member in enumerate(types):
                    yield self._part(str(index), "", member)
            case kinds.Result(ok, error):
                yield self._part("ok", f"{self._types}.Ok", ok)
                yield self._part("err", f"{self._types}.Err", error)
            case _:
                pass  # made by a call

    def _part(self, key: str, python: str, type_: Type | None) -> Part:
        if type_ is None:
            return Part(key, python)
        optional = isinstance(self._layout.kind(type_), kinds.Option)
        return Part(key, python, self.of(type_), optional)

    def _call(self, kind: Kind) -> str:
        match kind:
            case kinds.List(element):
                return f"{self._module}.array({self.of(element)})"
            case kinds.FixedLengthList(element, length):
                return f"{self._module}.fixed({self.of(element)}, {length})"
            case kinds.Option(some):
                return f"{self._module}.option({self.of(some)})"
            case kinds.Map(key, item):
                return f"{self._module}.mapping({self.of(key)}, {self.of(item)})"
            case _:
                raise TypeError(f"{type(kind).__name__} has no legacy form")

    def _label(self, type_: Type, label: str) -> str:
        return DISPLAY_NAMES.get(label, label) if is_tee_type(self._resolve, type_) else label

    def _named(self, type_: Type) -> TypeId:
        named = self._naming.definition(type_)
        if isinstance(named, Primitive):
            raise TypeError(f"{named} is no definition")
        return named

    def _name(self, type_: Type) -> str:
        name = f"_{self._module}_{self._described(type_)}"
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name

    def _described(self, type_: Type) -> str:
        named = self._naming.definition(type_)
        if isinstance(named, Primitive):
            return named.value
        if named in self._naming.types:
            return snake(str(self._naming.typedef(named).name))
        kind = self._naming.typedef(named).kind
        parts = [self._described(inner) for inner in kinds.references(kind)]
        if isinstance(kind, kinds.FixedLengthList):
            parts.append(str(kind.length))
        return "_".join((type(kind).__name__.lower(), *parts))

    def _key(self, type_: Type) -> object:
        """Returns what two types share that have one conversion."""
        named = self._naming.definition(type_)
        if isinstance(named, Primitive) or named in self._naming.types:
            return named
        kind = self._naming.typedef(named).kind
        inner = tuple(self._key(part) for part in kinds.references(kind))
        missing = kind.ok is None if isinstance(kind, kinds.Result) else None
        length = kind.length if isinstance(kind, kinds.FixedLengthList) else None
        return type(kind), inner, missing, length


_FORMS: dict[type[Kind], str] = {
    kinds.Record: "record",
    kinds.Variant: "variant",
    kinds.Result: "result",
    kinds.Tuple: "tuple",
    kinds.Enum: "enum",
    kinds.Flags: "flags",
}

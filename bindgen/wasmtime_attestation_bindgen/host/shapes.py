"""WIT types as the shapes that the runtime reads (`world/binding/shapes.py` of the host)."""

from __future__ import annotations

from collections.abc import Sequence

from wasmtime_attestation_bindgen.host import text
from wasmtime_attestation_bindgen.host.annotations import Annotations
from wasmtime_attestation_bindgen.host.identifiers import Claims
from wasmtime_attestation_bindgen.host.naming import Naming
from wasmtime_attestation_bindgen.kinds import (
    Borrow,
    Enum,
    Flags,
    Kind,
    List,
    Map,
    Option,
    Own,
    Primitive,
    Record,
    Result,
    Tuple,
    Type,
    TypeId,
    Variant,
    references,
)
from wasmtime_attestation_bindgen.model import Function
from wasmtime_attestation_bindgen.names import screaming


class Shapes:
    """Writes shapes for one side of a world.

    Args:
        naming: what everything is called.
        module: what the module of types is called.
        claims: the names of the module that is written.
    """

    def __init__(self, naming: Naming, module: str, claims: Claims) -> None:
        self._naming = naming
        self._annotations = Annotations(naming)
        self._module = module
        self._claims = claims
        self._constants: dict[tuple[TypeId, bool], str] = {}
        self.definitions: list[str] = []
        """The constants, each after those that it mentions."""

    def function(self, function: Function, constant: str, guests: frozenset[TypeId]) -> None:
        """Writes the constant of a function.

        Args:
            function: the function.
            constant: what it is called.
            guests: the resources that the guest implements.
        """
        params = [f'"{p.name}": {self.of(p.type, guests)}' for p in function.params]
        arguments = [f'"{function.name}"', f"{{{', '.join(params)}}}"]
        if function.result is not None:
            arguments.append(self.of(function.result, guests, returned=True))
        head = f"{constant} = shapes.Function("
        self.definitions.append(text.call(0, head, arguments, ")"))

    def resource(self, id_: TypeId, *, is_guest: bool) -> str:
        """Returns the constant of a resource."""
        constant = self._constants.get((id_, is_guest))
        if constant is not None:
            return constant
        constant = self._constant(id_, is_guest)
        guest = ", guest=True" if is_guest else ""
        name = self._naming.typedef(id_).name
        self.definitions.append(f'{constant} = shapes.Resource("{name}"{guest})')
        return constant

    def of(self, type_: Type, guests: frozenset[TypeId], *, returned: bool = False) -> str:
        """Returns the expression for a type.

        Args:
            type_: the type.
            guests: the resources that the guest implements.
            returned: whether it is what a function returns.
        """
        found = self._naming.definition(type_)
        if isinstance(found, Primitive):
            return f"shapes.{found.value.upper()}"
        kind = self._naming.typedef(found).kind
        if isinstance(kind, Record | Variant | Enum | Flags):
            return self._named(found, kind, guests)
        return self._anonymous(kind, guests, returned=returned)

    def _named(
        self, id_: TypeId, kind: Record | Variant | Enum | Flags, guests: frozenset[TypeId]
    ) -> str:
        # A type that holds resources has two sides; every other one has the host's alone.
        is_guest = bool(guests) and self._holds(id_, guests)
        key = id_, is_guest
        if key not in self._constants:
            expression = self._definition(id_, kind, guests)
            constant = self._constant(id_, is_guest)
            self.definitions.append(text.fit(f"{constant} = {expression}", 0))
        return self._constants[key]

    def _constant(self, id_: TypeId, is_guest: bool) -> str:
        name = screaming_class(self._naming.types[id_])
        constant = self._claims.claim(f"_{name}", f"_GUEST_{name}")
        self._constants[id_, is_guest] = constant
        return constant

    def _holds(self, id_: TypeId, guests: frozenset[TypeId]) -> bool:
        return any(
            found in guests or self._holds(found, guests)
            for type_ in references(self._naming.typedef(id_).kind)
            if not isinstance(found := self._naming.definition(type_), Primitive)
        )

    def _definition(
        self, id_: TypeId, kind: Record | Variant | Enum | Flags, guests: frozenset[TypeId]
    ) -> str:
        class_ = f"{self._module}.{self._naming.types[id_]}"
        match kind:
            case Record(fields):
                items = [f'"{field.name}": {self.of(field.type, guests)}' for field in fields]
                return _exploded("shapes.Record", class_, items)
            case Variant():
                items = []
                for case, name in zip(kind.cases, self._naming.cases[id_], strict=True):
                    payload = "" if case.type is None else f", {self.of(case.type, guests)}"
                    items.append(f'"{case.name}": shapes.Case({self._module}.{name}{payload})')
                return _exploded("shapes.Variant", "", items)
            case Enum():
                return f"shapes.Enum({class_})"
            case Flags(flags):
                labels = _tuple([f'"{flag.name}"' for flag in flags])
                return text.call(0, "shapes.Flags(", [class_, labels], ")")

    def _anonymous(self, kind: Kind, guests: frozenset[TypeId], *, returned: bool) -> str:
        match kind:
            case List() if self._annotations.is_octets(kind):
                return "shapes.OCTETS"
            case List(element):
                return f"shapes.List({self.of(element, guests)})"
            case Map(key, value):
                return f"shapes.Map({self.of(key, guests)}, {self.of(value, guests)})"
            case Tuple(types):
                members = _tuple([self.of(type_, guests) for type_ in types])
                return f"shapes.Tuple({members})"
            case Option(type_):
                some = f", {self._module}.Some" if self._annotations.is_nested(kind) else ""
                return f"shapes.Option({self.of(type_, guests)}{some})"
            case Result(ok, error):
                parts = ["None" if part is None else self.of(part, guests) for part in (ok, error)]
                if not returned:
                    parts += [f"{self._module}.Ok", f"{self._module}.Err"]
                return f"shapes.Result({', '.join(parts)})"
            case _:
                return self._handle(kind, guests)

    def _handle(self, kind: Kind, guests: frozenset[TypeId]) -> str:
        match kind:
            case Own(resource) | Borrow(resource):
                found = self._naming.definition(resource)
                if isinstance(found, Primitive):
                    raise TypeError("a handle is of a resource")
                constant = self.resource(found, is_guest=found in guests)
                return f"shapes.{type(kind).__name__}({constant})"
            case _:
                raise TypeError(f"{type(kind).__name__} is not the type of a value")


def screaming_class(name: str) -> str:
    """Returns `TEE_TYPE` for the class `TeeType`."""
    words = "".join(f"-{char.lower()}" if char.isupper() else char for char in name)
    return screaming(words.strip("-"))


def _exploded(head: str, first: str, items: Sequence[str]) -> str:
    """Returns a call whose last argument is a dictionary, with a line for each of its items."""
    inner = "".join(f"        {text.fit(item, 8, 1)},\n" for item in items)
    if not first:
        return f"{head}(\n    {{\n{inner}    }}\n)"
    return f"{head}(\n    {first},\n    {{\n{inner}    }},\n)"


def _tuple(items: Sequence[str]) -> str:
    return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"

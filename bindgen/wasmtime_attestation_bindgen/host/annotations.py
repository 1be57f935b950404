"""WIT types as Python annotations."""

from __future__ import annotations

from collections.abc import Mapping

from wasmtime_attestation_bindgen.host.naming import Naming
from wasmtime_attestation_bindgen.kinds import (
    Borrow,
    FixedLengthList,
    Kind,
    List,
    Map,
    Option,
    Own,
    Primitive,
    Result,
    Tuple,
    Type,
    TypeId,
)
from wasmtime_attestation_bindgen.model import Function

_PRIMITIVES = {
    Primitive.BOOL: "bool",
    Primitive.F32: "float",
    Primitive.F64: "float",
    Primitive.CHAR: "str",
    Primitive.STRING: "str",
}


class Annotations:
    """Writes annotations.

    Args:
        naming: what classes are called.
        prefix: what stands before the names of classes, such as `types.`.
        local: classes of the module that is written, by their types.
    """

    def __init__(
        self, naming: Naming, prefix: str = "", local: Mapping[TypeId, str] | None = None
    ) -> None:
        self._naming = naming
        self._prefix = prefix
        self._local = local or {}

    def of(self, type_: Type) -> str:
        """Returns the annotation of a value."""
        found = self._naming.definition(type_)
        if isinstance(found, Primitive):
            return _PRIMITIVES.get(found, "int")
        if found in self._local:
            return self._local[found]
        name = self._naming.types.get(found)
        if name is not None:
            return self._prefix + name
        return self._anonymous(self._naming.typedef(found).kind)

    def returned(self, function: Function) -> str:
        """Returns the annotation of what a function returns; an error is raised instead."""
        if function.result is None:
            return "None"
        kind = self.result(function)
        if kind is None:
            return self.of(function.result)
        return "None" if kind.ok is None else self.of(kind.ok)

    def result(self, function: Function) -> Result | None:
        """Returns a function's result if it is a `result`."""
        if function.result is None:
            return None
        found = self._naming.definition(function.result)
        kind = None if isinstance(found, Primitive) else self._naming.typedef(found).kind
        return kind if isinstance(kind, Result) else None

    def is_octets(self, kind: Kind) -> bool:
        """Whether a kind is `list<u8>`, which is `bytes` in Python."""
        return isinstance(kind, List) and self._naming.definition(kind.element) is Primitive.U8

    def is_nested(self, kind: Option) -> bool:
        """Whether None would be ambiguous: the option holds an option directly."""
        found = self._naming.definition(kind.type)
        return not isinstance(found, Primitive) and isinstance(
            self._naming.typedef(found).kind, Option
        )

    def _anonymous(self, kind: Kind) -> str:
        match kind:
            case List() if self.is_octets(kind):
                return "bytes"
            case List(element) | FixedLengthList(element):
                return f"list[{self.of(element)}]"
            case Map(key, value):
                return f"dict[{self.of(key)}, {self.of(value)}]"
            case Tuple(types):
                return f"tuple[{', '.join(map(self.of, types))}]" if types else "tuple[()]"
            case Option(type_):
                inner = self.of(type_)
                if self.is_nested(kind):
                    return f"{self._wrapper('Some')}[{inner}] | None"
                return f"{inner} | None"
            case Result(ok, error):
                parts = ["None" if part is None else self.of(part) for part in (ok, error)]
                return f"{self._wrapper('Ok')}[{parts[0]}] | {self._wrapper('Err')}[{parts[1]}]"
            case Own(resource) | Borrow(resource):
                return self.of(resource)
            case _:
                raise TypeError(f"{type(kind).__name__} is not the type of a value")

    def _wrapper(self, name: str) -> str:
        self._naming.wrappers.add(name)
        return self._prefix + name

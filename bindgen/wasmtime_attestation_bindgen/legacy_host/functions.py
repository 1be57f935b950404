"""The functions of the legacy ABI, as they are printed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from wasmtime_attestation_bindgen import kinds
from wasmtime_attestation_bindgen.host.annotations import Annotations
from wasmtime_attestation_bindgen.host.identifiers import Claims, attribute
from wasmtime_attestation_bindgen.host.naming import Naming
from wasmtime_attestation_bindgen.host.text import call
from wasmtime_attestation_bindgen.kinds import Primitive, Type
from wasmtime_attestation_bindgen.layout import Layout
from wasmtime_attestation_bindgen.legacy import (
    LegacyFunction,
    LegacyParam,
    ParamForm,
    ResultForm,
)
from wasmtime_attestation_bindgen.legacy_host.conversions import PRIMITIVES, Conversions
from wasmtime_attestation_bindgen.model import InterfaceRef, Resolve

_OURS = ("wasmtime", "attestation", "types")
_IMPORTED = ("core", "read", "write", "functions", "GuestMemory", "LegacyFunction", "Failure")


class Adapter(NamedTuple):
    """A function from core parameters to the implementation's answer.

    Attributes:
        head: its `def` line.
        reads: the lines that copy parameters out of the guest's memory.
        body: the line, or lines, that call the implementation.
    """

    head: str
    reads: tuple[str, ...]
    body: str


class Entry(NamedTuple):
    """A function: what describes it, and what adapts it, unless it needs nothing."""

    description: str
    adapter: Adapter | None


class Functions:
    """Writes the functions of a world.

    Args:
        resolve: the model.
        naming: its names in Python.
        types: what the module of its types is called.
    """

    def __init__(self, resolve: Resolve, naming: Naming, types: str) -> None:
        self._resolve = resolve
        self._layout = Layout(resolve)
        self._naming = naming
        self._annotations = Annotations(naming, f"{types}.")
        self.writers = Conversions(resolve, naming, types, "write")
        self.readers = Conversions(resolve, naming, types, "read")
        self._claims = Claims(types, *_IMPORTED, *naming.parameters.values())

    def entries(self, functions: Iterable[LegacyFunction]) -> Iterator[Entry]:
        """Yields what is printed for each function."""
        for function in functions:
            adapter = None
            callee = self._callee(function)
            if function.params or function.result is ResultForm.DIRECT:
                name = self._claims.claim(attribute(function.name))
                adapter = self._adapter(function, name, callee)
                callee = name
            yield Entry(self._description(function, callee), adapter)

    def _callee(self, function: LegacyFunction) -> str:
        implementation = self._naming.parameters[function.module]
        return f"{implementation}.{self._naming.callee(function.function).name}"

    def _description(self, function: LegacyFunction, callee: str) -> str:
        items = [
            f'"{function.name}"',
            f'"{" ".join(function.core_params)}"',
            f'"{" ".join(function.core_results)}"',
            callee,
            *self._choices(function),
        ]
        return call(8, "LegacyFunction(", items, "),")

    def _choices(self, function: LegacyFunction) -> Iterator[str]:
        if _reads(function):
            yield "reads=True"
        result = function.function.result
        if result is None or function.result is ResultForm.DIRECT:
            return
        kind = self._layout.kind(result)
        answered: Type | None = result
        if isinstance(kind, kinds.Result):
            answered = kind.ok
        yield f"write={self._writer(function, result)}"
        if answered is not None and self._is_worth_keeping(answered):
            yield "keeps=True"
        if isinstance(kind, kinds.Result):
            yield from self._failure(function, kind.error)

    def _writer(self, function: LegacyFunction, result: Type) -> str:
        kind = self._layout.kind(result)
        if not isinstance(kind, kinds.Result):
            return self.writers.of(result)
        if kind.ok is None:
            return "write.ok(write.nothing)"
        if function.result is ResultForm.ENVELOPE:
            return self.writers.envelope(kind.ok)
        return f"write.ok({self.writers.of(kind.ok)})"

    def _failure(self, function: LegacyFunction, error: Type | None) -> Iterator[str]:
        if function.result is ResultForm.ENVELOPE:
            yield "failure=write.attestation_failure"
        elif error is not None and self._is_ours(error):
            yield "failure=write.attestation_error"
        else:
            writer = "write.nothing" if error is None else self.writers.of(error)
            yield f"failure=write.err({writer})"
            yield "raises=Failure"

    def _is_ours(self, error: Type) -> bool:
        """Whether an error is that of `wasmtime:attestation`."""
        found = self._naming.definition(error)
        if isinstance(found, Primitive):
            return False
        definition = self._naming.typedef(found)
        if definition.name != "error" or not isinstance(definition.owner, InterfaceRef):
            return False
        interface = self._resolve.interfaces[definition.owner.id]
        package = self._resolve.packages[interface.package].name
        return (package.namespace, package.name, interface.name) == _OURS

    def _is_worth_keeping(self, type_: Type) -> bool:
        """Whether an answer may be the same object again, and cannot have changed."""
        return isinstance(self._layout.kind(type_), kinds.Record) and self._is_immutable(type_)

    def _is_immutable(self, type_: Type) -> bool:
        kind = self._layout.kind(type_)
        if isinstance(kind, Primitive):
            return True
        if isinstance(kind, kinds.List | kinds.FixedLengthList | kinds.Map):
            return isinstance(kind, kinds.List) and self._layout.kind(kind.element) is Primitive.U8
        return all(map(self._is_immutable, kinds.references(kind)))

    def _adapter(self, function: LegacyFunction, name: str, callee: str) -> Adapter:
        taken = Claims("guest", "core", "read", *self._naming.parameters.values(), name)
        parameters = ["guest: GuestMemory"] if _reads(function) else []
        reads, arguments = [], []
        for param in function.params:
            local = taken.claim(attribute(param.name))
            if param.form is ParamForm.DIRECT:
                core = "float" if param.core[0].startswith("f") else "int"
                parameters.append(f"{local}: {core}")
                arguments.append(self._direct(param, local))
                continue
            at, size = (taken.claim(f"{local}_{what}") for what in ("at", "size"))
            parameters += [f"{at}: int", f"{size}: int"]
            reader = "read_optional" if param.optional else "read"
            reads.append(f"{local} = guest.{reader}({at}, {size})")
            arguments.append(self._read(param, local))
        answer = self._returned(function)
        head = call(4, f"def {name}(", parameters, f") -> {answer}:")
        return Adapter(head, tuple(reads), self._body(function, callee, arguments))

    def _returned(self, function: LegacyFunction) -> str:
        if function.result is ResultForm.DIRECT:
            return "int"
        return self._annotations.returned(function.function)

    def _body(self, function: LegacyFunction, callee: str, arguments: list[str]) -> str:
        result = function.function.result
        if function.result is ResultForm.NOTHING or result is None:
            return call(8, f"{callee}(", arguments, ")")
        if function.result is not ResultForm.DIRECT:
            kind = self._layout.kind(result)
            nothing = isinstance(kind, kinds.Result) and kind.ok is None
            return call(8, f"{'' if nothing else 'return '}{callee}(", arguments, ")")
        name = f"core.from_{_named(self._layout.kind(result))}"
        if not arguments:
            return f"return {name}({callee}())"
        line = f"return {name}({callee}({', '.join(arguments)}))"
        if len(line) <= 92:
            return line
        return call(8, f"return {name}(", [call(12, f"{callee}(", arguments, ")")], ")")

    def _direct(self, param: LegacyParam, local: str) -> str:
        kind = self._layout.kind(param.type)
        if isinstance(kind, kinds.Enum):
            return f"{self.readers.index(param.type)}({local})"
        if kind in (Primitive.F32, Primitive.F64):
            return local
        return f"core.{_named(kind)}({local})"

    def _read(self, param: LegacyParam, local: str) -> str:
        name = f'"{param.name}"'
        if param.form is ParamForm.BYTES:
            return local
        if param.form is ParamForm.TEXT:
            reader = "utf8_or_none" if param.optional else "utf8"
            return f"read.{reader}({name}, {local})"
        floats = ", floats=True" if self._has_floats(param.type) else ""
        return f"read.parameter({name}, {local}, {self.readers.of(param.type)}{floats})"

    def _has_floats(self, type_: Type) -> bool:
        kind = self._layout.kind(type_)
        if isinstance(kind, Primitive):
            return kind in (Primitive.F32, Primitive.F64)
        return any(map(self._has_floats, kinds.references(kind)))


def _reads(function: LegacyFunction) -> bool:
    return any(param.form is not ParamForm.DIRECT for param in function.params)


def _named(kind: Primitive | kinds.Kind) -> str:
    if not isinstance(kind, Primitive):
        raise TypeError(f"{type(kind).__name__} is no core value")
    return PRIMITIVES.get(kind, kind.value)

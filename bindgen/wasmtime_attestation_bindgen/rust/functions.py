"""Rust functions that call the host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from wasmtime_attestation_bindgen import kinds
from wasmtime_attestation_bindgen.kinds import Primitive, Type
from wasmtime_attestation_bindgen.layout import CoreSignature, Flat, Layout
from wasmtime_attestation_bindgen.legacy import (
    LegacyFunction,
    LegacyParam,
    ParamForm,
    ResultForm,
)
from wasmtime_attestation_bindgen.model import Form, Function
from wasmtime_attestation_bindgen.rust import text
from wasmtime_attestation_bindgen.rust.identifiers import value_name
from wasmtime_attestation_bindgen.rust.items import deprecation
from wasmtime_attestation_bindgen.rust.types import Types

_FORMS = {
    ParamForm.DIRECT: "direct",
    ParamForm.TEXT: "direct",
    ParamForm.BYTES: "direct",
    ParamForm.JSON: "json",
}
_RESULTS = {
    ResultForm.NOTHING: "nothing",
    ResultForm.DIRECT: "value",
    ResultForm.JSON: "json",
    ResultForm.ENVELOPE: "envelope",
}


class Passing(NamedTuple):
    """How a function's values travel.

    Attributes:
        core: its core type.
        spilled_size: bytes of the parameters in memory, if they are there.
        spilled_alignment: theirs.
        result_size: bytes of the result in memory, if it is there.
    """

    core: CoreSignature
    spilled_size: int
    spilled_alignment: int
    result_size: int


def passing(layout: Layout, function: Function, core: CoreSignature) -> Passing:
    """Returns how a function's values travel, given its core type."""
    types = [param.type for param in function.params]
    alignment = max((layout.alignment(type_) for type_ in types), default=1)
    end = layout.offsets(types)[-1] + layout.size(types[-1]) if types else 0
    size = -(-end // alignment) * alignment
    result_size = 0
    if core.return_pointer and function.result is not None:
        result_size = layout.size(function.result)
    return Passing(core, size, alignment, result_size)


def core_type(params: Flat, results: Flat) -> str:
    """Returns a core function type, such as `fn(i32) -> i32`."""
    result = f" -> {results[0]}" if results else ""
    return f"fn({', '.join(params)}){result}"


class Functions:
    """Writes what calls the host, in one module.

    Args:
        layout: of the model's types.
        types: writes types as the module sees them.
        module: the instance's name in a component.
        legacy: the legacy form of functions, by WIT name; None where there is none.
    """

    def __init__(
        self,
        layout: Layout,
        types: Types,
        module: str,
        legacy: Mapping[str, LegacyFunction] | None,
    ) -> None:
        self._layout = layout
        self._types = types
        self._module = module
        self._legacy = legacy

    def free(self, function: Function) -> list[str]:
        """Returns a function that belongs to no resource."""
        must_use = ["#[must_use]"] if self._worth_using(function.result) else []
        return [*_attributes(function), *must_use, *self._function(function, level=0)]

    def of_resource(self, function: Function) -> list[str]:
        """Returns a function within the `impl` of its resource."""
        return [*_attributes(function), *self._function(function, level=1)]

    def _function(self, function: Function, level: int) -> list[str]:
        params = [(value_name(p.name), self._types.argument(p.type)) for p in function.params]
        texts = [f"{name}: {type_}" for name, type_ in params]
        values = [name for name, _ in params]
        if function.kind.form is Form.METHOD:
            texts[0], values[0] = "&self", "self"
        tail = f"{self._types.result(function.result)} {{"
        head = text.signature(f"pub fn {method_name(function)}", texts, tail, level)
        return [*head, *text.indented(self._call(function, values)), "}"]

    def _call(self, function: Function, values: list[str]) -> list[str]:
        component = self._component_call(function, values)
        if self._legacy is None:
            return ["abi::call! {", *text.indented(component), "}"]
        legacy = self._legacy_call(self._legacy[function.name], values)
        first = ["{", *text.indented(component), "}"]
        return ["legacy::call! {", *text.indented([*first, *legacy]), "}"]

    def _component_call(self, function: Function, values: list[str]) -> list[str]:
        how = passing(self._layout, function, self._layout.lowered(function))
        core = core_type(how.core.params, how.core.results)
        args = ", ".join(values)
        given = f"spilled {how.spilled_size} ({args})" if how.core.spilled else f"flat({args})"
        result = "value" if how.core.results else "nothing"
        if how.core.return_pointer:
            result = f"memory {how.result_size}"
        elif function.result is not None and not how.core.results:
            result = "empty"
        return [f'"{self._module}" "{function.name}" {core};', f"{given} => {result}"]

    def _legacy_call(self, function: LegacyFunction, values: list[str]) -> list[str]:
        core = core_type(function.core_params, function.core_results)
        args = ", ".join(
            f"{_form(param)} {value}" for param, value in zip(function.params, values, strict=True)
        )
        return [f'"{function.name}" {core};', f"({args}) => {self._answer(function)}"]

    def _answer(self, function: LegacyFunction) -> str:
        result = function.function.result
        kind = None if result is None else self._layout.kind(result)
        error = kind.error if isinstance(kind, kinds.Result) else None
        if error is None or not self._is_internal(error):
            return _RESULTS[function.result]
        form = "envelope" if function.result is ResultForm.ENVELOPE else "fallible"
        return f"{form} {self._types.owned(error)}"

    def _is_internal(self, error: Type) -> bool:
        """Whether an error can say that the host is at fault."""
        kind = self._layout.kind(error)
        return isinstance(kind, kinds.Variant) and any(
            case.name == "internal" and case.type is Primitive.STRING for case in kind.cases
        )

    def _worth_using(self, result: Type | None) -> bool:
        return result is not None and not self._holds_result(result)

    def _holds_result(self, type_: Type) -> bool:
        """Whether Rust itself warns where a value is not used."""
        match self._layout.kind(type_):
            case kinds.Result():
                return True
            case kinds.Tuple(types):
                return any(map(self._holds_result, types))
            case kinds.FixedLengthList(element):
                return self._holds_result(element)
            case _:
                return False


def method_name(function: Function) -> str:
    """Returns the name of a function in Rust, without its resource."""
    if function.kind.form is Form.CONSTRUCTOR:
        return "new"
    if function.kind.form is Form.FREESTANDING:
        return value_name(function.name)
    return value_name(function.name.rpartition(".")[2])


def _form(param: LegacyParam) -> str:
    return "optional" if param.optional else _FORMS[param.form]


def _attributes(function: Function) -> list[str]:
    return [*text.documentation(function.docs), *deprecation(function.stability)]

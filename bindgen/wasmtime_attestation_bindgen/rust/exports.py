"""Rust traits for what a guest implements, and the functions that the host calls."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import NamedTuple

from wasmtime_attestation_bindgen import kinds
from wasmtime_attestation_bindgen.kinds import Type, TypeId
from wasmtime_attestation_bindgen.layout import Layout
from wasmtime_attestation_bindgen.model import Form, Function, Resolve
from wasmtime_attestation_bindgen.names import snake
from wasmtime_attestation_bindgen.rust import text
from wasmtime_attestation_bindgen.rust.functions import Passing, method_name, passing
from wasmtime_attestation_bindgen.rust.identifiers import lent_name, type_name, value_name
from wasmtime_attestation_bindgen.rust.items import deprecation
from wasmtime_attestation_bindgen.rust.types import Types
from wasmtime_attestation_bindgen.surface import ROOT

_CORES = "abcdefghijklmnop"


class Shim(NamedTuple):
    """A function that the host calls.

    Attributes:
        export: its name in the core module.
        name: its Rust name in the module `shims`.
        params: its core parameters, by name.
        result: the arrow and its core result, or nothing.
        generic: whether it depends on the guest's type.
    """

    export: str
    name: str
    params: tuple[tuple[str, str], ...]
    result: str
    generic: bool = True


class Exports:
    """Writes what the host calls, in one module.

    Args:
        resolve: the model.
        layout: of its types.
        types: writes types as the module sees them.
        module: the instance's name in a component.
    """

    def __init__(self, resolve: Resolve, layout: Layout, types: Types, module: str) -> None:
        self._resolve = resolve
        self._layout = layout
        self._types = types
        self._module = module
        self.shims: list[Shim] = []

    def trait(
        self,
        resources: Iterable[tuple[str, TypeId]],
        functions: Iterable[Function],
        docs: str | None,
    ) -> list[str]:
        """Returns the trait of a module's own functions, and one for each of its resources."""
        names = [type_name(name) for name, _ in resources]
        associated = [f"type {name}: Guest{name};" for name in names]
        own = [f for f in functions if f.kind.form is Form.FREESTANDING]
        members = text.paragraphs([associated, *map(self._method, own)])
        return [*text.documentation(docs), *_trait("Guest", members)]

    def resource_trait(
        self, name: str, docs: str | None, functions: Iterable[Function]
    ) -> list[str]:
        """Returns the trait of a resource's functions."""
        members = text.paragraphs(map(self._method, functions))
        head = f"Guest{type_name(name)}: Sized + 'static"
        return [*text.documentation(docs), *_trait(head, members)]

    def resource(self, name: str, docs: str | None) -> tuple[list[str], list[str]]:
        """Returns the types of a resource's handles, and how they travel."""
        rust = type_name(name)
        lent = lent_name(rust)
        lines = [
            *text.documentation(docs),
            "#[derive(Debug)]",
            f"pub struct {rust} {{",
            "    handle: resource::Handle,",
            "}",
            "",
            f"/// A [`{rust}`] that the host lends for a call.",
            "#[derive(Debug)]",
            f"pub struct {lent}<'a> {{",
            "    rep: i32,",
            "    lender: ::core::marker::PhantomData<&'a ()>,",
            "}",
        ]
        calls = f'"[resource-new]{name}" "[resource-rep]{name}" "[resource-drop]{name}"'
        names = f'{rust}, {lent}, Guest{rust}, "[export]{self._module}"'
        abi = ["resource::own! {", *text.indented([names, calls]), "}"]
        return lines, abi

    def destructor(self, name: str) -> list[str]:
        """Returns what the host calls when a resource is dropped."""
        shim = self._claimed(f"{snake(name)}_dtor")
        self.shims.append(
            Shim(f"{self._module}#[dtor]{name}", shim, (("rep", "i32"),), "", generic=False)
        )
        return ["resource::destructor! { " + shim + " }"]

    def shim(self, function: Function) -> list[str]:
        """Returns the function that the host calls for one of the WIT."""
        how = passing(self._layout, function, self._layout.lifted(function))
        name = self._claimed(_shim_name(function))
        cores = tuple(zip(_CORES, map(str, how.core.params), strict=False))
        result = f" -> {how.core.results[0]}" if how.core.results else ""
        export = function.name if self._module == ROOT else f"{self._module}#{function.name}"
        self.shims.append(Shim(export, name, cores, result))
        params = ", ".join(f"{n}: {core}" for n, core in cores)
        sizes = f"({how.spilled_size}, {how.spilled_alignment})" if how.core.spilled else ""
        lines = [
            f"{name}<_T: Guest>({params}){result};",
            f"{'spilled' if how.core.spilled else 'flat'}{sizes};",
            f"|args| {self._invocation(function)} => {self._kept(function, self.shims[-1], how)}",
        ]
        return ["export::function! {", *text.indented(lines), "}"]

    def _kept(self, function: Function, shim: Shim, how: Passing) -> str:
        """Says where a result goes, and remembers what frees it."""
        if function.result is None:
            return "nothing"
        if not how.core.return_pointer:
            return "value" if how.core.results else "empty"
        post, param = self._claimed(f"{shim.name}_post"), (("result", "i32"),)
        self.shims.append(Shim(f"cabi_post_{shim.export}", post, param, "", generic=False))
        return f"memory {how.result_size} {post} {self._types.owned(function.result)}"

    def _claimed(self, name: str) -> str:
        """Returns the name of a new shim."""
        taken = {shim.name for shim in self.shims}
        others = (f"{name}{number}" for number in range(2, len(taken) + 2))
        return next(free for free in chain([name], others) if free not in taken)

    def _invocation(self, function: Function) -> str:
        form, count = function.kind.form, len(function.params)
        if form is Form.FREESTANDING:
            return f"_T::{method_name(function)}({_nexts(count)})"
        resource = self._resource_name(function)
        of = f"<_T::{resource} as Guest{resource}>"
        if form is Form.METHOD:
            rest = _nexts(count - 1)
            return f"{of}::{method_name(function)}(args.resource(){', ' if rest else ''}{rest})"
        call = f"{of}::{method_name(function)}({_nexts(count)})"
        if form is Form.STATIC:
            return call
        fallible = isinstance(self._result_kind(function), kinds.Result)
        return f"{call}.map({resource}::new)" if fallible else f"{resource}::new({call})"

    def _resource_name(self, function: Function) -> str:
        id_ = function.kind.resource
        return "" if id_ is None else type_name(self._resolve.types[id_].name or "")

    def _result_kind(self, function: Function) -> object:
        return None if function.result is None else self._layout.kind(function.result)

    def _method(self, function: Function) -> list[str]:
        params = [f"{value_name(p.name)}: {self._types.owned(p.type)}" for p in function.params]
        if function.kind.form is Form.METHOD:
            params[0] = "&self"
        tail = f"{self._result(function)};"
        head = text.signature(f"fn {method_name(function)}", params, tail, 1)
        return [*text.documentation(function.docs), *deprecation(function.stability), *head]

    def _result(self, function: Function) -> str:
        if function.kind.form is not Form.CONSTRUCTOR:
            return self._types.result(function.result)
        kind = self._result_kind(function)
        if not isinstance(kind, kinds.Result):
            return " -> Self"
        error: Type | None = kind.error
        return f" -> Result<Self, {'()' if error is None else self._types.owned(error)}>"


def _nexts(count: int) -> str:
    return ", ".join(["args.next()"] * count)


def _shim_name(function: Function) -> str:
    if function.kind.form is Form.FREESTANDING:
        return snake(function.name) + "_shim"
    form, _, rest = function.name.removeprefix("[").partition("]")
    return snake("-".join([*rest.split("."), form])) + "_shim"


def _trait(name: str, members: list[str]) -> list[str]:
    if not members:
        return [f"pub trait {name} {{}}"]
    return [f"pub trait {name} {{", *text.indented(members), "}"]

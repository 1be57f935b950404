"""Views of functions: what a guest calls, what it implements, and the core functions below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from wasmtime_attestation_bindgen import kinds
from wasmtime_attestation_bindgen.cpp.identifiers import RESERVED, Scope, identifier
from wasmtime_attestation_bindgen.cpp.lines import WIDTH, bracketed, comment, packed
from wasmtime_attestation_bindgen.cpp.spelling import CORE, Spelling
from wasmtime_attestation_bindgen.kinds import TypeId
from wasmtime_attestation_bindgen.layout import Flat, Layout
from wasmtime_attestation_bindgen.legacy import MODULE, LegacyFunction
from wasmtime_attestation_bindgen.model import Form, Function, Resolve
from wasmtime_attestation_bindgen.surface import Instance

CLASS_NAMES = frozenset({"resource", "get", "release", "drop", "handle_", "create"})
"""Names that a resource's class has besides the functions that WIT gives it."""


_POST = "cabi_post_"


class Raw(NamedTuple):
    """A core function: an import's module and name, or an export's name; and its declaration."""

    module: str
    name: str
    text: str

    @property
    def attribute(self) -> str:
        """The macro that says which core function it is."""
        if not self.module:
            return bracketed("WIT_EXPORT(", [f'"{self.name}"'], ")")
        return bracketed("WIT_IMPORT(", [f'"{self.module}"', f'"{self.name}"'], ")")


class FunctionView(NamedTuple):
    """A function of a header.

    Attributes:
        docs: its comment.
        declaration: within a class, or for the guest to define.
        definition: the whole inline function; empty for what the guest defines.
        resource: the class that it belongs to, if any.
    """

    docs: str
    declaration: str
    definition: str
    resource: TypeId | None


class Names(NamedTuple):
    """What the functions of an instance are called: by WIT name, for people and below.

    `raw` are core functions that are imported, `core` those that are exported.
    """

    public: dict[str, str]
    raw: dict[str, str]
    core: dict[str, str]


def plain_name(function: Function) -> str:
    """Returns a function's own name: `increment` of `[method]counter.increment`."""
    return function.name.rpartition(".")[2].rpartition("]")[2]


def name_functions(resolve: Resolve, instance: Instance, types: Sequence[str]) -> Names:
    """Returns the names of an instance's functions and of the resources' intrinsics.

    Args:
        resolve: the model.
        instance: the instance.
        types: the names of its types, which are taken.
    """
    free, raw = Scope(*RESERVED, *types), Scope(*RESERVED)
    classes: dict[TypeId, Scope] = {}
    names = Names({}, {}, {})
    for function in instance.functions:
        names.raw[function.name] = raw.claim(_below(function))
        resource = function.kind.resource
        if function.kind.form is Form.CONSTRUCTOR:
            names.public[function.name] = "create"
        elif resource is None:
            names.public[function.name] = free.claim(function.name)
        else:
            own = identifier(resolve.types[resource].name or "")
            scope = classes.setdefault(resource, Scope(*RESERVED, *CLASS_NAMES, own))
            names.public[function.name] = scope.claim(plain_name(function))
    for type_name, id_ in instance.types.items():
        if isinstance(resolve.types[id_].kind, kinds.Resource):
            for intrinsic in ("drop", "new", "rep"):
                key = f"[resource-{intrinsic}]{type_name}"
                names.raw[key] = raw.claim(f"{type_name}-{intrinsic}")
            names.core[f"[dtor]{type_name}"] = free.claim(f"raw-{type_name}-destroy")
    for function in instance.functions:
        below = f"raw-{_below(function)}"
        names.core[function.name] = free.claim(below)
        names.core[f"{_POST}{function.name}"] = free.claim(f"{below}-post")
    return names


def _below(function: Function) -> str:
    if function.kind.form is Form.CONSTRUCTOR:
        return f"{plain_name(function)}-constructor"
    return function.name.rpartition("]")[2].replace(".", "-")


def hidden_by(functions: Sequence[Function], names: Names, resource: TypeId) -> set[str]:
    """Returns the names that mean a function within a resource's class."""
    own = [f for f in functions if f.kind.resource == resource]
    return {names.public[function.name] for function in own} | CLASS_NAMES


def imported(function: Function, name: str, raw: str, spelling: Spelling) -> FunctionView:
    """Returns the view of a function that the host implements.

    Args:
        function: the function.
        name: what it is called.
        raw: what the core function is called.
        spelling: spells types where it stands.
    """
    form, resource = function.kind.form, function.kind.resource
    method = form is Form.METHOD
    params = function.params[1:] if method else function.params
    scope = Scope(*RESERVED, name)
    names = [scope.claim(param.name) for param in params]
    inside = spelling.hiding(set(names))
    typed = [f"{inside.param(param.type)} {own}" for own, param in zip(names, params, strict=True)]
    result = inside.value(function.result)
    class_name = "" if resource is None else spelling.resolve.types[resource].name or ""
    if resource is not None:
        class_name = spelling.placement.type(resource, spelling.side)[1]
    tail = ") const" if method else ")"
    static = "static " if resource is not None and not method else ""
    declaration = bracketed(f"{static}{result} {name}(", typed, f"{tail};", 2)
    scoped = f"{class_name}::{name}" if class_name else name
    arguments = ["wit::borrow(*this)", *names] if method else names
    head = bracketed(f"inline {result} {scoped}(", typed, tail + " {")
    body = _call("return wire::call", [f"raw::{raw}", result], arguments)
    return FunctionView(comment(function.docs), declaration, _function(head, body), resource)


def exported(function: Function, name: str, spelling: Spelling) -> FunctionView:
    """Returns the view of a function that the guest implements."""
    form = function.kind.form
    method = form is Form.METHOD
    params = function.params[1:] if method else function.params
    scope = Scope(*RESERVED, name)
    names = [scope.claim(param.name) for param in params]
    inside = spelling.hiding(set(names))
    typed = [f"{inside.value(param.type)} {own}" for own, param in zip(names, params, strict=True)]
    result = inside.value(function.result)
    belongs = function.kind.resource is not None
    prefix, tail = ("virtual ", ") = 0;") if method else ("static " * belongs, ");")
    declaration = bracketed(f"{prefix}{result} {name}(", typed, tail, 2 * belongs)
    return FunctionView(comment(function.docs), declaration, "", function.kind.resource)


def raw_import(function: Function, raw: str, instance: Instance, layout: Layout) -> Raw:
    """Returns the core function of the canonical ABI that an imported function is."""
    signature = layout.lowered(function)
    text = _declaration(raw, signature.params, signature.results)
    return Raw(instance.module, function.name, text)


def raw_legacy(function: LegacyFunction, raw: str) -> Raw:
    """Returns the core function of the legacy ABI that an imported function is."""
    text = _declaration(raw, function.core_params, function.core_results)
    return Raw(MODULE, function.name, text)


def raw_exports(
    function: Function, names: Names, instance: Instance, spelling: Spelling
) -> list[Raw]:
    """Returns the core functions that export a function: itself, and what frees its result."""
    signature = Layout(spelling.resolve).lifted(function)
    core = CORE[signature.results[0]] if signature.results else "void"
    params = [f"p{index}" for index in range(len(signature.params))]
    typed = [f"{CORE[t]} {p}" for t, p in zip(signature.params, params, strict=True)]
    target = names.public[function.name]
    resource = function.kind.resource
    if resource is not None:
        target = f"{spelling.placement.type(resource, spelling.side)[1]}::{target}"
    called = f"wit::component::serve<{core}>("
    body = bracketed(f"return {called}", [f"&{target}", *params], ");", 2)
    export = export_name(instance, function.name)
    head = bracketed(f"inline {core} {names.core[function.name]}(", typed, ") {")
    found = [Raw("", export, _function(head, body))]
    if signature.return_pointer:
        result = spelling.hiding({"result"}).value(function.result)
        finish = _call("wit::component::finish", [result], ["result"])
        post = names.core[f"{_POST}{function.name}"]
        text = _function(f"inline void {post}(std::int32_t result) {{", finish)
        found.append(Raw("", f"{_POST}{export}", text))
    return found


def export_name(instance: Instance, name: str) -> str:
    """Returns the name of the core function that exports a function."""
    return name if instance.id is None else f"{instance.module}#{name}"


def _declaration(name: str, params: Flat, results: Flat) -> str:
    result = CORE[results[0]] if results else "void"
    return bracketed(f"{result} {name}(", [CORE[param] for param in params], ");")


def _function(head: str, body: str) -> str:
    """Returns a function, on one line if it fits."""
    line = f"{head} {body.strip()} }}"
    if "\n" not in line and len(line) <= WIDTH:
        return line
    return f"{head}\n{body}\n}}"


def _call(callee: str, types: Sequence[str], arguments: Sequence[str]) -> str:
    """Returns a call of a template as a statement in a function's body."""
    head = f"{callee}<{', '.join(types)}>("
    if len(head) + 2 <= WIDTH:
        return bracketed(head, arguments, ");", 2)
    parameters = packed(types, ">(", 6)
    one_line = f"{parameters}{', '.join(arguments)});"
    if len(one_line.rpartition("\n")[2]) <= WIDTH:
        return f"  {callee}<\n{one_line}"
    return f"  {callee}<\n{parameters}\n{packed(arguments, ');', 6)}"

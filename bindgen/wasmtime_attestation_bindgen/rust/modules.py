"""One Rust module for each interface of a world, on each side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.kinds import Alias, Primitive, Resource, TypeId
from wasmtime_attestation_bindgen.layout import Layout
from wasmtime_attestation_bindgen.legacy import LegacyFunction
from wasmtime_attestation_bindgen.model import Form, Function, Resolve
from wasmtime_attestation_bindgen.rust import text
from wasmtime_attestation_bindgen.rust.display import Displays
from wasmtime_attestation_bindgen.rust.exports import Exports, Shim
from wasmtime_attestation_bindgen.rust.functions import Functions, method_name
from wasmtime_attestation_bindgen.rust.identifiers import check_distinct, lent_name, type_name
from wasmtime_attestation_bindgen.rust.items import Items
from wasmtime_attestation_bindgen.rust.json import JsonForms
from wasmtime_attestation_bindgen.rust.places import Place, Places
from wasmtime_attestation_bindgen.rust.types import Types
from wasmtime_attestation_bindgen.surface import Instance

RUNTIME = ("abi", "export", "json", "legacy", "resource")
"""The modules that are the same for every world."""

LegacyForms = Mapping[str, Mapping[str, LegacyFunction]]
"""By instance and by WIT name."""


@dataclass(slots=True)
class Module:
    """A module's text, in the order of the file.

    Attributes:
        place: where it is.
        docs: of the interface.
        uses: what is defined elsewhere.
        blocks: types and functions, which guest authors read.
        abi: how types travel.
        shim_blocks: what the host calls.
        shims: the same, as names.
        used: which types of the runtime are mentioned.
        runtime: which modules of the runtime are.
    """

    place: Place
    docs: list[str] = field(default_factory=list)
    uses: list[str] = field(default_factory=list)
    blocks: list[list[str]] = field(default_factory=list)
    abi: list[list[str]] = field(default_factory=list)
    shim_blocks: list[list[str]] = field(default_factory=list)
    shims: list[Shim] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    runtime: set[str] = field(default_factory=set)


class Context(NamedTuple):
    """What every module of a world is written from."""

    resolve: Resolve
    layout: Layout
    places: Places
    displays: Displays
    legacy: LegacyForms | None
    world_types: Mapping[str, TypeId]


class Writer:
    """Writes a module.

    Args:
        context: the world.
        instance: the interface, or the world's own items.
        place: the module.
    """

    def __init__(self, context: Context, instance: Instance, place: Place) -> None:
        self._context = context
        self._instance = instance
        self._place = place
        self._names = instance.types if instance.id is not None else context.world_types
        self._types = Types(context.resolve, context.layout, context.places, place, self._names)
        self._module = Module(place, text.documentation(instance.docs, "//!"))
        self._items = Items(context.resolve, context.layout, self._types)
        forms = None if context.legacy is None else context.legacy.get(instance.module, {})
        self._json = self._json_forms()
        self._functions = Functions(context.layout, self._types, instance.module, forms)
        self._exports = Exports(context.resolve, context.layout, self._types, instance.module)

    def _json_forms(self) -> JsonForms | None:
        legacy = self._context.legacy
        if legacy is None:
            return None
        functions = (function for forms in legacy.values() for function in forms.values())
        return JsonForms(self._context.resolve, self._context.layout, functions)

    def imports(self) -> Module:
        """Returns the module of what the world imports."""
        self._define_types()
        for function in self._own_functions():
            self._module.blocks.append(self._functions.free(function))
        self._check_names({})
        return self._finished()

    def exports(self) -> Module:
        """Returns the module of what the world exports."""
        if self._instance.id is not None:
            self._define_types()
        if self._instance.functions or self._resources():
            self._implement()
        self._check_names(self._made())
        return self._finished()

    def _implement(self) -> None:
        resources = self._resources()
        if self._own_functions() or resources:
            docs = self._instance.docs if self._instance.id is not None else None
            trait = self._exports.trait(resources, self._instance.functions, docs)
            self._module.blocks.append(trait)
        for name, id_ in resources:
            of = self._functions_of(id_)
            docs = self._context.resolve.types[id_].docs
            self._module.blocks.append(self._exports.resource_trait(name, docs, of))
            self._module.shim_blocks.append(self._exports.destructor(name))
        for function in self._instance.functions:
            self._module.shim_blocks.append(self._exports.shim(function))
        self._module.shims = self._exports.shims

    def _define_types(self) -> None:
        for name, id_ in self._instance.types.items():
            self._define(name, id_)

    def _define(self, name: str, id_: TypeId) -> None:
        kind = self._context.resolve.types[id_].kind
        source = self._source(id_)
        if source is not None:
            self._module.uses += self._use(name, id_, source)
        elif isinstance(kind, Resource):
            self._define_resource(name, id_)
        else:
            item = self._items.define(name, id_)
            self._module.blocks += [item.lines, self._context.displays.lines(id_)]
            self._module.abi.append(item.abi)
            if self._json is not None:
                self._module.abi.append(self._json.lines(name, id_, item))
            self._alias_of_own_resource(name, id_)

    def _define_resource(self, name: str, id_: TypeId) -> None:
        if self._place.exported:
            lines, abi = self._exports.resource(name, self._context.resolve.types[id_].docs)
            self._module.blocks.append(lines)
            self._module.abi.append(abi)
            return
        rust = type_name(name)
        functions = self._functions_of(id_)
        check_distinct(
            [(f.name, method_name(f)) for f in functions],
            f"resource `{name}`",
            self._context.resolve.types[id_].span,
        )
        docs = text.documentation(self._context.resolve.types[id_].docs)
        handle = [
            *docs,
            "#[derive(Debug)]",
            f"pub struct {rust} {{",
            "    handle: resource::Handle,",
            "}",
        ]
        methods = text.paragraphs(map(self._functions.of_resource, functions))
        implementation = [f"impl {rust} {{", *text.indented(methods), "}"] if methods else []
        self._module.blocks += [handle, implementation]
        drop = f'"{self._instance.module}" "[resource-drop]{name}"'
        self._module.abi.append([f"resource::handle! {{ {rust}, {drop} }}"])

    def _alias_of_own_resource(self, name: str, id_: TypeId) -> None:
        if self._context.places.own_resource(id_, self._place):
            target = self._context.resolve.types[id_].kind
            if isinstance(target, Alias) and not isinstance(target.type, Primitive):
                of = type_name(self._context.resolve.types[target.type].name or "")
                line = f"pub type {lent_name(type_name(name))}<'a> = {lent_name(of)}<'a>;"
                self._module.blocks.append([line])

    def _source(self, id_: TypeId) -> TypeId | None:
        """Returns the type of another module that a type is."""
        resolve = self._context.resolve
        definition = resolve.types[id_]
        if self._place.exported and self._is_shared(id_):
            return id_
        if isinstance(definition.kind, Alias) and not isinstance(definition.kind.type, Primitive):
            target = resolve.types[definition.kind.type]
            if target.name is not None and target.owner != definition.owner:
                return definition.kind.type
        return None

    def _is_shared(self, id_: TypeId) -> bool:
        """Whether an interface's type is the same where it is imported."""
        both = self._place.interface in self._context.places.imports
        return both and not self._types.traits.has_resource(id_)

    def _use(self, name: str, id_: TypeId, source: TypeId) -> Iterator[str]:
        places = self._context.places
        if source == id_ and self._place.interface is not None:
            there = places.imports[self._place.interface]
        else:
            there = places.of_type(source, self._place)
        original, new = type_name(self._context.resolve.types[source].name or ""), type_name(name)
        path = _path(self._place, there)
        own = places.own_resource(id_, self._place)
        pairs = [(original, new), (lent_name(original), lent_name(new))]
        for there_, here in pairs if own else pairs[:1]:
            renamed = "" if there_ == here else f" as {here}"
            yield f"pub use {path}{there_}{renamed};"

    def _resources(self) -> list[tuple[str, TypeId]]:
        types = self._context.resolve.types
        return [
            (name, id_)
            for name, id_ in self._instance.types.items()
            if isinstance(types[id_].kind, Resource) and self._place.exported
        ]

    def _functions_of(self, resource: TypeId) -> list[Function]:
        return [f for f in self._instance.functions if f.kind.resource == resource]

    def _own_functions(self) -> list[Function]:
        return [f for f in self._instance.functions if f.kind.form is Form.FREESTANDING]

    def _made(self) -> dict[str, str]:
        """Returns the names of what is made for guests that implement the module."""
        resources = [type_name(name) for name, _ in self._resources()]
        made = {f"Guest{name}": f"the trait of `{name}`" for name in resources}
        if self._own_functions() or resources:
            made["Guest"] = "the trait that a guest implements"
        for name, id_ in self._instance.types.items():
            if self._context.places.own_resource(id_, self._place):
                made[lent_name(type_name(name))] = f"a `{type_name(name)}` that is lent"
        return made

    def _check_names(self, made: Mapping[str, str]) -> None:
        types = self._context.resolve.types
        where = "the world" if self._instance.id is None else f"`{self._instance.module}`"
        check_distinct([(name, type_name(name)) for name in self._names], where)
        for name, id_ in self._names.items():
            rust = type_name(name)
            if rust in made:
                message = f"the type `{name}` of {where} would be `{rust}` in Rust, as is "
                raise WitError(message + made[rust], types[id_].span, help="rename the type")

    def _finished(self) -> Module:
        lines = text.paragraphs([*self._module.blocks, *self._module.abi])
        body = "\n".join([*lines, *text.paragraphs(self._module.shim_blocks)])
        self._module.used = self._types.used
        self._module.runtime = {name for name in RUNTIME if f"{name}::" in body}
        if self._place.path:
            self._module.uses += self._own_uses()
        self._module.uses.sort(key=use_order)
        return self._module

    def _own_uses(self) -> Iterator[str]:
        used, root = sorted(self._types.used), self._place.root
        if used:
            yield f"use {root}abi::{{{', '.join(['self', *used])}}};"
        elif self._module.runtime:
            yield f"use {root}abi;"
        yield from (f"use {root}{name};" for name in self._module.runtime - {"abi"})


def _path(here: Place, there: Place) -> str:
    """Returns the path from one module to another, to be continued."""
    common = 0
    while here.path[common : common + 1] == there.path[common : common + 1] != ():
        common += 1
    down = "".join(f"{name}::" for name in there.path[common:])
    return "super::" * (len(here.path) - common) + (down if here.path else f"self::{down}")


def use_order(line: str) -> tuple[tuple[int, str], ...]:
    """Sorts as rustfmt does: self, super, snake_case, CamelCase, UPPER_CASE, groups."""
    path = line.partition("use ")[2].rstrip(";").removeprefix("pub ")
    return tuple(_rank(segment) for segment in path.split("::"))


def _rank(segment: str) -> tuple[int, str]:
    order = {"self": 0, "super": 1}.get(segment)
    if order is not None:
        return order, ""
    plain = segment.removeprefix("r#")
    name = plain.partition(" ")[0]
    kinds_of_names = (not name[:1].isupper(), not name.isupper(), True)
    return (9 if segment.startswith("{") else 2 + kinds_of_names.index(True)), plain

"""The header of a world, section by section."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from wasmtime_attestation_bindgen import kinds
from wasmtime_attestation_bindgen.cpp import functions
from wasmtime_attestation_bindgen.cpp.definitions import Definition, alias, define
from wasmtime_attestation_bindgen.cpp.functions import FunctionView, Names, Raw
from wasmtime_attestation_bindgen.cpp.lines import comment, constant
from wasmtime_attestation_bindgen.cpp.placement import Path, Placement, Side
from wasmtime_attestation_bindgen.cpp.spelling import Spelling, qualified
from wasmtime_attestation_bindgen.kinds import Type, TypeId
from wasmtime_attestation_bindgen.layout import Layout
from wasmtime_attestation_bindgen.legacy import legacy_functions
from wasmtime_attestation_bindgen.model import Function, Resolve, WorldId
from wasmtime_attestation_bindgen.surface import Instance, Surface


class ResourceView(NamedTuple):
    """A resource: the class of a handle, or the class that the guest implements.

    Attributes:
        docs: its comment.
        name: its class.
        qualified: its full name.
        functions: its methods, statics and constructor.
        drop: the core function that gives a handle up; `make` and `rep` are those that make
            one of an object, and the object of one: for the guest's own classes alone.
        destructor: the core function that the host calls with an object to destroy.
    """

    docs: str
    name: str
    qualified: str
    functions: Sequence[FunctionView]
    drop: Raw
    make: Raw | None = None
    rep: Raw | None = None
    destructor: Raw | None = None
    raw: str = ""
    intrinsics: Sequence[str] = ()


class NamespaceView(NamedTuple):
    """An instance's namespace.

    Attributes:
        path: its name, such as `wasmtime_attestation::types`.
        docs: its comment.
        forward: types that classes mention before they are defined.
        early: enums, flags and aliases, where there are classes; else empty.
        resources: classes.
        types: all other definitions.
        functions: free functions.
        raw: core functions, and `legacy` those of the legacy ABI.
        exports: the core functions that the guest's functions are exported as.
    """

    path: str
    docs: str
    forward: Sequence[Definition]
    early: Sequence[Definition]
    resources: Sequence[ResourceView]
    types: Sequence[Definition]
    functions: Sequence[FunctionView]
    raw: Sequence[Raw]
    legacy: Sequence[Raw]
    exports: Sequence[Raw]

    @property
    def has_flags(self) -> bool:
        """Whether operators on flags are needed."""
        return any(d.form == "flags" for d in (*self.early, *self.types))

    @property
    def is_described(self) -> bool:
        """Whether a type of it is described to the runtime."""
        return any(d.describe for d in (*self.early, *self.types))


class Header:
    """The views of a world.

    Args:
        resolve: the model.
        surface: the world's sides.
        world_id: the world.
        legacy: whether the legacy ABI is generated too.

    Raises:
        WitError: something has no form in C++, or none in the legacy ABI.
    """

    def __init__(
        self, resolve: Resolve, surface: Surface, world_id: WorldId, *, legacy: bool
    ) -> None:
        self._resolve = resolve
        self._layout = Layout(resolve)
        self.placement = Placement(resolve, surface)
        self.legacy = legacy_functions(resolve, world_id) if legacy else ()
        self._legacy = {(found.module, found.function.name): found for found in self.legacy}
        imports = sorted(surface.imports, key=lambda instance: instance.id is None)
        self.imports = [self._instance(instance, Side.IMPORT) for instance in imports]
        self.exports = [
            self._instance(instance, Side.EXPORT) for instance in self._sorted(surface.exports)
        ]

    def defined(self, type_: Type | None) -> str:
        """Returns the full name of the type that a name of it stands for."""
        while isinstance(type_, int):
            kind = self._resolve.types[type_].kind
            if not isinstance(kind, kinds.Alias):
                return qualified(*self.placement.type(type_, Side.IMPORT))
            type_ = kind.type
        return str(type_)

    def _sorted(self, exports: Sequence[Instance]) -> list[Instance]:
        """Returns instances so that each follows those whose types it mentions."""
        latest = {instance.module: max(instance.types.values(), default=-1) for instance in exports}
        return sorted(exports, key=lambda i: (i.id is None, latest[i.module]))

    def _instance(self, instance: Instance, side: Side) -> NamespaceView:
        here = self.placement.namespace(instance, side)
        type_names = [self.placement.type(id_, side)[1] for id_ in instance.types.values()]
        names = functions.name_functions(self._resolve, instance, type_names)
        own = frozenset({*type_names, *names.public.values()})
        spelling = Spelling(self._resolve, self.placement, here, side, own)
        return self._view(instance, side, here, spelling, names)

    def _view(
        self, instance: Instance, side: Side, here: Path, spelling: Spelling, names: Names
    ) -> NamespaceView:
        own = [id_ for id_ in sorted(instance.types.values()) if self._is_here(id_, side, here)]
        classes = [id_ for id_ in own if self._is_resource(id_)]
        plain = [define(id_, spelling) for id_ in own if not self._is_resource(id_)]
        others = [
            alias(self.placement.type(id_, side)[1], qualified(*self.placement.type(id_, side)))
            for id_ in instance.types.values()
            if not self._is_here(id_, side, here)
        ]
        early = [d for d in plain if d.form not in {"record", "variant"}] if classes else []
        views = [self._function(f, instance, side, spelling, names) for f in instance.functions]
        return NamespaceView(
            path="::".join(here),
            docs=comment(instance.docs),
            forward=[d for d in plain if d.form in {"record", "variant"}] if classes else [],
            early=[*others, *early],
            resources=[self._resource(id_, instance, side, names, views) for id_ in classes],
            types=[d for d in plain if d not in early],
            functions=[view for view in views if view.resource is None],
            raw=list(self._raw(instance, names)) if side is Side.IMPORT else [],
            legacy=list(self._raw_legacy(instance, names)) if side is Side.IMPORT else [],
            exports=list(self._raw_exports(instance, names, spelling))
            if side is Side.EXPORT
            else [],
        )

    def _function(
        self, function: Function, instance: Instance, side: Side, spelling: Spelling, names: Names
    ) -> FunctionView:
        name = function.name
        if function.kind.resource is not None:
            resource = function.kind.resource
            spelling = spelling.hiding(functions.hidden_by(instance.functions, names, resource))
        if side is Side.EXPORT:
            return functions.exported(function, names.public[name], spelling)
        return functions.imported(function, names.public[name], names.raw[name], spelling)

    def _resource(
        self,
        id_: TypeId,
        instance: Instance,
        side: Side,
        names: Names,
        views: Sequence[FunctionView],
    ) -> ResourceView:
        wit_name = self._resolve.types[id_].name or ""
        path, name = self.placement.type(id_, side)
        docs = comment(self._resolve.types[id_].docs)
        own = [view for view in views if view.resource == id_]
        drop_name = names.raw[f"[resource-drop]{wit_name}"]
        module = instance.module if side is Side.IMPORT else f"[export]{instance.module}"
        drop = Raw(module, f"[resource-drop]{wit_name}", f"void {drop_name}(std::int32_t);")
        full = qualified(path, name)
        if side is Side.IMPORT:
            return ResourceView(docs, name, full, own, drop, raw=f"raw::{drop_name}")
        make_name = names.raw[f"[resource-new]{wit_name}"]
        rep_name = names.raw[f"[resource-rep]{wit_name}"]
        destroy = names.core[f"[dtor]{wit_name}"]
        destructor = functions.export_name(instance, f"[dtor]{wit_name}")
        return ResourceView(
            docs,
            name,
            full,
            own,
            drop,
            Raw(module, f"[resource-new]{wit_name}", f"std::int32_t {make_name}({full}*);"),
            Raw(module, f"[resource-rep]{wit_name}", f"{full}* {rep_name}(std::int32_t);"),
            Raw("", destructor, f"inline void {destroy}({name}* object) {{ delete object; }}"),
            intrinsics=[
                constant(name_, qualified((*path, "raw"), raw_), 2)
                for name_, raw_ in (("make", make_name), ("object", rep_name), ("drop", drop_name))
            ],
        )

    def _raw(self, instance: Instance, names: Names) -> Iterator[Raw]:
        for function in instance.functions:
            yield functions.raw_import(function, names.raw[function.name], instance, self._layout)

    def _raw_legacy(self, instance: Instance, names: Names) -> Iterator[Raw]:
        for function in instance.functions:
            found = self._legacy.get((instance.module, function.name))
            if found is not None:
                raw = functions.raw_legacy(found, names.raw[function.name])
                yield Raw(raw.module, found.name, raw.text)

    def _raw_exports(self, instance: Instance, names: Names, spelling: Spelling) -> Iterator[Raw]:
        for function in instance.functions:
            yield from functions.raw_exports(function, names, instance, spelling)

    def _is_here(self, id_: TypeId, side: Side, here: Path) -> bool:
        return self.placement.type(id_, side)[0] == here

    def _is_resource(self, id_: TypeId) -> bool:
        return isinstance(self._resolve.types[id_].kind, kinds.Resource)

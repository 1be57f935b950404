"""Documentation and gates onto the items of a package."""

from __future__ import annotations

from typing import TypeAlias, TypeVar

from wasmtime_attestation_bindgen import syntax
from wasmtime_attestation_bindgen.binary.metadata import Metadata
from wasmtime_attestation_bindgen.model import Form
from wasmtime_attestation_bindgen.syntax import Direction, Docs

Gated = TypeVar("Gated", syntax.Interface, syntax.World, syntax.TypeDef, syntax.Extern)


def document(package: syntax.Package, metadata: Metadata) -> syntax.Package:
    """Returns a package with its documentation and gates; paths in it must be full.

    Raises:
        WitError: the metadata is malformed, or speaks of what is not there.
    """
    worlds, interfaces = metadata.take("worlds"), metadata.take("interfaces")
    items: list[syntax.PackageItem] = []
    for item in package.items:
        if isinstance(item, syntax.World):
            items.append(_world(item, worlds.take(item.name.text)))
        elif isinstance(item, syntax.Interface):
            items.append(_interface(item, interfaces.take(item.name.text)))
    docs = Docs(metadata.take_text("docs"))
    for part in (worlds, interfaces, metadata):
        part.finish()
    return package._replace(docs=docs, items=tuple(items))


def _gated(item: Gated, metadata: Metadata) -> Gated:
    """Returns an item with what is said of itself."""
    return item._replace(
        docs=Docs(metadata.take_text("docs")),
        attributes=item.attributes._replace(stability=metadata.take_stability()),
    )


def _interface(interface: syntax.Interface, metadata: Metadata) -> syntax.Interface:
    items = _interface_items(interface.items, metadata)
    documented = _gated(interface, metadata)._replace(items=items)
    metadata.finish()
    return documented


def _interface_items(
    items: tuple[syntax.InterfaceItem, ...], metadata: Metadata
) -> tuple[syntax.InterfaceItem, ...]:
    types, functions = metadata.take("types"), metadata.take("funcs")
    documented = tuple(
        _function(item, functions, None)
        if isinstance(item, syntax.Function)
        else _type(item, types, functions)
        for item in items
    )
    types.finish()
    functions.finish()
    return documented


def _type(
    item: syntax.TypeDef | syntax.Use, types: Metadata, functions: Metadata
) -> syntax.TypeDef | syntax.Use:
    if isinstance(item, syntax.Use):
        return _use(item, types)
    metadata = types.take(item.name.text)
    body = item.body
    if isinstance(body, syntax.Resource):
        resource = item.name.text
        body = syntax.Resource(tuple(_function(f, functions, resource) for f in body.functions))
    elif isinstance(body, syntax.Members):
        body = _members(body, metadata.take("items"))
    documented = _gated(item, metadata)._replace(body=body)
    metadata.finish()
    return documented


def _use(use: syntax.Use, types: Metadata) -> syntax.Use:
    metadata = types.take(use.names[0].new.text)
    stability = metadata.take_stability()
    metadata.finish()
    return use._replace(attributes=use.attributes._replace(stability=stability))


def _members(body: syntax.Members, metadata: Metadata) -> syntax.Members:
    members = tuple(
        member._replace(docs=Docs(metadata.take_text(member.name.text))) for member in body.members
    )
    metadata.finish()
    return body._replace(members=members)


def _function(
    function: syntax.Function, functions: Metadata, resource: str | None
) -> syntax.Function:
    name = function.name.text
    if resource is not None:
        own = "" if function.form is Form.CONSTRUCTOR else f".{name}"
        name = f"[{function.form.value}]{resource}{own}"
    metadata = functions.take_function(name)
    docs = Docs(metadata.take_text("docs"))
    attributes = function.attributes._replace(stability=metadata.take_stability())
    metadata.finish()
    return function._replace(docs=docs, attributes=attributes)


def _world(world: syntax.World, metadata: Metadata) -> syntax.World:
    parts = _WorldParts(metadata)
    # Imports first: what is said of an export may stand among the imports, unless one has its name.
    imports = [item if _is_export(item) else parts.item(item) for item in world.items]
    items = tuple(parts.item(item) if _is_export(item) else item for item in imports)
    parts.finish()
    documented = _gated(world, metadata)._replace(items=items)
    metadata.finish()
    return documented


def _is_export(item: syntax.WorldItem) -> bool:
    return isinstance(item, syntax.Extern) and item.direction is Direction.EXPORT


class _WorldParts:
    """What is said of a world's items: by kind, by direction, by name."""

    def __init__(self, metadata: Metadata) -> None:
        self._types = metadata.take("types")
        self._inline = _by_direction(metadata, "interfaces", "interface_exports")
        self._functions = _by_direction(metadata, "funcs", "func_exports")
        self._docs = _by_direction(metadata, "interface_import_docs", "interface_export_docs")
        self._stability = _by_direction(
            metadata, "interface_import_stability", "interface_export_stability"
        )

    def finish(self) -> None:
        self._types.finish()
        for part in (self._inline, self._functions, self._docs, self._stability):
            part[Direction.IMPORT].finish()
            part[Direction.EXPORT].finish()

    def item(self, item: syntax.WorldItem) -> syntax.WorldItem:
        if isinstance(item, syntax.TypeDef | syntax.Use):
            return _type(item, self._types, self._functions[Direction.IMPORT])
        if not isinstance(item, syntax.Extern):
            return item
        match item.what:
            case syntax.Inline() as inline:
                return self._interface(item, inline)
            case syntax.Named(label, path):
                name = _full(path) if label is None else label.text
                docs = Docs(self._docs[item.direction].take_text(name))
                stability = self._stability[item.direction].take_stability(name)
                attributes = item.attributes._replace(stability=stability)
                return item._replace(docs=docs, attributes=attributes)
            case syntax.Function() as function:
                functions = _home(self._functions, item.direction, function.name)
                return item._replace(what=_function(function, functions, None))

    def _interface(self, item: syntax.Extern, inline: syntax.Inline) -> syntax.Extern:
        metadata = _home(self._inline, item.direction, inline.name).take(inline.name.text)
        items = _interface_items(inline.items, metadata)
        documented = _gated(item, metadata)._replace(what=inline._replace(items=items))
        metadata.finish()
        return documented


_Directed: TypeAlias = dict[Direction, Metadata]


def _by_direction(metadata: Metadata, imports: str, exports: str) -> _Directed:
    return {Direction.IMPORT: metadata.take(imports), Direction.EXPORT: metadata.take(exports)}


def _home(parts: _Directed, direction: Direction, name: syntax.Name) -> Metadata:
    """Returns the part that speaks of an item: that of its direction, else that of imports."""
    there = parts[direction]
    return there if name.text in there else parts[Direction.IMPORT]


def _full(path: syntax.Path) -> str:
    """Returns `namespace:package/name@version`."""
    if path.package is None:
        return path.name.text
    package = path.package.name
    version = "" if package.version is None else f"@{package.version}"
    return f"{package.namespace}:{package.name}/{path.name.text}{version}"

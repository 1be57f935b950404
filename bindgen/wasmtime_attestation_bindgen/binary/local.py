"""Full paths of a package's own interfaces to their names, as WIT text writes them."""

from __future__ import annotations

from dataclasses import replace

from wasmtime_attestation_bindgen import syntax
from wasmtime_attestation_bindgen.model import PackageName


def localize(
    definition: syntax.Interface | syntax.World, package: PackageName
) -> syntax.Interface | syntax.World:
    """Returns an interface or a world in which paths into `package` are names."""
    if isinstance(definition, syntax.Interface):
        items = tuple(_interface_item(item, package) for item in definition.items)
        return replace(definition, items=items)
    return replace(definition, items=tuple(_world_item(i, package) for i in definition.items))


def _interface_item(item: syntax.InterfaceItem, package: PackageName) -> syntax.InterfaceItem:
    return replace(item, path=_path(item.path, package)) if isinstance(item, syntax.Use) else item


def _world_item(item: syntax.WorldItem, package: PackageName) -> syntax.WorldItem:
    if isinstance(item, syntax.Use):
        return replace(item, path=_path(item.path, package))
    if not isinstance(item, syntax.Extern):
        return item
    if isinstance(item.what, syntax.Named):
        named = replace(item.what, path=_path(item.what.path, package))
        return replace(item, what=named)
    if isinstance(item.what, syntax.Inline):
        items = tuple(_interface_item(inner, package) for inner in item.what.items)
        return replace(item, what=replace(item.what, items=items))
    return item


def _path(path: syntax.Path, package: PackageName) -> syntax.Path:
    own = path.package is not None and path.package.name == package
    return replace(path, package=None) if own else path

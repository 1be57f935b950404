"""Full paths of a package's own interfaces to their names, as WIT text writes them."""

from __future__ import annotations

from wasmtime_attestation_bindgen import syntax
from wasmtime_attestation_bindgen.model import PackageName


def localize(package: syntax.Package, name: PackageName) -> syntax.Package:
    """Returns a package of the given name in which paths into itself are names."""
    return package._replace(items=tuple(_item(item, name) for item in package.items))


def _item(item: syntax.PackageItem, package: PackageName) -> syntax.PackageItem:
    if isinstance(item, syntax.Interface):
        return item._replace(items=tuple(_interface_item(i, package) for i in item.items))
    if isinstance(item, syntax.World):
        return item._replace(items=tuple(_world_item(i, package) for i in item.items))
    return item


def _interface_item(item: syntax.InterfaceItem, package: PackageName) -> syntax.InterfaceItem:
    return item._replace(path=_path(item.path, package)) if isinstance(item, syntax.Use) else item


def _world_item(item: syntax.WorldItem, package: PackageName) -> syntax.WorldItem:
    if isinstance(item, syntax.Use):
        return item._replace(path=_path(item.path, package))
    if not isinstance(item, syntax.Extern):
        return item
    if isinstance(item.what, syntax.Named):
        named = item.what._replace(path=_path(item.what.path, package))
        return item._replace(what=named)
    if isinstance(item.what, syntax.Inline):
        items = tuple(_interface_item(inner, package) for inner in item.what.items)
        return item._replace(what=item.what._replace(items=items))
    return item


def _path(path: syntax.Path, package: PackageName) -> syntax.Path:
    own = path.package is not None and path.package.name == package
    return path._replace(package=None) if own else path

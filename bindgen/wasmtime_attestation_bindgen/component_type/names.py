"""Names of imports and exports (component-model, Binary.md, "Import and Export Definitions")."""

from __future__ import annotations

from wasmtime_attestation_bindgen.component_type.values import string, vector
from wasmtime_attestation_bindgen.model import (
    FunctionItem,
    InterfaceItem,
    PackageId,
    Resolve,
    WorldKey,
)

_PLAIN, _WITH_OPTIONS = b"\0", b"\2"
_IMPLEMENTS, _EXTERNAL_ID = b"\0", b"\2"


def extern_name(
    text: str, *, implements: str | None = None, external_id: str | None = None
) -> bytes:
    """Returns a name, with the interface that it implements and its external id, if any."""
    options = [
        code + string(value)
        for code, value in ((_IMPLEMENTS, implements), (_EXTERNAL_ID, external_id))
        if value is not None
    ]
    if not options:
        return _PLAIN + string(text)
    return _WITH_OPTIONS + string(text) + vector(options)


def item_name(resolve: Resolve, key: WorldKey, item: FunctionItem | InterfaceItem) -> bytes:
    """Returns the name of an item that a world imports or exports."""
    if isinstance(item, FunctionItem):
        return extern_name(item.function.name, external_id=item.function.external_id)
    interface = resolve.interfaces[item.id]
    if interface.name is None:
        return extern_name(str(key), external_id=item.external_id)
    path = qualified(resolve, interface.package, interface.name)
    if isinstance(key, str):
        return extern_name(key, implements=path, external_id=item.external_id)
    return extern_name(path, external_id=item.external_id)


def qualified(resolve: Resolve, package: PackageId, name: str) -> str:
    """Returns `namespace:package/name@version`."""
    full = resolve.packages[package].name
    version = "" if full.version is None else f"@{full.version}"
    return f"{full.namespace}:{full.name}/{name}{version}"

"""A package's component (wit-component, encoding/wit.rs)."""

from __future__ import annotations

from wasmtime_attestation_bindgen.component_type.names import extern_name
from wasmtime_attestation_bindgen.component_type.payload import producers, world_type
from wasmtime_attestation_bindgen.component_type.scope import Declaration, Scope, ScopeForm
from wasmtime_attestation_bindgen.component_type.values import (
    custom_section,
    section,
    u32,
    vector,
)
from wasmtime_attestation_bindgen.component_type.world import WorldEncoder
from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.kinds import Alias, Primitive, TypeId
from wasmtime_attestation_bindgen.link.elaborate import LONGEST_USE_CHAIN
from wasmtime_attestation_bindgen.model import InterfaceId, InterfaceItem, InterfaceRef, Resolve
from wasmtime_attestation_bindgen.package_binary.metadata import SECTION, package_metadata

_COMPONENT = b"\0asm\x0d\0\1\0"
_TYPES, _EXPORTS = 7, 11
_TYPE_SORT, _NOT_ASCRIBED = b"\3", b"\0"


def wit_package(resolve: Resolve) -> bytes:
    """Returns the main package in its binary form, byte for byte as wit-component writes it.

    Args:
        resolve: the model; what the main package uses of other packages is
            shown in the bytes, not defined by them.

    Raises:
        WitError: the package is empty, so that its binary form could not say its name,
            or its interfaces use each other's types in too long a chain.
    """
    package = resolve.packages[resolve.main]
    interfaces = {name: _interface(resolve, id_) for name, id_ in package.interfaces.items()}
    worlds = {
        name: world_type(resolve, resolve.worlds[id_]) for name, id_ in package.worlds.items()
    }
    exports = [*interfaces.items(), *worlds.items()]
    if not exports:
        raise WitError(
            f"package `{package.name}` has no interface and no world",
            help="the binary form of a package is made of them; add one",
        )
    return (
        _COMPONENT
        + b"".join(_export(index, name, type_) for index, (name, type_) in enumerate(exports))
        + custom_section(SECTION, package_metadata(resolve))
        + custom_section("producers", producers())
    )


def _export(place: int, name: str, type_: bytes) -> bytes:
    # Each type takes two indices: one where it is defined, one where it is exported.
    export = extern_name(name) + _TYPE_SORT + u32(2 * place) + _NOT_ASCRIBED
    return section(_TYPES, vector([type_])) + section(_EXPORTS, vector([export]))


def _interface(resolve: Resolve, id_: InterfaceId) -> bytes:
    """Returns the type of a component whose one export is an interface."""
    scope = Scope(ScopeForm.COMPONENT)
    encoder = WorldEncoder(resolve, scope)
    for used in _used(resolve, id_):
        encoder.import_types(used)
    encoder.add(Declaration.EXPORT, {id_: InterfaceItem(id_)})
    return scope.encode()


def _used(resolve: Resolve, id_: InterfaceId) -> list[InterfaceId]:
    """Returns the interfaces whose types an interface sees, each after those that it uses."""
    found: dict[InterfaceId, None] = {}

    def visit(interface: InterfaceId, depth: int) -> None:
        if depth > LONGEST_USE_CHAIN:
            raise WitError(
                f"a chain of more than {LONGEST_USE_CHAIN} interfaces use each other's types",
                resolve.interfaces[id_].span,
            )
        for type_ in resolve.interfaces[interface].types.values():
            owner = _used_from(resolve, type_)
            if owner is not None and owner not in found:
                visit(owner, depth + 1)
                found[owner] = None

    visit(id_, 0)
    return list(found)


def _used_from(resolve: Resolve, id_: TypeId) -> InterfaceId | None:
    """Returns the interface that a type is used from, if it is used from another one."""
    definition = resolve.types[id_]
    if not isinstance(definition.kind, Alias) or isinstance(definition.kind.type, Primitive):
        return None
    owner = resolve.types[definition.kind.type].owner
    if owner == definition.owner or not isinstance(owner, InterfaceRef):
        return None
    return owner.id

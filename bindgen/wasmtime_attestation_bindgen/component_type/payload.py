"""The payload of a `component-type` section (wit-component, metadata.rs, version 4)."""

from __future__ import annotations

from wasmtime_attestation_bindgen.component_type.names import extern_name, qualified
from wasmtime_attestation_bindgen.component_type.scope import Declaration, Scope, ScopeForm, Sort
from wasmtime_attestation_bindgen.component_type.values import (
    custom_section,
    section,
    string,
    u32,
    vector,
)
from wasmtime_attestation_bindgen.component_type.world import encode_world
from wasmtime_attestation_bindgen.model import Resolve, World, WorldId

WIT_COMPONENT_VERSION = "0.259.0"
"""The release of wit-component whose encoding this is, byte for byte."""

_COMPONENT = b"\0asm\x0d\0\1\0"
_ENCODING_VERSION, _UTF_8 = 4, 0
_TYPES, _EXPORTS = 7, 11
_TYPE_SORT, _NOT_ASCRIBED = b"\3", b"\0"


def component_type(resolve: Resolve, id_: WorldId) -> bytes:
    """Returns the payload of the `component-type` section for modules that target a world.

    Args:
        resolve: the model.
        id_: the world. Strings are UTF-8.
    """
    world = resolve.worlds[id_]
    export = extern_name(world.name) + _TYPE_SORT + u32(0) + _NOT_ASCRIBED
    return (
        _COMPONENT
        + custom_section("wit-component-encoding", bytes([_ENCODING_VERSION, _UTF_8]))
        + section(_TYPES, vector([world_type(resolve, world)]))
        + section(_EXPORTS, vector([export]))
        + custom_section("producers", producers())
    )


def world_type(resolve: Resolve, world: World) -> bytes:
    """Returns the type of a component whose one export says which world it is."""
    scope = Scope(ScopeForm.COMPONENT)
    index = scope.define(encode_world(resolve, world))
    name = extern_name(qualified(resolve, world.package, world.name))
    scope.name(Declaration.EXPORT, name, Sort.COMPONENT, index)
    return scope.encode()


def producers() -> bytes:
    """Returns what wit-component writes (tool-conventions, ProducersSection.md)."""
    tool = string("wit-component") + string(WIT_COMPONENT_VERSION)
    return vector([string("processed-by") + vector([tool])])

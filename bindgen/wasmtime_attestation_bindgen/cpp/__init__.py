"""C++ bindings of a world: one header, without dependencies."""

from __future__ import annotations

from collections.abc import Iterator

from wasmtime_attestation_bindgen.component_type import component_type
from wasmtime_attestation_bindgen.cpp import header_text, preamble
from wasmtime_attestation_bindgen.cpp.header import Header
from wasmtime_attestation_bindgen.cpp.lines import comment
from wasmtime_attestation_bindgen.cpp.placement import WORLD_OF_A_PACKAGE
from wasmtime_attestation_bindgen.kinds import Result
from wasmtime_attestation_bindgen.layout import Layout
from wasmtime_attestation_bindgen.legacy import ResultForm
from wasmtime_attestation_bindgen.model import PackageName, Resolve, World, WorldId
from wasmtime_attestation_bindgen.options import Options
from wasmtime_attestation_bindgen.surface import surface

__all__ = ["generate"]


def generate(resolve: Resolve, world_id: WorldId, options: Options) -> dict[str, str]:
    """Returns the C++ header of a world: its text by its path.

    Args:
        resolve: the model.
        world_id: the world.
        options: whether the legacy ABI is generated too.

    Raises:
        WitError: something in the world has no form in C++, or none in the legacy ABI.
    """
    world = resolve.worlds[world_id]
    sides = surface(resolve, world_id)
    header = Header(resolve, sides, world_id, legacy=options.legacy)
    text = "\n".join(_lines(resolve, world_id, header, legacy=options.legacy))
    return {_path(resolve, world): text.rstrip() + "\n"}


def _lines(resolve: Resolve, world_id: WorldId, header: Header, *, legacy: bool) -> Iterator[str]:
    world = resolve.worlds[world_id]
    package = resolve.packages[world.package].name
    root = header.placement.root
    name = f"component-type:{package}:{world.name}"
    payload = component_type(resolve, world_id)
    yield from preamble.head(world.name, str(package), legacy=legacy)
    yield preamble.static("runtime.hpp")
    if legacy:
        yield preamble.static("legacy.hpp")
    yield from preamble.section("_".join((*root, "component_type")), name, payload, legacy=legacy)
    yield from preamble.wire(comment(world.docs), "::".join(root), legacy=legacy)
    yield from header_text.imports(header, _answers(resolve, header), legacy=legacy)
    yield from header_text.exports(header)
    if _is_ours(package, world):
        yield preamble.static("attestation.hpp")


def _is_ours(package: PackageName, world: World) -> bool:
    ours = ("wasmtime", "attestation", WORLD_OF_A_PACKAGE)
    return (package.namespace, package.name, world.name) == ours


def _answers(resolve: Resolve, header: Header) -> list[header_text.Answer]:
    """Returns the types whose answers the legacy ABI overrides: result and error."""
    found: dict[header_text.Answer, None] = {}
    for function in header.legacy:
        type_ = function.function.result
        kind = None if type_ is None else Layout(resolve).kind(type_)
        if function.result is ResultForm.ENVELOPE and isinstance(kind, Result):
            found[header.defined(kind.ok), header.defined(kind.error)] = None
    return list(found)


def _path(resolve: Resolve, world: World) -> str:
    package = resolve.packages[world.package].name
    folder = f"{package.namespace}/{package.name}"
    return f"{folder}.hpp" if world.name == WORLD_OF_A_PACKAGE else f"{folder}/{world.name}.hpp"

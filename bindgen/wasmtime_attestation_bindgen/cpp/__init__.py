"""C++ bindings of a world: one header, without dependencies."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import TypeAlias

from jinja2 import Environment, PackageLoader, StrictUndefined

from wasmtime_attestation_bindgen.component_type import component_type
from wasmtime_attestation_bindgen.cpp.header import Header
from wasmtime_attestation_bindgen.cpp.lines import comment
from wasmtime_attestation_bindgen.cpp.placement import WORLD_OF_A_PACKAGE
from wasmtime_attestation_bindgen.cpp.section import ascii_lines
from wasmtime_attestation_bindgen.kinds import Result
from wasmtime_attestation_bindgen.layout import Layout
from wasmtime_attestation_bindgen.legacy import LegacyFunction, ResultForm
from wasmtime_attestation_bindgen.model import Resolve, World, WorldId
from wasmtime_attestation_bindgen.options import Options
from wasmtime_attestation_bindgen.surface import surface

__all__ = ["generate"]

Answer: TypeAlias = tuple[str, str]


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
    package = resolve.packages[world.package].name
    template = _environment().get_template("header.hpp.jinja")
    text = template.render(
        header=header,
        static=_static,
        docs=comment(world.docs),
        package=package,
        world=world.name,
        legacy=options.legacy,
        root="::".join(header.placement.root),
        symbol="_".join(header.placement.root) + "_component_type",
        section=ascii_lines(component_type(resolve, world_id)),
        ours=(package.namespace, package.name, world.name)
        == ("wasmtime", "attestation", WORLD_OF_A_PACKAGE),
        answers=_answers(resolve, header.legacy, header),
    )
    return {_path(resolve, world): text.rstrip() + "\n"}


def _answers(resolve: Resolve, functions: Sequence[LegacyFunction], header: Header) -> list[Answer]:
    """Returns the types whose answers the legacy ABI overrides: result and error."""
    found: dict[Answer, None] = {}
    for function in functions:
        type_ = function.function.result
        kind = None if type_ is None else Layout(resolve).kind(type_)
        if function.result is ResultForm.ENVELOPE and isinstance(kind, Result):
            found[header.defined(kind.ok), header.defined(kind.error)] = None
    return list(found)


def _static(name: str) -> str:
    """Returns a part of the header that is the same in each."""
    folder = files("wasmtime_attestation_bindgen") / "templates" / "cpp"
    return (folder / name).read_text(encoding="utf-8").strip()


def _path(resolve: Resolve, world: World) -> str:
    package = resolve.packages[world.package].name
    folder = f"{package.namespace}/{package.name}"
    return f"{folder}.hpp" if world.name == WORLD_OF_A_PACKAGE else f"{folder}/{world.name}.hpp"


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("wasmtime_attestation_bindgen", "templates/cpp"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - the text is C++, not HTML
    )

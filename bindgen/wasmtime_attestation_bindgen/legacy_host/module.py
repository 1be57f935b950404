"""The module that adapts a world's implementation to the legacy ABI."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

import jinja2

from wasmtime_attestation_bindgen.host import Placement
from wasmtime_attestation_bindgen.host.naming import Naming
from wasmtime_attestation_bindgen.host.text import call
from wasmtime_attestation_bindgen.legacy import legacy_functions
from wasmtime_attestation_bindgen.legacy_host.functions import Functions
from wasmtime_attestation_bindgen.legacy_host.lines import reader, writer
from wasmtime_attestation_bindgen.model import Resolve, WorldId
from wasmtime_attestation_bindgen.options import Options
from wasmtime_attestation_bindgen.surface import surface

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("wasmtime_attestation_bindgen", "templates/legacy_host"),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701 - it is Python, not HTML
)
_WORLD = "wasmtime_attestation.world"
_IMPORTS = {
    "core": f"from {_WORLD} import legacy_core as core",
    "write": f"from {_WORLD} import legacy_json as write",
    "read": f"from {_WORLD} import legacy_parameters as read",
    "Failure": f"from {_WORLD}.binding.failure import Failure",
    "LegacyFunction": f"from {_WORLD}.legacy_functions import LegacyFunction",
    "GuestMemory": f"from {_WORLD}.memory import GuestMemory",
}
"""What the module may import, in the order of imports."""


def generate(resolve: Resolve, world_id: WorldId, options: Options) -> dict[str, str]:
    """Returns the legacy side of a host: a module beside the one that links components.

    Args:
        resolve: the model.
        world_id: the world.
        options: without `legacy` there is nothing to generate.

    Raises:
        WitError: the world has something without a legacy form.
    """
    if not options.legacy:
        return {}
    placement = Placement.of(resolve, world_id)
    naming = Naming(resolve, surface(resolve, world_id))
    functions = Functions(resolve, naming, placement.module)
    entries = list(functions.entries(legacy_functions(resolve, world_id)))
    body = _ENVIRONMENT.get_template("body.py.jinja").render(
        head=_head(naming, placement),
        entries=entries,
        definitions=list(_definitions(functions)),
    )
    text = _ENVIRONMENT.get_template("module.py.jinja").render(
        world=naming.surface.world.name, imports=_imports(body, placement), body=body
    )
    return {_path(placement): text}


def _definitions(functions: Functions) -> Iterator[str]:
    """Yields the conversions, each after the blank lines that belong before it."""
    writers = map(writer, functions.writers.definitions)
    readers = map(reader, functions.readers.definitions)
    was_assignment = True
    for lines in chain(writers, readers):
        is_assignment = not lines[0].startswith("def ")
        yield "\n" * (0 if is_assignment and was_assignment else 2) + "\n".join(lines)
        was_assignment = is_assignment


def _path(placement: Placement) -> str:
    """Returns where the module goes: beside the one that links components."""
    stem = placement.linking.removesuffix(".py")
    return f"{stem.removesuffix('_host')}_legacy.py"


def _imports(body: str, placement: Placement) -> list[str]:
    types = f"from {placement.package} import {placement.module}"
    used = [line for name, line in _IMPORTS.items() if re.search(rf"[ (=]{name}\b[^`]", body)]
    needs_types = re.search(rf"\b{placement.module}\.", body)
    if not needs_types:
        return used
    return [*used, "", types] if placement.package == "." else [types, *used]


def _head(naming: Naming, placement: Placement) -> str:
    parameters = [
        f"{naming.parameters[instance.module]}: "
        f"{placement.module}.{naming.interfaces[instance.module]}"
        for instance in naming.surface.imports
        if instance.functions
    ]
    return call(0, "def functions(", parameters, ") -> tuple[LegacyFunction, ...]:")

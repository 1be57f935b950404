"""The module that adapts a world's implementation to the legacy ABI."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain

from wasmtime_attestation_bindgen.host import Placement
from wasmtime_attestation_bindgen.host.naming import Naming
from wasmtime_attestation_bindgen.host.text import call
from wasmtime_attestation_bindgen.legacy import legacy_functions
from wasmtime_attestation_bindgen.legacy_host.functions import Entry, Functions
from wasmtime_attestation_bindgen.legacy_host.lines import reader, writer
from wasmtime_attestation_bindgen.model import Resolve, WorldId
from wasmtime_attestation_bindgen.options import Options
from wasmtime_attestation_bindgen.surface import surface

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
_FUNCTIONS_DOCS = '''\
    """Returns the functions of the legacy ABI, in the order of the WIT.

    The parameters implement the interfaces. A function whose result is a
    `result` returns what is in its `ok`, and raises `Failure` or an
    `AttestationError` for its `err`.
    """'''


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
    body = "\n".join(
        [*_definitions(functions), f"\n\n{_head(naming, placement)}", *_functions(entries)]
    )
    imports = "".join(f"{line}\n" for line in _imports(body, placement))
    return {_path(placement): f"{_module_docs(naming.surface.world.name)}{imports}\n{body}\n"}


def _module_docs(world: str) -> str:
    return f'''\
# Generated from the WIT world `{world}` by wasmtime-attestation-bindgen; do not edit.
# Regenerate: wasmtime-attestation-bindgen host --legacy --wit WIT -o DIR
"""The world `{world}` for core modules: the legacy ABI, one function after the other.

`legacy_functions.link` defines what `functions` returns. Values become JSON,
and JSON becomes values, by one callable for each type.
"""

from __future__ import annotations

'''


def _functions(entries: Sequence[Entry]) -> Iterator[str]:
    """Yields the body of the function that returns the functions."""
    yield _FUNCTIONS_DOCS
    for entry in entries:
        if entry.adapter is not None:
            yield f"\n    {entry.adapter.head}"
            yield from (f"        {line}" for line in entry.adapter.reads)
            yield f"        {entry.adapter.body}"
    yield "\n    return ("
    yield from (f"        {entry.description}" for entry in entries)
    yield "    )"


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

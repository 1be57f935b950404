"""A component around a core module, without other tools.

The module says in its `component-type` sections which world it targets; the
component imports what the module calls of that world, and exports what the
world exports. It carries no WASI of preview 1: a module that needs it needs
an adapter, which other tools have.
"""

from __future__ import annotations

from wasmtime_attestation_bindgen.component_new.component import wrap
from wasmtime_attestation_bindgen.component_new.embedded import read_target
from wasmtime_attestation_bindgen.component_new.matching import match
from wasmtime_attestation_bindgen.component_new.module import read_module
from wasmtime_attestation_bindgen.component_new.validation import validate
from wasmtime_attestation_bindgen.errors import ModuleError, WitError

__all__ = ["component_new"]


def component_new(core: bytes) -> bytes:
    """Returns the component around a core module.

    Args:
        core: the module, as a compiler and linker leave it; at most 64 MiB.

    Raises:
        ModuleError: it is no module, invalid, or does not go with its world.
    """
    try:
        module = read_module(core)
    except WitError as error:
        raise ModuleError(f"the module is malformed: {error.message}") from error
    validate(core)
    target = read_target(module.payloads)
    return wrap(module, match(module, target))

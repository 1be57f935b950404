"""Whether a component imports the world with the world's own types."""

from __future__ import annotations

from wasmtime import Engine
from wasmtime.component import Component

from wasmtime_attestation.world._generated import IMPORTS
from wasmtime_attestation.world.binding import imports
from wasmtime_attestation.world.binding.imports import Item, SignatureError, functions
from wasmtime_attestation.world.binding.signature import fits

__all__ = ["Item", "SignatureError", "check_imports", "fits", "functions"]


def check_imports(engine: Engine, component: Component) -> None:
    """Checks what a component imports of `wasmtime:attestation`.

    Args:
        engine: the component's engine.
        component: what to look at.

    Raises:
        SignatureError: an interface, a version, a function or a function's
            type is none of this host's; the message names it.
    """
    imports.check_imports(engine, component, IMPORTS)

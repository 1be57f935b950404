"""Links a world into linkers that an embedder owns."""

from __future__ import annotations

import wasmtime
from wasmtime.component import Component, Linker

from wasmtime_attestation import wit
from wasmtime_attestation.world import component as components
from wasmtime_attestation.world.failures import StartError, printable
from wasmtime_attestation.world.legacy import link_legacy
from wasmtime_attestation.world.signatures import SignatureError, check_imports


def link_component(linker: Linker, world: wit.World, component: Component | None) -> None:
    """Defines a world for components; see `AttestationHost.link_component`.

    Raises:
        StartError: the component imports what this host does not have.
        WasmtimeError: the linker has some of it already.
    """
    if component is not None:
        try:
            check_imports(linker.engine, component)
        except SignatureError as error:
            raise StartError(
                f"the component was built for another host: {printable(str(error))}; build it "
                "again with this version's bindings, or use a newer host"
            ) from error
    components.link_component(linker, world)


def link_core(linker: wasmtime.Linker, world: wit.World) -> None:
    """Defines a world for core modules; see `AttestationHost.link_core`.

    Raises:
        WasmtimeError: the linker has some of it already.
    """
    link_legacy(linker, world)

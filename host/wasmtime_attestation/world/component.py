"""The world for components: the interfaces of `wasmtime:attestation` in a component linker."""

from __future__ import annotations

from wasmtime.component import Linker

from wasmtime_attestation import wit
from wasmtime_attestation.world._generated import link_imports
from wasmtime_attestation.world.wit_errors import instead


def link_component(linker: Linker, world: wit.World, *, fast: bool | None = None) -> None:
    """Defines the interfaces of the world for components.

    They serve components that import them at any version that is semver
    compatible. wasmtime does not compare the types of host functions with
    those that a component imports: `signatures.check_imports` does, and a
    component that was not checked traps where it has others, or has fields
    taken for others of the same type. Enter the guest through
    `host_calls.call_guest`.

    Args:
        linker: where to define them.
        world: what they call.
        fast: which path values take; see `binding.linking.link`.

    Raises:
        WasmtimeError: the linker has one of them already.
    """
    link_imports(
        linker,
        attestation=world,
        attester=world,
        verifier=world,
        otherwise=instead,
        fast=fast,
    )

"""Payloads of `component-type` sections: the one under test, and what it must be."""

from __future__ import annotations

import wasmtime
from wasmtime_attestation_bindgen.component_type import component_type
from wasmtime_attestation_bindgen.model import Resolve
from wasmtime_attestation_bindgen.selection import select_world

ENCODING = b"\x00\x19\x16wit-component-encoding\x04\x00"
PRODUCERS = b"\x00\x2f\x09producers\x01\x0cprocessed-by\x01\x0dwit-component\x070.259.0"


def payload(model: Resolve, world: str | None = None) -> bytes:
    return component_type(model, select_world(model, world))


def by_hand(world: str) -> bytes:
    """Returns the payload of `a:b/w@1.2.3`, whose type is given as component text."""
    component = wasmtime.wat2wasm(
        f"""(component
          (type (component
            (type (component {world}))
            (export "a:b/w@1.2.3" (component (type 0)))))
          (export "w" (type 0)))"""
    )
    return bytes(component[:8]) + ENCODING + bytes(component[8:]) + PRODUCERS

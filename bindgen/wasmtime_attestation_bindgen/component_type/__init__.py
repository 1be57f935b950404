"""A world as bytes: the `component-type` section of a core module.

Tools that make a component of a core module read from this section what the
module imports and exports. There is no specification but wit-component's
source (crates/wit-component/src/metadata.rs and encoding/wit.rs); the parts
follow the component model's Binary.md.
"""

from wasmtime_attestation_bindgen.component_type.payload import component_type

__all__ = ["component_type"]

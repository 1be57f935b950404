"""WIT packages in their binary form, as registries hold them, to syntax trees.

The binary form is a component that exports one type for each interface and
world (component-model, WIT.md, "Package Format"; Binary.md); documentation
and feature gates stand in a custom section.
"""

from wasmtime_attestation_bindgen.binary.package import decode_package, viewed_packages

__all__ = ["decode_package", "viewed_packages"]

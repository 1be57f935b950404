"""A package as bytes: WIT in its binary form, as registries hold it.

The binary form is a component that exports one type for each interface and
world (component-model, WIT.md, "Package Format"). How the types are spelled,
and the section with documentation and gates, have no specification but
wit-component's source (crates/wit-component/src/encoding/wit.rs) and
wit-parser's (crates/wit-parser/src/metadata.rs).
"""

from wasmtime_attestation_bindgen.package_binary.package import wit_package

__all__ = ["wit_package"]

"""Rust bindings of a world: a module for each interface, over one or both ABIs."""

from wasmtime_attestation_bindgen.rust.generator import generate

__all__ = ["generate"]

"""Tokens to syntax tree, by recursive descent (component-model, WIT.md)."""

from wasmtime_attestation_bindgen.parser.files import parse

__all__ = ["parse"]

"""The host's side of the legacy ABI in Python, generated from a world."""

from __future__ import annotations

from wasmtime_attestation_bindgen.legacy_host.module import generate

__all__ = ["generate"]

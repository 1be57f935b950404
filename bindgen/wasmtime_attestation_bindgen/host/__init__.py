"""Generates the host's side of a world: plain Python types, and what links them to guests."""

from __future__ import annotations

from wasmtime_attestation_bindgen.host.generate import Placement, generate

__all__ = ["Placement", "generate"]

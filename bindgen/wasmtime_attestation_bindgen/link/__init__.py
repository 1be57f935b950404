"""Drafts of packages to one model, in which everything is resolved."""

from wasmtime_attestation_bindgen.link.features import Features
from wasmtime_attestation_bindgen.link.packages import link

__all__ = ["Features", "link"]

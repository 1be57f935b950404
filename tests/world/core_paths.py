"""The two ways to define host functions of core modules, which the same tests must pass."""

from __future__ import annotations

from wasmtime_attestation.world import core_direct, core_stock

PATHS = {"direct": core_direct.define, "stock": core_stock.define}

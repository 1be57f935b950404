"""How host functions of core modules are defined: the fast way where it works."""

from __future__ import annotations

import logging

from wasmtime_attestation.world import core_direct, core_stock
from wasmtime_attestation.world.core_calls import Define

log = logging.getLogger(__name__)


def _chosen(obstacle: str | None) -> Define:
    if obstacle is None:
        return core_direct.define
    log.warning(
        "core modules call this host about twenty times slower than they could, since %s; install "
        "the wasmtime that this package names",
        obstacle,
    )
    return core_stock.define


define = _chosen(core_direct.obstacle())
"""Defines a host function; see `core_calls.Define`."""

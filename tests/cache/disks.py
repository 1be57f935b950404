"""A cache on disk as tests make it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from wasmtime_attestation.cache.disk import DiskTokens

from tests.cache.keys import BOOT, OTHER_GUEST, SERVED

FIRST = replace(SERVED, target="GPU-1")
SECOND = replace(SERVED, guest_digest=OTHER_GUEST)


def disk(folder: Path, boot: bytes = BOOT, entries: int = 100, size: int = 1 << 20) -> DiskTokens:
    """Returns the tokens in a folder."""
    return DiskTokens(folder, boot, entries, size)

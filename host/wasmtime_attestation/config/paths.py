"""Paths in a configuration are relative to the file that they stand in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from wasmtime_attestation.config.host_settings import REPLAY
from wasmtime_attestation.nonces import place
from wasmtime_attestation.policy.table import Json, Key

ANY = "*"
# Without these, a path would mean another file wherever the host is started.
_PATHS: tuple[Key, ...] = (
    ("host", "endorsements", ANY),
    ("host", "issuers", ANY),
    ("host", "ear-key"),
    ("policies", ANY),
    ("services", ANY, "api-key-file"),
    ("services", "trustee", "jwks"),
    ("journal", "directory"),
    ("cache", "directory"),
    ("cache", "code", "directory"),
)
_TEE, _POLICY = ("host", "tee"), ("host", "policy")
_NONCE_RECORD = ("cache", "nonce-record")


def absolute(values: Mapping[str, Json], folder: Path) -> dict[str, Json]:
    """Returns the values with paths that hold wherever one is.

    Args:
        values: of a file.
        folder: that the file is in.
    """
    return {name: _resolved(value, (name,), folder) for name, value in values.items()}


def _resolved(value: Json, key: Key, folder: Path) -> Json:
    if isinstance(value, dict):
        return {name: _resolved(inner, (*key, name), folder) for name, inner in value.items()}
    if isinstance(value, list):
        return [_resolved(inner, (*key, n), folder) for n, inner in enumerate(value)]
    if not isinstance(value, str) or not value:
        return value
    if key == _TEE and value.startswith(REPLAY):
        return REPLAY + _joined(folder, value.removeprefix(REPLAY))
    if key == _NONCE_RECORD:
        return place.absolute(value, folder)
    # A policy is a name, unless it looks like a file.
    is_file = key == _POLICY and (os.sep in value or value.endswith(".toml"))
    return _joined(folder, value) if is_file or any(_fits(key, p) for p in _PATHS) else value


def _fits(key: Key, pattern: Key) -> bool:
    pairs = zip(key, pattern, strict=False)
    return len(key) == len(pattern) and all(b in (a, ANY) for a, b in pairs)


def _joined(folder: Path, name: str) -> str:
    return str(folder / name)

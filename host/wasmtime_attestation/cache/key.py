"""What a token was issued for: two requests get the same token only if all of this is the same."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from functools import lru_cache

from wasmtime_attestation.claims.verdict import TokenKind

VM, ALL = "vm", "all"
"""Targets that are no single GPU."""


@dataclass(frozen=True, slots=True)
class ServiceName:
    """A remote Verifier.

    Attributes:
        name: its kind, as the configuration calls it.
        url: its address.
    """

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Key:
    """Everything that a token depends on, besides time.

    Attributes:
        kind: what is kept: a value of `TokenKind`.
        target: `VM`, `ALL`, or the UUID of a GPU, since indices change.
        guest_digest: SHA-256 of the guest; None where the host does not know it.
        nonce: the challenge; None where the host chose it.
        user_data: what the guest had bound.
        audience: whom it is for.
        policy: what it was appraised with: a digest, or a name that means one thing only.
        service: who issued it; None for this host.
        signing_key: the thumbprint of the host's key, where that signed it or is bound to it.
        boot: the boot of the machine (`cache.machine_identity`); None where it is not known.
    """

    kind: str
    target: str
    guest_digest: bytes | None
    nonce: bytes | None = None
    user_data: bytes | None = None
    audience: str | None = None
    policy: str | None = None
    service: ServiceName | None = None
    signing_key: bytes | None = None
    boot: bytes | None = None

    @property
    def digest(self) -> str:
        """SHA-256 over all of it, in hex; no two keys are written alike."""
        parts = [_written(getattr(self, field.name)) for field in fields(self)]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@lru_cache(maxsize=1024)
def own_key(target: str, guest_digest: bytes | None, signing_key: bytes) -> Key:
    """Returns the key of a token of this host; a guest asks for the same one over and over."""
    return Key(TokenKind.EVIDENCE.value, target, guest_digest, signing_key=signing_key)


def _written(part: object) -> object:
    if isinstance(part, bytes):
        return {"bytes": part.hex()}
    return [part.name, part.url] if isinstance(part, ServiceName) else part

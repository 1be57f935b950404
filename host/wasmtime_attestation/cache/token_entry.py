"""A token as a file: its name says whose it is, its head when it is good, and where."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from wasmtime_attestation.cache.kept import Kept
from wasmtime_attestation.cache.key import Key
from wasmtime_attestation.endorsers import cache_entry
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.wit import AttestationResult, TeeType

FORM = "wasmtime-attestation token 1"
_GUEST_DIGITS = 32
NOBODY = "0" * _GUEST_DIGITS
"""In place of a guest that the host does not know."""
_LATEST = 1 << 53


@dataclass(frozen=True, slots=True)
class Description:
    """What an entry says about itself.

    Attributes:
        digest: of the key that it was kept under, in hex.
        kind: of token.
        target: what it is about.
        guest: SHA-256 of the guest in hex; empty where it is not known.
        service: the address of the service.
        boot: of the boot that it is of, in hex.
        kept: the token and its times.
    """

    digest: str
    kind: str
    target: str
    guest: str
    service: str
    boot: str
    kept: Kept


def guest_of(guest_digest: bytes | None) -> str:
    """Returns the start of the names of a guest's entries."""
    return NOBODY if guest_digest is None else _short(guest_digest)


def name_of(key: Key) -> str:
    """Returns the name of the file for a key."""
    return f"{guest_of(key.guest_digest)}-{key.digest}"


def encode(key: Key, kept: Kept, boot: bytes) -> bytes:
    """Writes an entry.

    Args:
        key: what it is kept under.
        kept: the token.
        boot: which boot of which machine this is.
    """
    head: dict[str, Json] = {
        "key": key.digest,
        "kind": key.kind,
        "target": key.target,
        "guest": "" if key.guest_digest is None else key.guest_digest.hex(),
        "service": key.service.url if key.service else "",
        "boot": boot.hex(),
        "issued": kept.result.timestamp,
        "expires": kept.expires_at,
        "collected": kept.collected_at,
        "tee": kept.result.tee_type.value,
        "evidence": kept.result.evidence,
    }
    return cache_entry.seal(FORM, head, kept.result.token.encode())


def describe(data: bytes) -> Description:
    """Reads what an entry says.

    Raises:
        ValueError: it is not whole.
        RecursionError: its head is nested too deep.
    """
    head, body = cache_entry.unseal(FORM, data)
    match head:
        case {
            "key": str(digest),
            "kind": str(kind),
            "target": str(target),
            "guest": str(guest),
            "service": str(service),
            "boot": str(boot),
            "issued": int(issued),
            "expires": int(expires),
            "collected": int(collected),
            "tee": str(tee),
            "evidence": str() | None as evidence,
        } if all(type(at) is int and 0 <= at < _LATEST for at in (issued, expires, collected)):
            result = AttestationResult(body.decode("ascii"), evidence, issued, TeeType(tee))
            kept = Kept(result, expires, collected)
            return Description(digest, kind, target, guest, service, boot, kept)
        case _:
            raise ValueError("its head lacks something")


def decode(data: bytes, key: Key, boot: bytes) -> Kept:
    """Reads an entry for a key, on a machine.

    Raises:
        ValueError: it is not whole, of another key, or of another boot or machine.
        RecursionError: its head is nested too deep.
    """
    described = describe(data)
    if described.digest != key.digest:
        raise ValueError("it was issued for something else")
    if described.boot != boot.hex():
        raise ValueError("it is of another boot or another machine")
    return described.kept


def _short(guest_digest: bytes) -> str:
    """The full digest is in the head; a name need only be one that nobody finds twice."""
    return hashlib.sha256(b"guest\n" + guest_digest).hexdigest()[:_GUEST_DIGITS]

"""Keys and tokens that tests of the cache share."""

from __future__ import annotations

from wasmtime_attestation.cache.kept import Kept
from wasmtime_attestation.cache.key import VM, Key, ServiceName
from wasmtime_attestation.wit import AttestationResult, TeeType

GUEST, OTHER_GUEST = bytes(32), bytes(range(32))
ISSUED, EXPIRES = 1000, 1300
MAA = ServiceName("maa", "https://maa.example")
EVIDENCE = Key("evidence-token", VM, GUEST, signing_key=b"k" * 32)
SERVED = Key("maa", VM, GUEST, service=MAA, policy="p", audience="a", user_data=b"u")
BOOT = b"b" * 32
MARGIN = 30


def kept(
    name: str = "ours",
    issued: int = ISSUED,
    expires: int | None = None,
    collected: int | None = None,
) -> Kept:
    """Returns a token that lives five minutes unless it is told otherwise."""
    result = AttestationResult(name, None, issued, TeeType.SIMULATED)
    life = EXPIRES - ISSUED
    return Kept(
        result,
        issued + life if expires is None else expires,
        issued if collected is None else collected,
    )

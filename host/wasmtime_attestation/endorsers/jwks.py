"""The keys of services that issue tokens, at the addresses that follow from their names.

Where no authority is pinned, TLS alone says whose keys they are, so a token's own word for an
address (`jku`) never counts: the issuer's name must be one that the relying party configured.

Sources: NVIDIA, "NRAS"; Microsoft, "Azure Attestation REST API", `/certs`; Intel Trust
Authority, "JWKS".
"""

from __future__ import annotations

from datetime import timedelta

from wasmtime_attestation.claims.verdict import TokenKind
from wasmtime_attestation.endorsements import jwks
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsers.question import Piece, Question
from wasmtime_attestation.verifier.issuers import address_of

_PATHS = {
    TokenKind.NRAS: "/.well-known/jwks.json",
    TokenKind.MAA: "/certs",
    TokenKind.ITA: "/certs",
}


def keys(kind: TokenKind, name: str, key_id: str | None) -> Question | None:
    """Asks for the keys of an issuer; None where its name leads nowhere.

    Args:
        kind: what its tokens are.
        name: the value of `iss` that is configured for it.
        key_id: the `kid` that is looked for: keys that were kept and lack it do not do.
    """
    address = address_of(name)
    if address is None or kind not in _PATHS:
        return None
    host = address[1]

    def has_key(found: Endorsements) -> bool:
        known = (key.key_id for keys in found.key_sets for key in keys.keys)
        return key_id is None or key_id in known

    return Question(
        what=f"the keys of {host}",
        url=f"{address[0]}{_PATHS[kind]}",
        pieces=lambda reply: (Piece(jwks.file_of(host), reply.body),),
        fits=lambda found: bool(found.key_sets),
        still_fits=has_key,
        # NVIDIA makes new keys four times a day.
        max_age=timedelta(minutes=15),
        lifetime=timedelta(hours=1),
        wants_keys=True,
        proves_itself=False,
    )

"""What a token of a service needs: the keys of its issuer, if that is one that counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.endorsements.jwks import JwkSet
from wasmtime_attestation.endorsers import jwks
from wasmtime_attestation.endorsers.gathering import Gathering
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence import jwt
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.verifier.issuer_keys import IssuerKeys
from wasmtime_attestation.verifier.issuers import KEYS, Issuer, find_issuer


def gather(text: str, issuers: Sequence[Issuer], gathering: Gathering) -> tuple[Issuer, ...]:
    """Asks for the keys of a token's issuer.

    Args:
        text: the token; nothing of it is verified.
        issuers: who is configured; the well-known ones count besides.
        gathering: takes what comes.

    Returns:
        the issuers, the token's with its keys if they came.
    """
    try:
        token = jwt.decode(text)
        claims = token.claims(floats=True)
        issuer = find_issuer(claims, issuers, Ledger())
    except (ValueError, RecursionError, RejectedError) as error:
        gathering.lacks("the keys of the token's issuer", str(error))
        return tuple(issuers)
    if IssuerKeys(issuer, issuers, gathering.known).are_given:
        return tuple(issuers)
    keys = _keys(issuer, claims, token.header, gathering)
    if keys is None:
        return tuple(issuers)
    others = tuple(other for other in issuers if other != issuer)
    return (replace(issuer, keys=keys), *others)


def _keys(
    issuer: Issuer, claims: dict[str, Json], header: dict[str, Json], gathering: Gathering
) -> JwkSet | None:
    name, key_id = claims.get("iss"), header.get("kid")
    question = jwks.keys(
        issuer.kind,
        name if isinstance(name, str) else "",
        key_id if isinstance(key_id, str) else None,
    )
    if question is None:
        gathering.lacks(
            f"the keys of {issuer.name}",
            f"no address follows from its name; give {KEYS[issuer.kind]}",
        )
        return None
    obtained = gathering.ask(question)
    return obtained.endorsements.key_sets[0] if obtained else None

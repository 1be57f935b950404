"""The checks of tokens of every kind (`docs/token.md`)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wasmtime_attestation.checks.rule import Rule

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "token.format": Rule(
            "The token is a strict compact JWS: canonical base64url, no duplicate "
            "member; in an evidence token every claim is known, of its kind and within its bounds."
        ),
        "token.profile": Rule(
            "An evidence token: `alg` is ES384, `typ` is eat+jwt, `eat_profile` is one that is "
            "known; the header has no member beyond `alg`, `typ` and `kid`. A service's token: "
            "`alg` is one of those that the issuer is configured with; no `crit`, no `b64`."
        ),
        "token.key": Rule(
            "An evidence token: `kid` is the RFC 7638 thumbprint of the key in `cnf`, a point on "
            "P-384. A service's token: the issuer's key set has the key that `kid` names; where "
            "authorities are pinned, one of them certified it."
        ),
        "token.signature": Rule(
            "The signature is made by the key in `cnf`, or by the issuer's key."
        ),
        "token.time": Rule(
            "`iat`, `exp` and `nbf` are whole numbers and hold at the given instant; "
            "the life is at most an hour, or what the issuer is configured with."
        ),
        "token.age": Rule("The token was issued no longer ago than the caller allows."),
        "token.nonce": Rule(
            "The token answers the expected nonce: `eat_nonce`; `nonce` of MAA; `verifier_nonce` "
            "of Intel Trust Authority."
        ),
        "token.audience": Rule("`aud` is the expected audience, or has it in its list."),
        "token.issuer": Rule(
            "`iss` is that of an issuer who is configured or well known; that decides how the "
            "token is checked."
        ),
        "token.evidence": Rule("The token carries exactly one piece of evidence."),
    }
)

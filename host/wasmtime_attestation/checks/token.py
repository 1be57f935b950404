"""The checks of Evidence tokens (`docs/token.md`)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wasmtime_attestation.checks.rule import Rule

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "token.format": Rule(
            "The token is a strict compact JWS: canonical base64url, no duplicate "
            "member, and every claim is known, of its kind and within its bounds."
        ),
        "token.profile": Rule(
            "`alg` is ES384, `typ` is eat+jwt, `eat_profile` is one that is known; "
            "the header has no member beyond `alg`, `typ` and `kid`."
        ),
        "token.key": Rule(
            "`kid` is the RFC 7638 thumbprint of the key in `cnf`, a point on P-384."
        ),
        "token.signature": Rule("The signature is made by the key in `cnf`."),
        "token.time": Rule(
            "`iat`, `exp` and `nbf` are whole numbers and hold at the given instant; "
            "the life is at most an hour."
        ),
        "token.age": Rule("The token was issued no longer ago than the caller allows."),
        "token.nonce": Rule("`eat_nonce` is the expected nonce."),
        "token.audience": Rule("`aud` is the expected audience."),
        "token.issuer": Rule("The issuer is one that the configuration accepts."),
        "token.evidence": Rule("The token carries exactly one piece of evidence."),
    }
)

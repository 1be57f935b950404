"""The checks of tokens of every kind (`docs/token.md`)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wasmtime_attestation.checks.rule import Rule

_ALTERED = "Ask the issuer for a new token; if that fails too, the issuer is broken or not ours."

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "token.format": Rule(
            requirement="The token is a strict compact JWS: canonical base64url, no duplicate "
            "member; in an evidence token every claim is known, of its kind and within its bounds.",
            meaning="The token was cut or altered, or is not one of ours; two readers could "
            "understand it differently.",
            remedy=_ALTERED,
            source="RFC 7515 sections 2 and 7.1; RFC 7519 section 4; docs/token.md (Claims)",
        ),
        "token.profile": Rule(
            requirement="An evidence token: `alg` is ES384, `typ` is eat+jwt, `eat_profile` is one "
            "that is known; the header has no member beyond `alg`, `typ` and `kid`. A service's "
            "token: `alg` is one that the issuer is configured with; no `crit`, no `b64`.",
            meaning="The token asks to be verified in its own way, or is of a kind or version "
            "that is not known.",
            remedy="Use a current wasmtime-attestation on both sides; never accept a token for "
            "what its header asks.",
            source="RFC 8725 sections 3.1 and 3.11; RFC 9711 section 4.3.2 (eat_profile); "
            "docs/token.md (Header)",
        ),
        "token.key": Rule(
            requirement="An evidence token: `kid` is the RFC 7638 thumbprint of the key in `cnf`, "
            "a point on P-384. A service's token: the issuer's key set has the key that `kid` "
            "names; where authorities are pinned, one of them certified it.",
            meaning="The key in the token is no key, or not the one that the token names.",
            remedy=_ALTERED,
            source="RFC 7638 section 3; RFC 7800 section 3.2; RFC 7518 section 6.2.1",
        ),
        "token.signature": Rule(
            requirement="The signature is made by the key in `cnf`, or by the issuer's key.",
            meaning="The token was altered after it was signed, or whoever made it does not have "
            "the key.",
            remedy=_ALTERED,
            source="RFC 7515 section 5.2; RFC 7518 section 3.4",
        ),
        "token.time": Rule(
            requirement="`iat`, `exp` and `nbf` are whole numbers and hold at the given instant; "
            "the life is at most an hour, or what the issuer is configured with.",
            meaning="The token has expired, or is of the future: a clock is wrong, or the token "
            "is old.",
            remedy="Ask for a new token; compare the clocks. --at verifies as of another instant.",
            source="RFC 7519 sections 4.1.4 to 4.1.6; docs/token.md (Claims)",
        ),
        "token.age": Rule(
            requirement="The token was issued no longer ago than the caller allows.",
            meaning="Failed: the token is older than you accept. Not checked: any age within its "
            "life was accepted.",
            remedy="Ask for a new token; limit the age with --max-age.",
            source="RFC 9334 section 10 (Freshness); RFC 7519 section 4.1.6",
        ),
        "token.nonce": Rule(
            requirement="The token answers the expected nonce (`eat_nonce`, or what its service "
            "has in place of it).",
            meaning="Failed: the token answers somebody else's challenge. Not checked: it may be a "
            "replay.",
            remedy="Send a fresh random nonce with each request and verify with --nonce.",
            source="RFC 9711 section 4.1; RFC 9334 section 10.2",
        ),
        "token.audience": Rule(
            requirement="`aud` is the expected audience, or has it in its list.",
            meaning="Failed: the token is meant for somebody else, who may have passed it on. "
            "Not checked: it may be so.",
            remedy="Name yourself in the challenge and verify with --audience.",
            source="RFC 7519 section 4.1.3; RFC 8725 section 3.9",
        ),
        "token.issuer": Rule(
            requirement="`iss` is that of an issuer who is configured or well known; that decides "
            "how the token is checked.",
            meaning="Somebody issued the token whom nobody here trusts.",
            remedy="Describe the issuer and its keys in a file for --issuer if you trust it.",
            source="RFC 7519 section 4.1.1; RFC 8725 section 3.8; docs/threat-model.md",
        ),
        "token.evidence": Rule(
            requirement="The token carries evidence of one virtual machine, of devices, or of one "
            "machine first and its devices after it.",
            meaning="Nothing vouches for the token's key, or it is not clear what does.",
            remedy=_ALTERED,
            source="docs/token.md (Claims, evidence)",
        ),
    }
)

"""The signature of a compact JWS: one room for every token, with keys that the caller chose.

Nothing in the token decides how it is checked. The caller names the algorithms; the header's
`alg` must be one of them, and a key must be for that one. `jwk`, `jku`, `x5u` and `x5c` in the
header are never asked.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from wasmtime_attestation.endorsements.jwa import Algorithm, check_signature
from wasmtime_attestation.endorsements.jwk import MAX_KEY_ID, Jwk
from wasmtime_attestation.endorsements.jwks import JwkSet
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence import jwt
from wasmtime_attestation.evidence.jwt import CompactJws
from wasmtime_attestation.evidence.strict_json import Json, brief

# RFC 7515 section 4.1.11 and RFC 7797: both change what the signature means.
_REFUSED = ("crit", "b64")


@dataclass(frozen=True, slots=True)
class Payload:
    """What a key signed.

    Attributes:
        data: the bytes.
        header: the header, which was signed too.
        algorithm: how it was signed.
        key: what signed it.
    """

    data: bytes
    header: dict[str, Json]
    algorithm: Algorithm
    key: Jwk

    def claims(self) -> dict[str, Json]:
        """Returns the claims of a JWT (RFC 7519).

        Raises:
            RejectedError: `token.format`, the bytes are no JSON object, or an ambiguous one.
        """
        try:
            return jwt.claims_of(self.data, floats=True)
        except (ValueError, RecursionError) as error:
            raise RejectedError.of("token.format", f"this is no token: {error}") from error


def verify_jws(token: str, keys: JwkSet, algorithms: Collection[Algorithm]) -> Payload:
    """Verifies the signature of a compact JWS (RFC 7515 section 5.2).

    Args:
        token: the text.
        keys: the issuer's keys.
        algorithms: those that the issuer uses.

    Raises:
        RejectedError: `token.format`, `token.profile`, `token.key` or `token.signature`.
    """
    jws = parse(token)
    return signed_by(jws, keys, accepted_algorithm(jws, algorithms))


def parse(token: str) -> CompactJws:
    """Decodes a compact JWS.

    Raises:
        RejectedError: `token.format`.
    """
    try:
        return jwt.decode(token)
    except (ValueError, RecursionError) as error:
        raise RejectedError.of("token.format", f"this is no token: {error}") from error


def accepted_algorithm(jws: CompactJws, algorithms: Collection[Algorithm]) -> Algorithm:
    """Returns the algorithm, which is one of the caller's.

    Raises:
        RejectedError: `token.profile`, `alg` is another, or a header changes the rules.
    """
    named = jws.header.get("alg")
    for algorithm in algorithms:
        if named == algorithm:
            break
    else:
        accepted = ", ".join(sorted(algorithms))
        raise RejectedError.of(
            "token.profile", f"alg is {brief(named)}; accepted of this issuer: {accepted}"
        )
    if refused := [name for name in _REFUSED if name in jws.header]:
        raise RejectedError.of("token.profile", f"the header has {', '.join(refused)}")
    return algorithm


def signed_by(jws: CompactJws, keys: JwkSet, algorithm: Algorithm) -> Payload:
    """Returns the payload and the key that signed it.

    Raises:
        RejectedError: `token.key`, no key is fit; `token.signature`, none of them signed.
    """
    key_id = _key_id(jws)
    candidates = keys.candidates(key_id, algorithm)
    if not candidates:
        raise RejectedError.of(
            "token.key",
            f"the issuer's keys have none for {algorithm} with the kid {brief(key_id)}: the token "
            "is not the issuer's, or its key set is of another day",
        )
    reasons = []
    for jwk in candidates:
        try:
            check_signature(algorithm, jwk.key, jws.signature, jws.signing_input)
        except ValueError as error:
            reasons.append(str(error))
        else:
            return Payload(jws.data, jws.header, algorithm, jwk)
    raise RejectedError.of(
        "token.signature",
        f"no key of the issuer signed this token ({reasons[0]}): it was altered or forged",
    )


def _key_id(jws: CompactJws) -> str | None:
    value = jws.header.get("kid")
    if "kid" not in jws.header:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= MAX_KEY_ID:
        raise RejectedError.of(
            "token.key", f"kid is {brief(value)}, no string of at most {MAX_KEY_ID} characters"
        )
    return value

"""An issuer's public keys: a JWK Set (RFC 7517 section 5), a single JWK, or keys in PEM.

Keys of kinds that no issuer here uses are left out, as the RFC wants it; a key that is one of
these and unfit makes the whole set unfit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from wasmtime_attestation.endorsements import jwk
from wasmtime_attestation.endorsements.jwa import Algorithm
from wasmtime_attestation.endorsements.jwk import Jwk
from wasmtime_attestation.evidence import strict_json
from wasmtime_attestation.evidence.strict_json import Json

MAX_KEYS = 100
"""Keys in a set; NVIDIA's has about 36, of two days."""
_PEM = b"-----BEGIN PUBLIC KEY-----"
_FILE = re.compile(r"jwks-([a-z0-9.-]{1,253})\.json")


@dataclass(frozen=True, slots=True)
class JwkSet:
    """Keys of one issuer; a `kid` stands once.

    Attributes:
        keys: the keys.
        owner: the host of the service whose keys they are, where the file is named after it
            (`jwks-HOST.json`); None where nobody said whose they are.
    """

    keys: tuple[Jwk, ...] = ()
    owner: str | None = None

    def __add__(self, other: JwkSet) -> JwkSet:
        """Joins two sets, which are of nobody in particular; a key in both counts once.

        Raises:
            ValueError: a `kid` names two keys, or there are too many.
        """
        return JwkSet(tuple(dict.fromkeys(self.keys + other.keys))).checked()

    def __bool__(self) -> bool:
        return bool(self.keys)

    @property
    def content(self) -> bytes:
        """Everything that is in it, as bytes."""
        return repr([self.owner, *(key.content for key in self.keys)]).encode()

    def candidates(self, key_id: str | None, algorithm: Algorithm) -> tuple[Jwk, ...]:
        """Returns the keys that may have made a signature.

        Args:
            key_id: the `kid` in the token's header; None where there is none.
            algorithm: how the signature is made.
        """
        return tuple(
            key
            for key in self.keys
            if key.serves(algorithm) and (None in (key_id, key.key_id) or key_id == key.key_id)
        )

    def checked(self) -> JwkSet:
        """Returns the set.

        Raises:
            ValueError: a `kid` stands twice, or there are too many keys.
        """
        if len(self.keys) > MAX_KEYS:
            raise ValueError(f"there are {len(self.keys)} keys; {MAX_KEYS} is the limit")
        names = [key.key_id for key in self.keys if key.key_id is not None]
        if len(set(names)) != len(names):
            raise ValueError("one kid names two keys")
        return self


def looks_like(data: bytes) -> bool:
    """Whether bytes can be meant as public keys: PEM, a JWK or a set of them."""
    start = data.lstrip()
    return start.startswith(_PEM) or (
        start.startswith(b"{") and (b'"keys"' in data or b'"kty"' in data)
    )


def decode(data: bytes) -> JwkSet:
    """Reads a JWK Set, a single JWK, or public keys in PEM.

    Raises:
        ValueError: it is none of these, a key is unfit, or none is of a known kind.
    """
    if data.lstrip().startswith(_PEM):
        return _of_pem(data)
    value = strict_json.loads(data)
    if not isinstance(value, dict):
        raise ValueError("it is no JSON object")
    return of_json(value)


def of_file(name: str, data: bytes) -> JwkSet:
    """Reads a file, whose name may say whose keys they are; see `decode`."""
    named = _FILE.fullmatch(name.replace("\\", "/").rpartition("/")[2])
    return replace(decode(data), owner=named[1] if named else None)


def file_of(host: str) -> str:
    """Returns the name of a file with the keys of the service at a host."""
    return f"jwks-{host}.json"


def of_json(document: dict[str, Json]) -> JwkSet:
    """Reads a parsed JWK Set or JWK; see `decode`."""
    items = document.get("keys", [document])
    if not isinstance(items, list) or len(items) > MAX_KEYS:
        raise ValueError(f"keys is no array of at most {MAX_KEYS}")
    found = [_numbered(number, item) for number, item in enumerate(items)]
    keys = tuple(key for key in found if key is not None)
    if not keys:
        raise ValueError("it has no RSA key and none on P-256 or P-384")
    return JwkSet(keys).checked()


def _of_pem(data: bytes) -> JwkSet:
    blocks = [_PEM + block for block in data.split(_PEM)[1:]]
    if len(blocks) > MAX_KEYS:
        raise ValueError(f"there are {len(blocks)} keys; {MAX_KEYS} is the limit")
    return JwkSet(tuple(dict.fromkeys(map(jwk.of_pem, blocks))))


def _numbered(number: int, item: Json) -> Jwk | None:
    try:
        return jwk.of_json(item)
    except ValueError as error:
        raise ValueError(f"key {number}: {error}") from error

"""Issuers of tokens as a person configures them, in TOML: one file an issuer.

`docs/token.md` describes the form.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from wasmtime_attestation.claims.verdict import TokenKind
from wasmtime_attestation.endorsements import jwks
from wasmtime_attestation.endorsements.jwa import Algorithm
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.policy import read_toml
from wasmtime_attestation.policy.table import Table
from wasmtime_attestation.verifier.expectations import CLOCK_SKEW
from wasmtime_attestation.verifier.issuers import ALGORITHMS, DAY, Issuer

MAX_SIZE = 1 << 16
"""Bytes in a file."""
MAX_NAMES = 16
"""Values of `iss` of one issuer."""


@dataclass(frozen=True, slots=True)
class IssuerFile:
    """An issuer as its file describes it.

    Attributes:
        issuer: the issuer, without keys.
        keys_file: where its keys are, relative to the file; None where they are given otherwise.
    """

    issuer: Issuer
    keys_file: str | None

    def with_keys(self, data: bytes) -> Issuer:
        """Returns the issuer with its keys.

        Args:
            data: a JWK Set, a JWK, or public keys in PEM.

        Raises:
            InvalidArgumentError: they are none of these.
        """
        try:
            return replace(self.issuer, keys=jwks.decode(data))
        except (ValueError, RecursionError) as error:
            raise InvalidArgumentError(
                f"the keys of issuer {self.issuer.name} in {self.keys_file}: {error}"
            ) from error


def load(name: str, data: bytes) -> IssuerFile:
    """Reads a file.

    Args:
        name: the issuer's name where the text gives none.
        data: the TOML text.

    Raises:
        InvalidArgumentError: it describes no issuer; the message names the setting.
    """
    if len(data) > MAX_SIZE:
        raise InvalidArgumentError(f"issuer {name}: the file is larger than {MAX_SIZE} bytes")
    try:
        table = Table("", read_toml(data.decode("utf-8-sig")))
        keys_file = table.string("jwks", "")
        issuer = _issuer(name, table)
        table.end()
    except (ValueError, RecursionError) as error:
        raise InvalidArgumentError(f"issuer {name}: {error}") from error
    return IssuerFile(issuer, keys_file or None)


def _issuer(name: str, table: Table) -> Issuer:
    kind = _kind(table.string("kind", ""))
    return Issuer(
        name=table.string("name", name),
        kind=kind,
        names=_names(table.strings("iss")),
        algorithms=_algorithms(table.strings("algorithms")) if "algorithms" in table else None,
        pins=table.byte_strings("pins", 32) or frozenset(),
        leeway=table.integer("leeway", CLOCK_SKEW, CLOCK_SKEW),
        lifetime=table.integer("lifetime", 0, DAY) if "lifetime" in table else None,
        required_policies=frozenset(table.strings("required-policies")),
    )


def _kind(label: str) -> TokenKind:
    if label not in tuple(ALGORITHMS):
        raise ValueError(f"kind is {label!r}; known are {', '.join(ALGORITHMS)}")
    return TokenKind(label)


def _names(names: list[str]) -> frozenset[str]:
    if len(names) > MAX_NAMES or not all(names):
        raise ValueError(f"iss has more than {MAX_NAMES} names, or an empty one")
    return frozenset(names)


def _algorithms(names: list[str]) -> frozenset[Algorithm]:
    unknown = [name for name in names if name not in tuple(Algorithm)]
    if unknown:
        raise ValueError(f"algorithms has {unknown[0]!r}; known are {', '.join(Algorithm)}")
    return frozenset(map(Algorithm, names))

"""Issuers of tokens as a person configures them, in TOML: one file an issuer.

`docs/token.md` describes the form.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from wasmtime_attestation.claims.verdict import TokenKind
from wasmtime_attestation.endorsements import jwks
from wasmtime_attestation.endorsements.jwa import Algorithm
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.policy.source import Source
from wasmtime_attestation.policy.table import SettingError, Table
from wasmtime_attestation.verifier.expectations import CLOCK_SKEW
from wasmtime_attestation.verifier.issuers import ALGORITHMS, DAY, Issuer

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


def load(name: str, data: bytes, file: str | None = None) -> IssuerFile:
    """Reads a file.

    Args:
        name: the issuer's name where the text gives none.
        data: the TOML text.
        file: where it came from, for messages; its name where nothing is given.

    Raises:
        InvalidArgumentError: it describes no issuer; the message says where.
    """
    named = file or name
    source = Source.of(named, data, "issuer")
    table = Table(source.values)
    try:
        keys_file = table.optional_string("jwks")
        issuer = _issuer(name, table)
        table.end()
    except SettingError as error:
        raise source.error(error) from error
    except ValueError as error:
        raise InvalidArgumentError(f"issuer {named}: {error}") from error
    return IssuerFile(issuer, keys_file)


def _issuer(name: str, table: Table) -> Issuer:
    kind = table.choice("kind", ALGORITHMS)
    if kind is None:
        raise ValueError(f"kind is missing; known are {', '.join(ALGORITHMS)}")
    algorithms = table.names("algorithms")
    return Issuer(
        name=table.string("name", name),
        kind=TokenKind(kind),
        names=_names(table.strings("iss")),
        algorithms=None if algorithms is None else _algorithms(algorithms),
        pins=table.byte_strings("pins", 32) or frozenset(),
        leeway=table.integer("leeway", CLOCK_SKEW, CLOCK_SKEW),
        lifetime=table.limit("lifetime", DAY),
        required_policies=frozenset(table.strings("required-policies")),
    )


def _names(names: list[str]) -> frozenset[str]:
    if len(names) > MAX_NAMES or not all(names):
        raise ValueError(f"iss has more than {MAX_NAMES} names, or an empty one")
    return frozenset(names)


def _algorithms(names: frozenset[str]) -> frozenset[Algorithm]:
    unknown = sorted(names - {*Algorithm})
    if unknown:
        raise ValueError(f"algorithms has {unknown[0]!r}; known are {', '.join(Algorithm)}")
    return frozenset(map(Algorithm, names))

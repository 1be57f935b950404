"""Who may issue tokens: each issuer's names, algorithms and keys, as the user configured them.

A token is held against the issuer that its `iss` names, and never says itself how it is to be
checked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims.verdict import TokenKind
from wasmtime_attestation.endorsements.jwa import Algorithm
from wasmtime_attestation.endorsements.jwks import JwkSet
from wasmtime_attestation.evidence.strict_json import Json, brief
from wasmtime_attestation.verifier.expectations import CLOCK_SKEW

DAY = 86_400
"""Seconds; no service gives a token a longer life."""
ALGORITHMS: dict[TokenKind, frozenset[Algorithm]] = {
    TokenKind.NRAS: frozenset({Algorithm.ES384}),
    TokenKind.MAA: frozenset({Algorithm.RS256}),
    TokenKind.ITA: frozenset({Algorithm.PS384, Algorithm.RS256}),
    TokenKind.EAR: frozenset({Algorithm.ES256, Algorithm.ES384}),
}
"""What an issuer of each kind may sign with; a configuration can narrow it."""
LIFETIMES = {TokenKind.EAR: 3600}
"""Where an issuer of a kind lives less than a day: Verifiers may leave `exp` out of an EAR."""
_AZURE = ".attest.azure.net"
_ELSEWHERE = {"Intel Trust Authority": "https://portal.trustauthority.intel.com"}
"""Where a service is that does not call itself by its address."""
_ADDRESS = re.compile(r"https://([a-z0-9.-]{1,253})(:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Issuer:
    """An issuer whose tokens are accepted.

    Attributes:
        name: for messages.
        kind: what its tokens are.
        names: the values of `iss` that it uses; empty for tokens that have none.
        keys: its keys; where there are none, those among the endorsements count.
        algorithms: what it signs with; None for all that its kind may.
        pins: SHA-256 of the SubjectPublicKeyInfo of authorities, one of which must have
            certified its keys (`x5c`); empty to trust the key set as it is.
        leeway: seconds by which its clock may be ahead, 0 to 60.
        lifetime: the longest life of a token, and that of one without `exp`; None for the kind's.
        required_policies: ids of Intel Trust Authority's policies that must have matched.
    """

    name: str
    kind: TokenKind
    names: frozenset[str]
    keys: JwkSet = field(default_factory=JwkSet)
    algorithms: frozenset[Algorithm] | None = None
    pins: frozenset[bytes] = frozenset()
    leeway: int = CLOCK_SKEW
    lifetime: int | None = None
    required_policies: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Raises ValueError for an issuer that there cannot be."""
        if self.kind not in ALGORITHMS:
            raise ValueError(f"kind {self.kind} has no issuers")
        if not self.names and self.kind is not TokenKind.EAR:
            raise ValueError(f"tokens of kind {self.kind} have an iss: name it")
        if not self.accepted_algorithms or not self.accepted_algorithms <= ALGORITHMS[self.kind]:
            known = ", ".join(sorted(ALGORITHMS[self.kind]))
            raise ValueError(f"algorithms of kind {self.kind} are of {known}")
        if not 0 <= self.leeway <= CLOCK_SKEW:
            raise ValueError(f"leeway is not 0 to {CLOCK_SKEW} seconds")
        if not 0 < self.longest_life <= DAY:
            raise ValueError(f"lifetime is not 1 to {DAY} seconds")
        if self.required_policies and self.kind is not TokenKind.ITA:
            raise ValueError("only Intel Trust Authority (kind ita) says which policies matched")

    @property
    def accepted_algorithms(self) -> frozenset[Algorithm]:
        """What it signs with."""
        return ALGORITHMS[self.kind] if self.algorithms is None else self.algorithms

    @property
    def longest_life(self) -> int:
        """Seconds that its tokens live at most."""
        return LIFETIMES.get(self.kind, DAY) if self.lifetime is None else self.lifetime

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts that its names lead to."""
        return frozenset(found[1] for name in self.names if (found := address_of(name)))


def address_of(name: str) -> re.Match[str] | None:
    """Returns the address, whose first group is the host, of a service by its `iss`, if any."""
    return _ADDRESS.fullmatch(_ELSEWHERE.get(name, name).rstrip("/"))


NVIDIA = Issuer(
    "NVIDIA Remote Attestation Service",
    TokenKind.NRAS,
    frozenset({"https://nras.attestation.nvidia.com"}),
)
# Intel's samples have the name, its deployments the address.
INTEL = Issuer(
    "Intel Trust Authority",
    TokenKind.ITA,
    frozenset(
        {
            "Intel Trust Authority",
            "https://portal.trustauthority.intel.com",
            "https://portal.eu.trustauthority.intel.com",
        }
    ),
)
WELL_KNOWN = (NVIDIA, INTEL)
"""Public issuers of which only the keys must be given; an instance of Azure's has its own name."""
KEYS = {
    TokenKind.NRAS: "its JWKS, /.well-known/jwks.json at the service",
    TokenKind.MAA: "its JWKS, /certs at the instance",
    TokenKind.ITA: "its JWKS, /certs at the portal",
    TokenKind.EAR: "its JWKS or its public key in PEM",
}
"""What to give as keys, by kind."""


def find_issuer(claims: dict[str, Json], issuers: Sequence[Issuer], ledger: Ledger) -> Issuer:
    """Settles `token.issuer`.

    Args:
        claims: what the token says, not verified.
        issuers: who is configured; the well-known ones count besides.
        ledger: records the check.

    Raises:
        RejectedError: nobody of that name is configured.
    """
    named = claims.get("iss")
    for issuer in (*issuers, *WELL_KNOWN):
        if (isinstance(named, str) and named in issuer.names) or (
            "iss" not in claims and not issuer.names
        ):
            ledger.passed("token.issuer", f"{issuer.name} ({issuer.kind})")
            return issuer
    ledger.reject("token.issuer", f"{_unknown(claims)}; {_remedy(claims)}")


def _unknown(claims: dict[str, Json]) -> str:
    if "iss" not in claims:
        return "the token names no issuer, and none without a name is configured"
    return f"the issuer {brief(claims['iss'])} is not configured"


def _remedy(claims: dict[str, Json]) -> str:
    named = claims.get("iss")
    kind = "maa" if isinstance(named, str) and named.endswith(_AZURE) else "..."
    return (
        f'if you trust it, name it in a file (kind = "{kind}", iss, jwks; docs/token.md) and give '
        "that with --issuer"
    )


def check_distinct(issuers: Sequence[Issuer]) -> None:
    """Refuses issuers that would answer for the same tokens.

    Raises:
        ValueError: a name stands in two of them.
    """
    seen: set[str | None] = set()
    for issuer in issuers:
        names: frozenset[str | None] = issuer.names or frozenset({None})
        if both := seen & names:
            raise ValueError(f"two issuers have the iss {brief(next(iter(both)))}")
        seen |= names

"""`[services.ita]`: Intel Trust Authority's region, key and policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from wasmtime_attestation.policy.table import Table
from wasmtime_attestation.services import endpoint, secret
from wasmtime_attestation.services.secret import SecretPlace

MOST_POLICIES = 10
"""Policies in a request; the service takes no more."""
ALGORITHMS = ("PS384", "RS256")
_UUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_API, _PORTAL = (
    "https://api.{0}trustauthority.intel.com",
    "https://portal.{0}trustauthority.intel.com",
)
REGIONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {name: (_API.format(part), _PORTAL.format(part)) for name, part in (("us", ""), ("eu", "eu."))}
)
"""The addresses of API and portal; a key is of one region."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Intel Trust Authority as it is used.

    Attributes:
        api_key: where the key is.
        url: the API's address.
        portal: the portal's address, which has the keys and may be the issuer's name.
        version: of the API, 1 or 2.
        policy_ids: the policies to apply, at most ten.
        must_match: whether each of them must match.
        algorithm: what tokens are signed with.
        seconds: that a question may take.
    """

    api_key: SecretPlace
    url: str = REGIONS["us"][0]
    portal: str = REGIONS["us"][1]
    version: int = 2
    policy_ids: tuple[str, ...] = ()
    must_match: bool = True
    algorithm: str = "PS384"
    seconds: int = endpoint.SECONDS

    @property
    def required_policies(self) -> frozenset[str]:
        """The policies that a token must name as matched."""
        return frozenset(self.policy_ids) if self.must_match else frozenset()


def read(table: Table) -> Settings:
    """Takes `[services.ita]`.

    Raises:
        SettingError: a setting makes no sense, or the key is missing.
    """
    place = secret.read(table)
    region = table.choice("region", REGIONS, "Where the account is.")
    url = endpoint.read(table, "url", "The API's address, where it is none of the regions'.")
    portal = endpoint.read(table, "portal-url", "The portal's address, beside url.")
    version = table.choice("api-version", ("1", "2"), "Of the attestation API.", "2")
    policies = table.all_formed("policy-ids", _UUID, "Ids of the policies to apply.")
    must_match = table.boolean(
        "policy-must-match", default=True, about="Whether a policy that does not match is a no."
    )
    algorithm = table.choice("token-signing-alg", ALGORITHMS, "What signs tokens.", "PS384")
    seconds = endpoint.read_seconds(table)
    table.end()
    if place is None and not table.is_absent:
        raise table.refusal("api-key-file", "Intel Trust Authority has no api-key-file, and no "
                            "api-key-env")  # fmt: skip
    if (url is None) != (portal is None) or (url is not None and region is not None):
        raise table.refusal("url", "give a region, or url and portal-url")
    if len(policies or ()) > MOST_POLICIES:
        raise table.refusal("policy-ids", f"policy-ids has more than {MOST_POLICIES}")
    defaults = REGIONS[region or "us"]
    return Settings(
        api_key=place or SecretPlace(variable="TRUSTAUTHORITY_API_KEY"),
        url=url or defaults[0],
        portal=portal or defaults[1],
        version=int(version or 2),
        # As the service writes them in its tokens.
        policy_ids=tuple(sorted({policy.lower() for policy in policies or ()})),
        must_match=must_match,
        algorithm=algorithm or "PS384",
        seconds=seconds,
    )

"""`[services.nras]`: NVIDIA's Remote Attestation Service, its versions and key."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from wasmtime_attestation.policy.table import Table
from wasmtime_attestation.services import endpoint, secret
from wasmtime_attestation.services.secret import SecretPlace

URL = "https://nras.attestation.nvidia.com"
_CLAIMS = MappingProxyType({3: ("2.0",), 4: ("3.0", "2.0")})
"""The versions of claims that a version of the API gives, the usual one first."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The service as it is used.

    Attributes:
        url: its address, which is the issuer's name too.
        version: of the API, 3 or 4.
        claims: the version of the claims, "2.0" or "3.0".
        service_key: where a key is; None to ask without.
        pins: SHA-256 of the SubjectPublicKeyInfo of authorities, one of which must have certified
            its keys; empty to trust the key set as TLS gives it.
        devices_only: whether the target `all` may be answered without the virtual machine.
        seconds: that a question may take.
    """

    url: str = URL
    version: int = 4
    claims: str = "3.0"
    service_key: SecretPlace | None = None
    pins: frozenset[bytes] = frozenset()
    devices_only: bool = False
    seconds: int = endpoint.SECONDS

    def __post_init__(self) -> None:
        """Raises ValueError for claims that the version of the API does not give."""
        if self.claims not in _CLAIMS.get(self.version, ()):
            raise ValueError(f"version {self.version} of the API has no claims {self.claims}")


def read(table: Table) -> Settings:
    """Takes `[services.nras]`.

    Raises:
        SettingError: a setting makes no sense.
    """
    url = endpoint.read(table, "url", "The service's address; NVIDIA's by default.")
    version = int(table.choice("api-version", ("3", "4"), "Of the API.", "4") or 4)
    claims = table.choice("claims-version", ("2.0", "3.0"), "3.0 by default; 2.0 in version 3.")
    key = secret.read(table)
    pins = table.byte_strings("pins", 32, "Authorities that must have certified the keys.")
    devices_only = table.boolean(
        "unsafe-devices-only",
        default=False,
        about="Whether a request for everything is answered with a token about devices alone.",
    )
    seconds = endpoint.read_seconds(table)
    table.end()
    try:
        return Settings(
            url=url or URL,
            version=version,
            claims=claims or _CLAIMS[version][0],
            service_key=key,
            pins=pins or frozenset(),
            devices_only=devices_only,
            seconds=seconds,
        )
    except ValueError as error:
        raise table.refusal("claims-version", str(error)) from error

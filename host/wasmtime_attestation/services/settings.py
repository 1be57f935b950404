"""`[services]` of a configuration: the remote Verifiers that a host may use.

Nothing is asked and no key is read here: what a service needs is loaded when it is made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from wasmtime_attestation.policy.table import Table
from wasmtime_attestation.services import (
    TokenService,
    ita_settings,
    maa_settings,
    nras_settings,
    trustee_settings,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Settings:
    """The services that are configured; None for those that are not.

    Attributes:
        maa: an instance of Azure Attestation.
        ita: Intel Trust Authority.
        nras: NVIDIA's Remote Attestation Service.
        trustee: Confidential Containers' Trustee.
    """

    maa: maa_settings.Settings | None = None
    ita: ita_settings.Settings | None = None
    nras: nras_settings.Settings | None = None
    trustee: trustee_settings.Settings | None = None


def read(table: Table) -> Settings:
    """Takes `[services]`: a table for each service, none of which must be there.

    Raises:
        SettingError: a setting makes no sense.
    """
    settings = Settings(
        maa=_one(table, "maa", maa_settings.read, "Azure Attestation."),
        ita=_one(table, "ita", ita_settings.read, "Intel Trust Authority."),
        nras=_one(table, "nras", nras_settings.read, "NVIDIA's Remote Attestation Service."),
        trustee=_one(table, "trustee", trustee_settings.read, "Trustee."),
    )
    table.end()
    return settings


def services(settings: Settings) -> dict[str, TokenService]:
    """Makes the services that are configured, by the names of their tables."""
    found: dict[str, TokenService] = {}
    # HTTP is loaded only where somebody is asked.
    if settings.maa is not None:
        from wasmtime_attestation.services.maa import MaaService

        found["maa"] = MaaService(settings.maa)
    if settings.ita is not None:
        from wasmtime_attestation.services.ita import ItaService

        found["ita"] = ItaService(settings.ita)
    if settings.nras is not None:
        from wasmtime_attestation.services.nras import NrasService

        found["nras"] = NrasService(settings.nras)
    if settings.trustee is not None:
        from wasmtime_attestation.services.trustee import TrusteeService

        found["trustee"] = TrusteeService(settings.trustee)
    return found


def _one(table: Table, key: str, read_table: Callable[[Table], T], about: str) -> T | None:
    return table.each((key,), read_table, about).get(key)

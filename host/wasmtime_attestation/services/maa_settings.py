"""`[services.maa]`: which instance of Azure Attestation is asked."""

from __future__ import annotations

from dataclasses import dataclass

from wasmtime_attestation.policy.table import Table
from wasmtime_attestation.services import endpoint
from wasmtime_attestation.services.maa_regions import REGIONS, shared_instance

_TYPES = ("platform", "AzureGuest")
_GUEST = (
    "its answer is sealed to a key that the vTPM makes for the request, and this host's vTPM "
    "client makes no such keys: leave attestation-type out for SevSnpVm and TdxVm"
)


@dataclass(frozen=True, slots=True)
class Settings:
    """An instance.

    Attributes:
        url: its address, which is the issuer's name too.
        seconds: that a question may take.
    """

    url: str
    seconds: int = endpoint.SECONDS


def read(table: Table) -> Settings:
    """Takes `[services.maa]`.

    Raises:
        SettingError: a setting makes no sense.
    """
    url = endpoint.read(table, "url", "The instance's address; or name a region.")
    region = table.choice("region", REGIONS, "Azure's name of the region of a shared instance.")
    kind = table.choice("attestation-type", _TYPES, "What is attested: platform.")
    seconds = endpoint.read_seconds(table)
    table.end()
    if kind == "AzureGuest":
        raise table.refusal("attestation-type", f"AzureGuest is not supported: {_GUEST}")
    if (url is None) == (region is None) and not table.is_absent:
        raise table.refusal("url", "an instance of Azure Attestation has a url or a region")
    # An absent table is only described, and its settings are dropped.
    return Settings(url or shared_instance(region or REGIONS[0]), seconds)

"""`[endorsers]`: where vendors' endorsements are fetched, or that they are not."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field

from wasmtime_attestation.endorsers.service_urls import VENDORS, ServiceUrls, checked
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.policy.table import Table

KEY_VARIABLE = "WASMTIME_ATTESTATION_INTEL_PCS_KEY"
"""The environment variable with the key of a subscription, if the configuration names no other."""
_NAME = "[A-Za-z_][A-Za-z0-9_]{0,127}"
_ABOUT = {
    "amd_kds": "AMD's Key Distribution Service, or a mirror of it.",
    "intel_pcs": "Intel's PCS, or a cache of it (PCCS).",
    "nvidia_rim": "NVIDIA's RIM service, or a mirror of it.",
    "nvidia_ocsp": "NVIDIA's OCSP responder.",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """Where endorsements are fetched.

    Attributes:
        urls: the services' addresses.
        offline: whether nothing is fetched.
        shared: the address of a Redis server that shares what was fetched; None for none.
    """

    urls: ServiceUrls = field(default_factory=ServiceUrls)
    offline: bool = False
    shared: str | None = None


def read(table: Table) -> Settings:
    """Takes `[endorsers]`.

    Raises:
        SettingError: an address is none.
    """
    urls = {name: _url(table, name, about) for name, about in _ABOUT.items()}
    key = os.environ.get(_key_variable(table)) or None
    offline = table.boolean("offline", default=False, about="Whether nothing is fetched.")
    table.end()
    return Settings(ServiceUrls(**urls, intel_pcs_key=key), offline)


def _key_variable(table: Table) -> str:
    name, about = "intel-pcs-key-env", "The environment variable with the key of a subscription."
    variable = table.string(name, KEY_VARIABLE, about, {"pattern": f"^{_NAME}$"})
    if not re.fullmatch(_NAME, variable):
        # It may be the key itself: nobody shall read it in a log.
        raise table.refusal(name, f"{name} must be the name of an environment variable")
    return variable


def _url(table: Table, name: str, about: str) -> str:
    key = f"{name.replace('_', '-')}-url"
    text = table.string(key, getattr(VENDORS, name), about)
    try:
        return checked(key, text)
    except InvalidArgumentError as error:
        raise table.refusal(key, error.message) from error

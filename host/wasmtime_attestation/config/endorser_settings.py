"""`[endorsers]`: where vendors' endorsements are fetched, or that they are not."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from wasmtime_attestation.endorsers.service_urls import ServiceUrls, checked
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.policy.table import Table

KEY_VARIABLE = "WASMTIME_ATTESTATION_INTEL_PCS_KEY"
"""A secret, which stands in no file."""
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
    """

    urls: ServiceUrls = field(default_factory=ServiceUrls)
    offline: bool = False


def read(table: Table) -> Settings:
    """Takes `[endorsers]`.

    Raises:
        SettingError: an address is none.
    """
    urls = {name: _url(table, name, about) for name, about in _ABOUT.items()}
    offline = table.boolean("offline", default=False, about="Whether nothing is fetched.")
    table.end()
    named = {name: url for name, url in urls.items() if url}
    return Settings(ServiceUrls(**named, intel_pcs_key=os.environ.get(KEY_VARIABLE)), offline)


def _url(table: Table, name: str, about: str) -> str | None:
    key = f"{name.replace('_', '-')}-url"
    text = table.optional_string(key, about)
    if text is None:
        return None
    try:
        return checked(key, text)
    except InvalidArgumentError as error:
        raise table.refusal(key, error.message) from error

"""Where vendors' services are: their own addresses, or those that the configuration names.

A mirror or a cache, such as Intel's PCCS, answers as the vendor's own service does.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from wasmtime_attestation.errors import InvalidArgumentError

_PCCS_SUFFIXES = ("/sgx/certification/v4", "/tdx/certification/v4")


@dataclass(frozen=True, slots=True)
class ServiceUrls:
    """Addresses without a slash at the end.

    Attributes:
        amd_kds: AMD's Key Distribution Service.
        intel_pcs: Intel's Provisioning Certification Service, or a cache of it (PCCS).
        nvidia_rim: NVIDIA's RIM service.
        nvidia_ocsp: NVIDIA's OCSP responder.
        intel_pcs_key: a subscription's key; only PCK certificates need one.
    """

    amd_kds: str = "https://kdsintf.amd.com"
    intel_pcs: str = "https://api.trustedservices.intel.com"
    nvidia_rim: str = "https://rim.attestation.nvidia.com"
    nvidia_ocsp: str = "https://ocsp.ndis.nvidia.com"
    intel_pcs_key: str | None = None

    @property
    def is_plain(self) -> bool:
        """Whether an address asks for http."""
        urls = (self.amd_kds, self.intel_pcs, self.nvidia_rim, self.nvidia_ocsp)
        return any(url.startswith("http://") for url in urls)

    def is_own(self, name: str) -> bool:
        """Whether a service is the vendor's own, which speaks for the vendor's roots alone."""
        return bool(getattr(VENDORS, name) == getattr(self, name))


VENDORS = ServiceUrls()


def checked(variable: str, text: str) -> str:
    """Returns an address without a slash at its end.

    Args:
        variable: what it is given in, for messages.
        text: the address.

    Raises:
        InvalidArgumentError: it is none of https or http.
    """
    text = text.strip().rstrip("/")
    for suffix in _PCCS_SUFFIXES:
        # As it stands in Intel's own sgx_default_qcnl.conf.
        text = text.removesuffix(suffix)
    try:
        url = urlsplit(text)
        host, _ = url.hostname, url.port
    except ValueError as error:
        raise InvalidArgumentError(f"{variable} is no address: {error}") from error
    spoilt = "@" in url.netloc or url.query or url.fragment or not text.isprintable()
    if url.scheme not in ("https", "http") or not host or spoilt:
        raise InvalidArgumentError(
            f"{variable} is no address such as https://host:8081, without name, password and query"
        )
    return text

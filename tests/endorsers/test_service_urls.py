"""Where services are: the vendors' own addresses, and those that the environment names."""

from __future__ import annotations

import pytest
from wasmtime_attestation.claims.verdict import TokenKind
from wasmtime_attestation.config.assembly import assemble
from wasmtime_attestation.endorsers import jwks
from wasmtime_attestation.endorsers.service_urls import VENDORS, ServiceUrls
from wasmtime_attestation.errors import InvalidArgumentError


def named(environment: dict[str, str]) -> ServiceUrls:
    return assemble(None, {}, environment).configuration.endorsers.urls


def test_the_vendors_own() -> None:
    assert named({}) == VENDORS
    assert not VENDORS.is_plain
    assert VENDORS.is_own("amd_kds")


@pytest.mark.parametrize(
    "text",
    [
        "https://pccs.example:8081",
        " https://pccs.example:8081/\n",
        # As sgx_default_qcnl.conf of Intel's library has it.
        "https://pccs.example:8081/sgx/certification/v4/",
    ],
)
def test_a_cache_of_intels(text: str) -> None:
    urls = named({"WASMTIME_ATTESTATION_INTEL_PCS_URL": text})
    assert urls.intel_pcs == "https://pccs.example:8081"
    assert not urls.is_own("intel_pcs")
    assert urls.is_own("amd_kds")


def test_an_empty_variable_is_none() -> None:
    assert named({"WASMTIME_ATTESTATION_AMD_KDS_URL": ""}) == VENDORS


@pytest.mark.parametrize(
    "text", ["kds", "ftp://a", "https://", "https://u:p@a", "https://a?b", "https://a:x", "//a"]
)
def test_no_address(text: str) -> None:
    with pytest.raises(
        InvalidArgumentError, match=r"WASMTIME_ATTESTATION_NVIDIA_RIM_URL: .* is no ad"
    ):
        named({"WASMTIME_ATTESTATION_NVIDIA_RIM_URL": text})


@pytest.mark.parametrize(
    ("kind", "name", "url"),
    [
        (
            TokenKind.NRAS,
            "https://nras.attestation.nvidia.com",
            "https://nras.attestation.nvidia.com/.well-known/jwks.json",
        ),
        (
            TokenKind.MAA,
            "https://sharedeus.eus.attest.azure.net",
            "https://sharedeus.eus.attest.azure.net/certs",
        ),
        (
            TokenKind.ITA,
            "Intel Trust Authority",
            "https://portal.trustauthority.intel.com/certs",
        ),
        (
            TokenKind.ITA,
            "https://portal.eu.trustauthority.intel.com",
            "https://portal.eu.trustauthority.intel.com/certs",
        ),
    ],
)
def test_where_keys_are(kind: TokenKind, name: str, url: str) -> None:
    question = jwks.keys(kind, name, None)
    assert question is not None
    assert question.url == url


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (TokenKind.EAR, "https://verifier.example"),
        (TokenKind.MAA, "http://sharedeus.eus.attest.azure.net"),
        (TokenKind.MAA, "https://a/b"),
        (TokenKind.MAA, "https://a@b"),
        (TokenKind.ITA, "somebody"),
        (TokenKind.ITA, ""),
    ],
)
def test_names_that_lead_nowhere(kind: TokenKind, name: str) -> None:
    assert jwks.keys(kind, name, None) is None

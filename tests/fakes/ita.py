"""A miniature of Intel Trust Authority: its own key, both versions of its tokens."""

from __future__ import annotations

import base64
import hashlib

from tests.fakes import jose
from tests.fakes.jose import Members, Signer, rsa_key
from tests.fakes.token import NOW

ISSUER = "Intel Trust Authority"
SIGNER = Signer(rsa_key(61), "PS384", "trust-authority")
RS256 = Signer(rsa_key(61), "RS256", "trust-authority")
VALUE, ISSUED = bytes(range(40)), b"2026-03-01 00:00:00"
HELD = bytes(range(64))
POLICY, OTHER = "1d0f0a2e-0000-4000-8000-000000000001", "1d0f0a2e-0000-4000-8000-000000000002"


def keys() -> bytes:
    """The portal's /certs."""
    return jose.jwks(SIGNER.jwk)


def text(data: bytes) -> str:
    """Returns base64."""
    return base64.b64encode(data).decode()


def nonce() -> Members:
    """The service's nonce, which it gave and signed before."""
    return {"val": text(VALUE), "iat": text(ISSUED), "signature": text(b"signature")}


def report_data(data: bytes = HELD) -> str:
    """What the TD's report carries."""
    return hashlib.sha512(VALUE + ISSUED + data).hexdigest()


def times() -> Members:
    """Times of a token, who issued it, and what every token has."""
    return {
        "iss": ISSUER,
        "ver": "2.0.0",
        "iat": NOW,
        "nbf": NOW,
        "exp": NOW + 300,
        "jti": "b",
        "eat_profile": "https://portal.trustauthority.intel.com/eat_profile.html",
        "intuse": "generic",
        "verifier_instance_ids": ["one"],
    }


def matched(*ids: str) -> list[Members]:
    """Returns policies as the token lists them."""
    return [{"id": id_, "version": "v1", "hash": "AAAA"} for id_ in ids]


def tdx() -> Members:
    """Returns what is said of a TDX quote."""
    return {
        "attester_type": "TDX",
        "attester_tcb_status": "UpToDate",
        "attester_held_data": text(HELD),
        "dbgstat": "disabled",
        "tdx_is_debuggable": False,
        "tdx_td_attributes_debug": False,
        **{f"tdx_rtmr{n}": f"{n:02x}" * 48 for n in range(4)},
        "tdx_mrtd": "ab" * 48,
        "tdx_mrseam": "05" * 48,
        "tdx_report_data": report_data(),
        "tdx_collateral": {"quotehash": "00"},
        "verifier_nonce": nonce(),
    }


def gpu() -> Members:
    """Returns what is said of a GPU."""
    return {
        "attester_type": "NVGPU",
        "x-nvidia-overall-att-result": True,
        "claim_details": {
            "GPU-0": {
                "hwmodel": "GH100",
                "secboot": True,
                "dbgstat": "disabled",
                "measres": "success",
            }
        },
    }


def version_1() -> Members:
    """Returns right claims of version 1."""
    return times() | tdx() | {"policy_ids_matched": matched(POLICY)}


def version_2() -> Members:
    """Returns right claims of version 2, about a TD and a GPU."""
    return times() | {"tdx": tdx(), "nvgpu": gpu(), "policy_ids_matched": matched(POLICY)}

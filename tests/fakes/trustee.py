"""Miniature Verifiers that issue EARs: one as Trustee is, one after the current draft."""

from __future__ import annotations

from tests.fakes import jose
from tests.fakes.jose import Members, Signer, p256, p384
from tests.fakes.token import NOW, encode

TRUSTEE = Signer(p256(7001), "ES256", None)
CURRENT = Signer(p384(7002), "ES384", "verifier")
NONCE = bytes(range(16))
CURRENT_PROFILE = "tag:ietf.org,2026:rats/ear#03"


def sign_former(claims: Members) -> str:
    """Signs as Trustee does: its key stands in the header, and nobody should ask it there."""
    return TRUSTEE.sign(claims, TRUSTEE.header | {"jwk": jose.numbers(TRUSTEE.key)})


def former(status: str = "affirming", vector: Members | None = None) -> Members:
    """Returns right claims as Trustee writes them: no issuer, no nonce."""
    return {
        "eat_profile": "tag:github.com,2024:confidential-containers/Trustee",
        "iat": NOW,
        "exp": NOW + 300,
        "ear.verifier-id": {"developer": "https://confidentialcontainers.org", "build": "v0.16"},
        "submods": {
            "cpu0": {
                "ear.status": status,
                "ear.trustworthiness-vector": vector
                or {"executables": 3, "hardware": 2, "configuration": 2},
                "ear.appraisal-policy-id": "default",
                "ear.veraison.annotated-evidence": {
                    "report_data": "00" * 64,
                    "runtime_data_claims": {"nonce": "AAAA"},
                    "tdx": {"quote": {"body": {"mr_td": "ab" * 48, "rtmr_0": "01" * 48}}},
                },
            }
        },
    }


def current(status: str = "affirming", vector: Members | None = None) -> Members:
    """Returns right claims of the current draft."""
    return {
        "eat_profile": CURRENT_PROFILE,
        "iss": "https://verifier.example",
        "iat": NOW,
        "exp": NOW + 300,
        "eat_nonce": encode(NONCE),
        "ear_verifier_id": {"developer": "somebody", "build": "1"},
        "submods": {
            "cpu0": {
                "ear_status": status,
                "ear_trustworthiness_vector": vector or {"hardware": 2, "runtime-opaque": 2},
                "ear_appraisal_policy_ids": ["policy://one"],
            }
        },
    }

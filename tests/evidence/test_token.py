"""The members of an evidence token's payload."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasmtime_attestation.evidence.envelope import (
    EndorsementType,
    Evidence,
    EvidenceType,
    RawEndorsement,
)
from wasmtime_attestation.evidence.token import Binding, EvidenceToken, KeyPoint

POINT = KeyPoint(bytes(range(48)), bytes(range(48, 96)))
EVIDENCE = Evidence(
    EvidenceType.AMD_SEV_SNP,
    b"report",
    (
        RawEndorsement(EndorsementType.CERTIFICATE, b"certificate"),
        RawEndorsement(EndorsementType.CRL, b""),
    ),
)
TOKEN = EvidenceToken(
    profile="profile",
    issued_at=1000,
    expires_at=1300,
    not_before=None,
    nonce=b"\xff" * 8,
    key=POINT,
    audience=None,
    guest_digest=None,
    user_data=None,
    evidence=(EVIDENCE,),
)
# Written out by hand: the coordinates are 0, 1, 2 … in base64url.
PAYLOAD = {
    "eat_profile": "profile",
    "iat": 1000,
    "exp": 1300,
    "eat_nonce": "__________8",
    "cnf": {
        "jwk": {
            "crv": "P-384",
            "kty": "EC",
            "x": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v",
            "y": "MDEyMzQ1Njc4OTo7PD0-P0BBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWltcXV5f",
        }
    },
    "evidence": [
        {
            "type": "amd-sev-snp",
            "data": "cmVwb3J0",
            "endorsements": [
                {"type": "x509-certificate", "data": "Y2VydGlmaWNhdGU"},
                {"type": "x509-crl", "data": ""},
            ],
        }
    ],
}


def test_a_payload_is_written_as_documented() -> None:
    assert TOKEN.to_payload() == PAYLOAD


def test_optional_members_are_there_only_where_they_have_a_value() -> None:
    token = replace(TOKEN, not_before=0, audience="ä", guest_digest=bytes(32), user_data=b"")
    assert token.to_payload() == PAYLOAD | {
        "nbf": 0,
        "aud": "ä",
        "guest_digest": "A" * 43,
        "user_data": "",
    }


def test_the_document_has_every_claim() -> None:
    document = (Path(__file__).parents[2] / "docs" / "token.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z_]+)` \| (required|optional) \|", document, re.MULTILINE)
    required = {name for name, presence in rows if presence == "required"}
    assert required == set(PAYLOAD)
    everything = replace(TOKEN, not_before=0, audience="a", guest_digest=bytes(32), user_data=b"")
    assert {name for name, _ in rows} == set(everything.to_payload())
    for name in required:
        with pytest.raises(ValueError, match=f"lacks {name}"):
            EvidenceToken.from_payload({k: v for k, v in TOKEN.to_payload().items() if k != name})


TIMES = st.integers(0, 2**53 - 1)
TOKENS = st.builds(
    EvidenceToken,
    profile=st.text(),
    issued_at=TIMES,
    expires_at=TIMES,
    not_before=st.none() | TIMES,
    nonce=st.binary(min_size=8, max_size=64),
    key=st.builds(
        KeyPoint,
        st.binary(min_size=48, max_size=48),
        st.binary(min_size=48, max_size=48),
    ),
    audience=st.none() | st.text(min_size=1, max_size=64),
    guest_digest=st.none() | st.binary(min_size=32, max_size=32),
    user_data=st.none() | st.binary(max_size=100),
    evidence=st.lists(
        st.builds(
            Evidence,
            st.just(EvidenceType.AMD_SEV_SNP),
            st.binary(),
            st.lists(
                st.builds(RawEndorsement, st.sampled_from(EndorsementType), st.binary()), max_size=3
            ).map(tuple),
        ),
        max_size=3,
    ).map(tuple),
)


@given(TOKENS)
def test_what_is_written_is_read_back(token: EvidenceToken) -> None:
    assert EvidenceToken.from_payload(token.to_payload()) == token


@pytest.mark.parametrize("name", ["iat", "exp", "nbf", "aud", "guest_digest", "user_data"])
def test_null_is_not_absent(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        EvidenceToken.from_payload(TOKEN.to_payload() | {name: None})


def test_a_thumbprint_counts_what_rfc_7638_requires_in_its_order() -> None:
    assert list(POINT.to_jwk()) == ["crv", "kty", "x", "y"]


def test_a_binding_has_all_that_a_token_says_about_the_evidence() -> None:
    assert [field.name for field in fields(Binding)] == [
        "profile",
        "nonce",
        "key_thumbprint",
        "guest_digest",
        "user_data",
        "audience",
    ]

"""The claims of an evidence token: each strictly of its kind, within its bounds, and no other."""

from __future__ import annotations

import json
from typing import Any

import pytest
from wasmtime_attestation.errors import RejectedError

from tests.fakes.token import NOW, PROFILE, Forger, encode, serialise, without
from tests.verifier import relying_party
from tests.verifier.relying_party import verify

HOST = Forger()


def rejected(payload: object) -> RejectedError:
    """Signs a token with a payload and returns why it is rejected."""
    return relying_party.rejected(HOST.sign(payload))


def rejected_with(**claims: object) -> RejectedError:
    """Does so with right claims, but these."""
    return rejected(HOST.payload() | claims)


@pytest.mark.parametrize("name", ["iat", "exp", "eat_nonce", "cnf", "evidence"])
def test_what_must_be_there(name: str) -> None:
    error = rejected(without(HOST.payload(), name))
    assert error.findings[0].check == "token.format"
    assert f"the payload lacks {name}" in error.message


@pytest.mark.parametrize(
    "name", ["iss", "sub", "jti", "nonce", "eat_profil", "AUD", "submods", "dbgstat", ""]
)
def test_what_the_profile_does_not_know_is_rejected(name: str) -> None:
    error = rejected_with(**{name: "1"})
    assert error.findings[0].check == "token.format"
    assert f'members that the profile does not know: ["{name}"]' in error.message


@pytest.mark.parametrize(
    "profile", [None, "", 1, [PROFILE], PROFILE[:-1] + "2", PROFILE + " ", PROFILE.upper()]
)
def test_the_profile_is_ours(profile: object) -> None:
    error = rejected_with(eat_profile=profile)
    assert error.findings[0].check == "token.profile"
    assert f"only {PROFILE} is accepted" in error.message


@pytest.mark.parametrize("name", ["iat", "exp", "nbf"])
@pytest.mark.parametrize(
    "value",
    [True, False, None, "", str(NOW), [NOW], {}, -1, -NOW, 2**53, 2**63, 2**64 - 1],
)
def test_times_are_whole_seconds(name: str, value: object) -> None:
    error = rejected_with(**{name: value})
    assert error.findings[0].check == "token.format"
    assert f"{name} is no whole number of seconds since 1970" in error.message


@pytest.mark.parametrize("name", ["iat", "exp"])
@pytest.mark.parametrize("number", ["1.0", "1e9", "-0.0", "NaN", "Infinity", "-Infinity", "1E400"])
def test_times_are_no_floating_point_numbers(name: str, number: str) -> None:
    text = serialise(HOST.payload() | {name: "@"}).replace(b'"@"', number.encode())
    error = rejected(text)
    assert error.findings[0].check == "token.format"
    assert f"{number} is not an integer" in error.message


@pytest.mark.parametrize("number", ["9" * 21, "9" * 5000, "-" + "9" * 19, "18446744073709551616"])
def test_times_are_no_huge_numbers(number: str) -> None:
    text = serialise(HOST.payload() | {"exp": "@"}).replace(b'"@"', number.encode())
    assert "a JSON number is out of range" in rejected(text).message


@pytest.mark.parametrize("lifetime", [1, 11, 3600])
def test_a_life_of_up_to_an_hour_is_accepted(lifetime: int) -> None:
    payload = HOST.payload(iat=NOW + 10)
    verify(HOST.sign(payload | {"exp": NOW + 10 + lifetime}))


@pytest.mark.parametrize("lifetime", [3601, 2**40, 0, -1, -3600])
def test_another_life_is_not(lifetime: int) -> None:
    error = rejected(HOST.payload(iat=NOW + 10) | {"exp": NOW + 10 + lifetime})
    assert error.findings[0].check == "token.time"
    assert "iat to exp is not 1 to 3600 seconds" in error.message


# Tokens are verified 10 s after NOW; a clock may be 60 s ahead, and none is behind.
@pytest.mark.parametrize("iat", [NOW - 289, NOW, NOW + 10, NOW + 70])
def test_it_is_valid_from_its_issue_to_its_expiry(iat: int) -> None:
    verify(HOST.sign(HOST.payload(iat=iat)))


@pytest.mark.parametrize(
    ("iat", "says"),
    [(NOW - 290, "expired 0 s ago"), (NOW - 291, "expired 1 s"), (NOW + 71, "begins in 61 s")],
)
def test_it_is_not_valid_before_or_after(iat: int, says: str) -> None:
    error = rejected(HOST.payload(iat=iat))
    assert error.findings[0].check == "token.time"
    assert says in error.message


def test_nbf_may_delay_but_not_advance_the_beginning() -> None:
    verify(HOST.sign(HOST.payload() | {"nbf": NOW + 70}))
    assert "begins in 61 s" in rejected(HOST.payload() | {"nbf": NOW + 71}).message
    assert "begins in 61 s" in rejected(HOST.payload(iat=NOW + 71) | {"nbf": 0}).message


@pytest.mark.parametrize("size", [8, 32, 64])
def test_nonces_of_8_to_64_bytes_are_accepted(size: int) -> None:
    assert verify(HOST.token(bytes(size))).token.nonce == bytes(size)


@pytest.mark.parametrize("size", [0, 1, 7, 65, 1000])
def test_nonces_of_another_size_are_not(size: int) -> None:
    error = rejected_with(eat_nonce=encode(bytes(size)))
    assert f"eat_nonce has {size} bytes, not 8 to 64" in error.message


@pytest.mark.parametrize("name", ["eat_nonce", "guest_digest", "user_data"])
@pytest.mark.parametrize("value", [None, 0, True, [], {}, ["AAAAAAAAAAA"]])
def test_byte_strings_are_strings(name: str, value: object) -> None:
    assert f"{name} cannot be read: {name} is no string" in rejected_with(**{name: value}).message


@pytest.mark.parametrize(
    "text",
    [
        "AAAAAAAAAAA=",  # padded
        "AAAAAAAAAAB",  # bits beyond the last byte
        "AAAAAAAAA",  # one character too many or three too few
        "AAAA+AAA/AAA",  # the other alphabet
        "AAAA AAAAAAA",
        "AAAAAAAAAAA\n",
        "AAAAAAAAAA\u00e9",
        "\uff21AAAAAAAAAA",  # a full-width A
    ],
)
def test_byte_strings_are_canonical_base64url(text: str) -> None:
    error = rejected_with(eat_nonce=text)
    assert error.findings[0].check == "token.format"
    assert "eat_nonce cannot be read" in error.message


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_guest_digest_is_32_bytes(size: int) -> None:
    error = rejected_with(guest_digest=encode(bytes(size)))
    assert f"guest_digest has {size} bytes, not 32 to 32" in error.message


def test_user_data_has_up_to_4096_bytes() -> None:
    verify(HOST.sign(HOST.payload(user_data=bytes(4096))))
    assert "user_data has 4097 bytes" in rejected(HOST.payload(user_data=bytes(4097))).message


@pytest.mark.parametrize("audience", ["a", "a" * 256, "\u00e9" * 128, " ", "\u202e"])
def test_audiences_of_up_to_256_bytes_are_accepted(audience: str) -> None:
    assert verify(HOST.sign(HOST.payload(audience=audience))).token.audience == audience


@pytest.mark.parametrize("audience", ["", "a" * 257, "\u00e9" * 129])
def test_audiences_of_another_size_are_not(audience: str) -> None:
    assert "aud has no 1 to 256 bytes" in rejected(HOST.payload(audience=audience)).message


@pytest.mark.parametrize("audience", [None, [], ["somebody"], {}, 1, True])
def test_an_audience_is_one_string(audience: object) -> None:
    assert "aud is no string" in rejected_with(aud=audience).message


@pytest.mark.parametrize("value", [None, {}, "", 0, [None], [[]], ["AAAA"]])
def test_evidence_is_an_array_of_objects(value: object) -> None:
    error = rejected_with(evidence=value)
    assert error.findings[0].check == "token.format"


@pytest.mark.parametrize(
    ("count", "says"), [(0, "carries no evidence"), (2, "one machine"), (16, "one machine")]
)
def test_evidence_of_one_machine_is_expected(count: int, says: str) -> None:
    payload = HOST.payload()
    error = rejected(payload | {"evidence": payload["evidence"] * count})
    assert error.findings[0].check == "token.evidence"
    assert says in error.message


def test_evidence_is_bounded() -> None:
    payload = HOST.payload()
    error = rejected(payload | {"evidence": payload["evidence"] * 17})
    assert "evidence is no array of at most 16 items" in error.message


@pytest.mark.parametrize(
    ("member", "value", "says"),
    [
        ("type", "arm-cca", 'evidence.type is "arm-cca"; known are amd-sev-snp, intel-tdx'),
        ("type", "AMD-SEV-SNP", 'evidence.type is "AMD-SEV-SNP"'),
        ("type", "x" * 100_000, 'evidence.type is "xxx'),
        ("type", None, "evidence.type is null"),
        ("type", ["amd-sev-snp"], 'evidence.type is ["amd-sev-snp"]'),
        ("data", None, "evidence.data is no string"),
        ("data", "====", "evidence.data cannot be read"),
        ("data", "", "it has 0 bytes, not 1184"),
        ("endorsements", None, "endorsements is no array of at most 64 items"),
        ("endorsements", {}, "endorsements is no array of at most 64 items"),
        ("endorsements", [{}] * 65, "endorsements is no array of at most 64 items"),
        ("endorsements", [None], "endorsement is no JSON object"),
        ("endorsements", [{}], "endorsement lacks data, type"),
        ("endorsements", [{"type": "pem", "data": ""}], 'endorsement.type is "pem"'),
        ("endorsements", [{"type": "x509-certificate", "data": 0}], "endorsement.data is no"),
        ("surplus", 0, 'evidence has members that the profile does not know: ["surplus"]'),
    ],
)
def test_evidence_that_is_malformed(member: str, value: object, says: str) -> None:
    payload = HOST.payload()
    payload["evidence"][0][member] = value
    error = rejected(payload)
    assert says in error.message
    assert len(error.message) < 400


@pytest.mark.parametrize("type_", ["x509-certificate", "x509-crl"])
@pytest.mark.parametrize("data", ["", "AAAA", encode(b"0" * 500), encode(b"\x30\x82\x01\x00")])
def test_an_endorsement_that_is_no_certificate(type_: str, data: str) -> None:
    payload = HOST.payload()
    payload["evidence"][0]["endorsements"].append({"type": type_, "data": data})
    error = rejected(payload)
    assert error.findings[0].check == "evidence.endorsements"
    assert "an endorsement cannot be read" in error.message


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (b"", "Expecting value"),
        (b"[]", "its payload is no JSON object"),
        (b"0", "its payload is no JSON object"),
        (b"\xef\xbb\xbf{}", "BOM"),
        (b'{"a":' * 40 + b"0" + b"}" * 40, "nested deeper than 32"),
        # Brackets within strings must not hide how deep the rest is nested.
        (b'{"a":"' + b"]" * 90_000 + b'","b":' + b"[" * 90_000 + b"]" * 90_000 + b"}", "nested"),
        (b'["]",' * 50_000 + b"0" + b"]" * 50_000, "nested deeper than 32"),
        (b'{"a":{"b":1,"b":1}}', "duplicate member"),
        (b'{"a":[{"b":1,"\\u0062":1}]}', "duplicate member"),
    ],
)
def test_a_payload_that_is_no_strict_json_object(payload: bytes, says: str) -> None:
    error = rejected(payload)
    assert error.findings[0].check == "token.format"
    assert says in error.message


def test_a_payload_of_more_than_a_mebibyte_is_refused_unread() -> None:
    error = rejected(b"[" * (1 << 20))
    assert "characters; 1048576 is the limit" in error.message


def test_a_large_payload_of_our_profile_is_rejected_for_what_it_holds() -> None:
    surplus: dict[str, Any] = {f"claim {n}": "x" * 60 for n in range(8000)}
    error = rejected(json.dumps(HOST.payload() | surplus).encode())
    assert "members that the profile does not know" in error.message
    assert len(error.message) < 300

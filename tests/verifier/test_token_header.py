"""The header of an evidence token: nothing in it decides how the token is checked."""

from __future__ import annotations

import pytest
from wasmtime_attestation.errors import RejectedError

from tests.fakes.token import Forger, encode, serialise, without
from tests.verifier import relying_party
from tests.verifier.relying_party import verify

HOST = Forger()
HEADER = HOST.header


def rejected(header: object) -> RejectedError:
    """Signs a token with a header and returns why it is rejected."""
    return relying_party.rejected(HOST.sign(HOST.payload(), header))


def test_the_order_of_its_members_means_nothing() -> None:
    verify(HOST.sign(HOST.payload(), dict(reversed(HEADER.items()))))


ALGORITHMS = ("none", "NONE", "", "HS256", "HS384", "ES256", "ES512", "es384", "ES384 ", "RS256")


@pytest.mark.parametrize(
    "algorithm", [*ALGORITHMS, None, 0, True, [], ["ES384"], {"ES384": 1}], ids=repr
)
def test_the_algorithm_is_es384(algorithm: object) -> None:
    error = rejected(HEADER | {"alg": algorithm})
    assert error.findings[0].check == "token.profile"
    assert "alg is " in error.message
    assert "only ES384 is accepted" in error.message


@pytest.mark.parametrize("name", ["alg", "typ"])
def test_what_must_be_there(name: str) -> None:
    error = rejected(without(HEADER, name))
    assert error.findings[0].check == "token.profile"
    assert f"{name} is null" in error.message


@pytest.mark.parametrize(
    "type_", ["JWT", "EAT+JWT", "eat+cwt", "application/eat+jwt", "eat+jwt\0", "", None, 1, []]
)
def test_the_type_is_that_of_a_signed_eat(type_: object) -> None:
    error = rejected(HEADER | {"typ": type_})
    assert error.findings[0].check == "token.profile"
    assert "only eat+jwt is accepted" in error.message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("crit", ["exp"]),
        ("crit", []),
        ("b64", False),
        ("b64", True),
        ("jku", "https://keys.example/jwks.json"),
        ("jwk", HOST.jwk),
        ("x5u", "https://keys.example/chain.pem"),
        ("x5c", ["AAAA"]),
        ("x5t#S256", encode(bytes(32))),
        ("cty", "JWT"),
        ("zip", "DEF"),
        ("enc", "A256GCM"),
        ("nonce", "AAAA"),
        ("", 0),
    ],
)
def test_nothing_else_may_be_there(name: str, value: object) -> None:
    error = rejected(HEADER | {name: value})
    assert error.findings[0].check == "token.profile"
    assert f'the header has ["{name}"]' in error.message


def test_b64_false_is_rejected_where_it_is_declared_critical() -> None:
    error = rejected(HEADER | {"b64": False, "crit": ["b64"]})
    assert 'the header has ["b64", "crit"]' in error.message


@pytest.mark.parametrize(
    "kid",
    [
        None,
        "",
        "1",
        1,
        [encode(HOST.thumbprint)],
        encode(HOST.thumbprint) + "=",
        encode(HOST.thumbprint).lower(),
        encode(Forger(2000).thumbprint),
        HOST.thumbprint.hex(),
    ],
)
def test_the_key_id_is_the_thumbprint_of_the_key(kid: object) -> None:
    error = rejected(HEADER | {"kid": kid})
    assert error.findings[0].check == "token.key"
    assert "kid is not the thumbprint" in error.message


def test_a_key_id_must_be_there() -> None:
    assert rejected(without(HEADER, "kid")).findings[0].check == "token.key"


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (b"", "Expecting value"),
        (b"[]", "its header is no JSON object"),
        (b"null", "its header is no JSON object"),
        (b'"ES384"', "its header is no JSON object"),
        (b"{", "Expecting property name"),
        (b"\xff", "invalid start byte"),
        (b"\xef\xbb\xbf" + serialise(HEADER), "BOM"),
        (serialise(HEADER).decode().encode("utf-16"), "can't decode byte"),
        (serialise(HEADER) + b"{}", "Extra data"),
        (serialise(HEADER) + b"\0", "Extra data"),
        (b"'" + serialise(HEADER)[1:], "Expecting value"),
        (serialise(HEADER).replace(b'"alg"', b'"\\u0061lg":"none","alg"'), "duplicate member"),
        (serialise(HEADER).replace(b'"kid":"', b'"kid":"\\ud800'), "surrogates not allowed"),
        (serialise(HEADER).replace(b'"kid":"', b'"kid":"\n'), "Invalid control character"),
        (serialise(HEADER | {"kid": 0}).replace(b":0", b":1.0"), "1.0 is not an integer"),
        (serialise(HEADER | {"kid": 0}).replace(b":0", b":1e0"), "1e0 is not an integer"),
        (serialise(HEADER | {"kid": 0}).replace(b":0", b":NaN"), "NaN is not an integer"),
        (b"[" * 100_000, "nested deeper than 32"),
    ],
)
def test_it_is_one_strict_json_object(header: bytes, says: str) -> None:
    error = rejected(header)
    assert error.findings[0].check == "token.format"
    assert "this is no evidence token: its header" in error.message
    assert says in error.message


def test_white_space_within_it_is_the_issuers_business() -> None:
    verify(HOST.sign(HOST.payload(), b" " + serialise(HEADER).replace(b",", b" ,\r\n\t") + b"\n"))


@pytest.mark.parametrize("name", ["alg", "typ", "surplus"])
def test_a_message_does_not_grow_with_what_the_token_holds(name: str) -> None:
    error = rejected(HEADER | {name: "\x1b[2J\u202e" * 10_000, "surplus" * 10_000: 0})
    assert len(error.message) < 300
    assert error.message.isascii()
    assert error.message.isprintable()

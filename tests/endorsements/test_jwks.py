"""Issuers' keys are read strictly: one meaning, nothing secret, no key that is weak."""

from __future__ import annotations

import contextlib
import json
import pickle
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from wasmtime_attestation.endorsements import jwks
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.jwa import Algorithm
from wasmtime_attestation.endorsements.jwks import MAX_KEYS, JwkSet
from wasmtime_attestation.errors import InvalidArgumentError
from wasmtime_attestation.verifier.jws import verify_jws

from tests.fakes import jose
from tests.fakes.jose import Members, Private, Signer, numbers, p256, p384, rsa_key, x5c
from tests.fakes.token import encode, serialise

ELLIPTIC = numbers(p256())
RSA = numbers(rsa_key())


def read(*keys: object) -> JwkSet:
    return jwks.decode(serialise({"keys": list(keys)}))


def refusal(*keys: object) -> str:
    with pytest.raises(ValueError) as caught:
        read(*keys)
    return str(caught.value)


@pytest.mark.parametrize("key", [p256(), p384(), rsa_key()], ids=["P-256", "P-384", "RSA"])
def test_a_key_is_read_from_its_numbers(key: Private) -> None:
    (jwk,) = read(numbers(key) | {"kid": "one", "use": "sig"}).keys
    assert jwk.key.public_numbers() == key.public_key().public_numbers()
    assert (jwk.key_id, jwk.chain) == ("one", ())


@pytest.mark.parametrize("key", [p256(), p384(), rsa_key()], ids=["P-256", "P-384", "RSA"])
def test_a_key_is_read_from_its_certificate_alone(key: Private) -> None:
    """As Azure Attestation's keys are: `kid`, `kty` and `x5c`."""
    kty = numbers(key)["kty"]
    certificate = jose.certificate(key, "leaf")
    (jwk,) = read({"kid": "one", "kty": kty, "x5c": x5c(certificate)}).keys
    assert jwk.key.public_numbers() == key.public_key().public_numbers()
    assert jwk.chain == (certificate,)


def test_numbers_and_certificate_are_the_same_key() -> None:
    certificate = jose.certificate(p256(), "leaf")
    read(ELLIPTIC | {"x5c": x5c(certificate)})
    assert "another key" in refusal(numbers(p256(5)) | {"x5c": x5c(certificate)})
    assert "another kind" in refusal({"kty": "RSA", "x5c": x5c(certificate)})


def test_a_single_jwk_and_a_public_key_in_pem() -> None:
    point = p256().public_key().public_numbers()
    pem = p256().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for data in (json.dumps(ELLIPTIC).encode(), pem, b"\n" + pem + pem):
        (jwk,) = jwks.decode(data).keys
        assert jwk.key.public_numbers() == point


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"x": ELLIPTIC["y"]}, ""),
        ({"x": encode(bytes(32)), "y": encode(bytes(32))}, ""),
        ({"x": encode(b"\xff" * 32)}, ""),
        ({"x": encode(bytes(31))}, "not 32 bytes"),
        ({"x": encode(bytes(33))}, "not 32 bytes"),
        ({"x": ELLIPTIC["x"] + "="}, "x cannot be read"),
        ({"x": None}, "x is no string"),
        ({"crv": "P-384"}, "not 48 bytes"),
        ({"crv": None}, "crv is null"),
        ({"kid": 5}, "kid is 5"),
        ({"kid": ""}, "kid is"),
        ({"kid": "k" * 257}, "kid is"),
        ({"use": 1}, "use is 1"),
        ({"alg": []}, "alg is []"),
        ({"key_ops": "verify"}, "key_ops is no array"),
        ({"x5c": []}, "x5c is no array of 1 to 10"),
        ({"x5c": "MIIB"}, "x5c is no array"),
        ({"x5c": ["MIIB"]}, ""),
        ({"x5c": ["MIIB!"]}, "no base64"),
        ({"x5c": ["M"]}, "no base64"),
        ({"x5c": ["\u00e9"]}, "no base64"),
        ({"x5c": [5]}, "no string"),
        ({"x5c": ["AAAA"] * 11}, "1 to 10"),
        ({"d": "AAAA"}, "a secret key"),
        ({"k": "AAAA"}, "a secret key"),
    ],
    ids=repr,
)
def test_an_unfit_elliptic_key(change: Members, says: str) -> None:
    assert "key 0: " in refusal(ELLIPTIC | change)
    assert says in refusal(ELLIPTIC | change)
    assert "key 1: " in refusal(RSA, ELLIPTIC | change)


def rsa_members(bits: int, exponent: int = 65537) -> Members:
    """Returns a modulus of a size; nobody asks whether it has factors."""
    n = (1 << (bits - 1)) | 1
    size = (exponent.bit_length() + 7) // 8
    return {
        "kty": "RSA",
        "n": encode(n.to_bytes((bits + 7) // 8, "big")),
        "e": encode(exponent.to_bytes(size, "big")),
    }


@pytest.mark.parametrize("bits", [1024, 2047, 8193, 16384])
def test_rsa_keys_of_other_sizes(bits: int) -> None:
    refusal(rsa_members(bits))


@pytest.mark.parametrize("exponent", [1, 2, 3, 17, 65535, 65536, 65538, (1 << 32) + 1, 1 << 2000])
def test_rsa_exponents_that_are_unfit(exponent: int) -> None:
    refusal(rsa_members(2048, exponent))


def test_rsa_keys_of_fitting_sizes() -> None:
    for bits, exponent in ((2048, 65537), (3072, 65537), (8192, 65537), (2048, (1 << 32) - 1)):
        assert len(read(rsa_members(bits, exponent)).keys) == 1


def test_rsa_numbers_are_minimal() -> None:
    n = rsa_key().public_key().public_numbers().n
    for change in (
        {"n": encode(b"\0" + n.to_bytes(256, "big"))},
        {"e": encode(b"\0\1\0\1")},
        {"n": ""},
        {"e": ""},
        {"e": 65537},
    ):
        refusal(RSA | change)


def test_a_weak_key_is_refused_in_a_certificate_too() -> None:
    weak = jose.rsa_key(bits=1024)
    assert "1024 bits" in refusal({"kty": "RSA", "x5c": x5c(jose.certificate(weak, "leaf"))})


def test_kinds_that_nobody_uses_are_left_out() -> None:
    unknown: list[Members] = [
        {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"},
        {"kty": "EC", "crv": "P-521", "x": "AAAA", "y": "AAAA"},
        {"kty": "EC", "crv": "secp256k1", "x": "AAAA", "y": "AAAA"},
        {"kty": "future"},
        {},
    ]
    assert len(read(*unknown, ELLIPTIC).keys) == 1
    assert "no RSA key" in refusal(*unknown)
    assert "no RSA key" in refusal()


def test_a_shared_secret_is_refused() -> None:
    assert "secret key" in refusal({"kty": "oct", "k": "AAAA"}, ELLIPTIC)


def test_one_kid_names_one_key() -> None:
    assert "one kid names two keys" in refusal(ELLIPTIC | {"kid": "a"}, RSA | {"kid": "a"})
    assert "one kid names two keys" in refusal(ELLIPTIC | {"kid": "a"}, ELLIPTIC | {"kid": "a"})
    assert len(read(ELLIPTIC, RSA).keys) == 2


def test_sets_are_joined() -> None:
    one, other = read(ELLIPTIC | {"kid": "a"}), read(RSA | {"kid": "b"})
    assert len((one + other + one).keys) == 2
    with pytest.raises(ValueError, match="one kid names two keys"):
        _ = one + read(RSA | {"kid": "a"})


def test_a_set_is_bounded() -> None:
    keys = [ELLIPTIC | {"kid": str(n)} for n in range(MAX_KEYS + 1)]
    assert len(read(*keys[:MAX_KEYS]).keys) == MAX_KEYS
    refusal(*keys)
    with pytest.raises(ValueError, match="101 keys"):
        _ = read(*keys[:MAX_KEYS]) + read(keys[MAX_KEYS])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b"null",
        b'{"keys":{}}',
        b'{"keys":[[]]}',
        b'{"keys":[],"keys":[]}',
        b'{"keys":[{"kty":"EC","kty":"EC"}]}',
        b'{"keys":' + b"[" * 50 + b"]" * 50 + b"}",
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        b"-----BEGIN PUBLIC KEY-----",
    ],
)
def test_what_is_no_set_of_keys(data: bytes) -> None:
    with pytest.raises(ValueError):
        jwks.decode(data)


def test_a_key_on_an_unknown_curve_in_pem() -> None:
    key = ec.generate_private_key(ec.SECP521R1()).public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(ValueError, match="P-256 or P-384"):
        jwks.decode(pem)


def test_keys_are_recognised_among_endorsements() -> None:
    found = Endorsements.from_files(
        [("keys.json", jose.jwks(ELLIPTIC | {"kid": "a"})), ("other", jose.jwks(RSA))]
    )
    assert [len(keys.keys) for keys in found.key_sets] == [1, 1]
    assert found
    with pytest.raises(InvalidArgumentError, match="broken: "):
        Endorsements.from_files([("broken", b'{"keys":[{"kty":"EC","x":"A"}]}')])


def test_a_key_of_a_certificate_verifies() -> None:
    signer = Signer(rsa_key(), "RS256", "maa")
    certificate = jose.certificate(rsa_key(), "self-signed")
    keys = read({"kty": "RSA", "kid": "maa", "x5c": x5c(certificate)})
    assert verify_jws(signer.sign({}), keys, [Algorithm.RS256]).key.chain == (certificate,)


JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
MEMBERS = st.sampled_from(["kty", "crv", "x", "y", "n", "e", "kid", "x5c", "use", "alg", "key_ops"])


@settings(max_examples=60)
@given(st.dictionaries(MEMBERS, JSON), st.sampled_from([ELLIPTIC, RSA, {}]))
def test_any_jwk_is_read_or_refused(change: Members, start: Members) -> None:
    with contextlib.suppress(ValueError):
        read(start | change)


@given(st.binary(max_size=60))
def test_any_bytes_are_refused(data: bytes) -> None:
    for start in (b"", b'{"keys":[', b"-----BEGIN PUBLIC KEY-----\n"):
        with pytest.raises(ValueError):
            jwks.decode(start + data)


def test_sets_are_pickled_for_other_processes() -> None:
    keys = read(
        ELLIPTIC | {"kid": "a", "x5c": x5c(jose.certificate(p256(), "leaf"))},
        RSA | {"alg": "PS384"},
    )
    again = pickle.loads(pickle.dumps(keys))  # noqa: S301
    assert again == keys
    assert again.content == keys.content
    assert [key.key.public_numbers() for key in again.keys] == [
        key.key.public_numbers() for key in keys.keys
    ]
    assert read(ELLIPTIC).content != read(ELLIPTIC | {"kid": "a"}).content

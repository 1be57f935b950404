"""The key in `cnf` and the signature made with it."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384

from tests.fakes.token import Claims, Forger, encode, recipe, without
from tests.verifier.relying_party import rejected, verify

HOST = Forger()
# SEC 2 section 2.5.1: the prime, the coefficient b and the order of P-384.
PRIME = 2**384 - 2**128 - 2**96 + 2**32 - 1
B = int(
    "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875a"
    "c656398d8a2ed19d2a85c8edd3ec2aef",
    16,
)
ORDER = int(
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf"
    "581a0db248b0a77aecec196accc52973",
    16,
)


def with_key(**members: object) -> str:
    """Returns a token whose key has other members; the signature is the host's."""
    return HOST.sign(HOST.payload() | {"cnf": {"jwk": HOST.jwk | members}})


def with_point(x: int, y: int) -> str:
    """Returns a token whose key is any pair of numbers, with the key id that belongs to it."""
    members: Claims = {"x": encode(x.to_bytes(48, "big")), "y": encode(y.to_bytes(48, "big"))}
    header = HOST.header | {"kid": encode(recipe("P-384", members["x"], members["y"]))}
    return HOST.sign(HOST.payload() | {"cnf": {"jwk": HOST.jwk | members}}, header)


def with_signature(signature: bytes | str) -> str:
    """Returns a right token but for its signature."""
    body = HOST.token().rpartition(".")[0]
    return f"{body}.{signature if isinstance(signature, str) else encode(signature)}"


@pytest.mark.parametrize(
    "confirmation",
    [
        None,
        {},
        [],
        "",
        {"jwk": None},
        {"jwk": {}},
        {"jwk": "AAAA"},
        {"jwk": [HOST.jwk]},
        {"kid": "1"},
        {"jwk": HOST.jwk, "kid": "1"},
        {"jwk": HOST.jwk, "x5t#S256": ""},
    ],
)
def test_the_confirmation_is_one_key(confirmation: object) -> None:
    error = rejected(HOST.sign(HOST.payload() | {"cnf": confirmation}))
    assert error.findings[0].check == "token.format"
    assert "cnf" in error.message


@pytest.mark.parametrize("name", ["kty", "crv", "x", "y"])
def test_what_a_key_must_have(name: str) -> None:
    error = rejected(HOST.sign(HOST.payload() | {"cnf": {"jwk": without(HOST.jwk, name)}}))
    assert f"cnf.jwk lacks {name}" in error.message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("d", encode(b"\x01" * 48)),  # a private key has no place in a token
        ("kid", "1"),
        ("use", "sig"),
        ("alg", "ES384"),
        ("key_ops", ["verify"]),
        ("x5c", []),
        ("k", ""),
    ],
)
def test_what_a_key_must_not_have(name: str, value: object) -> None:
    error = rejected(with_key(**{name: value}))
    assert error.findings[0].check == "token.format"
    assert f'cnf.jwk has members that the profile does not know: ["{name}"]' in error.message


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"crv": "P-256"}, "cnf.jwk is no P-384 key"),
        ({"crv": "p-384"}, "cnf.jwk is no P-384 key"),
        ({"crv": "secp384r1"}, "cnf.jwk is no P-384 key"),
        ({"crv": None}, "cnf.jwk is no P-384 key"),
        ({"kty": "RSA"}, "cnf.jwk is no P-384 key"),
        ({"kty": "oct"}, "cnf.jwk is no P-384 key"),
        ({"kty": ["EC"]}, "cnf.jwk is no P-384 key"),
        ({"x": 1}, "cnf.jwk.x is no string"),
        ({"y": None}, "cnf.jwk.y is no string"),
        ({"x": ""}, "coordinates that are not 48 bytes long"),
        ({"x": HOST.jwk["x"] + "AAAA"}, "coordinates that are not 48 bytes long"),
        ({"x": "AAAA" + HOST.jwk["x"]}, "coordinates that are not 48 bytes long"),
        ({"y": HOST.jwk["y"][:-4]}, "coordinates that are not 48 bytes long"),
        ({"y": HOST.jwk["y"] + "="}, "cnf.jwk.y cannot be read"),
    ],
)
def test_a_key_is_a_p384_key_in_its_one_form(members: Claims, says: str) -> None:
    error = rejected(with_key(**members))
    assert error.findings[0].check == "token.format"
    assert says in error.message


def test_a_p256_key_is_rejected() -> None:
    numbers = ec.derive_private_key(1000, ec.SECP256R1()).public_key().public_numbers()
    x, y = (encode(n.to_bytes(32, "big")) for n in (numbers.x, numbers.y))
    assert "no P-384 key" in rejected(with_key(crv="P-256", x=x, y=y)).message
    assert "not 48 bytes long" in rejected(with_key(x=x, y=y)).message


def a_host_whose_coordinate_begins_with_zero() -> Forger:
    # One key in 128 has such a coordinate; the first here is found at once, and always the same.
    for number in range(1, 2000):
        host = Forger(number)
        numbers = host.key.public_key().public_numbers()
        if min(numbers.x, numbers.y) >> 376 == 0:
            return host
    raise AssertionError("there is one")


def test_leading_zeros_of_coordinates_stay() -> None:
    host = a_host_whose_coordinate_begins_with_zero()
    verify(host.token())
    numbers = host.key.public_key().public_numbers()
    stripped = {
        name: encode(n.to_bytes((n.bit_length() + 7) // 8, "big"))
        for name, n in (("x", numbers.x), ("y", numbers.y))
    }
    header = host.header | {"kid": encode(recipe("P-384", stripped["x"], stripped["y"]))}
    token = host.sign(host.payload() | {"cnf": {"jwk": host.jwk | stripped}}, header)
    assert "coordinates that are not 48 bytes long" in rejected(token).message


# (0, sqrt b) is on the curve, and so is what a careless decoder reduces to it.
ROOT_OF_B = pow(B, (PRIME + 1) // 4, PRIME)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (0, 0),
        (1, 1),
        (PRIME, ROOT_OF_B),
        (0, PRIME),
        (2**384 - 1, 2**384 - 1),
    ],
)
def test_a_key_is_a_point_on_the_curve(x: int, y: int) -> None:
    error = rejected(with_point(x, y))
    assert error.findings[0].check == "token.key"
    assert "the key in cnf is no point on P-384" in error.message


def test_another_point_on_the_curve_made_no_signature() -> None:
    assert ROOT_OF_B**2 % PRIME == B
    assert rejected(with_point(0, ROOT_OF_B)).findings[0].check == "token.signature"
    numbers = HOST.key.public_key().public_numbers()
    negated = rejected(with_point(numbers.x, PRIME - numbers.y))
    assert negated.findings[0].check == "token.signature"


def test_a_signature_is_not_in_der() -> None:
    body = HOST.token().rpartition(".")[0]
    der = HOST.key.sign(body.encode(), ec.ECDSA(SHA384()))
    assert rejected(f"{body}.{encode(der)}").findings[0].check == "token.signature"


def test_a_signature_is_over_sha384() -> None:
    body = HOST.token().rpartition(".")[0]
    r, s = decode_dss_signature(HOST.key.sign(body.encode(), ec.ECDSA(SHA256())))
    raw = r.to_bytes(48, "big") + s.to_bytes(48, "big")
    assert rejected(f"{body}.{encode(raw)}").findings[0].check == "token.signature"


@pytest.mark.parametrize(
    ("r", "s"),
    [
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 1),
        (ORDER, ORDER),
        (ORDER, 1),
        (1, ORDER),
        (PRIME, PRIME),
        (2**384 - 1, 2**384 - 1),
    ],
)
def test_numbers_that_make_no_signature(r: int, s: int) -> None:
    error = rejected(with_signature(r.to_bytes(48, "big") + s.to_bytes(48, "big")))
    assert error.findings[0].check == "token.signature"


@pytest.mark.parametrize("size", [0, 1, 48, 95, 97, 144, 5000])
def test_a_signature_has_96_bytes(size: int) -> None:
    assert rejected(with_signature(bytes(size))).findings[0].check == "token.signature"


def test_parts_of_a_signature_in_other_sizes() -> None:
    body = HOST.token().rpartition(".")[0]
    raw = HOST.signature(body.encode())
    wider = b"\0" + raw[:48] + b"\0" + raw[48:]
    for signature in (wider, raw + raw, raw[48:] + raw[:48], raw[::-1]):
        assert rejected(f"{body}.{encode(signature)}").findings[0].check == "token.signature"


def test_a_signature_of_another_token_does_not_count() -> None:
    other = HOST.token(b"another nonce").rpartition(".")[2]
    assert rejected(with_signature(other)).findings[0].check == "token.signature"


def test_the_signature_is_malleable_and_so_no_identity() -> None:
    """ECDSA accepts s and -s; `docs/token.md` says not to name a token by its bytes."""
    body = HOST.token().rpartition(".")[0]
    raw = HOST.signature(body.encode())
    twin = raw[:48] + (ORDER - int.from_bytes(raw[48:], "big")).to_bytes(48, "big")
    assert verify(f"{body}.{encode(twin)}").token == verify(f"{body}.{encode(raw)}").token

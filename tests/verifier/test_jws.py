"""A JWS is verified with keys and algorithms that the caller chose; the token chooses nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given, settings
from hypothesis import strategies as st
from wasmtime_attestation.endorsements import jwks
from wasmtime_attestation.endorsements.jwa import Algorithm
from wasmtime_attestation.endorsements.jwks import JwkSet
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.verifier.jws import Payload, verify_jws

from tests.fakes.jose import Members, Private, Signer, numbers, p256, p384, rsa_key, sign, signature
from tests.fakes.token import assemble, encode, serialise

# SP 800-186 section 3.2.1.3 and 3.2.1.4.
ORDERS = {
    "ES256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "ES384": int(
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
        16,
    ),
}
PAYLOAD = {"iss": "joe", "exp": 1300819380}
SIGNERS = {
    "ES256": Signer(p256(), "ES256"),
    "ES384": Signer(p384(), "ES384"),
    "RS256": Signer(rsa_key(), "RS256"),
    "RS384": Signer(rsa_key(), "RS384"),
    "PS256": Signer(rsa_key(), "PS256"),
    "PS384": Signer(rsa_key(), "PS384"),
}
each_algorithm = pytest.mark.parametrize("name", SIGNERS)


def keys_of(*jwk: Members) -> JwkSet:
    return jwks.of_json({"keys": list(jwk)})


def verify(token: str, name: str, *jwk: Members) -> Payload:
    keys = keys_of(*(jwk or (SIGNERS[name].jwk,)))
    return verify_jws(token, keys, [Algorithm(name)])


def refused(token: str, name: str, *jwk: Members) -> str:
    with pytest.raises(RejectedError) as caught:
        verify(token, name, *jwk)
    return caught.value.findings[0].check


def parts(token: str) -> tuple[str, str, bytes]:
    header, payload, text = token.split(".")
    return header, payload, base64.urlsafe_b64decode(text + "==")


def test_the_example_of_rfc_7515_a3() -> None:
    text = (
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
        "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djx"
        "La8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    )
    jwk = {
        "kty": "EC",
        "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    }
    assert verify(text, "ES256", jwk).claims()["iss"] == "joe"


@each_algorithm
def test_every_algorithm(name: str) -> None:
    verified = verify(SIGNERS[name].sign(PAYLOAD), name)
    assert verified.claims() == PAYLOAD
    assert verified.algorithm == name
    assert verified.key.key_id == "key-1"


def test_a_payload_need_not_be_json_until_it_is_asked_for_claims() -> None:
    verified = verify(SIGNERS["ES256"].sign(b"It is a text."), "ES256")
    assert verified.data == b"It is a text."
    with pytest.raises(RejectedError) as caught:
        verified.claims()
    assert caught.value.findings[0].check == "token.format"


@each_algorithm
def test_another_key_of_the_same_kind(name: str) -> None:
    other: dict[str, Private] = {
        "E": p256(9) if name == "ES256" else p384(9),
        "R": rsa_key(9),
        "P": rsa_key(9),
    }
    assert refused(SIGNERS[name].sign(PAYLOAD), name, numbers(other[name[0]])) == "token.signature"


@pytest.mark.parametrize("name", SIGNERS)
@pytest.mark.parametrize("accepted", SIGNERS)
def test_the_caller_names_the_algorithm(name: str, accepted: str) -> None:
    if name == accepted:
        return
    token = SIGNERS[name].sign(PAYLOAD)
    assert refused(token, accepted, *(s.jwk | {"kid": n} for n, s in SIGNERS.items())) == (
        "token.profile"
    )


NO_ALGORITHMS = ("none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "ES512", "ES256K",
                 "EdDSA", "es256", "ES256 ", "ES-256", "RS1")  # fmt: skip


@pytest.mark.parametrize("named", [*NO_ALGORITHMS, None, 0, True, [], ["ES256"], {}], ids=repr)
@pytest.mark.parametrize("unsigned", [True, False])
def test_no_other_algorithm(named: object, unsigned: bool) -> None:
    token = SIGNERS["ES256"].sign(PAYLOAD, {"alg": named})
    if unsigned:
        token = token.rpartition(".")[0] + "."
    for name in SIGNERS:
        assert refused(token, name) == "token.profile"


def test_the_header_must_name_one() -> None:
    assert refused(SIGNERS["ES256"].sign(PAYLOAD, {"kid": "key-1"}), "ES256") == "token.profile"


@pytest.mark.parametrize("encoded", [b"pem", b"der", b"x"])
def test_a_public_key_is_no_secret_for_hmac(encoded: bytes) -> None:
    head, body = encode(serialise({"alg": "HS256"})), encode(serialise(PAYLOAD))
    mac = hmac.digest(encoded, f"{head}.{body}".encode(), hashlib.sha256)
    assert refused(f"{head}.{body}.{encode(mac)}", "RS256") == "token.profile"


@pytest.mark.parametrize("name", ["ES256", "ES384"])
def test_a_curve_belongs_to_its_algorithm(name: str) -> None:
    """The other curve's key signs, and the header and the key set say what they like."""
    wrong = p384() if name == "ES256" else p256()
    token = sign(wrong, {"alg": name}, PAYLOAD, name)
    assert refused(token, name, numbers(wrong)) == "token.key"


@pytest.mark.parametrize("name", ["ES256", "ES384"])
class TestElliptic:
    def forged(self, name: str, r: int, s: int, size: int | None = None) -> str:
        head, body = encode(serialise({"alg": name})), encode(serialise(PAYLOAD))
        size = size or {"ES256": 32, "ES384": 48}[name]
        return f"{head}.{body}.{encode(r.to_bytes(size, 'big') + s.to_bytes(size, 'big'))}"

    @pytest.mark.parametrize("r", [0, 1, "order", "order+1"])
    @pytest.mark.parametrize("s", [0, 1, "order", "order+1"])
    def test_r_and_s_in_their_range(self, name: str, r: int | str, s: int | str) -> None:
        names = {"order": ORDERS[name], "order+1": ORDERS[name] + 1}
        token = self.forged(name, *(names.get(str(n), 0) or int(n) for n in (r, s)))
        assert refused(token, name) == "token.signature"

    def test_r_or_s_plus_the_order_is_no_other_form_of_it(self, name: str) -> None:
        size = {"ES256": 32, "ES384": 48}[name]
        head, body, raw = parts(SIGNERS[name].sign(PAYLOAD))
        r, s = int.from_bytes(raw[:size], "big"), int.from_bytes(raw[size:], "big")
        for pair in ((r + ORDERS[name], s), (r, s + ORDERS[name])):
            wide = b"".join(n.to_bytes(size + 1, "big") for n in pair)
            assert refused(f"{head}.{body}.{encode(wide)}", name) == "token.signature"

    def test_der_is_no_raw_signature(self, name: str) -> None:
        size = {"ES256": 32, "ES384": 48}[name]
        head, body, raw = parts(SIGNERS[name].sign(PAYLOAD))
        r, s = int.from_bytes(raw[:size], "big"), int.from_bytes(raw[size:], "big")
        token = f"{head}.{body}.{encode(encode_dss_signature(r, s))}"
        assert refused(token, name) == "token.signature"

    @pytest.mark.parametrize("change", [-1, 1, -2, 2, -64, 64])
    def test_its_length_is_exact(self, name: str, change: int) -> None:
        head, body, raw = parts(SIGNERS[name].sign(PAYLOAD))
        changed = raw + bytes(change) if change > 0 else raw[:change]
        assert refused(f"{head}.{body}.{encode(changed)}", name) == "token.signature"

    def test_zeros_between_or_before(self, name: str) -> None:
        size = {"ES256": 32, "ES384": 48}[name]
        head, body, raw = parts(SIGNERS[name].sign(PAYLOAD))
        for changed in (b"\0" + raw[:size] + b"\0" + raw[size:], b"\0" * 2 + raw):
            assert refused(f"{head}.{body}.{encode(changed)}", name) == "token.signature"


@pytest.mark.parametrize("name", ["RS256", "RS384", "PS256", "PS384"])
@pytest.mark.parametrize("changed", [-1, 1])
def test_an_rsa_signature_is_as_long_as_the_key(name: str, changed: int) -> None:
    head, body, raw = parts(SIGNERS[name].sign(PAYLOAD))
    other = b"\0" + raw if changed > 0 else raw[1:]
    assert refused(f"{head}.{body}.{encode(other)}", name) == "token.signature"


@pytest.mark.parametrize("salt", [0, 20, 31, 33, 64])
def test_the_salt_of_pss_is_as_long_as_the_hash(salt: int) -> None:
    head, body = encode(serialise({"alg": "PS256"})), encode(serialise(PAYLOAD))
    raw = rsa_key().sign(
        f"{head}.{body}".encode(), padding.PSS(padding.MGF1(SHA256()), salt), SHA256()
    )
    assert refused(f"{head}.{body}.{encode(raw)}", "PS256") == "token.signature"


def test_pss_is_no_pkcs1() -> None:
    for one, other in (("PS256", "RS256"), ("RS256", "PS256")):
        token = sign(rsa_key(), {"alg": one}, PAYLOAD, other)
        assert refused(token, one) == "token.signature"


@pytest.mark.parametrize(
    "member",
    [
        {"crit": ["exp"]},
        {"crit": []},
        {"crit": None},
        {"crit": ["b64"], "b64": False},
        {"b64": True},
        {"b64": False},
    ],
    ids=json.dumps,
)
def test_headers_that_change_the_rules_are_refused(member: dict[str, Any]) -> None:
    signer = SIGNERS["ES256"]
    assert refused(signer.sign(PAYLOAD, signer.header | member), "ES256") == "token.profile"


def test_a_key_in_the_header_is_no_key() -> None:
    attacker = Signer(p256(666), "ES256")
    for member in (
        {"jwk": attacker.jwk},
        {"jku": "https://attacker.example/keys"},
        {"x5u": "https://attacker.example/chain"},
        {"x5c": ["MIIB"]},
    ):
        assert refused(attacker.sign(PAYLOAD, attacker.header | member), "ES256") == (
            "token.signature"
        )
        # And one that is there besides the right signature does no harm.
        signer = SIGNERS["ES256"]
        verify(signer.sign(PAYLOAD, signer.header | member), "ES256")


def test_the_kid_chooses_among_the_issuers_keys() -> None:
    one, two = Signer(p256(1), "ES256", "one"), Signer(p256(2), "ES256", "two")
    assert verify(two.sign(PAYLOAD), "ES256", one.jwk, two.jwk).key.key_id == "two"
    as_two = one.sign(PAYLOAD, one.header | {"kid": "two"})
    assert refused(as_two, "ES256", one.jwk, two.jwk) == "token.signature"
    assert refused(one.sign(PAYLOAD), "ES256", two.jwk) == "token.key"


def test_without_a_kid_every_fitting_key_is_tried() -> None:
    one, two = Signer(p256(1), "ES256", "one"), Signer(p256(2), "ES256", "two")
    token = two.sign(PAYLOAD, {"alg": "ES256"})
    assert verify(token, "ES256", one.jwk, two.jwk).key.key_id == "two"
    assert refused(token, "ES256", one.jwk) == "token.signature"


def test_a_key_without_a_kid_serves_a_token_with_any() -> None:
    signer = SIGNERS["ES256"]
    verify(signer.sign(PAYLOAD), "ES256", numbers(signer.key))


@pytest.mark.parametrize("kid", ["", None, 0, ["key-1"], "k" * 257], ids=repr)
def test_a_kid_is_a_short_string(kid: object) -> None:
    signer = SIGNERS["ES256"]
    assert refused(signer.sign(PAYLOAD, signer.header | {"kid": kid}), "ES256") == "token.key"


@pytest.mark.parametrize(
    "member",
    [
        {"use": "enc"},
        {"use": "verify"},
        {"key_ops": ["sign"]},
        {"key_ops": []},
        {"alg": "ES384"},
        {"alg": "ECDH-ES"},
    ],
    ids=json.dumps,
)
def test_a_key_that_is_for_something_else(member: dict[str, Any]) -> None:
    signer = SIGNERS["ES256"]
    assert refused(signer.sign(PAYLOAD), "ES256", signer.jwk | member) == "token.key"


@pytest.mark.parametrize(
    "header",
    [
        b'{"alg":"ES256","alg":"ES256"}',
        b'{"alg":"none","alg":"ES256"}',
        b'{"alg":"ES256","\\u0061lg":"none"}',
        b'{"alg":"ES256","kid":"key-1"} {}',
        b'["ES256"]',
        b"",
        b'{"alg":"ES256","x":' + b"[" * 33 + b"]" * 33 + b"}",
        b'{"alg":"ES256","x":NaN}',
        b"\xef\xbb\xbf{}",
        b'{"alg":"ES256","x":"\xff"}',
    ],
)
def test_the_header_is_one_strict_json_object(header: bytes) -> None:
    assert refused(SIGNERS["ES256"].sign(PAYLOAD, header), "ES256") == "token.format"


@pytest.mark.parametrize(
    "payload", [b'{"a":1,"a":1}', b'{"a":{"b":1,"\\u0062":2}}', b"[]", b"null"]
)
def test_claims_are_one_strict_json_object(payload: bytes) -> None:
    verified = verify(SIGNERS["ES256"].sign(payload), "ES256")
    with pytest.raises(RejectedError):
        verified.claims()


def spellings(token: str) -> list[str]:
    """Returns texts that a loose reader takes for the same token."""
    head, body, tail = token.split(".")
    return [
        f"{head}=.{body}.{tail}",
        f"{head}.{body}.{tail}=",
        f"{head}.{body}.{tail}==",
        f" {token}",
        f"{token}\n",
        f"{head}.{body}.{tail[:10]}\n{tail[10:]}",
        f"{head}.{body}.{tail}.",
        f"{head}.{body}.{tail}.{tail}",
        f"{head}..{tail}",
        f"{head}.{body}",
        f"{head}.{body}.",
        f".{body}.{tail}",
        token.replace("-", "+").replace("_", "/") if set("-_") & set(token) else f"{token}+",
        json.dumps({"protected": head, "payload": body, "signature": tail}),
        f"{head}.{body}.{tail}\0",
        "",
        "..",
    ]


@each_algorithm
def test_a_token_has_one_spelling(name: str) -> None:
    for spelling in spellings(SIGNERS[name].sign(PAYLOAD)):
        refused(spelling, name)


def test_the_last_character_has_no_spare_bits() -> None:
    """64 bytes leave four bits of the last character free: they are zero."""
    token = SIGNERS["ES256"].sign(PAYLOAD)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(token[-1])
    for bits in range(1, 16):
        assert refused(token[:-1] + alphabet[last ^ bits], "ES256") == "token.format"


@each_algorithm
def test_every_bit_and_every_cut(name: str) -> None:
    token = SIGNERS[name].sign(PAYLOAD)
    for place in range(len(token)):
        changed = bytearray(token.encode())
        changed[place] ^= 1 << (place % 7)
        refused(changed.decode(), name)
    for length in range(len(token)):
        refused(token[:length], name)


def test_parts_of_two_tokens_make_none() -> None:
    one, two = (SIGNERS["ES256"].sign({"n": n}) for n in (1, 2))
    head, _, tail = one.split(".")
    assert refused(f"{head}.{two.split('.')[1]}.{tail}", "ES256") == "token.signature"


@given(st.text(max_size=60) | st.from_regex(r"[\w-]{0,30}\.[\w-]{0,30}\.[\w-]{0,30}"))
def test_any_text_is_refused_in_order(text: str) -> None:
    refused(text, "ES256")


@settings(max_examples=60)
@given(st.binary(max_size=40), st.binary(max_size=40), st.binary(max_size=110))
def test_any_parts_are_refused_in_order(header: bytes, payload: bytes, tail: bytes) -> None:
    refused(assemble(header, payload, tail), "ES384")


@settings(max_examples=100)
@given(st.binary(min_size=64, max_size=64))
def test_any_signature_is_refused(raw: bytes) -> None:
    head, body, _ = SIGNERS["ES256"].sign(PAYLOAD).split(".")
    assert refused(f"{head}.{body}.{encode(raw)}", "ES256") == "token.signature"


def test_the_signature_of_another_message() -> None:
    head, body = encode(serialise({"alg": "ES256"})), encode(serialise(PAYLOAD))
    raw = signature(p256(), "ES256", body.encode())
    assert refused(f"{head}.{body}.{encode(raw)}", "ES256") == "token.signature"

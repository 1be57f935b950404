"""DER by hand: each value has one encoding, and everything else is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasmtime_attestation.endorsements import der


@pytest.mark.parametrize(
    ("text", "number"),
    [("020100", 0), ("02017f", 127), ("02020080", 128), ("020200ff", 255), ("0201ff", -1)],
)
def test_integers(text: str, number: int) -> None:
    assert der.integer(der.decode(bytes.fromhex(text))) == number


@pytest.mark.parametrize("text", ["0200", "02020001", "0202ff80", "040101"])
def test_no_integers(text: str) -> None:
    with pytest.raises(ValueError, match="DER"):
        der.integer(der.decode(bytes.fromhex(text)))


def test_object_identifiers() -> None:
    # X.690 section 8.19.5: {2 100 3}; Intel's root of SGX extensions.
    assert der.dotted(der.object_identifier(der.decode(bytes.fromhex("0603813403")))) == "2.100.3"
    sgx = der.decode(bytes.fromhex("06092a864886f84d010d01"))
    assert der.dotted(der.object_identifier(sgx)) == "1.2.840.113741.1.13.1"
    for text in ("0600", "060180", "06022a80", "06032a8001"):
        with pytest.raises(ValueError, match="object identifier"):
            der.object_identifier(der.decode(bytes.fromhex(text)))


def test_booleans_and_octets() -> None:
    assert der.boolean(der.decode(b"\x01\x01\xff"))
    assert not der.boolean(der.decode(b"\x01\x01\x00"))
    assert der.octet_string(der.decode(b"\x04\x02ab")) == b"ab"
    with pytest.raises(ValueError, match="neither 00 nor FF"):
        der.boolean(der.decode(b"\x01\x01\x01"))


def test_sequences() -> None:
    value = der.decode(bytes.fromhex("3006020101040161"))
    first, second = der.pair(value)
    assert der.integer(first) == 1
    assert der.octet_string(second) == b"a"
    with pytest.raises(ValueError, match="1 items, not 2"):
        der.pair(der.decode(bytes.fromhex("3003020101")))


@pytest.mark.parametrize(
    "text",
    ["", "02", "0201", "0280", "028101ff", "0282000100", "02ff", "020100ff", "04810161", "0485"],
)
def test_lengths_are_whole_and_shortest(text: str) -> None:
    with pytest.raises(ValueError, match="DER"):
        der.decode(bytes.fromhex(text))


def test_long_lengths() -> None:
    assert len(der.decode(bytes.fromhex("048180") + bytes(128)).content) == 128
    assert len(der.decode(bytes.fromhex("04820100") + bytes(256)).content) == 256


@given(st.binary(max_size=40))
def test_arbitrary_bytes(data: bytes) -> None:
    try:
        value = der.decode(data)
        der.object_identifier(value)
    except ValueError:
        return
    assert value.tag == 6


def test_numbers_and_identifiers_are_short() -> None:
    # 40,000 bytes of them took half a second and made a message of as many characters.
    with pytest.raises(ValueError, match="integer has more than 20 bytes"):
        der.integer(der.Value(0x02, b"\1" * 21))
    with pytest.raises(ValueError, match="identifier has more than 64 bytes"):
        der.object_identifier(der.Value(0x06, b"\x2a" + b"\1" * 64))

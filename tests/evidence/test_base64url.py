"""Base64url, against RFC 4648 and RFC 7515."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasmtime_attestation.evidence import base64url

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

# RFC 4648 section 10, without padding, and RFC 7515 appendix C.
VECTORS = [
    (b"", ""),
    (b"f", "Zg"),
    (b"fo", "Zm8"),
    (b"foo", "Zm9v"),
    (b"foob", "Zm9vYg"),
    (b"fooba", "Zm9vYmE"),
    (b"foobar", "Zm9vYmFy"),
    (bytes([3, 236, 255, 224, 193]), "A-z_4ME"),
]


@pytest.mark.parametrize(("data", "text"), VECTORS)
def test_published_vectors(data: bytes, text: str) -> None:
    assert base64url.encode(data) == text
    assert base64url.decode(text) == data


@pytest.mark.parametrize(
    "text",
    [
        "Zg==",
        "Zg=",
        "Z",
        "Zm9vY",
        "Zh",  # four unused bits, of which one is set
        "Zm9",  # two unused bits, of which one is set
        "Zm 9v",
        "Zm9v\n",
        "\nZm9v",
        "A+z/4ME",
        "Zm9v.Zm9v",
        "Zm9\u0076\u0301",
        "\uff3a\uff4d\uff19\uff56",
        "Zm9v\x00",
    ],
)
def test_another_text_for_the_same_bytes_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="base64"):
        base64url.decode(text)


@given(st.binary(max_size=100))
def test_it_comes_back(data: bytes) -> None:
    text = base64url.encode(data)
    assert set(text) <= set(ALPHABET)
    assert base64url.decode(text) == data


@given(st.text(ALPHABET, max_size=12))
def test_each_text_that_is_accepted_is_the_only_one(text: str) -> None:
    try:
        data = base64url.decode(text)
    except ValueError:
        return
    assert base64url.encode(data) == text

"""The compact JWS, against the examples of RFC 7515."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasmtime_attestation.evidence import jwt

# RFC 7515 appendix A.3.1.
HEADER = "eyJhbGciOiJFUzI1NiJ9"
PAYLOAD = (
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
)
SIGNATURE = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
EXAMPLE = f"{HEADER}.{PAYLOAD}.{SIGNATURE}"


def part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def test_the_example_of_the_rfc() -> None:
    jws = jwt.decode(EXAMPLE)
    assert jws.text == EXAMPLE
    assert jws.header == {"alg": "ES256"}
    assert jws.claims() == {"iss": "joe", "exp": 1300819380, "http://example.com/is_root": True}
    assert jws.signature[:5] == bytes([14, 209, 33, 83, 121])  # R as the RFC lists it
    assert jws.signature[32:37] == bytes([197, 10, 7, 211, 140])  # and S
    assert len(jws.signature) == 64


def test_an_unsecured_jws_is_decoded_since_nothing_is_verified_here() -> None:
    # RFC 7515 appendix A.5.
    jws = jwt.decode(f"eyJhbGciOiJub25lIn0.{PAYLOAD}.")
    assert (jws.header, jws.signature) == ({"alg": "none"}, b"")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "three parts"),
        ("..", "its header cannot be read"),
        (f"{HEADER}.{PAYLOAD}", "three parts"),
        (f"{EXAMPLE}.", "three parts"),
        (f"{EXAMPLE}..", "three parts"),
        (f"{HEADER}==.{PAYLOAD}.{SIGNATURE}", "its header cannot be read: base64url"),
        (f"{HEADER}.{PAYLOAD}=.{SIGNATURE}", "its payload cannot be read: base64url"),
        (f"{HEADER}.{PAYLOAD}.{SIGNATURE}=", "base64url"),
        (f"{HEADER}.{PAYLOAD}.{SIGNATURE[:-1]}R", "canonical"),
        (f"{part(b'[]')}.{PAYLOAD}.{SIGNATURE}", "its header is no JSON object"),
        (f"{HEADER}.{part(b'0')}.{SIGNATURE}", "its payload is no JSON object"),
        (f"{HEADER}.{part(b'joe')}.{SIGNATURE}", "its payload cannot be read"),
        (f"{HEADER}.{part(b'{}' * 2)}.{SIGNATURE}", "its payload cannot be read"),
        ("." * (jwt.MAX_SIZE + 1), "1048577 characters; 1048576 is the limit"),
    ],
)
def test_what_is_no_compact_jws(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        jwt.decode(text).claims()


def test_the_limit_itself_is_read() -> None:
    room = jwt.MAX_SIZE - len(f"{HEADER}.{PAYLOAD}.")
    assert len(jwt.decode(f"{HEADER}.{PAYLOAD}.{'A' * (room // 4 * 4)}").signature) > 700_000


@given(st.text(max_size=40) | st.from_regex(r"[A-Za-z0-9_.-]{0,40}", fullmatch=True))
def test_any_text_is_decoded_or_refused(text: str) -> None:
    try:
        jws = jwt.decode(text)
    except ValueError:
        return
    assert jws.text == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (EXAMPLE, True),
        ("..", True),
        (".", True),
        ("a.b", True),
        ("", False),
        (HEADER, False),
        (f"{EXAMPLE} ", False),
        (f"{EXAMPLE}=", False),
        ('{"payload":"a.b"}', False),
        ("a.\u00e9", False),
    ],
)
def test_what_may_be_meant_as_one(text: str, expected: bool) -> None:
    assert jwt.looks_like(text) is expected

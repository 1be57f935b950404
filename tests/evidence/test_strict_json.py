"""Strict JSON: what RFC 8259 leaves open, and what it costs to read."""

from __future__ import annotations

import contextlib
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasmtime_attestation.evidence import strict_json
from wasmtime_attestation.evidence.strict_json import MAX_DEPTH, Json, brief


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"null", None),
        (b"true", True),
        (b'""', ""),
        (b"[]", []),
        (b' {"a" : [1, -2, {"b": "\\u00e9\\ud83d\\ude00"}]}\r\n', {"a": [1, -2, {"b": "é😀"}]}),
        (b"18446744073709551615", 2**64 - 1),
        (b"-9223372036854775808", -(2**63)),
        ('"é😀"'.encode(), "é😀"),
        (b'{"a":{"a":{"a":1}},"b":{"a":1}}', {"a": {"a": {"a": 1}}, "b": {"a": 1}}),
        (b'["\\"[", "\\\\", "]"]', ['"[', "\\", "]"]),
    ],
)
def test_json(text: bytes, value: Json) -> None:
    assert strict_json.loads(text) == value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b'{"a":1,"a":1}', "duplicate member"),
        (b'{"a":1,"b":2,"\\u0061":3}', "duplicate member"),
        (b'{"":1,"":2}', "duplicate member"),
        (b'[{"b":{"a":1,"a":1}}]', "duplicate member"),
        (b"1.0", "1.0 is not an integer"),
        (b"1e2", "1e2 is not an integer"),
        (b"-0.0", "-0.0 is not an integer"),
        (b"1E400", "1E400 is not an integer"),
        (b"NaN", "NaN is not an integer"),
        (b"Infinity", "Infinity is not an integer"),
        (b"-Infinity", "-Infinity is not an integer"),
        (b"0." + b"1" * 1000, "is not an integer"),
        (b"18446744073709551616", "out of range"),
        (b"-9223372036854775809", "out of range"),
        (b"9" * 100_000, "out of range"),
        (b'"\\ud800"', "surrogates not allowed"),
        (b'"\\udc00\\ud800"', "surrogates not allowed"),
        (b'{"\\ud83d":1}', "surrogates not allowed"),
        (b'"\xed\xa0\x80"', "invalid continuation byte"),
        (b'"\xc0\xaf"', "invalid start byte"),
        (b'"\xff"', "invalid start byte"),
        (b"\xef\xbb\xbf1", "BOM"),
        (b'"1'.decode().encode("utf-16"), "can't decode"),
        (b'"\n"', "Invalid control character"),
        (b'"\\x41"', "Invalid \\\\escape"),
        (b"01", "Extra data"),
        (b"1 2", "Extra data"),
        (b"{}{}", "Extra data"),
        (b"1\0", "Extra data"),
        (b"", "Expecting value"),
        (b"'a'", "Expecting value"),
        (b"{'a':1}", "property name"),
        (b"[1,]", "line 1"),
        (b'{"a":1,}', "line 1"),
        (b"/**/1", "Expecting value"),
        (b'"', "Unterminated"),
        (b'"\\', "Unterminated"),
        (b"+1", "Expecting value"),
        (b"0x10", "Extra data"),
        ("\u0661".encode(), "Expecting value"),  # a digit, but not one of JSON's
    ],
)
def test_what_has_more_than_one_meaning_or_none_is_refused(text: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        strict_json.loads(text)
    assert len(str(caught.value)) < 200


def nested(depth: int) -> bytes:
    return b'{"a":[' * (depth // 2) + b"1" + b"]}" * (depth // 2)


def test_the_depth_is_bounded() -> None:
    strict_json.loads(nested(MAX_DEPTH))
    with pytest.raises(ValueError, match="nested deeper than 32"):
        strict_json.loads(nested(MAX_DEPTH + 2))


def test_brackets_within_strings_do_not_count() -> None:
    assert strict_json.loads(b'["' + b"[{" * 100 + b'\\"[[[["]') == ["[{" * 100 + '"[[[[']


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":"' + b"]" * 100_000 + b'","b":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'["]",' * 100_000 + b"1" + b"]" * 100_000,
        b'["\\"]",' * 100_000 + b"1" + b"]" * 100_000,
        b'[{"}":' * 100_000 + b"1" + b"}]" * 100_000,
    ],
    ids=["before", "between", "escaped", "names"],
)
def test_brackets_within_strings_do_not_hide_the_depth(text: bytes) -> None:
    with pytest.raises(ValueError, match="nested deeper than 32"):
        strict_json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 1_000_000,
        b'\\"' * 500_000,
        b'"' + b'\\"' * 500_000,
        b'"a' * 500_000,
        b"{" + b'"' * 1_000_000,
        b"[" + b"[]," * 250_000 + b"[]]",
    ],
    ids=["open", "escapes", "one string", "strings", "quotes", "wide"],
)
def test_a_megabyte_takes_no_more_than_a_moment(text: bytes) -> None:
    begin = time.process_time()
    with contextlib.suppress(ValueError):
        strict_json.loads(text)
    # What is quadratic takes minutes, what is linear a tenth of a second.
    assert time.process_time() - begin < 10


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=10,
)


@given(JSON)
def test_a_message_quotes_a_value_on_one_short_line(value: Json) -> None:
    text = brief(value)
    assert len(text) <= 83
    assert text.isascii()
    assert text.isprintable()


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "null"), ("none", '"none"'), (["a", 1], '["a", 1]'), ("\x1b[2J\n", '"\\u001b[2J\\n"')],
)
def test_a_message_quotes_a_value_as_json(value: Json, text: str) -> None:
    assert brief(value) == text


def test_escapes_take_little_memory() -> None:
    text = b'"' + b"\\n" * 500_000 + b'"'
    tracemalloc.start()
    try:
        strict_json.loads(text)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    # A pattern that goes back over each escape takes sixty times the text.
    assert peak < 10 * len(text)

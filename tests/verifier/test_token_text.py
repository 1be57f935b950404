"""The token as a text: every other text is another token, and none is accepted."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache

import pytest

from tests.fakes.token import Forger, assemble, encode
from tests.verifier.relying_party import rejected, verify

HOST = Forger()


@cache
def parts() -> tuple[str, str, str]:
    """Returns header, payload and signature of a right token."""
    header, payload, signature = HOST.token().split(".")
    return header, payload, signature


@pytest.mark.parametrize(
    "shape",
    [
        "",
        ".",
        "..",
        "...",
        "." * 1000,
        "{0}",
        "{0}.{1}",
        "{0}.{1}.{2}.",
        ".{0}.{1}.{2}",
        "{0}.{1}.{2}.{2}",
        "{0}.{1}.{2}.{1}.{2}",  # five parts, as JWE has
        "{0}..{2}",
        ".{1}.{2}",
        "{0}.{1}.",
        "{1}.{0}.{2}",
        "{0}.{0}.{2}",
        "{0}\u3002{1}\u3002{2}",  # an ideographic full stop
        # White space and marks around the token, or within, are not ignored.
        " {0}.{1}.{2}",
        "{0}.{1}.{2} ",
        "{0}.{1}.{2}\n",
        "{0}\n.{1}.{2}",
        "\ufeff{0}.{1}.{2}",
    ],
)
def test_a_token_is_three_parts_in_their_order(shape: str) -> None:
    verify(".".join(parts()))
    error = rejected(shape.format(*parts()))
    assert error.findings[0].check in {"token.format", "token.profile", "token.signature"}


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize(
    "suffix", ["=", "==", "A", "AA", " ", "\n", "\t", "\0", "\u00a0", "\ufeff", "%3D"]
)
def test_each_part_is_canonical_base64url(place: int, suffix: str) -> None:
    changed = list(parts())
    changed[place] += suffix
    error = rejected(".".join(changed))
    assert error.findings[0].check in {"token.format", "token.signature"}


@pytest.mark.parametrize(("ours", "theirs"), ["-+", "_/"])
def test_the_other_alphabet_is_rejected(ours: str, theirs: str) -> None:
    # Header and payload are ASCII, whose base64url has neither; one signature in eight has not.
    text = next(token for token in iter(HOST.token, "") if ours in token)
    assert "base64url has characters" in rejected(text.replace(ours, theirs)).message


def test_unused_bits_are_zero() -> None:
    header = b'{"alg":"ES384"}  '  # 17 bytes: the last character has four unused bits
    text = encode(header)
    changed = text[:-1] + chr(ord(text[-1]) + 1)
    _, payload, signature = parts()
    assert "not in its canonical form" in rejected(f"{changed}.{payload}.{signature}").message


def test_a_json_serialisation_is_no_compact_token() -> None:
    text = json.dumps(dict(zip(("protected", "payload", "signature"), parts(), strict=True)))
    assert rejected(text).findings[0].check == "token.format"


def test_ten_megabytes_of_dots_are_refused_at_once() -> None:
    error = rejected("." * 10_000_000)
    assert "10000000 characters; 1048576 is the limit" in error.message


def test_a_long_signature_is_not_used() -> None:
    error = rejected(assemble(HOST.header, HOST.payload(), bytes(700_000)))
    assert error.findings[0].check == "token.signature"


def test_no_beginning_is_a_token() -> None:
    text = ".".join(parts())
    for end in range(len(text)):
        rejected(text[:end])


def test_no_end_is_a_token() -> None:
    text = ".".join(parts())
    for start in range(1, len(text), 7):
        rejected(text[start:])


def flip(text: str, positions: Iterable[int]) -> None:
    """Inverts each bit of the characters at some positions; nothing may be accepted."""
    for position in positions:
        for bit in range(8):
            flipped = chr(ord(text[position]) ^ 1 << bit)
            rejected(text[:position] + flipped + text[position + 1 :])


def test_no_bit_can_be_flipped() -> None:
    text = ".".join(parts())
    flip(text, (n for n, character in enumerate(text) if character == "."))
    flip(text, range(0, len(text), 199))
    flip(text, range(len(text) - len(parts()[2]), len(text), 7))
    flip(text, range(len(text) - 4, len(text)))


@pytest.mark.weekly
@pytest.mark.parametrize("quarter", range(4))
def test_no_bit_at_all_can_be_flipped(quarter: int) -> None:
    text = ".".join(parts())
    flip(text, range(quarter, len(text), 4))


@pytest.mark.weekly
def test_no_character_can_be_left_out_or_doubled() -> None:
    text = ".".join(parts())
    for position, character in enumerate(text):
        before, after = text[:position], text[position + 1 :]
        for changed in (before + after, before + character * 2 + after):
            rejected(changed)

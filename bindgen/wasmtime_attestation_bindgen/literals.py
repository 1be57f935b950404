"""String literals, as `@external-id` takes them (the rules of the WebAssembly text format)."""

from __future__ import annotations

import re

from wasmtime_attestation_bindgen.errors import WitError
from wasmtime_attestation_bindgen.source import Source, Span

_PLAIN = re.compile(r'[^"\\\x00-\x1f\x7f]+')
_SIMPLE_ESCAPE = re.compile(r"""\\(["'tnr\\])""")
_SIMPLE = {'"': '"', "'": "'", "t": "\t", "n": "\n", "r": "\r", "\\": "\\"}
_BYTE_ESCAPE = re.compile(r"\\([0-9A-Fa-f]{2})")
_UNICODE_ESCAPE = re.compile(r"\\u\{([0-9A-Fa-f](?:_*[0-9A-Fa-f])*)\}")


def read_string(source: Source, start: int) -> tuple[str, int]:
    """Returns what a string literal says and the offset after it.

    Args:
        source: the text.
        start: the offset of the opening quote.

    Raises:
        WitError: the literal has no end, a bad escape, or is not UTF-8.
    """
    value = bytearray()
    at = start + 1
    while not source.text.startswith('"', at):
        piece, at = _piece(source, start, at)
        value += piece
    try:
        return value.decode(), at + 1
    except UnicodeDecodeError as error:
        raise WitError("this string is not UTF-8", Span(source, start, at + 1)) from error


def _piece(source: Source, start: int, at: int) -> tuple[bytes, int]:
    if match := _PLAIN.match(source.text, at):
        return match[0].encode(), match.end()
    if match := _SIMPLE_ESCAPE.match(source.text, at):
        return _SIMPLE[match[1]].encode(), match.end()
    if match := _BYTE_ESCAPE.match(source.text, at):
        return bytes.fromhex(match[1]), match.end()
    if match := _UNICODE_ESCAPE.match(source.text, at):
        return _character(match, source), match.end()
    if source.text[at : at + 1] in ("", "\n", "\r"):
        raise WitError(
            "this string has no end", Span(source, start, start + 1), help='close it with `"`'
        )
    raise WitError("a string cannot hold this", Span(source, at, at + 2), help="use an escape")


def _character(escape: re.Match[str], source: Source) -> bytes:
    digits = escape[1].replace("_", "").lstrip("0")
    # Six digits hold every code point; surrogates are no characters.
    code = int(digits or "0", 16) if len(digits) <= 6 else 0x110000
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise WitError("this is no Unicode character", Span(source, *escape.span()))
    return chr(code).encode()

"""The JSON of the legacy ABI, written: what the generated code does not say for each type itself.

Every function returns JSON text. A value that is not of its type raises
`MisfitError`: the host is to blame for that.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from enum import Flag, StrEnum
from json.encoder import encode_basestring
from typing import Any, TypeVar

from wasmtime_attestation.errors import (
    CASES,
    AttestationError,
    Finding,
    InternalError,
    PolicyError,
    RejectedError,
)
from wasmtime_attestation.evidence import base64url
from wasmtime_attestation.world.binding.failure import Failure
from wasmtime_attestation.world.binding.misfit import MisfitError

T = TypeVar("T")
K = TypeVar("K")
E = TypeVar("E", bound=StrEnum)
F = TypeVar("F", bound=Flag)
Write = Callable[[T], str]

MAX_SAFE_INTEGER = 1 << 53
"""The largest integer that goes as a number; larger ones go as decimal strings."""
MAX_ANSWER = 50_000
"""The most bytes of JSON in one answer: some guests read no more."""

_F32 = struct.Struct("<f")
_PLAIN = bytes(code for code in range(0x20, 0x7F) if code not in b'"\\')


def boolean(value: bool) -> str:
    """Writes a `bool`."""
    return "true" if _of(bool, value) else "false"


def _integers(bits: int, *, signed: bool) -> Write[int]:
    low, high = (-(1 << bits - 1), 1 << bits - 1) if signed else (0, 1 << bits)

    def write(value: int) -> str:
        if type(value) is not int or not low <= value < high:
            raise MisfitError(f"{value!r} does not fit into {bits} bits")
        return str(value) if -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER else f'"{value}"'

    return write


u8, u16, u32, u64 = (_integers(bits, signed=False) for bits in (8, 16, 32, 64))
s8, s16, s32, s64 = (_integers(bits, signed=True) for bits in (8, 16, 32, 64))


def f32(value: float) -> str:
    """Writes an `f32`, rounded to one."""
    try:
        return f64(_F32.unpack(_F32.pack(value))[0])
    except (struct.error, OverflowError) as error:
        raise MisfitError(f"{value!r} is no f32") from error


def f64(value: float) -> str:
    """Writes an `f64`; what is no number of JSON goes as a string."""
    if type(value) not in (float, int):
        raise MisfitError(f"a {type(value).__name__}, not a number")
    if math.isfinite(value):
        return repr(float(value))
    return '"NaN"' if math.isnan(value) else '"Infinity"' if value > 0 else '"-Infinity"'


def text(value: str) -> str:
    """Writes a `string`."""
    return f'"{value}"' if is_plain(_of(str, value)) else encode_basestring(value)


def char(value: str) -> str:
    """Writes a `char`."""
    if len(_of(str, value)) != 1:
        raise MisfitError(f"{len(value)} characters, not one")
    return text(value)


def octets(value: bytes) -> str:
    """Writes a `list<u8>`."""
    return f'"{base64url.encode(_of(bytes, value))}"'


def array(item: Write[T]) -> Write[list[T]]:
    """Returns what writes a list."""
    return lambda values: f"[{','.join(map(item, _of(list, values)))}]"


def fixed(item: Write[T], length: int) -> Write[list[T]]:
    """Returns what writes a list of fixed length."""
    write = array(item)

    def write_all(values: list[T]) -> str:
        if len(values) != length:
            raise MisfitError(f"{len(values)} items, not {length}")
        return write(values)

    return write_all


def mapping(key: Write[K], item: Write[T]) -> Write[Mapping[K, T]]:
    """Returns what writes a map, as an array of pairs."""
    return lambda entries: f"[{','.join(f'[{key(k)},{item(v)}]' for k, v in entries.items())}]"


def option(some: Write[T]) -> Write[T | None]:
    """Returns what writes an option."""
    return lambda value: "null" if value is None else some(value)


def label(value: StrEnum) -> str:
    """Writes an enum."""
    return f'"{value.value}"'


def labels(json: Mapping[E, str]) -> Write[E]:
    """Returns what writes an enum, given the JSON of each case."""
    return json.__getitem__


def ok(write: Write[T]) -> Write[T]:
    """Returns what writes the `ok` of a function's result."""
    return lambda value: f'{{"ok":{write(value)}}}'


def err(write: Write[T]) -> Write[Failure[T]]:
    """Returns what writes the `err` of a function's result."""
    return lambda failure: f'{{"err":{write(failure.error)}}}'


def nothing(_value: None) -> str:
    """Writes what a case without payload has."""
    return "null"


def misfit(value: object) -> MisfitError:
    """Returns the error for a value that is no case of its type."""
    return MisfitError(f"a {type(value).__name__} is no case")


def flags(labels: Mapping[F, str]) -> Write[F]:
    """Returns what writes flags, given the JSON of each label."""
    return lambda value: f"[{','.join(label for flag, label in labels.items() if flag in value)}]"


def is_plain(value: str) -> bool:
    """Whether a text is printable ASCII without quotation marks and backslashes."""
    return value.isascii() and not value.encode().translate(None, _PLAIN)


def token(value: str) -> str:
    """Writes a token; guests in the field read it without unescaping.

    Raises:
        InternalError: the token has characters that this ABI does not carry.
    """
    if not is_plain(_of(str, value)):
        raise InternalError("the host made a token that is not plain ASCII; report this")
    return f'"{value}"'


def attestation_failure(error: AttestationError) -> str:
    """Writes the envelope of a failure.

    Its timestamp is 0: guests demand an integer, and nothing was issued.
    """
    return (
        f'{{"success":false,"token":null,"evidence":null,"error":"{_plain(error.message)}",'
        f'"timestamp":0,"error_code":"{error.case}"}}'
    )


def attestation_error(error: AttestationError) -> str:
    """Writes `err` of a result whose error is that of `wasmtime:attestation`."""
    return f'{{"err":{{"case":"{error.case}","value":{_payload(error)}}}}}'


def attestation_error_of(failure: Failure[Any]) -> AttestationError:
    """Returns the class for a failure whose error is that of `wasmtime:attestation`."""
    kind: type[Any] = next(kind for kind in CASES if kind.case == failure.error.case)
    value = failure.error.value
    content = value if isinstance(value, str) else [Finding(f.check, f.detail) for f in value]
    error: AttestationError = kind(content)
    return error


def shortened(error: AttestationError, size: int) -> AttestationError:
    """Returns an error that fits into an answer, in place of one that took `size` bytes."""
    message = (
        f"the error is {size} bytes long and the legacy ABI carries at most {MAX_ANSWER}: "
        f"call through the component model for all of it; it begins {error.message[:1000]}"
    )
    if isinstance(error, RejectedError | PolicyError):
        return type(error)([Finding(error.findings[0].check[:1000], message)])
    return type(error)(message)


def _payload(error: AttestationError) -> str:
    if isinstance(error, RejectedError | PolicyError):
        return f"[{','.join(map(_finding, error.findings))}]"
    return text(error.message)


def _finding(finding: Finding) -> str:
    return f'{{"check":{text(finding.check)},"detail":{text(finding.detail)}}}'


def _plain(message: str) -> str:
    if is_plain(message):
        return message
    message = message.replace('"', "'").replace("\\", "/")
    return "".join(c if is_plain(c) else "?" if c.isprintable() else " " for c in message)


def _of(kind: type[T], value: T) -> T:
    if type(value) is not kind:
        raise MisfitError(f"a {type(value).__name__}, not a {kind.__name__}")
    return value

"""Numbers, strings and vectors (WebAssembly core, "Binary Format"; component-model, Binary.md)."""

from __future__ import annotations

from collections.abc import Collection


def u32(value: int) -> bytes:
    """Returns an unsigned number in LEB128."""
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(encoded) + bytes([value])


def s33(index: int) -> bytes:
    """Returns an index where a code could stand: signed LEB128, which keeps it apart from one."""
    encoded = bytearray()
    while index >= 0x40:
        encoded.append(index & 0x7F | 0x80)
        index >>= 7
    return bytes(encoded) + bytes([index])


def string(value: str) -> bytes:
    """Returns a string in UTF-8 after its size in bytes."""
    data = value.encode()
    return u32(len(data)) + data


def vector(items: Collection[bytes]) -> bytes:
    """Returns encoded items after their number."""
    return u32(len(items)) + b"".join(items)


def section(code: int, contents: bytes) -> bytes:
    """Returns a section: its code, its size, its contents."""
    return bytes([code]) + u32(len(contents)) + contents


def custom_section(name: str, contents: bytes) -> bytes:
    """Returns a custom section."""
    return section(0, string(name) + contents)

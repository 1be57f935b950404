"""What the events of a boot log say: names of types, and a short description for people.

Source: TCG, "PC Client Platform Firmware Profile Specification", section "Event Types".
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from types import MappingProxyType

from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence.boot_log import FORMAT, Event
from wasmtime_attestation.evidence.reader import Reader

MAX_DESCRIPTION = 2048
"""Characters in a description."""
_MAX_NODES = 32
_MAX_VALUE = 8
_FILE_PATH = (4, 4)

EV_SEPARATOR = 0x04
EV_S_CRTM_VERSION = 0x08
EV_IPL = 0x0D
EV_EFI_VARIABLE_DRIVER_CONFIG = 0x80000001
EV_EFI_VARIABLE_BOOT = 0x80000002
EV_EFI_BOOT_SERVICES_APPLICATION = 0x80000003
EV_EFI_BOOT_SERVICES_DRIVER = 0x80000004
EV_EFI_RUNTIME_SERVICES_DRIVER = 0x80000005
EV_EFI_GPT_EVENT = 0x80000006
EV_EFI_ACTION = 0x80000007
EV_EFI_PLATFORM_FIRMWARE_BLOB2 = 0x8000000A
EV_EFI_HANDOFF_TABLES2 = 0x8000000B
EV_EFI_VARIABLE_BOOT2 = 0x8000000C
EV_EFI_VARIABLE_AUTHORITY = 0x800000E0

NAMES: Mapping[int, str] = MappingProxyType(
    {
        0x00: "EV_PREBOOT_CERT",
        0x01: "EV_POST_CODE",
        0x03: "EV_NO_ACTION",
        EV_SEPARATOR: "EV_SEPARATOR",
        0x05: "EV_ACTION",
        0x06: "EV_EVENT_TAG",
        0x07: "EV_S_CRTM_CONTENTS",
        EV_S_CRTM_VERSION: "EV_S_CRTM_VERSION",
        0x09: "EV_CPU_MICROCODE",
        0x0A: "EV_PLATFORM_CONFIG_FLAGS",
        0x0B: "EV_TABLE_OF_DEVICES",
        0x0C: "EV_COMPACT_HASH",
        EV_IPL: "EV_IPL",
        0x0E: "EV_IPL_PARTITION_DATA",
        0x0F: "EV_NONHOST_CODE",
        0x10: "EV_NONHOST_CONFIG",
        0x11: "EV_NONHOST_INFO",
        0x12: "EV_OMIT_BOOT_DEVICE_EVENTS",
        0x13: "EV_POST_CODE2",
        EV_EFI_VARIABLE_DRIVER_CONFIG: "EV_EFI_VARIABLE_DRIVER_CONFIG",
        EV_EFI_VARIABLE_BOOT: "EV_EFI_VARIABLE_BOOT",
        EV_EFI_BOOT_SERVICES_APPLICATION: "EV_EFI_BOOT_SERVICES_APPLICATION",
        EV_EFI_BOOT_SERVICES_DRIVER: "EV_EFI_BOOT_SERVICES_DRIVER",
        EV_EFI_RUNTIME_SERVICES_DRIVER: "EV_EFI_RUNTIME_SERVICES_DRIVER",
        EV_EFI_GPT_EVENT: "EV_EFI_GPT_EVENT",
        EV_EFI_ACTION: "EV_EFI_ACTION",
        0x80000008: "EV_EFI_PLATFORM_FIRMWARE_BLOB",
        0x80000009: "EV_EFI_HANDOFF_TABLES",
        EV_EFI_PLATFORM_FIRMWARE_BLOB2: "EV_EFI_PLATFORM_FIRMWARE_BLOB2",
        EV_EFI_HANDOFF_TABLES2: "EV_EFI_HANDOFF_TABLES2",
        EV_EFI_VARIABLE_BOOT2: "EV_EFI_VARIABLE_BOOT2",
        0x8000000D: "EV_EFI_GPT_EVENT2",
        0x80000010: "EV_EFI_HCRTM_EVENT",
        EV_EFI_VARIABLE_AUTHORITY: "EV_EFI_VARIABLE_AUTHORITY",
        0x800000E1: "EV_EFI_SPDM_FIRMWARE_BLOB",
        0x800000E2: "EV_EFI_SPDM_FIRMWARE_CONFIG",
    }
)
VARIABLES = frozenset(
    {
        EV_EFI_VARIABLE_DRIVER_CONFIG,
        EV_EFI_VARIABLE_BOOT,
        EV_EFI_VARIABLE_BOOT2,
        EV_EFI_VARIABLE_AUTHORITY,
    }
)


def name(event: Event) -> str:
    """Returns the name of an event's type, or its number where it has none."""
    return NAMES.get(event.type, f"0x{event.type:08x}")


def describe(event: Event) -> str | None:
    """Returns what the data of an event says, in brief; None where it says nothing readable."""
    try:
        text = _READERS.get(event.type, _text)(event.data)
    except (RejectedError, ValueError):
        return None
    return text[:MAX_DESCRIPTION] or None


def variable_value(data: bytes) -> bytes | None:
    """Returns the value in UEFI_VARIABLE_DATA, or None where the data is none."""
    try:
        return _variable_parts(data)[2]
    except (RejectedError, ValueError):
        return None


def _variable_parts(data: bytes) -> tuple[str, str, bytes]:
    r = Reader(data, FORMAT, "UEFI variable")
    vendor = uuid.UUID(bytes_le=r.take(16, "VariableName"))
    length, size = r.uint(8, "UnicodeNameLength"), r.uint(8, "VariableDataLength")
    if max(length, size) > len(data):
        r.reject("its lengths are those of something else")
    variable = r.take(2 * length, "UnicodeName").decode("utf-16-le")
    value = r.take(size, "VariableData")
    r.end()
    return _printable(variable), str(vendor), value


def _variable(data: bytes) -> str:
    variable, vendor, value = _variable_parts(data)
    said = value.hex() if len(value) <= _MAX_VALUE else f"{len(value)} bytes"
    return f"{variable} ({vendor}) = {said}"


def _image(data: bytes) -> str:
    """Reads UEFI_IMAGE_LOAD_EVENT: the files in the device path of what was started."""
    r = Reader(data, FORMAT, "image load event")
    r.take(24, "location, length and link time address")
    size = r.uint(8, "LengthOfDevicePath")
    if size > len(data):
        r.reject("its device path is longer than it")
    path = Reader(r.take(size, "DevicePath"), FORMAT, "device path")
    files = []
    for _ in range(_MAX_NODES):
        if path.offset >= size:
            break
        kind = (path.uint(1, "a node's type"), path.uint(1, "a node's subtype"))
        length = path.uint(2, "a node's length")
        if length < 4:
            path.reject("a node is shorter than its header")
        content = path.take(length - 4, "a node")
        if kind == _FILE_PATH:
            files.append(_printable(content.decode("utf-16-le")))
    return "".join(files)


def _named(data: bytes) -> str:
    """Reads the name in front of a blob or a table: its length, and its characters."""
    r = Reader(data, FORMAT, "description")
    return _text(r.take(r.uint(1, "the length of a description"), "a description"))


def _hex(data: bytes) -> str:
    return data[: MAX_DESCRIPTION // 2].hex()


def _text(data: bytes) -> str:
    """Reads characters, of one byte or of two each."""
    data = data[: 4 * MAX_DESCRIPTION]
    wide = len(data) % 2 == 0 and len(data) > 1 and not any(data[1::2])
    text = data.decode("utf-16-le" if wide else "ascii").rstrip("\0")
    line = " ".join(text.split())
    if line != _printable(line):
        raise ValueError("it is no text")
    return line


def _printable(text: str) -> str:
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in text.rstrip("\0"))


_READERS: Mapping[int, Callable[[bytes], str]] = {
    EV_SEPARATOR: _hex,
    EV_EFI_BOOT_SERVICES_APPLICATION: _image,
    EV_EFI_BOOT_SERVICES_DRIVER: _image,
    EV_EFI_RUNTIME_SERVICES_DRIVER: _image,
    EV_EFI_PLATFORM_FIRMWARE_BLOB2: _named,
    EV_EFI_HANDOFF_TABLES2: _named,
    **dict.fromkeys(VARIABLES, _variable),
}

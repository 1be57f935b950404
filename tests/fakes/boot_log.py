"""Boot logs for tests: written event by event, and replayed by other code than the verifier's.

Source: TCG, "PC Client Platform Firmware Profile Specification", section "Event Logging".
"""

from __future__ import annotations

import hashlib
import struct
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

ALGORITHMS: Mapping[int, str] = {0x04: "sha1", 0x0B: "sha256", 0x0C: "sha384"}
SEPARATOR = bytes(4)
EFI_GLOBAL = uuid.UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c")


@dataclass(frozen=True)
class Measurement:
    """An event.

    Attributes:
        register: as the log counts them.
        type: of event.
        data: what it says.
        measured: what was measured; the data where it is None.
    """

    register: int
    type: int
    data: bytes
    measured: bytes | None = None

    def digest(self, algorithm: int) -> bytes:
        """Returns what the register is extended with."""
        measured = self.data if self.measured is None else self.measured
        return hashlib.new(ALGORITHMS[algorithm], measured).digest()


def header(algorithms: Sequence[int] = (0x0B,), *, vendor: bytes = b"", index: int = 0) -> bytes:
    """Writes the Spec ID event."""
    sizes = {0x04: 20, 0x0B: 32, 0x0C: 48}
    data = b"Spec ID Event03\0" + struct.pack("<IBBBB", 0, 0, 2, 0, 2)
    data += struct.pack("<I", len(algorithms))
    data += b"".join(struct.pack("<HH", a, sizes.get(a, 7)) for a in algorithms)
    data += bytes([len(vendor)]) + vendor
    return struct.pack("<II20sI", index, 3, bytes(20), len(data)) + data


def event(measurement: Measurement, algorithms: Sequence[int] = (0x0B,)) -> bytes:
    """Writes an event."""
    m = measurement
    digests = b"".join(struct.pack("<H", a) + m.digest(a) for a in algorithms)
    return (
        struct.pack("<III", m.register, m.type, len(algorithms))
        + digests
        + struct.pack("<I", len(m.data))
        + m.data
    )


def log(
    measurements: Iterable[Measurement], algorithms: Sequence[int] = (0x0B,), tail: bytes = b""
) -> bytes:
    """Writes a log."""
    return header(algorithms) + b"".join(event(m, algorithms) for m in measurements) + tail


def replay(
    measurements: Iterable[Measurement], algorithm: int, start: Mapping[int, bytes] | None = None
) -> dict[int, bytes]:
    """Returns the registers after the measurements, by the index that the log has."""
    name = ALGORITHMS[algorithm]
    registers = dict(start or {})
    for m in measurements:
        if m.type != 3:
            before = registers.get(m.register, bytes(hashlib.new(name).digest_size))
            registers[m.register] = hashlib.new(name, before + m.digest(algorithm)).digest()
    return registers


def variable(name: str, value: bytes, vendor: uuid.UUID = EFI_GLOBAL) -> bytes:
    """Writes UEFI_VARIABLE_DATA."""
    return (
        vendor.bytes_le
        + struct.pack("<QQ", len(name), len(value))
        + name.encode("utf-16-le")
        + value
    )


def image(*files: str) -> bytes:
    """Writes UEFI_IMAGE_LOAD_EVENT with a device path of files."""
    path = b"".join(_node(4, 4, f"{name}\0".encode("utf-16-le")) for name in files)
    path += _node(0x7F, 0xFF, b"")
    return struct.pack("<QQQQ", 0x1000, 0x2000, 0, len(path)) + path


def _node(kind: int, subtype: int, content: bytes) -> bytes:
    return struct.pack("<BBH", kind, subtype, 4 + len(content)) + content


PC = (
    Measurement(0, 0x08, "1.0\0".encode("utf-16-le")),
    Measurement(7, 0x80000001, variable("SecureBoot", b"\1")),
    Measurement(0, 0x04, SEPARATOR),
    Measurement(4, 0x80000007, b"Calling EFI Application from Boot Option"),
    Measurement(4, 0x80000003, image("\\EFI\\BOOT\\BOOTX64.EFI"), b"the image"),
    Measurement(1, 0x80000002, variable("Boot0001", b"\1" * 90), b"\1" * 90),
    Measurement(8, 0x0D, b"grub_cmd: linux /vmlinuz ro\0", b"linux /vmlinuz ro"),
    Measurement(9, 0x0D, b"/vmlinuz\0", b"the kernel"),
)
"""The boot of a PC with GRUB."""
TD = tuple(
    Measurement({0: 1, 7: 1, 1: 1, 4: 2, 8: 3, 9: 3}[m.register], m.type, m.data, m.measured)
    for m in PC
)
"""The same, with the registers of a TD."""

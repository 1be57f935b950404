"""The boot log: what firmware, boot loaders and kernel measured, and in what order.

One format serves two: logs of a TPM (registers are PCRs) and, in the CCEL table of a TD, logs of
the RTMRs. Nothing in it counts before its replay leads to the registers of a quote.

Source: TCG, "PC Client Platform Firmware Profile Specification", section "Event Logging"
(TCG_PCClientPCREvent, TCG_EfiSpecIDEvent, TCG_PCR_EVENT2); UEFI, "EFI CC Measurement Protocol".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wasmtime_attestation.evidence.reader import Reader

FORMAT = "boot-log.format"
MAX_SIZE = 4 << 20
"""Bytes in a log with its unused area; real areas have 64 to 256 KiB."""
MAX_EVENTS = 4096
MAX_EVENT_SIZE = 1 << 20

SHA1, SHA256, SHA384, SHA512, SM3 = 0x0004, 0x000B, 0x000C, 0x000D, 0x0012
DIGEST_SIZES: Mapping[int, int] = {SHA1: 20, SHA256: 32, SHA384: 48, SHA512: 64, SM3: 32}
EV_NO_ACTION = 3

_SPEC_ID = b"Spec ID Event03\0"
_STARTUP_LOCALITY = b"StartupLocality\0"
_LOCALITIES = (0, 3, 4)
_ACPI_TABLE = b"CCEL"
_MAX_ALGORITHMS = 8
_UNUSED = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Event:
    """One measurement.

    Attributes:
        register: the PCR's index; in a log of RTMRs, the RTMR's index and one.
        type: of event.
        digests: what the register was extended with, by TPM_ALG_ID.
        data: what the log says of it; how it relates to the digest depends on the type.
    """

    register: int
    type: int
    digests: Mapping[int, bytes]
    data: bytes


@dataclass(frozen=True, slots=True)
class BootLog:
    """A decoded log.

    Attributes:
        algorithms: TPM_ALG_ID of the digests that every event has.
        events: in their order, without the header.
        startup_locality: where PCR 0 starts (0, 3 or 4).
        size: bytes of the log without what is unused after it.
    """

    algorithms: tuple[int, ...]
    events: tuple[Event, ...]
    startup_locality: int
    size: int


def decode(data: bytes) -> BootLog:
    """Decodes a log; zeros or 0xFF may follow, as its area is larger than it.

    Raises:
        RejectedError: `boot-log.format`, if it is no log with digests of its own algorithms.
    """
    r = Reader(data, FORMAT, "boot log")
    if len(data) > MAX_SIZE:
        r.reject(f"it has {len(data)} bytes; {MAX_SIZE} is the most")
    if data.startswith(_ACPI_TABLE):
        r.reject("this is the ACPI table CCEL, which only says where the log is; give the log")
    sizes = _header(r)
    end = min(len(data.rstrip(b"\xff")), len(data.rstrip(b"\0")))
    events: list[Event] = []
    while r.offset < end:
        if len(events) == MAX_EVENTS:
            r.reject(f"it has more than {MAX_EVENTS} events")
        events.append(_event(r, sizes))
    return BootLog(tuple(sizes), tuple(events), _locality(r, events), r.offset)


def _header(r: Reader) -> dict[int, int]:
    """Reads the first event, which is in the format of TPM 1.2 and names the algorithms."""
    r.uint(4, "the index of the first event")
    kind = r.uint(4, "the type of the first event")
    r.zero(20, "the digest of the first event")
    size = r.uint(4, "the size of the first event")
    end = r.offset + size
    if kind != EV_NO_ACTION or r.take(16, "the first event") != _SPEC_ID:
        r.reject("its first event is no Spec ID Event03; a log with SHA-1 alone is not enough")
    r.take(8, "platform class, version, errata and size of UINTN")
    sizes = _algorithms(r)
    r.take(r.uint(1, "the size of the vendor's information"), "the vendor's information")
    if r.offset != end:
        r.reject(f"its first event ends at {r.offset}, and by its size at {end}")
    return sizes


def _algorithms(r: Reader) -> dict[int, int]:
    count = r.uint(4, "the number of algorithms")
    if not 1 <= count <= _MAX_ALGORITHMS:
        r.reject(f"it has digests of {count} algorithms, not 1 to {_MAX_ALGORITHMS}")
    sizes = {}
    for _ in range(count):
        algorithm, size = r.uint(2, "an algorithm"), r.uint(2, "the size of its digests")
        if DIGEST_SIZES.get(algorithm) != size or algorithm in sizes:
            r.reject(f"algorithm 0x{algorithm:x} with digests of {size} bytes is not known")
        sizes[algorithm] = size
    return sizes


def _event(r: Reader, sizes: Mapping[int, int]) -> Event:
    register = r.uint(4, "the index of an event")
    if register == _UNUSED:
        r.reject("something follows the end of the log")
    kind = r.uint(4, "the type of an event")
    count = r.uint(4, "the number of digests")
    digests = {}
    for _ in range(min(count, _MAX_ALGORITHMS)):
        algorithm = r.uint(2, "the algorithm of a digest")
        if algorithm not in sizes:
            r.reject(f"a digest is of algorithm 0x{algorithm:x}, which the first event lacks")
        digests[algorithm] = r.take(sizes[algorithm], "a digest")
    if count != len(sizes) or len(digests) != len(sizes):
        r.reject(f"the event before byte {r.offset} has not one digest of each algorithm")
    size = r.uint(4, "the size of an event")
    if size > MAX_EVENT_SIZE:
        r.reject(f"an event has {size} bytes; {MAX_EVENT_SIZE} is the most")
    return Event(register, kind, digests, r.take(size, "an event"))


def _locality(r: Reader, events: list[Event]) -> int:
    """A TPM that was started from another locality says so before PCR 0 is extended."""
    locality = 0
    for event in events:
        if event.register == 0 and event.type != EV_NO_ACTION:
            break
        if event.type == EV_NO_ACTION and event.data.startswith(_STARTUP_LOCALITY):
            value = event.data[len(_STARTUP_LOCALITY) :]
            if len(value) != 1 or value[0] not in _LOCALITIES:
                r.reject(f"its startup locality is {value[:8].hex()}; 0, 3 and 4 are known")
            locality = value[0]
    return locality

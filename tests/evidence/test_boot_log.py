"""Boot logs, decoded strictly, and what their events say in brief."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence import boot_log, boot_log_events
from wasmtime_attestation.evidence.boot_log import Event

from tests import vectors
from tests.fakes.boot_log import EFI_GLOBAL, PC, Measurement, event, header, image, log, variable

LOG = log(PC)
ALL = (0x04, 0x0B, 0x0C)


def reason(data: bytes) -> str:
    with pytest.raises(RejectedError) as caught:
        boot_log.decode(data)
    (finding,) = caught.value.findings
    assert finding.check == "boot-log.format"
    return finding.detail


@pytest.mark.parametrize("algorithms", [(0x0B,), ALL, (0x0C, 0x0B)])
def test_a_log(algorithms: Sequence[int]) -> None:
    found = boot_log.decode(log(PC, algorithms))
    assert found.algorithms == tuple(algorithms)
    assert found.startup_locality == 0
    assert [(e.register, e.type, e.data) for e in found.events] == [
        (m.register, m.type, m.data) for m in PC
    ]
    for measured, e in zip(PC, found.events, strict=True):
        assert e.digests == {a: measured.digest(a) for a in algorithms}


@pytest.mark.parametrize("tail", [b"", b"\xff", b"\0", b"\xff" * 5000, bytes(5000)])
def test_an_area_that_is_larger_than_its_log(tail: bytes) -> None:
    found = boot_log.decode(LOG + tail)
    assert (len(found.events), found.size) == (len(PC), len(LOG))


@pytest.mark.parametrize("last", [b"\0" * 8, b"\xff" * 8, b"\xff\0" * 8])
def test_an_event_that_ends_like_the_unused_area(last: bytes) -> None:
    measured = [*PC, Measurement(5, 0x0D, last)]
    for tail in (b"", bytes(100), b"\xff" * 100):
        assert boot_log.decode(log(measured) + tail).events[-1].data == last


@pytest.mark.parametrize(
    "tail", [b"\xff" * 100 + b"\1", bytes(99) + b"\1", b"\xff" * 50 + bytes(50)]
)
def test_something_after_the_end(tail: bytes) -> None:
    reason(LOG + tail)


def test_a_locality() -> None:
    def with_locality(data: bytes, *before: Measurement) -> bytes:
        told = Measurement(0, 3, b"StartupLocality\0" + data, b"")
        return log([*before, told, *PC])

    assert boot_log.decode(with_locality(b"\3")).startup_locality == 3
    assert boot_log.decode(with_locality(b"\4", PC[1])).startup_locality == 4
    assert "startup locality" in reason(with_locality(b"\5"))
    assert "startup locality" in reason(with_locality(b"\3\0"))
    # After PCR 0 was extended, it is too late to say where it started.
    assert boot_log.decode(with_locality(b"\3", PC[0])).startup_locality == 0


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "ends at byte 0"),
        (b"CCEL" + bytes(52), "the ACPI table CCEL"),
        (struct.pack("<II20sI", 0, 8, bytes(20), 33) + bytes(33), "no Spec ID Event03"),
        (struct.pack("<II20sI", 0, 3, bytes(20), 33) + bytes(33), "no Spec ID Event03"),
        (struct.pack("<II20sI", 0, 3, b"\1" + bytes(19), 33) + bytes(33), "must be zero"),
        (header(()), "digests of 0 algorithms"),
        (header((0x0B,) * 9), "digests of 9 algorithms"),
        (header((0x0B, 0x0B)), "algorithm 0xb"),
        (header((0x0B, 0x77)), "algorithm 0x77"),
        (header()[:28] + struct.pack("<I", 34) + header()[32:], "by its size at"),
        (header() + event(PC[0], ALL), "which the first event lacks"),
        (header(ALL) + event(PC[0]), "one digest of each algorithm"),
        (header() + event(PC[0], (0x0B, 0x0B)), "one digest of each algorithm"),
        (header() + event(PC[0], ()), "one digest of each algorithm"),
        (header() + struct.pack("<III", 0, 4, 0xFFFFFFFE), "within the algorithm"),
        (header() + event(PC[0])[:46] + b"\xff\xff\xff\x7f", "is the most"),
        (header() + b"\xff" * 4 + b"\1", "something follows the end"),
        (header() + event(PC[2]) * 4097, "more than 4096 events"),
        (bytes((4 << 20) + 1), "is the most"),
    ],
)
def test_what_is_no_log(data: bytes, expected: str) -> None:
    assert expected in reason(data)


def test_every_cut_of_a_log() -> None:
    whole = boot_log.decode(LOG)
    for size in range(len(LOG)):
        try:
            cut = boot_log.decode(LOG[:size])
        except RejectedError:
            continue
        # A cut between two events is a shorter log: the replay finds what is missing.
        assert cut.events == whole.events[: len(cut.events)]
        assert len(cut.events) < len(PC)


def test_a_header_with_vendor_information() -> None:
    assert boot_log.decode(header(vendor=b"vendor") + event(PC[0])).events[0].data == PC[0].data


def describe(kind: int, data: bytes) -> str | None:
    return boot_log_events.describe(Event(0, kind, {}, data))


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        (0x80000001, variable("SecureBoot", b"\1"), f"SecureBoot ({EFI_GLOBAL}) = 01"),
        (0x80000001, variable("db", bytes(9)), f"db ({EFI_GLOBAL}) = 9 bytes"),
        (0x80000002, variable("Boot\u00e9\n", b""), f"Boot?? ({EFI_GLOBAL}) = "),
        (0x80000001, variable("PK", b"")[:-1], None),
        (0x80000001, variable("PK", b"") + b"\0", None),
        (0x80000001, bytes(16) + b"\xff" * 16, None),
        (0x80000003, image("\\EFI\\BOOT\\BOOTX64.EFI"), "\\EFI\\BOOT\\BOOTX64.EFI"),
        (0x80000003, image("\\EFI", "\\a.efi"), "\\EFI\\a.efi"),
        (0x80000003, image(), None),
        (0x80000003, bytes(24) + struct.pack("<Q", 4) + b"\4\4\0\0", None),
        (0x80000003, bytes(24) + struct.pack("<Q", 2**63), None),
        (0x04, bytes(4), "00000000"),
        (0x08, "1.0\0".encode("utf-16-le"), "1.0"),
        (0x0D, b"grub_cmd: menuentry a {\n  linux /a\n}\0", "grub_cmd: menuentry a { linux /a }"),
        (0x0D, "root=/dev/sda\0".encode("utf-16-le"), "root=/dev/sda"),
        (0x0D, b"\x1b[31m", None),
        (0x0D, b"\x80\x81", None),
        (0x0D, b"", None),
        (0x0D, b"a" * 5000, "a" * 2048),
        (0x8000000A, b"\7FV name" + bytes(16), "FV name"),
        (0x8000000A, b"\xff", None),
        (0x80000006, b"EFI PART" + bytes(range(256)), None),
        (0x12345678, b"text", "text"),
    ],
)
def test_descriptions(kind: int, data: bytes, expected: str | None) -> None:
    assert describe(kind, data) == expected


def test_names() -> None:
    assert boot_log_events.name(Event(0, 0x80000007, {}, b"")) == "EV_EFI_ACTION"
    assert boot_log_events.name(Event(0, 0x77, {}, b"")) == "0x00000077"


def test_a_real_log() -> None:
    """The counts are those of an event parser that was written for this test's author by hand."""
    found = boot_log.decode(vectors.read("tdx/gotdx_cos113_ccel_data.dat"))
    assert (len(found.events), found.algorithms, found.size) == (43, (0x0C,), 18101)
    described = [boot_log_events.describe(e) or "" for e in found.events]
    assert "\\EFI\\BOOT\\grub-lakitu.efi" in described
    assert any(text.startswith("kernel_cmdline: /syslinux/vmlinuz.A init=") for text in described)


@given(st.binary(max_size=400), st.sampled_from([b"", header(), header(ALL), LOG]))
def test_arbitrary_bytes(data: bytes, start: bytes) -> None:
    try:
        found = boot_log.decode(start + data)
    except RejectedError:
        return
    for e in found.events:
        boot_log_events.describe(e)


@given(st.binary(max_size=400), st.sampled_from([*boot_log_events.NAMES, 0x77]))
def test_descriptions_of_anything_are_bounded_and_printable(data: bytes, kind: int) -> None:
    text = describe(kind, data)
    assert text is None or (0 < len(text) <= 2048 and text.isascii() and text.isprintable())

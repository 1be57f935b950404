"""SPDM measurements and NVIDIA's opaque data are read by their declared lengths, and strictly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence import nvidia, spdm, spdm_opaque
from wasmtime_attestation.evidence.envelope import EvidenceType

from tests.fakes.nvidia import BLACKWELL, HOPPER, NONCE, PDIS, SWITCH, block, opaque

REPORT = HOPPER.report()


def refusal(data: bytes) -> str:
    with pytest.raises(RejectedError) as caught:
        nvidia.decode(data)
    (finding,) = caught.value.findings
    assert finding.check == "nvidia.format"
    return finding.detail


def record(*blocks: bytes, count: int | None = None, size: int | None = None) -> bytes:
    """Writes a measurement record."""
    body = b"".join(blocks)
    declared = len(body) if size is None else size
    return bytes([len(blocks) if count is None else count]) + declared.to_bytes(3, "little") + body


def test_request_and_response_are_read() -> None:
    signed = spdm.decode(REPORT)

    assert signed.nonce == NONCE
    assert signed.slot == 0
    assert [m.index for m in signed.measurements] == list(range(1, 65))
    assert {m.kind for m in signed.measurements} == {1}
    assert {len(m.value) for m in signed.measurements} == {48}
    assert signed.signed_bytes + signed.signature == REPORT
    assert signed.size == len(REPORT)
    assert signed.trailing_bytes == 0


@pytest.mark.parametrize("tail", [b"\0", b"junk", bytes(3000)])
def test_what_follows_is_counted(tail: bytes) -> None:
    signed = spdm.decode(REPORT + tail)

    assert signed.trailing_bytes == len(tail)
    assert signed.signed_bytes == REPORT[:-96]


@pytest.mark.parametrize(
    ("offset", "says"),
    [
        (0, "the request's SPDM version is 0x10, not 0x11"),
        (1, "the request's code is 0xe1, not 0xe0"),
        (2, "the request's attributes is 0x00, not 0x01"),
        (3, "the request's operation is 0xfe, not 0xff"),
        (36, "the response's slot is 0x00, not 0x01"),
        (37, "the response's SPDM version is 0x10"),
        (38, "the response's code is 0x61"),
        (39, "the response's reserved byte"),
        (40, "the response's slot is 0x01, not 0x00"),
        (41, "64 blocks|65 blocks|measurement block"),
        (42, "the measurement record at"),
    ],
)
def test_each_byte_of_the_headers_counts(offset: int, says: str) -> None:
    data = bytearray(REPORT)
    data[offset] ^= 1

    with pytest.raises(RejectedError, match=says):
        spdm.decode(bytes(data))


def test_a_slot_is_one_of_eight() -> None:
    data = bytearray(REPORT)
    data[36] = data[40] = 8
    assert "its slot is 8" in refusal(bytes(data))
    data[36] = data[40] = 7
    assert spdm.decode(bytes(data)).slot == 7


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (record(), "it has no measurement block"),
        (record(block(1, b"x"), block(1, b"x")), "index stands twice"),
        (record(block(0, b"x")), "has index 0"),
        (record(block(1, b"x", specification=2)), "specification of measurement block 0 is 0x02"),
        (record(bytes.fromhex("0101050001010041")), "has 5 bytes, and 1 of them"),
        (record(block(1, b"x"), size=9), "blocks end at 53, the measurement record at 54"),
        (record(block(1, b"x"), size=7), "blocks end at 53, the measurement record at 52"),
    ],
)
def test_what_is_wrong_with_a_record_is_said(record: bytes, says: str) -> None:
    assert says in refusal(HOPPER.report(record=record))


def test_every_cut_is_refused() -> None:
    for size in range(len(REPORT)):
        with pytest.raises(RejectedError):
            nvidia.decode(REPORT[:size])


def test_the_legacy_layout() -> None:
    data = spdm_opaque.decode(bytes.fromhex("0300020041420b000000"))

    assert (data.version, data.is_versioned) == (0, False)
    assert data.value(3) == b"AB"
    assert data.value(11) == b""
    assert data.value(12) is None


def test_the_versioned_layout() -> None:
    """The header of NVIDIA's example, and one field of each of two value types."""
    header = b"NVDAOD" + bytes.fromhex("0000 02000000")
    data = spdm_opaque.decode(header + bytes.fromhex("2500 8700 0200 0500  0b00 8200 0100 aa"))

    assert (data.version, data.is_versioned) == (2, True)
    assert data.fields[37].value_type == spdm_opaque.MINIMUM_SVN
    assert data.fields[37].value == b"\5\0"
    assert data.fields[11].value == b"\xaa"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"NVDAOD" + bytes.fromhex("0100 02000000"), "the profile"),
        (b"NVDAOD" + bytes.fromhex("0000 03000000"), "its version is 3"),
        (b"NVDAOD" + bytes.fromhex("0000 02000001"), "the padding of the header"),
        (b"NVDAOD\0\0\2", "the minor version"),
        (bytes.fromhex("2200 0200 0300"), "its version is 3"),
        (bytes.fromhex("0300 0100 41 0300 0100 42"), "field 3 stands twice"),
        (bytes.fromhex("0300 0200 41"), "within field 3"),
        (bytes.fromhex("0300 01"), "the length of field 3"),
        (bytes.fromhex("03"), "the type of a field"),
    ],
)
def test_what_is_wrong_with_opaque_data_is_said(data: bytes, says: str) -> None:
    assert says in refusal(HOPPER.report(opaque_data=data))


def test_the_fields_of_a_gpu() -> None:
    report = nvidia.decode(BLACKWELL.report(fields={22: PDIS[0] + PDIS[1] + PDIS[0]}))

    assert report.driver_version == "620.12"
    assert report.vbios_version == "97.00.D9.00.0F"
    assert (report.project, report.project_sku, report.chip_sku) == ("G520", "0201", "884")
    assert (report.chip_info, report.mode, report.opaque.version) == ("GB10X", "mpt", 2)
    assert report.nvdec0_enabled
    assert report.protected_pcie is None
    assert report.fwid == BLACKWELL.fwid
    assert report.peer_pdis == (PDIS[0][::-1], PDIS[1][::-1])
    assert not report.is_switch


def test_the_fields_of_a_switch() -> None:
    report = nvidia.decode(SWITCH.report())

    assert report.is_switch
    assert report.driver_version is None
    assert report.vbios_version == "96.10.55.00.01"
    assert report.pdi == bytes.fromhex("203eb31ad9ed0008")
    assert report.peer_pdis == PDIS


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({3: None}, "a GPU's has a driver version"),
        ({15: b"\0"}, "a GPU's has a driver version, project, project_sku, chip_sku"),
        ({3: b"550/90"}, "its driver version is b'550/90'"),
        ({3: b"9" * 33}, "no word of at most 32"),
        ({17: b"10\n10"}, "its project is"),
        ({6: None}, "it has no VBIOS version"),
        ({6: bytes(7)}, "its VBIOS version has 7 bytes"),
        ({11: b"\0"}, "its NVDEC0 status is 00"),
        ({11: b""}, "its NVDEC0 status is"),
        ({20: bytes(47)}, "its FWID has 47 bytes"),
        ({22: bytes(9)}, "PDIs have 9 bytes"),
        ({36: b"\3\0"}, "its feature flag is 0300"),
        ({36: b""}, "its feature flag is empty"),
    ],
)
def test_what_is_wrong_with_a_field_is_said(fields: dict[int, bytes | None], says: str) -> None:
    assert says in refusal(HOPPER.report(fields=fields))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({26: bytes(63)}, "GPUs' PDIs have 63 bytes"),
        ({22: bytes(7)}, "its PDI has 7 bytes"),
        ({6: b""}, "it has no VBIOS version"),
    ],
)
def test_what_is_wrong_with_a_switch_is_said(fields: dict[int, bytes | None], says: str) -> None:
    assert says in refusal(SWITCH.report(fields=fields))


@pytest.mark.parametrize(
    ("flag", "mode"), [(b"\0\0", "spt"), (b"\1\0", "mpt"), (b"\2\0", "ppcie"), (None, None)]
)
def test_the_mode(flag: bytes | None, mode: str | None) -> None:
    assert nvidia.decode(HOPPER.report(fields={36: flag})).mode == mode


@pytest.mark.parametrize(("status", "meaning"), [(b"\xaa", True), (b"\x55", False), (b"\1", None)])
def test_protected_pcie(status: bytes, *, meaning: bool | None) -> None:
    assert nvidia.decode(HOPPER.report(fields={21: status})).protected_pcie is meaning


def test_switches_are_told_from_gpus() -> None:
    assert nvidia.type_of(SWITCH.report()) is EvidenceType.NVIDIA_SWITCH
    assert nvidia.type_of(REPORT) is EvidenceType.NVIDIA_GPU
    assert nvidia.type_of(spdm.PREFIX) is EvidenceType.NVIDIA_GPU


@given(st.binary(max_size=200))
def test_any_opaque_data_is_read_or_refused(data: bytes) -> None:
    for layout in (data, spdm_opaque.MAGIC + bytes(2) + b"\2\0\0\0" + data):
        try:
            spdm_opaque.decode(layout)
        except RejectedError:
            continue


@given(st.dictionaries(st.integers(0, 40), st.binary(max_size=16), max_size=8))
def test_written_fields_are_read_back(fields: dict[int, bytes]) -> None:
    if int.from_bytes(fields.get(34, b""), "little") > spdm_opaque.MAX_VERSION:
        return
    decoded = spdm_opaque.decode(opaque(fields))

    assert {type_: f.value for type_, f in decoded.fields.items()} == fields

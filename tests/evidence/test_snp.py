"""ATTESTATION_REPORT is decoded as the specification's table says, and no bit of it is ignored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence.snp import SnpReport, decode
from wasmtime_attestation.evidence.snp_fields import (
    Cpuid,
    FirmwareVersion,
    SignerKind,
    TcbVersion,
)

from tests import vectors
from tests.fakes.amd import GENOA, LAYOUT, MILAN, MILAN_V2, TURIN, Machine

SIZE = 1184
BYTE_FIELDS = (
    "family_id",
    "image_id",
    "report_data",
    "measurement",
    "host_data",
    "id_key_digest",
    "author_key_digest",
    "report_id",
    "report_id_ma",
    "chip_id",
)
TCB_FIELDS = ("current_tcb", "reported_tcb", "committed_tcb", "launch_tcb")


def field(data: bytes, name: str) -> bytes:
    offset, size = LAYOUT[name]
    return data[offset : offset + size]


def number(data: bytes, name: str) -> int:
    return int.from_bytes(field(data, name), "little")


def tcb_by_hand(raw: bytes, *, turin: bool) -> TcbVersion:
    """56860, table "TCB_VERSION", before family 1Ah and from it on."""
    if turin:
        return TcbVersion(fmc=raw[0], boot_loader=raw[1], tee=raw[2], snp=raw[3], microcode=raw[7])
    return TcbVersion(boot_loader=raw[0], tee=raw[1], snp=raw[6], microcode=raw[7])


@pytest.mark.parametrize("vector", vectors.SNP, ids=str)
def test_a_real_report_decodes_to_what_stands_at_the_specified_offsets(
    vector: vectors.SnpVector,
) -> None:
    data = vector.report()
    report = decode(data)

    assert report.version == number(data, "version")
    assert report.guest_svn == number(data, "guest_svn")
    assert report.vmpl == number(data, "vmpl")
    for name in BYTE_FIELDS:
        assert getattr(report, name) == field(data, name), name
    for name in TCB_FIELDS:
        expected = tcb_by_hand(field(data, name), turin=vector is vectors.TURIN_V5)
        assert getattr(report, name) == expected, name
    for name in ("current", "committed"):
        parts = [number(data, f"{name}_{part}") for part in ("major", "minor", "build")]
        assert getattr(report, f"{name}_firmware") == FirmwareVersion(*parts)
    assert report.signature_r == number(data, "signature_r")
    assert report.signature_s == number(data, "signature_s")
    assert report.signed_bytes == data[:0x2A0]


def test_the_real_reports_say_what_their_manifest_says() -> None:
    milan_v2, milan_v3, turin, azure = (decode(vector.report()) for vector in vectors.SNP)

    assert milan_v2.version == 2
    assert milan_v2.policy.debug_allowed
    assert milan_v2.cpuid is None
    assert milan_v2.reported_tcb == TcbVersion(boot_loader=2, tee=0, snp=5, microcode=68)
    assert milan_v3.cpuid == Cpuid(0x19, 1, 1)
    assert milan_v3.reported_tcb == TcbVersion(boot_loader=4, tee=0, snp=24, microcode=219)
    assert not milan_v3.policy.debug_allowed
    assert turin.version == 5
    assert turin.cpuid == Cpuid(0x1A, 2, 1)
    assert turin.reported_tcb == TcbVersion(fmc=1, boot_loader=1, tee=1, snp=4, microcode=81)
    assert (turin.launch_mitigation_vector, turin.current_mitigation_vector) == (63, 63)
    # Bit 6 of PLATFORM_INFO is reserved, and this machine sets it.
    assert turin.platform_info.undefined_bits == 1 << 6
    assert azure.report_data[32:] == bytes(32)
    assert {r.vmpl for r in (milan_v2, milan_v3, turin, azure)} == {0}
    assert {r.keys.signer for r in (milan_v2, milan_v3, turin, azure)} == {SignerKind.VCEK}


@pytest.mark.parametrize("version", [3, 4, 5])
def test_every_field_of_a_written_report_is_read_back(version: int) -> None:
    written: dict[str, int | bytes] = {
        "guest_svn": 0x01020304,
        "vmpl": 3,
        "current_tcb": bytes([1, 2, 0, 0, 0, 0, 3, 4]),
        "reported_tcb": bytes([5, 6, 0, 0, 0, 0, 7, 8]),
        "committed_tcb": bytes([9, 10, 0, 0, 0, 0, 11, 12]),
        "launch_tcb": bytes([13, 14, 0, 0, 0, 0, 15, 16]),
        "current_build": 20,
        "current_minor": 21,
        "current_major": 22,
        "committed_build": 23,
        "committed_minor": 24,
        "committed_major": 25,
    }
    for seed, name in enumerate(BYTE_FIELDS):
        written[name] = bytes((seed * 16 + i) % 256 for i in range(LAYOUT[name][1]))
    if version == 5:
        written |= {"launch_mit_vector": 1 << 63, "current_mit_vector": 7}

    report = decode(MILAN.report(version=version, **written))

    assert (report.version, report.guest_svn, report.vmpl) == (version, 0x01020304, 3)
    for name in BYTE_FIELDS:
        assert getattr(report, name) == written[name], name
    assert report.current_tcb == TcbVersion(1, 2, 3, 4)
    assert report.reported_tcb == TcbVersion(5, 6, 7, 8)
    assert report.committed_tcb == TcbVersion(9, 10, 11, 12)
    assert report.launch_tcb == TcbVersion(13, 14, 15, 16)
    assert report.current_firmware == FirmwareVersion(22, 21, 20)
    assert report.committed_firmware == FirmwareVersion(25, 24, 23)
    vectors_of = (report.launch_mitigation_vector, report.current_mitigation_vector)
    assert vectors_of == ((1 << 63, 7) if version == 5 else (None, None))


@pytest.mark.parametrize("version", [0, 1, 6, 0x02000000, 0xFFFFFFFF])
def test_versions_that_are_not_known_are_rejected(version: int) -> None:
    with pytest.raises(RejectedError, match=f"its version is {version};"):
        decode(MILAN.report(version=version))


@pytest.mark.parametrize("algorithm", [0, 2, 0x01000000])
def test_other_signature_algorithms_are_rejected(algorithm: int) -> None:
    with pytest.raises(RejectedError, match=f"SIGNATURE_ALGO is {algorithm}"):
        decode(MILAN.report(signature_algo=algorithm))


def reserved(version: int, *, turin: bool) -> Iterator[int]:
    """Offsets of every byte that the table reserves."""
    yield from range(0x4C, 0x50)
    yield from range(0x188 if version == 2 else 0x18B, 0x1A0)
    for tcb in (0x38, 0x180, 0x1E0, 0x1F0):
        yield from range(tcb + 4, tcb + 7) if turin else range(tcb + 2, tcb + 6)
    yield from (0x1EB, 0x1EF)
    yield from range(0x208 if version == 5 else 0x1F8, 0x2A0)
    yield from range(0x2A0 + 48, 0x2E8)
    yield from range(0x2E8 + 48, SIZE)


@pytest.mark.parametrize(
    ("report", "offsets"),
    [
        pytest.param(MILAN_V2.report(), tuple(reserved(2, turin=False)), id="v2"),
        pytest.param(MILAN.report(), tuple(reserved(3, turin=False)), id="v3"),
        pytest.param(GENOA.report(version=4), tuple(reserved(4, turin=False)), id="v4"),
        pytest.param(MILAN.report(version=5), tuple(reserved(5, turin=False)), id="v5"),
        pytest.param(TURIN.report(), tuple(reserved(5, turin=True)), id="v5-turin"),
    ],
)
def test_every_reserved_byte_must_be_zero(report: bytes, offsets: tuple[int, ...]) -> None:
    decode(report)
    for offset in offsets:
        for value in (0x01, 0x80):
            changed = bytearray(report)
            changed[offset] = value
            with pytest.raises(RejectedError, match="must be zero"):
                decode(bytes(changed))


def without_raw_bytes(report: SnpReport) -> SnpReport:
    return replace(report, signed_bytes=b"")


@pytest.mark.parametrize("machine", [MILAN_V2, MILAN, TURIN], ids=["v2", "v3", "v5"])
def test_no_bit_of_a_report_is_ignored(machine: Machine) -> None:
    """Each flip is rejected or changes a decoded field."""
    report = machine.report()
    original = without_raw_bytes(decode(report))
    for bit in range(SIZE * 8):
        changed = bytearray(report)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            assert without_raw_bytes(decode(bytes(changed))) != original, f"bit {bit}"
        except RejectedError:
            continue


@pytest.mark.parametrize("size", [0, 1, 3, 4, 0x2A0, SIZE - 1, SIZE + 1, SIZE * 2])
def test_other_sizes_are_rejected(size: int) -> None:
    report = MILAN.report()
    with pytest.raises(RejectedError, match=f"it has {size} bytes, not 1184"):
        decode((report + report)[:size])


@given(st.binary(max_size=SIZE + 8) | st.binary(min_size=SIZE, max_size=SIZE))
def test_arbitrary_bytes_are_decoded_or_rejected(data: bytes) -> None:
    assert failed_checks(data) <= {"snp.format"}


def failed_checks(data: bytes) -> set[str]:
    try:
        decode(data)
    except RejectedError as error:
        return {finding.check for finding in error.findings}
    return set()

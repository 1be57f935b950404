"""The reader takes what is there, in order, and rejects everything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence.reader import Reader


def reader(data: bytes) -> Reader:
    return Reader(data, "snp.format", "thing")


def test_fields_are_read_in_order_and_integers_are_little_endian() -> None:
    r = reader(bytes([1, 2, 3, 4, 0, 0, 9]))

    assert r.take(1, "A") == b"\x01"
    assert r.uint(3, "B") == 0x040302
    r.zero(2, "C")
    assert r.offset == 6
    assert r.uint(1, "D") == 9
    r.end()


def test_a_field_beyond_the_end_is_rejected_by_name_and_place() -> None:
    r = reader(bytes(10))
    r.take(8, "A")

    with pytest.raises(RejectedError) as caught:
        r.take(4, "CHIP_ID")

    (finding,) = caught.value.findings
    assert finding.check == "snp.format"
    assert "no valid thing" in finding.detail
    assert "ends at byte 10, within CHIP_ID (0x8 to 0xc)" in finding.detail


@pytest.mark.parametrize("at", range(4))
def test_reserved_bytes_must_all_be_zero(at: int) -> None:
    data = bytearray(4)
    data[at] = 0x80

    with pytest.raises(RejectedError, match=r"the gap \(0x0 to 0x4\) must be zero"):
        reader(bytes(data)).zero(4, "the gap")


def test_what_follows_the_end_is_rejected() -> None:
    r = reader(bytes(5))
    r.take(3, "A")

    with pytest.raises(RejectedError, match="2 bytes follow its end at 3"):
        r.end()


@given(st.binary(max_size=64), st.lists(st.integers(0, 40), max_size=8))
def test_it_returns_exactly_the_bytes_there_are_or_rejects(data: bytes, sizes: list[int]) -> None:
    r = reader(data)
    taken = b""
    try:
        for size in sizes:
            taken += r.take(size, "field")
        r.end()
    except RejectedError:
        assert data.startswith(taken)
        assert sum(sizes) != len(data)
    else:
        assert taken == data

"""The certificate table of SEV-SNP hosts, entry by entry (AMD 56421, "Certificate data format")."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasmtime_attestation.endorsements.amd_table import MAX_ENTRIES, TableEntry, decode, is_table

VCEK = uuid.UUID("63da758d-e664-4564-adc5-f4b93be8accd")
ASK = uuid.UUID("4ab7b379-bbac-4fe4-a02f-05aef327c782")
OTHER = uuid.UUID("9f4116cd-c503-4f4a-8f6f-fb68882f4ce2")


def table(*entries: tuple[uuid.UUID, bytes]) -> bytes:
    offset = 24 * (len(entries) + 1)
    head, body = b"", b""
    for guid, data in entries:
        head += guid.bytes + (offset + len(body)).to_bytes(4, "little")
        head += len(data).to_bytes(4, "little")
        body += data
    return head + bytes(24) + body


WHOLE = table((VCEK, b"vcek"), (ASK, b"ask"), (OTHER, b"the host's own"))


def test_entries_come_out_in_order() -> None:
    assert decode(WHOLE) == (
        TableEntry(VCEK, b"vcek"),
        TableEntry(ASK, b"ask"),
        TableEntry(OTHER, b"the host's own"),
    )
    assert [entry.is_certificate for entry in decode(WHOLE)] == [True, True, False]


def test_an_entry_that_is_not_amds_is_named_by_guid_size_and_digest() -> None:
    # FIPS 180-4's example: SHA-256 of "abc".
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert str(TableEntry(OTHER, b"abc")) == f"{OTHER} (3 bytes, SHA-256 {digest})"


def test_padding_after_the_table_does_not_matter() -> None:
    assert decode(WHOLE + bytes(4096)) == decode(WHOLE)


def test_a_table_is_told_by_an_entry_of_amds() -> None:
    assert is_table(WHOLE)
    assert is_table(table((ASK, b"")))
    assert is_table(table((OTHER, b"x"), (ASK, b"")))
    for other in (b"", WHOLE[:23], table((OTHER, b"x")), b"\x30\x82" + bytes(100), bytes(48)):
        assert not is_table(other)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (WHOLE[:30], "no last entry"),
        (WHOLE[:-1], "reaches out of the table"),
        (WHOLE[:16] + b"\0\0\0\0" + WHOLE[20:], "reaches out of the table"),
        (WHOLE[:16] + b"\xff\xff\xff\xff" + WHOLE[20:], "reaches out of the table"),
        (table(*[(ASK, b"")] * (MAX_ENTRIES + 1)), f"more than {MAX_ENTRIES} entries"),
        (ASK.bytes + b"\1" * 8 + b"\1" * 24 * MAX_ENTRIES, "more than"),
    ],
)
def test_what_reaches_too_far_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        decode(data)


def test_as_many_entries_as_are_allowed() -> None:
    assert len(decode(table(*[(ASK, b"x")] * MAX_ENTRIES))) == MAX_ENTRIES


@given(st.binary(max_size=200))
def test_any_bytes_are_entries_or_refused(data: bytes) -> None:
    try:
        entries = decode(ASK.bytes + data)
    except ValueError:
        entries = ()
    assert sum(len(entry.data) for entry in entries) <= MAX_ENTRIES * 216

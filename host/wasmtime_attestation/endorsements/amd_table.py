"""The certificate table that a host hands to SEV-SNP guests beside their reports.

configfs-tsm has it in `auxblob`, /dev/sev-guest answers SNP_GET_EXT_REPORT with it. The host
wrote it, so nothing in it counts before it is verified; a host may add entries of its own, such
as the launch endorsement of its cloud.

Source: AMD publication 56421 (GHCB), section 4.1.8.1, "SNP Extended Guest Request", table
"Certificate data format"; entry GUIDs in section 4.1.8.1 too.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from struct import Struct

MAX_ENTRIES = 32
"""Entries in a table; AMD defines four, and a host adds one or two."""

# GUID, offset, length.
_ENTRY = Struct("<16s I I")
_ENTRY_SIZE = _ENTRY.size
_END = bytes(_ENTRY_SIZE)
# ARK, ASK (an ASVK stands in its place), VCEK, VLEK.
_CERTIFICATES = {
    uuid.UUID(text).bytes
    for text in (
        "c0b406a4-a803-4952-9743-3fb6014cd0ae",
        "4ab7b379-bbac-4fe4-a02f-05aef327c782",
        "63da758d-e664-4564-adc5-f4b93be8accd",
        "a8074bc2-a25a-483e-aae6-39c045a0b8a1",
    )
}


@dataclass(frozen=True, slots=True)
class TableEntry:
    """An entry.

    Attributes:
        guid: says of what kind it is.
        data: its content.
    """

    guid: uuid.UUID
    data: bytes

    @property
    def is_certificate(self) -> bool:
        """Whether it is one of AMD's certificates."""
        return self.guid.bytes in _CERTIFICATES

    def __str__(self) -> str:
        digest = hashlib.sha256(self.data).hexdigest()
        return f"{self.guid} ({len(self.data)} bytes, SHA-256 {digest})"


def is_table(data: bytes) -> bool:
    """Whether bytes begin with entries of which AMD defines one."""
    try:
        return any(guid in _CERTIFICATES for guid, _, _ in _headers(data))
    except ValueError:
        return False


def decode(data: bytes) -> tuple[TableEntry, ...]:
    """Decodes a table.

    Args:
        data: the entries, an entry of zeros, and what the entries point to.

    Raises:
        ValueError: an entry reaches out of it or into the entries, or there is no end to them.
    """
    headers = _headers(data)
    first = _ENTRY_SIZE * (len(headers) + 1)
    entries = []
    for raw, offset, length in headers:
        guid = uuid.UUID(bytes=raw)
        if offset < first or offset + length > len(data):
            raise ValueError(f"entry {guid} of the certificate table reaches out of the table")
        entries.append(TableEntry(guid, data[offset : offset + length]))
    return tuple(entries)


def _headers(data: bytes) -> list[tuple[bytes, int, int]]:
    headers: list[tuple[bytes, int, int]] = []
    for start in range(0, _ENTRY_SIZE * (MAX_ENTRIES + 1), _ENTRY_SIZE):
        entry = data[start : start + _ENTRY_SIZE]
        if entry == _END:
            return headers
        if len(entry) < _ENTRY_SIZE:
            raise ValueError("the certificate table has no last entry")
        headers.append(_ENTRY.unpack(entry))
    raise ValueError(f"the certificate table has more than {MAX_ENTRIES} entries")

"""The certificate table that a host hands to its SEV-SNP guests, as it comes beside a report."""

from __future__ import annotations

import logging

from wasmtime_attestation.endorsements import amd_table
from wasmtime_attestation.evidence.envelope import EndorsementType, RawEndorsement

log = logging.getLogger(__name__)

_ENTRY_SIZE = 24


def endorsements_of(table: bytes) -> tuple[RawEndorsement, ...]:
    """Returns the table without what is unused after it; nothing where the host gave none.

    A table that cannot be read is left out with a warning: the report stands without it, and its
    certificates can be had from AMD.

    Args:
        table: zeros where the host gave none.
    """
    try:
        entries = amd_table.decode(table) if table else ()
    except ValueError as error:
        log.warning("the host's certificate table is left out, as it cannot be read: %s", error)
        return ()
    if not entries:
        return ()
    headers = (
        table[at : at + _ENTRY_SIZE] for at in range(0, _ENTRY_SIZE * len(entries), _ENTRY_SIZE)
    )
    end = max(_u32(header, 16) + _u32(header, 20) for header in headers)
    return (RawEndorsement(EndorsementType.AMD_CERTIFICATE_TABLE, table[:end]),)


def _u32(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 4], "little")

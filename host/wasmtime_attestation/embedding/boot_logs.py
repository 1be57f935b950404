"""Which piece of evidence a boot log belongs to, and the log of this machine."""

from __future__ import annotations

from dataclasses import replace

from wasmtime_attestation.attesters import boot_log
from wasmtime_attestation.errors import InvalidArgumentError, RejectedError, UnavailableError
from wasmtime_attestation.evidence import boot_log as logs
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType

_WITH_REGISTERS = (EvidenceType.INTEL_TDX, EvidenceType.AZURE_SNP, EvidenceType.AZURE_TDX)


def attached(pieces: tuple[Evidence, ...], log: bytes) -> tuple[Evidence, ...]:
    """Returns the pieces, with the log at the one that has registers for it.

    Args:
        pieces: of one input.
        log: what was given with `--boot-log`; it takes the place of one that came along.

    Raises:
        InvalidArgumentError: none has such registers, or more than one.
    """
    count = sum(piece.type in _WITH_REGISTERS for piece in pieces)
    if count != 1:
        raise InvalidArgumentError(
            "--boot-log is for one TDX quote or one Azure confidential VM, whose registers it "
            f"leads to; there are {count} here"
        )
    return tuple(
        replace(piece, boot_log=log) if piece.type in _WITH_REGISTERS else piece for piece in pieces
    )


def with_own(pieces: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Returns the pieces, with this machine's log at the one that has registers for it.

    Raises:
        InvalidArgumentError: none has such registers.
        UnavailableError: there is no log, or none that can be read.
    """
    kinds = [piece.type for piece in pieces if piece.type in _WITH_REGISTERS]
    if len(kinds) != 1:
        raise InvalidArgumentError(
            "--boot-log is for a TDX or Azure confidential VM, whose registers the log leads to"
        )
    log = boot_log.read(kinds[0])
    try:
        return attached(pieces, log[: logs.decode(log).size])
    except RejectedError as error:
        raise UnavailableError(f"the boot log of this machine is none: {error}") from error

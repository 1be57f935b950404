"""A small client of a TPM 2.0: the few commands that an attester needs, one at a time.

Source: TCG, "Trusted Platform Module 2.0 Library", part 3: Non-volatile Storage, Object Commands,
Attestation Commands, Integrity Collection (PCR), Capability Commands.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from typing import Protocol

from wasmtime_attestation.attesters import tpm_client_wire as wire
from wasmtime_attestation.attesters.tpm_client_codes import (
    TRANSIENT,
    TpmError,
    base_code,
    explain,
)
from wasmtime_attestation.attesters.tpm_client_wire import (
    OWNER,
    CommandCode,
    NvPublic,
    ResponseReader,
    RsaPublic,
)
from wasmtime_attestation.errors import UnavailableError

MAX_NONCE = 50
"""Bytes of qualifyingData (TPM2B_DATA) that a TPM takes whose largest digest is SHA-384."""

_NV_BUFFER_MAX = 0x12C  # TPM_PT_NV_BUFFER_MAX
_DEFAULT_NV_BUFFER = 1024
# Leaves room for the rest of a response.
_LARGEST_NV_BUFFER = 2048
_PCRS_A_CALL = 8
_PATIENCE = 20.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.5


class Transport(Protocol):
    """What carries commands to a TPM."""

    def exchange(self, command: bytes) -> bytes:
        """Sends one command and returns the whole response.

        Raises:
            UnavailableError: the TPM could not be reached.
        """


class Tpm:
    """A TPM that is reached by a transport.

    Args:
        transport: the device; its owner closes it.
        patience: seconds that are waited, over all commands, where the TPM asks to wait.
    """

    def __init__(self, transport: Transport, *, patience: float = _PATIENCE) -> None:
        self._transport = transport
        self._patience = patience
        self._lock = threading.Lock()
        self._nv_buffer: int | None = None

    def nv_read_public(self, index: int) -> NvPublic:
        """TPM2_NV_ReadPublic: the attributes and size of an index.

        Raises:
            TpmError: HANDLE, if the index is not defined.
            UnavailableError: the TPM could not be reached, or its answer cannot be read.
        """
        return wire.read_nv_public(self._run(CommandCode.NV_READ_PUBLIC, (index,)), index)

    def nv_read(self, index: int, size: int, offset: int = 0) -> bytes:
        """TPM2_NV_Read, with the owner's empty password, in as many pieces as the TPM needs.

        Args:
            index: of the owner's hierarchy, or readable by the owner.
            size: bytes to read.
            offset: where to begin.

        Raises:
            TpmError: HANDLE, NV_UNINITIALIZED, NV_RANGE or NV_AUTHORIZATION.
            UnavailableError: the TPM could not be reached, or its answer cannot be read.
        """
        ends = range(offset, offset + size, self._nv_buffer_size())
        pieces = (self._nv_read(index, at, min(ends.step, offset + size - at)) for at in ends)
        return b"".join(pieces)

    def nv_write(self, index: int, data: bytes) -> None:
        """TPM2_NV_Write from the start of an index, with the owner's empty password.

        Raises:
            TpmError: HANDLE, NV_RANGE, NV_LOCKED or NV_AUTHORIZATION.
            UnavailableError: the TPM could not be reached, or its answer cannot be read.
        """
        step = self._nv_buffer_size()
        for at in range(0, len(data), step):
            parameters = wire.sized(data[at : at + step]) + at.to_bytes(2, "big")
            self._run(CommandCode.NV_WRITE, (OWNER, index), parameters, authorised=True).end()

    def nv_define(self, index: int, size: int, attributes: int) -> None:
        """TPM2_NV_DefineSpace in the owner's hierarchy, with no password of its own.

        Raises:
            TpmError: NV_DEFINED, NV_SPACE or BAD_AUTH.
            UnavailableError: the TPM could not be reached, or its answer cannot be read.
        """
        parameters = wire.sized(b"") + wire.nv_public(index, attributes, size)
        self._run(CommandCode.NV_DEFINE_SPACE, (OWNER,), parameters, authorised=True).end()

    def nv_undefine(self, index: int) -> None:
        """TPM2_NV_UndefineSpace in the owner's hierarchy.

        Raises:
            TpmError: HANDLE or BAD_AUTH.
            UnavailableError: the TPM could not be reached, or its answer cannot be read.
        """
        self._run(CommandCode.NV_UNDEFINE_SPACE, (OWNER, index), authorised=True).end()

    def read_public(self, handle: int) -> RsaPublic:
        """TPM2_ReadPublic of a key that signs by RSASSA with SHA-256.

        Raises:
            TpmError: HANDLE, if there is no such key.
            UnavailableError: the TPM could not be reached, or the key is of another kind.
        """
        return wire.read_public(self._run(CommandCode.READ_PUBLIC, (handle,)))

    def quote(self, handle: int, nonce: bytes, pcrs: Iterable[int]) -> tuple[bytes, bytes]:
        """TPM2_Quote over PCRs of the SHA-256 bank, by a key with no password.

        Args:
            handle: of the key.
            nonce: the qualifyingData, at most `MAX_NONCE` bytes.
            pcrs: which.

        Returns:
            TPMS_ATTEST and its RSASSA signature.

        Raises:
            TpmError: HANDLE, SCHEME or AUTH_FAIL.
            UnavailableError: the TPM could not be reached, or its answer cannot be read.
        """
        if len(nonce) > MAX_NONCE:
            raise ValueError(f"a TPM's nonce has at most {MAX_NONCE} bytes, not {len(nonce)}")
        parameters = wire.quote_parameters(nonce, pcrs)
        return wire.read_quote(self._run(CommandCode.QUOTE, (handle,), parameters, authorised=True))

    def pcr_read(self, pcrs: Iterable[int]) -> dict[int, bytes]:
        """TPM2_PCR_Read of the SHA-256 bank, eight at a time; one may be extended in between.

        Raises:
            UnavailableError: the TPM could not be reached, or has no such bank.
        """
        values: dict[int, bytes] = {}
        for group in _groups(sorted(set(pcrs))):
            response = self._run(CommandCode.PCR_READ, (), wire.pcr_selection(group))
            found = wire.read_pcrs(response)
            if sorted(found) != group:
                raise UnavailableError(
                    f"the TPM gave PCRs {sorted(found)} of its SHA-256 bank instead of {group}: "
                    "the bank is not active; allocate it with `tpm2_pcrallocate sha256:all`"
                )
            values |= found
        return values

    def _nv_read(self, index: int, at: int, size: int) -> bytes:
        parameters = size.to_bytes(2, "big") + at.to_bytes(2, "big")
        r = self._run(CommandCode.NV_READ, (OWNER, index), parameters, authorised=True)
        data = r.sized("data", size)
        r.end()
        if len(data) != size:
            r.reject(f"it has {len(data)} bytes of the index instead of {size}")
        return data

    def _nv_buffer_size(self) -> int:
        """How much one TPM2_NV_Read or TPM2_NV_Write moves at most."""
        if self._nv_buffer is None:
            parameters = wire.property_parameters(_NV_BUFFER_MAX)
            response = self._run(CommandCode.GET_CAPABILITY, (), parameters)
            stated = wire.read_property(response, _NV_BUFFER_MAX)
            self._nv_buffer = min(stated or _DEFAULT_NV_BUFFER, _LARGEST_NV_BUFFER)
        return self._nv_buffer

    def _run(
        self,
        code: CommandCode,
        handles: tuple[int, ...],
        parameters: bytes = b"",
        *,
        authorised: bool = False,
    ) -> ResponseReader:
        """Sends a command, again while the TPM asks for it, and returns what it answers."""
        command = wire.command(code, handles, parameters, authorised=authorised)
        pause = _FIRST_PAUSE
        with self._lock:
            while True:
                response = self._transport.exchange(command)
                found = wire.response_code(response, code)
                if not found:
                    return wire.parameters(response, code, authorised=authorised)
                known = base_code(found)
                if known not in TRANSIENT or pause > self._patience:
                    raise TpmError(_failure(code, handles, found), code=known)
                time.sleep(pause)
                self._patience -= pause
                pause = min(2 * pause, _LONGEST_PAUSE)


def _failure(code: CommandCode, handles: tuple[int, ...], found: int) -> str:
    named = f" of 0x{handles[-1]:08x}" if handles else ""
    return f"the TPM answered {code.title}{named} with {explain(found)}"


def _groups(pcrs: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(pcrs), _PCRS_A_CALL):
        yield pcrs[start : start + _PCRS_A_CALL]

"""A quote of a TPM 2.0: what its attestation key signed of its PCRs.

Source: TCG, "Trusted Platform Module Library", part 2, TPMS_ATTEST and TPMS_QUOTE_INFO.
Integers are big-endian.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wasmtime_attestation.evidence.reader import Reader

FORMAT = "tpm.format"
PCR_COUNT = 24
DIGEST_SIZE = 32
"""Bytes in a value of the SHA-256 bank."""

_GENERATED = b"\xffTCG"
_QUOTE = 0x8018
_SHA256 = 0x000B
_MAX_NAME = 2 + 64
_MAX_EXTRA_DATA = 64
_SELECT_SIZES = range(1, PCR_COUNT // 8 + 1)


@dataclass(frozen=True, slots=True)
class TpmQuote:
    """A quote as it came.

    Attributes:
        message: TPMS_ATTEST, which the attestation key signs.
        signature: RSASSA-PKCS1-v1_5 with SHA-256, big-endian.
        pcrs: the values of the SHA-256 bank by index, in ascending order.
    """

    message: bytes
    signature: bytes
    pcrs: Mapping[int, bytes]


@dataclass(frozen=True, slots=True)
class TpmsAttest:
    """A decoded quote message.

    Attributes:
        qualified_signer: the name of the key and of what it hangs on.
        extra_data: the nonce of whoever asked for the quote.
        clock: milliseconds for which the TPM has run.
        reset_count: how often it was reset.
        restart_count: how often it was restarted since then.
        clock_safe: whether no higher clock was ever quoted.
        firmware_version: the vendor's.
        selection: the PCRs that were quoted, ascending.
        pcr_digest: SHA-256 of their values.
    """

    qualified_signer: bytes
    extra_data: bytes
    clock: int
    reset_count: int
    restart_count: int
    clock_safe: bool
    firmware_version: int
    selection: tuple[int, ...]
    pcr_digest: bytes


def decode(message: bytes) -> TpmsAttest:
    """Decodes TPMS_ATTEST.

    Raises:
        RejectedError: `tpm.format`, if it is no quote of one selection in the SHA-256 bank.
    """
    r = Reader(message, FORMAT, "TPM quote")
    if r.take(4, "the magic") != _GENERATED:
        r.reject("its magic is not TPM_GENERATED_VALUE: no TPM made it")
    kind = r.big_endian(2, "the type")
    if kind != _QUOTE:
        r.reject(f"its type is 0x{kind:x}, not 0x8018 (TPM_ST_ATTEST_QUOTE)")
    signer = _sized(r, "qualifiedSigner", _MAX_NAME)
    extra_data = _sized(r, "extraData", _MAX_EXTRA_DATA)
    clock = r.big_endian(8, "clock")
    reset_count = r.big_endian(4, "resetCount")
    restart_count = r.big_endian(4, "restartCount")
    safe = r.big_endian(1, "safe")
    if safe > 1:
        r.reject(f"safe is {safe}, neither YES nor NO")
    firmware_version = r.big_endian(8, "firmwareVersion")
    selection = _selection(r)
    digest = _sized(r, "pcrDigest", DIGEST_SIZE)
    if len(digest) != DIGEST_SIZE:
        r.reject(f"pcrDigest has {len(digest)} bytes, not {DIGEST_SIZE}")
    r.end()
    return TpmsAttest(
        qualified_signer=signer,
        extra_data=extra_data,
        clock=clock,
        reset_count=reset_count,
        restart_count=restart_count,
        clock_safe=bool(safe),
        firmware_version=firmware_version,
        selection=selection,
        pcr_digest=digest,
    )


def _sized(r: Reader, name: str, largest: int) -> bytes:
    size = r.big_endian(2, f"the size of {name}")
    if size > largest:
        r.reject(f"{name} has {size} bytes; {largest} is the most")
    return r.take(size, name)


def _selection(r: Reader) -> tuple[int, ...]:
    count = r.big_endian(4, "the count of pcrSelect")
    if count != 1:
        r.reject(f"it has {count} PCR selections instead of one")
    bank = r.big_endian(2, "the hash of pcrSelect")
    if bank != _SHA256:
        r.reject(f"its PCR selection is of bank 0x{bank:x}, not 0xb (SHA-256)")
    size = r.big_endian(1, "sizeofSelect")
    if size not in _SELECT_SIZES:
        r.reject(f"sizeofSelect is {size}; 1 to 3 are known")
    bits = int.from_bytes(r.take(size, "pcrSelect"), "little")
    return tuple(index for index in range(PCR_COUNT) if bits >> index & 1)

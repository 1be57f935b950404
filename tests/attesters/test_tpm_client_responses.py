"""Responses that no TPM should give: each is refused with an error of the project's own.

The responses are written by hand from the tables of TCG's part 3.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from wasmtime_attestation.attesters.tpm_client import Tpm
from wasmtime_attestation.errors import UnavailableError

from tests.attesters.software_tpm import Between

INDEX, KEY = 0x01400001, 0x81000003
NAME = "0022000b" + "11" * 32
SESSION = "0000010000"


def plain(parameters: str) -> bytes:
    """A response without sessions."""
    body = bytes.fromhex(parameters)
    return struct.pack(">HII", 0x8001, 10 + len(body), 0) + body


def authorised(parameters: str) -> bytes:
    """A response to a command that was authorised by a password."""
    body = bytes.fromhex(parameters)
    body = struct.pack(">I", len(body)) + body + bytes.fromhex(SESSION)
    return struct.pack(">HII", 0x8002, 10 + len(body), 0) + body


# nvPublic: nvIndex, nameAlg, attributes, authPolicy, dataSize; nvName.
NV_PUBLIC = plain("000e" + "01400001" + "000b" + "62020004" + "0000" + "0a28" + NAME)
# outPublic: type, nameAlg, objectAttributes, authPolicy, symmetric, scheme, keyBits, exponent,
# unique; name; qualifiedName.
PUBLIC = plain(
    "0118" + "0001" + "000b" + "00050472" + "0000" + "0010" + "0014000b" + "0800" + "00000000"
    "0100" + "c1" * 256 + NAME + NAME
)
# quoted; sigAlg, hash, signature.
QUOTE = authorised("0004" + "ff544347" + "0014" + "000b" + "0100" + "5e" * 256)
# pcrUpdateCounter; one selection: hash, sizeofSelect, pcrSelect; the digests.
PCRS = plain(
    "00000007" + "00000001" + "000b" + "03" + "000003" + "00000002" + ("0020" + "aa" * 32) * 2
)
# moreData; capability, one property and its value.
CAPABILITY = plain("01" + "00000006" + "00000001" + "0000012c" + "00000400")
DATA = authorised("0004" + "01020304")
NOTHING = authorised("")


@dataclass(frozen=True)
class Exchange:
    """A call and the response to its last command."""

    call: Callable[[Tpm], object]
    response: bytes
    result: object = None
    first: bytes | None = None


EXCHANGES = {
    "nv-read-public": Exchange(lambda tpm: tpm.nv_read_public(INDEX).size, NV_PUBLIC, 2600),
    "read-public": Exchange(
        lambda tpm: tpm.read_public(KEY).modulus, PUBLIC, int.from_bytes(b"\xc1" * 256, "big")
    ),
    "quote": Exchange(lambda tpm: tpm.quote(KEY, b"", [0]), QUOTE, (b"\xffTCG", b"\x5e" * 256)),
    "pcr-read": Exchange(
        lambda tpm: tpm.pcr_read([16, 17]), PCRS, {16: b"\xaa" * 32, 17: b"\xaa" * 32}
    ),
    "nv-read": Exchange(lambda tpm: tpm.nv_read(INDEX, 4), DATA, b"\1\2\3\4", CAPABILITY),
    "nv-write": Exchange(lambda tpm: tpm.nv_write(INDEX, b"x"), NOTHING, None, CAPABILITY),
    "nv-define": Exchange(lambda tpm: tpm.nv_define(INDEX, 64, 6), NOTHING),
    "nv-undefine": Exchange(lambda tpm: tpm.nv_undefine(INDEX), NOTHING),
}


def call(exchange: Exchange, response: bytes) -> object:
    """Makes the call; the first command may be another that is always answered well."""
    first = [] if exchange.first is None else [exchange.first]
    tpm = Tpm(Between(lambda _: response, lambda _: first.pop() if first else None), patience=0)
    return exchange.call(tpm)


@pytest.mark.parametrize("exchange", EXCHANGES.values(), ids=[*EXCHANGES])
def test_a_response_as_it_should_be(exchange: Exchange) -> None:
    assert call(exchange, exchange.response) == exchange.result


@pytest.mark.parametrize("exchange", EXCHANGES.values(), ids=[*EXCHANGES])
def test_every_cut_is_refused(exchange: Exchange) -> None:
    for size in range(len(exchange.response)):
        with pytest.raises(UnavailableError, match="the TPM"):
            call(exchange, exchange.response[:size])
        # With the right responseSize, so that what is cut is missing in the parameters.
        resized = exchange.response[:2] + struct.pack(">I", size) + exchange.response[6:size]
        with pytest.raises(UnavailableError, match="the TPM"):
            call(exchange, resized)


@pytest.mark.parametrize("exchange", EXCHANGES.values(), ids=[*EXCHANGES])
def test_every_longer_response_is_refused(exchange: Exchange) -> None:
    longer = exchange.response + b"\0"
    resized = longer[:2] + struct.pack(">I", len(longer)) + longer[6:]
    for response in (longer, resized):
        with pytest.raises(UnavailableError, match="the TPM"):
            call(exchange, response)


@pytest.mark.parametrize("exchange", EXCHANGES.values(), ids=[*EXCHANGES])
def test_every_flip_is_refused_or_in_a_field_that_may_be_anything(exchange: Exchange) -> None:
    survived = 0
    for at in range(8 * len(exchange.response)):
        flipped = bytearray(exchange.response)
        flipped[at // 8] ^= 1 << at % 8
        try:
            call(exchange, bytes(flipped))
        except UnavailableError:
            continue
        survived += 1
    assert survived == 8 * FREE[id(exchange)]


# Bytes of fields with any value: names, attributes, digests, data, signatures, counters.
FREE = {
    id(EXCHANGES["nv-read-public"]): 2 + 4 + 2 + 34,
    id(EXCHANGES["read-public"]): 2 + 4 + 4 + 256 + 2 * 34,
    id(EXCHANGES["quote"]): 4 + 256,
    id(EXCHANGES["pcr-read"]): 4 + 2 * 32,
    id(EXCHANGES["nv-read"]): 4,
    id(EXCHANGES["nv-write"]): 0,
    id(EXCHANGES["nv-define"]): 0,
    id(EXCHANGES["nv-undefine"]): 0,
}


def test_a_tpm_that_does_not_know_the_property_is_read_in_pieces_that_all_take() -> None:
    other = plain("00" + "00000006" + "00000001" + "0000012d" + "00000040")
    none = plain("00" + "00000006" + "00000000")
    zero = plain("00" + "00000006" + "00000001" + "0000012c" + "00000000")
    for answer in (other, none, zero):
        exchange = Exchange(lambda tpm: tpm.nv_read(INDEX, 4), DATA, b"\1\2\3\4", answer)
        assert call(exchange, DATA) == exchange.result


def test_errors_have_no_body_and_no_session() -> None:
    for response in (b"\x80\1\0\0\0\x0b\0\0\1\x8b\0", b"\x80\2\0\0\0\x0a\0\0\1\x8b"):
        with pytest.raises(UnavailableError, match="is no valid response to TPM2_NV_ReadPublic"):
            call(EXCHANGES["nv-read-public"], response)


def test_an_inactive_bank_is_explained() -> None:
    none = plain("00000007" + "00000001" + "000b" + "03" + "000000" + "00000000")
    with pytest.raises(UnavailableError, match=r"not active; allocate it with `tpm2_pcrallocate"):
        call(EXCHANGES["pcr-read"], none)

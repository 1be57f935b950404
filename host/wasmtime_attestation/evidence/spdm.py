"""SPDM 1.1 measurements: the request that was made and the signed response, decoded strictly.

Both stand one after the other, as the device signs them.

Source: DMTF DSP0274 version 1.1.0, sections 10.11.1 (GET_MEASUREMENTS) and 10.11.2
(MEASUREMENTS, measurement blocks).
"""

from __future__ import annotations

from dataclasses import dataclass

from wasmtime_attestation.evidence.reader import Reader

FORMAT = "nvidia.format"
PREFIX = b"\x11\xe0\x01\xff"
"""SPDM 1.1, GET_MEASUREMENTS, with a signature, of every measurement."""
NONCE_SIZE = 32
SIGNATURE_SIZE = 96
"""R and S of ECDSA P-384."""

_VERSION, _GET_MEASUREMENTS, _MEASUREMENTS = 0x11, 0xE0, 0x60
_WITH_SIGNATURE, _ALL = 0x01, 0xFF
_SLOTS = 8
_DMTF = 1


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measurement block.

    Attributes:
        index: of the block, from 1 on.
        kind: what was measured, DMTFSpecMeasurementValueType; bit 7 marks a raw value.
        value: the digest or the raw value.
    """

    index: int
    kind: int
    value: bytes


@dataclass(frozen=True, slots=True)
class SignedMeasurements:
    """A decoded request and response.

    Attributes:
        nonce: the requester's, 32 bytes.
        slot: whose certificate chain signs.
        measurements: every block, each index once.
        responder_nonce: the device's own, 32 bytes.
        opaque: what the vendor adds.
        signed_bytes: request and response up to the signature.
        signature: R and S, big-endian, 96 bytes.
        size: bytes in both by their declared lengths.
        trailing_bytes: how many bytes follow; they belong to nobody.
    """

    nonce: bytes
    slot: int
    measurements: tuple[Measurement, ...]
    responder_nonce: bytes
    opaque: bytes
    signed_bytes: bytes
    signature: bytes
    size: int
    trailing_bytes: int


def decode(data: bytes) -> SignedMeasurements:
    """Decodes a request and its response; what follows their end is counted and left alone.

    Raises:
        RejectedError: `nvidia.format`, for anything that the specification does not allow.
    """
    r = Reader(data, FORMAT, "SPDM measurement request and response")
    nonce, slot = _request(r)
    blocks, record_size = _response_header(r, slot)
    record_end = r.offset + record_size
    measurements = tuple(_block(r, number) for number in range(blocks))
    if r.offset != record_end:
        r.reject(f"{blocks} blocks end at {r.offset}, the measurement record at {record_end}")
    if len({block.index for block in measurements}) != blocks:
        r.reject("a measurement index stands twice")
    responder_nonce = r.take(NONCE_SIZE, "the responder's nonce")
    opaque = r.take(r.uint(2, "the length of the opaque data"), "the opaque data")
    signed_bytes = data[: r.offset]
    signature = r.take(SIGNATURE_SIZE, "the signature")
    return SignedMeasurements(
        nonce=nonce,
        slot=slot,
        measurements=measurements,
        responder_nonce=responder_nonce,
        opaque=opaque,
        signed_bytes=signed_bytes,
        signature=signature,
        size=r.offset,
        trailing_bytes=len(data) - r.offset,
    )


def _request(r: Reader) -> tuple[bytes, int]:
    """Reads the 37 bytes of GET_MEASUREMENTS; returns nonce and slot."""
    _expect(r, _VERSION, "the request's SPDM version")
    _expect(r, _GET_MEASUREMENTS, "the request's code")
    _expect(r, _WITH_SIGNATURE, "the request's attributes")
    _expect(r, _ALL, "the request's operation")
    nonce = r.take(NONCE_SIZE, "the requester's nonce")
    slot = r.uint(1, "the slot")
    if slot >= _SLOTS:
        r.reject(f"its slot is {slot}; there are slots 0 to 7")
    return nonce, slot


def _response_header(r: Reader, slot: int) -> tuple[int, int]:
    """Reads MEASUREMENTS up to the record; returns the number of blocks and the record's size."""
    _expect(r, _VERSION, "the response's SPDM version")
    _expect(r, _MEASUREMENTS, "the response's code")
    r.zero(1, "the response's reserved byte")
    _expect(r, slot, "the response's slot")
    blocks = r.uint(1, "the number of blocks")
    if not blocks:
        r.reject("it has no measurement block")
    return blocks, r.uint(3, "the length of the measurement record")


def _block(r: Reader, number: int) -> Measurement:
    name = f"measurement block {number}"
    index = r.uint(1, f"the index of {name}")
    if not index:
        r.reject(f"{name} has index 0")
    _expect(r, _DMTF, f"the specification of {name}")
    size = r.uint(2, f"the size of {name}")
    kind = r.uint(1, f"the type of {name}")
    value_size = r.uint(2, f"the size of the value in {name}")
    if size != 3 + value_size:
        r.reject(f"{name} has {size} bytes, and {value_size} of them are its value")
    return Measurement(index, kind, r.take(value_size, name))


def _expect(r: Reader, expected: int, name: str) -> None:
    actual = r.uint(1, name)
    if actual != expected:
        r.reject(f"{name} is 0x{actual:02x}, not 0x{expected:02x}")

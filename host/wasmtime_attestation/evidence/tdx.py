"""The TDX quote (versions 4 and 5), decoded strictly.

Source: Intel, "Intel TDX DCAP Quoting Library API", appendix A.3, "Version 4 Quote Format"
and "Version 5 Quote Format" (TDX-ECDSA).
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from wasmtime_attestation.evidence.reader import Reader
from wasmtime_attestation.evidence.tdx_fields import (
    PCK_REFERENCE_SIZES,
    QE_REPORT_SIZE,
    TD_REPORT_15_EX_SIZE,
    TD_REPORT_15_SIZE,
    TD_REPORT_SIZE,
    PckReference,
    TdReport,
)

FORMAT = "tdx.format"
HEADER_SIZE = 48
TEE_TYPE = 0x81
VERSIONS = (4, 5)
MAX_CERTIFICATION_DATA = 1 << 16
"""Bytes of PCK certificate chain; real ones have less than 4 KiB."""

_ECDSA_P256 = 2
_INTEL_QE = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
_BODY_SIZES = {2: TD_REPORT_SIZE, 3: TD_REPORT_15_SIZE, 4: TD_REPORT_15_EX_SIZE}
_PCK_CHAIN = 5
_QE_CERTIFICATION = 6

# Version, attestation key type, TEE type, reserved, QE vendor id, user data.
_HEADER = Struct("<H H I I 16s 20s")
# Signature, attestation key, type and length of the certification data.
_SIGNATURE = Struct("<64s 64s H I")
# Signature, length of the authentication data.
_QE_SIGNATURE = Struct("<64s H")
# Type and length of certification data.
_PART = Struct("<H I")


class TdxQuote(NamedTuple):
    """A decoded quote.

    Attributes:
        version: of the quote's format, 4 or 5.
        user_data: the 20 bytes of the header that its platform may use.
        report: what the quote says of the TD.
        signed_bytes: header and body, which the attestation key signs.
        signature: R and S, 64 bytes, by the attestation key.
        attestation_key: X and Y of the P-256 point, 64 bytes.
        qe_report: the Quoting Enclave's report (`QeReport`), as the PCK signs it.
        qe_signature: R and S, 64 bytes, by the PCK.
        qe_auth_data: what the Quoting Enclave binds to its report beside the key.
        pck_chain: PEM text of the PCK certificate and its authorities; empty where the quote only
            says which it is.
        pck_reference: which PCK it is, where the certificates are not in the quote.
        size: bytes in the quote by its declared lengths.
        trailing_bytes: how many bytes follow; they belong to nobody.
    """

    version: int
    user_data: bytes
    report: TdReport
    signed_bytes: bytes
    signature: bytes
    attestation_key: bytes
    qe_report: bytes
    qe_signature: bytes
    qe_auth_data: bytes
    pck_chain: bytes
    pck_reference: PckReference | None
    size: int
    trailing_bytes: int


def decode(data: bytes) -> TdxQuote:
    """Decodes a quote; what follows its declared end is counted and left alone.

    Raises:
        RejectedError: `tdx.format`, for anything that the specification does
            not allow: other versions, types or lengths, reserved bytes that are set.
    """
    r = Reader(data, FORMAT, "TDX quote")
    version, user_data = _header(r)
    report = TdReport.decode(r, _body_size(r, version))
    signed_bytes = data[: r.offset]
    signature_size = r.uint(4, "the length of the signature data")
    signature_end = r.offset + signature_size
    signature, attestation_key, kind, size = r.fields(_SIGNATURE, "the quote's signature")
    if kind != _QE_CERTIFICATION:
        r.reject(f"the certification data is of type {kind}; only 6 is known at its place")
    qe_end = r.offset + size
    qe_report = r.take(QE_REPORT_SIZE, "the QE report")
    qe_signature, auth_size = r.fields(_QE_SIGNATURE, "the QE report's signature")
    qe_auth_data = r.take(auth_size, "the QE's authentication data")
    pck_chain, pck_reference = _qe_certification(r)
    if not r.offset == qe_end == signature_end:
        r.reject(
            f"its declared lengths disagree: the QE certification data ends at {r.offset}, the "
            f"certification data at {qe_end}, the signature data at {signature_end}"
        )
    return TdxQuote(
        version=version,
        user_data=user_data,
        report=report,
        signed_bytes=signed_bytes,
        signature=signature,
        attestation_key=attestation_key,
        qe_report=qe_report,
        qe_signature=qe_signature,
        qe_auth_data=qe_auth_data,
        pck_chain=pck_chain,
        pck_reference=pck_reference,
        size=r.offset,
        trailing_bytes=len(data) - r.offset,
    )


def _header(r: Reader) -> tuple[int, bytes]:
    """Reads the 48 bytes before the body."""
    version, key_type, tee_type, reserved, vendor, user_data = r.fields(_HEADER, "the header")
    if version not in VERSIONS:
        r.reject(f"its version is {version}; versions {VERSIONS} are known")
    if key_type != _ECDSA_P256:
        r.reject(f"its attestation key type is {key_type}; only 2 (ECDSA P-256) is known")
    if tee_type != TEE_TYPE:
        r.reject(f"its TEE type is 0x{tee_type:x}, not 0x81 (TDX)")
    if reserved:
        r.reject("the reserved bytes of the header (0x8 to 0xc) must be zero")
    if vendor != _INTEL_QE:
        r.reject(f"its QE vendor is {vendor.hex()}; only Intel's is known")
    return version, user_data


def _body_size(r: Reader, version: int) -> int:
    """Version 4 has TDX 1.0 alone; version 5 names the body's type and size."""
    if version == 4:
        return TD_REPORT_SIZE
    body_type = r.uint(2, "the body's type")
    size = r.uint(4, "the body's size")
    if body_type not in _BODY_SIZES:
        r.reject(f"its body type is {body_type}; 2 (TDX 1.0), 3 and 4 (TDX 1.5) are known")
    if size != _BODY_SIZES[body_type]:
        r.reject(f"a body of type {body_type} has {_BODY_SIZES[body_type]} bytes, not {size}")
    return size


def _qe_certification(r: Reader) -> tuple[bytes, PckReference | None]:
    """Reads who certified the Quoting Enclave: a chain (type 5), or which PCK (types 1 to 3)."""
    kind, size = r.fields(_PART, "the QE certification data")
    if kind == _PCK_CHAIN:
        if size > MAX_CERTIFICATION_DATA:
            r.reject(f"the PCK chain has {size} bytes; {MAX_CERTIFICATION_DATA} is the most")
        return r.take(size, "the PCK chain"), None
    if kind not in PCK_REFERENCE_SIZES:
        r.reject(f"the QE certification data is of type {kind}; 1, 2, 3 and 5 are known")
    expected = PCK_REFERENCE_SIZES[kind]
    if size != expected:
        r.reject(f"QE certification data of type {kind} has {expected} bytes, not {size}")
    return b"", PckReference.decode(r, size)

"""The HCL report of an Azure confidential VM: a hardware report, and what the paravisor states.

Source: Microsoft, "Azure confidential VMs guest attestation design" (report layout), and
openvmm, `openhcl_attestation_protocol`, IGVM attestation. Integers are little-endian.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from wasmtime_attestation.evidence import base64url, strict_json
from wasmtime_attestation.evidence.reader import Reader
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.evidence.td_report import TD_REPORT_SIZE

FORMAT = "azure.format"
SIGNATURE = b"HCLA"
VERSIONS = (1, 2)
MAX_SIZE = 1 << 14
"""Bytes in a report; the TPM's index that holds it has less than 3 KiB."""

SNP_REPORT_SIZE = 1184
_HEADER_SIZE = 32
_REQUEST_TYPE = 2
_REQUEST_DATA_VERSION = 1
_REQUEST_DATA_SIZE = 20
_MAX_USER_DATA = 64
_ATTESTATION_KEY = "HCLAkPub"
_RSA_EXPONENT = 65537
_RSA_BITS = range(2048, 4096 + 1)


class ReportType(IntEnum):
    """The hardware below the paravisor."""

    SNP = 2
    TDX = 4


class HashType(IntEnum):
    """How the hardware report holds the runtime claims."""

    SHA256 = 1
    SHA384 = 2
    SHA512 = 3


@dataclass(frozen=True, slots=True)
class RsaKey:
    """The public key of the vTPM's attestation key."""

    modulus: int
    exponent: int


@dataclass(frozen=True, slots=True)
class RuntimeClaims:
    """What the paravisor states; the hardware report holds the digest of its text.

    Attributes:
        attestation_key: of the vTPM, `HCLAkPub`.
        user_data: what the guest asked for, 0 to 64 bytes; None in old reports.
        vm_configuration: of the VM, as it stands there.
    """

    attestation_key: RsaKey
    user_data: bytes | None
    vm_configuration: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class HclReport:
    """A decoded HCL report.

    Attributes:
        version: of the header.
        type: the hardware below.
        hash_type: the digest of the runtime claims in the hardware report.
        hardware_report: a SEV-SNP report (1184 bytes) or a TDREPORT (1024 bytes).
        claims_text: the runtime claims as they were hashed.
        claims: what they say.
    """

    version: int
    type: ReportType
    hash_type: HashType
    hardware_report: bytes
    claims_text: bytes
    claims: RuntimeClaims


def decode(data: bytes) -> HclReport:
    """Decodes an HCL report; zeros may follow, as the TPM's index is larger than it.

    Raises:
        RejectedError: `azure.format`, for anything that the layout does not allow: another
            version, type or size, reserved or unused bytes that are set, ill-formed claims.
    """
    r = Reader(data, FORMAT, "HCL report")
    if len(data) > MAX_SIZE:
        r.reject(f"it has {len(data)} bytes; {MAX_SIZE} is the most")
    version, report_size = _header(r)
    slot = r.take(SNP_REPORT_SIZE, "the hardware report")
    start = r.offset
    data_size = r.uint(4, "the size of the request data")
    if r.uint(4, "the version of the request data") != _REQUEST_DATA_VERSION:
        r.reject("the version of its request data is not 1")
    kind = _kind(r)
    hash_type = _hash_type(r)
    text = r.take(r.uint(4, "the size of the runtime claims"), "the runtime claims")
    if data_size != r.offset - start or report_size != r.offset:
        r.reject(
            f"its declared sizes disagree: the report has {report_size} bytes, its request data "
            f"{data_size}, the runtime claims {len(text)}"
        )
    r.zero(len(data) - r.offset, "the bytes after the report")
    try:
        claims = _claims(text)
    except (ValueError, RecursionError) as error:
        r.reject(f"its runtime claims cannot be read: {error}")
    return HclReport(version, kind, hash_type, _hardware(r, kind, slot), text, claims)


def _header(r: Reader) -> tuple[int, int]:
    if r.take(4, "the signature") != SIGNATURE:
        r.reject("it does not begin with HCLA")
    version = r.uint(4, "the version")
    if version not in VERSIONS:
        r.reject(f"its version is {version}; versions {VERSIONS} are known")
    report_size = r.uint(4, "the report size")
    if r.uint(4, "the request type") != _REQUEST_TYPE:
        r.reject("its request type is not 2 (attestation report)")
    if r.uint(4, "the status") != 0:
        r.reject("its status is not 0: the paravisor could not make it")
    r.zero(12, "the reserved bytes of the header")
    return version, report_size


def _kind(r: Reader) -> ReportType:
    number = r.uint(4, "the report type")
    try:
        return ReportType(number)
    except ValueError:
        r.reject(f"its report type is {number}; 2 (SEV-SNP) and 4 (TDX) are known")


def _hash_type(r: Reader) -> HashType:
    number = r.uint(4, "the hash type")
    try:
        return HashType(number)
    except ValueError:
        r.reject(f"its hash type is {number}; 1 (SHA-256), 2 and 3 (SHA-384, SHA-512) are known")


def _hardware(r: Reader, kind: ReportType, slot: bytes) -> bytes:
    if kind is ReportType.SNP:
        return slot
    if any(slot[TD_REPORT_SIZE:]):
        r.reject("the bytes after the TDREPORT must be zero")
    return slot[:TD_REPORT_SIZE]


def _claims(text: bytes) -> RuntimeClaims:
    members = _object(strict_json.loads(text), "the text")
    keys = members.get("keys")
    if not isinstance(keys, list):
        raise ValueError("there is no array of keys")
    found = [key for key in keys if isinstance(key, dict) and key.get("kid") == _ATTESTATION_KEY]
    if len(found) != 1:
        raise ValueError(f"{len(found)} keys are named {_ATTESTATION_KEY} instead of one")
    user_data = members.get("user-data")
    return RuntimeClaims(
        attestation_key=_rsa_key(found[0]),
        user_data=None if user_data is None else _user_data(user_data),
        vm_configuration=_object(members.get("vm-configuration", {}), "vm-configuration"),
    )


def _rsa_key(jwk: Mapping[str, Json]) -> RsaKey:
    if jwk.get("kty") != "RSA":
        raise ValueError(f"{_ATTESTATION_KEY} is no RSA key")
    modulus, exponent = _number(jwk, "n"), _number(jwk, "e")
    if modulus.bit_length() not in _RSA_BITS or modulus % 2 == 0 or exponent != _RSA_EXPONENT:
        raise ValueError(
            f"{_ATTESTATION_KEY} is no odd modulus of {_RSA_BITS.start} to {_RSA_BITS.stop - 1} "
            f"bits with the exponent {_RSA_EXPONENT}"
        )
    return RsaKey(modulus, exponent)


def _number(jwk: Mapping[str, Json], name: str) -> int:
    value = jwk.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name} of {_ATTESTATION_KEY} is no string")
    return int.from_bytes(base64url.decode(value), "big")


def _user_data(value: Json) -> bytes:
    if not isinstance(value, str) or not value.isascii() or len(value) > 2 * _MAX_USER_DATA:
        raise ValueError(f"user-data is no text of at most {_MAX_USER_DATA} bytes in hex")
    data = bytes.fromhex(value)
    if 2 * len(data) != len(value):
        raise ValueError("user-data has blanks in it")
    return data


def _object(value: Json, what: str) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} is no JSON object")
    return value

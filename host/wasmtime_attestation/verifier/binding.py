"""The one rule that ties evidence to a token; `docs/binding.md` has bytes and test vectors."""

from __future__ import annotations

import hashlib
import hmac

from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.evidence.envelope import EvidenceType
from wasmtime_attestation.evidence.token import Binding, KeyPoint

TAG = b"wasmtime:attestation binding\0"
DEVICE_TAG = b"wasmtime:attestation device nonce\0"
TPM_QUOTE_TAG = b"wasmtime:attestation tpm quote\0"
_NONCE_TAGS = {
    EvidenceType.AZURE_SNP: TPM_QUOTE_TAG,
    EvidenceType.AZURE_TDX: TPM_QUOTE_TAG,
    EvidenceType.NVIDIA_GPU: DEVICE_TAG,
    EvidenceType.NVIDIA_SWITCH: DEVICE_TAG,
}
_ABSENT = b"\0"
_PRESENT = b"\1"


def digest(binding: Binding) -> bytes:
    """Returns D, the 64 bytes that evidence carries.

    SHA-512 over the tag and six fields. A field that is there is the byte 1, its
    length in four bytes, big-endian, and its bytes; one that is not is the byte 0.
    So no two bindings have the same input.
    """
    fields = (
        binding.profile.encode(),
        binding.nonce,
        binding.key_thumbprint,
        binding.guest_digest,
        binding.user_data,
        None if binding.audience is None else binding.audience.encode(),
    )
    return hashlib.sha512(TAG + b"".join(map(_field, fields))).digest()


def nonce_of(kind: EvidenceType, bound: bytes) -> bytes | None:
    """Returns the nonce that evidence of a kind must carry beside D, or in place of it.

    SHA-256 over a tag of its own and D, since such a nonce has less than 64 bytes.

    Args:
        kind: of the evidence.
        bound: D, 64 bytes.

    Returns:
        32 bytes; None for evidence that has no nonce.
    """
    tag = _NONCE_TAGS.get(kind)
    return None if tag is None else hashlib.sha256(tag + bound).digest()


def thumbprint(key: KeyPoint) -> bytes:
    """Returns the SHA-256 thumbprint of a key (RFC 7638)."""
    jwk = ",".join(f'"{name}":"{value}"' for name, value in key.to_jwk().items())
    return hashlib.sha256(f"{{{jwk}}}".encode()).digest()


def _field(value: bytes | None) -> bytes:
    if value is None:
        return _ABSENT
    return _PRESENT + len(value).to_bytes(4, "big") + value


def check_report_data(
    actual: bytes, expected: bytes | None, ledger: Ledger, name: str = "REPORT_DATA"
) -> None:
    """Settles `evidence.binding`: REPORT_DATA is what the evidence must be bound to.

    Args:
        actual: the 64 bytes in the evidence.
        expected: what they must be; None to report the binding as not checked.
        ledger: records the check.
        name: what the field is called in the evidence.

    Raises:
        RejectedError: they are others.
    """
    check = "evidence.binding"
    if expected is None:
        ledger.not_checked(check, "no expected value was given: freshness and purpose are open")
    elif not hmac.compare_digest(actual, expected):
        ledger.reject(
            check,
            f"{name} is {actual.hex()}, not {expected.hex()}: the evidence was "
            "made for something else, such as another nonce, key, guest or audience",
        )
    else:
        ledger.passed(check, f"{name} is the expected value")

"""What rules speak of: guests, the functions that they call, and the tokens that they get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class GuestIdentity:
    """A guest as its host knows it.

    Attributes:
        name: what it is called in messages.
        digest: SHA-256 of its bytes; None where the host does not know them.
        path: where it was read, absolute and without links; None where it is no file.
    """

    name: str | None = None
    digest: bytes | None = None
    path: str | None = None


class GuestFunction(StrEnum):
    """The functions of the world."""

    DETECT_TEE = "detect-tee"
    ATTEST_VM = "attest-vm"
    ATTEST_GPU = "attest-gpu"
    ATTEST = "attest"
    VERIFY_TOKEN = "verify-token"  # noqa: S105  no password
    VERIFY = "verify"
    CLEAR_CACHE = "clear-cache"
    GPUS = "gpus"


class CallClass(StrEnum):
    """Functions whose calls are counted together, since they cost the host alike."""

    ATTEST = "attest"
    """They ask the hardware."""
    VERIFY = "verify"
    """They check signatures."""
    OTHER = "other"
    """They answer from memory."""


CLASSES: Mapping[GuestFunction, CallClass] = MappingProxyType(
    {
        GuestFunction.DETECT_TEE: CallClass.OTHER,
        GuestFunction.ATTEST_VM: CallClass.ATTEST,
        GuestFunction.ATTEST_GPU: CallClass.ATTEST,
        GuestFunction.ATTEST: CallClass.ATTEST,
        GuestFunction.VERIFY_TOKEN: CallClass.VERIFY,
        GuestFunction.VERIFY: CallClass.VERIFY,
        GuestFunction.CLEAR_CACHE: CallClass.OTHER,
        GuestFunction.GPUS: CallClass.ATTEST,
    }
)
"""The class of each function."""


class IssuedKind(StrEnum):
    """The kinds of token that a host issues, or has a service issue."""

    EVIDENCE = "evidence"
    EAR = "ear"
    MAA = "maa"
    ITA = "ita"
    NRAS = "nras"
    TRUSTEE = "trustee"

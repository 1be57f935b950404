"""What a TPM's response codes are called, what they mean for an attester, and what to do.

Source: TCG, "Trusted Platform Module 2.0 Library", part 2, "TPM_RC (Response Codes)".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wasmtime_attestation.errors import UnavailableError

SUCCESS = 0

_FORMAT_ONE = 0x080  # the code names the handle, session or parameter that is at fault
_PARAMETER = 0x040
_SESSION = 0x800
_NUMBER = 0xF00
_CODE = 0xFFF  # above it is the layer that answered; 0 is the TPM itself

NV_RANGE = 0x146
NV_LOCKED = 0x148
NV_AUTHORIZATION = 0x149
NV_UNINITIALIZED = 0x14A
NV_DEFINED = 0x14C
HANDLE = 0x08B
BAD_AUTH = 0x0A2
AUTH_FAIL = 0x08E
LOCKOUT = 0x921
RETRY = 0x922
YIELDED = 0x908
TESTING = 0x90A
NV_RATE = 0x920
NV_UNAVAILABLE = 0x923

TRANSIENT = frozenset({RETRY, YIELDED, TESTING, NV_RATE, NV_UNAVAILABLE})
"""The codes after which the same command is sent again."""

_OWNER = (
    "the TPM's owner hierarchy has a password, and an attester has none to give; clear it with "
    "`tpm2_changeauth -c owner -p OLD`"
)
_BUSY = "the TPM asks to wait, and went on asking; try again when it is less busy"


@dataclass(frozen=True, slots=True)
class _Meaning:
    name: str
    advice: str = ""


_MEANINGS: Mapping[int, _Meaning] = {
    0x100: _Meaning("INITIALIZE", "the TPM was not started; reset the machine"),
    0x101: _Meaning("FAILURE", "the TPM is in failure mode; only a reset of the machine ends it"),
    0x120: _Meaning("DISABLED", "the command is disabled"),
    0x124: _Meaning("AUTH_TYPE"),
    0x125: _Meaning("AUTH_MISSING"),
    0x126: _Meaning("POLICY"),
    0x127: _Meaning("PCR"),
    0x128: _Meaning("PCR_CHANGED", "a PCR was extended in between; try again"),
    0x12D: _Meaning("UPGRADE", "the TPM's firmware is being upgraded; try again later"),
    0x12F: _Meaning("AUTH_UNAVAILABLE", "the object cannot be used with a password"),
    0x142: _Meaning("COMMAND_SIZE"),
    0x143: _Meaning("COMMAND_CODE", "this TPM does not have the command"),
    0x144: _Meaning("AUTHSIZE"),
    NV_RANGE: _Meaning("NV_RANGE", "the index is smaller than what was read or written"),
    0x147: _Meaning("NV_SIZE"),
    NV_LOCKED: _Meaning("NV_LOCKED", "the index is locked until the machine is reset"),
    NV_AUTHORIZATION: _Meaning("NV_AUTHORIZATION", "the owner may not read or write the index"),
    NV_UNINITIALIZED: _Meaning("NV_UNINITIALIZED", "the index was never written"),
    0x14B: _Meaning("NV_SPACE", "the TPM has no room for the index; undefine one that is unused"),
    NV_DEFINED: _Meaning("NV_DEFINED", "the index is there already"),
    0x902: _Meaning("OBJECT_MEMORY", "the TPM is full: use /dev/tpmrm0, which makes room"),
    0x903: _Meaning("SESSION_MEMORY", "the TPM is full: use /dev/tpmrm0, which makes room"),
    0x904: _Meaning("MEMORY", "the TPM has no memory left; try again"),
    YIELDED: _Meaning("YIELDED", _BUSY),
    0x909: _Meaning("CANCELED", "somebody cancelled the command; try again"),
    TESTING: _Meaning("TESTING", "the TPM is testing itself, and went on doing so; try again"),
    NV_RATE: _Meaning("NV_RATE", "the TPM limits how often it is written to; try again later"),
    LOCKOUT: _Meaning(
        "LOCKOUT",
        "the TPM is locked after failed authorizations; it opens by itself after a while, or "
        "with `tpm2_dictionarylockout --clear-lockout`",
    ),
    RETRY: _Meaning("RETRY", _BUSY),
    NV_UNAVAILABLE: _Meaning("NV_UNAVAILABLE", _BUSY),
}
_FORMAT_ONE_MEANINGS: Mapping[int, _Meaning] = {
    0x081: _Meaning("ASYMMETRIC"),
    0x082: _Meaning("ATTRIBUTES", "the index or key has not the attributes that this takes"),
    0x083: _Meaning("HASH", "the key does not sign with SHA-256"),
    0x084: _Meaning("VALUE"),
    0x085: _Meaning("HIERARCHY", "the hierarchy is disabled"),
    0x089: _Meaning("MODE"),
    0x08A: _Meaning("TYPE"),
    HANDLE: _Meaning("HANDLE", "there is no such index or key"),
    AUTH_FAIL: _Meaning("AUTH_FAIL", _OWNER),
    0x092: _Meaning("SCHEME", "the key does not sign by RSASSA"),
    0x095: _Meaning("SIZE"),
    0x09A: _Meaning("INSUFFICIENT"),
    0x09C: _Meaning("KEY", "the key is of another kind"),
    BAD_AUTH: _Meaning("BAD_AUTH", _OWNER),
    0x0A3: _Meaning("EXPIRED"),
}


class TpmError(UnavailableError):
    """The TPM answered a command with a response code.

    Args:
        message: for people.
        code: as `base_code` returns it.
    """

    def __init__(self, message: str, *, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


def base_code(code: int) -> int:
    """Returns a code without the number of the handle, session or parameter at fault."""
    code &= _CODE
    return code & (_FORMAT_ONE | 0x3F) if code & _FORMAT_ONE else code


def explain(code: int) -> str:
    """Names a code and says what it means, such as `TPM_RC_HANDLE (0x18b, handle 1)`."""
    known = _FORMAT_ONE_MEANINGS if code & _FORMAT_ONE else _MEANINGS
    meaning = known.get(base_code(code), _Meaning("unknown"))
    name = meaning.name if meaning.name == "unknown" else f"TPM_RC_{meaning.name}"
    where = _at_fault(code & _CODE)
    layer = code >> 16
    below = f", answered by layer {layer} below the TPM" if layer else ""
    advice = f": {meaning.advice}" if meaning.advice else ""
    return f"{name} (0x{code:x}{where}{below}){advice}"


def _at_fault(code: int) -> str:
    if not code & _FORMAT_ONE:
        return ""
    if code & _PARAMETER:
        return f", parameter {(code & _NUMBER) >> 8}"
    kind = "session" if code & _SESSION else "handle"
    return f", {kind} {(code & _NUMBER & ~_SESSION) >> 8}"

"""Whether an event of a boot log says what was measured.

Source: TCG, "PC Client Platform Firmware Profile Specification", section "Event Types"; for what
GRUB and the kernel's loaders log as EV_IPL, GRUB, `grub-core/kern/verifiers.c` and `tpm.c`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator

from wasmtime_attestation.claims.boot_log import MeasuredPart
from wasmtime_attestation.evidence import boot_log_events as types
from wasmtime_attestation.evidence.boot_log import Event

_HASHES = {32: hashlib.sha256, 48: hashlib.sha384}
_MUST_DESCRIBE = frozenset(
    {
        types.EV_SEPARATOR,
        types.EV_S_CRTM_VERSION,
        types.EV_EFI_VARIABLE_DRIVER_CONFIG,
        types.EV_EFI_VARIABLE_BOOT,
        types.EV_EFI_VARIABLE_BOOT2,
        types.EV_EFI_VARIABLE_AUTHORITY,
        types.EV_EFI_GPT_EVENT,
        types.EV_EFI_ACTION,
    }
)
# A separator that reports an error has the error as its data, and this as what was measured.
_ERROR = b"\1\0\0\0"
_NO_ERROR = (b"\0\0\0\0", b"\xff\xff\xff\xff")
_GRUB = (b"grub_cmd: ", b"kernel_cmdline: ", b"module_cmdline: ")


def is_consistent(event: Event, digest: bytes) -> bool:
    """Whether the data of an event is what was measured, where its type demands that."""
    if event.type not in _MUST_DESCRIBE or measured(event, digest) is not MeasuredPart.NONE:
        return True
    reports_error = event.type == types.EV_SEPARATOR and event.data not in _NO_ERROR
    return reports_error and _is_digest(digest, _ERROR)


def measured(event: Event, digest: bytes) -> MeasuredPart:
    """Returns what of an event's data the digest is of."""
    text = event.data.removesuffix(b"\0") if event.type == types.EV_IPL else event.data
    if _is_digest(digest, event.data) or _is_digest(digest, text):
        return MeasuredPart.ALL
    if any(_is_digest(digest, value) for value in _values(event)):
        return MeasuredPart.VALUE
    return MeasuredPart.NONE


def _values(event: Event) -> Iterator[bytes]:
    if event.type in (types.EV_EFI_VARIABLE_BOOT, types.EV_EFI_VARIABLE_AUTHORITY):
        # Before BOOT2, firmware measured the variable's value alone; boot loaders still do.
        value = types.variable_value(event.data)
        if value is not None:
            yield value
    elif event.type == types.EV_IPL:
        text = event.data.removesuffix(b"\0")
        for prefix in _GRUB:
            if text.startswith(prefix):
                yield text.removeprefix(prefix)


def _is_digest(digest: bytes, data: bytes) -> bool:
    return hmac.compare_digest(_HASHES[len(digest)](data).digest(), digest)

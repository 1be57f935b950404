"""What the certificate chain of an NVIDIA device says of it.

Sources: TCG, "DICE Attestation Architecture" (DiceTcbInfo, 2.23.133.5.4.1.1) and its draft
(2.23.133.5.4.1: device identity and FWID); NVIDIA attestation SDK (architectures).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

from cryptography import x509

from wasmtime_attestation.endorsements import der
from wasmtime_attestation.endorsements.der import Value
from wasmtime_attestation.endorsements.x509 import common_name

DEVICE_ID = "2.23.133.5.4.1"
TCB_INFO = "2.23.133.5.4.1.1"

# 2.16.840.1.101.3.4.2.2
_SHA384 = bytes.fromhex("608648016503040202")
_SHA384_SIZE = 48
_CONTEXT, _CONTEXT_FWIDS = 0x80, 0xA6
_SEQUENCE = 0x30
_CHIP = re.compile(r"(GH1\d\d|GB[12]\d\d|LS_10)( |$)")


class Architecture(StrEnum):
    """The architectures that are verified, in NVIDIA's words."""

    HOPPER = "HOPPER"
    BLACKWELL = "BLACKWELL"
    LS10 = "LS10"


_ARCHITECTURES = {"GH": Architecture.HOPPER, "GB": Architecture.BLACKWELL, "LS": Architecture.LS10}


def is_device_leaf(certificate: x509.Certificate) -> bool:
    """Whether a certificate says what a device's firmware was measured as."""
    return any(e.oid.dotted_string in (DEVICE_ID, TCB_INFO) for e in certificate.extensions)


def chip(model: str) -> str:
    """Returns the chip's name in a hardware model, such as `GH100` in `GH100 A01 GSP BROM`.

    Raises:
        ValueError: it is no chip of a known architecture.
    """
    match = _CHIP.match(model)
    if match is None:
        raise ValueError(f"{model or 'an unnamed one'} is no chip of a known architecture")
    return match[1]


def architecture(chip_name: str) -> Architecture:
    """Returns the architecture of a chip."""
    return _ARCHITECTURES[chip_name[:2]]


def hardware_model(chain: Sequence[x509.Certificate]) -> str:
    """Returns the model, which is the name of the second certificate of a device's chain."""
    return common_name(chain[1].subject)


def fwid(leaf: x509.Certificate) -> bytes | None:
    """Returns what the firmware was measured as, SHA-384, or None where nothing says it.

    Raises:
        ValueError: the extension is not what the specification has.
    """
    for extension in leaf.extensions:
        value = extension.value
        if not isinstance(value, x509.UnrecognizedExtension):
            continue
        match extension.oid.dotted_string:
            case oid if oid == DEVICE_ID:
                return _of_device_id(der.decode(value.value))
            case oid if oid == TCB_INFO:
                return _of_tcb_info(der.decode(value.value))
    return None


def _of_device_id(value: Value) -> bytes:
    """CompositeDeviceID ::= SEQUENCE { version INTEGER, deviceID SEQUENCE, fwid FWID }."""
    items = der.sequence(value)
    if len(items) != 3 or der.integer(items[0]) != 1:
        raise ValueError("its device identity is not of version 1 with three parts")
    der.sequence(items[1])
    return _fwid(items[2])


def _of_tcb_info(value: Value) -> bytes:
    """DiceTcbInfo has optional parts by number; fwids is part 6."""
    items = der.sequence(value)
    tags = [item.tag for item in items]
    # The number of a part is in the low five bits of its tag.
    numbers = [tag & 0x1F for tag in tags]
    if numbers != sorted(set(numbers)) or not all(tag & _CONTEXT for tag in tags):
        raise ValueError("the parts of its DiceTcbInfo are not in order")
    if _CONTEXT_FWIDS not in tags:
        raise ValueError("its DiceTcbInfo has no FWIDs")
    fwids = der.sequence(Value(_SEQUENCE, items[tags.index(_CONTEXT_FWIDS)].content))
    if not fwids:
        raise ValueError("its DiceTcbInfo has an empty list of FWIDs")
    return _fwid(fwids[0])


def _fwid(value: Value) -> bytes:
    """FWID ::= SEQUENCE { hashAlg OBJECT IDENTIFIER, digest OCTET STRING }."""
    algorithm, digest = der.pair(value)
    if der.object_identifier(algorithm) != _SHA384:
        raise ValueError("its FWID is no SHA-384 digest")
    content = der.octet_string(digest)
    if len(content) != _SHA384_SIZE:
        raise ValueError(f"its FWID has {len(content)} bytes, not {_SHA384_SIZE}")
    return content

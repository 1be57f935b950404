"""The attestation report of an NVIDIA GPU or NVSwitch: signed measurements and named fields.

Sources: NVIDIA, "NVIDIA Opaque Data Format"; NVIDIA attestation SDK (field types, the names
of RIMs).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence import spdm, spdm_opaque
from wasmtime_attestation.evidence.envelope import EvidenceType
from wasmtime_attestation.evidence.spdm import FORMAT, SignedMeasurements
from wasmtime_attestation.evidence.spdm_opaque import OpaqueData

FWID_SIZE = 48
PDI_SIZE = 8
"""Bytes of a per-device identifier."""

_DRIVER_VERSION, _VBIOS_VERSION = 3, 6
_NVDEC0_STATUS, _FWID, _PROTECTED_PCIE = 11, 20, 21
_BOARD = {"project": 17, "project_sku": 18, "chip_sku": 15}
_PDI = 22
_SWITCH_GPU_PDIS, _SWITCH_PORTS = 26, 27
_CHIP_INFO, _FEATURE_FLAG = 35, 36
_MODES = ("spt", "mpt", "ppcie")
_SWITCHED = {b"\xaa": True, b"\x55": False}
_GPUS_OF_A_SWITCH = 8
# What gets into the names of RIMs, and so into messages.
_WORD = re.compile(rb"[A-Za-z0-9._-]{1,32}")
_VBIOS_SIZE = 8


@dataclass(frozen=True, slots=True)
class NvidiaReport:
    """A decoded report; what the device does not report is None or empty.

    Attributes:
        signed: request, measurements and signature.
        opaque: the vendor's fields.
        is_switch: whether the fields are those of an NVSwitch.
        driver_version: such as `550.90.07`; a switch has none.
        vbios_version: of the VBIOS or a switch's BIOS, such as `96.00.9F.00.01`.
        project, project_sku, chip_sku: of the board.
        chip_info: the chip's name as newer drivers report it.
        mode: `spt`, `mpt` or `ppcie`: how GPUs are passed through.
        nvdec0_enabled: whether the first video decoder is there, so that it is measured.
        protected_pcie: whether the protected PCIe mode is on.
        fwid: what the firmware was measured as when the leaf's key was made.
        pdi: a switch's own identifier.
        peer_pdis: identifiers of the switches that a GPU is linked to, or of a switch's GPUs.
    """

    signed: SignedMeasurements
    opaque: OpaqueData
    is_switch: bool
    driver_version: str | None
    vbios_version: str
    project: str | None
    project_sku: str | None
    chip_sku: str | None
    chip_info: str | None
    mode: str | None
    nvdec0_enabled: bool | None
    protected_pcie: bool | None
    fwid: bytes | None
    pdi: bytes | None
    peer_pdis: tuple[bytes, ...]


def decode(data: bytes) -> NvidiaReport:
    """Decodes a report: an SPDM request and its response.

    Raises:
        RejectedError: `nvidia.format`, with what is wrong.
    """
    signed = spdm.decode(data)
    opaque = spdm_opaque.decode(signed.opaque)
    # Only switches report their ports and GPUs, and only GPUs have a driver.
    is_switch = bool({_SWITCH_GPU_PDIS, _SWITCH_PORTS} & opaque.fields.keys())
    driver_version = _text(opaque, _DRIVER_VERSION, "driver version")
    board = {name: _text(opaque, field, name) for name, field in _BOARD.items()}
    if not is_switch and not (driver_version and all(board.values())):
        _reject(f"a GPU's has a driver version, {', '.join(board)}")
    return NvidiaReport(
        signed=signed,
        opaque=opaque,
        is_switch=is_switch,
        driver_version=driver_version,
        vbios_version=_vbios_version(opaque, is_switch=is_switch),
        **board,
        chip_info=_text(opaque, _CHIP_INFO, "chip information"),
        mode=_mode(opaque),
        nvdec0_enabled=_nvdec0(opaque),
        protected_pcie=_SWITCHED.get(opaque.value(_PROTECTED_PCIE) or b""),
        fwid=_sized(opaque, _FWID, FWID_SIZE, "FWID"),
        pdi=_sized(opaque, _PDI, PDI_SIZE, "PDI") if is_switch else None,
        peer_pdis=_switch_peers(opaque) if is_switch else _gpu_peers(opaque),
    )


def looks_like(data: bytes) -> bool:
    """Whether the bytes can be meant as a report."""
    return data.startswith(spdm.PREFIX)


def type_of(data: bytes) -> EvidenceType:
    """Tells the reports of switches from those of GPUs; an ill-formed one counts as a GPU's."""
    try:
        is_switch = decode(data).is_switch
    except RejectedError:
        is_switch = False
    return EvidenceType.NVIDIA_SWITCH if is_switch else EvidenceType.NVIDIA_GPU


def _text(opaque: OpaqueData, type_: int, name: str) -> str | None:
    """Returns a string, which is padded with zeros; one that is empty is not there."""
    value = (opaque.value(type_) or b"").rstrip(b"\0")
    if not value:
        return None
    if not _WORD.fullmatch(value):
        _reject(f"its {name} is {value[:40]!r}, no word of at most 32 characters")
    return value.decode("ascii")


def _vbios_version(opaque: OpaqueData, *, is_switch: bool) -> str:
    """A GPU has the version in binary, little-endian, its last part in the upper half."""
    name = "VBIOS version"
    if is_switch:
        text = _text(opaque, _VBIOS_VERSION, name)
        return text if text is not None else _reject(f"it has no {name}")
    value = _sized(opaque, _VBIOS_VERSION, _VBIOS_SIZE, name)
    if value is None:
        _reject(f"it has no {name}")
    parts = (*value[3::-1], value[4])
    return ".".join(f"{part:02X}" for part in parts)


def _mode(opaque: OpaqueData) -> str | None:
    value = opaque.value(_FEATURE_FLAG)
    if value is None:
        return None
    number = int.from_bytes(value, "little")
    # Nothing at all would read as the first mode.
    if not value or number >= len(_MODES):
        _reject(f"its feature flag is {value[:16].hex() or 'empty'}, no mode that is known")
    return _MODES[number]


def _nvdec0(opaque: OpaqueData) -> bool | None:
    value = opaque.value(_NVDEC0_STATUS)
    if value is not None and value not in _SWITCHED:
        _reject(f"its NVDEC0 status is {value[:16].hex()}, neither aa (on) nor 55 (off)")
    return None if value is None else _SWITCHED[value]


def _sized(opaque: OpaqueData, type_: int, size: int, name: str) -> bytes | None:
    value = opaque.value(type_)
    if value is not None and len(value) != size:
        _reject(f"its {name} has {len(value)} bytes, not {size}")
    return value


def _gpu_peers(opaque: OpaqueData) -> tuple[bytes, ...]:
    """A GPU names the switch at each link, in the other byte order than the switch itself."""
    value = opaque.value(_PDI) or b""
    if len(value) % PDI_SIZE:
        _reject(f"its switches' PDIs have {len(value)} bytes, no multiple of {PDI_SIZE}")
    return tuple(dict.fromkeys(pdi[::-1] for pdi in _pdis(value)))


def _switch_peers(opaque: OpaqueData) -> tuple[bytes, ...]:
    """A switch names eight GPUs, some twice where there are fewer, and then its ports."""
    value = opaque.value(_SWITCH_GPU_PDIS)
    size = _GPUS_OF_A_SWITCH * PDI_SIZE
    if value is None:
        return ()
    if len(value) < size:
        _reject(f"its GPUs' PDIs have {len(value)} bytes, fewer than {size}")
    return tuple(dict.fromkeys(_pdis(value[:size])))


def _pdis(value: bytes) -> Iterator[bytes]:
    for at in range(0, len(value), PDI_SIZE):
        yield value[at : at + PDI_SIZE]


def _reject(detail: str) -> NoReturn:
    raise RejectedError.of(FORMAT, f"this is no valid NVIDIA report: {detail}")

"""A SEV-SNP report that was taken apart into JSON, put together again, and the other way round.

The Rust crate `sev` of the virtee project writes a report as an object with a
member for each field, and Confidential Containers pass it on like that. The
bytes that come out are verified like any others: a field that was lost or
changed on the way breaks the signature.

Source: AMD publication 56860, table "ATTESTATION_REPORT Structure".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wasmtime_attestation.evidence.strict_json import Json

SIZE = 0x4A0
_SIGNATURE = 0x2A0

# Field: offset and size. Two names where releases of the crate differ.
_NUMBERS = {
    "version": (0x00, 4),
    "guest_svn": (0x04, 4),
    "policy": (0x08, 8),
    "vmpl": (0x30, 4),
    "sig_algo": (0x34, 4),
    "plat_info": (0x40, 8),
    "_author_key_en": (0x48, 4),
    "key_info": (0x48, 4),
    "cpuid_fam_id": (0x188, 1),
    "cpuid_mod_id": (0x189, 1),
    "cpuid_step": (0x18A, 1),
    "current_build": (0x1E8, 1),
    "current_minor": (0x1E9, 1),
    "current_major": (0x1EA, 1),
    "committed_build": (0x1EC, 1),
    "committed_minor": (0x1ED, 1),
    "committed_major": (0x1EE, 1),
    "launch_mit_vector": (0x1F8, 8),
    "current_mit_vector": (0x200, 8),
}
_ARRAYS = {
    "family_id": (0x10, 16),
    "image_id": (0x20, 16),
    "report_data": (0x50, 64),
    "measurement": (0x90, 48),
    "host_data": (0xC0, 32),
    "id_key_digest": (0xE0, 48),
    "author_key_digest": (0x110, 48),
    "report_id": (0x140, 32),
    "report_id_ma": (0x160, 32),
    "chip_id": (0x1A0, 64),
}
_VERSIONS = {
    "current_tcb": 0x38,
    "reported_tcb": 0x180,
    "committed_tcb": 0x1E0,
    "launch_tcb": 0x1F0,
}
# Offsets within TCB_VERSION: up to Genoa, and from Turin on, where FMC comes first.
_TCB = {"bootloader": 0, "tee": 1, "snp": 6, "microcode": 7}
_TCB_WITH_FMC = {"fmc": 0, "bootloader": 1, "tee": 2, "snp": 3, "microcode": 7}
_FIRMWARE = {"current": 0x1E8, "committed": 0x1EC}
_FIRMWARE_PARTS = {"build": 0, "minor": 1, "major": 2}
_SIGNATURE_PART = 72
_FIRST_TURIN_FAMILY = 0x1A
_FIRST_WITH_CPUID = 3


def encode(report: Mapping[str, Json]) -> bytes:
    """Returns the report's bytes.

    Args:
        report: the crate's object.

    Raises:
        ValueError: a member is unknown or not of its kind.
    """
    data = bytearray(SIZE)
    for offset, field in _fields(report):
        data[offset : offset + len(field)] = field
    return bytes(data)


def document(data: bytes) -> dict[str, Json]:
    """Returns a report as the crate writes it, with the names of all its releases.

    Args:
        data: the report, `SIZE` bytes.
    """
    report: dict[str, Json] = {
        name: int.from_bytes(data[at : at + size], "little")
        for name, (at, size) in _NUMBERS.items()
    }
    report |= {name: [*data[at : at + size]] for name, (at, size) in _ARRAYS.items()}
    has_fmc = report["cpuid_fam_id"] == _FIRST_TURIN_FAMILY
    parts = _TCB_WITH_FMC if has_fmc else _TCB
    for name, at in _VERSIONS.items():
        versions: dict[str, Json] = {"fmc": None}
        versions |= {part: data[at + place] for part, place in parts.items()}
        report[name] = versions
    for name, at in _FIRMWARE.items():
        report[name] = {part: data[at + place] for part, place in _FIRMWARE_PARTS.items()}
    if data[0] < _FIRST_WITH_CPUID:
        report |= dict.fromkeys(("cpuid_fam_id", "cpuid_mod_id", "cpuid_step"))
    r, s = (_SIGNATURE + n * _SIGNATURE_PART for n in range(2))
    report["signature"] = {"r": [*data[r:s]], "s": [*data[s : s + _SIGNATURE_PART]]}
    return report


def octets(value: Json, what: str, size: int | None = None) -> bytes:
    """Returns an array of numbers from 0 to 255 as bytes.

    Raises:
        ValueError: it is no such array, or not of the size.
    """
    if not isinstance(value, list) or any(
        type(item) is not int or not 0 <= item <= 0xFF for item in value
    ):
        raise ValueError(f"{what} is no array of bytes")
    if size is not None and len(value) != size:
        raise ValueError(f"{what} has {len(value)} bytes, not {size}")
    return bytes(item for item in value if isinstance(item, int))


def _fields(report: Mapping[str, Json]) -> Iterator[tuple[int, bytes]]:
    has_fmc = report.get("cpuid_fam_id") == _FIRST_TURIN_FAMILY
    for name, value in report.items():
        if name in _NUMBERS and value is None:
            continue  # a field that this version of the report does not have
        if name in _NUMBERS:
            offset, size = _NUMBERS[name]
            yield offset, _number(value, name, size)
        elif name in _ARRAYS:
            offset, size = _ARRAYS[name]
            yield offset, octets(value, name, size)
        elif name in _VERSIONS:
            yield _VERSIONS[name], _tcb(value, name, has_fmc=has_fmc)
        elif name in _FIRMWARE:
            yield _FIRMWARE[name], _firmware(value, name)
        elif name == "signature":
            yield _SIGNATURE, _signature(value)
        elif not name.startswith("_reserved"):
            raise ValueError(f"attestation_report has an unknown member {name[:40]!r}")


def _number(value: Json, name: str, size: int) -> bytes:
    if type(value) is not int or not 0 <= value < 1 << (8 * size):
        raise ValueError(f"attestation_report.{name} is no number of {size} bytes")
    return value.to_bytes(size, "little")


def _tcb(value: Json, name: str, *, has_fmc: bool) -> bytes:
    offsets = _TCB_WITH_FMC if has_fmc else _TCB
    data = bytearray(8)
    for part, version in _members(value, name):
        if part == "_reserved" or version is None:
            continue
        if part not in offsets:
            raise ValueError(f"attestation_report.{name} has an unknown member {part[:40]!r}")
        data[offsets[part]] = _number(version, f"{name}.{part}", 1)[0]
    return bytes(data)


def _firmware(value: Json, name: str) -> bytes:
    members = dict(_members(value, name))
    if members.keys() != _FIRMWARE_PARTS.keys():
        raise ValueError(f"attestation_report.{name} is no object of build, minor and major")
    return b"".join(_number(members[part], f"{name}.{part}", 1) for part in _FIRMWARE_PARTS)


def _signature(value: Json) -> bytes:
    members = dict(_members(value, "signature"))
    return b"".join(
        octets(members.get(part), f"signature.{part}", _SIGNATURE_PART) for part in ("r", "s")
    )


def _members(value: Json, name: str) -> Iterator[tuple[str, Json]]:
    if not isinstance(value, dict):
        raise ValueError(f"attestation_report.{name} is no object")
    yield from value.items()

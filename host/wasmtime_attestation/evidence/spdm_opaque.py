"""What NVIDIA adds to an SPDM response: fields by type, in the legacy or the versioned layout.

Source: NVIDIA, "NVIDIA Opaque Data Format" (versioned, from CUDA 13.5 on; before it, type,
length and value alone).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from wasmtime_attestation.evidence.reader import Reader
from wasmtime_attestation.evidence.spdm import FORMAT

MAGIC = b"NVDAOD"
MINIMUM_SVN = 0x87
"""The value type of a security version number that a RIM sets a minimum for."""
MAX_VERSION = 2
"""The newest major version whose fields are known."""

_LEGACY_VERSION_FIELD = 34


@dataclass(frozen=True, slots=True)
class OpaqueField:
    """One field.

    Attributes:
        value: its bytes.
        value_type: how they are meant; None in the legacy layout.
    """

    value: bytes
    value_type: int | None


@dataclass(frozen=True, slots=True)
class OpaqueData:
    """The fields by their type.

    Attributes:
        version: the major version of the data.
        is_versioned: whether it has the header of the versioned layout.
        fields: each type once.
    """

    version: int
    is_versioned: bool
    fields: Mapping[int, OpaqueField]

    def value(self, type_: int) -> bytes | None:
        """Returns the bytes of a field, or None where there is no such field."""
        field = self.fields.get(type_)
        return None if field is None else field.value


def decode(data: bytes) -> OpaqueData:
    """Decodes opaque data.

    Raises:
        RejectedError: `nvidia.format`, if lengths do not fit, a type stands twice, or the
            data is of a newer version than is known.
    """
    r = Reader(data, FORMAT, "NVIDIA opaque data")
    is_versioned = data.startswith(MAGIC)
    version = _header(r) if is_versioned else None
    fields: dict[int, OpaqueField] = {}
    while r.offset < len(data):
        type_ = r.uint(2, "the type of a field")
        value_type = r.uint(2, f"the value type of field {type_}") if is_versioned else None
        size = r.uint(2, f"the length of field {type_}")
        if type_ in fields:
            r.reject(f"field {type_} stands twice")
        fields[type_] = OpaqueField(r.take(size, f"field {type_}"), value_type)
    if version is None:
        version = _legacy_version(fields)
    if version > MAX_VERSION:
        r.reject(f"its version is {version}; up to {MAX_VERSION} is known: use a newer release")
    return OpaqueData(version, is_versioned, MappingProxyType(fields))


def _header(r: Reader) -> int:
    """Reads the 12 bytes of the versioned layout's header; returns the major version."""
    r.take(len(MAGIC), "the magic")
    r.zero(2, "the profile")
    major = r.uint(1, "the major version")
    r.take(2, "the minor version and the patch")
    r.zero(1, "the padding of the header")
    return major


def _legacy_version(fields: Mapping[int, OpaqueField]) -> int:
    field = fields.get(_LEGACY_VERSION_FIELD)
    return 0 if field is None else int.from_bytes(field.value, "little")

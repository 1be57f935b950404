"""NVIDIA's reference integrity manifests (RIM): signed SWID tags with golden measurements.

Decoded, not verified. Everything is read from the signed bytes alone.

Sources: ISO/IEC 19770-2:2015 (SWID tag); TCG, "Reference Integrity Manifest Information
Model"; NVIDIA, "RIM Guide" and "Opaque Data RIM Attributes".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from wasmtime_attestation.endorsements import xml_document, xml_signature
from wasmtime_attestation.endorsements.xml_signature import SignedXml

if TYPE_CHECKING:
    from lxml import etree

SWID = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd"
HASHES = "http://www.w3.org/2001/04/xmlenc#sha384"
TCG_RIM = (
    "https://trustedcomputinggroup.org/resource/"
    "tcg-reference-integrity-manifest-rim-information-model/"
)
OPAQUE = "https://docs.nvidia.com/attestation/specs/latest/opaque-data.html"
NVIDIA_ENTERPRISE_NUMBER = "5703"
OPAQUE_BASE = 0x1000
"""The index from which on a record is about a field of the opaque data."""
MAX_ALTERNATIVES = 64
MAX_RECORDS = 4096

_HASH = re.compile(r"[0-9A-Fa-f]{96}")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,9}")
_WORD = re.compile(r"[A-Za-z0-9._-]{1,32}")
_ACTIVE = {"True": True, "true": True, "False": False, "false": False}


@dataclass(frozen=True, slots=True)
class Golden:
    """What a measurement must be.

    Attributes:
        index: of the measurement, from 0 on.
        name: the RIM's name for it.
        values: the digests, SHA-384, any of which it may be.
    """

    index: int
    name: str
    values: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class MinimumSvn:
    """What a security version number in the opaque data must be at least.

    Attributes:
        field: the type of the field.
        name: the RIM's name for it.
        minimum: the least number.
    """

    field: int
    name: str
    minimum: int


@dataclass(frozen=True, slots=True)
class RimFile:
    """A file that is meant as a manifest: what it says, so that the right one is found.

    Attributes:
        name: the identifier that came with it, for telling manifests apart; "" if none did.
        data: the XML.
        product: the chip, such as `GH100`, as the file has it.
        version: of the driver or VBIOS, as the file has it.
    """

    name: str
    data: bytes
    product: str
    version: str


@dataclass(frozen=True, slots=True)
class Rim:
    """A decoded manifest; nothing of it is verified.

    Attributes:
        signed: the document's parts that the signature is about.
        product: the chip, such as `GH100`.
        version: of the driver or VBIOS that it is about (`colloquialVersion`).
        golden: every active measurement, by its index.
        minimum_svns: every active record of a security version number.
    """

    signed: SignedXml
    product: str
    version: str
    golden: Mapping[int, Golden]
    minimum_svns: tuple[MinimumSvn, ...]


def recognise(data: bytes, name: str = "") -> RimFile:
    """Tells a manifest from other XML; whether it is valid is not asked here.

    Args:
        data: the XML.
        name: its identifier, if one is known.

    Raises:
        ValueError: it is no XML within bounds, or no SWID tag.
    """
    root = xml_document.parse(data)
    _check_root(root)
    meta = root.find(f"{{{SWID}}}Meta")
    if meta is None:
        return RimFile(name, data, "", "")
    return RimFile(name, data, meta.get("product", ""), meta.get("colloquialVersion", ""))


def decode(data: bytes) -> Rim:
    """Decodes a manifest, from the bytes alone that its signature is about.

    Raises:
        ValueError: it is no signed SWID tag, or has not what a manifest of NVIDIA's has.
    """
    signed = xml_signature.decode(data)
    root = xml_document.parse(signed.signed_bytes)
    _check_root(root)
    meta, payload = _only(root, "Meta"), _only(root, "Payload")
    maker = meta.get(f"{{{TCG_RIM}}}FirmwareManufacturerId", NVIDIA_ENTERPRISE_NUMBER)
    if maker != NVIDIA_ENTERPRISE_NUMBER:
        raise ValueError("the manifest is not of NVIDIA's firmware")
    golden, minimum_svns = _records(payload)
    return Rim(
        signed=signed,
        product=_word(meta.get("product", root.get("name", "")), "product"),
        version=_word(meta.get("colloquialVersion", ""), "colloquialVersion"),
        golden=MappingProxyType(golden),
        minimum_svns=minimum_svns,
    )


def _check_root(root: etree._Element) -> None:
    if root.tag != f"{{{SWID}}}SoftwareIdentity":
        raise ValueError("the XML is no SWID tag")


def _only(root: etree._Element, name: str) -> etree._Element:
    found = list(root.iter(f"{{{SWID}}}{name}"))
    if len(found) != 1 or found[0].getparent() is not root:
        raise ValueError(f"the manifest has {len(found)} elements {name}, not one")
    return found[0]


def _word(text: str, name: str) -> str:
    if not _WORD.fullmatch(text):
        raise ValueError(f"the manifest's {name} is no word of at most 32 characters")
    return text


def _records(payload: etree._Element) -> tuple[dict[int, Golden], tuple[MinimumSvn, ...]]:
    """Reads every record; an index that stands twice makes the manifest void."""
    seen: set[int] = set()
    golden: dict[int, Golden] = {}
    minimum_svns: list[MinimumSvn] = []
    for resource in payload:
        if resource.tag != f"{{{SWID}}}Resource" or resource.get("type") != "Measurement":
            raise ValueError("the manifest has something else than measurements")
        index = _number(resource, "index")
        if index in seen or len(seen) == MAX_RECORDS:
            raise ValueError(f"index {index} stands twice, or there are too many records")
        seen.add(index)
        if not _is_active(resource, index):
            continue
        if index >= OPAQUE_BASE:
            minimum_svns.append(_minimum_svn(resource, index))
        else:
            golden[index] = _golden(resource, index)
    if not golden:
        raise ValueError("the manifest has no active measurement")
    return golden, tuple(minimum_svns)


def _is_active(resource: etree._Element, index: int) -> bool:
    active = _ACTIVE.get(resource.get("active", ""))
    if active is None:
        raise ValueError(f"measurement {index} is neither active nor not")
    return active


def _golden(resource: etree._Element, index: int) -> Golden:
    count = _number(resource, "alternatives")
    if not 0 < count <= MAX_ALTERNATIVES:
        raise ValueError(f"measurement {index} has {count} alternatives")
    prefix = f"{{{HASHES}}}Hash"
    hashes = {name: text for name, text in resource.attrib.items() if name.startswith(prefix)}
    if hashes.keys() != {f"{prefix}{number}" for number in range(count)}:
        raise ValueError(f"measurement {index} has not the {count} alternatives that it names")
    if not all(map(_HASH.fullmatch, hashes.values())):
        raise ValueError(f"measurement {index} has a value that is no SHA-384 digest")
    values = tuple(bytes.fromhex(text) for text in hashes.values())
    return Golden(index, _name(resource), values)


def _minimum_svn(resource: etree._Element, index: int) -> MinimumSvn:
    return MinimumSvn(
        field=index - OPAQUE_BASE,
        name=_word(resource.get("name", ""), "record's name"),
        minimum=_number(resource, f"{{{OPAQUE}}}minSvn"),
    )


def _number(resource: etree._Element, name: str) -> int:
    text = resource.get(name, "")
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"a record's {xml_document.local_name(name)} is no number")
    return int(text)


def _name(resource: etree._Element) -> str:
    name = resource.get("name", "")
    return name if _WORD.fullmatch(name) else "unnamed"

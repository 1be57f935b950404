"""A miniature NVIDIA for tests: GPUs and switches that sign reports, with their certificates.

It counts as real only where a test says so, through `Anchors`' constructor (`real_anchors`).
Manifests and OCSP responses are in `nvidia_rim` and `ocsp`.

Sources: DMTF DSP0274 1.1.0, section 10.11; NVIDIA, "NVIDIA Opaque Data Format"; TCG, "DICE
Attestation Architecture", sections 6.1.1 and 8.1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from wasmtime_attestation.endorsements.anchors import Anchor, Anchors, Role
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.x509 import spki_sha256

from tests.fakes.intel import integer, oid, tlv

NOT_BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
NOT_AFTER = datetime(2049, 1, 1, tzinfo=UTC)
AT = datetime(2026, 3, 1, tzinfo=UTC)
"""An instant at which everything that is not made otherwise is valid."""


def issue_for(not_before: datetime, not_after: datetime) -> None:
    """Has certificates issued for another time; for a process of its own."""
    global NOT_BEFORE, NOT_AFTER
    NOT_BEFORE, NOT_AFTER = not_before, not_after


NONCE = bytes(range(32))
DEVICE_ROOT = "NVIDIA Device Identity CA"
RIM_ROOT = "NVIDIA CoRIM signing Root CA"
DEVICE_ID, TCB_INFO = "2.23.133.5.4.1", "2.23.133.5.4.1.1"
SHA384_OID = "2.16.840.1.101.3.4.2.2"

Fields = Mapping[int, bytes | None]


@cache
def key_of(owner: str, name: str) -> ec.EllipticCurvePrivateKey:
    """Returns a key: always the same for the same owner and name."""
    del owner, name  # the cache's key alone
    return ec.generate_private_key(ec.SECP384R1())


def ecdsa(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    """Signs, with R and S in 96 bytes."""
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(SHA384())))
    return r.to_bytes(48, "big") + s.to_bytes(48, "big")


def serial_of(name: str) -> int:
    """Returns a serial number that belongs to a name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "big") >> 1


def certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    is_ca: bool = False,
    path_length: int | None = None,
    not_after: datetime | None = None,
    signs_data: bool = True,
    extensions: Mapping[str, bytes] | None = None,
    purposes: Iterable[x509.ObjectIdentifier] = (),
    serial: int | None = None,
) -> x509.Certificate:
    """Issues a certificate as NVIDIA does."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .serial_number(serial_of(name) if serial is None else serial)
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(NOT_AFTER if not_after is None else not_after)
        .public_key(key.public_key())
        .add_extension(_usage(is_ca=is_ca, signs_data=signs_data and not is_ca), critical=True)
    )
    if is_ca:
        constraints = x509.BasicConstraints(ca=True, path_length=path_length)
        builder = builder.add_extension(constraints, critical=True)
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(list(purposes)), critical=False)
    for dotted, value in (extensions or {}).items():
        unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier(dotted), value)
        builder = builder.add_extension(unknown, critical=False)
    return builder.sign(issuer_key, SHA384())


def _name(common_name: str) -> x509.Name:
    organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "NVIDIA Corporation")
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name), organisation])


def _usage(*, is_ca: bool, signs_data: bool) -> x509.KeyUsage:
    unused = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
    )
    return x509.KeyUsage(
        digital_signature=signs_data,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        encipher_only=False,
        decipher_only=False,
        **unused,
    )


def chain_of(
    owner: str, names: Iterable[str], extensions: Mapping[str, bytes] | None = None
) -> tuple[x509.Certificate, ...]:
    """Issues a chain; the first name is the leaf's, the last one the root's."""
    names = tuple(names)
    return tuple(
        certificate(
            name,
            key_of(owner, name),
            issuer,
            key_of(owner, issuer),
            is_ca=position > 0,
            extensions=None if position else extensions,
        )
        for position, (name, issuer) in enumerate(zip(names, (*names[1:], names[-1]), strict=True))
    )


def device_id(key: ec.EllipticCurvePrivateKey, fwid: bytes, version: int = 1) -> bytes:
    """Writes the device's identity and its FWID, as Hopper has it."""
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return tlv(0x30, integer(version), spki, fwid_value(fwid))


def tcb_info(*fwids: bytes) -> bytes:
    """Writes a DiceTcbInfo with vendor, SVN and FWIDs, as Blackwell has it."""
    listed = tlv(0xA6, *map(fwid_value, fwids)) if fwids else b""
    return tlv(0x30, tlv(0x80, b"NVIDIA"), tlv(0x83, b"\1"), listed, tlv(0x87, bytes(5)))


def fwid_value(fwid: bytes, algorithm: str = SHA384_OID) -> bytes:
    """Writes an FWID."""
    return tlv(0x30, oid(algorithm), tlv(0x04, fwid))


def vbios_field(version: str) -> bytes:
    """Writes a GPU's VBIOS version: four parts in reverse, then the last one."""
    parts = bytes.fromhex(version.replace(".", ""))
    return parts[3::-1] + parts[4:5] + bytes(3)


def opaque(fields: Fields, *, value_types: Mapping[int, int] | None = None) -> bytes:
    """Writes opaque data: the versioned layout where value types are given, else the legacy."""
    if value_types is None:
        return b"".join(
            _u16(type_) + _u16(len(value)) + value
            for type_, value in fields.items()
            if value is not None
        )
    return b"NVDAOD" + bytes(2) + b"\2\0\0\0" + b"".join(
        _u16(type_) + _u16(value_types.get(type_, 0x82)) + _u16(len(value)) + value
        for type_, value in fields.items()
        if value is not None
    )  # fmt: skip


def _u16(number: int) -> bytes:
    return number.to_bytes(2, "little")


def block(index: int, value: bytes, *, specification: int = 1, kind: int = 1) -> bytes:
    """Writes a measurement block."""
    measurement = bytes([kind]) + _u16(len(value)) + value
    return bytes([index, specification]) + _u16(len(measurement)) + measurement


def golden(index: int) -> bytes:
    """Returns what a measurement, counted from 0 on, is on a device that is as it should be."""
    return hashlib.sha384(b"golden %d" % index).digest()


DRIVER_INDICES, VBIOS_INDICES = (7, 21, 35), (0, 1, 2, 5)


@dataclass(frozen=True)
class Device:
    """A GPU or a switch; what is different from the default is an argument of its methods.

    Attributes:
        owner: who has the keys: another one has others under the same names.
        chip: the chip's name.
        firmware: `GSP` or, in a switch, `FSP`.
        identity: the certificate above the provisioner's; that of Hopper for a switch too.
        fields: of the opaque data, by type.
        value_types: of the versioned layout; None for the legacy one.
        blocks: how many measurements there are.
        unit: tells devices of one kind apart: another one has a certificate and key of its own.
    """

    owner: str = "NVIDIA"
    chip: str = "GH100"
    firmware: str = "GSP"
    identity: str = "NVIDIA GH100 Identity"
    fields: Fields = field(default_factory=lambda: HOPPER_FIELDS)
    value_types: Mapping[int, int] | None = None
    blocks: int = 64
    unit: str = ""

    @property
    def fwid(self) -> bytes:
        """What its firmware is measured as."""
        return hashlib.sha384(self.chip.encode()).digest()

    @property
    def names(self) -> tuple[str, ...]:
        """The names in its chain."""
        model = f"{self.chip} A01 {self.firmware}"
        provisioner = f"NVIDIA {self.chip} Provisioner ICA 1"
        return (f"{model} FMC LF", f"{model} BROM", provisioner, self.identity, DEVICE_ROOT)

    def key(self, position: int = 0) -> ec.EllipticCurvePrivateKey:
        """Returns the key of a certificate in the chain."""
        return key_of(self.owner, self.names[position] + ("" if position else self.unit))

    def chain(self, extensions: Mapping[str, bytes] | None = None) -> tuple[x509.Certificate, ...]:
        """Returns its chain, from its own certificate to the root."""
        own = {TCB_INFO: tcb_info(self.fwid, bytes(48))}
        if not self.chip.startswith("GB"):
            own = {DEVICE_ID: device_id(self.key(), self.fwid)}
        extensions = own if extensions is None else extensions
        leaf, *authorities = chain_of(self.owner, self.names, extensions)
        if self.unit:
            leaf = certificate(
                self.names[0],
                self.key(),
                self.names[1],
                self.key(1),
                extensions=extensions,
                serial=serial_of(self.names[0] + self.unit),
            )
        return (leaf, *authorities)

    def endorsements(self) -> Endorsements:
        """Returns its chain for a verifier."""
        return Endorsements(certificates=self.chain())

    def measurements(self, changes: Mapping[int, bytes | None] | None = None) -> bytes:
        """Writes its measurements; those that are changed to None are not there."""
        values = {index: bytes(48) for index in range(self.blocks)}
        values |= {index: golden(index) for index in (*DRIVER_INDICES, *VBIOS_INDICES)}
        changed: dict[int, bytes | None] = {**values, **(changes or {})}
        blocks = [block(i + 1, v) for i, v in sorted(changed.items()) if v is not None]
        record = b"".join(blocks)
        return bytes([len(blocks)]) + len(record).to_bytes(3, "little") + record

    def report(
        self,
        *,
        nonce: bytes = NONCE,
        changes: Mapping[int, bytes | None] | None = None,
        fields: Fields | None = None,
        opaque_data: bytes | None = None,
        request: bytes = b"\x11\xe0\x01\xff",
        response: bytes = b"\x11\x60\0\0",
        record: bytes | None = None,
        key: ec.EllipticCurvePrivateKey | None = None,
    ) -> bytes:
        """Makes a report: request, response and signature.

        Args:
            nonce: of the request.
            changes: of measurements, by index from 0 on.
            fields: of the opaque data that are different; None for one that is not there.
            opaque_data: the whole opaque data.
            request, response, record: the parts as they stand there.
            key: who signs.
        """
        if opaque_data is None:
            merged = {20: self.fwid, **self.fields, **(fields or {})}
            opaque_data = opaque(merged, value_types=self.value_types)
        signed = b"".join(
            [
                request + nonce + b"\0" + response,
                self.measurements(changes) if record is None else record,
                bytes(32),
                _u16(len(opaque_data)) + opaque_data,
            ]
        )
        return signed + ecdsa(key or self.key(), signed)


DRIVER_VERSION, VBIOS_VERSION = "550.90.07", "96.00.9F.00.01"
BLACKWELL_DRIVER, BLACKWELL_VBIOS = "620.12", "97.00.D9.00.0F"
SWITCH_BIOS = "96.10.55.00.01"
HOPPER_FIELDS: Fields = {
    6: vbios_field(VBIOS_VERSION),
    15: b"882".ljust(9, b"\0"),
    17: b"1010\0",
    18: b"0200\0",
    3: DRIVER_VERSION.encode() + b"\0",
    11: b"\xaa",
    21: b"\x55",
}
BLACKWELL_FIELDS: Fields = {
    6: vbios_field(BLACKWELL_VBIOS),
    15: b"884".ljust(9, b"\0"),
    17: b"G520\0",
    18: b"0201\0",
    3: BLACKWELL_DRIVER.encode() + b"\0",
    11: b"\xaa",
    34: b"\0\2",
    35: b"GB10X\0",
    36: b"\1\0",
    37: b"\5\0",
}
PDIS = tuple(bytes([n]) * 7 + b"\xee" for n in range(8))
SWITCH_FIELDS: Fields = {
    20: None,
    6: SWITCH_BIOS.encode(),
    22: bytes.fromhex("203eb31ad9ed0008"),
    26: b"".join(PDIS) + b"\xff" * 64,
}
HOPPER = Device()
BLACKWELL = Device(
    chip="GB100",
    identity="NVIDIA GB100 Identity",
    fields=BLACKWELL_FIELDS,
    value_types={3: 0x86, 6: 0x86, 37: 0x87},
)
SWITCH = Device(chip="LS_10", firmware="FSP", fields=SWITCH_FIELDS, blocks=40)


def real_anchors(owner: str = "NVIDIA") -> Anchors:
    """Returns anchors for which the miniature NVIDIA is the real one."""
    return Anchors(
        Anchor(f"test {name}", spki_sha256(chain_of(owner, [name, name])[1]), role=role)
        for name, role in ((DEVICE_ROOT, Role.NVIDIA_DEVICE), (RIM_ROOT, Role.NVIDIA_RIM))
    )


OCSP_SIGNING = ExtendedKeyUsageOID.OCSP_SIGNING

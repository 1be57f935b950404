"""Intel's PCK certificate: which platform it is of, and at which TCB.

Source: Intel, "Intel SGX PCK Certificate and Certificate Revocation List Profile
Specification", section "SGX Extensions".
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from wasmtime_attestation.endorsements import der
from wasmtime_attestation.endorsements.x509 import common_name, unknown_critical_extension

NAME = "Intel SGX PCK Certificate"
ROOT = "Intel SGX Root CA"
AUTHORITIES = ("Intel SGX PCK Platform CA", "Intel SGX PCK Processor CA")
SGX_EXTENSIONS = "1.2.840.113741.1.13.1"
COMPONENTS = 16
"""SVN components of a TCB."""

# SGX_EXTENSIONS as it is encoded; each part of it adds one byte.
_SGX = bytes.fromhex("2a864886f84d010d01")
_PPID, _TCB, _PCEID, _FMSPC = (_SGX + bytes([n]) for n in (1, 2, 3, 4))
_INSTANCE_ID, _CONFIGURATION = (_SGX + bytes([n]) for n in (6, 7))
_COMPONENTS = [_TCB + bytes([n]) for n in range(1, COMPONENTS + 1)]
_PCESVN, _CPUSVN = (_TCB + bytes([n]) for n in (17, 18))
_FLAGS = {"dynamic_platform": 1, "cached_keys": 2, "smt_enabled": 3}


@dataclass(frozen=True, slots=True)
class PckCertificate:
    """A PCK certificate, decoded but not verified.

    Attributes:
        key: the P-256 key that signs the Quoting Enclave's report.
        ppid: the platform's id, encrypted ids excluded.
        fmspc: family, model, stepping, platform and custom SKU.
        pce_id: of the Provisioning Certification Enclave.
        sgx_components: the 16 SVNs of the processor's TCB, a byte each.
        pce_svn: of the Provisioning Certification Enclave.
        cpu_svn: the same components as the processor writes them, 16 bytes.
        platform_instance_id: of a platform with several processors; None else.
        dynamic_platform, cached_keys, smt_enabled: its configuration; None where it has none.
    """

    certificate: x509.Certificate
    key: ec.EllipticCurvePublicKey
    ppid: bytes
    fmspc: bytes
    pce_id: bytes
    sgx_components: bytes
    pce_svn: int
    cpu_svn: bytes
    platform_instance_id: bytes | None
    dynamic_platform: bool | None
    cached_keys: bool | None
    smt_enabled: bool | None


def decode(certificate: x509.Certificate) -> PckCertificate:
    """Decodes a PCK certificate.

    Raises:
        ValueError: the certificate is not one, with what is wrong.
    """
    if common_name(certificate.subject) != NAME:
        raise ValueError(f"its subject is not {NAME}")
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("its key is not a P-256 key")
    critical = unknown_critical_extension(certificate)
    if critical is not None:
        raise ValueError(f"it has the unknown critical extension {critical}")
    members = _members(_extension(certificate))
    tcb = _members(_member(members, _TCB))
    configuration = _members(members[_CONFIGURATION]) if _CONFIGURATION in members else {}
    flags = {
        name: der.boolean(configuration[oid]) if oid in configuration else None
        for name, number in _FLAGS.items()
        for oid in [_CONFIGURATION + bytes([number])]
    }
    return PckCertificate(
        certificate=certificate,
        key=key,
        ppid=_octets(members, _PPID, 16),
        fmspc=_octets(members, _FMSPC, 6),
        pce_id=_octets(members, _PCEID, 2),
        sgx_components=bytes(_svn(tcb, oid, 0xFF) for oid in _COMPONENTS),
        pce_svn=_svn(tcb, _PCESVN, 0xFFFF),
        cpu_svn=_octets(tcb, _CPUSVN, 16),
        platform_instance_id=(
            _octets(members, _INSTANCE_ID, 16) if _INSTANCE_ID in members else None
        ),
        **flags,
    )


def _extension(certificate: x509.Certificate) -> der.Value:
    for extension in certificate.extensions:
        if extension.oid.dotted_string == SGX_EXTENSIONS:
            return der.decode(extension.value.public_bytes())
    raise ValueError("it has no SGX extensions")


def _members(value: der.Value) -> dict[bytes, der.Value]:
    """Reads a SEQUENCE of pairs of an OBJECT IDENTIFIER and its value."""
    members: dict[bytes, der.Value] = {}
    for pair in der.sequence(value):
        name, content = der.pair(pair)
        oid = der.object_identifier(name)
        if oid in members:
            raise ValueError(f"it has SGX extension {der.dotted(oid)} twice")
        members[oid] = content
    return members


def _member(members: dict[bytes, der.Value], oid: bytes) -> der.Value:
    if oid not in members:
        raise ValueError(f"it lacks SGX extension {der.dotted(oid)}")
    return members[oid]


def _octets(members: dict[bytes, der.Value], oid: bytes, size: int) -> bytes:
    octets = der.octet_string(_member(members, oid))
    if len(octets) != size:
        raise ValueError(f"SGX extension {der.dotted(oid)} has {len(octets)} bytes, not {size}")
    return octets


def _svn(members: dict[bytes, der.Value], oid: bytes, largest: int) -> int:
    number = der.integer(_member(members, oid))
    if not 0 <= number <= largest:
        raise ValueError(
            f"SGX extension {der.dotted(oid)} is {number}; it must be from 0 to {largest}"
        )
    return number

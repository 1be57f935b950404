"""AMD's certificates for SEV-SNP: VCEK and VLEK and their extensions.

Source: AMD publication 57230, "Versioned Chip Endorsement Key (VCEK)
Certificate and KDS Interface Specification", section "X.509 Extensions".
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from wasmtime_attestation.endorsements.x509 import common_name, unknown_critical_extension
from wasmtime_attestation.evidence.snp_fields import ProductLine, SignerKind, TcbVersion

_AMD = "1.3.6.1.4.1.3704.1"
PRODUCT_NAME = f"{_AMD}.2"
BOOT_LOADER_SPL = f"{_AMD}.3.1"
TEE_SPL = f"{_AMD}.3.2"
SNP_SPL = f"{_AMD}.3.3"
MICROCODE_SPL = f"{_AMD}.3.8"
FMC_SPL = f"{_AMD}.3.9"
HWID = f"{_AMD}.4"
CSP_ID = f"{_AMD}.5"

VEK_NAMES = {"SEV-VCEK": SignerKind.VCEK, "SEV-VLEK": SignerKind.VLEK}
_ISSUER_PREFIX = {SignerKind.VCEK: "SEV-", SignerKind.VLEK: "SEV-VLEK-"}

_INTEGER = 0x02
_OCTET_STRING = 0x04
_IA5_STRING = 0x16


@dataclass(frozen=True, slots=True)
class VersionedKey:
    """A VCEK (of one chip) or VLEK (of one cloud provider), decoded but not verified.

    Attributes:
        kind: VCEK or VLEK, by its subject.
        key: the P-384 key that signs reports.
        product_line: from the issuer's name; product names vary within a line (Genoa, Siena).
        product_name: AMD's name, which may end in a stepping, such as `Milan-B0`.
        tcb: the TCB version that the key was derived for.
        hwid: the chip's id, 64 bytes or (Turin) 8; None for a VLEK.
        csp_id: the cloud provider; None for a VCEK.
        fingerprint: SHA-256 of the certificate, of which everything else is a part.
    """

    certificate: x509.Certificate
    kind: SignerKind
    key: ec.EllipticCurvePublicKey
    product_line: ProductLine
    product_name: str
    tcb: TcbVersion
    hwid: bytes | None
    csp_id: str | None
    fingerprint: bytes


def is_versioned_key(certificate: x509.Certificate) -> bool:
    """Whether a certificate calls itself a VCEK or VLEK."""
    return common_name(certificate.subject) in VEK_NAMES


def issuer_name(kind: SignerKind, line: ProductLine) -> str:
    """Returns the common name of the ASK or ASVK that certifies a kind of key."""
    return f"{_ISSUER_PREFIX[kind]}{line}"


def decode(certificate: x509.Certificate) -> VersionedKey:
    """Decodes a VCEK or VLEK.

    Raises:
        ValueError: the certificate is not one, with what is wrong.
    """
    kind = VEK_NAMES.get(common_name(certificate.subject))
    if kind is None:
        raise ValueError("its subject is neither SEV-VCEK nor SEV-VLEK")
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP384R1):
        raise ValueError("its key is not a P-384 key")
    critical = unknown_critical_extension(certificate)
    if critical is not None:
        raise ValueError(f"its extension {critical} is critical and unknown")
    extensions = _Extensions(certificate)
    line = _product_line(kind, common_name(certificate.issuer))
    return VersionedKey(
        certificate=certificate,
        kind=kind,
        key=key,
        product_line=line,
        product_name=extensions.ia5_string(PRODUCT_NAME),
        tcb=_tcb(extensions, line),
        hwid=extensions.hwid() if kind is SignerKind.VCEK else None,
        csp_id=extensions.ia5_string(CSP_ID) if kind is SignerKind.VLEK else None,
        fingerprint=certificate.fingerprint(SHA256()),
    )


def _product_line(kind: SignerKind, issuer: str) -> ProductLine:
    for line in ProductLine:
        if issuer == issuer_name(kind, line):
            return line
    raise ValueError(f"a {kind.name} of Milan, Genoa or Turin is not issued by {issuer or 'that'}")


def _tcb(extensions: _Extensions, line: ProductLine) -> TcbVersion:
    return TcbVersion(
        boot_loader=extensions.svn(BOOT_LOADER_SPL),
        tee=extensions.svn(TEE_SPL),
        snp=extensions.svn(SNP_SPL),
        microcode=extensions.svn(MICROCODE_SPL),
        fmc=extensions.svn(FMC_SPL) if line is ProductLine.TURIN else None,
    )


class _Extensions:
    """AMD's extensions: each value is one short DER element."""

    def __init__(self, certificate: x509.Certificate) -> None:
        self._values = {
            e.oid.dotted_string: e.value.value
            for e in certificate.extensions
            if isinstance(e.value, x509.UnrecognizedExtension)
        }

    def svn(self, oid: str) -> int:
        """A security version number: INTEGER 0 to 255."""
        content = self._element(oid, _INTEGER)
        value = int.from_bytes(content, "big", signed=True)
        minimal = (value.bit_length() // 8) + 1
        if not 0 <= value <= 0xFF or len(content) != minimal:
            raise ValueError(f"extension {oid} is no integer from 0 to 255")
        return value

    def ia5_string(self, oid: str) -> str:
        content = self._element(oid, _IA5_STRING)
        if not content.isascii() or not content.decode("ascii").isprintable():
            raise ValueError(f"extension {oid} is no printable text")
        return content.decode("ascii")

    def hwid(self) -> bytes:
        """64 bytes raw, 64 in an OCTET STRING, or 8 raw on Turin: all three are in the field."""
        value = self._value(HWID)
        if len(value) in (8, 64):
            return value
        content = self._element(HWID, _OCTET_STRING)
        if len(content) not in (8, 64):
            raise ValueError(f"the hardware id has {len(content)} bytes, not 64 or 8")
        return content

    def _value(self, oid: str) -> bytes:
        try:
            return self._values[oid]
        except KeyError:
            raise ValueError(f"extension {oid} is missing") from None

    def _element(self, oid: str, tag: int) -> bytes:
        """Returns the content of a DER element with a short length that is the whole value."""
        value = self._value(oid)
        if len(value) < 2 or value[0] != tag or value[1] > 0x7F or len(value) != 2 + value[1]:
            raise ValueError(f"extension {oid} is not encoded as AMD specifies")
        return value[2:]

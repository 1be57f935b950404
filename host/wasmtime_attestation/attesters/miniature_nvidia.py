"""A miniature NVIDIA: it owns a key hierarchy, and signs true reports and manifests.

It is as real as NVIDIA in everything but its root, which nobody trusts who was not told to, and
which stands for both of NVIDIA's. The simulated GPUs stand on it.

Sources: TCG, "DICE Attestation Architecture" (the device's identity and FWID); W3C, "XML Signature
Syntax and Processing Version 1.1"; ISO/IEC 19770-2:2015 (SWID tag).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from wasmtime_attestation.endorsements import rim, xml_signature
from wasmtime_attestation.endorsements.nvidia import DEVICE_ID
from wasmtime_attestation.endorsements.x509 import der, spki_sha256

CHIP = "GH100"
MODEL = f"{CHIP} A01 GSP BROM"
_C14N = "http://www.w3.org/2006/12/xml-c14n11"
# 2.16.840.1.101.3.4.2.2
_SHA384_OID = bytes.fromhex("0609608648016503040202")
_SEQUENCE, _INTEGER, _OCTET_STRING = 0x30, 0x02, 0x04


@dataclass(frozen=True, slots=True)
class Signer:
    """A key, and its certificate with those above it, the root last."""

    key: ec.EllipticCurvePrivateKey
    chain: tuple[x509.Certificate, ...]

    def sign(self, data: bytes) -> bytes:
        """Returns R and S of ECDSA P-384 with SHA-384, 96 bytes."""
        r, s = decode_dss_signature(self.key.sign(data, ec.ECDSA(SHA384())))
        return r.to_bytes(48, "big") + s.to_bytes(48, "big")


class MiniatureNvidia:
    """The keys of one maker.

    Args:
        not_before: when the certificates become valid.
        lifetime: how long they are valid.
    """

    def __init__(self, *, not_before: datetime, lifetime: timedelta) -> None:
        self._not_before, self._not_after = not_before, not_before + lifetime
        self._root = self._issue("NVIDIA miniature root", None, is_authority=True)
        self._model = self._issue(MODEL, self._root, is_authority=True)
        self._manifests = self._issue("NVIDIA miniature manifests", self._root)

    @property
    def root(self) -> x509.Certificate:
        """The root of devices and of manifests."""
        return self._root.chain[0]

    @property
    def root_fingerprint(self) -> bytes:
        """SHA-256 of the root's SubjectPublicKeyInfo."""
        return spki_sha256(self.root)

    def device(self, fwid: bytes) -> Signer:
        """Makes a device, whose certificate says what its firmware was measured as.

        Args:
            fwid: SHA-384 of the firmware.
        """
        return self._issue(f"{CHIP} A01 GSP FMC LF", self._model, fwid=fwid)

    def manifest(self, version: str, golden: Mapping[int, bytes]) -> bytes:
        """Returns a signed manifest (RIM).

        Args:
            version: of the driver or VBIOS that it is about.
            golden: what measurements must be, SHA-384, by their index from 0 on.
        """
        records = "".join(
            f'<Resource active="True" alternatives="1" index="{index}" name="Measurement_{index}" '
            f'type="Measurement" hash:Hash0="{value.hex()}"/>'
            for index, value in golden.items()
        )
        certificates = "".join(
            f"<X509Certificate>{_text(der(certificate))}</X509Certificate>"
            for certificate in self._manifests.chain
        )
        made = _Manifest(version, records, certificates)
        # The digest is over the document without its signature; the key signs what has the digest.
        digest = hashlib.sha384(xml_signature.decode(made.xml(b"", b"")).signed_bytes).digest()
        info = xml_signature.decode(made.xml(digest, b"")).signed_info
        return made.xml(digest, self._manifests.sign(info))

    def _issue(
        self,
        name: str,
        issuer: Signer | None,
        *,
        is_authority: bool = False,
        fwid: bytes | None = None,
    ) -> Signer:
        key = ec.generate_private_key(ec.SECP384R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.chain[0].subject if issuer else subject)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._not_before)
            .not_valid_after(self._not_after)
            .public_key(key.public_key())
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(_usage(is_authority=is_authority), critical=True)
        )
        if fwid is not None:
            identity = x509.UnrecognizedExtension(
                x509.ObjectIdentifier(DEVICE_ID), _identity(key, fwid)
            )
            builder = builder.add_extension(identity, critical=False)
        certificate = builder.sign(issuer.key if issuer else key, SHA384())
        return Signer(key, (certificate, *(issuer.chain if issuer else ())))


@dataclass(frozen=True, slots=True)
class _Manifest:
    """A manifest without what its signature says."""

    version: str
    records: str
    certificates: str

    def xml(self, digest: bytes, signature: bytes) -> bytes:
        """Returns the document with a signature."""
        return (
            f'<SoftwareIdentity xmlns="{rim.SWID}" xmlns:hash="{rim.HASHES}" name="{CHIP}">'
            f'<Meta colloquialVersion="{self.version}" product="{CHIP}"/>'
            f"<Payload>{self.records}</Payload>"
            f'<Signature xmlns="{xml_signature.NAMESPACE}">'
            f'<SignedInfo><CanonicalizationMethod Algorithm="{_C14N}"/>'
            f'<SignatureMethod Algorithm="{xml_signature.ECDSA_SHA384}"/><Reference URI="">'
            f'<Transforms><Transform Algorithm="{xml_signature.NAMESPACE}enveloped-signature"/>'
            f'<Transform Algorithm="{_C14N}"/></Transforms>'
            f'<DigestMethod Algorithm="{xml_signature.SHA384}"/>'
            f"<DigestValue>{_text(digest)}</DigestValue></Reference></SignedInfo>"
            f"<SignatureValue>{_text(signature)}</SignatureValue>"
            f"<KeyInfo><X509Data>{self.certificates}</X509Data></KeyInfo></Signature>"
            "</SoftwareIdentity>"
        ).encode()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _identity(key: ec.EllipticCurvePrivateKey, fwid: bytes) -> bytes:
    """CompositeDeviceID ::= SEQUENCE { version INTEGER, deviceID SEQUENCE, fwid FWID }."""
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    measured = _der(_SEQUENCE, _SHA384_OID + _der(_OCTET_STRING, fwid))
    return _der(_SEQUENCE, _der(_INTEGER, b"\1") + spki + measured)


def _der(tag: int, content: bytes) -> bytes:
    """Writes a value of less than 256 bytes (X.690 section 8.1.3)."""
    size = bytes([len(content)]) if len(content) < 0x80 else bytes([0x81, len(content)])
    return bytes([tag]) + size + content

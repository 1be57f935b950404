"""A miniature AMD: it owns a key hierarchy and signs true SEV-SNP reports.

It is as real as AMD in everything but its root, which nobody trusts who was
not told to. The simulated attester and the tests stand on it.

Source: AMD publications 56860 (report) and 57230 (certificates).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.x509.oid import NameOID

from wasmtime_attestation.endorsements import amd
from wasmtime_attestation.endorsements.x509 import spki_sha256
from wasmtime_attestation.evidence.snp_fields import ProductLine, SignerKind, TcbVersion

RSA_BITS = 4096
_PSS = padding.PSS(padding.MGF1(SHA384()), salt_length=48)
_SIGNATURE_FIELD = 72


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate and its RSA key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class ReportSigner:
    """A VCEK or VLEK and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def sign(self, signed_bytes: bytes) -> bytes:
        """Returns the 512 bytes of SIGNATURE over the bytes before it."""
        r, s = decode_dss_signature(self.key.sign(signed_bytes, ec.ECDSA(SHA384())))
        fields = b"".join(n.to_bytes(_SIGNATURE_FIELD, "little") for n in (r, s))
        return fields.ljust(512, b"\0")


class MiniatureAmd:
    """The keys of one product line.

    Args:
        line: the product line.
        not_before: when the certificates become valid.
        lifetime: how long they are valid.
        rsa_bits: size of the RSA keys; AMD's have 4096.
    """

    def __init__(
        self,
        line: ProductLine,
        *,
        not_before: datetime,
        lifetime: timedelta,
        rsa_bits: int = RSA_BITS,
    ) -> None:
        self.line = line
        self._not_before = not_before
        self._not_after = not_before + lifetime
        self._rsa_bits = rsa_bits
        self.ark = self._authority(f"ARK-{line}", serial=0x10000, issuer=None)
        self._issuers: dict[SignerKind, Authority] = {}

    @property
    def root_fingerprint(self) -> bytes:
        """SHA-256 of the root's SubjectPublicKeyInfo."""
        return spki_sha256(self.ark.certificate)

    def issuer(self, kind: SignerKind) -> Authority:
        """Returns the ASK (for VCEKs) or the ASVK (for VLEKs), made when first asked for."""
        if kind not in self._issuers:
            name = amd.issuer_name(kind, self.line)
            self._issuers[kind] = self._authority(name, 0x10001 + kind * 0x100, self.ark)
        return self._issuers[kind]

    def vcek(self, hwid: bytes, tcb: TcbVersion, product_name: str | None = None) -> ReportSigner:
        """Issues the VCEK of a chip for a TCB version."""
        extensions = self._extensions(tcb, product_name) | {amd.HWID: hwid}
        return self._versioned_key(SignerKind.VCEK, "SEV-VCEK", extensions)

    def vlek(self, csp_id: str, tcb: TcbVersion, product_name: str | None = None) -> ReportSigner:
        """Issues the VLEK of a cloud provider for a TCB version."""
        extensions = self._extensions(tcb, product_name) | {amd.CSP_ID: _ia5_string(csp_id)}
        return self._versioned_key(SignerKind.VLEK, "SEV-VLEK", extensions)

    def _extensions(self, tcb: TcbVersion, product_name: str | None) -> dict[str, bytes]:
        versions = {
            amd.BOOT_LOADER_SPL: tcb.boot_loader,
            amd.TEE_SPL: tcb.tee,
            amd.SNP_SPL: tcb.snp,
            amd.MICROCODE_SPL: tcb.microcode,
            amd.FMC_SPL: tcb.fmc,
        }
        values = {oid: _integer(svn) for oid, svn in versions.items() if svn is not None}
        return {amd.PRODUCT_NAME: _ia5_string(product_name or self.line)} | values

    def _versioned_key(
        self, kind: SignerKind, name: str, extensions: Mapping[str, bytes]
    ) -> ReportSigner:
        key = ec.generate_private_key(ec.SECP384R1())
        issuer = self.issuer(kind)
        # cryptography refuses to issue AMD's serial number 0.
        builder = self._builder(name, issuer.certificate.subject, serial=1).public_key(
            key.public_key()
        )
        for oid, value in extensions.items():
            extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value)
            builder = builder.add_extension(extension, critical=False)
        certificate = builder.sign(issuer.key, SHA384(), rsa_padding=_PSS)
        return ReportSigner(certificate, key)

    def _authority(self, name: str, serial: int, issuer: Authority | None) -> Authority:
        key = rsa.generate_private_key(65537, self._rsa_bits)
        subject = issuer.certificate.subject if issuer else _name(name)
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=issuer is None,
            encipher_only=False,
            decipher_only=False,
        )
        builder = (
            self._builder(name, subject, serial)
            .public_key(key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
        )
        signing_key = issuer.key if issuer else key
        return Authority(builder.sign(signing_key, SHA384(), rsa_padding=_PSS), key)

    def _builder(self, name: str, issuer: x509.Name, serial: int) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(issuer)
            .serial_number(serial)
            .not_valid_before(self._not_before)
            .not_valid_after(self._not_after)
        )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _integer(value: int) -> bytes:
    content = value.to_bytes(value.bit_length() // 8 + 1, "big")
    return bytes([0x02, len(content)]) + content


def _ia5_string(text: str) -> bytes:
    return bytes([0x16, len(text)]) + text.encode("ascii")

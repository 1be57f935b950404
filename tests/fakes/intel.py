"""A miniature Intel for tests: platforms with TDX that make quotes, and the collateral for them.

It counts as real only where a test says so, through `Anchors`' constructor (`real_anchors`).

Sources: Intel, "Intel TDX DCAP Quoting Library API", appendix A.3 (quote); "PCK Certificate and
Certificate Revocation List Profile Specification"; PCS API version 4 (collateral).
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID
from wasmtime_attestation.endorsements.anchors import Anchor, Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.x509 import pem, spki_sha256

NOT_BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
NOT_AFTER = datetime(2049, 1, 1, tzinfo=UTC)
AT = datetime(2026, 3, 1, tzinfo=UTC)
"""An instant at which everything that is not made otherwise is valid."""
ISSUED = AT - timedelta(days=10)
NEXT_UPDATE = AT + timedelta(days=20)

INTEL_QE_VENDOR = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
SGX = "1.2.840.113741.1.13.1"
QE_MRSIGNER = bytes(range(32))
# Offset and size in the TD report, appendix A.3 "TD Quote Body"; the last two from TDX 1.5 on.
LAYOUT: dict[str, tuple[int, int]] = {
    "tee_tcb_svn": (0, 16),
    "mrseam": (16, 48),
    "mrsignerseam": (64, 48),
    "seam_attributes": (112, 8),
    "td_attributes": (120, 8),
    "xfam": (128, 8),
    "mrtd": (136, 48),
    "mrconfigid": (184, 48),
    "mrowner": (232, 48),
    "mrownerconfig": (280, 48),
    "rtmr0": (328, 48),
    "rtmr1": (376, 48),
    "rtmr2": (424, 48),
    "rtmr3": (472, 48),
    "report_data": (520, 64),
    "tee_tcb_svn_2": (584, 16),
    "mrservicetd": (600, 48),
}
# Sizes of the TD report by its type in quotes of version 5; version 4 has TDX 1.0's alone.
SIZES = {2: 584, 3: 648, 4: 885}
# What the extended report adds; Intel's QVL, `TDReport15Ex`.
EXTENDED: dict[str, tuple[int, int]] = {
    "vmid": (648, 1),
    "td_id": (649, 32),
    "devinfo": (681, 48),
    "init_hash": (729, 48),
    "init_attributes": (777, 8),
    "init_cpu_svn": (785, 16),
    "init_tee_tcb_svn": (801, 16),
    "init_tee_fmspc": (817, 12),
    "current_hash": (829, 48),
    "current_attributes": (877, 8),
}
# SGX REPORT: offset and size.
QE_LAYOUT: Mapping[str, tuple[int, int]] = {
    "cpu_svn": (0, 16),
    "misc_select": (16, 4),
    "attributes": (48, 16),
    "mrenclave": (64, 32),
    "mrsigner": (128, 32),
    "isv_prod_id": (256, 2),
    "isv_svn": (258, 2),
    "report_data": (320, 64),
}


def ecdsa(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    """Signs, with R and S in 64 bytes."""
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


@cache
def key_of(owner: str, name: str) -> ec.EllipticCurvePrivateKey:
    """Returns a key: always the same for the same owner and name."""
    del owner, name  # the cache's key alone
    return ec.generate_private_key(ec.SECP256R1())


def certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    is_ca: bool = False,
    sgx: bytes | None = None,
    not_after: datetime = NOT_AFTER,
    serial: int | None = None,
) -> x509.Certificate:
    """Issues a certificate with the extensions that Intel's have."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .serial_number(serial or int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big"))
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(not_after)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(_usage(is_ca=is_ca), critical=True)
    )
    if sgx is not None:
        oid = x509.ObjectIdentifier(SGX)
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, sgx), critical=False)
    return builder.sign(issuer_key, SHA256())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _usage(*, is_ca: bool) -> x509.KeyUsage:
    unused = dict.fromkeys(
        ("key_encipherment", "data_encipherment", "key_agreement", "encipher_only"), False
    )
    return x509.KeyUsage(
        digital_signature=not is_ca,
        content_commitment=not is_ca,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        decipher_only=False,
        **unused,
    )


def tlv(tag: int, *content: bytes) -> bytes:
    """Writes a DER value of up to 64 KiB."""
    body = b"".join(content)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    octets = len(body).to_bytes(1 if len(body) < 0x100 else 2, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + body


def oid(dotted: str) -> bytes:
    """Writes an OBJECT IDENTIFIER by way of cryptography's own encoder."""
    name = x509.Name([x509.NameAttribute(x509.ObjectIdentifier(dotted), "x")]).public_bytes()
    return name[4 : 4 + 2 + name[5]] if name[4] == 0x06 else name[6 : 6 + 2 + name[7]]


def integer(number: int) -> bytes:
    """Writes an INTEGER that is not negative."""
    return tlv(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


@dataclass(frozen=True)
class Platform:
    """A platform with TDX, of one owner.

    Attributes:
        owner: of all keys; another owner has other keys under the same names.
        ca: the common name of its PCK's issuer.
        version: of its quotes.
        body_type: of its TD reports, in quotes of version 5.
        components, pce_svn: of its PCK certificate.
        tee_tcb_svn, tee_tcb_svn_2: in its quotes, unless they say otherwise.
        qe_svn: of its Quoting Enclave.
        certification: the type of its QE certification data: a chain (5), or which PCK it is
            with the PPID plain (1), encrypted by RSA-2048 (2) or by RSA-3072 (3).
    """

    owner: str = "Intel"
    ca: str = "Intel SGX PCK Platform CA"
    version: int = 4
    body_type: int = 3
    fmspc: bytes = bytes.fromhex("b0c06f000000")
    pce_id: bytes = b"\0\0"
    components: bytes = bytes([5] * 8 + [0] * 8)
    pce_svn: int = 11
    tee_tcb_svn: bytes = bytes([6, 1, 3]) + bytes(13)
    tee_tcb_svn_2: bytes = bytes([6, 1, 3]) + bytes(13)
    qe_svn: int = 4
    certification: int = 5
    pck_not_after: datetime = NOT_AFTER

    def key(self, name: str) -> ec.EllipticCurvePrivateKey:
        """Returns one of the owner's keys."""
        return key_of(self.owner, name)

    @property
    def root(self) -> x509.Certificate:
        """Intel SGX Root CA."""
        return _authority(self.owner, "Intel SGX Root CA", "Intel SGX Root CA")

    @property
    def authority(self) -> x509.Certificate:
        """The PCK CA."""
        return _authority(self.owner, self.ca, "Intel SGX Root CA")

    @property
    def pck(self) -> x509.Certificate:
        """The PCK certificate."""
        return _pck(self)

    @property
    def signer(self) -> x509.Certificate:
        """The TCB signing certificate."""
        return _tcb_signer(self.owner)

    def chain(self) -> bytes:
        """Returns the PEM text in its quotes."""
        return b"".join(map(pem, (self.pck, self.authority, self.root)))

    def body(self, **fields: bytes) -> bytes:
        """Returns a TD report.

        Args:
            fields: what differs in it, by the names in `LAYOUT` and `EXTENDED`.
        """
        body = bytearray(SIZES[2 if self.version == 4 else self.body_type])
        defaults = {
            "tee_tcb_svn": self.tee_tcb_svn,
            "mrseam": bytes(range(48)),
            "td_attributes": bytes.fromhex("0000001000000000"),
            "xfam": bytes.fromhex("e702060000000000"),
            "mrtd": bytes(range(1, 49)),
        }
        if len(body) > SIZES[2]:
            defaults["tee_tcb_svn_2"] = self.tee_tcb_svn_2
        for name, value in (defaults | fields).items():
            offset, size = (LAYOUT | EXTENDED)[name]
            assert len(value) == size, f"{name} has {size} bytes"
            body[offset : offset + size] = value
        return bytes(body)

    def qe_report(self, attestation_key: bytes, **fields: bytes) -> bytes:
        """Returns the Quoting Enclave's report, which holds the attestation key."""
        report = bytearray(384)
        defaults = {
            "attributes": bytes([0x15]) + bytes(7) + bytes([0xE7]) + bytes(7),
            "mrsigner": QE_MRSIGNER,
            "isv_prod_id": (2).to_bytes(2, "little"),
            "isv_svn": self.qe_svn.to_bytes(2, "little"),
            "report_data": hashlib.sha256(attestation_key + bytes(32)).digest() + bytes(32),
        }
        for name, value in (defaults | fields).items():
            offset, size = QE_LAYOUT[name]
            assert len(value) == size, f"{name} has {size} bytes"
            report[offset : offset + size] = value
        return bytes(report)

    def quote(
        self,
        *,
        qe: Mapping[str, bytes] | None = None,
        chain: bytes | None = None,
        header: bytes | None = None,
        body_type: int | None = None,
        **fields: Any,  # noqa: ANN401
    ) -> bytes:
        """Signs a quote.

        Args:
            qe: what differs in the Quoting Enclave's report.
            chain: other QE certification data.
            header: another header.
            body_type: another type than that of the body, in version 5.
            fields: what differs in the TD report.
        """
        body = self.body(**fields)
        if header is None:
            header = self.header()
        described = b""
        if self.version == 5:
            named = self.body_type if body_type is None else body_type
            described = named.to_bytes(2, "little") + _u32(len(body))
        signed = header + described + body
        point = self.key("attestation").public_key().public_numbers()
        attestation_key = point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big")
        report = self.qe_report(attestation_key, **(qe or {}))
        if chain is None:
            chain = self.chain() if self.certification == 5 else self.pck_reference()
        inner = report + ecdsa(self.key("PCK"), report)
        inner += (32).to_bytes(2, "little") + bytes(32)
        inner += self.certification.to_bytes(2, "little") + _u32(len(chain)) + chain
        data = ecdsa(self.key("attestation"), signed) + attestation_key
        data += (6).to_bytes(2, "little") + _u32(len(inner)) + inner
        return signed + _u32(len(data)) + data

    def pck_reference(self, **fields: bytes) -> bytes:
        """Returns certification data that only says which PCK it is.

        Args:
            fields: what differs in it: `ppid`, `cpu_svn`, `pce_svn`, `pce_id`.
        """
        ppid = bytes({1: 16, 2: 256, 3: 384}[self.certification])
        parts = {
            "ppid": ppid,
            "cpu_svn": self.components,
            "pce_svn": self.pce_svn.to_bytes(2, "little"),
            "pce_id": self.pce_id,
        }
        return b"".join((parts | fields).values())

    def header(self) -> bytes:
        """Returns the 48 bytes before the body."""
        start = self.version.to_bytes(2, "little") + bytes.fromhex("020081000000") + bytes(4)
        return start + INTEL_QE_VENDOR + bytes(20)


def _u32(number: int) -> bytes:
    return number.to_bytes(4, "little")


@cache
def _authority(owner: str, name: str, issuer: str) -> x509.Certificate:
    return certificate(name, key_of(owner, name), issuer, key_of(owner, issuer), is_ca=True)


@cache
def _tcb_signer(owner: str) -> x509.Certificate:
    name, root = "Intel SGX TCB Signing", "Intel SGX Root CA"
    return certificate(name, key_of(owner, name), root, key_of(owner, root))


@cache
def _pck(platform: Platform) -> x509.Certificate:
    return certificate(
        "Intel SGX PCK Certificate",
        platform.key("PCK"),
        platform.ca,
        platform.key(platform.ca),
        sgx=sgx_extensions(platform),
        not_after=platform.pck_not_after,
    )


def sgx_extensions(platform: Platform) -> bytes:
    """Writes the SGX extensions of a PCK certificate."""
    tcb = [
        tlv(0x30, oid(f"{SGX}.2.{i}"), integer(svn)) for i, svn in enumerate(platform.components, 1)
    ]
    tcb.append(tlv(0x30, oid(f"{SGX}.2.17"), integer(platform.pce_svn)))
    tcb.append(tlv(0x30, oid(f"{SGX}.2.18"), tlv(0x04, platform.components)))
    flags = [tlv(0x30, oid(f"{SGX}.7.{i}"), tlv(0x01, b"\xff")) for i in (1, 2, 3)]
    return tlv(
        0x30,
        tlv(0x30, oid(f"{SGX}.1"), tlv(0x04, bytes(16))),
        tlv(0x30, oid(f"{SGX}.2"), tlv(0x30, *tcb)),
        tlv(0x30, oid(f"{SGX}.3"), tlv(0x04, platform.pce_id)),
        tlv(0x30, oid(f"{SGX}.4"), tlv(0x04, platform.fmspc)),
        tlv(0x30, oid(f"{SGX}.5"), tlv(0x0A, b"\1")),
        tlv(0x30, oid(f"{SGX}.6"), tlv(0x04, bytes(range(16)))),
        tlv(0x30, oid(f"{SGX}.7"), tlv(0x30, *flags)),
    )


def level(
    status: str, *advisories: str, sgx: int = 5, pce_svn: int = 11, tdx: Iterable[int] = (5, 0, 3)
) -> dict[str, Any]:
    """Returns a TCB level of a platform."""
    tdx = [*tdx]
    return {
        "tcb": {
            "sgxtcbcomponents": [{"svn": sgx}] * 8 + [{"svn": 0}] * 8,
            "pcesvn": pce_svn,
            "tdxtcbcomponents": [{"svn": n} for n in (*tdx, *[0] * (16 - len(tdx)))],
        },
        "tcbDate": "2025-11-12T00:00:00Z",
        "tcbStatus": status,
        "advisoryIDs": [*advisories],
    }


def svn_level(svn: int, status: str, *advisories: str) -> dict[str, Any]:
    """Returns a TCB level of a TDX module or a Quoting Enclave."""
    return {
        "tcb": {"isvsvn": svn},
        "tcbDate": "2025-05-14T00:00:00Z",
        "tcbStatus": status,
        "advisoryIDs": [*advisories],
    }


_SEAM = {"mrsigner": "00" * 48, "attributes": "00" * 8, "attributesMask": "FF" * 8}
_ISSUED = {
    "issueDate": ISSUED.strftime("%Y-%m-%dT%H:%M:%SZ"),
    "nextUpdate": NEXT_UPDATE.strftime("%Y-%m-%dT%H:%M:%SZ"),
    "tcbEvaluationDataNumber": 17,
}
TCB_INFO: Mapping[str, Any] = {
    "id": "TDX",
    "version": 3,
    **_ISSUED,
    "fmspc": "B0C06F000000",
    "pceId": "0000",
    "tcbType": 0,
    "tdxModule": _SEAM,
    "tdxModuleIdentities": [
        {
            "id": "TDX_01",
            **_SEAM,
            "tcbLevels": [
                svn_level(6, "UpToDate"),
                svn_level(4, "OutOfDate", "INTEL-SA-01036"),
                svn_level(2, "Revoked"),
            ],
        }
    ],
    "tcbLevels": [
        level("UpToDate"),
        level("OutOfDate", "INTEL-SA-00960", sgx=4, tdx=(4, 0, 2)),
        level("Revoked", sgx=3, pce_svn=5, tdx=(3, 0, 1)),
    ],
}
QE_IDENTITY: Mapping[str, Any] = {
    "id": "TD_QE",
    "version": 2,
    **_ISSUED,
    "miscselect": "00000000",
    "miscselectMask": "FFFFFFFF",
    "attributes": "11" + "00" * 15,
    "attributesMask": "FB" + "FF" * 7 + "00" * 8,
    "mrsigner": QE_MRSIGNER.hex(),
    "isvprodid": 2,
    "tcbLevels": [svn_level(4, "UpToDate"), svn_level(3, "OutOfDate", "INTEL-SA-00837")],
}


def changed(statement: Mapping[str, Any], **members: Any) -> dict[str, Any]:  # noqa: ANN401
    """Returns a statement with other members."""
    return copy.deepcopy(dict(statement)) | members


def signed(name: str, statement: Mapping[str, Any], key: ec.EllipticCurvePrivateKey) -> bytes:
    """Returns an answer of the PCS: a statement and the signature over its text."""
    body = json.dumps(statement, separators=(",", ":"))
    signature = ecdsa(key, body.encode()).hex()
    return f'{{"{name}":{body},"signature":"{signature}"}}'.encode()


def crl(
    issuer: str,
    key: ec.EllipticCurvePrivateKey,
    *,
    revoked: Iterable[int] = (),
    begin: datetime = ISSUED,
    end: datetime = NEXT_UPDATE,
    critical: x509.ExtensionType | None = None,
    also: x509.ExtensionType | None = None,
) -> x509.CertificateRevocationList:
    """Returns a revocation list of up to `end`."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(_name(issuer))
        .last_update(begin)
        .next_update(end)
        .add_extension(x509.CRLNumber(1), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
    )
    for serial in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(begin)
        builder = builder.add_revoked_certificate(entry.build())
    if critical is not None:
        builder = builder.add_extension(critical, critical=True)
    if also is not None:
        builder = builder.add_extension(also, critical=False)
    return builder.sign(key, SHA256())


@dataclass(frozen=True)
class Collateral:
    """The collateral for a platform; each part can be left out (None) or be another."""

    platform: Platform
    tcb_info: Mapping[str, Any] | None = field(default_factory=lambda: TCB_INFO)
    qe_identity: Mapping[str, Any] | None = field(default_factory=lambda: QE_IDENTITY)
    root_crl: x509.CertificateRevocationList | None = None
    pck_crl: x509.CertificateRevocationList | None = None
    signers: tuple[x509.Certificate, ...] | None = None
    statement_key: ec.EllipticCurvePrivateKey | None = None
    without: frozenset[str] = frozenset()

    def endorsements(self) -> Endorsements:
        """Returns what a verifier gets."""
        p = self.platform
        root_name = "Intel SGX Root CA"
        # An empty list is false, so it is compared with None.
        root_crl = crl(root_name, p.key(root_name)) if self.root_crl is None else self.root_crl
        pck_crl = crl(p.ca, p.key(p.ca)) if self.pck_crl is None else self.pck_crl
        lists = {"root_crl": root_crl, "pck_crl": pck_crl}
        key = self.statement_key or p.key("Intel SGX TCB Signing")
        parts = {"tcbInfo": self.tcb_info, "enclaveIdentity": self.qe_identity}
        statements = Endorsements.from_files(
            (name, signed(name, body, key)) for name, body in parts.items() if body is not None
        )
        signers = (p.signer,) if self.signers is None else self.signers
        return statements + Endorsements(
            signers, tuple(item for name, item in lists.items() if name not in self.without)
        )


def real_anchors(owner: str = "Intel") -> Anchors:
    """Returns anchors for which the miniature Intel is the real one."""
    root = Platform(owner).root
    return Anchors([Anchor("test Intel SGX Root CA", spki_sha256(root))])


PLATFORM = Platform()
PLATFORM_15 = replace(PLATFORM, version=5)

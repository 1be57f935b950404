"""A miniature AMD for tests: machines of every product line that sign reports.

It stands on the simulated TEE's own miniature AMD. Its roots count as real only
where a test says so, through `Anchors`' constructor (`real_anchors`).

Sources: AMD publications 56860 (report) and 57230 (certificates).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from wasmtime_attestation.attesters.miniature_amd import MiniatureAmd, ReportSigner
from wasmtime_attestation.endorsements.anchors import Anchor, Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.x509 import der
from wasmtime_attestation.evidence.envelope import (
    EndorsementType,
    Evidence,
    EvidenceType,
    RawEndorsement,
)
from wasmtime_attestation.evidence.snp_fields import ProductLine, SignerKind, TcbVersion
from wasmtime_attestation.wit import TeeInfo, TeeType

NOT_BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
NOT_AFTER = datetime(2049, 1, 1, tzinfo=UTC)
AT = datetime(2026, 3, 1, tzinfo=UTC)
"""An instant at which everything that is not made otherwise is valid."""

# 56860, table "ATTESTATION_REPORT Structure": offset and size of each field that is not reserved.
LAYOUT: Mapping[str, tuple[int, int]] = {
    "version": (0x000, 4),
    "guest_svn": (0x004, 4),
    "policy": (0x008, 8),
    "family_id": (0x010, 16),
    "image_id": (0x020, 16),
    "vmpl": (0x030, 4),
    "signature_algo": (0x034, 4),
    "current_tcb": (0x038, 8),
    "platform_info": (0x040, 8),
    "key_information": (0x048, 4),
    "report_data": (0x050, 64),
    "measurement": (0x090, 48),
    "host_data": (0x0C0, 32),
    "id_key_digest": (0x0E0, 48),
    "author_key_digest": (0x110, 48),
    "report_id": (0x140, 32),
    "report_id_ma": (0x160, 32),
    "reported_tcb": (0x180, 8),
    "cpuid_fam_id": (0x188, 1),
    "cpuid_mod_id": (0x189, 1),
    "cpuid_step": (0x18A, 1),
    "chip_id": (0x1A0, 64),
    "committed_tcb": (0x1E0, 8),
    "current_build": (0x1E8, 1),
    "current_minor": (0x1E9, 1),
    "current_major": (0x1EA, 1),
    "committed_build": (0x1EC, 1),
    "committed_minor": (0x1ED, 1),
    "committed_major": (0x1EE, 1),
    "launch_tcb": (0x1F0, 8),
    "launch_mit_vector": (0x1F8, 8),
    "current_mit_vector": (0x200, 8),
    "signature_r": (0x2A0, 72),
    "signature_s": (0x2E8, 72),
}
SIGNED_SIZE = 0x2A0


@cache
def miniature_amd(line: ProductLine, owner: str = "AMD") -> MiniatureAmd:
    """Returns the keys of a product line; another owner has other keys under the same names."""
    del owner  # part of the cache's key alone
    return MiniatureAmd(line, not_before=NOT_BEFORE, lifetime=NOT_AFTER - NOT_BEFORE, rsa_bits=2048)


def real_anchors(*lines: ProductLine, owner: str = "AMD") -> Anchors:
    """Returns anchors for which the miniature AMD is the real one; all lines if none is named."""
    return Anchors(
        Anchor(f"test ARK-{line}", miniature_amd(line, owner).root_fingerprint, line)
        for line in lines or ProductLine
    )


def encode_tcb(tcb: TcbVersion) -> bytes:
    """Writes TCB_VERSION; the layout with FMC is that of family 1Ah and later."""
    if tcb.fmc is None:
        return bytes([tcb.boot_loader, tcb.tee, 0, 0, 0, 0, tcb.snp, tcb.microcode])
    return bytes([tcb.fmc, tcb.boot_loader, tcb.tee, tcb.snp, 0, 0, 0, tcb.microcode])


@dataclass(frozen=True)
class Machine:
    """A SEV-SNP machine; it is an `Attester`.

    Attributes:
        line: the product line, which owns the keys.
        version: of its reports.
        cpuid: family, model and stepping; reports of version 2 have none.
        tcb: all four TCB versions, unless a report says otherwise.
        chip_id: CHIP_ID.
        signer: what its reports are signed with.
        hwid: the extension's value in the VCEK.
        product_name: in the certificate.
        owner: of the keys.
        fields: what its reports have in other fields, by the names in `LAYOUT`.
    """

    line: ProductLine
    version: int
    cpuid: tuple[int, int, int]
    tcb: TcbVersion
    chip_id: bytes
    hwid: bytes
    product_name: str
    signer: SignerKind = SignerKind.VCEK
    owner: str = "AMD"
    fields: tuple[tuple[str, int | bytes], ...] = ()

    @property
    def amd(self) -> MiniatureAmd:
        """The keys of its product line."""
        return miniature_amd(self.line, self.owner)

    @property
    def key(self) -> ReportSigner:
        """Its VCEK or VLEK."""
        return _signer_of(self)

    @property
    def issuer_key(self) -> rsa.RSAPrivateKey:
        """The key of the ASK or ASVK that signs its VCEK or VLEK."""
        return self.amd.issuer(self.signer).key

    def chain(self) -> tuple[x509.Certificate, ...]:
        """Returns VCEK, ASK and ARK, or VLEK, ASVK and ARK."""
        return (
            self.key.certificate,
            self.amd.issuer(self.signer).certificate,
            self.amd.ark.certificate,
        )

    def endorsements(self, *crls: x509.CertificateRevocationList) -> Endorsements:
        """Returns the chain and the lists given."""
        return Endorsements(self.chain(), crls)

    def report(self, **fields: int | bytes) -> bytes:
        """Signs a report.

        Args:
            fields: what differs in it, by the names in `LAYOUT`.
        """
        return sign(self.body(**fields), self.key)

    def body(self, **fields: int | bytes) -> bytes:
        """Returns the signed part of a report."""
        body = bytearray(SIGNED_SIZE)
        for name, value in (self._defaults() | dict(self.fields) | fields).items():
            offset, size = LAYOUT[name]
            encoded = value.to_bytes(size, "little") if isinstance(value, int) else value
            assert len(encoded) == size, f"{name} has {size} bytes"
            body[offset : offset + size] = encoded
        return bytes(body)

    def info(self) -> TeeInfo:
        """Says what it is."""
        return TeeInfo(TeeType.AMD_SEV_SNP, supports_attestation=True, provider="fake", gpu_count=0)

    def collect(self, report_data: bytes) -> Evidence:
        """Returns a report with its chain."""
        return Evidence(
            EvidenceType.AMD_SEV_SNP,
            self.report(report_data=report_data),
            tuple(RawEndorsement(EndorsementType.CERTIFICATE, der(c)) for c in self.chain()),
        )

    def _defaults(self) -> dict[str, int | bytes]:
        tcb = encode_tcb(self.tcb)
        values: dict[str, int | bytes] = {
            "version": self.version,
            "policy": 0x30000,  # SMT allowed, and the bit that is always one
            "signature_algo": 1,
            "key_information": self.signer << 2,
            "measurement": bytes(range(48)),
            "report_id": bytes(range(100, 132)),
            "report_id_ma": b"\xff" * 32,
            "chip_id": self.chip_id,
        }
        values |= dict.fromkeys(("current_tcb", "reported_tcb", "committed_tcb", "launch_tcb"), tcb)
        if self.version >= 3:
            names = ("cpuid_fam_id", "cpuid_mod_id", "cpuid_step")
            values |= dict(zip(names, self.cpuid, strict=True))
        return values


@cache
def _signer_of(machine: Machine) -> ReportSigner:
    if machine.signer is SignerKind.VLEK:
        return machine.amd.vlek("Cloud", machine.tcb, machine.product_name)
    return machine.amd.vcek(machine.hwid, machine.tcb, machine.product_name)


def sign(body: bytes, signer: ReportSigner) -> bytes:
    """Returns a report: the signed part and its signature."""
    return body + signer.sign(body)


def octet_string(content: bytes) -> bytes:
    """Returns a DER OCTET STRING of up to 127 bytes, one of the three encodings of a HWID."""
    return bytes([0x04, len(content)]) + content


_CHIP = bytes(range(64, 128))
_TCB = TcbVersion(boot_loader=4, tee=0, snp=24, microcode=219)
_TURIN_TCB = TcbVersion(boot_loader=1, tee=1, snp=4, microcode=81, fmc=1)
MILAN = Machine(ProductLine.MILAN, 3, (0x19, 0x01, 1), _TCB, _CHIP, _CHIP, "Milan-B0")
MILAN_V2 = Machine(
    ProductLine.MILAN, 2, (0x19, 0x01, 1), _TCB, _CHIP, octet_string(_CHIP), "Milan-B0"
)
GENOA = Machine(ProductLine.GENOA, 3, (0x19, 0x11, 1), _TCB, _CHIP, _CHIP, "Genoa")
BERGAMO = Machine(ProductLine.GENOA, 5, (0x19, 0xA0, 2), _TCB, _CHIP, _CHIP, "Genoa")
TURIN = Machine(
    ProductLine.TURIN,
    5,
    (0x1A, 0x02, 1),
    _TURIN_TCB,
    _CHIP[:8].ljust(64, b"\0"),
    _CHIP[:8],
    "Turin",
)
VLEK = Machine(
    ProductLine.MILAN, 3, (0x19, 0x01, 1), _TCB, bytes(64), b"", "Milan-B0", SignerKind.VLEK
)
TURIN_VLEK = replace(TURIN, chip_id=bytes(64), hwid=b"", signer=SignerKind.VLEK)
MACHINES = (MILAN, MILAN_V2, GENOA, BERGAMO, TURIN, VLEK, TURIN_VLEK)

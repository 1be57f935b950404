"""Miniature hardware in a namespace: it signs, and leaves what proves it in the emulation's folder.

`root.pem` is what a verifier trusts, and the files whose names begin with `endorsement` are what
it needs besides. Everything is valid today, whatever the day.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from wasmtime_attestation.attesters.miniature_amd import MiniatureAmd
from wasmtime_attestation.endorsements.x509 import der, pem
from wasmtime_attestation.evidence.snp_fields import SignerKind

from tests.fakes import amd, intel

# Entries of AMD's table, by the place of their issuer in the chain: VCEK, ASK, ARK.
_GUIDS = (
    "63da758de6644564adc5f4b93be8accd",
    "4ab7b379bbac4fe4a02f05aef327c782",
    "c0b406a4a803495297433fb6014cd0ae",
)

Signer = Callable[[bytes, int], bytes]
"""Makes evidence from REPORT_DATA (64 bytes) and a privilege level."""


def root(folder: Path) -> Path:
    """Returns the root that a test must trust."""
    return folder / "root.pem"


def endorsements(folder: Path) -> list[Path]:
    """Returns the files that a verifier needs besides."""
    return sorted(folder.glob("endorsement*"))


class SnpChip:
    """A chip of AMD's with a guest on it.

    Args:
        folder: where root and endorsements are written.
        bits: size of the RSA keys.
    """

    def __init__(self, folder: Path, bits: int = 2048) -> None:
        begin = datetime.now(UTC) - timedelta(days=1)
        vendor = MiniatureAmd(
            amd.MILAN.line, not_before=begin, lifetime=timedelta(days=2), rsa_bits=bits
        )
        self._vcek = vendor.vcek(amd.MILAN.hwid, amd.MILAN.tcb, amd.MILAN.product_name)
        issuer = vendor.issuer(SignerKind.VCEK).certificate
        self._chain = (self._vcek.certificate, issuer, vendor.ark.certificate)
        root(folder).write_bytes(pem(vendor.ark.certificate))
        (folder / "endorsement-chain.pem").write_bytes(b"".join(map(pem, self._chain)))

    def report(self, report_data: bytes, vmpl: int = 0, **fields: int | bytes) -> bytes:
        """Signs a report of 1,184 bytes, with other fields if some are given."""
        body = amd.MILAN.body(report_data=report_data, vmpl=vmpl, **fields)
        return amd.sign(body, self._vcek)

    def table(self) -> bytes:
        """Returns the certificate table that the host hands to its guests (GHCB, 4.1.8.1)."""
        certificates = [der(certificate) for certificate in self._chain]
        header, offset = b"", 24 * (len(certificates) + 1)
        for guid, certificate in zip(_GUIDS, certificates, strict=True):
            header += bytes.fromhex(guid)
            header += offset.to_bytes(4, "little") + len(certificate).to_bytes(4, "little")
            offset += len(certificate)
        return header + bytes(24) + b"".join(certificates)


class TdxPlatform:
    """A platform of Intel's with a TD on it.

    Args:
        folder: where root and endorsements are written.
    """

    def __init__(self, folder: Path) -> None:
        now = datetime.now(UTC).replace(microsecond=0)
        begin, end = now - timedelta(days=1), now + timedelta(days=29)
        platform = intel.PLATFORM
        root(folder).write_bytes(pem(platform.root))
        names = {"root": "Intel SGX Root CA", "pck": platform.ca}
        for file, name in names.items():
            revoked = intel.crl(name, platform.key(name), begin=begin, end=end)
            (folder / f"endorsement-{file}.crl").write_bytes(der(revoked))
        issued = {
            "issueDate": begin.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "nextUpdate": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        key = platform.key("Intel SGX TCB Signing")
        for name, body in {"tcbInfo": intel.TCB_INFO, "enclaveIdentity": intel.QE_IDENTITY}.items():
            statement = intel.signed(name, intel.changed(body, **issued), key)
            (folder / f"endorsement-{name}.json").write_bytes(statement)
        (folder / "endorsement-signer.pem").write_bytes(pem(platform.signer))
        self._platform = platform

    def quote(self, report_data: bytes, **fields: bytes) -> bytes:
        """Signs a quote of version 4, with other fields if some are given."""
        return self._platform.quote(report_data=report_data, **fields)

    def td_report(self, report_data: bytes) -> bytes:
        """Returns a TDREPORT of 1,024 bytes."""
        return td_report(report_data)

    def quote_of(self, td_report: bytes) -> bytes:
        """Makes the quote of a TDREPORT, as a Quoting Enclave does."""
        return self.quote(td_report[128:192])


def td_report(report_data: bytes) -> bytes:
    """Returns a TDREPORT of 1,024 bytes whose fields are those of the platform's quotes.

    The layout is that of TDREPORT_STRUCT: REPORTMACSTRUCT (256), TEE_TCB_INFO (239), 17 reserved
    bytes and TDINFO (512). The MAC is none that hardware would know.
    """
    body = intel.PLATFORM.body(report_data=report_data)

    def field(name: str) -> bytes:
        offset, size = intel.LAYOUT[name]
        return body[offset : offset + size]

    tcb_info = bytes.fromhex("ff01000000000000") + field("tee_tcb_svn") + field("mrseam")
    tcb_info = (tcb_info + field("mrsignerseam") + field("seam_attributes")).ljust(239, b"\0")
    names = ("td_attributes", "xfam", "mrtd", "mrconfigid", "mrowner", "mrownerconfig")
    rtmrs = (f"rtmr{i}" for i in range(4))
    td_info = b"".join(map(field, (*names, *rtmrs))).ljust(512, b"\0")
    hashes = hashlib.sha384(tcb_info).digest() + hashlib.sha384(td_info).digest()
    mac = bytes.fromhex("81000000").ljust(16, b"\0") + bytes(16) + hashes + report_data
    return mac.ljust(256, b"\0") + tcb_info + bytes(17) + td_info

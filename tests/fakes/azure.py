"""A miniature paravisor for tests: confidential VMs over the miniature AMD's and Intel's hardware.

It owns the vTPM's attestation key, states runtime claims, and writes the canonical form and the
documents of others by itself.

Sources: Microsoft, "Azure confidential VMs guest attestation design" (HCL report); TCG, TPM 2.0
Library, part 2 (TPMS_ATTEST); Intel, TDX Module ABI Specification (TDREPORT_STRUCT).
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.x509 import der
from wasmtime_attestation.evidence.envelope import (
    EndorsementType,
    Evidence,
    EvidenceType,
    RawEndorsement,
)

from tests.fakes import amd, intel

NONCE = b"challenge"
USER_DATA = bytes(range(64))
PCRS: Mapping[int, bytes] = {index: hashlib.sha256(bytes([index])).digest() for index in range(24)}
CONFIGURATION: Mapping[str, Any] = {
    "console-enabled": True,
    "secure-boot": True,
    "tpm-enabled": True,
    "vmUniqueId": "26F8BC30-774E-4290-8E7A-535F3B672AEE",
}
SNP_SIZE, TDX_SIZE = 1184, 1024
SIZE = 2600
_HASHES = {1: hashlib.sha256, 2: hashlib.sha384, 3: hashlib.sha512}


@cache
def attestation_key(owner: str = "vTPM", bits: int = 2048) -> rsa.RSAPrivateKey:
    """Returns a vTPM's key: always the same for the same owner."""
    del owner
    return rsa.generate_private_key(65537, bits)


def base64url(data: bytes) -> str:
    """Writes base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwk(key: rsa.RSAPrivateKey | rsa.RSAPublicKey, kid: str = "HCLAkPub") -> dict[str, Any]:
    """Writes a public key as the paravisor does."""
    public = key.public_key() if isinstance(key, rsa.RSAPrivateKey) else key
    numbers = public.public_numbers()
    modulus = numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")
    return {"kid": kid, "key_ops": ["sign"], "kty": "RSA", "e": "AQAB", "n": base64url(modulus)}


def td_report(platform: intel.Platform, **fields: bytes) -> bytes:
    """Writes a TDREPORT that says the same as the platform's quote with the same fields."""
    body = platform.body(**fields)
    at = {name: body[o : o + n] for name, (o, n) in intel.LAYOUT.items() if o + n <= len(body)}
    tcb = b"\xff\x01\x03" + bytes(5) + at["tee_tcb_svn"] + at["mrseam"] + at["mrsignerseam"]
    tcb += at["seam_attributes"] + at.get("tee_tcb_svn_2", bytes(16))
    names = ("td_attributes", "xfam", "mrtd", "mrconfigid", "mrowner", "mrownerconfig")
    info = b"".join(at[name] for name in (*names, "rtmr0", "rtmr1", "rtmr2", "rtmr3"))
    info += at.get("mrservicetd", bytes(48))
    return sealed(tcb.ljust(239, b"\0"), info.ljust(512, b"\0"), at["report_data"])


def sealed(tcb: bytes, info: bytes, report_data: bytes, kind: bytes = b"\x81\0\0\0") -> bytes:
    """Writes REPORTMACSTRUCT, with the digests of the parts, and the parts."""
    mac = kind + bytes(12) + bytes(range(16))
    mac += hashlib.sha384(tcb).digest() + hashlib.sha384(info).digest() + report_data
    return mac + bytes(32) + bytes(range(32)) + tcb + bytes(17) + info


def hcl_report(hardware: bytes, claims: bytes, kind: int, **numbers: int) -> bytes:
    """Writes an HCL report.

    Args:
        hardware: the hardware report.
        claims: the runtime claims' bytes.
        kind: 2 for SEV-SNP, 4 for TDX.
        numbers: what differs in the fields of its headers.
    """
    n = {
        "version": 2,
        "report_size": 32 + SNP_SIZE + 20 + len(claims),
        "request_type": 2,
        "status": 0,
        "data_size": 20 + len(claims),
        "data_version": 1,
        "report_type": kind,
        "hash_type": 1,
        "claims_size": len(claims),
    } | numbers
    header = b"HCLA" + struct.pack(
        "<4I", n["version"], n["report_size"], n["request_type"], n["status"]
    )
    data = struct.pack(
        "<5I", n["data_size"], n["data_version"], n["report_type"], n["hash_type"], n["claims_size"]
    )
    body = header + bytes(12) + hardware.ljust(SNP_SIZE, b"\0") + data + claims
    return body.ljust(SIZE, b"\0")


def attest(
    nonce: bytes = NONCE,
    pcrs: Mapping[int, bytes] = PCRS,
    *,
    magic: bytes = b"\xffTCG",
    kind: int = 0x8018,
    selections: Sequence[tuple[int, bytes]] | None = None,
    digest: bytes | None = None,
    safe: int = 1,
    signer: bytes = b"\0\x0b" + bytes(32),
) -> bytes:
    """Writes TPMS_ATTEST of a quote."""
    if selections is None:
        bits = sum(1 << index for index in pcrs)
        selections = [(0x0B, bits.to_bytes(3, "little"))]
    if digest is None:
        digest = hashlib.sha256(b"".join(pcrs[index] for index in sorted(pcrs))).digest()
    chosen = b"".join(struct.pack(">HB", bank, len(bits)) + bits for bank, bits in selections)
    return (
        magic
        + struct.pack(">HH", kind, len(signer))
        + signer
        + struct.pack(">H", len(nonce))
        + nonce
        + struct.pack(">QIIBQ", 123456, 2, 1, safe, 0x2020031200120003)
        + struct.pack(">I", len(selections))
        + chosen
        + struct.pack(">H", len(digest))
        + digest
    )


@dataclass(frozen=True)
class ConfidentialVm:
    """A confidential VM on Azure.

    Attributes:
        hardware: what is below the paravisor.
        owner: of the vTPM's key.
        configuration: what the paravisor states of the VM.
        user_data: what the guest wrote; None leaves the member out.
        hash_type: of the runtime claims in the hardware report.
        fields: what differs in the hardware report.
    """

    hardware: amd.Machine | intel.Platform
    owner: str = "vTPM"
    configuration: Mapping[str, Any] = field(default_factory=lambda: CONFIGURATION)
    user_data: bytes | None = USER_DATA
    hash_type: int = 1
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> rsa.RSAPrivateKey:
        """The vTPM's attestation key."""
        return attestation_key(self.owner)

    @property
    def is_snp(self) -> bool:
        """Whether the hardware is AMD's."""
        return isinstance(self.hardware, amd.Machine)

    @property
    def anchors(self) -> Anchors:
        """Anchors for which the hardware is real."""
        return amd.real_anchors() if self.is_snp else intel.real_anchors()

    def endorsements(self) -> Endorsements:
        """Returns what endorses the hardware."""
        if isinstance(self.hardware, amd.Machine):
            return self.hardware.endorsements()
        return intel.Collateral(self.hardware).endorsements()

    def claims(self, **members: Any) -> bytes:  # noqa: ANN401
        """Writes the runtime claims; a member that is None is left out."""
        user_data = None if self.user_data is None else self.user_data.hex()
        stated = {
            "keys": [jwk(self.key), jwk(self.key, "HCLEkPub")],
            "vm-configuration": {**self.configuration},
            "user-data": user_data,
        } | members
        known = {name: value for name, value in stated.items() if value is not None}
        return json.dumps(known, separators=(",", ":")).encode()

    def report_data(self, claims: bytes) -> bytes:
        """Returns what the hardware report holds."""
        return _HASHES[self.hash_type](claims).digest().ljust(64, b"\0")

    def report(self, claims: bytes | None = None, **numbers: int) -> bytes:
        """Returns the HCL report."""
        claims = self.claims() if claims is None else claims
        data = {"report_data": self.report_data(claims), **self.fields}
        numbers = {"hash_type": self.hash_type} | numbers
        if isinstance(self.hardware, amd.Machine):
            return hcl_report(self.hardware.report(**data), claims, 2, **numbers)
        return hcl_report(td_report(self.hardware, **data), claims, 4, **numbers)

    def td_quote(self, claims: bytes | None = None, **fields: bytes) -> bytes | None:
        """Returns the TD quote; None on SEV-SNP."""
        if isinstance(self.hardware, amd.Machine):
            return None
        claims = self.claims() if claims is None else claims
        data = {"report_data": self.report_data(claims), **self.fields}
        return self.hardware.quote(**(data | fields))

    def sign(self, message: bytes) -> bytes:
        """Signs as the vTPM does."""
        return self.key.sign(message, PKCS1v15(), SHA256())

    def evidence(self, **parts: Any) -> Evidence:  # noqa: ANN401
        """Returns the evidence with the hardware's certificates.

        Args:
            parts: what differs: `report`, `message`, `signature`, `pcrs`, `td_quote`; a
                `message` that is None leaves the vTPM's quote out.
        """
        message = parts.get("message", attest())
        signature = parts.get("signature") or (self.sign(message) if message else b"")
        quote = (message, signature, parts.get("pcrs", PCRS)) if message else None
        data = canonical(
            parts.get("report", self.report()), quote, parts.get("td_quote", self.td_quote())
        )
        kind = EvidenceType.AZURE_SNP if self.is_snp else EvidenceType.AZURE_TDX
        return Evidence(kind, data, self.certificates())

    def certificates(self) -> tuple[RawEndorsement, ...]:
        """Returns the VCEK and its chain; an Intel quote has its own in it."""
        if not isinstance(self.hardware, amd.Machine):
            return ()
        return tuple(
            RawEndorsement(EndorsementType.CERTIFICATE, der(c)) for c in self.hardware.chain()
        )


def canonical(
    report: bytes,
    quote: tuple[bytes, bytes, Mapping[int, bytes]] | None,
    td_quote: bytes | None,
) -> bytes:
    """Writes the canonical form of evidence."""
    parts = [f'"hcl_report":"{base64url(report)}"']
    if quote is not None:
        message, signature, pcrs = quote
        values = ",".join(f'"{index}":"{base64url(pcrs[index])}"' for index in sorted(pcrs))
        parts.append(
            f'"tpm_quote":{{"message":"{base64url(message)}",'
            f'"signature":"{base64url(signature)}","pcrs":{{{values}}}}}'
        )
    if td_quote is not None:
        parts.append(f'"td_quote":"{base64url(td_quote)}"')
    return f"{{{','.join(parts)}}}".encode()


SNP = ConfidentialVm(amd.MILAN)
TDX = ConfidentialVm(intel.PLATFORM)
TDX_15 = ConfidentialVm(intel.PLATFORM_15)
VMS = (SNP, TDX, TDX_15)

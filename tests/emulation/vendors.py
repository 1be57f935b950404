"""The services of the miniature vendors (tests/fakes): KDS, PCS or PCCS, RIM, OCSP and JWKS.

One server over TLS speaks for all of them, in the ways of their documents: AMD publication
57230; Intel, "PCS API version 4" and "PCCS Design Guide"; NVIDIA, "RIM Service"; RFC 6960.
"""

from __future__ import annotations

import base64
import hashlib
import json
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, quote, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as x509_ocsp
from wasmtime_attestation.endorsements.x509 import der, pem
from wasmtime_attestation.evidence.snp_fields import ProductLine, SignerKind

from tests.emulation.web import HOST, WebAuthority, WebRequest, WebServer, answer
from tests.fakes import amd, certificates, intel, nvidia_rim, ocsp

Override = Callable[[WebRequest], bytes | None]
_MANIFESTS = {
    "NV_GPU_DRIVER_GH100_550.90.07": nvidia_rim.DRIVER,
    "NV_GPU_VBIOS_1010_0200_882_96009F0001": nvidia_rim.VBIOS,
    "NV_SWITCH_BIOS_5612_0002_890_9610550001": nvidia_rim.SWITCH[0],
}


@dataclass
class Vendors:
    """The vendors; a context manager.

    Attributes:
        folder: for the authority's files.
        machines: whose VCEKs AMD knows.
        platform: whose collateral Intel has.
        is_cache: whether Intel is asked by way of a PCCS, whose lists are in hex.
        paths: the certification paths that the OCSP responder knows.
        key_sets: JWK Sets by path.
        override: answers in place of a service, where it returns something.
        is_secure: whether they speak TLS.
    """

    folder: Path
    machines: Sequence[amd.Machine] = amd.MACHINES
    platform: intel.Platform = intel.PLATFORM
    is_cache: bool = True
    paths: Sequence[Sequence[x509.Certificate]] = ()
    key_sets: Mapping[str, bytes] = field(default_factory=dict)
    override: Override | None = None
    is_secure: bool = True

    def __post_init__(self) -> None:
        self.authority = WebAuthority(self.folder)
        context = self.authority.context(HOST) if self.is_secure else None
        self._server = WebServer(self._handle, context)

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.__exit__()

    @property
    def url(self) -> str:
        """Where all of them are."""
        return self._server.url

    @property
    def targets(self) -> list[str]:
        """What was asked for, in order."""
        return [request.target for request in self._server.requests]

    def environment(self) -> dict[str, str]:
        """Returns the variables that lead a client here."""
        names = ("AMD_KDS", "INTEL_PCS", "NVIDIA_RIM", "NVIDIA_OCSP")
        urls = {f"WASMTIME_ATTESTATION_{name}_URL": self.url for name in names}
        return urls | {
            "SSL_CERT_FILE": str(self.authority.file),
            "WASMTIME_ATTESTATION_OFFLINE": "0",
            "NO_PROXY": HOST,
        }

    def _handle(self, request: WebRequest, connection: socket.socket) -> None:
        connection.sendall(self._answer(request))

    def _answer(self, request: WebRequest) -> bytes:
        if self.override is not None and (own := self.override(request)) is not None:
            return own
        target = urlsplit(request.target)
        query = {name: values[0] for name, values in parse_qs(target.query).items()}
        parts = target.path.strip("/").split("/")
        if request.method == "POST":
            return self._ocsp(request)
        if target.path in self.key_sets:
            return answer("200 OK", self.key_sets[target.path], content_type="application/json")
        match parts:
            case [("vcek" | "vlek") as kind, "v1", line, name]:
                return self._kds(kind, line, name, query)
            case [("sgx" | "tdx") as tee, "certification", "v4", *names]:
                return self._pcs(tee, "/".join(names), query)
            case ["v1", "rim", id_] if id_ in _MANIFESTS:
                return _rim(id_)
        return answer("404 Not Found", b'{"error": "unknown"}')

    def _kds(self, kind: str, line: str, name: str, query: Mapping[str, str]) -> bytes:
        if line not in list(ProductLine):
            return answer("404 Not Found")
        vendor = amd.miniature_amd(ProductLine(line), "AMD")
        if name == "cert_chain":
            issuer = vendor.issuer(SignerKind[kind.upper()])
            return answer("200 OK", pem(issuer.certificate) + pem(vendor.ark.certificate))
        if name == "crl":
            return answer("200 OK", der(certificates.crl(vendor.ark.certificate, vendor.ark.key)))
        for machine in self.machines:
            if (line, name, query) == (machine.line, *_question(machine)) and kind == "vcek":
                return answer("200 OK", der(machine.key.certificate))
        return answer("404 Not Found")

    def _pcs(self, tee: str, name: str, query: Mapping[str, str]) -> bytes:
        p = self.platform
        issuers = quote(b"".join(map(pem, (p.signer, p.root))).decode(), safe="")
        authorities = quote(b"".join(map(pem, (p.authority, p.root))).decode(), safe="")
        key = p.key("Intel SGX TCB Signing")
        match tee, name, query:
            case "tdx", "tcb", {"fmspc": fmspc} if fmspc == p.fmspc.hex().upper():
                info = intel.signed("tcbInfo", intel.TCB_INFO, key)
                return answer("200 OK", info, TCB_Info_Issuer_Chain=issuers)
            case "tdx", "qe/identity", _:
                identity = intel.signed("enclaveIdentity", intel.QE_IDENTITY, key)
                return answer("200 OK", identity, SGX_Enclave_Identity_Issuer_Chain=issuers)
            case "sgx", "pckcrl", {"ca": ca} if f" {ca} ca" in p.ca.lower():
                crl = der(intel.crl(p.ca, p.key(p.ca)))
                return answer("200 OK", self._list(crl), SGX_PCK_CRL_Issuer_Chain=authorities)
            case "sgx", "rootcacrl", _ if self.is_cache:
                root = "Intel SGX Root CA"
                return answer("200 OK", self._list(der(intel.crl(root, p.key(root)))))
            case "sgx", "pckcert", {"cpusvn": svn} if svn == p.components.hex().upper():
                return answer("200 OK", pem(p.pck), SGX_PCK_Certificate_Issuer_Chain=authorities)
        return answer("404 Not Found", Request_ID="0123")

    def _list(self, crl: bytes) -> bytes:
        return crl.hex().encode() if self.is_cache else crl

    def _ocsp(self, request: WebRequest) -> bytes:
        if request.headers.get("content-type") != "application/ocsp-request":
            return answer("415 Unsupported Media Type")
        serial = x509_ocsp.load_der_ocsp_request(request.body).serial_number
        for path in self.paths:
            for subject, issuer in pairwise(path):
                if subject.serial_number == serial:
                    response = ocsp.Responder().respond(subject, issuer)
                    return answer("200 OK", response, content_type="application/ocsp-response")
        unauthorized = x509_ocsp.OCSPResponseBuilder.build_unsuccessful(
            x509_ocsp.OCSPResponseStatus.UNAUTHORIZED
        )
        return answer("200 OK", unauthorized.public_bytes(Encoding.DER))


def _question(machine: amd.Machine) -> tuple[str, dict[str, str]]:
    """Returns how KDS is asked for a machine's VCEK (57230, section "KDS interface")."""
    tcb = machine.tcb
    query = {
        "blSPL": f"{tcb.boot_loader:02}",
        "teeSPL": f"{tcb.tee:02}",
        "snpSPL": f"{tcb.snp:02}",
        "ucodeSPL": f"{tcb.microcode:02}",
    }
    if machine.line is ProductLine.TURIN:
        return machine.chip_id[:8].hex(), {"fmcSPL": f"{tcb.fmc:02}"} | query
    return machine.chip_id.hex(), query


def _rim(id_: str) -> bytes:
    text = base64.b64encode(_MANIFESTS[id_].xml()).decode()
    body = {
        "id": id_,
        "rim": text,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "last_updated": "2026-02-01T00:00:00Z",
        "rim_format": "TCG",
    }
    return answer("200 OK", json.dumps(body).encode(), content_type="application/json")

"""A miniature instance of Azure Attestation on HTTPS: SevSnpVm and TdxVm.

Source: Azure REST API specification, attestation, 2022-08-01 and 2025-06-01.
"""

from __future__ import annotations

import hashlib
import json

from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.evidence.envelope import (
    EndorsementType,
    Evidence,
    EvidenceType,
    RawEndorsement,
)
from wasmtime_attestation.evidence.pem import decode_chain

from tests.emulation.json_service import (
    Miniature,
    RefusedError,
    Reply,
    base64url,
    members,
)
from tests.emulation.web import WebAuthority, WebRequest
from tests.fakes import amd, intel, jose, maa
from tests.fakes.jose import Members, Signer, x5c

PLATFORMS = (intel.PLATFORM, intel.PLATFORM_15)


class MaaMiniature(Miniature):
    """An instance with a key of its own.

    Attributes:
        signer: the key that it signs with now.
        published: the keys at /certs, self-signed certificates without numbers.
        jku: where its tokens say that their keys are; None for the right place.
    """

    def __init__(self, authority: WebAuthority, signer: Signer = maa.SIGNER) -> None:
        super().__init__(authority)
        self.signer = signer
        self.published = [signer]
        self.jku: str | None = None

    def respond(self, request: WebRequest) -> Reply:
        """Answers a request."""
        match request.method, request.target:
            case "GET", "/certs":
                return "200 OK", jose.jwks(*map(self._jwk, self.published))
            case "POST", "/attest/SevSnpVm?api-version=2022-08-01":
                return "200 OK", {"token": self._token(self._snp(request.body))}
            case "POST", "/attest/TdxVm?api-version=2025-06-01":
                return "200 OK", {"token": self._token(self._tdx(request.body))}
            case _:
                body = {"error": {"code": "NotFound", "message": "no such operation"}}
                return "404 Not Found", body

    def _jwk(self, signer: Signer) -> Members:
        certificate = jose.certificate(signer.key, self.url)
        return {"kid": signer.key_id, "kty": "RSA", "x5c": x5c(certificate)}

    def _token(self, claims: Members) -> str:
        now = int(self.clock())
        times = {"iss": self.url, "iat": now, "nbf": now, "exp": now + 28_800}
        header = self.signer.header | {"jku": self.jku or f"{self.url}/certs"}
        return self.signer.sign(self.forge(maa.times() | claims | times), header)

    def _snp(self, body: bytes) -> Members:
        asked = members(body, {"report", "runtimeData"}, frozenset({"nonce"}))
        inner = members(base64url(asked["report"]), {"SnpReport", "VcekCertChain"})
        report = base64url(inner["SnpReport"])
        chain = decode_chain(base64url(inner["VcekCertChain"]), 5)
        evidence = Evidence(
            EvidenceType.AMD_SEV_SNP,
            report,
            tuple(RawEndorsement(EndorsementType.CERTIFICATE, der) for der in chain),
        )
        runtime = self._runtime(asked, evidence, amd.LAYOUT["report_data"], 0)
        no = self.objection(evidence, amd.real_anchors(), Endorsements())
        if no is not None:
            raise _invalid(f"SnpReport: {no}")
        field = {name: report[o : o + n] for name, (o, n) in amd.LAYOUT.items()}
        return maa.snp() | {
            "x-ms-sevsnpvm-launchmeasurement": field["measurement"].hex(),
            "x-ms-sevsnpvm-reportdata": field["report_data"].hex(),
            "x-ms-sevsnpvm-hostdata": field["host_data"].hex(),
            "x-ms-sevsnpvm-idkeydigest": field["id_key_digest"].hex(),
            "x-ms-sevsnpvm-is-debuggable": bool(field["policy"][2] & 0x08),
            "x-ms-runtime": runtime,
            **_nonce(asked),
        }

    def _tdx(self, body: bytes) -> Members:
        asked = members(body, {"quote"}, frozenset({"runtimeData", "nonce"}))
        evidence = Evidence(EvidenceType.INTEL_TDX, base64url(asked["quote"]))
        start = 48 if evidence.data[0] == 4 else 54
        runtime = {}
        if "runtimeData" in asked:
            place = intel.LAYOUT["report_data"]
            runtime = {"x-ms-runtime": self._runtime(asked, evidence, place, start)}
        known = [intel.Collateral(platform).endorsements() for platform in PLATFORMS]
        wrong = [self.objection(evidence, intel.real_anchors(), each) for each in known]
        if None not in wrong:
            raise _invalid(f"quote: {wrong[0]}")
        body_ = evidence.data[start:]
        field = {n: body_[o : o + s].hex() for n, (o, s) in intel.LAYOUT.items()}
        names = ("mrtd", "mrseam", "rtmr0", "rtmr1", "rtmr2", "rtmr3", "report_data", "xfam")
        stated = {f"tdx_{name}": field[name] for name in names}
        stated["tdx_td_attributes"] = field["td_attributes"]
        return maa.tdx() | stated | runtime | _nonce(asked)

    def _runtime(
        self, asked: Members, evidence: Evidence, place: tuple[int, int], start: int
    ) -> Members:
        """Checks that the report holds the digest of the runtime data, and reads that."""
        data = asked["runtimeData"]
        assert data.keys() == {"data", "dataType"}
        assert data["dataType"] == "JSON"
        text = base64url(data["data"])
        offset = start + place[0]
        if evidence.data[offset : offset + 32] != hashlib.sha256(text).digest():
            raise _invalid("the hash of runtimeData is not in the report data")
        claims: Members = json.loads(text)
        return claims


def _nonce(asked: Members) -> Members:
    return {"nonce": asked["nonce"]} if "nonce" in asked else {}


def _invalid(message: str) -> RefusedError:
    body = {"error": {"code": "InvalidParameter", "message": message}}
    return RefusedError("400 Bad Request", body, x_ms_error_code="InvalidParameter")

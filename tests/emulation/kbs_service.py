"""A miniature Trustee on HTTPS: the Key Broker Service's attestation, and its results.

It makes runtime data of the three members that it keeps, so that anything else is lost. Sources:
Trustee, "KBS Attestation Protocol" and `kbs/src/attestation/backend.rs`; `ear_token/broker.rs`.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from cryptography import x509
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.evidence.envelope import Evidence
from wasmtime_attestation.evidence.interchange import read

from tests.emulation.devices import ShownDevice
from tests.emulation.json_service import Miniature, RefusedError, Reply, members
from tests.emulation.web import WebAuthority, WebRequest
from tests.fakes import amd, intel, jose, trustee
from tests.fakes.jose import Members, Signer

VERSION = "0.4.0"
TEES = ("tdx", "snp", "az-snp-vtpm", "az-tdx-vtpm", "nvidia")
_ERRORS = "https://github.com/confidential-containers/kbs/errors"


class KbsMiniature(Miniature):
    """The service.

    Attributes:
        signer: the key that it signs results with.
        current: whether it writes results after the current draft.
        selected: the digest that it chooses; None to choose none.
        sessions: the TEE and the nonce of each session.
        published: what it has at /jwks; Trustee's signer has no kid.
    """

    def __init__(self, authority: WebAuthority, signer: Signer = trustee.TRUSTEE) -> None:
        super().__init__(authority)
        self.signer = signer
        self.published = [signer]
        self.current = False
        self.selected: str | None = "sha384"
        self.sessions: dict[str, tuple[str, str]] = {}
        self.attested: dict[str, str] = {}

    def keys(self) -> bytes:
        """The keys of its results."""
        return jose.jwks(*(signer.jwk for signer in self.published))

    def respond(self, request: WebRequest) -> Reply:
        """Answers a request."""
        match request.method, request.target:
            case "GET", "/jwks":
                return "200 OK", self.keys()
            case "POST", "/kbs/v0/auth":
                return self._challenge(request)
            case "POST", "/kbs/v0/attest":
                return self._result(request)
            case _:
                return "404 Not Found", _information("InvalidRequestPath", request.target)

    def _challenge(self, request: WebRequest) -> Reply:
        asked = members(request.body, {"version", "tee", "extra-params"})
        if asked["version"] != VERSION:
            raise _unauthorized(f"KBS Client Protocol Version Mismatch: expect ={VERSION}")
        if asked["tee"] not in TEES:
            raise _unauthorized("deserialize Request: unknown variant")
        assert "cookie" not in request.headers
        number = len(self.sessions)
        nonce = base64.b64encode(hashlib.sha256(b"%d" % number).digest()).decode()
        session = f"session-{number}"
        self.sessions[session] = (asked["tee"], nonce)
        extra: Any = ""
        if self.selected is not None:
            assert self.selected in asked["extra-params"]["supported-hash-algorithms"]
            extra = {"selected-hash-algorithm": self.selected}
        cookie = f"kbs-session-id={session}; Path=/; HttpOnly; Max-Age=300"
        return "200 OK", {"nonce": nonce, "extra-params": extra}, {"set_cookie": cookie}

    def _result(self, request: WebRequest) -> Reply:
        session = request.headers.get("cookie", "").removeprefix("kbs-session-id=")
        if session not in self.sessions:
            raise _unauthorized("No cookie found")
        if session in self.attested:
            return "200 OK", {"token": self.attested[session]}
        tee, nonce = self.sessions[session]
        asked = members(request.body, {"runtime-data", "tee-evidence"})
        if asked["runtime-data"]["nonce"] != nonce:
            raise _unauthorized("the nonce in the handshake session is different")
        own = {"tee-pubkey": _public_key(asked["runtime-data"]["tee-pubkey"]), "nonce": nonce}
        shown = asked["tee-evidence"]
        assert shown.keys() == {"primary_evidence", "additional_evidence"}
        first = own | {"additional-evidence": shown["additional_evidence"]}
        submodules = self._evaluated(tee, shown["primary_evidence"], first)
        further = shown["additional_evidence"]
        for kind, evidence in json.loads(further).items() if further else ():
            submodules |= self._evaluated(kind, evidence, own)
        token = self._token(submodules)
        self.attested[session] = token
        return "200 OK", {"token": token}

    def _evaluated(self, tee: str, evidence: Members, runtime: Members) -> Members:
        """Verifies evidence, and returns a submodule for each environment."""
        canonical = json.dumps(runtime, sort_keys=True, separators=(",", ":")).encode()
        digest = hashlib.new(self.selected or "sha384", canonical).digest()
        if tee == "nvidia":
            devices, root = evidence["device_evidence_list"], self.device_root
            return {
                f"gpu{n}": self._appraisal(tee, _device(item, digest[:32], root), runtime, digest)
                for n, item in enumerate(devices)
            }
        (found,) = read(evidence)
        assert tee == _TEE_OF[found.type]
        if no := self._objection(found, digest):
            raise _unauthorized(f"verify TEE evidence failed: {no}")
        return {"cpu0": self._appraisal(tee, _claims(found), runtime, digest)}

    def _objection(self, evidence: Evidence, digest: bytes) -> str | None:
        data = digest.ljust(64, b"\0")
        is_amd = "snp" in evidence.type
        anchors = amd.real_anchors() if is_amd else intel.real_anchors()
        known = Endorsements() if is_amd else intel.Collateral(intel.PLATFORM).endorsements()
        if evidence.type == "azure-snp":
            # Its authorities are Trustee's own; the VCEK alone comes along.
            known = amd.MILAN.endorsements()
        nonce = digest if evidence.type.startswith("azure") else None
        return self.objection(evidence, anchors, known, report_data=data, nonce=nonce)

    def _appraisal(self, tee: str, claims: Members, runtime: Members, digest: bytes) -> Members:
        evidence = {tee: claims, "report_data": digest.hex(), "runtime_data_claims": runtime}
        good = claims.get("golden", True)
        vector = {"executables": 3 if good else 33, "hardware": 2, "configuration": 2}
        status = "affirming" if good else "contraindicated"
        vector |= {} if good else {"hardware": 97}
        if self.current:
            return {
                "ear_status": status,
                "ear_trustworthiness_vector": vector,
                "ear_appraisal_policy_ids": ["default"],
                "ear_veraison_annotated_evidence": evidence,
            }
        return {
            "ear.status": status,
            "ear.trustworthiness-vector": vector,
            "ear.appraisal-policy-id": "default",
            "ear.veraison.annotated-evidence": evidence,
        }

    def _token(self, submodules: Members) -> str:
        now = int(self.clock())
        whole = trustee.current() if self.current else trustee.former()
        for name in ("iss", "eat_nonce"):
            whole.pop(name, None)
        claims = whole | {"iat": now, "exp": now + 300, "submods": submodules}
        header = self.signer.header | {"jwk": jose.numbers(self.signer.key)}
        return self.signer.sign(self.forge(claims), header)


_TEE_OF = {
    "intel-tdx": "tdx",
    "amd-sev-snp": "snp",
    "azure-snp": "az-snp-vtpm",
    "azure-tdx": "az-tdx-vtpm",
}


def _public_key(key: Members) -> Members:
    """What `TeePubKey` keeps of a key: texts, which nobody reads before something is encrypted."""
    assert key["kty"] == "EC"
    return {name: str(key[name]) for name in ("kty", "crv", "alg", "x", "y")}


def _claims(evidence: Evidence) -> Members:
    if evidence.type == "intel-tdx":
        offset, size = intel.LAYOUT["mrtd"]
        body = {"mr_td": evidence.data[48 + offset : 48 + offset + size].hex()}
        return {"quote": {"body": body}}
    if evidence.type == "amd-sev-snp":
        offset, size = amd.LAYOUT["measurement"]
        measurement = evidence.data[offset : offset + size]
        return {"measurement": base64.b64encode(measurement).decode()}
    return {"tpm": {}}


def _device(item: Members, nonce: bytes, root: x509.Certificate) -> Members:
    assert item["arch"] in ("HOPPER", "BLACKWELL", "LS10")
    shown = ShownDevice.of({name: item[name] for name in ("evidence", "certificate")})
    if error := shown.error(nonce, root):
        raise _unauthorized(f"verify TEE evidence failed: nvidia: {error[1]}")
    return {"golden": shown.is_golden}


def _information(kind: str, detail: str) -> Members:
    return {"type": f"{_ERRORS}/{kind}", "detail": f"Attestation error: {detail}"}


def _unauthorized(detail: str) -> RefusedError:
    return RefusedError("401 Unauthorized", _information("AttestationError", detail))

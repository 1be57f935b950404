"""A miniature Intel Trust Authority on HTTPS: API and portal, versions 1 and 2, TDX and GPUs.

Source: docs.trustauthority.intel.com, attestation API v1 and v2.
"""

from __future__ import annotations

import hashlib
import json

from cryptography import x509
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType

from tests.emulation.devices import ShownDevice
from tests.emulation.json_service import (
    Miniature,
    RefusedError,
    Reply,
    members,
    standard,
)
from tests.emulation.web import WebAuthority, WebRequest
from tests.fakes import intel, ita, jose
from tests.fakes.jose import Members, Signer

KEY = "c2VjcmV0LWtleS1vZi1hLXRlc3Q="
"""The API key; base64, as Intel's are."""
UNMATCHED = "8500e95a-58da-4b8a-a585-274730576d31"
"""A policy that no evidence matches."""
_OPTIONS = frozenset({"policy_ids", "policy_must_match", "token_signing_alg"})
_TDX = {"quote", "verifier_nonce", "user_data"}


class ItaMiniature(Miniature):
    """The service, and its portal at the same address.

    Attributes:
        signer: the key that it signs with.
        published: the keys in the portal.
        name: what its tokens say in iss.
        nonces: the values that it gave, each of which it takes once.
    """

    def __init__(self, authority: WebAuthority, signer: Signer = ita.SIGNER) -> None:
        super().__init__(authority)
        self.signer = signer
        self.published = [signer]
        self.name = "Intel Trust Authority"
        self.jku: str | None = None
        self.nonces: list[bytes] = []

    def respond(self, request: WebRequest) -> Reply:
        """Answers a request."""
        if (request.method, request.target) == ("GET", "/certs"):
            return "200 OK", jose.jwks(*(signer.jwk for signer in self.published))
        if request.headers.get("x-api-key") != KEY:
            return "401 Unauthorized", {"error": "API key is not valid"}
        assert 0 < len(request.headers["request-id"]) <= 128
        match request.method, request.target:
            case "GET", "/appraisal/v2/nonce":
                return "200 OK", self._nonce()
            case "POST", "/appraisal/v1/attest":
                return self._answered(request, self._version_1(request.body, azure=False))
            case "POST", "/appraisal/v1/attest/azure/tdxvm":
                return self._answered(request, self._version_1(request.body, azure=True))
            case "POST", "/appraisal/v2/attest":
                return self._answered(request, self._version_2(request.body, azure=False))
            case "POST", "/appraisal/v2/attest/azure":
                return self._answered(request, self._version_2(request.body, azure=True))
            case _:
                return "404 Not Found", {"error": "no such operation"}

    def _nonce(self) -> Members:
        value = hashlib.sha256(b"nonce %d" % len(self.nonces)).digest() + bytes(8)
        self.nonces.append(value)
        texts = (value, ita.ISSUED, b"signature of " + value)
        return dict(zip(("val", "iat", "signature"), map(ita.text, texts), strict=True))

    def _answered(self, request: WebRequest, claims: Members) -> Reply:
        asked = json.loads(request.body)
        ids = asked.get("policy_ids", [])
        unmatched = [id_ for id_ in ids if id_ == UNMATCHED]
        if unmatched and asked["policy_must_match"]:
            raise _refused(f"policy {unmatched[0]} does not match")
        now = int(self.clock())
        claims |= ita.times() | {"iss": self.name, "iat": now, "nbf": now, "exp": now + 300}
        claims["policy_ids_matched"] = ita.matched(*(id_ for id_ in ids if id_ != UNMATCHED))
        claims["policy_ids_unmatched"] = ita.matched(*unmatched)
        algorithm = asked.get("token_signing_alg", "PS384")
        signer = Signer(self.signer.key, algorithm, self.signer.key_id)
        header = signer.header | {"jku": self.jku or f"{self.url}/certs"}
        return "200 OK", {"token": signer.sign(self.forge(claims), header)}

    def _version_1(self, body: bytes, *, azure: bool) -> Members:
        required = _TDX | ({"runtime_data"} if azure else set())
        return self._tdx(members(body, required, _OPTIONS), azure=azure)

    def _version_2(self, body: bytes, *, azure: bool) -> Members:
        asked = members(body, set(), _OPTIONS | {"tdx", "nvgpu"})
        claims: Members = {}
        if "tdx" in asked:
            assert asked["tdx"].keys() == _TDX | ({"runtime_data"} if azure else set())
            claims["tdx"] = self._tdx(asked["tdx"], azure=azure)
        if "nvgpu" in asked:
            claims["nvgpu"] = _gpus(asked["nvgpu"], self.device_root)
        assert claims
        return claims

    def _tdx(self, asked: Members, *, azure: bool) -> Members:
        nonce, held = asked["verifier_nonce"], standard(asked["user_data"])
        value = standard(nonce["val"])
        if value not in self.nonces or standard(nonce["signature"]) != b"signature of " + value:
            raise _refused("verifier_nonce is not valid")
        wanted = hashlib.sha512(value + standard(nonce["iat"]) + held).digest()
        runtime = {}
        if azure:
            text = standard(asked["runtime_data"])
            runtime = {"attester_runtime_data": json.loads(text)}
            if runtime["attester_runtime_data"]["user-data"] != wanted.hex():
                raise _refused("runtime_data: user-data is not the hash of nonce and user_data")
            wanted = hashlib.sha256(text).digest().ljust(64, b"\0")
        quote = standard(asked["quote"])
        evidence = Evidence(EvidenceType.INTEL_TDX, quote)
        known = intel.Collateral(intel.PLATFORM).endorsements()
        no = self.objection(evidence, intel.real_anchors(), known, report_data=wanted)
        if no is not None:
            raise _refused(f"quote: {no}")
        field = {n: quote[48 + o : 48 + o + s].hex() for n, (o, s) in intel.LAYOUT.items()}
        names = ("mrtd", "mrseam", "rtmr0", "rtmr1", "rtmr2", "rtmr3", "report_data")
        stated = {f"tdx_{name}": field[name] for name in names}
        mine = {"attester_held_data": asked["user_data"], "verifier_nonce": nonce}
        return ita.tdx() | stated | runtime | mine


def _gpus(asked: Members, root: x509.Certificate) -> Members:
    """What NVIDIA's service would say, which Intel's asks."""
    assert asked.keys() == {"gpu_nonce", "arch", "evidence_list"}
    nonce = bytes.fromhex(asked["gpu_nonce"])
    shown = [ShownDevice.of(item) for item in asked["evidence_list"]]
    assert {each.architecture.lower() for each in shown} == {asked["arch"]}
    if wrong := [error for each in shown if (error := each.error(nonce, root)) is not None]:
        raise _refused(f"gpu evidence: {wrong[0]}")
    details = {
        f"GPU-{n}": ita.gpu()["claim_details"]["GPU-0"]
        | {"measres": "success" if each.is_golden else "fail", "eat_nonce": nonce.hex().upper()}
        for n, each in enumerate(shown)
    }
    overall = all(each.is_golden for each in shown)
    return ita.gpu() | {"claim_details": details, "x-nvidia-overall-att-result": overall}


def _refused(message: str) -> RefusedError:
    return RefusedError("400 Bad Request", {"error": message}, request_id="r-1", trace_id="t-1")

"""A miniature NVIDIA Remote Attestation Service on HTTPS: versions 3 and 4, GPUs and switches.

It answers HTTP 200 also where a device fails. Source: docs.nvidia.com/attestation, NRAS; recorded
answers in `nvidia/nvsdk_hopperClaimsv3_detached_eat.json`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.emulation.devices import ShownDevice
from tests.emulation.json_service import Miniature, RefusedError, Reply, members
from tests.emulation.web import WebAuthority, WebRequest
from tests.fakes import jose, nras
from tests.fakes.jose import Members, Signer, x5c

SERVICE_KEY = "nv-service-key"
_PATH = re.compile(r"/v([34])/attest/(gpu|switch)")
_ASKED = {"nonce", "arch", "evidence_list"}


class NrasMiniature(Miniature):
    """The service.

    Attributes:
        signer: the key that it signs with.
        published: the keys in its JWKS.
        wants_key: whether it answers nobody without the service key.
        name: what its tokens say in iss; None for its address.
        forge_device: what somebody in its place would make of a device's claims.
    """

    def __init__(self, authority: WebAuthority, signer: Signer = nras.SIGNER) -> None:
        super().__init__(authority)
        self.signer = signer
        self.published = [signer]
        self.wants_key = False
        self.name: str | None = None
        self.forge_device: Callable[[Members], Members] = lambda claims: claims

    def respond(self, request: WebRequest) -> Reply:
        """Answers a request."""
        if (request.method, request.target) == ("GET", "/.well-known/jwks.json"):
            return "200 OK", jose.jwks(*map(_jwk, self.published))
        path = _PATH.fullmatch(request.target)
        if request.method != "POST" or path is None:
            return "404 Not Found", {"message": "no such operation"}
        if self.wants_key and request.headers.get("authorization") != f"Bearer {SERVICE_KEY}":
            return "403 Forbidden", {"message": "Forbidden"}
        asked = members(request.body, _ASKED, frozenset({"claims_version"}))
        version = asked.get("claims_version", "2.0" if path[1] == "3" else "3.0")
        return "200 OK", self._attested(asked, path[2], version)

    def _attested(self, asked: Members, kind: str, version: str) -> bytes:
        if len(asked["nonce"]) != 64:
            raise RefusedError("400 Bad Request", {"errorCode": 4003, "message": "Invalid nonce"})
        shown = [ShownDevice.of(item) for item in asked["evidence_list"]]
        if {each.architecture for each in shown} != {asked["arch"]}:
            body = {"errorCode": 4005, "message": "arch does not match the evidence"}
            raise RefusedError("400 Bad Request", body)
        nonce = bytes.fromhex(asked["nonce"])
        tokens, results = {}, []
        for number, each in enumerate(shown):
            error = each.error(nonce, self.device_root)
            claims = self._device(each, nonce, kind, version)
            if error is not None:
                claims = self._times() | {
                    "x-nvidia-error-details": {"code": error[0], "message": error[1]}
                }
            results.append(error is None and each.is_golden)
            tokens[f"{kind.upper()}-{number}"] = self.signer.sign(self.forge_device(claims))
        overall = nras.overall(tokens, version, result=all(results)) | self._times()
        # The nonce of the request, whatever that in the evidence is.
        overall["eat_nonce"] = nonce.hex()
        return nras.document(self.signer.sign(self.forge(overall)), tokens)

    def _device(self, each: ShownDevice, nonce: bytes, kind: str, version: str) -> Members:
        claims = nras.device(version, kind, each.serial) | self._times()
        claims["eat_nonce"] = nonce.hex()
        if not each.is_golden:
            claims |= {"measres": "fail", "secboot": False, "dbgstat": "enabled"}
        return claims

    def _times(self) -> Members:
        issuer = self.url if self.name is None else self.name
        return nras.times(int(self.clock())) | {"iss": issuer}


def _jwk(signer: Signer) -> Members:
    leaf = jose.certificate(signer.key, "leaf", (nras.NAME, nras.INTERMEDIATE))
    return signer.jwk | {"x5c": x5c(leaf, nras.intermediate())}

"""Confidential Containers' Trustee: its Key Broker Service attests in four steps (RCAR).

Request, challenge, attestation, response: the service gives a nonce and a session, the evidence is
bound to runtime data with that nonce and D, and an attestation result comes back. What devices
show is bound to the nonce and D too, and what the machine shows to all of that.

Source: Trustee, "KBS Attestation Protocol" 0.4.0; guest-components, `kbs_protocol`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec

from wasmtime_attestation.claims.verdict import TokenKind, Verdict
from wasmtime_attestation.endorsements import jwks
from wasmtime_attestation.endorsements.json_object import JsonObject
from wasmtime_attestation.endorsements.jwks import JwkSet
from wasmtime_attestation.errors import RejectedError, UnavailableError, UnsupportedError
from wasmtime_attestation.evidence import base64url
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.services import Collector, Request, trustee_evidence
from wasmtime_attestation.services.api import CHECK, Api, Rules
from wasmtime_attestation.services.evidence import check_same
from wasmtime_attestation.services.keys import ServiceKeys
from wasmtime_attestation.services.trustee_evidence import DEVICE, TEES
from wasmtime_attestation.services.trustee_settings import Settings
from wasmtime_attestation.services.verified import TokenCheck
from wasmtime_attestation.verifier import runtime_data
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.issuers import Issuer
from wasmtime_attestation.wit import TargetAll, TargetGpu, TeeInfo, TeeType

NAME = "Trustee"
_AUTH, _ATTEST = "/kbs/v0/auth", "/kbs/v0/attest"
_Digest: TypeAlias = Callable[[bytes], bytes]
_DIGESTS: Mapping[str, _Digest] = MappingProxyType(
    {
        # A vTPM's quote has no room for the 64 bytes of SHA-512.
        "sha384": lambda data: hashlib.sha384(data).digest(),
        "sha256": lambda data: hashlib.sha256(data).digest(),
    }
)
_DEFAULT_DIGEST = "sha384"
_DEVICE_NONCE = 32
# The characters that a cookie may have (RFC 6265 section 4.1.1).
_SESSION = re.compile(r"(?:^|, ?)kbs-session-id=([!#-+\--:<-\[\]-~]{1,256})(?:;|,|$)")
_MAX_NONCE = 1024
_MAX_KEYS = 1 << 20
_AZURE = "azure-vtpm"
_PARTS = MappingProxyType(
    {
        "version": "it speaks another version of the protocol; set protocol-version",
        "nonce": "it means the nonce of the session",
        "session": "it means the session, which may have expired: ask again",
        "cookie": "it means the session, which may have expired: ask again",
        "evidence": "it means the evidence, or collateral that it has of its vendor",
        "policy": "it means its attestation policy",
    }
)
_AUTH_RULES = Rules(
    rejecting=frozenset(),
    meanings=MappingProxyType({401: "it does not take part in the protocol with this host"}),
    parts=_PARTS,
)
_ATTEST_RULES = Rules(
    rejecting=frozenset({400, 401}),
    meanings=MappingProxyType({401: "it could not verify the evidence"}),
    parts=_PARTS,
)


@dataclass(frozen=True, slots=True)
class _Session:
    """What the service gave: a nonce, a session, and how digests are made."""

    nonce: str
    session_id: str
    digest: _Digest


class TrusteeService:
    """A Trustee.

    Args:
        settings: where it is, and whose its tokens are.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._auth = Api(NAME, settings.url, _AUTH_RULES, settings.seconds)
        self._attest = Api(NAME, settings.url, _ATTEST_RULES, settings.seconds)
        self._check: TokenCheck | None = None

    @property
    def kind(self) -> TokenKind:
        """What its tokens are."""
        return TokenKind.EAR

    @property
    def issuer(self) -> Issuer:
        """The service, with the keys that are known by now; a file is read.

        Raises:
            UnavailableError: the file with its keys cannot be read.
        """
        return self._checked().known_issuer

    def learn_keys(self) -> None:
        """Fetches the issuer's keys; see `TokenService.learn_keys`."""
        self._checked().learn_keys()

    def issue(self, collector: Collector, request: Request) -> str:
        """Returns an attestation result; see `TokenService.issue`."""
        check = self._checked()
        tee = _tee(collector.info(), request)
        session = self._opened(tee)
        key = _public_key(request.bound)
        evidence, devices, attestation = _attested(collector, request, session, key)
        answer = self._attest.post(
            _ATTEST, attestation, {"Cookie": f"kbs-session-id={session.session_id}"}
        )
        try:
            token = self._attest.document(answer).string("token")
        except ValueError as error:
            raise self._attest.nonsense(error) from error
        verdict = check.verify(token, Expected(report_data=request.bound), request)
        _check_session(verdict, session.nonce)
        _check_environments(verdict, evidence, devices)
        return token

    def _opened(self, tee: str) -> _Session:
        """The first two steps: what is going to be attested, and the challenge."""
        parameters: dict[str, Json] = {"supported-hash-algorithms": [*_DIGESTS]}
        if self._settings.policy_selector is not None:
            parameters["attestation-policy-selector"] = self._settings.policy_selector
        body: Json = {"version": self._settings.version, "tee": tee, "extra-params": parameters}
        answer = self._auth.post(_AUTH, body)
        cookie = _SESSION.search(answer.headers.get("set-cookie", ""))
        try:
            challenge = self._auth.document(answer)
            nonce = challenge.string("nonce")
            return _session(nonce, cookie, _selected(challenge))
        except ValueError as error:
            raise self._auth.nonsense(error) from error

    def _checked(self) -> TokenCheck:
        if self._check is None:
            self._check = _token_check(self._settings)
        return self._check


def _session(nonce: str, cookie: re.Match[str] | None, digest: _Digest) -> _Session:
    if cookie is None or not 0 < len(nonce) <= _MAX_NONCE:
        raise ValueError(f"there is no session, or no nonce of at most {_MAX_NONCE} characters")
    return _Session(nonce, cookie[1], digest)


def _token_check(settings: Settings) -> TokenCheck:
    issuer = Issuer(NAME, TokenKind.EAR, settings.names, keys=_file_keys(settings.keys_file))
    if settings.keys_url is None:
        return TokenCheck(issuer)
    parts = urlsplit(settings.keys_url)
    address = settings.keys_url.removesuffix(parts.path)
    api = Api(f"{NAME}'s key set", address, _AUTH_RULES, settings.seconds)
    return TokenCheck(issuer, ServiceKeys(api, parts.path))


def _file_keys(name: str | None) -> JwkSet:
    if name is None:
        return JwkSet()
    try:
        with Path(name).open("rb") as file:
            # What is cut there is no key set either.
            return jwks.decode(file.read(_MAX_KEYS))
    except (OSError, ValueError, RecursionError) as error:
        raise UnavailableError(f"the keys of {NAME} in {name}: {error}") from error


def _tee(info: TeeInfo, request: Request) -> str:
    """Names what is attested first; the service wants to know before it gives a nonce."""
    if isinstance(request.target, TargetGpu):
        return DEVICE
    is_azure = info.provider == _AZURE
    kinds = {
        TeeType.INTEL_TDX: (EvidenceType.INTEL_TDX, EvidenceType.AZURE_TDX),
        TeeType.AMD_SEV_SNP: (EvidenceType.AMD_SEV_SNP, EvidenceType.AZURE_SNP),
    }
    if info.tee_type not in kinds:
        raise UnsupportedError(
            f"{NAME} takes evidence of TDX and SEV-SNP; this machine's is {info.tee_type}"
        )
    return TEES[kinds[info.tee_type][is_azure]]


def _selected(challenge: JsonObject) -> _Digest:
    """Returns the digest that the service chose; `extra-params` may be an empty string."""
    extra = challenge.members.get("extra-params")
    named = extra.get("selected-hash-algorithm") if isinstance(extra, dict) else None
    name = _DEFAULT_DIGEST if named is None else str(named).lower()
    if name not in _DIGESTS:
        raise ValueError(f"it chose {name[:40]!r}; {', '.join(_DIGESTS)} were offered")
    return _DIGESTS[name]


def _public_key(bound: bytes) -> dict[str, Json]:
    """Returns a key whose other half nobody has, with D as its algorithm."""
    numbers = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    x, y = (base64url.encode(n.to_bytes(32, "big")) for n in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "alg": runtime_data.algorithm(bound), "x": x, "y": y}


def _attested(
    collector: Collector, request: Request, session: _Session, key: dict[str, Json]
) -> tuple[Evidence | None, int, Json]:
    """The third step: evidence, bound to the nonce and D.

    Returns:
        the machine's evidence, the number of devices, and the whole attestation.
    """
    own: dict[str, Json] = {"nonce": session.nonce, "tee-pubkey": key}
    devices: Sequence[Evidence] = ()
    further = ""
    if isinstance(request.target, TargetAll):
        devices = collector.devices(session.digest(_canonical(own))[:_DEVICE_NONCE])
        shown: Json = {DEVICE: trustee_evidence.of_devices(devices)}
        further = json.dumps(shown, separators=(",", ":"))
    digest = session.digest(_canonical(own | {"additional-evidence": further}))
    machine = None
    if isinstance(request.target, TargetGpu):
        devices = (collector.gpu(request.target.value, digest[:_DEVICE_NONCE]),)
        primary = trustee_evidence.of_devices(devices)
    else:
        machine = collector.vm(digest.ljust(64, b"\0"), digest)
        primary = trustee_evidence.of_machine(machine, digest)
    evidence: Json = {"primary_evidence": primary, "additional_evidence": further}
    return machine, len(devices), {"runtime-data": own, "tee-evidence": evidence}


def _canonical(value: Json) -> bytes:
    """Writes JSON in its canonical form (RFC 8785); there are no numbers in it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _check_session(verdict: Verdict, nonce: str) -> None:
    """Refuses a token of another session: the verifier has compared D, and not this nonce."""
    try:
        answered = [*_answered(JsonObject("the token", verdict.token))]
    except ValueError as error:
        raise RejectedError.of("token.format", f"the token is malformed: {error}") from error
    if any(each != nonce for each in answered):
        raise RejectedError.of(
            "token.nonce", f"{NAME}'s token answers the nonce of another session"
        )


def _answered(token: JsonObject) -> Iterator[Json]:
    """Yields the nonce in the runtime data of each environment."""
    submodules = token.object("submods")
    for name in submodules.members:
        for annotated in submodules.object(name).members.values():
            claims = None
            if isinstance(annotated, dict):
                claims = runtime_data.claims_of(JsonObject(name, annotated))
            if claims is not None:
                yield claims.members.get("nonce")


def _check_environments(verdict: Verdict, machine: Evidence | None, devices: int) -> None:
    """Refuses a token that leaves something out, or is about another machine."""
    found = [e for e in verdict.environments if e.tee_type is TeeType.NVIDIA_GPU]
    machines = [e for e in verdict.environments if e.tee_type is not TeeType.NVIDIA_GPU]
    if (len(machines), len(found)) != (int(machine is not None), devices):
        raise RejectedError.of(
            CHECK,
            f"the token is about {len(machines)} machines and {len(found)} devices; the evidence "
            f"was of {int(machine is not None)} and {devices}",
        )
    if machine is not None:
        check_same(machines[0], machine)

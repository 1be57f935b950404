"""Intel Trust Authority: trust domains, bare and on Azure, and NVIDIA's GPUs, alone or beside one.

The service gives a nonce. A trust domain's report data is SHA-512 of that nonce and D, and D goes
along as what the attester holds. A GPU's nonce follows from D, as everywhere.

Source: docs.trustauthority.intel.com, "Attestation API v1 and v2".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

from wasmtime_attestation.claims.verdict import TokenKind, Verdict
from wasmtime_attestation.endorsements.json_object import JsonObject
from wasmtime_attestation.endorsements.jwa import Algorithm
from wasmtime_attestation.errors import RejectedError, UnavailableError, UnsupportedError
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.services import Collector, Request
from wasmtime_attestation.services.api import CHECK, Api, Rules
from wasmtime_attestation.services.devices import DeviceList
from wasmtime_attestation.services.evidence import (
    azure_parts,
    check_same,
    standard_base64,
    td_quote,
)
from wasmtime_attestation.services.ita_settings import Settings
from wasmtime_attestation.services.keys import ServiceKeys
from wasmtime_attestation.services.secret import Secret
from wasmtime_attestation.services.verified import TokenCheck
from wasmtime_attestation.verifier.binding import nonce_of
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.issuers import Issuer
from wasmtime_attestation.wit import TargetAll, TargetGpu, TargetVm, TeeType

NAME = "Intel Trust Authority"
_NONCE_PATH = "/appraisal/v2/nonce"
_PATHS = MappingProxyType(
    {
        (1, EvidenceType.INTEL_TDX): "/appraisal/v1/attest",
        (1, EvidenceType.AZURE_TDX): "/appraisal/v1/attest/azure/tdxvm",
        (2, EvidenceType.INTEL_TDX): "/appraisal/v2/attest",
        (2, EvidenceType.AZURE_TDX): "/appraisal/v2/attest/azure",
    }
)
_DEVICES_PATH = "/appraisal/v2/attest"
_KEYS_PATH = "/certs"
_MAX_NONCE = 1024
_RULES = Rules(
    attempts=2,
    retried=frozenset({500, 503, 504}),
    meanings=MappingProxyType(
        {
            400: "it could not verify the evidence, or a policy that must match did not",
            401: "the API key is not one of this region; check api-key-file or api-key-env, and "
            "the region",
            403: "the API key may not attest; check its plan and its policies",
            429: "the plan's requests are used up for now; try again later",
        }
    ),
    parts=MappingProxyType(
        {
            "quote": "it means the TD quote, or Intel's collateral for it",
            "verifier_nonce": "it means its own nonce, which may have expired: ask again",
            "nonce": "it means a nonce: the report data or a GPU's nonce is for another request",
            "user_data": "it means the data that is bound, D",
            "runtime_data": "it means the paravisor's runtime claims",
            "gpu": "it means the GPU's evidence",
            "policy": "it means a policy: compare policy-ids with those in the portal",
        }
    ),
    traces=("request-id", "trace-id"),
)


@dataclass(frozen=True, slots=True)
class _Nonce:
    """What the service gave and signed, and will recognise."""

    members: dict[str, Json]
    value: bytes
    issued: bytes

    def report_data(self, bound: bytes) -> bytes:
        """Returns what a trust domain's report carries."""
        return hashlib.sha512(self.value + self.issued + bound).digest()


class ItaService:
    """Intel Trust Authority.

    Args:
        settings: region, key and policies.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._api = Api(NAME, settings.url, _RULES, settings.seconds)
        portal = Api(f"{NAME}'s portal", settings.portal, _RULES, settings.seconds)
        keys = ServiceKeys(portal, _KEYS_PATH)
        issuer = Issuer(
            NAME,
            TokenKind.ITA,
            frozenset({NAME, settings.portal}),
            algorithms=frozenset({Algorithm(settings.algorithm)}),
            required_policies=settings.required_policies,
        )
        self._check = TokenCheck(issuer, keys, keys.address)

    @property
    def kind(self) -> TokenKind:
        """What its tokens are."""
        return TokenKind.ITA

    @property
    def issuer(self) -> Issuer:
        """The service, with the keys that are known by now."""
        return self._check.known_issuer

    def learn_keys(self) -> None:
        """Fetches the issuer's keys; see `TokenService.learn_keys`."""
        self._check.learn_keys()

    def issue(self, collector: Collector, request: Request) -> str:
        """Returns a token about a trust domain, a GPU, or both; see `TokenService.issue`."""
        if not isinstance(request.target, TargetVm) and self._settings.version != 2:
            raise UnsupportedError(f"{NAME} attests devices by its API of version 2 alone")
        session = _Session(self._api, self._settings.api_key.read(), str(uuid.uuid4()))
        match request.target:
            case TargetGpu(index):
                return self._devices_alone(session, collector, request, index)
            case TargetVm():
                return self._machine(session, collector, request, with_devices=False)
            case TargetAll():
                return self._machine(session, collector, request, with_devices=True)

    def _machine(
        self, session: _Session, collector: Collector, request: Request, *, with_devices: bool
    ) -> str:
        nonce = session.nonce()
        evidence = collector.vm(nonce.report_data(request.bound), None)
        section = _section(evidence, nonce, request.bound)
        if (path := _PATHS.get((self._settings.version, evidence.type))) is None or section is None:
            raise UnsupportedError(f"{NAME} takes no {evidence.type}; it takes trust domains")
        devices: Sequence[Evidence] = ()
        body = self._policies()
        if self._settings.version == 1:
            body |= section
        else:
            body["tdx"] = section
        if with_devices:
            devices = collector.devices(_device_nonce(request))
            body["nvgpu"] = _gpu_section(devices, request)
        token = session.attest(path, body)
        expected = Expected(nonce=nonce.value, report_data=request.bound)
        verdict = self._check.verify(token, expected, request)
        _check_machine(verdict, evidence)
        _check_devices(verdict, len(devices))
        return token

    def _devices_alone(
        self, session: _Session, collector: Collector, request: Request, index: int
    ) -> str:
        device = collector.gpu(index, _device_nonce(request))
        body = self._policies() | {"nvgpu": _gpu_section((device,), request)}
        token = session.attest(_DEVICES_PATH, body)
        verdict = self._check.verify(token, Expected(report_data=request.bound), request)
        _check_devices(verdict, 1)
        return token

    def _policies(self) -> dict[str, Json]:
        settings = self._settings
        body: dict[str, Json] = {"token_signing_alg": settings.algorithm}
        if settings.policy_ids:
            body["policy_ids"] = [*settings.policy_ids]
            body["policy_must_match"] = settings.must_match
        return body


@dataclass(frozen=True, slots=True)
class _Session:
    """The questions about one token, which the service's operator finds by one id."""

    api: Api
    key: Secret
    request_id: str

    def nonce(self) -> _Nonce:
        """Returns a nonce of the service."""
        answer = self.api.get(_NONCE_PATH, self._headers, self.key, self.request_id)
        try:
            members = self.api.document(answer)
            texts = {name: members.string(name) for name in ("val", "iat", "signature")}
            return _Nonce({**texts}, _decoded(texts["val"]), _decoded(texts["iat"]))
        except ValueError as error:
            raise self.api.nonsense(error) from error

    def attest(self, path: str, body: dict[str, Json]) -> str:
        """Returns the service's token."""
        answer = self.api.post(path, body, self._headers, self.key, self.request_id)
        try:
            return self.api.document(answer).string("token")
        except ValueError as error:
            raise self.api.nonsense(error) from error

    @property
    def _headers(self) -> dict[str, str]:
        key = self.key.reveal()
        try:
            base64.b64decode(key, validate=True)
        except binascii.Error as error:
            raise UnavailableError(
                f"the API key of {NAME} is not base64, as its keys are; copy the whole key"
            ) from error
        return {"x-api-key": key, "Request-Id": self.request_id}


def _section(evidence: Evidence, nonce: _Nonce, bound: bytes) -> dict[str, Json] | None:
    """Returns what the service is told about a trust domain; None for other evidence."""
    section: dict[str, Json] = {
        "verifier_nonce": nonce.members,
        "user_data": standard_base64(bound),
    }
    match evidence.type:
        case EvidenceType.INTEL_TDX:
            return section | {"quote": standard_base64(evidence.data)}
        case EvidenceType.AZURE_TDX:
            parts, report = azure_parts(evidence)
            return section | {
                "quote": standard_base64(td_quote(parts)),
                "runtime_data": standard_base64(report.claims_text),
            }
        case _:
            return None


def _device_nonce(request: Request) -> bytes:
    return nonce_of(EvidenceType.NVIDIA_GPU, request.bound) or b""


def _gpu_section(devices: Sequence[Evidence], request: Request) -> Json:
    listed = DeviceList.of(devices, NAME)
    if listed.is_switches:
        raise UnsupportedError(f"{NAME} takes no switches; ask for one GPU (gpu:N), or use nras")
    return {
        # Its own nonce is not given here: the service would derive the GPU's nonce from it alone.
        "gpu_nonce": _device_nonce(request).hex(),
        "arch": listed.architecture.lower(),
        "evidence_list": listed.items,
    }


def _check_machine(verdict: Verdict, evidence: Evidence) -> None:
    """Refuses a token that is about another machine, or about more than one."""
    machines = [e for e in verdict.environments if e.tee_type is not TeeType.NVIDIA_GPU]
    if len(machines) != 1:
        raise RejectedError.of(
            CHECK, f"the token is about {len(machines)} machines, and the evidence was of one"
        )
    check_same(machines[0], evidence)


def _check_devices(verdict: Verdict, count: int) -> None:
    """Refuses a token that is about more or fewer GPUs, or does not say which nonce they had."""
    devices = [e for e in verdict.environments if e.tee_type is TeeType.NVIDIA_GPU]
    if len(devices) != count:
        raise RejectedError.of(
            CHECK, f"the token is about {len(devices)} GPUs, and the evidence was of {count}"
        )
    if count and not _states_nonce(JsonObject("the token", verdict.token)):
        raise RejectedError.of(
            "evidence.binding", "the token does not say which nonce the GPUs' evidence answers"
        )


def _states_nonce(claims: JsonObject) -> bool:
    """The verifier compares the nonces that are there (`verifier.ita`)."""
    section = claims.object("nvgpu")
    details = section.optional_object("claim_details")
    if section.optional_string("eat_nonce") is not None:
        return True
    parts = [] if details is None else [details.object(name) for name in details.members]
    return bool(parts) and all(part.optional_string("eat_nonce") is not None for part in parts)


def _decoded(text: str) -> bytes:
    if len(text) > _MAX_NONCE:
        raise ValueError(f"its nonce has more than {_MAX_NONCE} characters")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("its nonce is no base64") from error

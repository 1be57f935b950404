"""Azure Attestation: Azure's confidential VMs (SevSnpVm, TdxVm), and trust domains elsewhere.

On Azure D is the user data of the paravisor's claims, which the service repeats; of a bare trust
domain it is the report data, and there is no runtime data then.

Source: Microsoft, "Azure Attestation REST API" (2022-08-01, 2025-06-01).
"""

from __future__ import annotations

import json
from types import MappingProxyType

from wasmtime_attestation.claims.verdict import TokenKind
from wasmtime_attestation.errors import UnsupportedError
from wasmtime_attestation.evidence import base64url
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.evidence.strict_json import Json
from wasmtime_attestation.services import Collector, Request
from wasmtime_attestation.services.api import Api, Rules
from wasmtime_attestation.services.evidence import azure_parts, check_same, pem_chain, td_quote
from wasmtime_attestation.services.keys import ServiceKeys
from wasmtime_attestation.services.maa_settings import Settings
from wasmtime_attestation.services.verified import TokenCheck
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.issuers import Issuer
from wasmtime_attestation.wit import TargetVm

NAME = "Azure Attestation"
_SNP_PATH = "/attest/SevSnpVm?api-version=2022-08-01"
_TDX_PATH = "/attest/TdxVm?api-version=2025-06-01"
_KEYS_PATH = "/certs"
_RULES = Rules(
    meanings=MappingProxyType(
        {
            400: "it could not verify the evidence, or the instance's policy does not permit it",
            401: "this instance wants a token of Microsoft Entra, which no shared instance does; "
            "use a shared one (region)",
        }
    ),
    parts=MappingProxyType(
        {
            "VcekCertChain": "it means the VCEK and its chain, of AMD or from Azure's metadata "
            "service",
            "SnpReport": "it means the SEV-SNP report within the HCL report",
            "runtimeData": "it means the runtime claims of the paravisor, whose digest the "
            "hardware report holds",
            "quote": "it means the TD quote, or Intel's collateral for it",
            "nonce": "it means the nonce beside the evidence",
            "policy": "it means the policy of the instance",
        }
    ),
    traces=("x-ms-error-code", "x-ms-request-id"),
)


class MaaService:
    """An instance of Azure Attestation.

    Args:
        settings: which one.
    """

    def __init__(self, settings: Settings) -> None:
        self._api = Api(NAME, settings.url, _RULES, settings.seconds)
        issuer = Issuer(NAME, TokenKind.MAA, frozenset({settings.url}))
        keys = ServiceKeys(self._api, _KEYS_PATH)
        self._check = TokenCheck(issuer, keys, keys.address)

    @property
    def kind(self) -> TokenKind:
        """What its tokens are."""
        return TokenKind.MAA

    @property
    def issuer(self) -> Issuer:
        """The instance, with the keys that are known by now."""
        return self._check.known_issuer

    def learn_keys(self) -> None:
        """Fetches the issuer's keys; see `TokenService.learn_keys`."""
        self._check.learn_keys()

    def issue(self, collector: Collector, request: Request) -> str:
        """Returns a token about the virtual machine; see `TokenService.issue`."""
        if not isinstance(request.target, TargetVm):
            raise UnsupportedError(
                f"{NAME} attests virtual machines alone: ask for the target vm, or have devices "
                "attested by another service (nras, ita)"
            )
        evidence = collector.vm(request.bound, None)
        path, question = _question(evidence)
        question["nonce"] = base64url.encode(request.nonce)
        answer = self._api.post(path, question)
        try:
            token = self._api.document(answer).string("token")
        except ValueError as error:
            raise self._api.nonsense(error) from error
        expected = Expected(nonce=request.nonce, report_data=request.bound)
        verdict = self._check.verify(token, expected, request)
        check_same(verdict.environments[0], evidence)
        return token


def _question(evidence: Evidence) -> tuple[str, dict[str, Json]]:
    """Returns where and how the service is asked about evidence.

    Raises:
        UnsupportedError: it takes no such evidence.
    """
    if evidence.type is EvidenceType.INTEL_TDX:
        return _TDX_PATH, {"quote": base64url.encode(evidence.data)}
    if evidence.type not in (EvidenceType.AZURE_SNP, EvidenceType.AZURE_TDX):
        raise UnsupportedError(
            f"{NAME} takes SEV-SNP evidence of Azure's machines alone, whose report holds the "
            f"paravisor's claims; this is {evidence.type}"
        )
    parts, report = azure_parts(evidence)
    runtime: Json = {"data": base64url.encode(report.claims_text), "dataType": "JSON"}
    if evidence.type is EvidenceType.AZURE_TDX:
        quote = base64url.encode(td_quote(parts))
        return _TDX_PATH, {"quote": quote, "runtimeData": runtime}
    inner = {
        "SnpReport": base64url.encode(report.hardware_report),
        "VcekCertChain": base64url.encode(
            pem_chain(evidence, "Azure's metadata service gave no VCEK, which the service needs")
        ),
    }
    wrapped = base64url.encode(json.dumps(inner, separators=(",", ":")).encode("ascii"))
    return _SNP_PATH, {"report": wrapped, "runtimeData": runtime}

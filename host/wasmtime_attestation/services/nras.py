"""NVIDIA's Remote Attestation Service: GPUs, or switches, of one architecture and one nonce.

It answers with a detached EAT, a token for all devices and one for each; a guest gets it wrapped
into one text (`docs/decisions/0012-nras-token-form.md`). It answers with HTTP 200 also when the
attestation fails: then the tokens say so.

Source: docs.nvidia.com/attestation, "NVIDIA Remote Attestation Service".
"""

from __future__ import annotations

from types import MappingProxyType

from wasmtime_attestation.claims.verdict import TokenKind
from wasmtime_attestation.errors import UnsupportedError
from wasmtime_attestation.evidence import detached_eat, strict_json
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.services import Collector, Request
from wasmtime_attestation.services.api import Api, Rules
from wasmtime_attestation.services.devices import DeviceList
from wasmtime_attestation.services.keys import ServiceKeys
from wasmtime_attestation.services.nras_settings import Settings
from wasmtime_attestation.services.secret import Secret
from wasmtime_attestation.services.verified import TokenCheck
from wasmtime_attestation.verifier.binding import nonce_of
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.issuers import Issuer
from wasmtime_attestation.wit import TargetAll, TargetGpu, TargetVm

NAME = "NVIDIA's Remote Attestation Service"
_KEYS_PATH = "/.well-known/jwks.json"
_RULES = Rules(
    meanings=MappingProxyType(
        {
            400: "it does not take the request",
            401: "it wants a service key, or another one; check api-key-file or api-key-env",
            403: "the service key may not attest; check that it is for attestation",
            422: "it does not take the request",
        }
    ),
    rejecting=frozenset({400, 422}),
    parts=MappingProxyType(
        {
            "nonce": "it means the nonce, 32 bytes in hex",
            "arch": "it means the devices' architecture",
            "certificate": "it means a device's certificates",
            "evidence": "it means a device's report",
        }
    ),
    traces=("x-request-id", "nvcf-reqid"),
)


class NrasService:
    """NVIDIA's Remote Attestation Service.

    Args:
        settings: address, versions and key.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._api = Api(NAME, settings.url, _RULES, settings.seconds)
        issuer = Issuer(NAME, TokenKind.NRAS, frozenset({settings.url}), pins=settings.pins)
        self._check = TokenCheck(issuer, ServiceKeys(self._api, _KEYS_PATH))

    @property
    def kind(self) -> TokenKind:
        """What its tokens are."""
        return TokenKind.NRAS

    @property
    def issuer(self) -> Issuer:
        """The service, with the keys that are known by now."""
        return self._check.known_issuer

    def learn_keys(self) -> None:
        """Fetches the issuer's keys; see `TokenService.learn_keys`."""
        self._check.learn_keys()

    def issue(self, collector: Collector, request: Request) -> str:
        """Returns a wrapped detached EAT about devices; see `TokenService.issue`."""
        nonce = nonce_of(EvidenceType.NVIDIA_GPU, request.bound) or b""
        devices = DeviceList.of(self._collected(collector, request, nonce), NAME)
        token = self._ask(devices, nonce)
        expected = Expected(nonce=nonce, device_serials=devices.serials)
        self._check.verify(token, expected, request)
        return token

    def _collected(
        self, collector: Collector, request: Request, nonce: bytes
    ) -> tuple[Evidence, ...]:
        match request.target:
            case TargetGpu(index):
                return (collector.gpu(index, nonce),)
            case TargetAll() if self._settings.devices_only:
                return collector.devices(nonce)
            case TargetVm() | TargetAll():
                raise UnsupportedError(
                    f"{NAME} attests devices alone, and a token about them identifies no host: "
                    "ask for one GPU (gpu:N), or for everything from ita or trustee"
                )

    def _ask(self, devices: DeviceList, nonce: bytes) -> str:
        kind = "switch" if devices.is_switches else "gpu"
        answer = self._api.post(
            f"/v{self._settings.version}/attest/{kind}",
            {
                "nonce": nonce.hex(),
                "arch": devices.architecture,
                "claims_version": self._settings.claims,
                "evidence_list": devices.items,
            },
            *self._authorisation(),
        )
        try:
            eat = detached_eat.read(strict_json.loads(answer.body))
            return detached_eat.wrap(eat)
        except (ValueError, RecursionError) as error:
            raise self._api.nonsense(error) from error

    def _authorisation(self) -> tuple[dict[str, str], Secret | None]:
        if self._settings.service_key is None:
            return {}, None
        key = self._settings.service_key.read()
        return {"Authorization": f"Bearer {key.reveal()}"}, key

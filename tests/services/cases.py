"""One right request to each service, for tests that hold of all of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from wasmtime_attestation import wit
from wasmtime_attestation.services import Request, TokenService
from wasmtime_attestation.services.ita import ItaService
from wasmtime_attestation.services.ita_settings import Settings as ItaSettings
from wasmtime_attestation.services.maa import MaaService
from wasmtime_attestation.services.maa_settings import Settings as MaaSettings
from wasmtime_attestation.services.nras import NrasService
from wasmtime_attestation.services.nras_settings import Settings as NrasSettings
from wasmtime_attestation.services.secret import SecretPlace
from wasmtime_attestation.services.trustee import TrusteeService
from wasmtime_attestation.services.trustee_settings import Settings as TrusteeSettings

from tests.emulation.ita_service import KEY, ItaMiniature
from tests.emulation.json_service import Miniature
from tests.emulation.kbs_service import KbsMiniature
from tests.emulation.maa_service import MaaMiniature
from tests.emulation.nras_service import SERVICE_KEY, NrasMiniature
from tests.emulation.web import WebAuthority
from tests.fakes import azure, intel, jose
from tests.fakes.jose import Signer
from tests.services.asking import VM, Attested, Gpu, request

AnyMiniature = MaaMiniature | ItaMiniature | NrasMiniature | KbsMiniature


def key_place(folder: Path, text: str) -> SecretPlace:
    """Writes an API key to a file."""
    file = folder / "api.key"
    file.write_text(f"{text}\n")
    return SecretPlace(str(file))


def maa(miniature: Miniature, _folder: Path) -> TokenService:
    """A right client of Azure Attestation."""
    return MaaService(MaaSettings(miniature.url, 20))


def ita(miniature: Miniature, folder: Path) -> TokenService:
    """A right client of Intel Trust Authority."""
    place = key_place(folder, KEY)
    return ItaService(ItaSettings(place, url=miniature.url, portal=miniature.url, seconds=20))


def nras(miniature: Miniature, folder: Path) -> TokenService:
    """A right client of NVIDIA's service, with a key."""
    place = key_place(folder, SERVICE_KEY)
    return NrasService(NrasSettings(miniature.url, service_key=place, seconds=20))


def trustee(miniature: Miniature, _folder: Path) -> TokenService:
    """A right client of Trustee, which publishes its keys."""
    settings = TrusteeSettings(miniature.url, keys_url=f"{miniature.url}/jwks", seconds=20)
    return TrusteeService(settings)


@dataclass(frozen=True)
class Case:
    """A service that a test is about.

    Attributes:
        name: of the service.
        miniature: starts it.
        client: makes what asks it.
        hardware: what is attested.
        target: what is asked for.
        attest_path: where evidence goes.
        keys_path: where its keys are.
        lifetime: of its tokens, in seconds.
        another_key: another key of the kind that it signs with.
    """

    name: str
    miniature: Callable[[WebAuthority], AnyMiniature]
    client: Callable[[Miniature, Path], TokenService]
    hardware: intel.Platform | azure.ConfidentialVm
    target: wit.Target
    attest_path: str
    keys_path: str
    lifetime: int
    another_key: Callable[[], Signer]

    def __str__(self) -> str:
        return self.name

    def machine(self) -> Attested:
        """The machine that is attested."""
        return Attested(self.hardware, (Gpu(),))

    def request(self, **changes: object) -> Request:
        """What is asked for."""
        return request(self.target, **changes)  # type: ignore[arg-type]

    @contextlib.contextmanager
    def started(self, authority: WebAuthority, folder: Path) -> Iterator[Running]:
        """Starts the miniature service."""
        with self.miniature(authority) as miniature:
            yield Running(self, miniature, self.client(miniature, folder))


@dataclass
class Running:
    """A miniature service that runs, and what asks it."""

    case: Case
    miniature: AnyMiniature
    service: TokenService

    def issue(self, **changes: object) -> str:
        """Asks for a token."""
        return self.service.issue(self.case.machine().collector, self.case.request(**changes))

    def asked(self) -> int:
        """How often evidence was sent."""
        return len(self.miniature.asked(self.case.attest_path))

    def fetched(self) -> int:
        """How often the keys were fetched."""
        return len(self.miniature.asked(self.case.keys_path))


GPU = wit.TargetGpu(0)
MAA = Case(
    "maa",
    MaaMiniature,
    maa,
    azure.SNP,
    VM,
    "/attest/SevSnpVm",
    "/certs",
    28_800,
    lambda: Signer(jose.rsa_key(52), "RS256", "next-key"),
)
ITA = Case(
    "ita",
    ItaMiniature,
    ita,
    intel.PLATFORM,
    VM,
    "/appraisal/v2/attest",
    "/certs",
    300,
    lambda: Signer(jose.rsa_key(62), "PS384", "next-key"),
)
NRAS = Case(
    "nras",
    NrasMiniature,
    nras,
    intel.PLATFORM,
    GPU,
    "/v4/attest/gpu",
    "/.well-known/jwks.json",
    3600,
    lambda: Signer(jose.p384(4002), "ES384", "nv-eat-kid-test-2"),
)
TRUSTEE = Case(
    "trustee",
    lambda authority: KbsMiniature(authority, Signer(jose.p256(7001), "ES256", "signer-1")),
    trustee,
    intel.PLATFORM,
    VM,
    "/kbs/v0/attest",
    "/jwks",
    300,
    lambda: Signer(jose.p256(7003), "ES256", "signer-2"),
)
CASES = (MAA, ITA, NRAS, TRUSTEE)

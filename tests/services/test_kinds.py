"""Every service and every kind of evidence that it takes: from evidence to a relying party."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from wasmtime_attestation import wit
from wasmtime_attestation.services.ita import ItaService
from wasmtime_attestation.services.ita_settings import Settings as ItaSettings
from wasmtime_attestation.services.nras import NrasService
from wasmtime_attestation.services.nras_settings import Settings as NrasSettings
from wasmtime_attestation.services.secret import SecretPlace
from wasmtime_attestation.services.trustee import TrusteeService
from wasmtime_attestation.services.trustee_settings import Settings as TrusteeSettings
from wasmtime_attestation.verifier.expectations import Expected

from tests.emulation.ita_service import KEY, ItaMiniature
from tests.emulation.kbs_service import KbsMiniature
from tests.emulation.nras_service import NrasMiniature
from tests.emulation.web import WebAuthority
from tests.fakes import amd, azure, intel, nvidia
from tests.services.asking import ALL, BOUND, VM, Attested, Gpu, relying_party, request

GPU = wit.TargetGpu(0)
GPUS = tuple(Gpu(number=n) for n in range(8))
DEVICE_NONCE = hashlib.sha256(b"wasmtime:attestation device nonce\0" + BOUND).digest()


def ita(miniature: ItaMiniature, tmp_path: Path, **changes: object) -> ItaService:
    file = tmp_path / "ita.key"
    file.write_text(f"{KEY}\n")
    settings: dict[str, object] = {"url": miniature.url, "portal": miniature.url}
    return ItaService(ItaSettings(SecretPlace(str(file)), **(settings | changes)))  # type: ignore[arg-type]


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("hardware", [intel.PLATFORM, azure.TDX], ids=["bare", "azure"])
def test_ita_and_trust_domains(
    authority: WebAuthority,
    tmp_path: Path,
    hardware: intel.Platform | azure.ConfidentialVm,
    version: int,
) -> None:
    machine = Attested(hardware)
    with ItaMiniature(authority) as miniature:
        service = ita(miniature, tmp_path, version=version)
        token = service.issue(machine.collector, request())
        value = miniature.nonces[0]
    assert machine.reports == [hashlib.sha512(value + b"2026-03-01 00:00:00" + BOUND).digest()]
    verdict = relying_party(token, service, Expected(nonce=value, report_data=BOUND))
    assert verdict.tee_type == wit.TeeType.INTEL_TDX


@pytest.mark.parametrize("target", [GPU, ALL], ids=["gpu", "all"])
def test_ita_and_gpus(authority: WebAuthority, tmp_path: Path, target: wit.Target) -> None:
    machine = Attested(intel.PLATFORM, GPUS)
    with ItaMiniature(authority) as miniature:
        service = ita(miniature, tmp_path)
        token = service.issue(machine.collector, request(target))
    assert set(machine.nonces) == {DEVICE_NONCE}
    verdict = relying_party(token, service, Expected(report_data=BOUND))
    assert len(verdict.environments) == (1 if target is GPU else 9)


@pytest.mark.parametrize(("version", "claims"), [(3, "2.0"), (4, "2.0"), (4, "3.0")])
@pytest.mark.parametrize("count", [1, 8])
def test_nras_and_gpus(authority: WebAuthority, version: int, claims: str, count: int) -> None:
    machine = Attested(devices=GPUS[:count])
    with NrasMiniature(authority) as miniature:
        settings = NrasSettings(miniature.url, version, claims, devices_only=True)
        service = NrasService(settings)
        token = service.issue(machine.collector, request(ALL))
        [asked] = miniature.asked(f"/v{version}/attest/gpu")
    assert "authorization" not in asked.headers
    assert set(machine.nonces) == {DEVICE_NONCE}
    serials = tuple(gpu.chain()[0].serial_number for gpu in machine.devices)
    verdict = relying_party(token, service, Expected(nonce=DEVICE_NONCE, device_serials=serials))
    assert len(verdict.environments) == count
    assert token.isascii()
    assert not set(token) & set('"\\.')
    assert len(token) < 50_000


def test_nras_and_switches(authority: WebAuthority) -> None:
    machine = Attested(devices=(nvidia.SWITCH,))
    with NrasMiniature(authority) as miniature:
        service = NrasService(NrasSettings(miniature.url, devices_only=True))
        token = service.issue(machine.collector, request(ALL))
        assert miniature.asked("/v4/attest/switch")
    verdict = relying_party(token, service, Expected(nonce=DEVICE_NONCE))
    assert verdict.environments[0].name == "SWITCH-0"


def trustee(miniature: KbsMiniature, tmp_path: Path) -> TrusteeService:
    file = tmp_path / "trustee.jwks"
    file.write_bytes(miniature.keys())
    return TrusteeService(TrusteeSettings(miniature.url, keys_file=str(file)))


HARDWARE = {
    "tdx": intel.PLATFORM,
    "snp": amd.MILAN,
    "vlek": amd.VLEK,
    "turin": amd.TURIN,
    "az-snp-vtpm": azure.SNP,
    "az-tdx-vtpm": azure.TDX,
}


@pytest.mark.parametrize("current", [False, True], ids=["former", "current"])
@pytest.mark.parametrize("hardware", HARDWARE.values(), ids=HARDWARE)
def test_trustee_and_machines(
    authority: WebAuthority, tmp_path: Path, hardware: object, current: bool
) -> None:
    machine = Attested(hardware)  # type: ignore[arg-type]
    with KbsMiniature(authority) as miniature:
        miniature.current = current
        service = trustee(miniature, tmp_path)
        token = service.issue(machine.collector, request(VM))
    verdict = relying_party(token, service, Expected(report_data=BOUND))
    assert verdict.kind == "ear"


@pytest.mark.parametrize("digest", ["sha256", "sha384", None])
@pytest.mark.parametrize("target", [GPU, ALL], ids=["gpu", "all"])
def test_trustee_and_gpus(
    authority: WebAuthority, tmp_path: Path, target: wit.Target, digest: str | None
) -> None:
    machine = Attested(intel.PLATFORM, GPUS)
    with KbsMiniature(authority) as miniature:
        miniature.selected = digest
        service = trustee(miniature, tmp_path)
        token = service.issue(machine.collector, request(target))
    verdict = relying_party(token, service, Expected(report_data=BOUND))
    assert len(verdict.environments) == (1 if target is GPU else 9)

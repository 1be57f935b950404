"""Azure Attestation: Azure's confidential VMs and bare trust domains, from evidence to verdict."""

from __future__ import annotations

import pytest
from wasmtime_attestation.services.maa import MaaService
from wasmtime_attestation.services.maa_settings import Settings
from wasmtime_attestation.verifier.expectations import Expected

from tests.emulation.maa_service import MaaMiniature
from tests.emulation.web import WebAuthority
from tests.fakes import azure, intel
from tests.services.asking import BOUND, NONCE, Attested, relying_party, request

HARDWARE = {"snp": azure.SNP, "tdx": azure.TDX, "tdx-1.5": azure.TDX_15, "bare": intel.PLATFORM}


@pytest.mark.parametrize("hardware", HARDWARE.values(), ids=HARDWARE)
def test_a_token_of_each_kind_of_machine(authority: WebAuthority, hardware: object) -> None:
    machine = Attested(hardware)  # type: ignore[arg-type]
    with MaaMiniature(authority) as miniature:
        service = MaaService(Settings(miniature.url))
        token = service.issue(machine.collector, request())
        [asked] = [r for r in miniature.requests if r.method == "POST"]
    assert machine.reports == [BOUND]
    assert "authorization" not in asked.headers
    verdict = relying_party(token, service, Expected(nonce=NONCE, report_data=BOUND))
    assert verdict.kind == "maa"
    assert set(token) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")

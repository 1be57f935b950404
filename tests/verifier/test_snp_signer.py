"""Of several VCEKs or VLEKs, the one that signed the report is found, whatever their order."""

from __future__ import annotations

import pytest
from wasmtime_attestation.attesters.miniature_amd import ReportSigner
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.evidence.snp_fields import TcbVersion

from tests.fakes.amd import GENOA, MILAN, VLEK, Machine
from tests.verifier.snp_verification import rejection, verify


def other_vlek() -> ReportSigner:
    return VLEK.amd.vlek("Another cloud", VLEK.tcb)


def other_vcek(tcb: TcbVersion) -> ReportSigner:
    return MILAN.amd.vcek(bytes(64), tcb)


@pytest.mark.parametrize("first", [True, False])
def test_the_vlek_of_another_cloud_is_given_too(first: bool) -> None:
    other = Endorsements((other_vlek().certificate,))
    own = VLEK.endorsements()
    verify(VLEK.report(), other + own if first else own + other)


@pytest.mark.parametrize("machine", [MILAN, GENOA], ids=["Milan", "Genoa"])
def test_all_product_lines_are_given(machine: Machine) -> None:
    everything = GENOA.endorsements() + MILAN.endorsements() + VLEK.endorsements()
    verify(machine.report(), everything)


def test_a_vcek_for_the_same_tcb_of_another_chip_is_given_too() -> None:
    other = Endorsements((other_vcek(MILAN.tcb).certificate,))
    verify(MILAN.report(), other + MILAN.endorsements())


def test_none_of_several_signed() -> None:
    certificates = tuple(c for c in VLEK.endorsements().certificates if c != VLEK.key.certificate)
    others = (other_vlek().certificate, other_vlek().certificate)
    finding = rejection(VLEK.report(), Endorsements(others + certificates))
    assert finding.check == "snp.signature"

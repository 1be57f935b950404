"""`attest --endorse`: what a verifier would fetch is in the token."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from wasmtime_attestation import verifier
from wasmtime_attestation.attesters import recording_file, replay
from wasmtime_attestation.attesters.machine import Machine
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.cli import configuration, endorsing, record
from wasmtime_attestation.config import endorser_settings
from wasmtime_attestation.embedding.starting import Started
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.endorsements.x509 import der
from wasmtime_attestation.evidence.envelope import (
    EndorsementType,
    Evidence,
    EvidenceType,
    RawEndorsement,
)
from wasmtime_attestation.evidence.envelope_json import of_evidence, to_evidence
from wasmtime_attestation.service import AttestationService, Settings
from wasmtime_attestation.wit import Challenge, TargetVm, TeeInfo, TeeType

from tests.emulation.vendors import Vendors
from tests.fakes import amd, intel, nvidia_rim
from tests.fakes.amd import AT, MILAN
from tests.fakes.nvidia import HOPPER

GPU_PATHS = (HOPPER.chain()[1:], nvidia_rim.DRIVER.path(), nvidia_rim.VBIOS.path())


@pytest.fixture
def vendors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendors]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("wasmtime_attestation.cli.endorsing.options.now", lambda: AT)
    with Vendors(tmp_path, paths=GPU_PATHS) as vendors:
        for name, value in vendors.environment().items():
            monkeypatch.setenv(name, value)
        yield vendors


def configured(*, offline: bool) -> endorser_settings.Settings:
    """As the environment says."""
    return configuration.load(None, offline=offline).endorsers


def snp() -> Evidence:
    return Evidence(EvidenceType.AMD_SEV_SNP, MILAN.report())


def tdx() -> Evidence:
    return Evidence(EvidenceType.INTEL_TDX, intel.PLATFORM.quote())


@pytest.mark.parametrize(
    ("make", "anchors"),
    [(snp, amd.real_anchors(MILAN.line)), (tdx, intel.real_anchors())],
)
def test_evidence_verifies_by_itself(
    vendors: Vendors, make: Callable[[], Evidence], anchors: Anchors
) -> None:
    evidence = make()
    (endorsed,) = endorsing.with_endorsements((evidence,), configured(offline=False))
    asked = len(vendors.targets)
    assert asked
    # As a token carries it, and with nothing given besides.
    carried = to_evidence(of_evidence(endorsed))
    ledger = Ledger()
    verifier.verify(
        carried,
        Endorsements(),
        report_data=None,
        nonce=None,
        at=AT,
        anchors=anchors,
        ledger=ledger,
    )
    assert ledger.settled["evidence.endorsements"].outcome == "passed"
    again = endorsing.with_endorsements((evidence,), configured(offline=True))
    assert (again, len(vendors.targets)) == ((endorsed,), asked)


CHAIN = tuple(
    RawEndorsement(EndorsementType.CERTIFICATE, der(certificate)) for certificate in HOPPER.chain()
)


def test_gpus_get_their_manifests_and_answers(vendors: Vendors) -> None:
    device = Evidence(EvidenceType.NVIDIA_GPU, HOPPER.report(), CHAIN)
    (endorsed,) = endorsing.with_endorsements((device,), configured(offline=False))
    kinds = [endorsement.type for endorsement in endorsed.endorsements[len(CHAIN) :]]
    assert kinds.count(EndorsementType.NVIDIA_RIM) == 2
    assert EndorsementType.OCSP_RESPONSE in kinds
    assert vendors.targets


def test_what_could_not_be_fetched_is_said(
    vendors: Vendors, capsys: pytest.CaptureFixture[str]
) -> None:
    evidence = snp()
    assert endorsing.with_endorsements((evidence,), configured(offline=True)) == (evidence,)
    assert vendors.targets == []
    assert "not in the token: " in capsys.readouterr().err


class Td:
    """A TD whose evidence comes without anything that speaks for it."""

    def info(self) -> TeeInfo:
        return TeeInfo(TeeType.INTEL_TDX, True, "configfs-tsm", 0)  # noqa: FBT003

    def collect(self, report_data: bytes) -> Evidence:
        quote = intel.PLATFORM.quote(report_data=report_data)
        return Evidence(EvidenceType.INTEL_TDX, quote)


@pytest.mark.parametrize("offline", [False, True])
def test_a_recording_has_what_a_replay_verifies_with(
    vendors: Vendors, tmp_path: Path, offline: bool
) -> None:
    settings = Settings(intel.real_anchors())
    machine = Machine(Td())
    service = AttestationService(machine, settings, AT.timestamp)
    token = service.for_guest(None).attest(TargetVm(), Challenge(bytes(8))).token
    file = tmp_path / "recording.json"
    record.save(file, Started(service, machine), token, TargetVm(), configured(offline=offline))

    made = recording_file.read(file)
    settings = replace(settings, recorded=made.recorded, endorsements=made.decoded_endorsements())
    later = AT.timestamp() + 10 * 365 * 86_400
    world = AttestationService(replay.machine(made), settings, lambda: later).for_guest(None)
    assert world.verify_token(world.attest_vm().token) is not offline
    assert bool(made.endorsements) is bool(vendors.targets) is not offline

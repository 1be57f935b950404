"""Simulated GPUs make true reports, and nobody believes them who was not told to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from wasmtime_attestation import wit
from wasmtime_attestation.attesters.simulated_gpus import SimulatedGpus
from wasmtime_attestation.attesters.simulation import simulate
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims import Claims
from wasmtime_attestation.claims.gpu import NvidiaClaims
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.bundle import Endorsements
from wasmtime_attestation.errors import RejectedError, UnsupportedError
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.service import AttestationService, Settings
from wasmtime_attestation.verifier import verify
from wasmtime_attestation.wit import TeeType

from tests.cli.tool import run

START = 1_772_323_200
AT = datetime(2026, 3, 1, tzinfo=UTC)
NONCE = bytes(range(32))
GPUS = SimulatedGpus(START, 2)


def claims(evidence: Evidence, anchors: Anchors, nonce: bytes = NONCE) -> Claims:
    return verify(
        evidence,
        Endorsements(),
        nonce=nonce,
        report_data=None,
        at=AT,
        anchors=anchors,
        ledger=Ledger(),
    )


def trusting() -> Anchors:
    return Anchors.of_vendors().trusting([GPUS.root_fingerprint])


def test_each_is_a_device_of_its_own_and_simulated() -> None:
    found = [claims(evidence, trusting()) for evidence in GPUS.collect_all(NONCE)]
    assert [(c.platform, c.tee_type) for c in found] == [
        (TeeType.NVIDIA_GPU, TeeType.SIMULATED)
    ] * 2
    serials = {c.details.ueid for c in found if isinstance(c.details, NvidiaClaims)}
    assert len(serials) == 2
    assert [gpu.index for gpu in GPUS.gpus()] == [0, 1]
    assert len({gpu.uuid for gpu in GPUS.gpus()}) == 2
    assert all("SIMULATED" in gpu.name for gpu in GPUS.gpus())


def test_nobody_else_believes_them() -> None:
    evidence = GPUS.collect(0, NONCE)
    for anchors in (Anchors.of_vendors(), SIMULATION.anchors):
        with pytest.raises(RejectedError, match=r"nvidia\.device-root"):
            claims(evidence, anchors)


def test_a_report_answers_one_nonce() -> None:
    with pytest.raises(RejectedError, match=r"nvidia\.nonce"):
        claims(GPUS.collect(0, NONCE), trusting(), bytes(32))


def test_an_altered_report_is_rejected() -> None:
    evidence = GPUS.collect(0, NONCE)
    # Every byte once; the flips of every bit are tried on other reports.
    for position in range(len(evidence.data)):
        altered = bytearray(evidence.data)
        altered[position] ^= 1
        with pytest.raises(RejectedError):
            claims(replace(evidence, data=bytes(altered)), trusting())


def test_an_altered_manifest_is_rejected() -> None:
    evidence = GPUS.collect(0, NONCE)
    *others, last = evidence.endorsements
    golden = last.data.index(b'Hash0="') + len(b'Hash0="')
    altered = bytearray(last.data)
    altered[golden] = ord("0" if altered[golden] != ord("0") else "1")
    endorsements = (*others, replace(last, data=bytes(altered)))
    with pytest.raises(RejectedError, match="the manifest was altered"):
        claims(replace(evidence, endorsements=endorsements), trusting())


def test_there_are_no_more_than_asked_for() -> None:
    with pytest.raises(UnsupportedError, match="there is no GPU 2"):
        GPUS.collect(2, NONCE)


SIMULATION = simulate(START, gpus=2)


def test_guests_are_told_that_a_gpu_is_simulated() -> None:
    settings = Settings(SIMULATION.anchors)
    world = AttestationService(SIMULATION.machine, settings, lambda: START + 1.0).for_guest(None)
    assert world.detect_tee().gpu_count == 2
    result = world.attest_gpu(1)
    assert result.tee_type is TeeType.SIMULATED
    assert world.verify_token(result.token)
    everything = world.attest(wit.TargetAll(), wit.Challenge(NONCE, None, None))
    verdict = world.verify(everything.token, wit.Expectations(nonce=NONCE, policy="hardware-only"))
    assert verdict.tee_type is TeeType.SIMULATED
    assert verdict.status is wit.Status.WARNING


def test_a_simulation_without_gpus_has_none() -> None:
    for machine in (simulate(START).machine, simulate(START, gpus=0).machine):
        assert machine.info().gpu_count == 0
        with pytest.raises(UnsupportedError, match="this host sees no GPU"):
            machine.gpus()


def test_the_tool_attests_them_and_whoever_trusts_the_roots_verifies(tmp_path: Path) -> None:
    root = tmp_path / "roots.pem"
    simulated = ("--tee", "simulated", "--gpus", "2", "--trust-out", root)
    attested = run("attest", "all", *simulated, "--nonce", NONCE.hex())
    assert attested.code == 0, attested.err
    token = attested.out.encode()
    verified = run("verify", "-", "--trust", root, "--nonce", NONCE.hex(), stdin=token)
    assert verified.code == 0, verified.err
    assert f"1 of {EvidenceType.AMD_SEV_SNP}, 2 of {EvidenceType.NVIDIA_GPU}" in verified.out
    assert "result   SIMULATED, authentic" in verified.out
    assert run("verify", "-", stdin=token).code == 4

"""A host with GPUs: tokens about one of them or about everything, kept for each device."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from wasmtime_attestation import wit
from wasmtime_attestation.attesters.machine import Machine
from wasmtime_attestation.attesters.nvidia import NvidiaAttester
from wasmtime_attestation.checks import Ledger
from wasmtime_attestation.claims.gpu import NvidiaClaims
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.errors import RejectedError, UnavailableError, UnsupportedError
from wasmtime_attestation.issuer import TokenIssuer
from wasmtime_attestation.service import AttestationService, Settings
from wasmtime_attestation.verifier.expectations import Expected
from wasmtime_attestation.verifier.token import VerifiedToken, verify_token
from wasmtime_attestation.wit import Challenge, TargetAll, TargetGpu, TeeType

from tests.emulation.nvml.machine import Gpu, NvmlMachine, board, eight, machine_of
from tests.fakes import amd, nvidia, nvidia_rim
from tests.fakes.amd import MILAN
from tests.fakes.host import GUEST, OTHER_GUEST, Clock
from tests.fakes.token import NONCE

ROOTS = Anchors((*amd.real_anchors()._roots, *nvidia.real_anchors()._roots))


class Host:
    """A host on a miniature machine of AMD's with GPUs of the miniature NVIDIA's."""

    def __init__(self, expected_gpus: int | None = None, *, summary: bool = False) -> None:
        self.clock = Clock()
        self.machine = Machine(MILAN, NvidiaAttester(), expected_gpus)
        settings = Settings(ROOTS, evidence_summary=summary)
        self.service = AttestationService(self.machine, settings, self.clock, TokenIssuer(300))

    def world(self, guest: bytes | None = GUEST) -> wit.World:
        """Returns the world as a guest sees it."""
        return self.service.for_guest(guest)


def verify(token: str, nonce: bytes | None = None) -> VerifiedToken:
    """Verifies a token as a relying party does that has NVIDIA's manifests."""
    return verify_token(
        token,
        Expected(nonce),
        nvidia_rim.endorsements(),
        at=amd.AT + timedelta(seconds=10),
        anchors=ROOTS,
        ledger=Ledger(),
    )


def ueids(verified: VerifiedToken) -> list[str]:
    """Returns the serial numbers of the GPUs in a token."""
    return [
        claims.details.ueid
        for claims in verified.verdict.evidence
        if isinstance(claims.details, NvidiaClaims)
    ]


def serial(slot: int) -> str:
    return str(board(slot).device.chain()[0].serial_number)


@pytest.mark.parametrize("index", [0, 7])
def test_attest_gpu(index: int) -> None:
    with eight():
        result = Host().world().attest_gpu(index)

    assert result.tee_type is TeeType.NVIDIA_GPU
    verified = verify(result.token)
    assert verified.token.guest_digest == GUEST
    assert ueids(verified) == [serial(index)]
    assert verified.verdict.tee_type is TeeType.NVIDIA_GPU


def test_a_challenge_about_a_gpu() -> None:
    with eight():
        result = Host().world().attest(TargetGpu(3), Challenge(NONCE, b"data", "you"))

    assert result.tee_type is TeeType.NVIDIA_GPU
    verified = verify(result.token, NONCE)
    assert ueids(verified) == [serial(3)]
    assert (verified.token.user_data, verified.token.audience) == (b"data", "you")


def test_a_machine_and_eight_gpus_under_one_challenge() -> None:
    with eight():
        result = Host(expected_gpus=8).world().attest(TargetAll(), Challenge(NONCE))

    assert result.tee_type is TeeType.AMD_SEV_SNP
    verified = verify(result.token, NONCE)
    assert ueids(verified) == [serial(slot) for slot in range(8)]
    assert [e.tee_type for e in verified.verdict.environments][:2] == [
        TeeType.AMD_SEV_SNP,
        TeeType.NVIDIA_GPU,
    ]
    with pytest.raises(RejectedError):
        verify(result.token, bytes(32))


def test_a_gpu_is_not_enough_where_eight_are_expected() -> None:
    with NvmlMachine([board(0)]):
        world = Host(expected_gpus=8).world()
        calls: list[Callable[[], object]] = [
            lambda: world.attest_gpu(0),
            lambda: world.attest(TargetGpu(0), Challenge(NONCE)),
            lambda: world.attest(TargetAll(), Challenge(NONCE)),
        ]
        for call in calls:
            with pytest.raises(UnavailableError, match="has 1 GPUs, and 8 are expected"):
                call()
        assert world.attest_vm().tee_type is TeeType.AMD_SEV_SNP


def test_gpus_and_their_number() -> None:
    with eight():
        world = Host().world()
        assert world.detect_tee().gpu_count == 8
        assert world.detect_tee() is world.detect_tee()
        assert [gpu.uuid for gpu in world.gpus()] == [board(n).uuid for n in range(8)]


def test_each_guest_and_each_gpu_has_a_token_of_its_own() -> None:
    with eight():
        host = Host()
        tokens = [
            host.world(guest).attest_gpu(index).token
            for guest in (GUEST, OTHER_GUEST, None)
            for index in range(8)
        ]
        vm = host.world().attest_vm().token
        again = [host.world(GUEST).attest_gpu(index).token for index in range(8)]

    assert len({*tokens, vm}) == 25
    assert again == tokens[:8]
    assert [ueids(verify(token)) for token in again] == [[serial(n)] for n in range(8)]


def test_a_token_of_a_gpu_is_kept_while_it_is_good_and_until_it_is_cleared() -> None:
    with eight() as machine:
        host = Host()
        first = host.world().attest_gpu(2)
        asked = machine.calls.count("nvmlDeviceGetConfComputeGpuAttestationReport")
        host.clock.now += 269
        assert host.world().attest_gpu(2) == first
        assert machine.calls.count("nvmlDeviceGetConfComputeGpuAttestationReport") == asked
        host.clock.now += 1
        second = host.world().attest_gpu(2)
        assert second != first

        vm, other = host.world().attest_vm(), host.world(OTHER_GUEST).attest_gpu(2)
        host.world().clear_cache()
        assert host.world().attest_gpu(2) != second
        assert host.world().attest_vm() != vm
        assert host.world(OTHER_GUEST).attest_gpu(2) == other


def test_no_token_of_another_gpu_is_served_where_indices_change() -> None:
    gpus = [board(0), board(1)]
    with NvmlMachine(gpus):
        host = Host()
        assert ueids(verify(host.world().attest_gpu(0).token)) == [serial(0)]
        gpus[0].pci, gpus[1].pci = gpus[1].pci, gpus[0].pci
        host.machine.devices = NvidiaAttester()
        assert ueids(verify(host.world().attest_gpu(0).token)) == [serial(1)]
        assert ueids(verify(host.world().attest_gpu(1).token)) == [serial(0)]


@pytest.mark.parametrize("index", [1, 7, 2**32 - 1])
def test_a_gpu_that_is_not_there(index: int) -> None:
    with NvmlMachine([board(0)]):
        world = Host().world()
        calls: list[Callable[[], object]] = [
            lambda: world.attest_gpu(index),
            lambda: world.attest(TargetGpu(index), Challenge(NONCE)),
        ]
        for call in calls:
            with pytest.raises(UnsupportedError, match=f"there is no GPU {index}"):
                call()


def test_cc_mode_off() -> None:
    with machine_of([board(0)], enabled=0):
        world = Host().world()
        assert world.detect_tee().gpu_count == 1
        assert [gpu.confidential for gpu in world.gpus()] == [False]
        with pytest.raises(UnsupportedError, match="is CC capable but CC mode is off"):
            world.attest_gpu(0)
        with pytest.raises(UnsupportedError, match="machine: evidence came; the GPUs: GPU 0"):
            world.attest(TargetAll(), Challenge(NONCE))


def test_a_failure_is_not_kept() -> None:
    with NvmlMachine([board(0)]) as machine:
        world = Host().world()
        machine.errors["nvmlDeviceGetConfComputeGpuAttestationReport"] = 19
        with pytest.raises(UnavailableError, match="IN_USE"):
            world.attest_gpu(0)
        machine.errors.clear()
        assert world.attest_gpu(0).tee_type is TeeType.NVIDIA_GPU


def test_a_summary_of_a_gpus_evidence() -> None:
    with NvmlMachine([board(0)]):
        summary = Host(summary=True).world().attest_gpu(0).evidence
    assert summary is not None
    assert '"type":"nvidia-gpu"' in summary
    assert '"driver_version":"550.90.07"' in summary


def test_altered_firmware_does_not_verify() -> None:
    device = nvidia.Device(unit="-0")
    gpu: Gpu = board(0, report=lambda nonce: device.report(nonce=nonce, changes={7: b"\1" * 48}))
    with NvmlMachine([gpu]):
        token = Host().world().attest_gpu(0).token
    with pytest.raises(RejectedError, match=r"nvidia\.measurements"):
        verify(token)


def test_a_verifier_needs_the_manifests() -> None:
    with NvmlMachine([board(0)]):
        world = Host().world()
        token = world.attest_gpu(0).token
        assert not world.verify_token(token)
    with pytest.raises(UnavailableError, match="the manifest"):
        verify_token(
            token,
            Expected(),
            nvidia.HOPPER.endorsements(),
            at=amd.AT + timedelta(seconds=10),
            anchors=ROOTS,
            ledger=Ledger(),
        )

"""A machine: what is attested together, how many GPUs there must be, and what fails where."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from wasmtime_attestation.attesters.detect import NO_TEE, Detection
from wasmtime_attestation.attesters.machine import NO_GPU, Machine
from wasmtime_attestation.attesters.select import DetectedAttester
from wasmtime_attestation.errors import AttestationError, UnavailableError, UnsupportedError
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.verifier.binding import nonce_of
from wasmtime_attestation.wit import (
    GpuInfo,
    Target,
    TargetAll,
    TargetGpu,
    TargetVm,
    TeeInfo,
    TeeType,
)

BOUND = bytes(range(64))
NONCE = nonce_of(EvidenceType.NVIDIA_GPU, BOUND) or b""
NO_VM = DetectedAttester(lambda: Detection(TeeType.NONE))


@dataclass
class Vm:
    """A virtual machine that answers, or fails."""

    error: AttestationError | None = None
    asked: list[bytes] = field(default_factory=list)

    def info(self) -> TeeInfo:
        return TeeInfo(TeeType.INTEL_TDX, True, "scripted", 0)  # noqa: FBT003 - the record's order

    def collect(self, report_data: bytes) -> Evidence:
        self.asked.append(report_data)
        if self.error:
            raise self.error
        return Evidence(EvidenceType.INTEL_TDX, b"quote")


@dataclass
class Devices:
    """GPUs that answer, or fail."""

    count: int = 8
    error: AttestationError | None = None
    lists: AttestationError | None = None
    asked: list[bytes] = field(default_factory=list)
    listed: int = 0
    seconds: float = 0

    def gpus(self) -> tuple[GpuInfo, ...]:
        self.listed += 1
        time.sleep(self.seconds)
        if self.lists:
            raise self.lists
        return tuple(GpuInfo(n, f"GPU-{n}", "H200", confidential=True) for n in range(self.count))

    def collect(self, index: int, nonce: bytes) -> Evidence:
        self.asked.append(nonce)
        if self.error:
            raise self.error
        return Evidence(EvidenceType.NVIDIA_GPU, b"report %d" % index)

    def collect_all(self, nonce: bytes) -> tuple[Evidence, ...]:
        return tuple(self.collect(index, nonce) for index in range(self.count))


def test_each_target_has_its_own_evidence_bound_to_the_same() -> None:
    vm, devices = Vm(), Devices()
    machine = Machine(vm, devices)

    assert [e.data for e in machine.collect(TargetVm(), BOUND)] == [b"quote"]
    assert [e.data for e in machine.collect(TargetGpu(5), BOUND)] == [b"report 5"]
    everything = [e.data for e in machine.collect(TargetAll(), BOUND)]
    assert everything == [b"quote", *(b"report %d" % n for n in range(8))]
    assert set(vm.asked) == {BOUND}
    assert set(devices.asked) == {NONCE}


@pytest.mark.parametrize("target", [TargetGpu(0), TargetAll()])
@pytest.mark.parametrize("count", [0, 7, 9])
def test_another_number_of_gpus_than_expected(target: Target, count: int) -> None:
    devices = Devices(count)
    with pytest.raises(UnavailableError, match=f"has {count} GPUs, and 8 are expected"):
        Machine(Vm(), devices, expected_gpus=8).collect(target, BOUND)
    assert devices.asked == []


def test_as_many_as_expected() -> None:
    machine = Machine(Vm(), Devices(), expected_gpus=8)
    assert len(machine.collect(TargetAll(), BOUND)) == 9
    assert machine.gpu(7).uuid == "GPU-7"


def test_a_machine_that_is_to_have_no_gpu() -> None:
    nothing = Devices(lists=UnsupportedError("no driver"))
    assert len(Machine(Vm(), nothing, expected_gpus=0).collect(TargetAll(), BOUND)) == 1
    assert len(Machine(Vm(), expected_gpus=0).collect(TargetAll(), BOUND)) == 1
    with pytest.raises(UnavailableError, match="has 1 GPUs, and 0 are expected"):
        Machine(Vm(), Devices(1), expected_gpus=0).collect(TargetAll(), BOUND)


def test_the_virtual_machine_is_attested_whatever_the_gpus_are() -> None:
    devices = Devices(lists=UnavailableError("hangs"))
    assert len(Machine(Vm(), devices, expected_gpus=8).collect(TargetVm(), BOUND)) == 1
    assert devices.listed == 0


@pytest.mark.parametrize("index", [8, 2**32 - 1])
def test_a_gpu_that_is_not_there(index: int) -> None:
    with pytest.raises(UnsupportedError, match=f"no GPU {index}: this machine has 8 GPUs"):
        Machine(Vm(), Devices()).gpu(index)


@pytest.mark.parametrize("target", [TargetGpu(0), TargetAll()])
def test_a_machine_without_devices(target: Target) -> None:
    with pytest.raises(UnsupportedError, match=NO_GPU):
        Machine(Vm()).collect(target, BOUND)


LOST, OFF = UnavailableError("GPU 3: it is lost"), UnsupportedError("GPU 0: CC mode is off")


@pytest.mark.parametrize(
    ("vm", "gpu", "kind", "says"),
    [
        (None, LOST, UnavailableError, "the virtual machine: evidence came; the GPUs: GPU 3: it"),
        (None, OFF, UnsupportedError, "the virtual machine: evidence came; the GPUs: GPU 0: CC"),
        (UnavailableError("busy"), None, UnavailableError, "machine: busy; the GPUs: evidence"),
        (
            UnavailableError("busy"),
            OFF,
            UnavailableError,
            "machine: busy; the GPUs: GPU 0: CC",
        ),
        (UnsupportedError("none"), LOST, UnavailableError, "machine: none; the GPUs: GPU 3: it"),
        (
            UnsupportedError("none"),
            OFF,
            UnsupportedError,
            "machine: none; the GPUs: GPU 0: CC",
        ),
    ],
)
def test_what_became_of_each_part(
    vm: AttestationError | None,
    gpu: AttestationError | None,
    kind: type[AttestationError],
    says: str,
) -> None:
    with pytest.raises(AttestationError) as caught:
        Machine(Vm(vm), Devices(error=gpu)).collect(TargetAll(), BOUND)
    assert type(caught.value) is kind
    assert str(caught.value).startswith("not everything can be attested: the virtual machine: ")
    assert says in str(caught.value)


def test_a_missing_gpu_and_a_missing_tee_are_told_together() -> None:
    with pytest.raises(UnavailableError) as caught:
        Machine(NO_VM, Devices(7), expected_gpus=8).collect(TargetAll(), BOUND)
    assert NO_TEE in str(caught.value)
    assert "has 7 GPUs, and 8 are expected" in str(caught.value)


def test_info_counts_gpus_once_and_is_one_object() -> None:
    devices = Devices(3, seconds=0.1)
    machine = Machine(Vm(), devices)
    barrier = threading.Barrier(8)

    def info(_: int) -> TeeInfo:
        barrier.wait()
        return machine.info()

    with ThreadPoolExecutor(8) as pool:
        infos = [*pool.map(info, range(8))]
    assert infos[0] == TeeInfo(TeeType.INTEL_TDX, True, "scripted", 3)  # noqa: FBT003
    assert len({id(each) for each in infos}) == 1
    assert devices.listed == 1


def test_a_driver_that_does_not_answer_is_asked_again() -> None:
    devices = Devices(lists=UnavailableError("hangs"))
    machine = Machine(Vm(), devices)
    assert machine.info().gpu_count == 0
    devices.lists = None
    assert machine.info().gpu_count == 8
    devices.lists = UnavailableError("hangs")
    assert machine.info().gpu_count == 8


def test_a_machine_without_gpus_is_asked_once() -> None:
    devices = Devices(lists=UnsupportedError("none"))
    machine = Machine(Vm(), devices)
    assert machine.info() is machine.info()
    assert machine.info().gpu_count == 0
    assert devices.listed == 1

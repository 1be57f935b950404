"""The workload that trains only where the virtual machine and its GPUs are attested.

In every language and ABI: on a simulated machine, on emulated ones, and on one whose miniature
vendors are real to its host.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from wasmtime_attestation.attesters.machine import Machine
from wasmtime_attestation.attesters.nvidia import NvidiaAttester
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.service import AttestationService, Settings
from wasmtime_attestation.world.runtime import Guest, Runtime

from tests.cli.tool import Outcome, run_process
from tests.emulation.emulation import Emulation
from tests.emulation.namespace import Namespace
from tests.emulation.nvml.emulation import Nvml
from tests.emulation.nvml.machine import board, machine_of
from tests.emulation.tsm import ConfigfsTsm
from tests.fakes import amd, nvidia, nvidia_rim
from tests.fakes.amd import MILAN
from tests.fakes.host import Clock
from tests.guests.test_matrix import build

TRAINERS = {
    "rust-trainer.wasm": "rust",
    "rust-trainer-legacy.wasm": "rust",
    "cpp-trainer-component.wasm": "cpp",
    "cpp-trainer.wasm": "cpp",
    "python-trainer.wasm": "python",
}
# Compiling the interpreter that a Python guest brings takes seconds, so it runs less often.
every_trainer = pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] * (n == "python-trainer.wasm")) for n in TRAINERS],
)
each_trainer = pytest.mark.parametrize("name", [n for n in TRAINERS if n != "python-trainer.wasm"])
# What the host alone decides is the same for all: one of each ABI will do.
one_of_each_abi = pytest.mark.parametrize(
    "name", ["cpp-trainer-component.wasm", "rust-trainer-legacy.wasm"]
)
TRAINED = [
    "epoch 0: loss 0.693",  # the logarithm of 2: nothing is known yet
    "epoch 50: loss 0.154",
    "epoch 100: loss 0.119",
    "epoch 150: loss 0.103",
    "trained: 99.0 % of 200 points",
]
NOT_TRAINED = "not trained: this machine is not attested"
NO_TEE = (
    "No TEE attestation available. Not running in a Confidential VM (Intel TDX or AMD SEV-SNP)?"
)
NO_GPU = "gpu: refused, there is none"
SIMULATED = "a simulation proves nothing (--allow-simulated trains all the same)"
CC_OFF = "GPU 0 (NVIDIA H100 80GB HBM3, driver 550.90.07) is CC capable but CC mode is off"


def path(name: str) -> Path:
    return build(TRAINERS[name]) / name


def lines(outcome: Outcome) -> list[str]:
    """Returns what a guest printed, as C++ and the older ABI write names and errors."""
    plain = outcome.out.replace("unsupported: ", "").replace(
        "attested, simulated", "attested, Simulated"
    )
    return plain.splitlines()


@every_trainer
def test_it_trains_on_a_simulation_where_that_is_allowed(name: str) -> None:
    outcome = run_process(
        *("run", "--tee", "simulated", "--gpus", "2"),
        *("--require", "hardware-only", path(name), "--allow-simulated"),
    )
    assert outcome.code == 0, outcome.err
    parts = [f"{part}: attested, Simulated" for part in ("vm", "gpu 0", "gpu 1")]
    assert lines(outcome) == [*parts, *TRAINED]


@every_trainer
def test_a_simulation_is_refused(name: str) -> None:
    outcome = run_process("run", "--tee", "simulated", "--gpus", "1", path(name))
    assert outcome.code == 1
    parts = [f"{part}: refused, {SIMULATED}" for part in ("vm", "gpu 0")]
    assert lines(outcome) == [*parts, NOT_TRAINED]


@each_trainer
def test_a_machine_without_gpu_is_refused(name: str) -> None:
    outcome = run_process("run", "--tee", "simulated", path(name), "--allow-simulated")
    assert outcome.code == 1
    assert lines(outcome) == ["vm: attested, Simulated", NO_GPU, NOT_TRAINED]


@each_trainer
def test_a_machine_without_tee_is_refused(name: str) -> None:
    outcome = run_process("run", "--tee", "none", path(name))
    assert outcome.code == 1
    assert lines(outcome) == [f"vm: refused, {NO_TEE}", NO_GPU, NOT_TRAINED]


@one_of_each_abi
@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--tee", "none", "--require", "hardware-only"), NO_TEE),
        (
            ("--tee", "simulated", "--gpus", "1", "--require", "strict"),
            "policy.accept: evidence [0]: the evidence is simulated; the policy accepts",
        ),
    ],
    ids=["no-tee", "strict"],
)
def test_the_host_starts_it_only_where_its_policy_holds(
    name: str, options: tuple[str, ...], reason: str
) -> None:
    outcome = run_process("run", *options, path(name), "--allow-simulated")
    assert (outcome.code, outcome.out) == (125, "")
    assert f"not started: {reason}" in outcome.err


@pytest.fixture(scope="module")
def emulated() -> Iterator[Namespace]:
    """A machine with TDX and a GPU, whose vendors are none that its host knows."""
    emulations: list[Emulation] = [ConfigfsTsm("tdx_guest"), Nvml((0,))]
    with Namespace(emulations) as machine:
        yield machine


@one_of_each_abi
def test_vendors_that_the_host_does_not_know_count_for_nothing(
    name: str, emulated: Namespace
) -> None:
    emulated.tell("nvml", json.dumps({}))
    outcome = emulated.cli("run", path(name), "--allow-simulated")
    assert outcome.code == 1
    parts = [f"{part}: refused, the host does not accept its token" for part in ("vm", "gpu 0")]
    assert lines(outcome) == [*parts, NOT_TRAINED]


@one_of_each_abi
def test_cc_mode_off(name: str, emulated: Namespace) -> None:
    emulated.tell("nvml", json.dumps({"enabled": 0}))
    outcome = emulated.cli("run", path(name))
    assert outcome.code == 1
    _, gpu, decision = lines(outcome)
    assert gpu.startswith(f"gpu 0: refused, {CC_OFF}")
    assert decision == NOT_TRAINED
    unstarted = emulated.cli("run", "--require", "hardware-only", path(name))
    assert (unstarted.code, unstarted.out) == (125, "")
    assert CC_OFF in unstarted.err


@every_trainer
def test_it_trains_on_genuine_hardware(name: str) -> None:
    """No option makes the miniature vendors real, so the host is embedded here."""
    anchors = Anchors((*amd.real_anchors()._roots, *nvidia.real_anchors()._roots))
    settings = Settings(anchors, endorsements=nvidia_rim.endorsements())
    machine = Machine(MILAN, NvidiaAttester(), 2)
    with machine_of([board(0), board(1)]):
        service = AttestationService(machine, settings, Clock())
        guest = Guest.from_file(path(name))
        outcome = Runtime().run(guest, service.for_guest(guest.digest)).check()
    vm, *gpus = outcome.stdout.decode().splitlines()[:3]
    assert vm.casefold().replace("-", " ") == "vm: attested, amd sev snp"
    assert [gpu.casefold().replace("-", " ") for gpu in gpus] == [
        f"gpu {index}: attested, nvidia gpu" for index in range(2)
    ]

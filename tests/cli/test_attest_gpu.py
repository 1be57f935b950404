"""`attest gpu:N` and `run` on a machine with NVIDIA's GPUs, up to the verdict on their tokens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from wasmtime import wat2wasm

from tests.cli.tool import Outcome
from tests.emulation.namespace import Namespace
from tests.emulation.nvml.emulation import Nvml
from tests.guests import gpu_guests

NONCE = "0123456789abcdef"
REPORT = "nvmlDeviceGetConfComputeGpuAttestationReport"
H100 = "(NVIDIA H100 80GB HBM3, driver 550.90.07)"


@pytest.fixture(scope="module")
def machine() -> Iterator[Namespace]:
    """A machine with eight GPUs, in no order."""
    with Namespace([Nvml()]) as machine:
        yield machine


@pytest.fixture(autouse=True)
def as_it_was(machine: Namespace) -> None:
    """Each test begins with a machine whose GPUs all work."""
    tell(machine)


def tell(machine: Namespace, **changes: object) -> None:
    machine.tell("nvml", json.dumps(changes))


def verify(machine: Namespace, token: str, *options: str) -> Outcome:
    folder = machine.folder("nvml")
    roots = [part for name in ("root.pem", "rim-root.pem") for part in ("--trust", folder / name)]
    files = [
        part for path in sorted(folder.glob("endorsement*")) for part in ("--endorsements", path)
    ]
    arguments = (*roots, *files, *options, "--json")
    return machine.cli("verify", "-", *arguments, stdin=token.encode())


def gpu_in(outcome: Outcome) -> str:
    """Returns which GPU a verified token is about."""
    assert outcome.code == 0, outcome.err
    assert outcome.err.startswith("SIMULATED")  # the miniature's root is none of NVIDIA's
    (evidence,) = json.loads(outcome.out)["claims"]["evidence"]
    return str(evidence["nvidia-gpu"]["ueid"])


def test_the_token_of_each_gpu_verifies(machine: Namespace) -> None:
    tokens = [machine.cli("attest", f"gpu:{n}", "--nonce", NONCE) for n in (0, 7)]
    assert [(token.code, token.err) for token in tokens] == [(0, "")] * 2
    first, last = (gpu_in(verify(machine, token.out, "--nonce", NONCE)) for token in tokens)
    assert first != last
    assert verify(machine, tokens[0].out, "--nonce", "00" * 8).code == 4


@pytest.mark.parametrize("target", ["gpu:8", "gpu:999999999"])
def test_a_gpu_that_is_not_there(machine: Namespace, target: str) -> None:
    outcome = machine.cli("attest", target)
    assert (outcome.code, outcome.out) == (3, "")
    assert "this machine has 8 GPUs, with indices 0 to 7" in outcome.err


def test_cc_mode_off(machine: Namespace) -> None:
    tell(machine, enabled=0)
    outcome = machine.cli("attest", "gpu:0")
    assert outcome.code == 3
    assert f"GPU 0 {H100} is CC capable but CC mode is off; who owns the" in outcome.err


def test_a_lost_gpu_is_named_and_the_next_call_works(machine: Namespace) -> None:
    tell(machine, of_gpu={"3": {REPORT: 15}})
    outcome = machine.cli("attest", "gpu:3")
    assert outcome.code == 6
    assert f"GPU 3 {H100}: NVML says GPU_IS_LOST (15)" in outcome.err
    assert machine.cli("attest", "gpu:4").code == 0
    tell(machine)
    assert machine.cli("attest", "gpu:3").code == 0


def test_without_a_virtual_machine_there_is_no_all(machine: Namespace) -> None:
    tell(machine, of_gpu={"6": {REPORT: 19}})
    outcome = machine.cli("attest", "all")
    assert outcome.code == 6
    assert "the virtual machine: No TEE attestation available" in outcome.err
    assert "1 of 8 devices gave no evidence" in outcome.err
    assert "IN_USE (19)" in outcome.err


@pytest.mark.slow
@pytest.mark.parametrize("build", [gpu_guests.legacy, gpu_guests.component])
def test_a_guest_attests_gpus(machine: Namespace, build: object) -> None:
    assert callable(build)
    guest: Path = build()
    outcome = machine.cli("run", guest, "0", "7", "8", "0")
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()

    assert lines[0] == "count: 8"
    assert [line.partition(" ")[2].partition(":")[0] for line in lines[1:9]] == [*"01234567"]
    assert all(line.endswith(" NVIDIA H100 80GB HBM3 confidential") for line in lines[1:9])
    first, last, beyond, again = lines[9:]
    assert first == again  # a token that is good is handed out again
    assert beyond.startswith("attest-gpu 8: unsupported: there is no GPU 8: this machine has 8")
    devices = set()
    for index, line in (("0", first), ("7", last)):
        prefix = f"attest-gpu {index}: NVIDIA GPU "
        assert line.startswith(prefix)
        devices.add(gpu_in(verify(machine, line.removeprefix(prefix))))
    assert len(devices) == 2


@pytest.mark.parametrize("build", [gpu_guests.legacy, gpu_guests.component])
def test_a_guest_is_told_why_not(machine: Namespace, build: object) -> None:
    assert callable(build)
    guest: Path = build()
    tell(machine, enabled=0)
    lines = machine.cli("run", guest, "7").out.splitlines()
    assert lines[0] == "count: 8"
    assert lines[1].endswith("NVIDIA H100 80GB HBM3")
    assert lines[9].startswith(f"attest-gpu 7: unsupported: GPU 7 {H100} is CC capable but CC")


def test_a_guest_that_asks_nothing_wakes_no_gpu(machine: Namespace, tmp_path: Path) -> None:
    guest = tmp_path / "quiet.wasm"
    text = '(module (memory (export "memory") 1) (func (export "_start")))'
    guest.write_bytes(wat2wasm(text))
    before = len(machine.notes("nvml"))
    assert machine.cli("run", guest).code == 0
    assert len(machine.notes("nvml")) == before

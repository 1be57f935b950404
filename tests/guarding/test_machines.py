"""Hosts on emulated hardware that hold themselves to a policy, and GPUs that rules name by UUID."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from wasmtime import wat2wasm

from tests.cli.tool import run
from tests.collecting.platforms import AMD, INTEL
from tests.emulation.hardware import endorsements, root
from tests.emulation.namespace import Namespace
from tests.emulation.nvml.emulation import Nvml
from tests.emulation.tsm import ConfigfsTsm
from tests.guests import gpu_guests

LOOP = wat2wasm('(module (memory (export "memory") 1) (func (export "_start") (loop (br 0))))')
STOPPED, NOT_STARTED = 126, 125
POLICIES = {
    "snp": 'schema = 1\naccept = ["amd-sev-snp"]\n',
    "tdx": 'schema = 1\naccept = ["intel-tdx"]\n[tdx]\ntcb-statuses = ["UpToDate"]\n',
    "gpus": 'schema = 1\naccept = ["intel-tdx", "nvidia-gpu"]\n',
}


@pytest.fixture(scope="module")
def snp() -> Iterator[Namespace]:
    with Namespace([ConfigfsTsm("sev_guest")], files={"/proc/cpuinfo": AMD}) as machine:
        yield machine


@pytest.fixture(scope="module")
def tdx() -> Iterator[Namespace]:
    with Namespace([ConfigfsTsm("tdx_guest")], files={"/proc/cpuinfo": INTEL}) as machine:
        yield machine


@pytest.fixture(scope="module")
def gpus() -> Iterator[Namespace]:
    emulations = [ConfigfsTsm("tdx_guest"), Nvml(slots=(1, 0))]
    with Namespace(emulations, files={"/proc/cpuinfo": INTEL}) as machine:
        yield machine


class Host:
    """A host on a machine, which is to satisfy a policy as long as its guest runs."""

    def __init__(self, machine: Namespace, policy: str, folder: Path) -> None:
        self.machine, self.journal = machine, folder / "journal"
        machine.tell("tsm", "")
        guest, rules = folder / "guest.wasm", folder / "policy.toml"
        guest.write_bytes(LOOP)
        rules.write_text(POLICIES[policy])
        tsm, nvml = machine.folder("tsm"), machine.folder("nvml")
        roots, files = [f"vendor={root(tsm)}"], endorsements(tsm)
        if policy == "gpus":
            machine.tell("nvml", "")
            roots += [f"devices={root(nvml)}", f"rims={nvml / 'rim-root.pem'}"]
            files += endorsements(nvml)
        command = [sys.executable, "-m", "tests.guarding.miniature_host", *roots, "--", "run"]
        options = ["--require", rules, "--revoke", "0.1", "--journal", self.journal]
        given = [option for file in files for option in ("--endorsements", file)]
        self._command = [*command, *options, *given, "--timeout", "60", guest]

    def start(self) -> subprocess.Popen[bytes]:
        """Starts it, and waits until the guest was checked while it ran."""
        before = len(self.reports)
        process = self.machine.start(*self._command)
        # The journal's token, the check before the guest, and those while it runs.
        self.wait_for(lambda: len(self.reports) >= before + 4 or process.poll() is not None)
        assert process.poll() is None, process.communicate()
        return process

    @property
    def reports(self) -> Sequence[str]:
        """The reports that were asked for."""
        return self.machine.notes("tsm")

    def wait_for(self, what: Callable[[], bool]) -> None:
        """Waits for something, not for ever."""
        deadline = time.monotonic() + 40
        while not what():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def ended(self, process: subprocess.Popen[bytes]) -> str:
        """Returns what a guest was stopped for, as the host said it and its journal keeps it."""
        _, err = process.communicate(timeout=40)
        assert process.returncode == STOPPED, err.decode()
        assert run("journal", "verify", self.journal).code == 0
        return err.decode()


def stops(journal: Path) -> list[dict[str, object]]:
    lines = [
        line for file in sorted(journal.glob("*.jsonl")) for line in file.read_text().splitlines()
    ]
    found = [json.loads(line) for line in lines]
    return [record for record in found if record.get("function") == "stop"]


@pytest.mark.parametrize(
    ("kind", "fault", "verdict", "reason"),
    [
        ("snp", "debug*", "policy", "debug"),
        ("snp", "gone", "unsupported", "no provider of reports"),
        ("tdx", "debug*", "policy", "debug"),
        ("tdx", "outdated*", "policy", "tcb"),
        ("tdx", "gone", "unsupported", "no provider of reports"),
    ],
)
def test_a_machine_that_becomes_bad_stops_its_guest(
    kind: str, fault: str, verdict: str, reason: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    machine: Namespace = request.getfixturevalue(kind)
    host = Host(machine, kind, tmp_path)
    process = host.start()
    machine.tell("tsm", fault)
    said = host.ended(process)
    (stop,) = stops(host.journal)
    assert stop["verdict"] == verdict, said
    assert reason in str(stop["findings"]).lower(), said
    assert "guest.wasm was stopped: " in said
    # Nor does it start again, until the machine is well.
    again = machine.start(*host._command)
    _, err = again.communicate(timeout=60)
    assert (again.returncode, b"not started: " in err) == (NOT_STARTED, True), err
    machine.tell("tsm", "")
    process = host.start()
    process.kill()


@pytest.mark.parametrize("kind", ["snp", "tdx"])
def test_a_machine_that_says_nothing_for_a_while_is_not_bad(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    machine: Namespace = request.getfixturevalue(kind)
    host = Host(machine, kind, tmp_path)
    process = host.start()
    machine.tell("tsm", "ETIMEDOUT ETIMEDOUT")
    before = len(host.reports)
    host.wait_for(lambda: len(host.reports) > before + 4 or process.poll() is not None)
    assert process.poll() is None
    machine.tell("tsm", "ETIMEDOUT*")
    assert "ETIMEDOUT: the host did not answer" in host.ended(process)
    assert [stop["verdict"] for stop in stops(host.journal)] == ["unavailable"]


def test_a_gpu_whose_confidential_mode_goes_off_stops_the_guest(
    gpus: Namespace, tmp_path: Path
) -> None:
    host = Host(gpus, "gpus", tmp_path)
    process = host.start()
    gpus.tell("nvml", json.dumps({"enabled": 0}))
    assert "CC mode is off" in host.ended(process)
    (stop,) = stops(host.journal)
    assert stop["verdict"] == "unsupported"


@pytest.mark.parametrize("build", [gpu_guests.legacy, gpu_guests.component])
def test_a_rule_names_gpus_by_their_uuid(
    gpus: Namespace, build: Callable[[], Path], tmp_path: Path
) -> None:
    gpus.tell("tsm", "")
    gpus.tell("nvml", "")
    found = json.loads(gpus.cli("detect", "--json").out)["gpus"]
    assert [gpu["index"] for gpu in found] == [0, 1]
    rules = tmp_path / "rules.toml"
    for allowed in (0, 1):
        uuid = found[allowed]["uuid"]
        rules.write_text(f'[guests.one]\npath = "*.wasm"\ntargets = ["{uuid.upper()}"]\n')
        outcome = gpus.cli("run", "--guests", rules, build(), "0", "1", "vm", "all")
        lines = dict(line.split(": ", 1) for line in outcome.out.splitlines() if ": " in line)
        assert lines[f"attest-gpu {allowed}"].startswith("NVIDIA GPU "), outcome.out
        for refused in (f"attest-gpu {1 - allowed}", "vm", "all"):
            assert "rule guests.one.targets does not allow" in lines[refused]

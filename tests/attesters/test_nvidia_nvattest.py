"""Evidence from NVIDIA's own tool: what it prints, what it says when it fails, and switches.

The tool is a script that prints what a test put beside it; its JSON is that of the SDK's
`collect-evidence`.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from wasmtime_attestation.attesters import nvattest
from wasmtime_attestation.attesters.nvattest import EvidenceFile, Nvattest
from wasmtime_attestation.attesters.nvattest_gpus import NvattestAttester
from wasmtime_attestation.attesters.nvidia import NvidiaAttester
from wasmtime_attestation.attesters.nvidia_devices import NvidiaDevices
from wasmtime_attestation.endorsements.x509 import load_certificate, pem
from wasmtime_attestation.errors import (
    AttestationError,
    InvalidArgumentError,
    UnavailableError,
    UnsupportedError,
)
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType

from tests.emulation.nvml.machine import NvmlMachine, board, machine_of
from tests.fakes.nvidia import HOPPER, SWITCH, Device

GPU, NVSWITCH = EvidenceType.NVIDIA_GPU, EvidenceType.NVIDIA_SWITCH
NONCE = bytes(range(32))
BOARDS = tuple(board(n).device for n in (2, 0, 1))


def item(device: Device, nonce: bytes) -> dict[str, str]:
    chain = b"".join(map(pem, device.chain()))
    return {
        "arch": "HOPPER",
        "nonce": nonce.hex(),
        "evidence": base64.b64encode(device.report(nonce=nonce)).decode(),
        "certificate": base64.b64encode(chain).decode(),
    }


def document(devices: Iterable[Device], nonce: bytes, code: int = 0) -> bytes:
    evidences = [item(device, nonce) for device in devices]
    return json.dumps(
        {"result_code": code, "result_message": "Success", "evidences": evidences}, indent=4
    ).encode()


class Tool:
    """An nvattest on PATH, which answers what the test says."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self._answer = folder / "answer"
        self._asked = folder / "asked"
        self.script = folder / "nvattest"
        patch.setenv("PATH", str(folder))

    def prints(self, data: bytes, *, program: str = "", code: int = 0, seconds: float = 0) -> None:
        """Has the tool print something, run a program, wait and exit."""
        self._answer.write_bytes(data)
        self._write(
            f"import shutil, sys, time\n"
            f"open({str(self._asked)!r}, 'a').write(' '.join(sys.argv[1:]) + chr(10))\n"
            f"sys.stdout.buffer.write(open({str(self._answer)!r}, 'rb').read())\n"
            f"{program}\nsys.stdout.flush(); time.sleep({seconds}); sys.exit({code})\n"
        )

    def _write(self, program: str) -> None:
        self.script.write_text(f"#!{sys.executable}\n{program}")
        self.script.chmod(0o755)

    @property
    def asked(self) -> list[str]:
        """The arguments of each run."""
        return self._asked.read_text().splitlines()


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tool:
    return Tool(tmp_path, monkeypatch)


def serials(evidence: Iterable[Evidence]) -> list[int]:
    return [load_certificate(piece.endorsements[0].data).serial_number for piece in evidence]


def test_what_it_is_asked_and_what_it_answers(tool: Tool) -> None:
    # The exit status counts for nothing: the system cuts the SDK's codes to a byte.
    tool.prints(document(BOARDS, NONCE), code=9)
    evidence = Nvattest().collect(GPU, NONCE)

    assert tool.asked == [
        f"--format json --log-level off collect-evidence --device gpu --nonce {NONCE.hex()}"
    ]
    assert serials(evidence) == [device.chain()[0].serial_number for device in BOARDS]
    assert {piece.type for piece in evidence} == {GPU}


def test_switches(tool: Tool) -> None:
    tool.prints(document([SWITCH], NONCE))
    (evidence,) = Nvattest().collect(NVSWITCH, NONCE)
    assert evidence.type is NVSWITCH
    assert "--device nvswitch" in tool.asked[0]


def failed(tool: Tool, data: bytes, kind: EvidenceType = GPU) -> AttestationError:
    tool.prints(data)
    with pytest.raises(AttestationError) as caught:
        Nvattest().collect(kind, NONCE)
    return caught.value


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        (500, UnsupportedError, "NVML cannot be used"),
        (509, UnsupportedError, "in no confidential computing mode"),
        (600, UnsupportedError, "install libnvidia-nscq"),
        (501, UnavailableError, "failed with 501"),
        (2, UnavailableError, "failed with 2"),
    ],
)
def test_result_codes(tool: Tool, code: int, kind: type[AttestationError], says: str) -> None:
    answer = {"result_code": code, "result_message": "so it is", "evidences": None}
    error = failed(tool, json.dumps(answer).encode())
    assert type(error) is kind
    assert says in str(error)
    assert "so it is" in str(error)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nvattest: error",
        b"{}",
        b"[]",
        b"[1]",
        b'{"result_code":0,"evidences":null}',
        b'{"result_code":0,"evidences":[]}',
        b'{"result_code":0,"result_code":0,"evidences":[]}',
        b'{"result_code":"0"}',
        b'{"result_code":false}',
        b'{"result_code":0,"evidences":[{"evidence":"!","certificate":""}]}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_what_is_no_evidence(tool: Tool, data: bytes) -> None:
    error = failed(tool, data)
    assert type(error) is UnavailableError
    assert "nvattest" in str(error)
    assert len(str(error)) < 500


def test_evidence_for_another_nonce(tool: Tool) -> None:
    """What the JSON says of itself counts for nothing."""
    stale = json.dumps([item(HOPPER, bytes(32)) | {"nonce": NONCE.hex()}]).encode()
    assert "a report for another nonce" in str(failed(tool, stale))


def test_evidence_of_another_kind(tool: Tool) -> None:
    assert "another kind of device" in str(failed(tool, document([SWITCH], NONCE)))
    assert "another kind of device" in str(failed(tool, document([HOPPER], NONCE), NVSWITCH))


def test_a_tool_that_prints_without_end(tool: Tool) -> None:
    tool.prints(b"", program="while True: sys.stdout.buffer.write(bytes(1 << 16))")
    begun = time.monotonic()
    with pytest.raises(UnavailableError, match="more than 2097152 bytes"):
        Nvattest().collect(GPU, NONCE)
    assert time.monotonic() - begun < 5


def test_a_tool_that_does_not_end(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvattest, "SECONDS", 0.5)
    tool.prints(document(BOARDS, NONCE), seconds=60)
    begun = time.monotonic()
    with pytest.raises(UnavailableError, match=r"did not end within 0\.5 seconds"):
        Nvattest().collect(GPU, NONCE)
    assert time.monotonic() - begun < 5
    assert not _processes(str(tool.script))


def _processes(name: str) -> list[str]:
    listed = subprocess.run(["/bin/ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return [line for line in listed.stdout.splitlines() if name in line]


def test_a_tool_that_cannot_be_run(tool: Tool) -> None:
    tool.script.write_text("#!/nowhere\n")
    tool.script.chmod(0o755)
    with pytest.raises(UnavailableError, match="cannot be run: No such file"):
        Nvattest().collect(GPU, NONCE)


def test_without_the_tool(tool: Tool) -> None:
    del tool
    with pytest.raises(UnsupportedError, match="nvattest is not installed"):
        Nvattest().collect(NVSWITCH, NONCE)


@pytest.mark.parametrize("write", [lambda d, n: document(d, n), lambda d, n: _list(d, n)])
def test_a_file_answers_the_nonce_that_it_was_made_for(
    write: Callable[[Iterable[Device], bytes], bytes], tmp_path: Path
) -> None:
    path = tmp_path / "evidence.json"
    path.write_bytes(write(BOARDS, NONCE))
    assert len(EvidenceFile(path).collect(GPU, NONCE)) == 3
    with pytest.raises(UnavailableError, match="for another nonce"):
        EvidenceFile(path).collect(GPU, bytes(32))
    with pytest.raises(UnavailableError, match="cannot be read: No such file"):
        EvidenceFile(tmp_path / "absent").collect(GPU, NONCE)


def test_a_file_that_is_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(UnavailableError, match="is no regular file"):
            EvidenceFile(path).collect(GPU, NONCE)


def _list(devices: Iterable[Device], nonce: bytes) -> bytes:
    return json.dumps([item(device, nonce) for device in devices]).encode()


class Signing:
    """A source that signs for whatever nonce it is asked for."""

    def __init__(self, *devices: Device) -> None:
        self.devices = list(devices)

    def collect(self, kind: EvidenceType, nonce: bytes) -> tuple[Evidence, ...]:
        return nvattest._read(document(self.devices, nonce), kind, nonce, "signing")


def test_gpus_are_known_by_their_certificates() -> None:
    source = Signing(*BOARDS)
    attester = NvattestAttester(source)
    gpus = attester.gpus()
    expected = [device.chain()[0].serial_number for device in BOARDS]
    assert [(gpu.index, gpu.uuid) for gpu in gpus] == [
        (index, f"ueid:{number}") for index, number in enumerate(expected)
    ]
    assert {gpu.name for gpu in gpus} == {"GH100 A01 GSP BROM"}

    source.devices.reverse()
    assert serials(attester.collect_all(NONCE)) == expected
    assert serials([attester.collect(2, NONCE)]) == expected[2:]
    assert attester.gpus() == gpus
    with pytest.raises(UnsupportedError, match="there is no GPU 3"):
        attester.collect(3, NONCE)
    with pytest.raises(InvalidArgumentError):
        attester.collect(0, b"")


def test_other_gpus_than_before() -> None:
    source = Signing(*BOARDS)
    attester = NvattestAttester(source)
    attester.collect_all(NONCE)
    for devices in (BOARDS[:2], (*BOARDS, HOPPER), (*BOARDS[:2], HOPPER)):
        source.devices = list(devices)
        with pytest.raises(UnavailableError, match="start the host again to accept other devices"):
            attester.collect(0, NONCE)
    source.devices = [HOPPER, HOPPER]
    with pytest.raises(UnavailableError, match="one GPU twice"):
        attester.collect(0, NONCE)


def test_it_stands_in_where_pythons_package_is_missing(
    tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", {}.get)
    tool.prints(document(BOARDS, NONCE))
    assert len(NvidiaDevices().collect_all(NONCE)) == 3


def test_nvml_is_preferred(tool: Tool) -> None:
    tool.prints(document(BOARDS, NONCE))
    with NvmlMachine([board(0)]):
        assert [gpu.uuid for gpu in NvidiaDevices().gpus()] == [board(0).uuid]
        devices = NvidiaDevices()
        assert len(devices.collect_all(NONCE)) == 1
        assert devices.collect(0, NONCE).type is GPU


def test_switches_come_where_the_bus_is_protected(tool: Tool) -> None:
    tool.prints(document([SWITCH], NONCE))
    with machine_of([board(0), board(1)], enabled=0, multi_gpu=1) as machine:
        evidence = NvidiaAttester().collect_all(NONCE)
        assert [piece.type for piece in evidence] == [GPU, GPU, NVSWITCH]
        assert NvidiaAttester().collect(0, NONCE).type is GPU
        machine.multi_gpu, machine.enabled = 0, 1
        assert [piece.type for piece in NvidiaAttester().collect_all(NONCE)] == [GPU, GPU]


def test_switches_are_not_left_out_in_silence(tool: Tool) -> None:
    del tool
    with (
        machine_of([board(0)], multi_gpu=1),
        pytest.raises(UnsupportedError, match="NVSwitches are reached through it; install"),
    ):
        NvidiaAttester().collect_all(NONCE)

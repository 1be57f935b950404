"""GPUs that fail, hang and get lost, and drivers that are not there: what is said, and when."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from wasmtime_attestation.attesters import nvml_errors
from wasmtime_attestation.attesters.nvidia import NvidiaAttester
from wasmtime_attestation.attesters.nvml import Nvml, TimeLimits
from wasmtime_attestation.errors import AttestationError, UnavailableError, UnsupportedError
from wasmtime_attestation.evidence import spdm

from tests.cli.tool import COMMAND
from tests.emulation.nvml.machine import SOCKET, NvmlMachine, board, eight, machine_of

NONCE = bytes(range(32))
REPORT = "nvmlDeviceGetConfComputeGpuAttestationReport"
CERTIFICATE = "nvmlDeviceGetConfComputeGpuCertificate"
# Kind and words by code, after NVIDIA's documentation of nvmlReturn_t.
CODES: dict[int, tuple[type[AttestationError], str]] = {
    1: (UnavailableError, "UNINITIALIZED (1)"),
    2: (UnavailableError, "INVALID_ARGUMENT (2)"),
    3: (UnsupportedError, "NOT_SUPPORTED (3)"),
    4: (UnavailableError, "NO_PERMISSION (4): this user may not open the device"),
    6: (UnavailableError, "NOT_FOUND (6)"),
    7: (UnavailableError, "INSUFFICIENT_SIZE (7)"),
    8: (UnavailableError, "INSUFFICIENT_POWER (8)"),
    9: (UnavailableError, "DRIVER_NOT_LOADED (9): NVIDIA's kernel driver is not loaded"),
    10: (UnavailableError, "TIMEOUT (10)"),
    11: (UnavailableError, "IRQ_ISSUE (11)"),
    12: (UnsupportedError, "LIBRARY_NOT_FOUND (12): libnvidia-ml.so.1 is not here"),
    13: (UnsupportedError, "FUNCTION_NOT_FOUND (13): this driver is too old"),
    14: (UnavailableError, "CORRUPTED_INFOROM (14)"),
    15: (UnavailableError, "GPU_IS_LOST (15): the GPU has fallen off the bus"),
    16: (UnavailableError, "RESET_REQUIRED (16)"),
    17: (UnavailableError, "OPERATING_SYSTEM (17)"),
    18: (UnavailableError, "LIB_RM_VERSION_MISMATCH (18)"),
    19: (UnavailableError, "IN_USE (19)"),
    20: (UnavailableError, "MEMORY (20)"),
    21: (UnavailableError, "NO_DATA (21)"),
    23: (UnavailableError, "INSUFFICIENT_RESOURCES (23)"),
    25: (UnavailableError, "ARGUMENT_VERSION_MISMATCH (25)"),
    27: (UnavailableError, "NOT_READY (27)"),
    28: (UnsupportedError, "GPU_NOT_FOUND (28)"),
    29: (UnavailableError, "INVALID_STATE (29)"),
    999: (UnavailableError, "UNKNOWN (999)"),
    22: (UnavailableError, "NVML returned 22"),
    12345: (UnavailableError, "NVML returned 12345"),
}


@pytest.mark.parametrize("function", [REPORT, CERTIFICATE])
@pytest.mark.parametrize("code", CODES)
def test_every_code_of_a_gpu_is_explained(code: int, function: str) -> None:
    with NvmlMachine([board(0)]) as machine:
        attester = NvidiaAttester()
        machine.errors[function] = code
        with pytest.raises(AttestationError) as caught:
            attester.collect(0, NONCE)
        kind, words = CODES[code]
        assert type(caught.value) is kind
        assert words in str(caught.value)
        assert str(caught.value).startswith("GPU 0 (NVIDIA H100 80GB HBM3, driver 550.90.07): ")
        machine.errors.clear()
        assert attester.collect(0, NONCE).data


@pytest.mark.parametrize("code", CODES)
def test_every_code_of_the_driver_is_explained(code: int) -> None:
    with machine_of([board(0)], errors={"nvmlInitWithFlags": code}) as machine:
        attester = NvidiaAttester()
        with pytest.raises(AttestationError) as caught:
            attester.gpus()
        kind, words = CODES[code]
        assert type(caught.value) is kind
        assert words in str(caught.value)
        machine.errors.clear()
        assert len(attester.gpus()) == 1


def test_the_words_are_those_of_the_table() -> None:
    assert set(CODES) - {22, 12345} == set(nvml_errors._MEANINGS)


def test_a_gpu_that_fails_while_they_are_listed_is_named() -> None:
    """Without its place on the bus nobody knows which index another one has."""
    with eight() as machine:
        machine.gpus[6].errors["nvmlDeviceGetHandleByIndex_v2"] = 15
        with pytest.raises(UnavailableError, match=r"number 6 of NVML's 8: .* GPU_IS_LOST"):
            NvidiaAttester().gpus()


def test_a_gpu_that_is_lost_between_calls_and_comes_back() -> None:
    with eight() as machine:
        attester = NvidiaAttester()
        lost = next(gpu for gpu in machine.gpus if gpu.uuid == board(4).uuid)
        lost.errors["nvmlDeviceGetUUID"] = 15
        with pytest.raises(UnavailableError, match="GPU_IS_LOST"):
            attester.gpus()  # the first look
        lost.errors.clear()
        assert len(attester.gpus()) == 8

        lost.errors["nvmlDeviceGetUUID"] = 15
        with pytest.raises(UnavailableError, match=r"GPU 4 .* GPU_IS_LOST"):
            attester.collect(4, NONCE)
        assert attester.collect(3, NONCE).data
        lost.errors.clear()
        assert attester.collect(4, NONCE).data


def test_one_of_eight_fails() -> None:
    with eight() as machine:
        attester = NvidiaAttester()
        attester.gpus()
        next(gpu for gpu in machine.gpus if gpu.uuid == board(6).uuid).errors[REPORT] = 19
        machine.calls.clear()
        with pytest.raises(UnavailableError) as caught:
            attester.collect_all(NONCE)

    message = str(caught.value)
    assert message.startswith("1 of 8 devices gave no evidence, so that nothing was attested: ")
    assert "GPU 6 (NVIDIA H100 80GB HBM3, driver 550.90.07): NVML says IN_USE (19)" in message
    assert message.endswith("evidence came from: GPU 0, GPU 1, GPU 2, GPU 3, GPU 4, GPU 5, GPU 7")
    assert machine.calls.count(REPORT) == 8


def test_all_of_many_fail_and_the_message_is_bounded() -> None:
    gpus = [board(n, uuid=f"GPU-{n}", name="N" * 90, errors={REPORT: 4}) for n in range(64)]
    with NvmlMachine(gpus), pytest.raises(UnavailableError) as caught:
        NvidiaAttester().collect_all(NONCE)

    assert "and 52 more; evidence came from: none" in str(caught.value)
    assert len(str(caught.value)) < 6000


def hanging(seconds: float = 0.3) -> NvidiaAttester:
    return NvidiaAttester(Nvml(TimeLimits(start=seconds, call=seconds)))


def test_a_call_that_hangs_is_left_behind() -> None:
    with NvmlMachine([board(0)]) as machine:
        attester = hanging()
        attester.gpus()
        machine.hangs.add(REPORT)
        begun = time.monotonic()
        with pytest.raises(UnavailableError, match=r"GPU 0 .*: .* has not answered for"):
            attester.collect(0, NONCE)
        assert 0.3 <= time.monotonic() - begun < 2

        begun = time.monotonic()
        with pytest.raises(UnavailableError, match=r"; before it came: GPU 0 "):
            attester.gpus()
        assert time.monotonic() - begun < 0.2

        machine.hangs.clear()
        machine._over.set()  # the driver returns after all
        time.sleep(0.2)
        assert attester.collect(0, NONCE).data


def test_one_of_eight_hangs() -> None:
    with eight() as machine:
        attester = hanging(0.5)
        attester.gpus()
        machine.hangs.add(REPORT)
        begun = time.monotonic()
        with pytest.raises(UnavailableError, match="8 of 8 devices"):
            attester.collect_all(NONCE)
        assert time.monotonic() - begun < 2


@pytest.mark.parametrize("function", ["nvmlInitWithFlags", "nvmlDeviceGetHandleByIndex_v2"])
def test_a_driver_that_hangs_at_the_start(function: str) -> None:
    with machine_of([board(0)], hangs={function}):
        attester = hanging()
        begun = time.monotonic()
        for _ in range(3):
            with pytest.raises(UnavailableError, match="has not answered"):
                attester.gpus()
        assert time.monotonic() - begun < 2


def test_a_process_ends_while_the_driver_hangs() -> None:
    program = (
        "from wasmtime_attestation.attesters.nvidia import NvidiaAttester\n"
        "from wasmtime_attestation.attesters.nvml import Nvml, TimeLimits\n"
        "from wasmtime_attestation.errors import UnavailableError\n"
        "try: NvidiaAttester(Nvml(TimeLimits(0.2, 0.2))).gpus()\n"
        "except UnavailableError: print('told')\n"
    )
    with machine_of([board(0)], hangs={"nvmlInitWithFlags"}) as machine:
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=machine.environment(),
            capture_output=True,
            timeout=30,
            check=True,
        )
    assert (done.stdout, done.stderr) == (b"told\n", b"")


def test_thirty_two_at_once_are_served_in_turn_and_none_fails() -> None:
    """Together they take longer than one may take: waiting for others does not count."""
    slow = board(0)

    def report(nonce: bytes) -> bytes:
        time.sleep(0.02)
        return slow.device.report(nonce=nonce)

    slow.report = report
    nonces = [bytes([n]) * 32 for n in range(32)]
    with NvmlMachine([slow]) as machine:
        attester = hanging(0.4)
        attester.gpus()
        barrier = threading.Barrier(32)

        def collect(nonce: bytes) -> bytes:
            barrier.wait()
            return attester.collect(0, nonce).data

        with ThreadPoolExecutor(32) as pool:
            begun = time.monotonic()
            reports = [*pool.map(collect, nonces)]
            assert time.monotonic() - begun > 0.4
        assert [spdm.decode(report).nonce for report in reports] == nonces
        assert machine.at_once == 1


def test_who_comes_first_is_served_first() -> None:
    served: list[int] = []
    gpu = board(0)

    def report(nonce: bytes) -> bytes:
        served.append(nonce[0])
        time.sleep(0.3 if nonce[0] == 0 else 0)
        return gpu.device.report(nonce=nonce)

    gpu.report = report
    with NvmlMachine([gpu]):
        attester = NvidiaAttester()
        attester.gpus()
        with ThreadPoolExecutor(6) as pool:
            for n in range(6):
                pool.submit(attester.collect, 0, bytes([n]) * 32)
                time.sleep(0.03)  # the first still holds the device
    assert served == [*range(6)]


def told(environment: Mapping[str, str], program: str | None = None) -> tuple[int, str]:
    """Returns how a process that attests a GPU ended, and what it said."""
    command = COMMAND if program is None else (sys.executable, "-c", program)
    done = subprocess.run(
        [*command, "attest", "gpu:0"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def test_without_the_library() -> None:
    code, err = told(os.environ)
    assert code == 3
    assert "libnvidia-ml.so.1 is not here: no driver of NVIDIA is installed" in err


def test_without_pythons_package(tmp_path: Path) -> None:
    program = """
import importlib.util, sys
sys.modules["pynvml"] = None
importlib.util.find_spec = lambda name: None
from wasmtime_attestation.cli import main
main()
"""
    with NvmlMachine([board(0)]) as machine:
        # No tool of NVIDIA's is on this path either.
        code, err = told({**machine.environment(), "PATH": str(tmp_path)}, program)
    assert code == 3
    assert "nvidia-ml-py is not installed" in err
    assert "install wasmtime-attestation[nvidia]" in err


def test_with_another_package_of_that_name(tmp_path: Path) -> None:
    (tmp_path / "pynvml.py").touch()
    path = os.pathsep.join((str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])))
    code, err = told({**os.environ, "PYTHONPATH": path})
    assert code == 3
    assert "it is too old, or the package of that name" in err


def test_a_library_without_a_driver_behind_it() -> None:
    """As one whose kernel module crashed; the socket is where nobody listens."""
    with NvmlMachine([board(0)]) as machine:
        code, err = told({**machine.environment(), SOCKET: "/nowhere"})
    assert code == 6
    assert "listing the GPUs: NVML says UNKNOWN (999)" in err

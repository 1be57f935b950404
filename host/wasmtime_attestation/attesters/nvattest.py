"""Evidence from NVIDIA's own tool, `nvattest`, in the JSON that it prints or wrote to a file.

It attests every device at once, in NVML's order, and its evidence has neither index nor UUID:
a GPU is known by the serial number of its certificate.

Source: NVIDIA attestation SDK, nv-attestation-cli (collect-evidence).
"""

from __future__ import annotations

import os
import selectors
import shutil
import stat
import subprocess
import time
from pathlib import Path
from typing import IO, Protocol

from wasmtime_attestation.attesters.nvidia_answer import check_answer, check_nonce_size
from wasmtime_attestation.attesters.system_calls import opened
from wasmtime_attestation.errors import UnavailableError, UnsupportedError
from wasmtime_attestation.evidence import nvidia_json, strict_json
from wasmtime_attestation.evidence.envelope import Evidence, EvidenceType
from wasmtime_attestation.evidence.strict_json import Json, brief

SECONDS = 180.0
"""How long the tool may take."""
MAX_OUTPUT = 2 << 20
"""Bytes of JSON; a device has 12 KB."""
NOT_INSTALLED = (
    "nvattest is not installed, and NVSwitches are reached through it; install NVIDIA's packages "
    "nvattest and libnvidia-nscq (of the driver's branch)"
)
# Result codes of the SDK that say that there is no such thing here.
_LACKING = {
    500: "NVML cannot be used: no driver, or none that works",
    509: "the GPUs are in no confidential computing mode, nor in the protected PCIe mode",
    600: "NSCQ cannot be used: install libnvidia-nscq of the driver's branch",
}
_DEVICES = {EvidenceType.NVIDIA_GPU: "gpu", EvidenceType.NVIDIA_SWITCH: "nvswitch"}


class Source(Protocol):
    """Where evidence of all devices of a kind comes from."""

    def collect(self, kind: EvidenceType, nonce: bytes) -> tuple[Evidence, ...]:
        """Collects evidence that carries a nonce (32 bytes)."""


class Nvattest:
    """The tool, as it is found on PATH."""

    def collect(self, kind: EvidenceType, nonce: bytes) -> tuple[Evidence, ...]:
        """Collects evidence of all GPUs or all switches.

        Raises:
            UnsupportedError: the tool is not here, or the devices have no evidence.
            UnavailableError: it failed, took too long, or printed something else.
        """
        check_nonce_size(nonce)
        tool = shutil.which("nvattest")
        if tool is None:
            raise UnsupportedError(NOT_INSTALLED)
        arguments = ["--format", "json", "--log-level", "off", "collect-evidence"]
        arguments += ["--device", _DEVICES[kind], "--nonce", nonce.hex()]
        return _read(_output([tool, *arguments]), kind, nonce, "nvattest")


class EvidenceFile:
    """A file that nvattest wrote; it answers the one nonce that it was made for."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def collect(self, kind: EvidenceType, nonce: bytes) -> tuple[Evidence, ...]:
        """Reads the evidence.

        Raises:
            UnavailableError: the file cannot be read, or is for another nonce.
        """
        check_nonce_size(nonce)
        try:
            # Not to wait for whoever would write to a pipe of that name.
            with opened(self._path, os.O_RDONLY | os.O_NONBLOCK) as descriptor:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise UnavailableError(f"{self._path} is no regular file")
                with os.fdopen(descriptor, "rb", closefd=False) as file:
                    data = file.read(MAX_OUTPUT + 1)
        except OSError as error:
            raise UnavailableError(f"{self._path} cannot be read: {error.strerror}") from error
        return _read(data, kind, nonce, str(self._path))


def _read(data: bytes, kind: EvidenceType, nonce: bytes, name: str) -> tuple[Evidence, ...]:
    if len(data) > MAX_OUTPUT:
        raise UnavailableError(f"{name} has more than {MAX_OUTPUT} bytes, which is no evidence")
    try:
        document = strict_json.loads(data, floats=True)
        if isinstance(document, dict):
            _check_result(document, name)
            document = document.get("evidences")
        evidence = nvidia_json.read(document)
    except (ValueError, RecursionError) as error:
        raise UnavailableError(f"{name} gave no evidence that can be read: {error}") from error
    for position, piece in enumerate(evidence):
        check_answer(piece, nonce, kind, f"{name}, device {position}")
    return evidence


def _check_result(document: dict[str, Json], name: str) -> None:
    code = document.get("result_code")
    if code == 0:
        return
    message = brief(document.get("result_message"))
    if isinstance(code, int) and code in _LACKING:
        raise UnsupportedError(f"{name} says {code} {message}: {_LACKING[code]}")
    raise UnavailableError(f"{name} failed with {brief(code)} {message}; see its log")


def _output(command: list[str]) -> bytes:
    """Runs a command without a shell and returns what it prints, at most `MAX_OUTPUT` + 1 bytes."""
    end = time.monotonic() + SECONDS
    try:
        process = subprocess.Popen(  # noqa: S603 - no shell, and every argument is ours
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        raise UnavailableError(f"{command[0]} cannot be run: {error.strerror}") from error
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    try:
        return _read_pipe(process.stdout, end)
    finally:
        process.kill()
        process.stdout.close()
        _reap(process)


def _read_pipe(pipe: IO[bytes], end: float) -> bytes:
    data = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while len(data) <= MAX_OUTPUT:
            if not selector.select(max(0.0, end - time.monotonic())):
                raise UnavailableError(
                    f"nvattest did not end within {SECONDS:g} seconds and was stopped"
                )
            chunk = os.read(pipe.fileno(), 1 << 16)
            if not chunk:
                break
            data += chunk
    return bytes(data)


def _reap(process: subprocess.Popen[bytes]) -> None:
    """One that is stuck in the driver cannot even be killed: it is left behind."""
    try:
        process.wait(1.0)
    except subprocess.TimeoutExpired:
        return

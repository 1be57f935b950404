"""Absurd inputs are refused at once, with little memory and one clear line (DESIGN section 7)."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from wasmtime_attestation.endorsements.x509 import der, pem

from tests.cli.tool import COMMAND
from tests.fakes.amd import MILAN
from tests.fakes.token import Forger, assemble, encode

if sys.platform != "linux":
    pytest.skip("limits and their measures are Linux's", allow_module_level=True)

SECONDS, MEGABYTES = 2.0, 200
"""Of processor time and of resident memory, the interpreter's start included."""
HARD_LIMIT = 2 << 30
AT = ("--at", "2026-03-01T00:00:10Z")
DEPTH = 100_000
CERTIFICATES = 10_000


@dataclass(frozen=True)
class Run:
    """How `verify` ended, and what it took."""

    code: int
    out: str
    err: str
    seconds: float
    megabytes: float


def verify(*arguments: str | Path, source: Path | int = subprocess.DEVNULL) -> Run:
    """Runs the tool in a process that cannot take the machine with it."""
    out, err, figures = (os.memfd_create(name) for name in ("out", "err", "figures"))
    stdin = os.open(source, os.O_RDONLY) if isinstance(source, Path) else source
    command = [*COMMAND, "verify", *map(str, arguments), *AT]
    subprocess.run(
        [sys.executable, "-S", "-c", _LAUNCHER, str(figures), *command],
        stdin=stdin,
        stdout=out,
        stderr=err,
        pass_fds=[figures],
        check=True,
    )
    texts = [os.pread(file, 1 << 20, 0).decode() for file in (out, err, figures)]
    for file in (out, err, figures):
        os.close(file)
    code, seconds, kibibytes = texts[2].split()
    return Run(int(code), texts[0], texts[1], float(seconds), int(kibibytes) / 1024)


# A small process starts the tool: the peak of a process counts what its parent had at the fork.
_LAUNCHER = f"""
import os, resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({HARD_LIMIT}, {HARD_LIMIT}))
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
figures, *command = sys.argv[1:]
process = os.posix_spawnp(command[0], command, os.environ)
_, status, usage = os.wait4(process, 0)
code, seconds = os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime
os.write(int(figures), f"{{code}} {{seconds}} {{usage.ru_maxrss}}".encode())
"""


def refused(run: Run, code: int, says: str) -> None:
    assert run.code == code, run.err
    assert says in run.err
    assert len(run.err.splitlines()) == 1
    assert len(run.err) < 1000
    assert "Traceback" not in run.err
    assert run.seconds < SECONDS
    assert run.megabytes < MEGABYTES


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(64 << 20))
    return file.getvalue()


def laughs() -> bytes:
    """An XML text that doubles and doubles again where entities are expanded."""
    entities = "".join(
        f'<!ENTITY e{n} "{"&e%d;" % (n - 1) * 10}">'  # noqa: UP031
        for n in range(1, 12)
    )
    return f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "ha">{entities}]><x>&e11;</x>'.encode()


def deep_token() -> bytes:
    payload = b'{"a":' * DEPTH + b"1" + b"}" * DEPTH
    header = {"alg": "ES384", "typ": "eat+jwt", "kid": encode(bytes(32))}
    return assemble(header, payload, bytes(96)).encode()


def token_with_a_long_chain() -> bytes:
    host = Forger()
    payload = host.payload()
    certificate = {"type": "x509-certificate", "data": encode(b"\x30\x00")}
    payload["evidence"][0]["endorsements"] = [certificate] * CERTIFICATES
    return host.sign(payload).encode()


def chain_der() -> bytes:
    return der(MILAN.chain()[0]) * CERTIFICATES


def chain_pem() -> bytes:
    return pem(MILAN.chain()[0]) * CERTIFICATES


SMALL_PEM = b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n" * CERTIFICATES

INPUTS: dict[str, tuple[Callable[[], bytes], str]] = {
    "JSON object of depth 100,000": (
        lambda: b'{"a":' * DEPTH + b"1" + b"}" * DEPTH,
        "nested deeper than 32",
    ),
    "JSON array of depth 100,000": (lambda: b"[" * DEPTH + b"]" * DEPTH, "nested deeper than 32"),
    "JSON that never closes": (lambda: b"[" * DEPTH, "nested deeper than 32"),
    "JSON of a million values": (lambda: b"[" + b"0," * 1_000_000 + b"0]", "values"),
    "JSON number of a million digits": (lambda: b'{"a":' + b"9" * 1_000_000 + b"}", "out of range"),
    "token of depth 100,000": (deep_token, "nested deeper than 32"),
    "token with 10,000 certificates": (token_with_a_long_chain, "64"),
    "token of four million dots": (lambda: b"." * 4_000_000, "1048576 is the limit"),
    "chain of 10,000 in DER": (chain_der, "larger than 4194304 bytes"),
    "chain of 10,000 in PEM": (chain_pem, "larger than 4194304 bytes"),
    "chain of 10,000 small ones": (lambda: SMALL_PEM, "neither a token nor evidence"),
    "gzip bomb": (lambda: gzip.compress(bytes(64 << 20)), "neither a token nor evidence"),
    "zip bomb": (zipped, "neither a token nor evidence"),
    "XML bomb": (laughs, "neither a token nor evidence"),
    "hex of nothing": (lambda: b"00" * (2 << 20), "neither a token nor evidence"),
}


@pytest.mark.parametrize("name", INPUTS)
def test_as_input(name: str, tmp_path: Path) -> None:
    make, says = INPUTS[name]
    path = tmp_path / "input"
    path.write_bytes(make())

    run = verify(path)

    refused(run, 4, says)
    assert run.out.splitlines()[-1].startswith("result   REJECTED")


ENDORSEMENTS: dict[str, tuple[Callable[[], bytes], str]] = {
    "JSON object of depth 100,000": (INPUTS["JSON object of depth 100,000"][0], "deeper than 32"),
    "JSON of a million values": (
        lambda: b'{"tcb_info":[' + b"0," * 500_000 + b"0]}",
        "more than 250000 values",
    ),
    "chain of 10,000 in DER": (chain_der, "more than 1048576 bytes"),
    "chain of 10,000 in PEM": (chain_pem, "more than 1048576 bytes"),
    "chain of 10,000 small ones": (lambda: SMALL_PEM, "more than 64 PEM blocks"),
    "chain of a mebibyte in DER": (lambda: chain_der()[: 1 << 20], "neither certificates nor"),
    "gzip bomb": (INPUTS["gzip bomb"][0], "neither certificates nor"),
    "zip bomb": (zipped, "neither certificates nor"),
    "XML bomb": (laughs, "neither certificates nor"),
}


@pytest.mark.parametrize("name", ENDORSEMENTS)
def test_as_endorsement(name: str, tmp_path: Path) -> None:
    make, says = ENDORSEMENTS[name]
    report, path = tmp_path / "report", tmp_path / "endorsement"
    report.write_bytes(MILAN.report())
    path.write_bytes(make())

    run = verify(report, "--endorsements", path)

    refused(run, 2, says)
    assert run.err.startswith(f"invalid-argument: {path}")
    assert run.out == ""


def test_a_gibibyte(tmp_path: Path) -> None:
    report, path = tmp_path / "report", tmp_path / "sparse"
    report.write_bytes(MILAN.report())
    with path.open("wb") as file:
        file.truncate(1 << 30)

    refused(verify(path), 4, "larger than 4194304 bytes")
    for option in ("--endorsements", "--trust", "--policy"):
        refused(verify(report, option, path), 2, "more than 1048576 bytes")


def test_a_pipe_without_an_end() -> None:
    with subprocess.Popen(["yes"], stdout=subprocess.PIPE) as endless:
        assert endless.stdout is not None
        run = verify("-", source=endless.stdout.fileno())
        endless.stdout.close()

    refused(run, 4, "larger than 4194304 bytes")


def test_a_device_without_an_end(tmp_path: Path) -> None:
    report = tmp_path / "report"
    report.write_bytes(MILAN.report())

    refused(verify("/dev/zero"), 4, "larger than 4194304 bytes")
    refused(verify(report, "--endorsements", "/dev/zero"), 2, "more than 1048576 bytes")


@pytest.mark.parametrize(
    ("count", "content", "says"),
    [
        (10_000, b"x", "more than 1000 files"),
        (900, b'{"tcb_info":' + b"[" * 500_000, "more than 16777216 bytes"),
        (900, os.urandom(15_000), "no certificate, revocation list or collateral"),
        (900, SMALL_PEM[:15_000], "no certificate, revocation list or collateral"),
    ],
    ids=["10,000 files", "large files", "garbage", "PEM that is none"],
)
def test_folders(tmp_path: Path, count: int, content: bytes, says: str) -> None:
    report, folder = tmp_path / "report", tmp_path / "folder"
    report.write_bytes(MILAN.report())
    folder.mkdir()
    for number in range(count):
        (folder / str(number)).write_bytes(content)

    refused(verify(report, "--endorsements", folder), 2, says)


def test_a_folder_of_more_certificates_than_one_verification_takes(tmp_path: Path) -> None:
    """Each is another one: the same certificate would count once."""
    report, folder = tmp_path / "report", tmp_path / "folder"
    report.write_bytes(MILAN.report())
    folder.mkdir()
    certificate = der(MILAN.chain()[0])
    for number in range(900):
        changed = certificate[:-4] + number.to_bytes(4, "big")
        (folder / f"{number:04}").write_bytes(changed)

    refused(verify(report, "--endorsements", folder), 2, "more than 64 certificates")

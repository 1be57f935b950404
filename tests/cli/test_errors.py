"""Exit codes and messages: every failure has its own, and none is a traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from wasmtime_attestation.errors import (
    AttestationError,
    DeniedError,
    Finding,
    InternalError,
    InvalidArgumentError,
    PolicyError,
    RejectedError,
    UnavailableError,
    UnsupportedError,
)

from tests.cli.tool import COMMAND, run, run_process
from tests.fakes.token import Forger

FINDINGS = [Finding("token.time", "expired"), Finding("policy.debug", "debug allowed")]


def fail_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Makes `detect` fail, the shortest of the commands."""

    def failing() -> None:
        raise error

    monkeypatch.setattr("wasmtime_attestation.attesters.select.detect_here", failing)


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InternalError("broken"), 1, "internal: broken"),
        (InvalidArgumentError("a reason"), 2, "invalid-argument: a reason"),
        (UnsupportedError("a reason"), 3, "unsupported: a reason"),
        (RejectedError(FINDINGS[:1]), 4, "rejected: token.time: expired"),
        (
            PolicyError(FINDINGS),
            5,
            "policy: token.time: expired; policy.debug: debug allowed",
        ),
        (UnavailableError("a reason"), 6, "unavailable: a reason"),
        (DeniedError("a reason"), 7, "denied: a reason"),
    ],
    ids=lambda value: value.case if isinstance(value, AttestationError) else "",
)
def test_each_error_has_its_code(
    monkeypatch: pytest.MonkeyPatch, error: AttestationError, code: int, line: str
) -> None:
    fail_with(monkeypatch, error)
    outcome = run("detect")
    assert (outcome.code, outcome.out, outcome.err) == (code, "", f"{line}\n")


@pytest.mark.parametrize(
    "error", [RuntimeError("a fault"), KeyError("x"), RecursionError(), MemoryError()]
)
def test_a_fault_of_ours_says_so(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    fail_with(monkeypatch, error)
    outcome = run("detect")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith(f"internal: {type(error).__name__}: ")
    assert "please report it" in outcome.err


def test_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, KeyboardInterrupt())
    assert run("detect").code == 130


def test_no_error_has_findings_without_one() -> None:
    for error in (RejectedError, PolicyError):
        with pytest.raises(ValueError, match="at least one"):
            error([])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "Usage: "),
        (("forge",), "No such command 'forge'"),
        (("--forge",), "No such option"),
        (("verify",), "Missing argument"),
        (("verify", "a", "b"), ""),
        (("attest",), "Missing argument"),
        (("attest", "vm", "--nonce"), "requires an argument"),
        (("detect", "now"), "unexpected extra argument"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], says: str) -> None:
    outcome = run(*arguments)
    assert outcome.code == 2
    assert outcome.out == ""
    assert says in outcome.err


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ("verify", "--help"), ("--version",)])
def test_help_is_no_error(arguments: tuple[str, ...]) -> None:
    outcome = run(*arguments)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out


def test_the_codes_in_processes_of_their_own(root: Path, token: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    payload = Forger().payload()
    payload["evidence"][0]["endorsements"] = []
    bare.write_text(Forger().sign(payload))
    debug = tmp_path / "debug"
    debug.write_text(Forger().sign(Forger().payload(policy=0xB0000)))
    options = ("--trust", root, "--at", "2026-03-01T00:00:10Z")
    codes = {
        0: ("verify", token, *options),
        2: ("verify", token, "--at", "soon"),
        3: ("attest", "vm", "--tee", "none"),
        4: ("verify", token, "--at", "2026-03-01T00:00:10Z"),
        5: ("verify", debug, *options),
        6: ("verify", bare, *options),
    }
    for code, arguments in codes.items():
        assert run_process(*arguments).code == code


def without_reader(*arguments: str | Path) -> tuple[int, str]:
    """Runs the tool while nobody reads what it prints."""
    with subprocess.Popen(
        [*COMMAND, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read().decode()
        return process.wait(timeout=60), errors


def test_a_broken_pipe_is_no_traceback(root: Path, token: Path) -> None:
    for arguments in (("detect",), ("verify", token, "--trust", root)):
        code, errors = without_reader(*arguments)
        assert code == 1
        assert "Traceback" not in errors
        assert "Exception ignored" not in errors
        assert "BrokenPipeError" not in errors


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_a_full_disk_is_no_traceback(root: Path, token: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*COMMAND, "verify", token, "--trust", root, "--at", "2026-03-01T00:00:10Z"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    errors = done.stderr.decode()
    assert done.returncode == 1
    assert "No space left on device" in errors
    assert "Traceback" not in errors
    assert "Exception ignored" not in errors


@pytest.mark.parametrize(
    ("options", "shown"), [((), rb"f\u0171r dich"), (("--json",), rb"f\u0171r dich")]
)
def test_a_terminal_that_lacks_a_character(
    root: Path, tmp_path: Path, options: tuple[str, ...], shown: bytes
) -> None:
    token = tmp_path / "token"
    token.write_text(Forger().sign(Forger().payload(audience="f\u0171r dich")))
    done = subprocess.run(
        [*COMMAND, "verify", token, "--trust", root, "--at", "2026-03-01T00:00:10Z", *options],
        env={"PYTHONIOENCODING": "latin-1", "PATH": ""},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0
    assert shown in done.stdout


def test_verify_and_detect_do_not_wait_for_wasmtime() -> None:
    """Its import alone takes longer than what they do."""
    script = (
        "import sys, wasmtime_attestation.cli.verify, wasmtime_attestation.cli.detect;"
        "sys.exit('wasmtime' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False, timeout=60)
    assert done.returncode == 0


@pytest.mark.parametrize("command", ["verify", "inspect"])
def test_a_standard_input_that_is_closed(command: str) -> None:
    process = subprocess.run(
        ["sh", "-c", 'exec "$0" -m wasmtime_attestation "$1" - <&-', sys.executable, command],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 2
    assert process.stderr == "invalid-argument: standard input is closed; name a file\n"

"""`run` as a user calls it: exit codes, isolation, Ctrl-C, and the example guests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from wasmtime import wat2wasm

from tests.example_guests import cpp_reporter, python_reporter

TOOL = [sys.executable, "-m", "wasmtime_attestation"]
EXIT = """(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start") (call $exit (i32.const %d))))"""
SAY_AND_LOOP = r"""(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\08\00\00\00\03\00\00\00on\n")
  (func (export "_start")
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))
    (loop (br 0))))"""
LOOP = '(module (memory (export "memory") 1) (func (export "_start") (loop (br 0))))'
TRAP = '(module (memory (export "memory") 1) (func $deep (export "_start") unreachable))'
COUNT_ENVIRONMENT = """(module
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (drop (call $sizes (i32.const 0) (i32.const 4)))
    ;; tens: preopened directory 3 is there; ones: variables in the environment
    (call $exit (i32.add
      (i32.load (i32.const 0))
      (i32.mul (i32.const 10) (i32.eqz (call $prestat (i32.const 3) (i32.const 16))))))))"""


def guest(folder: Path, wat: str) -> Path:
    path = folder / "guest.wasm"
    path.write_bytes(wat2wasm(wat))
    return path


def run(
    *arguments: str | Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TOOL, "run", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | (env or {}),
        check=False,
    )


@pytest.mark.parametrize("code", [0, 1, 3, 77, 125])
def test_the_guests_exit_code_is_passed_through(tmp_path: Path, code: int) -> None:
    assert run(guest(tmp_path, EXIT % code)).returncode == code


def test_a_trap_names_the_function(tmp_path: Path) -> None:
    result = run(guest(tmp_path, TRAP))
    assert result.returncode == 134
    assert "deep" in result.stderr
    assert "unreachable" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_guest_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    result = run("--timeout", "0.5", guest(tmp_path, LOOP))
    assert result.returncode == 124
    assert "0.5 seconds" in result.stderr


def test_ctrl_c_stops_an_endless_guest(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*TOOL, "run", str(guest(tmp_path, SAY_AND_LOOP))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "on\n"
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Traceback" not in stderr


def test_nothing_of_the_host_reaches_a_guest_unless_named(tmp_path: Path) -> None:
    path = guest(tmp_path, COUNT_ENVIRONMENT)
    assert run(path, env={"SECRET": "x"}).returncode == 0
    assert run("--env", "A=1", "--env", "B=2", path).returncode == 2
    assert run("--dir", tmp_path, path).returncode == 10
    assert run("--dir", f"{tmp_path}::/data", path).returncode == 10


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "guest"),
        (b"\0asm", "guest"),
        (b"not wasm at all", "guest"),
        (b"\0asm\x01\0\0\0\xff\xff", "guest.wasm"),
        (b"\x7fELF" + bytes(100), "machine code"),
    ],
    ids=["empty", "cut", "text", "garbage", "precompiled"],
)
def test_what_is_no_guest_is_not_started(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "guest.wasm"
    path.write_bytes(content)
    result = run(path)
    assert result.returncode == 125
    assert reason in result.stderr
    assert "Traceback" not in result.stderr


def test_a_missing_guest_and_a_missing_import_are_explained(tmp_path: Path) -> None:
    missing = run(tmp_path / "none.wasm")
    assert missing.returncode == 125
    assert "none.wasm" in missing.stderr
    foreign = '(module (import "other" "thing" (func)) (memory (export "memory") 1))'
    result = run(guest(tmp_path, foreign))
    assert result.returncode == 125
    assert "thing" in result.stderr or "_start" in result.stderr


def test_the_python_guest_attests_saves_its_token_and_anybody_verifies_it(tmp_path: Path) -> None:
    root, token = tmp_path / "root.pem", tmp_path / "token.jwt"
    result = run(
        *("--tee", "simulated", "--trust-out", root, "--dir", f"{tmp_path}::/out"),
        *(python_reporter(), "--", "--require", "--save", "/out/token.jwt"),
    )
    assert result.returncode == 0, result.stderr
    assert "forged: False\nchallenge: warning\nattested: simulated" in result.stdout
    assert "trained: y = 2 x + 1" in result.stdout
    assert "SIMULATED" in result.stderr
    verdict = subprocess.run(
        [*TOOL, "verify", str(token), "--trust", str(root), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert verdict.returncode == 0
    report = json.loads(verdict.stdout)
    assert report["claims"]["evidence"][0]["tee_type"] == "simulated"
    assert report["claims"]["token"]["guest_digest"]


def test_the_cpp_guest_attests_through_the_legacy_abi() -> None:
    result = run("--tee", "simulated", cpp_reporter(), "--", "--require")
    assert result.returncode == 0, result.stderr
    assert "detected: Simulated" in result.stdout
    assert "trained: y = 2 x + 1" in result.stdout


@pytest.mark.parametrize("language", [pytest.param("component", marks=pytest.mark.slow), "legacy"])
def test_without_a_tee_the_guest_is_told_and_decides(language: str) -> None:
    path = python_reporter() if language == "component" else cpp_reporter()
    result = run("--tee", "none", path)
    assert result.returncode == 0
    assert "No TEE attestation available." in result.stdout
    assert run("--tee", "none", path, "--require").returncode == 1

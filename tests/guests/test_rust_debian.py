"""Guests that Debian's Rust builds, with the standard library that it compiles along."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import wasmtime
from wasmtime_attestation_bindgen.component_new import component_new
from wasmtime_attestation_bindgen.files import write

from guests.rust import toolchain
from tests.guests.rust_crates import ATTESTS, ROOT, RUST, write_crate
from tests.guests.rust_torture import bindings
from tests.tools import missing

BUILD = ROOT / "build" / "rust-debian"
WIT = ROOT / "guests" / "python" / "reporter" / "wit"
TOOL = Path(sys.executable).parent / "wasmtime-attestation"
ATTESTATION = "wasmtime:attestation/attestation@0.1.0"
COMMAND = """\
mod bindings;

use wasmtime_attestation::attestation::{attest_vm, verify_token};

struct Command;

bindings::export!(Command);

impl bindings::exports::wasi::cli::run::Guest for Command {
    fn run() -> Result<(), ()> {
        let result = attest_vm().map_err(|_| ())?;
        if verify_token(&result.token) && !verify_token("forged") {
            Ok(())
        } else {
            Err(())
        }
    }
}
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rust() -> toolchain.Debian:
    return toolchain.debian() or missing("Debian's Rust for WebAssembly is not installed")


def run(guest: Path, *arguments: str) -> tuple[int, list[str]]:
    command = [str(TOOL), "run", *arguments, str(guest)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return done.returncode, done.stdout.splitlines()


def imports(core: bytes) -> Sequence[tuple[str, str]]:
    module = wasmtime.Module(wasmtime.Engine(), core)
    return [(item.module, item.name or "") for item in module.imports]


@pytest.mark.weekly
def test_legacy_reporter_attests_and_decides(rust: toolchain.Debian) -> None:
    if not rust.has(toolchain.CORE):
        missing("Debian's wasi-libc is not installed")
    made = rust.build(RUST / "reporter", toolchain.CORE, BUILD, ["legacy"]) / "reporter.wasm"
    code, lines = run(made, "--tee", "simulated")
    assert code == 0
    assert lines[-2:] == ["attested: Simulated, which proves nothing", "trained: y = 2 x + 1"]
    code, lines = run(made, "--tee", "none")
    assert code == 0
    assert lines[-1] == "decided: to go on without the secret data"


def test_guest_that_only_attests_is_a_small_component(rust: toolchain.Debian) -> None:
    crate = write_crate("only_attests_debian", ATTESTS)
    made = rust.build(crate, toolchain.LIBRARY, BUILD) / "only_attests_debian.wasm"
    core = made.read_bytes()
    assert imports(core) == [(ATTESTATION, "attest-vm")]
    assert len(component_new(core)) <= 30 * 1024


def test_component_without_wasi_runs_as_a_command(rust: toolchain.Debian, tmp_path: Path) -> None:
    crate = write_crate("command_debian", COMMAND)
    write(crate / "src" / "bindings", bindings(WIT, None))
    features = ["wasmtime-attestation/no-realloc"]  # the other bindings bring it
    made = rust.build(crate, toolchain.LIBRARY, BUILD, features) / "command_debian.wasm"
    core = made.read_bytes()
    assert {module for module, _ in imports(core)} == {ATTESTATION}
    component = tmp_path / "command.wasm"
    component.write_bytes(component_new(core))
    assert run(component, "--tee", "simulated") == (0, [])
    assert run(component, "--tee", "none") == (1, [])

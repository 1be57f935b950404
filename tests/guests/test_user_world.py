"""A user's own world: it includes ours, and everything comes out of the generator."""

from __future__ import annotations

import importlib
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from wasmtime import Engine, Store
from wasmtime.component import Component, Instance, Linker
from wasmtime_attestation.attesters.machine import Machine
from wasmtime_attestation.attesters.simulated import SimulatedAttester
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.service import AttestationService, Settings
from wasmtime_attestation.world.binding.failure import Failure
from wasmtime_attestation.world.component import link_component
from wasmtime_attestation.world.guest import Guest
from wasmtime_attestation_bindgen.cli import main

from tests.guests.rust_torture import build

ROOT = Path(__file__).parents[2]
WORLD = """
package my:app@0.1.0;

world app {
  include wasmtime:attestation/imports@0.1.0;
  export run: func(audience: option<string>) -> result<string, string>;
}
"""
GUEST = """
mod bindings;

use bindings::wasmtime::attestation::attestation::attest_vm;

struct App;

impl bindings::Guest for App {
    fn run(audience: Option<String>) -> Result<String, String> {
        if let Some(audience) = audience {
            return Err(format!("no token for {audience}"));
        }
        attest_vm().map(|result| result.token).map_err(|error| error.to_string())
    }
}

bindings::export!(App);
"""
MANIFEST = """
[package]
name = "app"
version = "0.1.0"
edition = "2021"

[lib]
crate-type = ["cdylib"]

[workspace]
"""


def bindgen(*arguments: str | Path) -> None:
    result = CliRunner().invoke(main, [*map(str, arguments)])
    assert result.exit_code == 0, result.stderr


@pytest.mark.slow
def test_a_guest_of_a_users_world(tmp_path: Path) -> None:
    wit, crate, app_wasm = tmp_path / "wit", tmp_path / "app", tmp_path / "app.wasm"
    shutil.copytree(ROOT / "wit", wit / "deps" / "attestation")
    (wit / "world.wit").write_text(WORLD)
    (crate / "src").mkdir(parents=True)
    (crate / "Cargo.toml").write_text(MANIFEST)
    (crate / "src" / "lib.rs").write_text(GUEST)
    bindgen("component", "new", build(crate, wit, "app"), "-o", app_wasm)
    bindgen("host", "--wit", wit, "-o", tmp_path / "users_host")
    host = _imported(tmp_path / "users_host", "app_host")
    app = host.App(*_started(app_wasm))
    assert len(app.run(None).split(".")) == 3
    with pytest.raises(Failure) as caught:
        app.run("me")
    assert caught.value.error == "no token for me"


def _imported(folder: Path, name: str) -> Any:  # noqa: ANN401 - it is generated
    (folder / "__init__.py").touch()
    sys.path.insert(0, str(folder.parent))
    try:
        return importlib.import_module(f"{folder.name}.{name}")
    finally:
        sys.path.pop(0)


def _started(wasm: Path) -> tuple[Store, Instance]:
    guest = Guest.from_file(wasm)
    attester = SimulatedAttester(int(time.time()))
    anchors = Anchors(()).trusting([attester.root_fingerprint])
    world = AttestationService(Machine(attester), Settings(anchors), time.time).for_guest(
        guest.digest
    )
    engine = Engine()
    linker, store = Linker(engine), Store(engine)
    link_component(linker, world)
    return store, linker.instantiate(store, Component(engine, wasm.read_bytes()))

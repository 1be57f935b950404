"""The Rust crate: current, formatted, small, and what guest authors rely on."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from wasmtime import Engine, Module, Store
from wasmtime.component import Component
from wasmtime.component import Linker as ComponentLinker
from wasmtime_attestation_bindgen.component_new import component_new
from wasmtime_attestation_bindgen.files import stale, write

from tests.guests.rust_crates import ATTESTS, ROOT, RUST, SCRATCH, write_crate
from tests.guests.rust_torture import TARGET, bindings
from tests.tools import require


@pytest.fixture(scope="module", autouse=True)
def _rustup() -> None:
    require("rustup")


def cargo(crate: Path, *arguments: str, toolchain: str | None = None) -> None:
    command = ["cargo", *([f"+{toolchain}"] if toolchain else []), *arguments]
    environment = os.environ | {"CARGO_TARGET_DIR": str(ROOT / "build" / "rust")}
    done = subprocess.run(command, cwd=crate, check=False, capture_output=True, env=environment)
    assert done.returncode == 0, done.stderr.decode()[-4000:]


def test_generated_part_is_current() -> None:
    files = bindings(ROOT / "wit", "imports", legacy=True)
    assert stale(RUST / "attestation" / "src" / "bindings", files) == ""


@pytest.mark.parametrize("crate", ["attestation", "reporter", "trainer"])
def test_sources_are_formatted(crate: str) -> None:
    done = subprocess.run(["cargo", "fmt", "--check"], cwd=RUST / crate, check=False)
    assert done.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ("--target", TARGET),
        ("--target", TARGET, "--features", "legacy"),
        ("--target", TARGET, "--no-default-features"),
        (),
    ],
)
def test_lints_have_nothing_to_say(arguments: tuple[str, ...]) -> None:
    cargo(RUST / "attestation", "clippy", *arguments, "--", "-D", "warnings")


@pytest.mark.slow
def test_oldest_rust_that_is_promised_compiles_it() -> None:
    metadata = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--format-version=1", "--offline"],
        cwd=RUST / "attestation",
        check=True,
        capture_output=True,
    )
    oldest = json.loads(metadata.stdout)["packages"][0]["rust_version"]
    install = ["rustup", "toolchain", "install", f"{oldest}.0", "--profile=minimal"]
    done = subprocess.run([*install, f"--target={TARGET}"], check=False, capture_output=True)
    if done.returncode:
        pytest.skip(f"rustup cannot install {oldest}")
    for features in ("std", "legacy", "std,legacy"):
        check = ["check", "--target", TARGET, "--no-default-features", "--features", features]
        cargo(RUST / "attestation", *check, toolchain=f"{oldest}.0")


def guest(name: str, source: str, *features: str) -> Path:
    """Returns the core module of a guest of one file."""
    crate = write_crate(name, source)
    cargo(crate, "build", "--release", "--target", TARGET, "--features", ",".join(features))
    return ROOT / "build" / "rust" / TARGET / "release" / f"{name}.wasm"


def test_guest_that_only_attests_is_small_and_imports_one_function() -> None:
    core = guest("only_attests", ATTESTS).read_bytes()
    imports = [(item.module, item.name) for item in Module(Engine(), core).imports]
    assert imports == [("wasmtime:attestation/attestation@0.1.0", "attest-vm")]
    assert len(component_new(core)) <= 30 * 1024


def test_legacy_guest_that_only_attests_imports_one_function() -> None:
    core = guest("only_attests_legacy", ATTESTS, "legacy").read_bytes()
    module = Module(Engine(), core)
    imports = [(item.module, item.name) for item in module.imports]
    assert imports == [("wasmtime_attestation", "attest_vm")]
    assert "cabi_realloc" in [item.name for item in module.exports]
    assert b"component-type" not in core


OLD_SOURCE = """\
use wasmtime_attestation::{
    attest_gpu_token, attest_vm_token, clear_attestation_cache, detect_tee_type,
    verify_attestation_token,
};

fn attest() -> Result<(), Box<dyn std::error::Error>> {
    clear_attestation_cache();
    let tee = detect_tee_type()?;
    println!("{} {}", tee.tee_type, tee.supports_attestation);
    let vm = attest_vm_token()?;
    if !vm.success {
        return Err(vm.error.unwrap_or("no reason".to_string()).into());
    }
    assert!(verify_attestation_token(&vm.token.unwrap()));
    let gpu = attest_gpu_token(0)?;
    let shown: Option<String> = gpu.evidence.or(gpu.tee_type);
    println!("{:?} {}", shown, gpu.timestamp);
    wasmtime_attestation::attestation::attest_vm()?;
    Ok(())
}

#[unsafe(no_mangle)]
pub extern "C" fn start() {
    attest().unwrap();
}
"""


@pytest.mark.parametrize("features", [(), ("legacy",)])
def test_sources_older_than_the_world_compile(features: tuple[str, ...]) -> None:
    assert guest("old_source", OLD_SOURCE, *features).exists()


BINDINGS_MANIFEST = """\
[package]
name = "elsewhere"
version = "0.1.0"
edition = "2021"

[workspace]
"""
EXPORTER_MANIFEST = """\
[package]
name = "exporter"
version = "0.1.0"
edition = "2021"

[lib]
crate-type = ["cdylib"]

[dependencies]
elsewhere = { path = "../elsewhere" }

[workspace]
"""
EXPORTER = """\
struct Adder;

elsewhere::bindings::export!(Adder);

mod inner {
    impl elsewhere::bindings::Guest for super::Adder {
        fn add(a: u32, b: u32) -> Vec<u32> {
            vec![a, b, a + b]
        }
    }
}
"""


def test_exports_from_another_crate(tmp_path: Path) -> None:
    wit = tmp_path / "add.wit"
    wit.write_text(
        "package test:add;\nworld w { export add: func(a: u32, b: u32) -> list<u32>; }\n"
    )
    write(SCRATCH / "elsewhere" / "src" / "bindings", bindings(wit, None))
    library = {"Cargo.toml": BINDINGS_MANIFEST, "src/lib.rs": "pub mod bindings;\n"}
    write(SCRATCH / "elsewhere", library)
    write(SCRATCH / "exporter", {"Cargo.toml": EXPORTER_MANIFEST, "src/lib.rs": EXPORTER})
    cargo(SCRATCH / "exporter", "build", "--release", "--target", TARGET)
    built = ROOT / "build" / "rust" / TARGET / "release" / "exporter.wasm"
    engine = Engine()
    store = Store(engine)
    component = Component(engine, component_new(built.read_bytes()))
    function = ComponentLinker(engine).instantiate(store, component).get_func(store, "add")
    assert function is not None
    assert function(store, 1, 2) == [1, 2, 3]

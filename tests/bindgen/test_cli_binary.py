"""`component new` and `package` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from wasmtime import wat2wasm
from wasmtime_attestation_bindgen import cli

ROOT = Path(__file__).parents[2]


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli.main, [*map(str, arguments)])


def test_the_package_reads_back_as_the_wit_that_it_was(tmp_path: Path) -> None:
    output = tmp_path / "attestation.wasm"
    assert run("package", ROOT / "wit", "-o", output).exit_code == 0
    text = json.loads(run("resolve", ROOT / "wit").stdout)
    binary = json.loads(run("resolve", output).stdout)
    assert binary == text


@pytest.mark.parametrize(
    ("core", "message"),
    [
        (b"", "error: "),
        (wat2wasm("(module)"), "component-type"),
        (
            wat2wasm('(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i32))))'),
            "error: ",
        ),
    ],
    ids=["empty", "no world", "wasi"],
)
def test_what_no_component_can_be_made_of(tmp_path: Path, core: bytes, message: str) -> None:
    path, output = tmp_path / "core.wasm", tmp_path / "out.wasm"
    path.write_bytes(core)
    result = run("component", "new", path, "-o", output)
    assert result.exit_code == 4
    assert message in result.stderr
    assert not output.exists()


def test_a_module_that_is_not_there(tmp_path: Path) -> None:
    result = run("component", "new", tmp_path / "none.wasm", "-o", tmp_path / "out.wasm")
    assert result.exit_code == 2
    assert "cannot read" in result.stderr

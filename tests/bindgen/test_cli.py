"""The command line tool: JSON on stdout, errors on stderr, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from wasmtime_attestation_bindgen import cli
from wasmtime_attestation_bindgen.cli import inputs

ROOT = Path(__file__).parents[2]


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli.main, ["resolve", *map(str, arguments)])


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "a.wit"
    path.write_text(text)
    return path


def test_our_own_wit_resolves() -> None:
    result = run(ROOT / "wit")
    assert result.exit_code == 0
    assert result.stderr == ""
    model = json.loads(result.stdout)
    assert [package["name"] for package in model["packages"]] == ["wasmtime:attestation@0.1.0"]
    assert [world["name"] for world in model["worlds"]] == ["imports"]
    assert list(model["packages"][0]["interfaces"]) == [
        *("types", "attestation", "attester", "verifier")
    ]


def test_features(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "package a:b; @unstable(feature = x) interface i {} @unstable(feature = y) interface j {}"
        "@unstable(feature = z) interface k {}",
    )

    def names(*options: str) -> list[str]:
        model = json.loads(run(path, *options).stdout)
        return [interface["name"] for interface in model["interfaces"]]

    assert names() == []
    assert names("--features", "x, y") == ["i", "j"]
    assert names("--features", "x", "--features", "z") == ["i", "k"]
    assert names("--all-features") == ["i", "j", "k"]


def test_an_error_in_the_wit(tmp_path: Path) -> None:
    path = written(tmp_path, "package a:b;\ninterface i { type t = u }\n")
    result = run(path)
    assert result.exit_code == 4
    assert result.stdout == ""
    assert result.stderr == (
        "error: expected `;`, found `}`\n"
        f"  --> {path}:2:26\n"
        "  |\n"
        "2 | interface i { type t = u }\n"
        "  |                          ^\n"
    )


def test_usage_errors(tmp_path: Path) -> None:
    for result in (run(), run(tmp_path / "missing"), run(tmp_path, "--unknown"), run(tmp_path)):
        assert result.exit_code == 2
        assert result.stdout == ""
        assert result.stderr != ""


def test_a_bug_is_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path) -> None:
        raise RuntimeError(path.name)

    monkeypatch.setattr(inputs, "load", fail)
    result = run(written(tmp_path, ""))
    assert result.exit_code == 1
    assert result.stderr == "error: this is a bug, please report it: RuntimeError('a.wit')\n"


def test_the_module_runs(tmp_path: Path) -> None:
    path = written(tmp_path, "package a:b; interface é {}")
    command = [sys.executable, "-m", "wasmtime_attestation_bindgen", "resolve", str(path)]
    result = subprocess.run(command, capture_output=True, check=False, text=True, encoding="utf-8")
    assert result.returncode == 4
    assert "`é` is not a legal name" in result.stderr
    path.write_text("package a:b; /// é\ninterface i {}", encoding="utf-8")
    result = subprocess.run(command, capture_output=True, check=False, text=True, encoding="utf-8")
    assert result.returncode == 0
    assert '"contents": "é"' in result.stdout

"""`detect`: what is there, and what was looked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from wasmtime_attestation.attesters.detect import detect

from tests.cli.tool import run, run_process

PATHS = ["/dev/sev-guest", "/dev/tdx_guest", "/dev/tdx-guest", "/sys/firmware/sev"]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The file system of a machine that has nothing."""
    monkeypatch.setattr("wasmtime_attestation.cli.detect.detect", lambda: detect(tmp_path))
    return tmp_path


def place(machine: Path, path: str) -> None:
    file = machine / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()


def detected() -> dict[str, Any]:
    outcome = run("detect", "--json")
    assert (outcome.code, outcome.err) == (0, "")
    members = json.loads(outcome.out)
    assert isinstance(members, dict)
    return members


def test_nothing_is_an_answer_too(machine: Path) -> None:
    assert machine.is_dir()
    members = detected()
    looked_for = members.pop("looked_for")
    assert members == {
        "schema": 1,
        "tee_type": "none",
        "supports_attestation": False,
        "provider": "",
        "gpu_count": 0,
    }
    assert [probe["path"] for probe in looked_for] == PATHS
    assert all(set(probe) == {"path", "tee_type", "found"} for probe in looked_for)
    assert not any(probe["found"] for probe in looked_for)


@pytest.mark.parametrize(
    ("paths", "tee_type", "provider"),
    [
        (["/dev/sev-guest"], "amd-sev-snp", "sev-guest"),
        (["/dev/tdx_guest"], "intel-tdx", "tdx-guest"),
        (["/dev/tdx-guest"], "intel-tdx", "tdx-guest"),
        (["/sys/firmware/sev"], "amd-sev", ""),
        (["/sys/firmware/sev", "/dev/sev-guest"], "amd-sev-snp", "sev-guest"),
    ],
)
def test_what_is_there(machine: Path, paths: list[str], tee_type: str, provider: str) -> None:
    for path in paths:
        place(machine, path)
    members = detected()
    assert (members["tee_type"], members["provider"]) == (tee_type, provider)
    assert [p["path"] for p in members["looked_for"] if p["found"]] == sorted(
        paths, key=PATHS.index
    )


def test_text(machine: Path) -> None:
    place(machine, "/dev/sev-guest")
    lines = run("detect").out.splitlines()
    assert lines[0].split() == ["TEE", "amd-sev-snp"]
    assert ["/dev/sev-guest", "amd-sev-snp", "found"] in [line.split() for line in lines]
    assert ["/dev/tdx_guest", "intel-tdx", "not", "there"] in [line.split() for line in lines]


def test_this_machine() -> None:
    outcome = run_process("detect", "--json")
    assert (outcome.code, outcome.err) == (0, "")
    assert json.loads(outcome.out)["schema"] == 1

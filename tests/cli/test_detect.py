"""`detect`: what is there, why, and what was looked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from wasmtime_attestation.attesters.detect import detect

from tests.cli.tool import run, run_process

MEMBERS = {
    "schema": 1,
    "tee_type": "none",
    "supports_attestation": False,
    "provider": "",
    "gpu_count": 0,
    "fall_backs": [],
    "cloud": "",
    "container": "",
    "kernel": "",
    "cpu": {"vendor": "", "model": ""},
    "gpus": [],
    "gpu_obstacle": "",
}
NO_TEE = (
    "No TEE attestation available. Not running in a Confidential VM (Intel TDX or AMD SEV-SNP)?"
)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The file system of a machine that has nothing."""
    look = "wasmtime_attestation.attesters.select.detect_here"
    monkeypatch.setattr(look, lambda: detect(tmp_path))
    return tmp_path


def place(machine: Path, path: str, content: str = "") -> None:
    file = machine / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)


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
    assert members == MEMBERS | {"obstacle": NO_TEE}
    assert {"/dev/tpmrm0", "/dev/sev-guest", "/dev/tdx_guest", "/sys/kernel/config/tsm/report"} <= {
        probe["path"] for probe in looked_for
    }
    keys = {"id", "path", "tee_type", "found", "outcome", "detail"}
    assert all(set(probe) == keys for probe in looked_for)
    assert not any(probe["found"] for probe in looked_for)


@pytest.mark.parametrize(
    ("path", "tee_type", "provider"),
    [
        ("/dev/sev-guest", "amd-sev-snp", "sev-guest"),
        ("/dev/tdx_guest", "intel-tdx", "tdx-guest"),
        ("/sys/firmware/sev", "amd-sev", ""),
    ],
)
def test_what_is_there(machine: Path, path: str, tee_type: str, provider: str) -> None:
    place(machine, path)
    members = detected()
    assert (members["tee_type"], members["provider"]) == (tee_type, provider)
    assert members["supports_attestation"] is bool(provider)
    assert bool(members["obstacle"]) is not bool(provider)
    assert [p["path"] for p in members["looked_for"] if p["found"]] == [path]


def test_text(machine: Path) -> None:
    place(machine, "/dev/sev-guest")
    place(machine, "/sys/class/dmi/id/product_name", "Google Compute Engine\n")
    place(machine, "/proc/sys/kernel/osrelease", "6.12.9-cloud\n")
    lines = [line.split() for line in run("detect").out.splitlines()]
    assert lines[:4] == [
        ["TEE", "amd-sev-snp"],
        ["provider", "sev-guest"],
        ["attestation", "supported"],
        ["cloud", "Google", "Cloud"],
    ]
    assert ["kernel", "6.12.9-cloud"] in lines
    assert ["/dev/sev-guest", "found", "amd-sev-snp"] in lines
    assert ["/dev/tdx_guest", "not", "there"] in lines


def test_text_says_what_stands_in_the_way(machine: Path) -> None:
    place(machine, "/sys/devices/platform/sev-guest/uevent")
    place(machine, "/.dockerenv")
    why = next(line for line in run("detect").out.splitlines() if line.startswith("why"))
    assert "--device /dev/sev-guest" in why


def test_what_a_machine_calls_itself_poses_as_nothing(machine: Path) -> None:
    place(machine, "/proc/cpuinfo", "model name\t: a\x1b[2J\rTEE intel-tdx\n")
    out = run("detect").out
    assert "\x1b" not in out
    assert "\r" not in out


def test_this_machine() -> None:
    outcome = run_process("detect", "--json")
    assert (outcome.code, outcome.err) == (0, "")
    assert json.loads(outcome.out)["schema"] == 1

"""Guests of both ABIs under rules, and one that is stopped when its machine changes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from wasmtime import wat2wasm
from wasmtime_attestation.attesters.simulated import SimulatedAttester
from wasmtime_attestation.errors import UnsupportedError
from wasmtime_attestation.evidence.envelope import Evidence

from tests.cli.tool import run
from tests.example_guests import cpp_reporter, python_reporter

LOOP = '(module (memory (export "memory") 1) (func (export "_start") (loop (br 0))))'


@pytest.mark.parametrize("language", ["legacy", pytest.param("component", marks=pytest.mark.slow)])
def test_a_guest_is_told_which_rule_denies_it(tmp_path: Path, language: str) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text('[guests.locked]\npath="*-reporter.wasm"\nfunctions=["detect-tee"]\n')
    guest = cpp_reporter() if language == "legacy" else python_reporter()
    command = [sys.executable, "-m", "wasmtime_attestation", "run", "--tee", "simulated"]
    done = subprocess.run(
        [*command, "--guests", rules, guest], capture_output=True, text=True, check=False
    )
    assert "rule guests.locked.functions does not allow attest-vm" in done.stdout, done.stderr


def test_a_guest_is_stopped_when_the_machine_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collected: list[bytes] = []
    collect = SimulatedAttester.collect

    def changing(self: SimulatedAttester, report_data: bytes) -> Evidence:
        collected.append(report_data)
        if len(collected) > 3:
            raise UnsupportedError("the device has gone")
        return collect(self, report_data)

    monkeypatch.setattr(SimulatedAttester, "collect", changing)
    guest, policy, folder = tmp_path / "g.wasm", tmp_path / "p.toml", tmp_path / "j"
    guest.write_bytes(wat2wasm(LOOP))
    policy.write_text('schema = 1\naccept = ["simulated"]\n')
    outcome = run(
        *("run", "--tee", "simulated", "--journal", folder, "--timeout", "60"),
        *("--require", policy, "--revoke", "0.05", guest),
    )
    assert outcome.code == 126
    assert "g.wasm was stopped: the device has gone" in outcome.err
    shown = run("journal", "show", folder).out
    assert "the device has gone" in shown.splitlines()[-2]
    assert run("journal", "verify", folder).code == 0

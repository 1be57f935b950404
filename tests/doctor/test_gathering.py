"""The doctor asks everybody at once, and waits for nobody longer than it said."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from wasmtime_attestation.attesters.detect import Detection
from wasmtime_attestation.doctor import examine, gathering
from wasmtime_attestation.endorsers.service_urls import ServiceUrls
from wasmtime_attestation.errors import UnavailableError

from tests.cli.tool import run


def hang(*_: object) -> None:
    threading.Event().wait(60)


def test_what_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("detect_here", "_gpus", "ask_service"):
        monkeypatch.setattr(gathering, name, hang)
    begin = time.monotonic()
    diagnoses = examine(seconds=0.3)
    assert time.monotonic() - begin < 5
    found = {diagnosis.id: diagnosis.finding for diagnosis in diagnoses}
    assert "no answer within 0.3 seconds" in found["doctor.nvml"].detail
    assert found["doctor.nvml"].outcome == "failed"


def test_offline_asks_no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(gathering, "ask_service", asked.append)
    facts = gathering.gather(ServiceUrls(), offline=True, seconds=30)
    assert (asked, facts.services) == ([], {})
    assert isinstance(facts.detection, Detection)


def test_addresses_come_from_the_configuration(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []

    def ask(url: str) -> None:
        asked.append(url)
        raise UnavailableError("nobody is there")

    monkeypatch.setattr(gathering, "ask_service", ask)
    monkeypatch.setenv("WASMTIME_ATTESTATION_INTEL_PCS_URL", "https://pccs.example:8081")
    monkeypatch.setenv("WASMTIME_ATTESTATION_OFFLINE", "0")
    named = tmp_path / "host.toml"
    text = "schema = 1\n[endorsers]\nintel-pcs-url = 'https://weaker.example'\n"
    named.write_text(f"{text}amd-kds-url = 'https://kds.example'\n")
    named.chmod(0o600)
    run("doctor", "--config", named)
    assert {"https://pccs.example:8081", "https://kds.example"} < set(asked)
    assert (len(asked), "https://weaker.example" in asked) == (4, False)
    asked.clear()
    named.write_text(f"{text}offline = true\n")
    monkeypatch.delenv("WASMTIME_ATTESTATION_OFFLINE")
    assert "not asked: offline" in run("doctor", "--config", named).out
    assert asked == []

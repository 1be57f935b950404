"""`verify` with what a miniature vendor's machines bring: tables of hosts, PCKs that are named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from wasmtime_attestation.endorsements.x509 import pem

from tests.cli.tool import run, run_process
from tests.endorsements.test_amd_table import OTHER
from tests.fakes.amd import AT, MILAN, TURIN_VLEK, Machine
from tests.fakes.intel import PLATFORM
from tests.verifier.tdx_cases import Case, case
from tests.verifier.test_snp_table import of_host

NOW = ("--at", AT.isoformat().replace("+00:00", "Z"))


def written(folder: Path, **files: bytes) -> dict[str, Path]:
    paths = {name: folder / name for name in files}
    for name, data in files.items():
        paths[name].write_bytes(data)
    return paths


@pytest.mark.parametrize("machine", [MILAN, TURIN_VLEK], ids=["Milan", "Turin's VLEK"])
def test_the_certificate_table_of_a_host(machine: Machine, tmp_path: Path) -> None:
    ark = machine.chain()[-1]
    table = of_host(machine, (OTHER, b"launch"))
    files = written(tmp_path, report=machine.report(), auxblob=table, root=pem(ark))
    given = ("--endorsements", files["auxblob"], "--trust", files["root"])

    outcome = run("verify", files["report"], *given, *NOW, "--json")

    assert outcome.code == 0
    (evidence,) = json.loads(outcome.out)["claims"]["evidence"]
    (entry,) = evidence["amd-sev-snp"]["unverified_host_entries"]
    assert entry.startswith(str(OTHER))


def test_a_quote_that_names_its_pck(tmp_path: Path) -> None:
    good = up_to_date()
    platform = replace(PLATFORM, certification=3)
    files = written(
        tmp_path,
        quote=platform.quote(),
        collateral=json.dumps(good.members()).encode(),
        pck=pem(PLATFORM.pck),
        root=pem(PLATFORM.root),
    )
    given = ("--endorsements", files["collateral"], "--trust", files["root"], *NOW)

    without = run("verify", files["quote"], *given)
    outcome = run("verify", files["quote"], *given, "--endorsements", files["pck"])

    assert without.code == 6
    assert "intel.pck" in without.err
    assert f"CPUSVN {PLATFORM.components.hex()}, PCESVN 11" in without.err
    assert outcome.code == 0


def up_to_date() -> Case:
    """Returns collateral for `PLATFORM` that nobody broke."""
    found = next(c for c in map(case, range(100)) if c.defect is None and c.platform.ca == CA)
    return replace(found, platform=PLATFORM)


CA = PLATFORM.ca


def test_a_table_is_inspected(tmp_path: Path) -> None:
    files = written(tmp_path, auxblob=of_host(MILAN, (OTHER, b"launch")))

    found = json.loads(run("inspect", files["auxblob"], "--json").out)

    assert [c["subject"] for c in found["certificates"]] == [
        "CN=SEV-VCEK",
        "CN=SEV-Milan",
        "CN=ARK-Milan",
    ]
    assert [entry[:36] for entry in found["unverified_host_entries"]] == [str(OTHER)]


def test_nobody_writes_lines_into_the_log(tmp_path: Path) -> None:
    folder = tmp_path / "endorsements"
    folder.mkdir()
    (folder / "a\nERROR host: \x1b[31mall is lost").write_bytes(b"neither")
    (folder / "b").write_bytes(pem(MILAN.chain()[-1]))
    files = written(tmp_path, report=MILAN.report())
    outcome = run_process("--verbose", "verify", files["report"], "--endorsements", folder, *NOW)
    assert "left out" in outcome.err
    assert "\nERROR" not in outcome.err
    assert "\x1b" not in outcome.err

"""The notebook: it runs from start to end, says what it should, and is committed without output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "examples" / "notebook" / "measurements.ipynb"
# The kernel is a process of its own and talks through files, not ports.
EXECUTE = """
import sys
import nbformat
from jupyter_client import KernelManager
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
kernel = KernelManager(kernel_name="python3", transport="ipc", ip=sys.argv[2] + "/kernel")
NotebookClient(notebook, km=kernel, timeout=100).execute()
nbformat.write(notebook, sys.argv[2] + "/executed.ipynb")
"""


def cells(path: Path) -> list[dict[str, Any]]:
    found = json.loads(path.read_text())["cells"]
    assert isinstance(found, list)
    return found


@pytest.mark.slow
def test_it_runs(tmp_path: Path) -> None:
    folders = ("HOME", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR")
    paths = os.pathsep.join((str(ROOT / "host"), os.environ.get("PYTHONPATH", "")))
    environment = os.environ | dict.fromkeys(folders, str(tmp_path)) | {"PYTHONPATH": paths}
    done = subprocess.run(
        [sys.executable, "-c", EXECUTE, NOTEBOOK, str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    outputs = [
        out for cell in cells(tmp_path / "executed.ipynb") for out in cell.get("outputs", [])
    ]
    assert "".join(line for out in outputs for line in out.get("text", ())).splitlines() == [
        "30 pieces of amd-sev-snp, 1184 bytes each",
        "day 0: simulated, boot loader 4, TEE 0, SNP 23, microcode 213",
        "policy.measurement: days 20 to 29",
        "policy.tcb: days 0 to 9",
        "accepted on 10 of 30 days",
    ]
    assert [name for out in outputs for name in out.get("data", {}) if "image" in name] == [
        "image/png"
    ]


def test_it_is_committed_without_output() -> None:
    code = [cell for cell in cells(NOTEBOOK) if cell["cell_type"] == "code"]
    assert len(code) > 5
    assert [cell["outputs"] for cell in code] == [[]] * len(code)
    assert {cell["execution_count"] for cell in code} == {None}

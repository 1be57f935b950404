"""The public names are typed as strictly as type checkers ask."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import wasmtime_attestation

PROGRAM = Path(__file__).with_name("user_program.py")
HOST = Path(wasmtime_attestation.__file__).parents[1]


def test_every_public_name_is_there() -> None:
    for name in wasmtime_attestation.__all__:
        assert getattr(wasmtime_attestation, name) is not None
        assert name in dir(wasmtime_attestation)
    with pytest.raises(AttributeError, match="nothing"):
        getattr(wasmtime_attestation, "nothing")  # noqa: B009
    assert (HOST / "wasmtime_attestation" / "py.typed").exists()


def test_names_are_functions_whatever_was_imported_before() -> None:
    code = (
        "import wasmtime_attestation.appraisal.token, wasmtime_attestation.verifier.tokens\n"
        "from wasmtime_attestation import appraise, verify, collect\n"
        "print(callable(appraise), callable(verify), callable(collect))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True True True\n"


def test_the_package_by_itself_imports_nothing() -> None:
    code = (
        "import sys; before = set(sys.modules); import wasmtime_attestation; "
        "print(sorted(set(sys.modules) - before - {'__future__'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['wasmtime_attestation']\n"


@pytest.mark.slow
def test_pyright_finds_nothing_in_a_users_program(tmp_path: Path) -> None:
    pytest.importorskip("basedpyright")
    settings = {
        "include": [str(PROGRAM)],
        "extraPaths": [str(HOST)],
        "typeCheckingMode": "strict",
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "basedpyright", "-p", tmp_path, "--outputjson"),
            *("--pythonpath", sys.executable),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(done.stdout)["generalDiagnostics"]
    assert [f"{each['range']['start']['line'] + 1}: {each['message']}" for each in found] == []


@pytest.mark.slow
def test_mypy_finds_nothing_in_a_users_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", PROGRAM],
        capture_output=True,
        text=True,
        check=False,
        env={"MYPYPATH": str(HOST), "PATH": ""},
    )
    assert done.returncode == 0, done.stdout + done.stderr

"""Nothing is imported before it is needed: what whole processes of the tool load, and what not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from wasmtime_attestation.endorsements.x509 import pem

from tests.fakes.amd import MILAN
from tests.world.commands import CLEAR, CLEAR_IMPORTS, EXIT, component, core

ROOT = Path(__file__).resolve().parents[1]
_LISTED = """
import sys
sys.argv = ["wasmtime-attestation", *sys.argv[2:]]
target = {target!r}
from wasmtime_attestation.cli import main
try:
    main()
except SystemExit as end:
    if end.code not in (None, 0, {code}):
        raise
with open(target, "w") as file:
    print(*sorted(sys.modules), sep="\\n", file=file)
"""
OURS = "wasmtime_attestation."
# What takes longest to import, by the name of the package or the module.
HEAVY = {"cryptography", "lxml", "httpx", "jwt", "jinja2", "pynvml", "redis", "asyncio", "email",
         "importlib.metadata", "ssl", "tempfile", "tomllib"}  # fmt: skip
MOST = 130
"""Modules of ours that a guest needs that asks nothing: each takes a fraction of a millisecond."""


def loaded(tmp_path: Path, *arguments: str | Path, code: int = 0) -> set[str]:
    """Runs the tool, and returns the names of the modules that its process has at its end."""
    listed = tmp_path / "modules"
    subprocess.run(
        [sys.executable, "-c", _LISTED.format(target=str(listed), code=code), "-", *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=60,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
        },
        cwd=ROOT,
    )
    return set(listed.read_text().split())


def heavy(modules: set[str]) -> set[str]:
    return modules & HEAVY


def rooms(modules: set[str]) -> set[str]:
    return {name.split(".")[1] for name in modules if name.startswith(OURS)}


GUESTS = {
    "core": (core("(call $exit (i32.const 0)) unreachable", EXIT), "binding.shapes", "legacy"),
    "component": (component("i32.const 0", CLEAR, CLEAR_IMPORTS), "legacy", "component"),
}


@pytest.mark.parametrize("name", GUESTS)
def test_a_guest_that_asks_nothing(tmp_path: Path, name: str) -> None:
    guest, other_abi, own_abi = GUESTS[name]
    path = tmp_path / "guest.wasm"
    path.write_bytes(guest.wasm)
    loaded(tmp_path, "run", path)
    modules = loaded(tmp_path, "run", path)
    assert heavy(modules) == set()
    assert f"{OURS}world.{own_abi}" in modules
    assert f"{OURS}world.{other_abi}" not in modules
    assert ("wasmtime.component" in modules) == (name == "component")
    assert not modules & {"subprocess", "shutil"}
    assert not rooms(modules) & {"verifier", "claims", "appraisal", "issuer", "service", "batch"}
    assert sum(module.startswith(OURS) for module in modules) <= MOST


def test_a_guest_that_asks_what_the_machine_is(tmp_path: Path) -> None:
    path = tmp_path / "guest.wasm"
    detect = '(import "wasmtime_attestation" "detect_tee" (func $detect (result i32)))'
    path.write_bytes(core("(drop (call $detect))", detect).wasm)
    modules = loaded(tmp_path, "run", "--tee", "none", path)
    assert f"{OURS}attesters.machine" in modules
    assert not heavy(modules) & {"cryptography", "lxml", "httpx", "jwt", "jinja2"}


def test_detect(tmp_path: Path) -> None:
    modules = loaded(tmp_path, "detect", code=3)
    assert not heavy(modules) & {"lxml", "httpx", "jwt", "jinja2"}
    assert "wasmtime" not in modules


def test_attest_of_a_machine(tmp_path: Path) -> None:
    nonce = ("--nonce", "00" * 32)
    modules = loaded(tmp_path, "attest", "vm", "--tee", "simulated", *nonce)
    assert not heavy(modules) & {"lxml", "httpx", "jinja2", "pynvml", "redis"}
    assert "wasmtime" not in modules


def test_verify_of_a_report(tmp_path: Path) -> None:
    chain, root, report = (tmp_path / name for name in ("chain.pem", "root.pem", "report.bin"))
    chain.write_bytes(b"".join(map(pem, MILAN.chain())))
    root.write_bytes(pem(MILAN.amd.ark.certificate))
    report.write_bytes(MILAN.report())
    given = ("--endorsements", chain, "--trust", root)
    modules = loaded(tmp_path, "verify", report, *given, code=4)
    assert not heavy(modules) & {"lxml", "httpx", "jinja2", "pynvml", "redis"}
    assert "wasmtime" not in modules


def test_the_help_needs_neither_wasmtime_nor_cryptography(tmp_path: Path) -> None:
    modules = loaded(tmp_path, "run", "--help")
    assert not heavy(modules)


def test_the_package_itself_is_almost_free() -> None:
    listing = "import sys, wasmtime_attestation; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", listing],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    ours = {name for name in done.stdout.split() if name.startswith(OURS)}
    assert len(ours) <= 2

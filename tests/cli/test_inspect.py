"""`inspect` decodes each kind of file, and says that it verified nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from wasmtime import wat2wasm
from wasmtime_attestation.attesters.machine import Machine
from wasmtime_attestation.attesters.simulated import SimulatedAttester
from wasmtime_attestation.cli import cli
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.endorsements.x509 import pem
from wasmtime_attestation.errors import AttestationError
from wasmtime_attestation.evidence.snp_fields import ProductLine
from wasmtime_attestation.service import AttestationService, Settings

from tests.example_guests import cpp_reporter
from tests.fakes import amd
from tests.guests import build

NOW = 1_772_323_200  # 2026-03-01T00:00:00Z


def inspect(path: Path, *options: str) -> Result:
    return CliRunner().invoke(cli, ["inspect", str(path), *options])


def decoded(path: Path) -> dict[str, Any]:
    result = inspect(path, "--json")
    assert result.exit_code == 0, result.output
    assert "NOT VERIFIED" in result.stderr
    members = json.loads(result.stdout)
    assert members["verified"] is False
    assert isinstance(members, dict)
    return members


def test_report(tmp_path: Path) -> None:
    attester = SimulatedAttester(NOW)
    path = tmp_path / "report.bin"
    path.write_bytes(attester.collect(bytes(range(64))).data)
    report = decoded(path)["report"]
    assert report["report_data"] == bytes(range(64)).hex()
    assert report["version"] == 3
    assert report["reported_tcb"]["microcode"] == 219
    assert "signature_r" not in report


def test_token(tmp_path: Path) -> None:
    attester = SimulatedAttester(NOW)
    service = AttestationService(Machine(attester), Settings(Anchors(())), lambda: NOW)
    path = tmp_path / "token.jwt"
    path.write_text(service.for_guest(bytes(32)).attest_vm().token)
    members = decoded(path)
    assert members["kind"] == "token"
    assert members["header"]["alg"] == "ES384"
    assert members["payload"]["iat"] == NOW
    assert members["evidence"][0]["kind"] == "amd-sev-snp"


def test_certificates(tmp_path: Path) -> None:
    machine = amd.miniature_amd(ProductLine.MILAN)
    path = tmp_path / "ark.pem"
    path.write_bytes(pem(machine.ark.certificate))
    (certificate,) = decoded(path)["certificates"]
    assert certificate["subject"] == "CN=ARK-Milan"
    assert certificate["authority"] is True
    assert certificate["spki_sha256"] == machine.root_fingerprint.hex()


@pytest.mark.parametrize(
    ("name", "generation", "missing"),
    [
        ("rust_a", "Rust A or C++ A", ["cabi_realloc"]),
        ("rust_b", "Rust B", []),
        ("cpp_a", "Rust A or C++ A", ["cabi_realloc"]),
        ("cpp_e", "C++ C, C++ E or C++ main.cpp", ["cabi_realloc"]),
        ("cpp_main", "C++ C, C++ E or C++ main.cpp", []),
    ],
)
def test_generations(name: str, generation: str, missing: list[str]) -> None:
    members = decoded(build.generation(name))
    assert members["abi"] == "core module"
    assert members["generation"] == generation
    assert members["missing_exports"] == missing
    assert members["wasi"] == ["wasi_snapshot_preview1"]


def test_example_guest() -> None:
    members = decoded(cpp_reporter())
    assert {"detect_tee", "attest_vm", "verify_token"} <= set(
        members["world"]["wasmtime_attestation"]
    )
    assert members["missing_exports"] == []
    assert members["warnings"] == []


def module(tmp_path: Path, wat: str) -> dict[str, Any]:
    path = tmp_path / "guest.wasm"
    path.write_bytes(wat2wasm(wat))
    return decoded(path)


def test_the_generation_that_never_ran_is_told_what_to_do(tmp_path: Path) -> None:
    members = module(
        tmp_path,
        '(module (import "wasmtime:attestation" "detect-tee-type" (func (param i32)))'
        ' (memory (export "memory") 1) (func (export "_start")))',
    )
    assert members["generation"] == "C++ B"
    assert "build it again" in members["warnings"][0]


def test_a_core_module_of_a_component_is_told_what_to_do(tmp_path: Path) -> None:
    members = module(
        tmp_path,
        '(module (import "wasmtime:attestation/attestation@0.1.0" "clear-cache" (func))'
        ' (memory (export "memory") 1))',
    )
    assert "component new" in members["warnings"][0]
    assert members["not_offered"] == ["wasmtime:attestation/attestation@0.1.0.clear-cache"]


def test_a_tight_memory_is_warned_of(tmp_path: Path) -> None:
    members = module(tmp_path, '(module (memory (export "memory") 2 2) (func (export "_start")))')
    assert any("cannot grow beyond 131072 bytes" in warning for warning in members["warnings"])
    assert members["generation"] is None


def test_a_function_that_no_host_has(tmp_path: Path) -> None:
    members = module(
        tmp_path,
        '(module (import "wasmtime_attestation" "get_attestation_report" (func))'
        ' (memory (export "memory") 1))',
    )
    assert members["not_offered"] == ["wasmtime_attestation.get_attestation_report"]
    assert members["generation"] is None


@pytest.mark.parametrize(
    "content",
    [b"", b"\0", b"\0asm", b"\0asm\x01\0\0\0\x7f", b"-----BEGIN CERTIFICATE-----", b"\x30\x82\x01",
     b"a.b.c", b"." * 1000, bytes(1184), b"\xff" * 5000],
)  # fmt: skip
def test_garbage_is_an_error_and_no_traceback(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "garbage"
    path.write_bytes(content)
    result = inspect(path)
    assert isinstance(result.exception, AttestationError)
    assert result.exception.exit_code in {2, 4}

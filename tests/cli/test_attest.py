"""`attest`: the token it prints is one that `verify` accepts, and nothing else is printed."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from wasmtime_attestation.attesters.detect import detect

from tests.cli.tool import Outcome, run, run_process

NO_TEE = (
    "No TEE attestation available. Not running in a Confidential VM (Intel TDX or AMD SEV-SNP)?"
)


def attest(*options: str | Path) -> Outcome:
    return run("attest", "vm", "--tee", "simulated", *options)


def claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    members = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert isinstance(members, dict)
    return members


def test_what_is_attested_verifies(tmp_path: Path) -> None:
    root, token = tmp_path / "root.pem", tmp_path / "token"
    options = ("--nonce", "0123456789abcdef", "--audience", "für dich", "--user-data", "00ff")
    outcome = attest(*options, "--trust-out", root, "-o", token)
    assert (outcome.code, outcome.out) == (0, "")
    verified = run("verify", token, "--trust", root, *options[:4], "--json")
    assert verified.code == 0
    assert json.loads(verified.out)["claims"]["token"]["user_data"] == "AP8"
    assert run("verify", token, "--trust", root, "--nonce", "00" * 8).code == 4
    assert run("verify", token).code == 4


def test_in_processes_of_their_own(tmp_path: Path) -> None:
    root = tmp_path / "root.pem"
    attested = run_process("attest", "vm", "--tee", "simulated", "--trust-out", root)
    assert attested.code == 0
    verified = run_process("verify", "-", "--trust", root, stdin=attested.out.encode())
    assert verified.code == 0
    assert verified.err.startswith("SIMULATED")


def test_standard_output_has_the_token_alone() -> None:
    outcome = attest()
    assert outcome.out.count("\n") == 1
    assert len(outcome.out.strip().split(".")) == 3
    assert outcome.err.startswith("SIMULATED TEE: tokens of this host prove nothing")


def test_a_token_names_no_guest_and_only_what_was_asked_for() -> None:
    members = claims(attest().out)
    assert set(members) == {"eat_profile", "iat", "exp", "eat_nonce", "cnf", "evidence"}
    assert "user_data" in claims(attest("--user-data", "").out)


def test_without_a_nonce_each_token_has_its_own() -> None:
    nonces = {claims(attest().out)["eat_nonce"] for _ in range(2)}
    assert len(nonces) == 2
    assert {len(nonce) for nonce in nonces} == {43}


def test_each_simulation_has_its_own_root(tmp_path: Path) -> None:
    root, token = tmp_path / "root.pem", tmp_path / "token"
    assert attest("--trust-out", root).code == 0
    assert attest("-o", token).code == 0
    outcome = run("verify", token, "--trust", root)
    assert outcome.code == 4
    assert "amd.ark" in outcome.err


def test_without_a_tee() -> None:
    outcome = run("attest", "vm", "--tee", "none")
    assert (outcome.code, outcome.out) == (3, "")
    assert outcome.err == f"unsupported: {NO_TEE}\n"


def test_with_what_this_machine_has(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    look = "wasmtime_attestation.attesters.select.detect_here"
    monkeypatch.setattr(look, lambda: detect(tmp_path))
    assert run("attest", "vm").err == f"unsupported: {NO_TEE}\n"
    (tmp_path / "sys/devices/platform/sev-guest").mkdir(parents=True)
    outcome = run("attest", "vm")
    assert outcome.code == 3
    assert "amd-sev-snp is here, but evidence cannot be collected." in outcome.err
    assert "modprobe sev-guest" in outcome.err


@pytest.mark.parametrize("target", ["gpu:0", "gpu:7", "all"])
def test_gpus_are_not_supported(target: str) -> None:
    outcome = run("attest", target, "--tee", "simulated")
    assert outcome.code == 3
    assert "this host sees no GPU" in outcome.err


@pytest.mark.parametrize("target", ["", "VM", "gpu:", "gpu:-1", "gpu:x", "gpu:\u0663", "vm:0"])
def test_targets_that_do_not_exist(target: str) -> None:
    outcome = run("attest", target, "--tee", "simulated")
    assert outcome.code == 2
    assert "none of vm, gpu, gpu:N, all" in outcome.err


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--nonce", "00" * 7, "7 bytes"),
        ("--nonce", "00" * 65, "65 bytes"),
        ("--nonce", "hello", "hex"),
        ("--audience", "", "1 to 256 bytes"),
        ("--audience", "a" * 257, "1 to 256 bytes"),
        ("--audience", "\udcff", "UTF-8"),
        ("--user-data", "00" * 4097, "4097 bytes"),
        ("--tee", "intel-tdx", "simulated"),
    ],
)
def test_options_beyond_their_limits(option: str, value: str, says: str) -> None:
    outcome = attest(option, value)
    assert (outcome.code, outcome.out) == (2, "")
    assert says in outcome.err


def test_only_a_simulation_has_a_root_to_write(tmp_path: Path) -> None:
    outcome = run("attest", "vm", "--tee", "none", "--trust-out", tmp_path / "root.pem")
    assert outcome.code == 2
    assert "use --tee simulated" in outcome.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["--trust-out", "-o"])
def test_a_file_that_cannot_be_written(tmp_path: Path, option: str) -> None:
    path = tmp_path / "absent" / "file"
    outcome = attest(option, path)
    assert outcome.code == 2
    assert f"{path} cannot be written: No such file or directory" in outcome.err

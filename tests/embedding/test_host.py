"""A host: what it is made of, when it starts, and what holds for everything that it serves."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from wasmtime_attestation import (
    AttestationHost,
    Challenge,
    Configuration,
    DeniedError,
    Guest,
    InvalidArgumentError,
    PolicyError,
    RejectedError,
    Runtime,
    TargetVm,
    appraise,
    collect,
    verify,
)

from tests.cli.tool import run as tool
from tests.fakes.amd import AT
from tests.world.commands import core

VM = (
    '(import "wasmtime_attestation" "attest_vm" (func $vm (result i32)))',
    "(drop (call $vm)) (drop (call $vm))",
)


def attesting() -> Guest:
    """Returns a guest that gets a token twice."""
    return core(VM[1], VM[0])


def configured(folder: Path, text: str) -> Path:
    file = folder / "host.toml"
    file.write_text(f'schema = 1\n[host]\ntee = "simulated"\n{text}')
    file.chmod(0o600)
    return file


def test_what_a_host_does_not_need_is_not_loaded() -> None:
    code = (
        "import sys; from wasmtime_attestation import AttestationHost; "
        "host = AttestationHost(tee='none'); host.detect_tee(); "
        "heavy = {'cryptography.hazmat', 'lxml', 'httpx', 'asyncio', 'wasmtime', 'click'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_configuration_is_checked_at_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match=r"host\.toml:4"):
        AttestationHost(configured(tmp_path, 'tokens = ["gold"]\n'))
    with pytest.raises(InvalidArgumentError, match="nowhere"):
        AttestationHost(configured(tmp_path, 'endorsements = ["nowhere"]\n'))
    with pytest.raises(InvalidArgumentError, match="argument tee"):
        AttestationHost(tee="gold")
    with pytest.raises(InvalidArgumentError, match="says what its TEE is"):
        AttestationHost(Configuration(), tee="none")
    with pytest.raises(InvalidArgumentError, match="recording"):
        AttestationHost(tee="replay:/nowhere/recording")


def test_a_mapping_says_what_a_file_does(tmp_path: Path) -> None:
    mapping = {"host": {"tee": "simulated", "gpus": 0}, "journal": {"directory": tmp_path}}
    file = configured(tmp_path, f'gpus = 0\n[journal]\ndirectory = "{tmp_path}"\n')
    assert AttestationHost(mapping).configuration == AttestationHost(file).configuration


def test_threads_start_one_host() -> None:
    host = AttestationHost(tee="simulated")
    services: list[object] = []
    threads = [threading.Thread(target=lambda: services.append(host.service)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({*map(id, services)}) == 1
    assert len(services) == 8


def test_rules_hold_for_whatever_is_linked(tmp_path: Path) -> None:
    guest = attesting()
    text = f'[guests.mine]\ndigest = "{guest.digest.hex()}"\nfunctions = ["detect-tee"]\n'
    host = AttestationHost(configured(tmp_path, text))
    with pytest.raises(DeniedError):
        host.world_for(guest).attest_vm()
    assert host.world_for(None).attest_vm().token
    assert Runtime(host).run(guest).tokens == ()


def test_the_journal_is_the_hosts(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    folder.mkdir(mode=0o700)
    guest = attesting()
    with AttestationHost({"host": {"tee": "simulated"}, "journal": {"directory": folder}}) as host:
        outcome = Runtime(host).run(guest)
        host.attest(TargetVm(), Challenge(bytes(8)))
    with pytest.raises(InvalidArgumentError, match="closed"):
        host.world_for(guest)
    (token,) = outcome.tokens
    shown = tool("journal", "show", folder, "--json")
    assert shown.out.count(token.sha256.hex()) == 2
    for function in ("start", "attest-vm", "attest", "stop"):
        assert f'"{function}"' in shown.out
    assert tool("journal", "verify", folder).code == 0


def test_tokens_of_an_outcome_are_told_once_each() -> None:
    with AttestationHost(tee="simulated") as host:
        outcome = Runtime(host).run(attesting())
    (token,) = outcome.tokens
    assert (token.target, token.service, token.tee_type) == ("vm", None, "simulated")
    assert token.expires_at == token.issued_at + 300
    assert outcome.calls == {"attest-vm": 2}


def test_simulation_says_so() -> None:
    host = AttestationHost(tee="simulated")
    assert (host.is_simulated, host.is_replayed) == (True, False)
    assert b"BEGIN CERTIFICATE" in host.simulated_root
    with pytest.raises(InvalidArgumentError, match="simulated"):
        _ = AttestationHost(tee="none").simulated_root


def test_wrong_arguments_of_the_functions() -> None:
    with pytest.raises(InvalidArgumentError, match="64"):
        collect(bytes(32))
    with pytest.raises(InvalidArgumentError, match="no evidence"):
        verify([], nonce=None, at=AT)
    with pytest.raises(InvalidArgumentError, match="time zone"):
        verify(collect(bytes(64), tee="simulated"), nonce=None, at=AT.replace(tzinfo=None))


def test_a_rule_for_kinds_of_token_is_about_those_that_the_host_issues(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP384R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    (tmp_path / "ear.pem").write_bytes(key)
    (tmp_path / "ear.pem").chmod(0o600)

    def host(kinds: str, allowed: str) -> AttestationHost:
        rule = f"[guests.default]\ntokens = {allowed}\n"
        return AttestationHost(
            configured(tmp_path, f'tokens = {kinds}\near-key = "ear.pem"\n{rule}')
        )

    with pytest.raises(PolicyError, match="SIMULATED"):  # it is allowed, and gets to the Verifier
        host('["ear"]', '["ear"]').world_for().attest_vm()
    for kinds in ('["ear"]', '["ear", "evidence"]'):
        with pytest.raises(DeniedError, match="tokens does not allow ear"):
            host(kinds, '["evidence"]').world_for().attest_vm()


def test_a_token_that_has_expired_since_is_not_appraised() -> None:
    host, nonce, now = AttestationHost(tee="simulated"), bytes(32), datetime.now(UTC)
    token = host.attest(TargetVm(), Challenge(nonce=nonce)).token
    verified = verify(token, nonce=nonce, at=now, trust=[host.simulated_root])
    assert verified.verdict
    end = datetime.fromtimestamp(verified.verdict.expires_at, UTC)
    assert appraise(verified, "hardware-only", at=end - timedelta(seconds=1)).status == "warning"
    with pytest.raises(RejectedError, match="expired"):
        appraise(verified, "hardware-only", at=end)

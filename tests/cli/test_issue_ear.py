"""`verify --issue-ear`: what was found, for others to take; nothing where it was rejected."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from wasmtime_attestation.endorsements.x509 import pem

from tests.cli.tool import Outcome, run
from tests.fakes import maa
from tests.fakes.amd import MILAN
from tests.fakes.jose import p256, p384
from tests.fakes.token import NONCE, Forger

HOST = Forger()
AT = ("--at", "2026-03-01T00:00:10Z")


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "ear.key"
    path.write_bytes(p384().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = p384().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "ear.pem").write_bytes(public)
    (tmp_path / "ear.toml").write_text('kind = "ear"\njwks = "ear.pem"\n')
    return path


def issue(data: str | bytes, root: Path, key: Path, *arguments: str | Path) -> tuple[Outcome, Path]:
    ear = key.parent / "ear.jwt"
    given = ("--trust", root, *AT, "--issue-ear", ear, "--ear-key", key)
    stdin = data if isinstance(data, bytes) else data.encode()
    return run("verify", "-", *given, *arguments, stdin=stdin), ear


def test_simulated_evidence_is_never_affirmed_to_others(root: Path, key: Path) -> None:
    outcome, ear = issue(HOST.token(), root, key)
    assert outcome.code == 0
    issuer = ("--issuer", key.parent / "ear.toml")
    taken = run("verify", ear, *AT, *issuer, "--nonce", NONCE.hex(), "--json")
    members = json.loads(taken.out)
    assert taken.code == 5
    assert members["input"]["kind"] == "ear"
    assert members["claims"]["tee_type"] == "simulated"
    assert members["claims"]["status"] == "contraindicated"


def test_the_vector_is_in_the_report_with_its_reasons(root: Path, key: Path) -> None:
    outcome, _ = issue(HOST.token(), root, key, "--json")
    (vector,) = json.loads(outcome.out)["appraisal"]["trustworthiness"]
    assert vector["runtime-opaque"]["value"] == 2
    assert vector["hardware"]["tier"] == "contraindicated"
    assert "SIMULATED" in vector["hardware"]["reason"]
    outcome, _ = issue(HOST.token(), root, key)
    assert "contraindicated  97 hardware" in outcome.out


def test_what_the_policy_refuses_is_issued_as_that(root: Path, key: Path) -> None:
    policy = key.parent / "none.toml"
    policy.write_text("schema = 1\n")
    outcome, ear = issue(HOST.token(), root, key, "--policy", policy)
    assert outcome.code == 5
    assert ear.exists()


def test_nothing_is_issued_for_what_is_rejected(root: Path, key: Path) -> None:
    outcome, ear = issue(HOST.token()[:-4] + "AAAA", root, key)
    assert outcome.code == 4
    assert not ear.exists()
    assert "no attestation result is issued" in outcome.err
    outcome, ear = issue(HOST.token(), root, key, "--nonce", "00" * 8)
    assert outcome.code == 4
    assert not ear.exists()


def test_nothing_is_issued_for_what_is_not_verified(root: Path, key: Path) -> None:
    outcome, ear = issue(MILAN.report(), root, key, "--policy", "hardware-only")
    assert outcome.code == 6
    assert not ear.exists()


def test_nothing_is_issued_for_what_is_not_appraised(root: Path, key: Path) -> None:
    chain = key.parent / "chain.pem"
    chain.write_bytes(b"".join(map(pem, MILAN.chain())))
    report, endorsements = MILAN.report(), ("--endorsements", chain)
    outcome, ear = issue(report, root, key, *endorsements)
    assert outcome.code == 2
    assert "give a --policy" in outcome.err
    assert not ear.exists()
    outcome, ear = issue(report, root, key, *endorsements, "--policy", "hardware-only")
    assert outcome.code == 0
    assert ear.exists()


def test_a_services_token_is_its_issuers_to_say(root: Path, key: Path) -> None:
    (key.parent / "keys").write_bytes(maa.keys())
    (key.parent / "maa.toml").write_text(f'kind = "maa"\niss = ["{maa.ISSUER}"]\njwks = "keys"')
    token = maa.sign(maa.sev_snp_vm())
    outcome, ear = issue(token, root, key, "--issuer", key.parent / "maa.toml")
    assert outcome.code == 2
    assert not ear.exists()


def test_the_options_need_each_other(root: Path, key: Path, tmp_path: Path) -> None:
    token = HOST.token().encode()
    assert run("verify", "-", "--ear-key", key, stdin=token).code == 2
    assert run("verify", "-", "--issue-ear", tmp_path / "ear", stdin=token).code == 2
    wrong = tmp_path / "wrong"
    wrong.write_bytes(p256().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    outcome, ear = issue(token, root, wrong)
    assert outcome.code == 2
    assert "P-384" in outcome.err
    assert not ear.exists()

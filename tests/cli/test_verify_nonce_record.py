"""`verify --nonce-record`: a token is accepted once, and by nobody where nobody knows."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.tool import Outcome, run
from tests.nonces.server import redis_server

NONCE = bytes(range(16)).hex()


@pytest.fixture
def attested(tmp_path: Path) -> tuple[Path, Path]:
    """A token of a simulated host that answers NONCE, and the root of its simulation."""
    token, root = tmp_path / "attested", tmp_path / "simulated.pem"
    outcome = run(
        *("attest", "vm", "--tee", "simulated", "--nonce", NONCE, "--trust-out", root, "-o", token)
    )
    assert outcome.code == 0, outcome.err
    return token, root


def verify(attested: tuple[Path, Path], record: str | Path, *more: str) -> Outcome:
    token, root = attested
    options = ("--trust", root, "--nonce", NONCE, "--nonce-record", record)
    return run("verify", token, *options, *more)


def test_a_token_is_accepted_once(attested: tuple[Path, Path], tmp_path: Path) -> None:
    record = tmp_path / "nonces"
    assert verify(attested, record).code == 0
    outcome = verify(attested, record)
    assert outcome.code == 4
    assert "a token with this nonce was accepted before: it is a replay" in outcome.err
    report = json.loads(verify(attested, record, "--json").out)
    (check,) = [check for check in report["checks"] if check["id"] == "token.nonce"]
    assert (check["outcome"], report["outcome"]) == ("failed", "rejected")


def test_also_by_redis(attested: tuple[Path, Path], tmp_path: Path) -> None:
    with redis_server(tmp_path) as url:
        assert [verify(attested, url).code for _ in range(2)] == [0, 4]
    outcome = verify(attested, url)
    assert outcome.code == 6
    assert "cannot be used" in outcome.err


def test_a_token_that_is_refused_uses_nothing(attested: tuple[Path, Path], tmp_path: Path) -> None:
    record = tmp_path / "nonces"
    assert verify(attested, record, "--audience", "somebody").code == 4
    assert verify(attested, record, "--policy", "hardware-only", "--max-age", "0").code in {0, 4}
    token, root = attested
    whole = token.read_text()
    token.write_text(whole[:-9])
    assert verify((token, root), tmp_path / "other").code == 4
    token.write_text(whole)
    assert verify(attested, tmp_path / "other").code == 0


def test_a_record_that_cannot_be_used(attested: tuple[Path, Path], tmp_path: Path) -> None:
    outcome = verify(attested, tmp_path / "none" / "nonces")
    assert outcome.code == 6
    assert "without it nothing is accepted" in outcome.err
    shared = tmp_path / "shared"
    shared.touch()
    os.chmod(shared, 0o666)  # noqa: PTH101, S103
    assert verify(attested, shared).code == 2


def test_options_that_do_not_fit(attested: tuple[Path, Path], tmp_path: Path) -> None:
    token, root = attested
    record = tmp_path / "nonces"
    lacking = run("verify", token, "--trust", root, "--nonce-record", record)
    assert (lacking.code, "needs --nonce" in lacking.err) == (2, True)
    assert verify(attested, record, "--at", "2026-03-01T00:00:10Z").code == 2
    many = run("verify", "--batch", token, "--nonce", NONCE, "--nonce-record", record)
    assert many.code == 2
    assert not record.exists()

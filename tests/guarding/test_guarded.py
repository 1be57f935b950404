"""What a guest may do under a rule, and what the journal has of it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from wasmtime_attestation import wit
from wasmtime_attestation.capabilities.settings import load
from wasmtime_attestation.capabilities.terms import GuestIdentity
from wasmtime_attestation.errors import DeniedError, PolicyError, UnavailableError
from wasmtime_attestation.guarding.guard import Guard
from wasmtime_attestation.guarding.revocation import Revocation
from wasmtime_attestation.journal.decision import Decision, Verdict

from tests.fakes.host import GUEST, Clock, attest, start


class Kept:
    def __init__(self) -> None:
        self.decisions: list[Decision] = []

    def record(self, decision: Decision) -> None:
        self.decisions.append(decision)


def world(rule: str, recorder: Kept | None = None, clock: Clock | None = None) -> wit.World:
    guard = Guard(load("r", f"[guests.default]\n{rule}".encode()), recorder, clock=clock or Clock())
    return guard.guarded(start().service.for_guest(GUEST), GuestIdentity("g", GUEST))


@pytest.mark.parametrize(
    ("rule", "setting"),
    [
        ('functions=["verify"]', "functions"),
        ('targets=["gpu:0","all"]', "targets"),
        ('audiences=["me"]', "audiences"),
        ('user-data-prefix="0102"', "user-data-prefix"),
        ('tokens=["maa"]', "tokens"),
    ],
)
def test_a_denial_names_the_rule(rule: str, setting: str) -> None:
    with pytest.raises(DeniedError, match=rf"rule guests\.default\.{setting} "):
        attest(world(rule))
    with pytest.raises(DeniedError, match=setting):
        world(rule).attest_vm()


def test_what_a_rule_wants_is_enough() -> None:
    rule = 'targets=["vm"]\naudiences=["me"]\nuser-data-prefix="0102"\ntokens=["evidence"]'
    assert attest(world(rule), user_data=b"\1\2\3", audience="me").token
    with pytest.raises(DeniedError, match="begins with 0102"):
        attest(world(rule), user_data=b"\2\1", audience="me")


def test_rates_are_counted_by_class_and_outlast_a_run() -> None:
    clock = Clock()
    one = world("attest-per-minute=2", clock=clock)
    one.attest_vm()
    one.attest_vm()
    with pytest.raises(DeniedError, match="attest-per-minute allows 2 calls a minute"):
        one.attest_vm()
    assert one.detect_tee()
    clock.now += 30
    one.attest_vm()


def test_the_status_must_be_high_enough() -> None:
    one = world('minimum-status="affirming"')
    token = one.attest_vm().token
    assert one.verify_token(token)
    with pytest.raises(DeniedError, match="wants affirming, and the token is none"):
        one.verify(token, wit.Expectations())


def test_the_reason_of_a_false_is_in_the_journal() -> None:
    kept = Kept()
    one = world('functions=["attest-vm","verify-token"]', kept)
    token = one.attest_vm().token
    assert one.verify_token(token)
    assert not one.verify_token(token[:-8] + "AAAAAAAA")
    with pytest.raises(DeniedError):
        one.detect_tee()
    verdicts = [d.verdict for d in kept.decisions]
    assert verdicts == [Verdict.OK, Verdict.OK, Verdict.REJECTED, Verdict.DENIED]
    assert len(kept.decisions[0].evidence_sha256) == 1
    assert kept.decisions[0].token_sha256 == kept.decisions[1].token_sha256
    assert kept.decisions[2].findings


def test_nothing_is_wrapped_where_nothing_is_configured() -> None:
    bare = start().service.for_guest(GUEST)
    assert Guard(None).guarded(bare, GuestIdentity()) is bare
    one = world("")
    assert one.detect_tee() is one.detect_tee()


def test_a_host_that_says_no_stops_the_guest_at_once() -> None:
    error = PolicyError([wit.Finding("policy.debug", "debug")])  # type: ignore[list-item]

    def check() -> None:
        raise error

    with Revocation(check, 0.01) as watch:
        assert watch.revoked.result(20) is error


def test_three_checks_that_say_nothing_stop_it_too() -> None:
    calls: list[int] = []

    def check() -> None:
        calls.append(1)
        if len(calls) != 3:
            raise UnavailableError("busy")

    with Revocation(check, 0.01) as watch:
        assert isinstance(watch.revoked.result(20), UnavailableError)
    assert len(calls) == 6


def test_a_check_that_hangs_is_one_that_says_nothing() -> None:
    with Revocation(lambda: time.sleep(5), 0.01, limit=0.05) as watch:
        assert "did not end" in str(watch.revoked.result(20))


def test_cli_session(tmp_path: Path) -> None:
    from wasmtime import wat2wasm

    from tests.cli.tool import run

    guest, policy, folder = tmp_path / "g.wasm", tmp_path / "p.toml", tmp_path / "j"
    guest.write_bytes(wat2wasm('(module (memory (export "memory") 1) (func (export "_start")))'))
    policy.write_text('schema = 1\naccept = ["simulated"]\n')
    options = ("--tee", "simulated", "--journal", folder)
    assert run("run", *options, "--require", policy, guest).code == 0
    refused = run("run", *options, "--require", "strict", guest)
    assert (refused.code, "not started" in refused.err) == (125, True)
    assert run("journal", "verify", folder).code == 0
    assert "policy" in run("journal", "show", folder).out
    assert run("run", "--revoke", "1", guest).code == 2

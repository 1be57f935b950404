"""The calls that guests know: attest-vm and its cache, verify-token, clear-cache."""

from __future__ import annotations

from dataclasses import replace

import pytest
from wasmtime_attestation import wit
from wasmtime_attestation.errors import (
    RejectedError,
)
from wasmtime_attestation.policy import AppraisalPolicy
from wasmtime_attestation.service import Settings
from wasmtime_attestation.wit import (
    AttestationResult,
    Expectations,
    Status,
    TeeType,
)

from tests.fakes.amd import MILAN, real_anchors
from tests.fakes.forgeries import FORGERIES, Forgery
from tests.fakes.host import GUEST, MEASUREMENT, OTHER_GUEST, Host, measured, start
from tests.fakes.token import NOW, Forger


@pytest.fixture
def host() -> Host:
    return start()


@pytest.fixture
def world(host: Host) -> wit.World:
    return host.world()


def test_attest_vm(world: wit.World) -> None:
    result = world.attest_vm()
    assert result == AttestationResult(result.token, None, NOW, TeeType.AMD_SEV_SNP)
    verdict = world.verify(result.token, Expectations())
    assert (verdict.issued_at, verdict.expires_at) == (NOW, NOW + 300)
    assert verdict.guest_digest == GUEST


def test_a_token_is_ascii_that_needs_no_escape(world: wit.World) -> None:
    token = world.attest_vm().token
    assert token.isascii()
    assert not set(token) & set('"\\ \n')


def test_a_guest_that_asks_again_gets_the_same_token(host: Host) -> None:
    first = host.world().attest_vm()
    host.clock.now += 269
    assert host.world().attest_vm() == first


@pytest.mark.parametrize("seconds", [270, 299, 300, 100_000, -1, -100_000])
def test_it_gets_a_new_one_when_the_old_one_is_not_good_now(host: Host, seconds: int) -> None:
    first = host.world().attest_vm()
    host.clock.now += seconds
    second = host.world().attest_vm()
    assert second.token != first.token
    assert second.timestamp == NOW + seconds


def test_it_gets_a_new_one_after_clear_cache(world: wit.World) -> None:
    first = world.attest_vm()
    world.clear_cache()
    assert world.attest_vm().token != first.token


def test_clear_cache_is_for_one_guest(host: Host) -> None:
    first = host.world(OTHER_GUEST).attest_vm()
    host.world(GUEST).clear_cache()
    assert host.world(OTHER_GUEST).attest_vm() == first


def test_no_guest_gets_the_token_of_another(host: Host) -> None:
    tokens = [host.world(guest).attest_vm().token for guest in (GUEST, OTHER_GUEST, None)]
    assert len(set(tokens)) == 3
    digests = [host.world().verify(token, Expectations()).guest_digest for token in tokens]
    assert digests == [GUEST, OTHER_GUEST, None]


def test_a_token_that_lives_no_longer_than_the_margin_is_never_kept() -> None:
    world = start(lifetime=30).world()
    assert world.attest_vm().token != world.attest_vm().token


def test_time_is_the_clocks_alone(host: Host) -> None:
    token = host.world().attest_vm().token
    host.clock.now += 299.9
    assert host.world().verify_token(token)
    host.clock.now += 0.1
    assert not host.world().verify_token(token)
    host.clock.now = NOW - 61
    assert not host.world().verify_token(token)


def test_a_hosts_own_token_is_accepted(host: Host) -> None:
    assert host.world().verify_token(host.world().attest_vm().token)
    assert host.world().verify_token(host.world(None).attest_vm().token)
    assert host.world(OTHER_GUEST).verify_token(host.world(GUEST).attest_vm().token)


@pytest.mark.parametrize("forgery", FORGERIES, ids=str)
def test_no_forgery_is_accepted(host: Host, forgery: Forgery) -> None:
    host.clock.now = NOW + 10
    assert host.world().verify_token(host.forger.token())
    assert not host.world().verify_token(forgery.make(host.forger))
    with pytest.raises(RejectedError) as caught:
        host.world().verify(forgery.make(host.forger), Expectations())
    assert [finding.check for finding in caught.value.findings] == [forgery.check]


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a.b.c", "." * 10_000_000, "\0", "\ud800..", "é.é.é", "tdx-quote", "{}"]
)
def test_no_nonsense_is_accepted(world: wit.World, text: str) -> None:
    assert world.verify_token(text) is False


def test_no_beginning_of_a_token_is_accepted(world: wit.World) -> None:
    token = world.attest_vm().token
    assert not any(world.verify_token(token[:end]) for end in range(0, len(token), 61))
    assert not any(world.verify_token(token[:-end]) for end in range(1, 140))


def test_a_token_of_another_host_on_the_same_machine_is_not_accepted(world: wit.World) -> None:
    """It is authentic, but nobody configured its issuer."""
    token = Forger(2000).token()
    assert world.verify(token, Expectations()).tee_type is TeeType.AMD_SEV_SNP
    assert not world.verify_token(token)


def test_a_token_of_a_former_start_of_this_host_is_not_accepted() -> None:
    token = start().world().attest_vm().token
    assert not start().world().verify_token(token)


@pytest.mark.parametrize("fields", [{"policy": 0xB0000}, {"vmpl": 1}])
def test_a_token_that_the_policy_does_not_accept_is_not_accepted(fields: dict[str, int]) -> None:
    """Debugging allowed; asked for by other than the most privileged level."""
    host = start(replace(MILAN, fields=tuple(fields.items())))
    token = host.world().attest_vm().token
    assert host.world().verify(token, Expectations()).status is Status.NONE
    assert not host.world().verify_token(token)


def test_the_hosts_policy_decides() -> None:
    host = start(settings=Settings(real_anchors(), policy=AppraisalPolicy("denies")))
    assert not host.world().verify_token(host.world().attest_vm().token)
    host = start(settings=Settings(real_anchors(), policy=measured(MEASUREMENT)))
    assert host.world().verify_token(host.world().attest_vm().token)
    named = measured(MEASUREMENT, guest_digests=frozenset({OTHER_GUEST}))
    host = start(settings=Settings(real_anchors(), policy=named))
    assert host.world().verify_token(host.world(OTHER_GUEST).attest_vm().token)
    assert not host.world().verify_token(host.world(GUEST).attest_vm().token)
    assert not host.world().verify_token(host.world(None).attest_vm().token)


def test_a_token_without_endorsements_is_not_accepted(host: Host) -> None:
    payload = host.forger.payload()
    payload["evidence"][0]["endorsements"] = []
    assert not host.world().verify_token(host.forger.sign(payload))

"""The service as verifier for its guests: expectations, verdicts, policies."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from wasmtime_attestation import wit
from wasmtime_attestation.errors import (
    InvalidArgumentError,
    PolicyError,
    RejectedError,
    UnavailableError,
)
from wasmtime_attestation.nonces.memory import MemoryNonces
from wasmtime_attestation.policy import HARDWARE_ONLY, AppraisalPolicy
from wasmtime_attestation.service import Settings
from wasmtime_attestation.wit import (
    Expectations,
    Status,
    TeeType,
)

from tests.fakes.amd import MILAN, real_anchors
from tests.fakes.host import MEASUREMENT, OTHER_GUEST, Host, attest, measured, start
from tests.fakes.token import NONCE, NOW, Forger


@pytest.fixture
def host() -> Host:
    return start()


@pytest.fixture
def world(host: Host) -> wit.World:
    return host.world()


def with_policy(policy: AppraisalPolicy) -> Settings:
    return Settings(
        real_anchors(), policies={"measured": policy, HARDWARE_ONLY.name: HARDWARE_ONLY}
    )


@pytest.mark.parametrize(
    "expected",
    [
        Expectations(),
        Expectations(nonce=NONCE),
        Expectations(audience="somebody"),
        Expectations(max_age_seconds=10),
        Expectations(max_age_seconds=2**32 - 1),
        Expectations(NONCE, "somebody", 300, "hardware-only"),
    ],
)
def test_what_is_as_expected(host: Host, expected: Expectations) -> None:
    token = attest(host.world(), audience="somebody").token
    host.clock.now += 10
    verdict = host.world().verify(token, expected)
    assert verdict.status is (Status.AFFIRMING if expected.policy else Status.NONE)
    assert verdict.tee_type is TeeType.AMD_SEV_SNP


@pytest.mark.parametrize(
    ("expected", "check"),
    [
        (Expectations(nonce=b"another nonce"), "token.nonce"),
        (Expectations(nonce=b""), "token.nonce"),
        (Expectations(audience="another"), "token.audience"),
        (Expectations(audience=""), "token.audience"),
        (Expectations(audience="\ud800"), "token.audience"),
        (Expectations(max_age_seconds=9), "token.age"),
        (Expectations(max_age_seconds=0), "token.age"),
        (Expectations(b"another nonce", "somebody", 300, "hardware-only"), "token.nonce"),
    ],
)
def test_what_is_not_as_expected(host: Host, expected: Expectations, check: str) -> None:
    token = attest(host.world(), audience="somebody").token
    host.clock.now += 10
    with pytest.raises(RejectedError) as caught:
        host.world().verify(token, expected)
    assert [finding.check for finding in caught.value.findings] == [check]


def test_a_verdict_says_everything(host: Host) -> None:
    result = host.world().attest_vm()
    verdict = host.world(OTHER_GUEST).verify(result.token, Expectations())
    claims = json.loads(verdict.claims)
    assert verdict.issuer == claims["issuer"]
    assert verdict.issuer.startswith("urn:ietf:params:oauth:jwk-thumbprint:sha-256:")
    assert claims["token"]["iat"] == NOW
    (evidence,) = claims["evidence"]
    assert evidence["tee_type"] == "amd-sev-snp"
    assert evidence["amd-sev-snp"]["measurement"] == MEASUREMENT.hex()
    assert len(verdict.claims) < 50_000


@pytest.mark.parametrize("name", ["", "none", "Hardware-Only", "../hardware-only", "x" * 10_000])
def test_a_policy_that_the_host_does_not_have(world: wit.World, name: str) -> None:
    with pytest.raises(InvalidArgumentError, match="no policy of that name; it has azure-cvm, "):
        world.verify(world.attest_vm().token, Expectations(policy=name))


def test_a_policy_that_does_not_accept() -> None:
    host = start(replace(MILAN, fields=(("policy", 0xB0000), ("vmpl", 2))))
    with pytest.raises(PolicyError) as caught:
        host.world().verify(host.world().attest_vm().token, Expectations(policy="hardware-only"))
    assert {f.check for f in caught.value.findings} == {"policy.debug", "policy.vmpl"}


def test_another_hosts_token_needs_reference_values() -> None:
    """Genuine hardware alone does not say which software wrote the token."""
    token = Forger(2000).token()
    world = start(settings=with_policy(measured(MEASUREMENT))).world()
    assert world.verify(token, Expectations()).status is Status.NONE
    with pytest.raises(PolicyError) as caught:
        world.verify(token, Expectations(policy="hardware-only"))
    assert [f.check for f in caught.value.findings] == ["policy.reference-values"]
    assert world.verify(token, Expectations(policy="measured")).status is Status.AFFIRMING


@pytest.mark.parametrize("measurements", [[], [bytes(48)]])
def test_another_hosts_token_must_have_a_reference_value(measurements: list[bytes]) -> None:
    world = start(settings=with_policy(measured(*measurements))).world()
    with pytest.raises(PolicyError) as caught:
        world.verify(Forger(2000).token(), Expectations(policy="measured"))
    assert [f.check for f in caught.value.findings] == ["policy.measurement"]


def test_each_nonce_is_accepted_once_where_a_record_is_kept() -> None:
    host = start(settings=Settings(real_anchors(), nonces=MemoryNonces(lambda: NOW)))
    token = attest(host.world()).token
    expected = Expectations(nonce=NONCE)
    with pytest.raises(RejectedError):
        host.world().verify(token, Expectations(NONCE, "nobody"))
    assert host.world().verify(token, Expectations()).status is Status.NONE
    assert host.world().verify(token, expected).status is Status.NONE
    with pytest.raises(RejectedError, match="was accepted before: it is a replay") as caught:
        host.world().verify(token, expected)
    assert caught.value.findings[0].check == "token.nonce"
    # No guest can use up what another one sent.
    assert host.world(OTHER_GUEST).verify(token, expected).status is Status.NONE


def test_where_nobody_knows_nothing_is_accepted() -> None:
    record = MemoryNonces(lambda: NOW, 1)
    record.use(b"another", NOW + 300)
    host = start(settings=Settings(real_anchors(), nonces=record))
    token = attest(host.world()).token
    with pytest.raises(UnavailableError, match="are remembered already"):
        host.world().verify(token, Expectations(nonce=NONCE))

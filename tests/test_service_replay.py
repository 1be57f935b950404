"""A host that replays: true for its own tokens, as long as the recording is authentic."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from wasmtime_attestation import wit
from wasmtime_attestation.attesters import recording, replay
from wasmtime_attestation.attesters.machine import Machine
from wasmtime_attestation.attesters.recording import Recording
from wasmtime_attestation.attesters.simulated import SimulatedAttester
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.errors import RejectedError
from wasmtime_attestation.evidence import jwt
from wasmtime_attestation.evidence.token import PROFILE, REPLAYED_PROFILE, Binding, EvidenceToken
from wasmtime_attestation.issuer import TokenIssuer
from wasmtime_attestation.service import AttestationService, Settings
from wasmtime_attestation.wit import Challenge, Expectations, Status, TargetVm, TeeType

RECORDED = 1_772_323_200  # 2026-03-01T00:00:00Z
NOW = RECORDED + 200 * 86_400
GUEST = bytes(range(32))
NONCE = bytes(8)


@pytest.fixture(scope="module")
def attester() -> SimulatedAttester:
    return SimulatedAttester(RECORDED)


@pytest.fixture(scope="module")
def anchors(attester: SimulatedAttester) -> Anchors:
    return Anchors(()).trusting([attester.root_fingerprint])


@pytest.fixture(scope="module")
def recorded(attester: SimulatedAttester, anchors: Anchors) -> Recording:
    service = AttestationService(Machine(attester), Settings(anchors), lambda: RECORDED)
    token = service.for_guest(None).attest(TargetVm(), Challenge(NONCE)).token
    payload = EvidenceToken.from_payload(jwt.decode(token).claims())
    made = recording.of_token(payload, attester.info(), (), 0, {})
    return Recording.decode(made.encode())


def host(made: Recording, anchors: Anchors, now: int = NOW) -> wit.World:
    settings = Settings(anchors, recorded=made.recorded)
    return AttestationService(replay.machine(made), settings, lambda: now).for_guest(GUEST)


def test_a_replaying_host_accepts_its_own_tokens(recorded: Recording, anchors: Anchors) -> None:
    """Half a year later, when the token is new and the evidence old."""
    world = host(recorded, anchors)
    token = world.attest_vm().token
    assert world.verify_token(token)
    assert world.detect_tee().provider == "replay"
    assert world.detect_tee().tee_type is TeeType.SIMULATED


def test_every_verdict_says_so(recorded: Recording, anchors: Anchors) -> None:
    world = host(recorded, anchors)
    token = world.attest(TargetVm(), Challenge(b"12345678", b"data", "you")).token
    expected = Expectations(b"12345678", "you", 10, "hardware-only")
    verdict = world.verify(token, expected)
    assert verdict.status is Status.WARNING
    assert verdict.guest_digest == GUEST
    members = json.loads(verdict.claims)
    assert members["replayed"] == "REPLAYED: recorded at 2026-03-01T00:00:00Z, not collected"


def test_what_a_guest_expects_is_still_checked(recorded: Recording, anchors: Anchors) -> None:
    world = host(recorded, anchors)
    token = world.attest(TargetVm(), Challenge(NONCE, None, "you")).token
    for expected in (Expectations(b"another nonce"), Expectations(audience="me")):
        with pytest.raises(RejectedError):
            world.verify(token, expected)


def test_tokens_expire(recorded: Recording, anchors: Anchors) -> None:
    now = [NOW]
    settings = Settings(anchors, recorded=recorded.recorded)
    service = AttestationService(replay.machine(recorded), settings, lambda: now[0])
    world = service.for_guest(GUEST)
    token = world.attest_vm().token
    now[0] += 3600
    assert not world.verify_token(token)
    with pytest.raises(RejectedError, match=r"token\.time"):
        world.verify(token, Expectations())


def test_no_other_host_accepts_them(
    recorded: Recording, anchors: Anchors, attester: SimulatedAttester
) -> None:
    """Neither the machine itself, nor another process that replays the same recording."""
    token = host(recorded, anchors).attest_vm().token
    machine = AttestationService(Machine(attester), Settings(anchors), lambda: NOW).for_guest(GUEST)
    for stranger in (machine, host(recorded, anchors)):
        assert not stranger.verify_token(token)
        with pytest.raises(RejectedError, match=r"token\.profile.*replays"):
            stranger.verify(token, Expectations())


def test_the_profile_alone_buys_nothing(
    recorded: Recording, anchors: Anchors, attester: SimulatedAttester
) -> None:
    """Evidence that is bound as it should be, in a token of the wrong profile, and the reverse."""
    for profile, machine in (
        (REPLAYED_PROFILE, Machine(attester)),
        (PROFILE, replay.machine(recorded)),
    ):
        issuer = TokenIssuer(profile=profile)
        service = AttestationService(machine, Settings(anchors), lambda: NOW, issuer)
        world = service.for_guest(GUEST)
        token = world.attest_vm().token
        assert not world.verify_token(token)
        with pytest.raises(RejectedError):
            world.verify(token, Expectations())


def test_a_replaying_host_rejects_what_was_not_recorded(
    recorded: Recording, anchors: Anchors, attester: SimulatedAttester
) -> None:
    settings = Settings(anchors, recorded=recorded.recorded)
    world = AttestationService(Machine(attester), settings, lambda: NOW).for_guest(GUEST)
    with pytest.raises(RejectedError, match="was not recorded"):
        world.verify(world.attest_vm().token, Expectations())


@pytest.mark.parametrize(
    "change",
    [
        lambda b: replace(b, nonce=b"another nonce"),
        lambda b: replace(b, key_thumbprint=bytes(32)),
        lambda b: replace(b, guest_digest=GUEST),
        lambda b: replace(b, user_data=b""),
        lambda b: replace(b, audience="you"),
        lambda b: replace(b, profile=REPLAYED_PROFILE),
    ],
)
def test_evidence_must_be_bound_to_what_was_recorded(
    recorded: Recording, anchors: Anchors, change: object
) -> None:
    assert callable(change)
    binding = change(recorded.recorded.binding)
    assert isinstance(binding, Binding)
    forged = replace(recorded, recorded=replace(recorded.recorded, binding=binding))
    world = host(forged, anchors)
    token = world.attest_vm().token
    assert not world.verify_token(token)
    with pytest.raises(RejectedError, match=r"evidence\.binding"):
        world.verify(token, Expectations())


def test_a_recording_of_another_time_does_not_verify(recorded: Recording, anchors: Anchors) -> None:
    """The certificates were not valid then."""
    early = replace(recorded, recorded=replace(recorded.recorded, at=RECORDED - 86_400))
    assert not host(early, anchors).verify_token(host(early, anchors).attest_vm().token)


def test_a_recording_of_a_simulation_never_passes_for_real(recorded: Recording) -> None:
    world = host(recorded, Anchors.of_vendors())
    token = world.attest_vm().token
    assert not world.verify_token(token)
    with pytest.raises(RejectedError, match=r"amd\.ark"):
        world.verify(token, Expectations())


def test_what_is_redacted_is_false_with_the_reason(recorded: Recording, anchors: Anchors) -> None:
    redacted = recorded.redacted(recorded.recorded.evidence, ("chip id",))
    world = host(redacted, anchors)
    token = world.attest_vm().token
    assert not world.verify_token(token)
    with pytest.raises(RejectedError, match="redacted and proves nothing: chip id"):
        world.verify(token, Expectations())

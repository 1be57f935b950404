"""The service as attester: challenges, simulations, hosts without a TEE, GPUs, summaries."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from wasmtime_attestation import wit
from wasmtime_attestation.attesters.detect import Detection
from wasmtime_attestation.attesters.machine import Machine
from wasmtime_attestation.attesters.select import DetectedAttester
from wasmtime_attestation.attesters.simulated import SimulatedAttester
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.errors import (
    InvalidArgumentError,
    RejectedError,
    UnsupportedError,
)
from wasmtime_attestation.service import AttestationService, Settings
from wasmtime_attestation.wit import (
    Challenge,
    Expectations,
    Status,
    TargetAll,
    TargetGpu,
    TeeType,
)

from tests.fakes.amd import real_anchors
from tests.fakes.host import GUEST, MEASUREMENT, OTHER_GUEST, Clock, Host, attest, start
from tests.fakes.token import NONCE, NOW, Forger


@pytest.fixture
def host() -> Host:
    return start()


@pytest.fixture
def world(host: Host) -> wit.World:
    return host.world()


def test_attest_answers_the_challenge(world: wit.World) -> None:
    token = attest(world, b"challenge", b"\0data", "für dich").token
    claims = json.loads(world.verify(token, Expectations(b"challenge", "für dich")).claims)
    assert claims["token"]["user_data"] == "AGRhdGE"


@pytest.mark.parametrize("guest", [GUEST, OTHER_GUEST, None])
def test_attest_names_the_guest_that_asks(host: Host, guest: bytes | None) -> None:
    token = attest(host.world(guest)).token
    assert host.world().verify(token, Expectations(NONCE)).guest_digest == guest


def test_attest_is_always_fresh_and_leaves_the_cache_alone(world: wit.World) -> None:
    kept = world.attest_vm()
    assert attest(world).token != attest(world).token
    assert world.attest_vm() == kept


@pytest.mark.parametrize(
    ("nonce", "user_data", "audience"),
    [
        (bytes(8), None, None),
        (bytes(64), None, None),
        (NONCE, b"", None),
        (NONCE, bytes(4096), None),
        (NONCE, None, "a"),
        (NONCE, None, "é" * 128),
        (bytes(64), bytes(4096), "a" * 256),
    ],
)
def test_the_limits_of_a_challenge(
    world: wit.World, nonce: bytes, user_data: bytes | None, audience: str | None
) -> None:
    token = attest(world, nonce, user_data, audience).token
    assert world.verify_token(token)
    assert len(token) < 50_000


@pytest.mark.parametrize(
    ("nonce", "user_data", "audience", "says"),
    [
        (b"", None, None, "the nonce has 0 bytes; it must have 8 to 64"),
        (bytes(7), None, None, "the nonce has 7 bytes"),
        (bytes(65), None, None, "the nonce has 65 bytes"),
        (bytes(10_000_000), None, None, "the nonce has 10000000 bytes"),
        (NONCE, bytes(4097), None, "the user data has more than 4096 bytes"),
        (NONCE, None, "", "the audience must have 1 to 256 bytes"),
        (NONCE, None, "a" * 257, "the audience must have 1 to 256 bytes"),
        (NONCE, None, "é" * 129, "the audience must have 1 to 256 bytes"),
        (NONCE, None, "\ud800", "the audience must have 1 to 256 bytes of UTF-8"),
    ],
)
def test_a_challenge_beyond_the_limits(
    world: wit.World, nonce: bytes, user_data: bytes | None, audience: str | None, says: str
) -> None:
    with pytest.raises(InvalidArgumentError, match=says):
        attest(world, nonce, user_data, audience)


def simulated(now: int = NOW) -> AttestationService:
    attester = SimulatedAttester(now)
    settings = Settings(Anchors(()).trusting([attester.root_fingerprint]))
    return AttestationService(Machine(attester), settings, Clock(now))


def test_simulated_evidence_is_simulated_everywhere() -> None:
    world = simulated().for_guest(GUEST)
    result = world.attest_vm()
    assert world.detect_tee() == wit.TeeInfo(
        TeeType.SIMULATED, supports_attestation=True, provider="simulated", gpu_count=0
    )
    assert result.tee_type is TeeType.SIMULATED
    verdict = world.verify(result.token, Expectations(policy="hardware-only"))
    assert (verdict.tee_type, verdict.status) == (TeeType.SIMULATED, Status.WARNING)
    assert json.loads(verdict.claims)["evidence"][0]["tee_type"] == "simulated"
    assert world.verify_token(result.token)


def test_simulations_do_not_trust_each_other(world: wit.World) -> None:
    one, other = simulated().for_guest(GUEST), simulated().for_guest(GUEST)
    token = one.attest_vm().token
    for stranger in (other, world):
        assert not stranger.verify_token(token)
        with pytest.raises(RejectedError, match=r"amd\.ark"):
            stranger.verify(token, Expectations())


def test_a_simulation_trusts_no_vendor() -> None:
    with pytest.raises(RejectedError, match=r"amd\.ark"):
        simulated().for_guest(GUEST).verify(Forger().token(), Expectations())


LEGACY = (
    "No TEE attestation available. Not running in a Confidential VM (Intel TDX or AMD SEV-SNP)?"
)


def detected(tee_type: TeeType) -> wit.World:
    attester = DetectedAttester(lambda: Detection(tee_type))
    return AttestationService(Machine(attester), Settings(real_anchors()), Clock()).for_guest(GUEST)


def test_where_there_is_no_tee_the_error_is_the_one_that_guests_know() -> None:
    world = detected(TeeType.NONE)
    assert world.detect_tee().tee_type is TeeType.NONE
    for call in (world.attest_vm, lambda: attest(world)):
        with pytest.raises(UnsupportedError) as caught:
            call()
        assert caught.value.message == LEGACY
    world.clear_cache()


def test_a_host_without_a_tee_still_verifies() -> None:
    world = detected(TeeType.NONE)
    assert world.verify(Forger().token(), Expectations()).tee_type is TeeType.AMD_SEV_SNP
    assert not world.verify_token(Forger().token())


def test_a_tee_that_is_only_named_says_so() -> None:
    with pytest.raises(UnsupportedError, match="SEV-SNP not available for attestation"):
        detected(TeeType.AMD_SEV).attest_vm()
    with pytest.raises(UnsupportedError, match="intel-tdx is here, but evidence cannot"):
        detected(TeeType.INTEL_TDX).attest_vm()


def test_gpus_are_not_supported_and_the_reason_is_given(world: wit.World) -> None:
    calls: list[Callable[[], object]] = [
        world.gpus,
        lambda: world.attest_gpu(0),
        lambda: world.attest_gpu(2**32 - 1),
        lambda: world.attest(TargetGpu(0), Challenge(NONCE)),
        lambda: world.attest(TargetAll(), Challenge(NONCE)),
    ]
    for call in calls:
        with pytest.raises(UnsupportedError, match="this host sees no GPU"):
            call()


def test_a_summary_of_the_evidence_is_there_where_it_is_configured() -> None:
    world = start(settings=Settings(real_anchors(), evidence_summary=True)).world()
    for result in (world.attest_vm(), attest(world, bytes(64), bytes(4096), "a" * 256)):
        assert result.evidence is not None
        assert len(result.evidence.encode()) <= 4096
        summary = json.loads(result.evidence)
        assert summary["type"] == "amd-sev-snp"
        assert summary["measurement"] == MEASUREMENT.hex()

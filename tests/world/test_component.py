"""Every value of the world, through a real component and back."""

from __future__ import annotations

import pytest
from wasmtime.component import Record, Variant
from wasmtime_attestation import wit
from wasmtime_attestation.errors import (
    AttestationError,
    DeniedError,
    Finding,
    InternalError,
    InvalidArgumentError,
    PolicyError,
    RejectedError,
    UnavailableError,
    UnsupportedError,
)

from tests.world.components import ARGUMENTS, Embedder, forwarder, record
from tests.world.scripted_world import NOTHING, ScriptedWorld

U32, U64 = 2**32 - 1, 2**64 - 1
TEE_LABELS = [
    "none",
    "intel-tdx",
    "intel-sgx",
    "amd-sev",
    "amd-sev-snp",
    "arm-cca",
    "ibm-se",
    "nvidia-gpu",
    "simulated",
    "other",
]
RESULT = wit.AttestationResult("tökèn", '{"π":1}', U64, wit.TeeType.ARM_CCA)
RESULT_RECORD = {
    "token": "tökèn",
    "evidence": '{"π":1}',
    "timestamp": U64,
    "tee-type": "arm-cca",
}
ERRORS: list[tuple[AttestationError, tuple[str, object]]] = [
    (UnsupportedError("no TEE: ∅"), ("unsupported", "no TEE: ∅")),
    (UnavailableError(""), ("unavailable", "")),
    (DeniedError("no"), ("denied", "no")),
    (InvalidArgumentError("nonce"), ("invalid-argument", "nonce")),
    (InternalError("oops"), ("internal", "oops")),
    (
        RejectedError([Finding("snp.signature", "wrong"), Finding("snp.chain", "é")]),
        (
            "rejected",
            [
                {"check": "snp.signature", "detail": "wrong"},
                {"check": "snp.chain", "detail": "é"},
            ],
        ),
    ),
    (
        PolicyError([Finding("policy.debug", "")]),
        ("policy", [{"check": "policy.debug", "detail": ""}]),
    ),
]


@pytest.fixture(scope="module", params=[True, False], ids=["fast", "wasmtime-py"])
def guest(request: pytest.FixtureRequest) -> Embedder:
    return Embedder(forwarder(), fast=request.param)


@pytest.mark.parametrize("version", ["0.1.0", "0.1.5", "0.1.99"])
def test_any_compatible_version_of_the_world_is_served(version: str) -> None:
    world = ScriptedWorld(tee=wit.TeeInfo(wit.TeeType.OTHER, True, "é", U32))  # noqa: FBT003
    answer = Embedder(forwarder(version)).call(world, "detect-tee")
    assert answer == {
        "tee-type": "other",
        "supports-attestation": True,
        "provider": "é",
        "gpu-count": U32,
    }


def test_tee_info(guest: Embedder) -> None:
    answer = guest.call(ScriptedWorld(tee=NOTHING), "detect-tee")
    assert answer == {
        "tee-type": "none",
        "supports-attestation": False,
        "provider": "",
        "gpu-count": 0,
    }


@pytest.mark.parametrize("label", TEE_LABELS)
def test_every_tee_type(guest: Embedder, label: str) -> None:
    world = ScriptedWorld(vm=wit.AttestationResult("t", None, 0, wit.TeeType(label)))
    answer = guest.call(world, "attest-vm")
    assert answer == {"token": "t", "evidence": None, "timestamp": 0, "tee-type": label}


def test_the_labels_are_all_there_are() -> None:
    assert list(wit.TeeType) == TEE_LABELS


@pytest.mark.parametrize("index", [0, 1, U32])
def test_attest_gpu(guest: Embedder, index: int) -> None:
    world = ScriptedWorld(gpu=RESULT)
    assert guest.call(world, "attest-gpu", index) == RESULT_RECORD
    assert world.calls == [("attest_gpu", index)]


@pytest.mark.parametrize(("token", "answer"), [("ünique", True), ("other", False), ("", False)])
def test_verify_token(guest: Embedder, token: str, answer: bool) -> None:
    world = ScriptedWorld(accepted="ünique")
    assert guest.call(world, "verify-token", token) is answer
    assert world.calls == [("verify_token", token)]


def test_clear_cache(guest: Embedder) -> None:
    world = ScriptedWorld()
    assert guest.call(world, "clear-cache") is None
    assert world.calls == [("clear_cache",)]


def test_gpus(guest: Embedder) -> None:
    gpus = [wit.GpuInfo(0, "GPU-1", "H100 ™", confidential=True), wit.GpuInfo(U32, "", "", False)]  # noqa: FBT003
    assert guest.call(ScriptedWorld(listed=gpus), "gpus") == [
        {"index": 0, "uuid": "GPU-1", "name": "H100 ™", "confidential": True},
        {"index": U32, "uuid": "", "name": "", "confidential": False},
    ]
    assert guest.call(ScriptedWorld(listed=[]), "gpus") == []


@pytest.mark.parametrize(
    ("passed", "target"),
    [
        (Variant("vm"), wit.TargetVm()),
        (Variant("gpu", 0), wit.TargetGpu(0)),
        (Variant("gpu", U32), wit.TargetGpu(U32)),
        (Variant("all"), wit.TargetAll()),
    ],
)
def test_every_target(guest: Embedder, passed: Variant, target: wit.Target) -> None:
    world = ScriptedWorld(fresh=RESULT)
    challenge = record(nonce=b"12345678", user_data=None, audience=None)
    assert guest.call(world, "attest", passed, challenge) == RESULT_RECORD
    assert world.calls == [("attest", target, wit.Challenge(b"12345678"))]


@pytest.mark.parametrize(
    ("passed", "challenge"),
    [
        (record(nonce=b"", user_data=None, audience=None), wit.Challenge(b"", None, None)),
        (
            record(nonce=bytes(range(192, 256)), user_data=b"", audience=""),
            wit.Challenge(bytes(range(192, 256)), b"", ""),
        ),
        (
            record(nonce=b"\0", user_data=b"\xff" * 4096, audience="ürs"),
            wit.Challenge(b"\0", b"\xff" * 4096, "ürs"),
        ),
    ],
)
def test_challenges(guest: Embedder, passed: Record, challenge: wit.Challenge) -> None:
    world = ScriptedWorld()
    guest.call(world, "attest", Variant("vm"), passed)
    assert world.calls == [("attest", wit.TargetVm(), challenge)]


@pytest.mark.parametrize(
    ("passed", "expected"),
    [
        (
            record(nonce=None, audience=None, max_age_seconds=None, policy=None),
            wit.Expectations(),
        ),
        (
            record(nonce=b"", audience="", max_age_seconds=0, policy=""),
            wit.Expectations(b"", "", 0, ""),
        ),
        (
            record(nonce=b"\x80" * 64, audience="a", max_age_seconds=U32, policy="hardware-only"),
            wit.Expectations(b"\x80" * 64, "a", U32, "hardware-only"),
        ),
    ],
)
def test_expectations(guest: Embedder, passed: Record, expected: wit.Expectations) -> None:
    world = ScriptedWorld()
    guest.call(world, "verify", "the token", passed)
    assert world.calls == [("verify", "the token", expected)]


@pytest.mark.parametrize("status", ["none", "affirming", "warning", "contraindicated"])
@pytest.mark.parametrize("digest", [None, b"", bytes(range(32))])
def test_verdict(guest: Embedder, status: str, digest: bytes | None) -> None:
    verdict = wit.Verdict(
        "wér", wit.TeeType.INTEL_TDX, wit.Status(status), 0, U64, digest, '{"ключ":null}'
    )
    expected = record(nonce=None, audience=None, max_age_seconds=None, policy=None)
    assert guest.call(ScriptedWorld(verdict=verdict), "verify", "t", expected) == {
        "issuer": "wér",
        "tee-type": "intel-tdx",
        "status": status,
        "issued-at": 0,
        "expires-at": U64,
        "guest-digest": digest,
        "claims": '{"ключ":null}',
    }


@pytest.mark.parametrize(("error", "variant"), ERRORS)
def test_every_error_of_every_function(
    guest: Embedder, error: AttestationError, variant: tuple[str, object]
) -> None:
    world = ScriptedWorld(vm=error, gpu=error, listed=error, fresh=error, verdict=error)
    for name in ("attest-vm", "attest-gpu", "gpus", "attest", "verify"):
        assert guest.call(world, name, *ARGUMENTS[name]) == variant


def test_an_error_leaves_the_guest_running(guest: Embedder) -> None:
    world = ScriptedWorld(vm=DeniedError("no"), gpu=RESULT)
    answers = guest.calls(world, ("attest-vm",), ("attest-gpu", 0), ("attest-vm",))
    assert answers == [("denied", "no"), RESULT_RECORD, ("denied", "no")]

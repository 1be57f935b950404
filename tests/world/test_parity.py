"""The real service through both ABIs: the same guest call sees the same."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from wasmtime_attestation import wit
from wasmtime_attestation.attesters.detect import Detection
from wasmtime_attestation.attesters.machine import Machine
from wasmtime_attestation.attesters.select import DetectedAttester
from wasmtime_attestation.attesters.simulated import SimulatedAttester
from wasmtime_attestation.endorsements.anchors import Anchors
from wasmtime_attestation.service import AttestationService, Settings

from tests.world import components, core_guest

NOW = 1_772_323_200  # 2026-03-01T00:00:00Z
DIGEST = bytes(range(32))
NONCE = bytes(range(100, 132))


@pytest.fixture(scope="module")
def attester() -> SimulatedAttester:
    return SimulatedAttester(NOW)


@pytest.fixture
def world(attester: SimulatedAttester) -> wit.World:
    anchors = Anchors(()).trusting([attester.root_fingerprint])
    return AttestationService(Machine(attester), Settings(anchors), lambda: NOW).for_guest(DIGEST)


@pytest.fixture(scope="module")
def component() -> components.Embedder:
    return components.Embedder(components.forwarder())


class Core:
    """Calls the world through the legacy ABI with arguments as Python values."""

    def __init__(self, world: wit.World) -> None:
        self._guest = core_guest.CoreGuest(core_guest.forwarder(), world)

    def call(self, name: str, *arguments: object) -> int:
        return self._guest.call(name, *self._lowered(arguments))

    def json(self, name: str, *arguments: object) -> dict[str, Any]:
        return self._guest.answer(name, *self._lowered(arguments))

    def _lowered(self, arguments: tuple[object, ...]) -> list[int]:
        lowered: list[int] = []
        address = 1024
        for argument in arguments:
            if isinstance(argument, int):
                lowered.append(argument)
                continue
            text = argument if isinstance(argument, str) else json.dumps(argument)
            lowered += self._guest.write(address, text.encode())
            address += len(text)
        return lowered


def test_detect_tee(world: wit.World, component: components.Embedder) -> None:
    assert component.call(world, "detect-tee") == {
        "tee-type": "simulated",
        "supports-attestation": True,
        "provider": "simulated",
        "gpu-count": 0,
    }
    assert Core(world).json("detect_tee") == {
        "tee_type": "Simulated",
        "supports_attestation": True,
        "provider": "simulated",
        "gpu_count": 0,
    }


def test_attest_and_verify_a_token(world: wit.World, component: components.Embedder) -> None:
    envelope = Core(world).json("attest_vm")
    token = envelope["token"]
    assert component.call(world, "attest-vm") == {
        "token": token,  # the cached one
        "evidence": None,
        "timestamp": NOW,
        "tee-type": "simulated",
    }
    assert envelope == {
        "success": True,
        "token": token,
        "evidence": None,
        "error": None,
        "timestamp": NOW,
        "tee_type": "Simulated",
    }
    for text, answer in ((token, True), (token[:-1], False), ("", False), ("..", False)):
        assert component.call(world, "verify-token", text) is answer
        assert Core(world).call("verify_token", text) == int(answer)


def test_answer_a_challenge(world: wit.World, component: components.Embedder) -> None:
    challenge = {"nonce": _base64url(NONCE), "user_data": _base64url(b"key"), "audience": "me"}
    envelope = Core(world).json("attest", {"case": "vm"}, challenge)
    token = envelope["token"]
    expected: dict[str, Any] = {
        "nonce": _base64url(NONCE),
        "audience": "me",
        "max_age_seconds": 60,
        "policy": "hardware-only",
    }
    legacy = Core(world).json("verify", token, expected)["ok"]
    verdict = component.call(
        world,
        "verify",
        token,
        components.record(nonce=NONCE, audience="me", max_age_seconds=60, policy="hardware-only"),
    )
    assert isinstance(verdict, dict)
    assert legacy["guest_digest"] == _base64url(DIGEST)
    assert verdict["guest-digest"] == DIGEST
    assert legacy["status"] == verdict["status"] == "warning"
    assert legacy["tee_type"] == "Simulated"
    assert legacy["issuer"] == verdict["issuer"]
    assert json.loads(legacy["claims"]) == json.loads(verdict["claims"])


def test_errors(world: wit.World, component: components.Embedder) -> None:
    envelope = Core(world).json("attest_gpu", 7)
    answer = component.call(world, "attest-gpu", 7)
    assert answer == ("unsupported", envelope["error"])
    assert envelope["success"] is False
    assert envelope["error_code"] == "unsupported"


def test_no_tee(component: components.Embedder) -> None:
    nothing = DetectedAttester(lambda: Detection(wit.TeeType.NONE))
    service = AttestationService(Machine(nothing), Settings(Anchors.of_vendors()), lambda: NOW)
    world = service.for_guest(None)
    envelope = Core(world).json("attest_vm")
    answer = component.call(world, "attest-vm")
    assert answer == ("unsupported", envelope["error"])
    assert envelope["error"].startswith("No TEE attestation available.")
    assert Core(world).json("detect_tee")["tee_type"] == "None"


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

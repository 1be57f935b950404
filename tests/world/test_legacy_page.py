"""The examples of `docs/legacy-abi.md` are what the host answers and takes."""

from __future__ import annotations

import re
from pathlib import Path

from wasmtime_attestation import wit
from wasmtime_attestation.errors import RejectedError, UnsupportedError

from tests.world.core_guest import CoreGuest, forwarder
from tests.world.scripted_world import SNP, ScriptedWorld

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "legacy-abi.md").read_text()
DETECTED, ATTESTED, FAILED, GPUS, TARGET, CHALLENGE, EXPECTED, VERDICT, REJECTED = re.findall(
    r"```json\n(.*)\n```", PAGE
)
RESULT = wit.AttestationResult("eyJ0.eyJ1.c2ln", None, 1_767_225_600, wit.TeeType.AMD_SEV_SNP)


def guest_of(world: ScriptedWorld) -> CoreGuest:
    return CoreGuest(forwarder(), world)


def text(guest: CoreGuest, name: str, *parameters: str) -> str:
    arguments: list[int] = []
    for index, parameter in enumerate(parameters):
        arguments += guest.write(1000 * index, parameter.encode())
    return guest.bytes_at(guest.call(name, *arguments)).decode()


def test_answers_without_parameters() -> None:
    listed = [wit.GpuInfo(0, "GPU-1", "H100", confidential=True)]
    guest = guest_of(ScriptedWorld(tee=SNP, vm=RESULT, listed=listed))
    assert text(guest, "detect_tee") == DETECTED
    assert text(guest, "attest_vm") == ATTESTED
    assert text(guest, "gpus") == GPUS
    assert text(guest_of(ScriptedWorld(vm=UnsupportedError("no TEE here"))), "attest_vm") == FAILED


def test_attest() -> None:
    world = ScriptedWorld(fresh=RESULT)
    assert text(guest_of(world), "attest", TARGET, CHALLENGE) == ATTESTED
    challenge = wit.Challenge(bytes(range(8)), b"key", "bank")
    assert world.calls == [("attest", wit.TargetGpu(0), challenge)]


def test_verify() -> None:
    verdict = wit.Verdict(
        issuer="host",
        tee_type=wit.TeeType.INTEL_TDX,
        status=wit.Status.AFFIRMING,
        issued_at=1_767_225_600,
        expires_at=1_767_225_900,
        guest_digest=bytes(range(250, 256)),
        claims="{}",
    )
    world = ScriptedWorld(verdict=verdict)
    assert text(guest_of(world), "verify", "token", EXPECTED) == VERDICT
    expected = wit.Expectations(bytes(range(8)), "bank", 60, "hardware-only")
    assert world.calls == [("verify", "token", expected)]
    rejected = ScriptedWorld(verdict=RejectedError.of("token.signature", "wrong key"))
    assert text(guest_of(rejected), "verify", "token", EXPECTED) == REJECTED

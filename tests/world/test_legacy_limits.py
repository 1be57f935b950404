"""The sizes that the legacy ABI bounds, on the way in and on the way out."""

from __future__ import annotations

import pytest
from wasmtime_attestation import wit
from wasmtime_attestation.errors import (
    AttestationError,
    Finding,
    PolicyError,
    RejectedError,
    UnavailableError,
)

from tests.world.core_guest import PAGE, CoreGuest, forwarder
from tests.world.scripted_world import TOKEN, ScriptedWorld

pytestmark = pytest.mark.usefixtures("either_path")


def guest_of(world: wit.World) -> CoreGuest:
    return CoreGuest(forwarder(), world)


def test_too_many_gpus_for_one_answer() -> None:
    world = ScriptedWorld(listed=[wit.GpuInfo(i, "u" * 100, "n", False) for i in range(400)])  # noqa: FBT003
    answer = guest_of(world).answer("gpus")
    assert isinstance(answer["err"], dict)
    assert answer["err"]["case"] == "unsupported"
    assert "one by one" in answer["err"]["value"]


def test_evidence_summary_that_makes_an_answer_too_large() -> None:
    result = wit.AttestationResult(TOKEN, "e" * 50_000, 1, wit.TeeType.AMD_SEV_SNP)
    answer = guest_of(ScriptedWorld(vm=result)).answer("attest_vm")
    assert "leave out the evidence summary" in str(answer["error"])


@pytest.mark.parametrize("name", ["attest_vm", "gpus"])
@pytest.mark.parametrize(
    "error",
    [
        UnavailableError("x" * 60_000),
        RejectedError([Finding("check", "d" * 20)] * 5000),
        PolicyError([Finding("c" * 60_000, "\0" * 60_000)]),
    ],
)
def test_error_that_is_too_large_keeps_its_case(name: str, error: AttestationError) -> None:
    guest = guest_of(ScriptedWorld(vm=error, listed=error))
    answer = guest.bytes_at(guest.call(name))
    assert len(answer) <= 50_000
    assert f'"{error.case}"' in answer.decode()
    assert b"bytes long" in answer


def test_detection_that_is_too_large_fails() -> None:
    info = wit.TeeInfo(wit.TeeType.NONE, False, "p" * 60_000, 0)  # noqa: FBT003
    assert guest_of(ScriptedWorld(tee=info)).call("detect_tee") == 0


@pytest.mark.parametrize(("size", "fits"), [(50_000, True), (50_001, False)])
def test_largest_answer(size: int, fits: bool) -> None:
    rest = len('{"tee_type":"None","supports_attestation":false,"provider":"","gpu_count":0}')
    info = wit.TeeInfo(wit.TeeType.NONE, False, "p" * (size - rest), 0)  # noqa: FBT003
    guest = CoreGuest(forwarder('(memory (export "memory") 2)'), ScriptedWorld(tee=info))
    address = guest.call("detect_tee")
    assert (address != 0) is fits
    assert not fits or len(guest.bytes_at(address)) == size


def test_largest_argument() -> None:
    guest = CoreGuest(
        forwarder('(memory (export "memory") 33)'), ScriptedWorld(accepted="t" * 2**20)
    )
    token = guest.write(PAGE, b"t" * 2**20)
    assert guest.call("verify_token", *token) == 1
    assert guest.call("verify_token", token[0], token[1] + 1) == 0
    answer = guest.answer("verify", token[0], token[1] + 1, 0, 0)
    assert isinstance(answer["err"], dict)
    assert answer["err"]["case"] == "invalid-argument"
    assert "1048577 bytes" in answer["err"]["value"]

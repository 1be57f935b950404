"""Guests of every generation that ever ran, run unmodified.

What each demands of its host is written in `tests/guests/generations/`.
"""

from __future__ import annotations

import pytest
from wasmtime_attestation import wit
from wasmtime_attestation.errors import UnavailableError

from tests.guests import build
from tests.world.core_guest import Outcome, run_command
from tests.world.scripted_world import (
    NO_TEE,
    TOKEN,
    ScriptedWorld,
    without_tee,
)

WITH_TEE = "tee=AMD SEV-SNP supports=1"
WITHOUT_TEE = "tee=None supports=0"
VERIFIED = [f"vm.token={TOKEN}", "vm.verified=1"]
GPU_VERIFIED = [f"gpu.token={TOKEN}", "gpu.verified=1"]

SUCCESS = {
    "rust_a": [*VERIFIED, *GPU_VERIFIED],
    "rust_b": [WITH_TEE, *VERIFIED, "vm.tee_type=AMD SEV-SNP", *GPU_VERIFIED],
    "cpp_a": [*VERIFIED, *GPU_VERIFIED, "all=1"],
    "cpp_c": [WITH_TEE, f"vm.token={TOKEN}", f"gpu.token={TOKEN}"],
    "cpp_e": [
        WITH_TEE,
        "vm.tee_type=AMD SEV-SNP",
        f"vm.token={TOKEN}",
        "vm.evidence=null",
        "vm.error=null",
        "gpu.tee_type=NVIDIA GPU",
        f"gpu.token={TOKEN}",
        "gpu.evidence=null",
        "gpu.error=null",
    ],
    "cpp_main": [WITH_TEE, f"vm.token_length={len(TOKEN)}", f"gpu.token_length={len(TOKEN)}"],
}
REFUSED = [f"vm.error={NO_TEE}", f"gpu.error={NO_TEE}"]
FAILURE = {
    "rust_a": REFUSED,
    "rust_b": [WITHOUT_TEE, *REFUSED],
    "cpp_a": [*REFUSED, "all=0"],
    "cpp_c": [WITHOUT_TEE, *REFUSED],
    "cpp_e": [
        WITHOUT_TEE,
        "vm.tee_type=Unknown",
        "vm.token=null",
        "vm.evidence=null",
        f"vm.error={NO_TEE}",
        "gpu.tee_type=Unknown",
        "gpu.token=null",
        "gpu.evidence=null",
        f"gpu.error={NO_TEE}",
    ],
    "cpp_main": [WITHOUT_TEE, *REFUSED],
}
for variant, original in {"cpp_e_1mib": "cpp_e", "cpp_main_50000": "cpp_main"}.items():
    SUCCESS[variant], FAILURE[variant] = SUCCESS[original], FAILURE[original]

every_generation = pytest.mark.parametrize("name", build.GENERATIONS)


@every_generation
def test_attests(name: str) -> None:
    assert run_command(build.generation(name), ScriptedWorld()) == Outcome(0, SUCCESS[name])


@every_generation
def test_is_told_that_there_is_no_tee(name: str) -> None:
    assert run_command(build.generation(name), without_tee()) == Outcome(1, FAILURE[name])


# Envelope of a success without its token, whose tee_type is "Intel TDX": counted by hand.
FRAME = len(
    '{"success":true,"token":"","evidence":null,"error":null,"timestamp":1,"tee_type":"Intel TDX"}'
)


def with_answer_of(size: int) -> ScriptedWorld:
    answer = wit.AttestationResult("t" * (size - FRAME), None, 1, wit.TeeType.INTEL_TDX)
    return ScriptedWorld(vm=answer, gpu=answer, accepted=answer.token)


@every_generation
def test_reads_the_largest_answer(name: str) -> None:
    outcome = run_command(build.generation(name), with_answer_of(50_000))
    token = "t" * (50_000 - FRAME)
    assert outcome.code == 0
    assert f"vm.token={token}" in outcome.lines or f"vm.token_length={len(token)}" in outcome.lines


@every_generation
def test_is_told_of_an_answer_that_is_too_large(name: str) -> None:
    outcome = run_command(build.generation(name), with_answer_of(50_001))
    assert outcome.code == 1
    [error] = [line for line in outcome.lines if line.startswith("vm.error=")]
    assert "50001 bytes long" in error
    assert "less user data" in error


@every_generation
def test_can_print_any_error(name: str) -> None:
    error = UnavailableError('cannot open "/dev/sev-guest":\nC:\\device, caf\u00e9')
    outcome = run_command(build.generation(name), ScriptedWorld(vm=error))
    assert "vm.error=cannot open '/dev/sev-guest': C:/device, caf?" in outcome.lines
